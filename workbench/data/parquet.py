"""The project's own file: jets or events in Parquet, without loss."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import parquet_table
from .content import Content
from .events import Events
from .jets import Jets
from .origin import Origin
from .parquet_table import after
from .source import reading, row_range

FORMAT = "Workbench Parquet"
VERSION = 1
KEY = b"workbench"


def write(sample: Jets | Events, path: str | Path) -> None:
    """Writes a sample so that `read` gives it back equal: every field, column, label, class, weight and the origin.

    The file is written beside `path` and moved into place when it is on the disk; an old file survives a failure.

    Raises:
        DataError: the file cannot be written.
    """
    head = {
        "format": VERSION,
        "kind": "jets" if isinstance(sample, Jets) else "events",
        "classes": list(sample.classes),
        "origin": sample.origin.to_dict(),
    }
    parquet_table.write(_arrays(sample), KEY, head, Path(path))


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


def _arrays(sample: Jets | Events) -> dict[str, Any]:
    if isinstance(sample, Jets):
        arrays: dict[str, Any] = {"constituents": sample.constituents, "p4": sample.p4}
    else:
        arrays = {f"collection:{name}": array for name, array in sample.collections.items()}
    arrays |= {"label": np.asarray(sample.label), "weight": sample.weight}
    return arrays | {f"column:{name}": column for name, column in sample.columns.items()}


def _sample(head: dict[str, Any], table: pa.Table) -> Jets | Events:
    arrays = parquet_table.columns(head, table)
    common: dict[str, Any] = {
        "label": arrays["label"],
        "classes": tuple(head["classes"]),
        "weight": arrays["weight"],
        "columns": after("column:", arrays),
        "origin": Origin.from_dict(head["origin"]),
    }
    if head["kind"] == "jets":
        return Jets(arrays["constituents"], arrays["p4"], **common)
    return Events(after("collection:", arrays), **common)


def _head(path: Path, schema: pa.Schema) -> dict[str, Any]:
    another = f" of another program; its columns are {', '.join(schema.names[:8])}, ..."
    return parquet_table.head_of(schema, KEY, path, VERSION, another)
