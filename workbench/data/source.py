"""What every reader says of the file it reads: which rows, which units, what is missing, what is wrong."""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import awkward as ak
import numpy as np
import uproot
import zstandard

from ..errors import DataError, nearest
from .jets import momenta
from .origin import Origin

GEV = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3}
"""How many GeV one unit is."""

DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    SyntaxError,
    Warning,
    BadZipFile,
    struct.error,
    zlib.error,
    zstandard.ZstdError,
    uproot.deserialization.DeserializationError,
)
"""What the libraries below the readers raise on a damaged file."""


def row_range(path: Path, total: int, start: int, stop: int | None, what: str) -> tuple[int, int]:
    """Returns the rows (first, one past last) that lie in a file of `total`; a `stop` beyond the end is the end.

    Raises:
        DataError: the file has no rows, or the range has none.
    """
    check_range(start, stop, what)
    if total == 0:
        msg = f"{path.name} holds no {what}; give a file with at least one."
        raise DataError(msg)
    last = total if stop is None else min(stop, total)
    if last <= start:
        msg = f"There are no {what} from {start} to {stop} in {path.name}, which has {total}, counted from 0."
        raise DataError(msg)
    return start, last


def check_range(start: int, stop: int | None, what: str) -> None:
    """Raises DataError where no file can have these rows."""
    if start < 0 or (stop is not None and stop <= start):
        msg = f"There are no {what} from {start} to {stop}; count from 0, and let stop lie above start."
        raise DataError(msg)


def require(path: Path, found: Iterable[str], wanted: Iterable[str], what: str = "branch") -> None:
    """Raises DataError that names the first wanted name that is missing, and the nearest one found."""
    found = set(found)
    for name in wanted:
        if name not in found:
            msg = f"{path.name} has no {what} {name!r}; {nearest(name, found)}"
            raise DataError(msg)


def in_gev(path: Path, units: str | None, default: str | None, hint: str = "") -> float:
    """Returns how many GeV one unit of the file is.

    Args:
        path: The file, for the message.
        units: What the user declared, or None.
        default: What the format or the file's content says, None where neither does.
        hint: What speaks for which unit, for the message.

    Raises:
        DataError: unknown unit, or nobody said which.
    """
    declared = units or default
    if declared is None:
        msg = f'{path.name} does not say its energy unit{hint}; say units="GeV" or units="MeV".'
        raise DataError(msg)
    if declared not in GEV:
        msg = f"Unknown energy unit {declared!r}; known are {', '.join(GEV)}."
        raise DataError(msg)
    return GEV[declared]


def origin_of(
    path: Path,
    format: str,
    rows: tuple[int, int],
    total: int | None,
    *,
    kind: str = "simulation",
    units: str = "GeV",
    **settings: Any,
) -> Origin:
    """Returns the origin of rows read from a file; `units` are those of the file, the sample is in GeV."""
    return Origin(
        path.name,
        kind=kind,
        format=format,
        settings={"rows": list(rows), "rows_in_file": total, "units": units, **settings},
    )


