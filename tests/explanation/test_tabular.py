"""Every result that is a table is written as the table that it says it is."""

import numpy as np
import pandas as pd

from workbench.explanation.randomisation import ClassSensitivity, Randomisation
from workbench.physics.bootstrap import Estimate

COSINE = Estimate(np.array([-1.0, 0.5]), np.array([0.0, 0.25]))
SIZE = Estimate(np.array([1.0, 0.5]), np.array([0.125, 0.25]))
NUMBERS = {
    "cosine": [-1.0, 0.5],
    "cosine_error": [0.0, 0.25],
    "size": [1.0, 0.5],
    "size_error": [0.125, 0.25],
}


def test_a_table_has_every_number_with_its_error_and_what_it_is_of():
    layers = Randomisation(("head", "block"), COSINE, SIZE)
    pairs = ClassSensitivity((("top", "QCD"), ("W", "QCD")), COSINE, SIZE)
    assert layers.frame().to_dict("list") == {"layer": ["head", "block"], **NUMBERS}
    assert pairs.frame().to_dict("list") == {"first": ["top", "W"], "second": ["QCD", "QCD"], **NUMBERS}


def test_the_file_holds_the_table_and_no_more(tmp_path):
    result = Randomisation(("head", "block"), COSINE, SIZE)
    path = result.to_parquet(str(tmp_path / "layers.parquet"))
    assert path == tmp_path / "layers.parquet"
    pd.testing.assert_frame_equal(pd.read_parquet(path), result.frame())
