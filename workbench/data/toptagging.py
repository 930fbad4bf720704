"""The top-tagging reference set: pandas HDF5, key `table`, 200 constituents of E, px, py, pz in GeV."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .frame import Frame, Rows, pieces
from .jets import MOMENTUM, Jets, momenta
from .source import (
    Place,
    from_cartesian,
    hardest_first,
    list_sums,
    origin_of,
    ragged,
    reading,
    require,
    row_range,
)

FORMAT = "top-tagging reference HDF5"
COMPONENTS = ("E", "PX", "PY", "PZ")
CLASSES = ("QCD", "top")
LABEL = "is_signal_new"
ROWS_AT_ONCE = 500
"""Few enough for the processor's cache."""
THREADS = 2
"""One reads while the other computes."""


def is_one(content: Content) -> bool:
    """Returns True for a frame under the key `table`."""
    return content.container == "HDF5" and (
        content.has("table/block0_values") or content.has("table/table.values_block_0")
    )


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Jets:
    """Returns jets, shape (rows,), with the constituents whose slot is not empty; labels 0 = QCD, 1 = top.

    Columns of the file besides the constituents ("ttv", "truthE", ...) are kept. The jet's four-momentum is the
    sum of its constituents in the file's own px, py, pz, E. E^2 - p^2 below 0 within float32 rounding is mass 0.

    Raises:
        DataError: wrong columns, damaged file, energies that are negative or not finite.
    Source: arXiv:1902.09914, Zenodo 2603256.
    """
    path = Path(path)
    with reading(path, FORMAT), h5py.File(path) as file:
        frame = Frame(file["table"], path)
        rows = row_range(path, frame.length, start, stop, "jets")
        slots = sum(name.startswith("E_") for name in frame.columns)
        wanted = [f"{component}_{i}" for i in range(max(slots, 1)) for component in COMPONENTS]
        require(path, frame.columns, [*wanted, LABEL], "column")
        others = [name for name in frame.columns if name not in {*wanted, LABEL}]
        fields, jets = _Growing(rows[1] - rows[0]), _Growing(rows[1] - rows[0])
        with ThreadPoolExecutor(THREADS) as threads:
            for part in threads.map(
                lambda piece: _jets(frame.rows(*piece), wanted, [LABEL, *others]), pieces(*rows, ROWS_AT_ONCE)
            ):
                fields.append(part[0], len(part[1]["counts"]))
                jets.append(part[1], len(part[1]["counts"]))
    columns = jets.arrays()
    label = columns.pop(LABEL)
    if not np.isin(label, (0, 1)).all():
        msg = f"{LABEL} of {path.name} must be 0 or 1; found {np.unique(label)[:5].tolist()}."
        raise DataError(msg)
    return Jets.of(
        ragged(columns.pop("counts"), **fields.arrays()),
        p4=momenta(**{name: columns.pop(f"jet {name}") for name in MOMENTUM}),
        label=label,
        classes=CLASSES,
        columns=columns,
        origin=origin_of(path, FORMAT, rows, frame.length),
    )


class _Growing:
    """Arrays that grow at their end, with room for the rest of the jets guessed from those that came."""

    def __init__(self, jets: int) -> None:
        self.jets, self.come, self.filled = jets, 0, 0
        self.room: dict[str, np.ndarray] = {}

    def append(self, part: dict[str, np.ndarray], jets: int) -> None:
        """Copies the values of `jets` more jets to the end."""
        self.come += jets
        end = self.filled + len(next(iter(part.values())))
        for name, values in part.items():
            array = self.room.setdefault(name, np.empty(0, values.dtype))
            if len(array) < end:
                array.resize(max(end, int(1.02 * end * self.jets / self.come)), refcheck=False)
            array[self.filled : end] = values
        self.filled = end

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns what came; nothing can be appended after that."""
        for array in self.room.values():
            array.resize(self.filled, refcheck=False)
        return self.room


def _jets(
    rows: Rows, wanted: list[str], others: list[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Returns the fields of all constituents, and one value per jet: counts, its momentum, other columns."""
    slots = np.ascontiguousarray(rows[wanted])
    # A slot is looked at and moved as a whole: its four answers are one number, its four components one item.
    real = (slots != 0).view(np.uint32) != 0
    counts = np.count_nonzero(real, axis=1)
    particles = slots.view(f"V{4 * slots.itemsize}")[real].view(slots.dtype).reshape(-1, 4)
    energy, px, py, pz = np.ascontiguousarray(particles.T, dtype=np.float64)
    path, first = rows.frame.path, rows.first
    fields = from_cartesian(Place(path, counts, first), px, py, pz, energy)
    total = from_cartesian(Place(path, None, first), *(list_sums(x, counts) for x in (px, py, pz, energy)))
    hardest_first(counts, fields)
    jets = {"counts": counts} | {f"jet {name}": values for name, values in total.items()}
    return fields, jets | {name: rows[name] for name in others}