@contextmanager
def reading(path: Path, format: str) -> Iterator[None]:
    """Turns what a library raises on a damaged file into one sentence."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError as error:
        msg = f"There is no file {str(path)!r}; check the path."
        raise DataError(msg) from error
    except DAMAGE as error:
        reason = str(error).strip().splitlines()
        detail = reason[0][:200] if reason else type(error).__name__
        msg = f"{path.name} cannot be read as {format} ({detail}); the file is damaged, cut short or of another layout."
        raise DataError(msg) from error


@dataclass(frozen=True)
class Place:
    """Where flat values lie in a file, so that a message can name the jet or event of a bad one.

    Attributes:
        path: The file.
        counts: How many of the values each row has, in order; None where each has one.
        first: Number of the first of these rows in the file.
        row: What a row is.
    """

    path: Path
    counts: np.ndarray | None = None
    first: int = 0
    row: str = "jet"

    def first_of(self, bad: np.ndarray) -> str:
        """Returns in words where the first of the `bad` values is, given by their indices."""
        value = int(bad[0])
        row = value if self.counts is None else int(np.searchsorted(np.cumsum(self.counts), value, "right"))
        return f"first: {self.row} {self.first + row}"


def finite(place: Place, columns: Mapping[str, Any]) -> None:
    """Raises DataError that counts the values that are not finite numbers and says where the first is, per column."""
    for name, values in columns.items():
        bad = np.flatnonzero(~np.isfinite(np.asarray(values)))
        if bad.size:
            msg = f"At least {bad.size} values of {name} in {place.path.name} are not finite numbers ({place.first_of(bad)}); repair or drop them."
            raise DataError(msg)


def mass_from_energy(place: Place, energy: np.ndarray, momentum: np.ndarray) -> np.ndarray:
    """Returns sqrt(E^2 - p^2) in GeV; a square that is negative within the rounding of the file's numbers is 0.

    Rounding is a thousandth in energy: float32 keeps 1e-7, text files as little as four digits.

    Raises:
        DataError: an energy is not finite, negative, or below the momentum by more than rounding.
    """
    finite(place, {"energy": energy, "momentum": momentum})
    negative = np.flatnonzero(energy < 0)
    if negative.size:
        msg = f"At least {negative.size} energies in {place.path.name} are negative ({place.first_of(negative)}, {energy[negative[0]]:g} GeV); repair or drop them."
        raise DataError(msg)
    spacelike = np.flatnonzero(momentum > energy * 1.001 + 1e-6)
    if spacelike.size:
        msg = f"At least {spacelike.size} momenta in {place.path.name} exceed their energy by more than rounding ({place.first_of(spacelike)}); are px, py, pz, E in their places?"
        raise DataError(msg)
    return np.sqrt(np.maximum((energy - momentum) * (energy + momentum), 0.0))


def from_cartesian(
    place: Place, px: np.ndarray, py: np.ndarray, pz: np.ndarray, energy: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns pt, eta, phi and mass of flat momenta, in float64 and the unit given; eta is 0 where all is 0.

    Raises:
        DataError: an energy or momentum is not what `mass_from_energy` asks, or a momentum lies along the beam.
    """
    px, py, pz, energy = (np.asarray(x, dtype=np.float64) for x in (px, py, pz, energy))
    pt = np.sqrt(px**2 + py**2)
    along = np.flatnonzero((pt == 0) & (pz != 0))
    if along.size:
        msg = f"At least {along.size} momenta in {place.path.name} lie along the beam ({place.first_of(along)}) and have no finite eta; drop them."
        raise DataError(msg)
    eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pt), where=pt > 0))
    mass = mass_from_energy(place, energy, np.sqrt(pt**2 + pz**2))
    return {"pt": pt, "eta": eta, "phi": np.arctan2(py, px), "mass": mass}


def ragged(counts: np.ndarray, **fields: np.ndarray) -> ak.Array:
    """Returns Momentum4D records of flat fields, cut into lists of `counts`."""
    return ak.unflatten(momenta(**fields), counts)


def list_sums(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns the sum of each list of a flat array cut into lists of `counts`; 0 for an empty list."""
    totals = np.zeros(len(counts))
    starts = np.cumsum(counts) - counts
    filled = counts > 0
    if filled.any():
        totals[filled] = np.add.reduceat(values, starts[filled])
    return totals


def hardest_first(counts: np.ndarray, fields: dict[str, np.ndarray]) -> None:
    """Orders by pt, in place, those lists of flat fields that are not ordered yet; few, in files that order by pt."""
    pt, jet = fields["pt"], np.repeat(np.arange(len(counts)), counts)
    rises = np.flatnonzero((pt[1:] > pt[:-1]) & (jet[1:] == jet[:-1]))
    if rises.size:
        out_of_order = np.flatnonzero(np.bincount(jet[rises], minlength=len(counts))[jet])
        order = out_of_order[np.lexsort((-pt[out_of_order], jet[out_of_order]))]
        for values in fields.values():
            values[out_of_order] = values[order]
