import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from tests.toys import toy_jets
from workbench.engines import archive
from workbench.engines.store import open as open_model
from workbench.engines.tagging import Tagger
from workbench.errors import StoreError


@pytest.fixture(scope="module")
def tagger():
    return Tagger(network="mlp", epochs=1).fit(toy_jets(40, seed=1), seed=1)


@pytest.fixture
def saved(tagger, tmp_path):
    return tagger.save(tmp_path / "tagger.safetensors")


class Bomb:
    """An object whose unpickling would be seen."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was executed')",)


def test_a_pickle_is_refused_and_never_executed(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(StoreError, match="is a Python pickle"):
        open_model(path)


def test_what_torch_saves_is_refused(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"a": torch.zeros(3)}, path)
    with pytest.raises(StoreError, match="zip archive, as torch.save writes it"):
        open_model(path)


def test_a_zip_archive_is_refused(tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights", "1")
    with pytest.raises(StoreError, match="zip archive"):
        open_model(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_a_truncated_file_is_named(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StoreError, match=r"tagger\.safetensors is truncated"):
        open_model(saved)


def test_every_length_of_header_is_told_from_a_pickle(tmp_path):
    # The first byte of a safetensors file is the low byte of a length: for one file in 256 that of a pickle.
    for padding in range(0, 256, 8):
        path = archive.write(
            archive.Archive("tagger", {"padding": "x" * padding}, {}), tmp_path / "a.safetensors"
        )
        assert archive.read(path).header["padding"] == "x" * padding


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"nothing\.safetensors could not be read"):
        open_model(tmp_path / "nothing.safetensors")


def test_safetensors_from_elsewhere_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(save({"weight": np.zeros(3)}))
    with pytest.raises(StoreError, match="was not saved by this workbench"):
        open_model(path)


def rewritten(path, **changes):
    """The saved file with another header."""
    kept = archive.read(path)
    head = {"format": archive.FORMAT, "kind": kept.kind, **kept.header} | changes
    path.write_bytes(save(dict(kept.arrays), metadata={archive.KEY: json.dumps(head)}))
    return path


def test_a_newer_format_is_refused(saved):
    with pytest.raises(StoreError, match="install a newer workbench"):
        open_model(rewritten(saved, format=archive.FORMAT + 1))


def test_a_kind_is_looked_up_and_never_imported(saved):
    with pytest.raises(
        StoreError, match="holds a 'os.system', which this workbench does not know; known are tagger"
    ):
        open_model(rewritten(saved, kind="os.system"))


def test_an_unknown_setting_is_named(saved, tagger):
    with pytest.raises(StoreError, match="'gluons'"):
        open_model(rewritten(saved, settings={**tagger.engine.settings(), "gluons": 3}))


def test_weights_that_do_not_fit_are_refused(saved, tagger):
    with pytest.raises(StoreError, match="do not fit 'mlp'"):
        open_model(rewritten(saved, settings={**tagger.engine.settings(), "hidden_sizes": [3]}))


@pytest.mark.parametrize(
    "changes",
    [{"format": "1"}, {"kind": ["tagger"]}, {"kind": None}],
)
def test_a_header_of_another_make_is_refused(saved, changes):
    with pytest.raises(StoreError, match="was not saved by this workbench"):
        open_model(rewritten(saved, **changes))


@pytest.mark.parametrize("text", ["hello", "[1]", "3"])
def test_metadata_that_are_no_header_are_refused(tmp_path, text):
    path = tmp_path / "other.safetensors"
    path.write_bytes(save({"weight": np.zeros(3)}, metadata={archive.KEY: text}))
    with pytest.raises(StoreError, match="was not saved by this workbench"):
        open_model(path)


@pytest.mark.parametrize("name", ["settings", "classes", "inputs", "outcome", "history", "seed", "card"])
def test_what_a_header_lacks_is_named(saved, name):
    kept = archive.read(saved)
    header = {key: value for key, value in kept.header.items() if key != name}
    archive.write(archive.Archive("tagger", header, kept.arrays), saved)
    with pytest.raises(StoreError, match=f"not as this workbench writes it .KeyError: '{name}'"):
        open_model(saved)


@pytest.mark.parametrize("array", ["left", "right", "feature"])
def test_trees_that_would_be_walked_for_ever_are_refused(tmp_path, array):
    trees = Tagger(network="trees", iterations=2).fit(toy_jets(80, seed=1), seed=1)
    kept = archive.read(trees.save(tmp_path / "trees.safetensors"))
    arrays = {name: values.copy() for name, values in kept.arrays.items()}
    arrays[f"network/{array}"][0, 0] = 0 if array != "feature" else 99
    path = archive.write(archive.Archive("tagger", kept.header, arrays), tmp_path / "odd.safetensors")
    with pytest.raises(StoreError, match="nodes that lead nowhere"):
        open_model(path)


def test_a_name_that_is_not_safetensors_is_refused(tagger, tmp_path):
    with pytest.raises(StoreError, match=r"name it 'tagger\.safetensors'"):
        tagger.save(tmp_path / "tagger.pt")


def test_a_tagger_saved_without_its_optimizer_is_smaller_and_scores_the_same(tagger, saved, tmp_path):
    small = tagger.save(tmp_path / "small.safetensors", resumable=False)
    assert small.stat().st_size < saved.stat().st_size / 2
    jets = toy_jets(10, seed=2)
    assert np.array_equal(open_model(small).score(jets), tagger.score(jets))


FULL_DISK = """
import resource, signal, sys
from workbench.engines import archive
from workbench.errors import StoreError
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    archive.write(archive.Archive("tagger", {}, {"x": np.ones(100_000)}), sys.argv[1])
except StoreError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(saved):
    before = saved.read_bytes()
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(saved)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "could not be saved" in run.stderr
    assert "what was there before is untouched" in run.stderr
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
