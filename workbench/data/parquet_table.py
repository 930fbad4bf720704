"""Arrays of any shape as the columns of a Parquet file, beside a head in JSON, and back without loss."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError
from .whole_file import put

ROWS_PER_GROUP = 8192
NUMPY = "numpy"
"""Where a head names the columns that were NumPy arrays."""


def write(arrays: Mapping[str, Any], key: bytes, head: Mapping[str, Any], path: Path) -> None:
    """Writes arrays as columns; the file is moved into place when it is on the disk, an old one survives a failure.

    Args:
        arrays: NumPy or Awkward arrays of one length, by name of the column.
        key: Under which the file's metadata hold the head.
        head: JSON values, NumPy's numbers and arrays among them; has "format", the version.
        path: Of the file.

    Raises:
        DataError: the file cannot be written, or the head holds what JSON cannot.
    """
    whole = ak.Array({name: ak.to_packed(ak.Array(array)) for name, array in arrays.items()})
    table = ak.to_arrow_table(whole, extensionarray=True)
    numpy = [name for name, array in arrays.items() if isinstance(array, np.ndarray)]
    told = json.dumps({**head, NUMPY: numpy}, default=_plain).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), key: told})
    settings: dict[str, Any] = {"compression": "zstd", "use_dictionary": False}
    try:
        put(path, lambda file: pq.write_table(table, file, row_group_size=ROWS_PER_GROUP, **settings))
    except OSError as error:
        msg = f"{path.name} could not be written ({error.strerror or error}); nothing was changed, free space or choose another folder."
        raise DataError(msg) from error


def columns(head: Mapping[str, Any], table: pa.Table) -> dict[str, Any]:
    """Returns the arrays that `write` stored, or some of their rows, by name."""
    arrays = {name: ak.from_arrow(table.select([name]))[name] for name in table.column_names}
    return arrays | {name: ak.to_numpy(arrays[name]) for name in head[NUMPY]}


def after(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arrays whose names begin so, under the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def head_of(schema: pa.Schema, key: bytes, path: Path, version: int, another: str) -> dict[str, Any]:
    """Returns the head of a file.

    Args:
        schema: Of the file.
        key: As of `write`.
        path: Of the file.
        version: Newest version that can be read.
        another: What to say of a file that has no such head, after its name.

    Raises:
        DataError: no such head, or a newer version.
    """
    if key not in (schema.metadata or {}):
        msg = f"{path.name} is a Parquet file{another}"
        raise DataError(msg)
    head: dict[str, Any] = json.loads(schema.metadata[key])
    if head["format"] > version:
        msg = f"{path.name} is of version {head['format']}, this workbench reads up to {version}; update the workbench."
        raise DataError(msg)
    return head


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    msg = f"What a file tells of itself holds JSON values only; found {type(value).__name__}."
    raise DataError(msg)
