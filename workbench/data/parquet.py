"""The project's own file: jets or events in Parquet, without loss."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError
from .content import Content
from .events import Events
from .jets import Jets
from .origin import Origin
from .source import reading, row_range

FORMAT = "Workbench Parquet"
VERSION = 1
KEY = b"workbench"
ROWS_PER_GROUP = 8192


def write(sample: Jets | Events, path: str | Path) -> None:
    """Writes a sample so that `read` gives it back equal: every field, column, label, class, weight and the origin.

    The file is written beside `path` and moved into place when it is on the disk; an old file survives a failure.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    table, numpy_columns = _table(sample)
    head = {
        "format": VERSION,
        "kind": "jets" if isinstance(sample, Jets) else "events",
        "classes": list(sample.classes),
        "origin": sample.origin.to_dict(),
        "numpy": numpy_columns,
    }
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), KEY: json.dumps(head, default=_plain).encode()}
    )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            pq.write_table(
                table,
                file,
                row_group_size=ROWS_PER_GROUP,
                compression="zstd",
                use_dictionary=False,
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        msg = f"{path.name} could not be written ({error.strerror or error}); nothing was changed, free space or choose another folder."
        raise DataError(msg) from error


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Jets | Events:
    """Returns the sample, or its rows from `start` to `stop`, that `write` stored; only the row groups needed are read.

    Raises:
        DataError: not such a file, damaged, of a newer version, or without the rows.
    """
    path = Path(path)
    with reading(path, FORMAT), pq.ParquetFile(path) as file:
        head = _head(path, file.schema_arrow)
        total = file.metadata.num_rows
        rows = (0, 0) if total == 0 and not start else row_range(path, total, start, stop, head["kind"])
        ends = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
        needed = [i for i in range(file.num_row_groups) if ends[i] < rows[1] and ends[i + 1] > rows[0]]
        table = file.read_row_groups(needed)
        first = int(ends[needed[0]]) if needed else 0
        table = table.slice(rows[0] - first, rows[1] - rows[0])
        sample = _sample(head, table)
    if rows == (0, total):
        return sample
    return replace(sample, origin=sample.origin.then(f"read rows {rows[0]} to {rows[1]} of {total}"))


def is_one(content: Content) -> bool:
    """Returns True for a Parquet file that `write` made."""
    return content.has(f"#{KEY.decode()}")


def _table(sample: Jets | Events) -> tuple[pa.Table, list[str]]:
    if isinstance(sample, Jets):
        arrays: dict[str, Any] = {"constituents": sample.constituents, "p4": sample.p4}
    else:
        arrays = {f"collection:{name}": array for name, array in sample.collections.items()}
    arrays |= {"label": np.asarray(sample.label), "weight": sample.weight}
    arrays |= {f"column:{name}": column for name, column in sample.columns.items()}
    numpy_columns = [name for name, array in arrays.items() if isinstance(array, np.ndarray)]
    whole = ak.Array({name: ak.to_packed(ak.Array(array)) for name, array in arrays.items()})
    return ak.to_arrow_table(whole, extensionarray=True), numpy_columns


def _sample(head: dict[str, Any], table: pa.Table) -> Jets | Events:
    arrays = {name: ak.from_arrow(table.select([name]))[name] for name in table.column_names}
    arrays |= {name: ak.to_numpy(arrays[name]) for name in head["numpy"]}
    common: dict[str, Any] = {
        "label": arrays["label"],
        "classes": tuple(head["classes"]),
        "weight": arrays["weight"],
        "columns": _after("column:", arrays),
        "origin": Origin.from_dict(head["origin"]),
    }
    if head["kind"] == "jets":
        return Jets(arrays["constituents"], arrays["p4"], **common)
    return Events(_after("collection:", arrays), **common)


def _after(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _head(path: Path, schema: pa.Schema) -> dict[str, Any]:
    if KEY not in (schema.metadata or {}):
        msg = f"{path.name} is a Parquet file of another program; its columns are {', '.join(schema.names[:8])}, ..."
        raise DataError(msg)
    head: dict[str, Any] = json.loads(schema.metadata[KEY])
    if head["format"] > VERSION:
        msg = f"{path.name} is of version {head['format']}, this workbench reads up to {VERSION}; update the workbench."
        raise DataError(msg)
    return head


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    msg = f"An origin holds JSON values only; found {type(value).__name__}."
    raise DataError(msg)
