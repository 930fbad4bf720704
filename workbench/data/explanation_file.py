"""Explanations as Parquet files, one row per jet, without loss: relevance, features, every ledger line, what was recorded."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError
from .explanation import Explanation, Ledger
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
    path = Path(path)
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
        "numpy": [name for name, array in arrays.items() if isinstance(array, np.ndarray)],
        "how": dict(explanation.how),
    }
    whole = ak.Array({name: ak.to_packed(ak.Array(array)) for name, array in arrays.items()})
    table = ak.to_arrow_table(whole, extensionarray=True)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: json.dumps(head).encode()})
    _put(table, path)


def read(path: str | Path) -> Explanation:
    """Returns the explanation that `write` stored.

    Raises:
        DataError: no such file, another one, a damaged one, or one of a newer version.
    """
    path = Path(path)
    with reading(path, FORMAT), pq.ParquetFile(path) as file:
        head = _head(path, file.schema_arrow)
        table = file.read()
        arrays = {name: ak.from_arrow(table.select([name]))[name] for name in table.column_names}
    arrays |= {name: ak.to_numpy(arrays[name]) for name in head["numpy"]}
    return Explanation(
        arrays["relevance"],
        arrays["features"],
        tuple(head["feature_names"]),
        Ledger(arrays["score"], _after(LINE, arrays)),
        _after(RECORDED, arrays),
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


def _put(table: pa.Table, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            pq.write_table(table, file, compression="zstd", use_dictionary=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        msg = f"{path.name} could not be written ({error.strerror or error}); nothing was changed, free space or choose another folder."
        raise DataError(msg) from error


def _after(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _head(path: Path, schema: pa.Schema) -> dict[str, Any]:
    if KEY not in (schema.metadata or {}):
        msg = f"{path.name} is a Parquet file, and no explanation; choose one that was exported from an explanation."
        raise DataError(msg)
    head: dict[str, Any] = json.loads(schema.metadata[KEY])
    if head["format"] > VERSION:
        msg = f"{path.name} is of version {head['format']}, this workbench reads up to {VERSION}; update the workbench."
        raise DataError(msg)
    return head
