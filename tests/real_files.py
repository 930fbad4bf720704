"""Where real files from outside lie, when they do."""

from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_file(name: str) -> Path:
    """Returns the path of a real file: beside the checkout, else the one that the wheel of scikit-hep-testdata has.

    The package is found but never imported, so that it cannot download anything.
    """
    found = find_spec("skhep_testdata")
    if not (SHARED / name).exists() and found is not None and found.origin is not None:
        return Path(found.origin).parent / "data" / Path(name).name
    return SHARED / name


def needs_shared(name: str) -> pytest.MarkDecorator:
    """Returns a mark that skips a test where the real file is not at hand."""
    return pytest.mark.skipif(
        not real_file(name).exists(),
        reason=f"the real file {name} is neither beside the checkout nor in scikit-hep-testdata",
    )
