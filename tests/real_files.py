"""Where real files from outside lie, when they do."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def needs_shared(name: str) -> pytest.MarkDecorator:
    """Returns a mark that skips a test where the real file is not at hand."""
    return pytest.mark.skipif(
        not (SHARED / name).exists(), reason=f"the real file {name} is not beside the checkout"
    )
