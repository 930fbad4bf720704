"""Explanations as Parquet files, one row per jet, without loss: relevance, features, every ledger line, what was recorded."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from . import parquet_table
from .explanation import Explanation, Ledger
from .parquet_table import after
from .source import reading

FORMAT = "explanation in Parquet"
VERSION = 1
KEY = b"workbench explanation"
LINE, RECORDED = "line: ", "recorded: "
"""In front of the names of ledger lines and of inner tensors."""


def write(explanation: Explanation, path: str | Path) -> None:
    """Writes an explanation so that `read` gives it back equal.

    The columns are relevance and features (lists per jet), score, one per ledger line ("line: biases") and one per inner
    tensor ("recorded: edges 0"); how it was made stands in the file's metadata. An old file survives a failure.

    Raises:
        DataError: the file cannot be written.
    """
    arrays: dict[str, Any] = {
        "relevance": explanation.relevance,
        "features": explanation.features,
        "score": explanation.ledger.score,
    }
    arrays |= {f"{LINE}{name}": amount for name, amount in explanation.ledger.lines.items()}
    arrays |= {f"{RECORDED}{name}": values for name, values in explanation.recorded.items()}
    head = {
        "format": VERSION,
        "feature_names": list(explanation.feature_names),
        "how": dict(explanation.how),
    }
    parquet_table.write(arrays, KEY, head, Path(path))


def read(path: str | Path) -> Explanation:
    """Returns the explanation that `write` stored.

    Raises:
        DataError: no such file, another one, a damaged one, or one of a newer version.
    """
    path = Path(path)
    with reading(path, FORMAT), pq.ParquetFile(path) as file:
        head = _head(path, file.schema_arrow)
        arrays = parquet_table.columns(head, file.read())
    return Explanation(
        arrays["relevance"],
        arrays["features"],
        tuple(head["feature_names"]),
        Ledger(arrays["score"], after(LINE, arrays)),
        after(RECORDED, arrays),
        head["how"],
    )


def read_how(path: str | Path) -> dict[str, Any]:
    """Returns how the explanation in a file was made, without reading it.

    Raises:
        DataError: as of `read`.
    """
    path = Path(path)
    with reading(path, FORMAT):
        return _head(path, pq.read_schema(path))["how"]


def _head(path: Path, schema: pa.Schema) -> dict[str, Any]:
    another = ", and no explanation; choose one that was exported from an explanation."
    return parquet_table.head_of(schema, KEY, path, VERSION, another)
