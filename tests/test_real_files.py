"""Real files are found beside the checkout or in an installed package, and never fetched."""

import sys
from importlib.util import find_spec

import pytest

from tests import real_files


@pytest.mark.skipif(find_spec("skhep_testdata") is None, reason="scikit-hep-testdata is not installed")
def test_a_file_that_is_not_beside_the_checkout_is_that_of_the_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(real_files, "SHARED", tmp_path)
    shipped = real_files.real_file("delphes/uproot-issue513.root")
    assert shipped.parent.parent.name == "skhep_testdata"
    assert shipped.read_bytes()[:4] == b"root"
    (tmp_path / "delphes").mkdir()
    (tmp_path / "delphes" / "uproot-issue513.root").touch()
    assert (
        real_files.real_file("delphes/uproot-issue513.root") == tmp_path / "delphes" / "uproot-issue513.root"
    )


def test_a_file_that_would_be_downloaded_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(real_files, "SHARED", tmp_path)
    monkeypatch.delitem(sys.modules, "skhep_testdata", raising=False)
    assert not real_files.real_file("cms_hep_2012_tutorial/ttbar.root").exists()
    assert "skhep_testdata" not in sys.modules  # its functions download; none of them can be called
