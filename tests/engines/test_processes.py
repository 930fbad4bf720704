"""One fit over several processes, as a launcher starts them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.engines.tagging import Tagger

SCRIPT = """
import json, os, sys
import numpy as np
from tests.engines.test_processes import SETTINGS, jets
from workbench.engines.tagging import Tagger

fitted = Tagger(network=sys.argv[1], **SETTINGS).fit(jets(), seed=1)
scores = np.asarray(fitted.score(jets())).tolist()
with open(f"{sys.argv[2]}/{os.environ['RANK']}.json", "w") as file:
    json.dump({"loss": fitted.history[-1]["validation_loss"], "scores": scores}, file)
"""
# Without dropout two halves of a batch have the gradient of the whole; batch norm's statistics would not.
SETTINGS = {"epochs": 2, "batch_size": 32, "dropout": 0.0}


def jets():
    return toy_jets(200, 1, mean_constituents=8)


@pytest.mark.parametrize(
    ("network", "like_one"), [("pfn", True), pytest.param("particlenet-lite", False, marks=pytest.mark.slow)]
)
def test_two_processes_end_with_one_network(network, like_one, tmp_path):
    script = tmp_path / "fit.py"
    script.write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [*launch, str(script), network, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    if like_one:
        alone = Tagger(network=network, **SETTINGS).fit(jets(), seed=1)
        assert first["loss"] == pytest.approx(alone.history[-1]["validation_loss"], rel=1e-3)
        assert np.allclose(first["scores"], alone.score(jets()), atol=1e-3)
