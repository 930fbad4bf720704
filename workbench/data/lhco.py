"""LHC Olympics: HDF5 with 700 particles (pt, eta, phi) per event and a label."""

from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .events import Events
from .frame import Frame, pieces
from .jets import wrapped
from .source import Place, finite, origin_of, ragged, reading, row_range

FORMAT = "LHC Olympics HDF5"
CLASSES = ("background", "signal")
VALUES = 2100
ROWS_AT_ONCE = 1024


def is_one(content: Content) -> bool:
    """Returns True for one two-dimensional table of 2100 or 2101 columns, plain or as a pandas frame `df`."""
    if content.container != "HDF5":
        return False
    if content.has("df/block0_values") or content.has("df/table.values_block_0"):
        return True
    with reading(content.path, FORMAT), h5py.File(content.path) as file:
        tables = [item for item in file.values() if isinstance(item, h5py.Dataset)]
        return any(table.ndim == 2 and table.shape[1] in (VALUES, VALUES + 1) for table in tables)


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events of massless particles; labels 0 = background, 1 = signal, unknown where the file has none.

    Raises:
        DataError: the table has not 2100 or 2101 columns, damaged file, values not finite, negative pt.
    Source: arXiv:2101.08320, Zenodo 4536624.
    """
    path = Path(path)
    with reading(path, FORMAT), h5py.File(path) as file:
        table = _Table(file, path)
        rows = row_range(path, table.length, start, stop, "events")
        parts = [_chunk(table.rows(a, b)) for a, b in pieces(*rows, ROWS_AT_ONCE)]
    counts, flat, label = (np.concatenate([part[i] for part in parts]) for i in range(3))
    pt, eta, phi = flat.T
    finite(Place(path, counts, rows[0], "event"), {"pt": pt, "eta": eta, "phi": phi})
    if (pt < 0).any():
        msg = f"{(pt < 0).sum()} particles of {path.name} have a negative pt; are the columns pt, eta, phi?"
        raise DataError(msg)
    known = table.width == VALUES + 1
    if known and not np.isin(label, (0, 1)).all():
        msg = f"The last column of {path.name} must be 0 or 1; found {np.unique(label)[:5].tolist()}."
        raise DataError(msg)
    particles = ragged(counts, pt=pt, eta=eta, phi=wrapped(phi), mass=np.zeros_like(pt))
    return Events.of(
        {"particles": particles},
        label=label.astype(np.int64),
        classes=CLASSES if known else (),
        origin=origin_of(path, FORMAT, rows, table.length),
    )


class _Table:
    """Rows of numbers, whether pandas wrote them or not."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self.frame = Frame(file["df"], path) if "df" in file and isinstance(file["df"], h5py.Group) else None
        if self.frame is not None:
            self.length, self.width = self.frame.length, len(self.frame.columns)
        else:
            self.dataset = next(x for x in file.values() if isinstance(x, h5py.Dataset) and x.ndim == 2)
            self.length, self.width = self.dataset.shape
        if self.width not in (VALUES, VALUES + 1):
            msg = (
                f"{path.name} has {self.width} columns; expected 700 particles of pt, eta, phi, and a label."
            )
            raise DataError(msg)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Returns the values in order of the columns, shape (rows, columns)."""
        if self.frame is None:
            return self.dataset[start:stop]
        return self.frame.rows(start, stop)[[str(i) for i in range(self.width)]]


def _chunk(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    slots = values[:, :VALUES].reshape(len(values), -1, 3)
    real = slots[..., 0] != 0
    label = values[:, VALUES] if values.shape[1] > VALUES else np.full(len(values), -1.0)
    return real.sum(axis=1), slots[real].astype(np.float64), label
