"""The top-tagging reference set, written by pandas and PyTables."""

import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest

from workbench.data import toptagging
from workbench.errors import DataError

from .layouts import four_momenta, top_tagging

COUNTS = [3, 200, 1, 57, 20]
LABELS = [0, 1, 1, 0, 1]


@pytest.fixture(params=["fixed", "table"])
def layout(request):
    return request.param


def test_constituents_are_those_that_pandas_reads(tmp_path, layout):
    jets = four_momenta(COUNTS)
    top_tagging(tmp_path / "a.h5", jets, LABELS, layout)
    sample = toptagging.read(tmp_path / "a.h5")
    assert sample.counts.tolist() == COUNTS
    assert sample.label.tolist() == LABELS
    assert sample.classes == ("QCD", "top")
    for ours, theirs in zip(sample.constituents, jets, strict=True):
        found = np.stack([ours.energy, ours.px, ours.py, ours.pz], axis=1)
        # float32 in the file: pt, eta, phi and back in float64 lose nothing more than its rounding of the mass.
        np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-5)


def test_the_jet_is_the_sum_of_its_constituents_in_the_file(tmp_path, layout):
    jets = four_momenta(COUNTS)
    top_tagging(tmp_path / "a.h5", jets, LABELS, layout)
    p4 = toptagging.read(tmp_path / "a.h5").p4
    total = np.array([jet.astype(np.float64).sum(axis=0) for jet in jets])
    mass2 = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    np.testing.assert_allclose(p4.px, total[:, 1], rtol=1e-12)
    # one massless particle: its float32 rounding alone decides the mass, so it is left out
    np.testing.assert_allclose(np.asarray(p4.mass)[[0, 1, 3, 4]] ** 2, mass2[[0, 1, 3, 4]], rtol=1e-6)


def test_other_columns_are_kept(tmp_path, layout):
    top_tagging(tmp_path / "a.h5", four_momenta(COUNTS), LABELS, layout)
    columns = toptagging.read(tmp_path / "a.h5").columns
    assert columns["ttv"].tolist() == [0, 1, 2, 3, 4]
    assert columns["truthPZ"].tolist() == [7.0] * 5


def test_a_range_of_rows_is_what_a_slice_is(tmp_path, layout):
    top_tagging(tmp_path / "a.h5", four_momenta(COUNTS), LABELS, layout)
    whole = toptagging.read(tmp_path / "a.h5")
    part = toptagging.read(tmp_path / "a.h5", start=1, stop=4)
    assert part.fingerprint == whole[1:4].fingerprint
    assert part.origin.settings["rows"] == [1, 4]
    assert part.origin.settings["rows_in_file"] == 5


def test_a_missing_column_names_the_nearest(tmp_path, layout):
    top_tagging(tmp_path / "a.h5", four_momenta(COUNTS), LABELS, layout, PX_7="PX7")
    with pytest.raises(DataError, match="no column 'PX_7'; did you mean"):
        toptagging.read(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("slot", "value", "sentence"),
    [
        (1, np.nan, "values of momentum .* not finite .* .first: jet 1."),
        (0, -5.0, "1 energies .* are negative .first: jet 1, -5 GeV"),
    ],
)
def test_nan_and_negative_energies_are_counted(tmp_path, slot, value, sentence):
    jets = four_momenta(COUNTS)
    jets[1][0, slot] = value
    top_tagging(tmp_path / "a.h5", jets, LABELS, "fixed")
    with pytest.raises(DataError, match=sentence):
        toptagging.read(tmp_path / "a.h5")


def test_labels_besides_0_and_1_are_refused(tmp_path):
    top_tagging(tmp_path / "a.h5", four_momenta(COUNTS), [0, 1, 2, 1, 1], "fixed")
    with pytest.raises(DataError, match="is_signal_new of a.h5 must be 0 or 1; found"):
        toptagging.read(tmp_path / "a.h5")


def test_a_pickled_object_in_the_file_is_never_opened(tmp_path):
    top_tagging(tmp_path / "a.h5", four_momenta(COUNTS), LABELS, "table")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        # a pickle that would call os.mkdir when loaded
        evil = f"cos\nmkdir\n(V{tmp_path}/hacked\ntR.".encode()
        file["table/table"].attrs["values_block_0_kind"] = np.bytes_(evil)
    with pytest.raises(DataError):
        toptagging.read(tmp_path / "a.h5")
    assert not (tmp_path / "hacked").exists()


def test_an_empty_frame_is_one_sentence(tmp_path):
    frame = pd.DataFrame({"E_0": [1.0], "PX_0": [1.0], "PY_0": [0.0], "PZ_0": [0.0], "is_signal_new": [1]})
    frame.iloc[:0].to_hdf(tmp_path / "a.h5", key="table", format="fixed")
    with pytest.raises(DataError, match="a.h5"):
        toptagging.read(tmp_path / "a.h5")


def test_a_few_rows_of_a_long_file_cost_the_memory_of_a_few_rows(tmp_path):
    jets = four_momenta([20] * 2000)
    top_tagging(tmp_path / "a.h5", jets, [0, 1] * 1000, "table")
    stored = 2000 * 806 * 4
    toptagging.read(tmp_path / "a.h5", stop=2)
    tracemalloc.start()
    toptagging.read(tmp_path / "a.h5", start=1900, stop=1950)
    few = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    toptagging.read(tmp_path / "a.h5")
    whole = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert few < 0.2 * stored
    assert whole < 2 * stored
