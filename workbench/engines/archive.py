"""Saved models: one .safetensors file, weights and a JSON header; nothing in it can execute."""

import json
import os
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import StoreError

FORMAT = 1
"""Version of the layout; a file with a higher number was written by a newer workbench."""

KEY = "workbench"
"""Entry of the safetensors metadata that holds the header."""

FOREIGN = {
    b"PK\x03\x04": "a zip archive, as torch.save writes it",
    b"\x80": "a Python pickle",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file, which wb.load reads",
}
"""First bytes of files that are often taken for models. Pickles can run code and are never opened."""


@dataclass(frozen=True)
class Archive:
    """What a file holds.

    Attributes:
        kind: What it is, "tagger".
        header: JSON values.
        arrays: Arrays by name.
    """

    kind: str
    header: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


def write(archive: Archive, path: str | Path) -> Path:
    """Writes an archive and returns its path; a file of that name is replaced only once the new one is on the disk.

    Raises:
        StoreError: the name does not end in .safetensors, the folder is not there, or the disk is full.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        msg = f"Models are saved as .safetensors; found {path.name!r}, so name it {path.stem + '.safetensors'!r}."
        raise StoreError(msg)
    head = json.dumps({"format": FORMAT, "kind": archive.kind, **archive.header}, allow_nan=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in archive.arrays.items()}
    content = save(arrays, metadata={KEY: head})
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        msg = (
            f"The model could not be saved to {path} ({error.strerror}); what was there before is untouched."
        )
        raise StoreError(msg) from error
    return path


def read(path: str | Path) -> Archive:
    """Reads an archive.

    Raises:
        StoreError: the file is missing, truncated, not of this project, or of a newer version.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"The model {path} could not be read ({error.strerror}); give the path of a .safetensors file."
        raise StoreError(msg) from error
    head = _header(path, content)
    try:
        arrays = load(content)
    except SafetensorError as error:
        msg = f"{path.name} is damaged ({error}); take another copy."
        raise StoreError(msg) from error
    return Archive(head.pop("kind"), head, arrays)


def _header(path: Path, content: bytes) -> dict[str, Any]:
    # The first eight bytes of a safetensors file are a length and may look like anything; its header starts after them.
    for start, what in FOREIGN.items():
        if content.startswith(start) and content[8:9] != b"{":
            msg = f"{path.name} is {what}; expected a .safetensors file saved by this workbench, so save the model again with it."
            raise StoreError(msg)
    length = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    table = _table(content[8 : 8 + length]) if 0 < length <= len(content) - 8 else None
    if table is None:
        msg = f"{path.name} is truncated or no .safetensors file ({len(content)} bytes); take another copy."
        raise StoreError(msg)
    expected = 8 + length + _size(table)
    if expected > len(content):
        msg = f"{path.name} is truncated: {expected} bytes expected, {len(content)} found; take another copy."
        raise StoreError(msg)
    metadata = table.get("__metadata__")
    head = _table(metadata[KEY]) if isinstance(metadata, dict) and KEY in metadata else None
    if head is None or not isinstance(head.get("format"), int) or not isinstance(head.get("kind"), str):
        msg = f"{path.name} was not saved by this workbench: it has weights, but no header that says of what; train or save the model here."
        raise StoreError(msg)
    if head["format"] > FORMAT:
        msg = f"{path.name} has format {head['format']}, this workbench reads up to {FORMAT}; install a newer workbench."
        raise StoreError(msg)
    head.pop("format")
    return head


def _table(text: str | bytes) -> dict[str, Any] | None:
    """Returns a JSON object, None if the text is something else."""
    try:
        table = json.loads(text)
    except (ValueError, TypeError):
        return None
    return table if isinstance(table, dict) else None


def _size(table: Mapping[str, Any]) -> int:
    """Returns how many bytes the arrays take; 0 where the entries do not say so."""
    entries = [entry for name, entry in table.items() if name != "__metadata__" and isinstance(entry, dict)]
    offsets = [entry.get("data_offsets") for entry in entries]
    ends = [span[-1] for span in offsets if isinstance(span, list) and span]
    return max((end for end in ends if isinstance(end, int)), default=0)
