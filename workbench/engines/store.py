"""Opening saved models: the kind in the header is looked up in one table."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError, nearest
from .archive import Archive, read
from .tagging import restore

KINDS: Mapping[str, Callable[[Archive], Any]] = {"tagger": restore}
"""What rebuilds each kind of model. A name that is not here is refused, never imported."""


def open(path: str | Path) -> Any:  # noqa: A001
    """Returns the fitted model that `save` wrote to `path`.

    Raises:
        StoreError: missing, truncated, from elsewhere (pickles are never opened), of a newer version, or of an unknown kind.
    """
    archive = read(path)
    if archive.kind not in KINDS:
        msg = f"{Path(path).name} holds a {archive.kind!r}, which this workbench does not know; {nearest(archive.kind, KINDS)}"
        raise StoreError(msg)
    return KINDS[archive.kind](archive)
