"""Going through the events of a file, or the jets of a sample, in an order that pays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import param

from ..data.events import Events
from ..data.formats import recognise
from ..data.jets import Jets
from ..data.showers import Showers
from ..errors import DataError
from ..loading import load
from ..progress import Report, Stop, silent
from .reading import Wanted

AS_GIVEN, MET, MANY, HARD = "as given", "missing pT", "number of particles", "leading jet pT"
ORDERS = (AS_GIVEN, MET, MANY, HARD)
MOST = 1000
"""Events or jets that are read at once."""


@dataclass(frozen=True)
class Shown:
    """What came out of a file: events where it has them, else jets; its format; a sentence for the user."""

    sample: Events | Jets
    format: str
    sentence: str


def open_shown(
    path: Path,
    wanted: Wanted,
    *,
    name: str = "",
    written: str = "",
    report: Report = silent,
    stop: Stop | None = None,
) -> Shown:
    """Returns the events or jets of a file, at most `MOST` from the first row wanted on; arguments as of `open_file`.

    Raises:
        DataError: unknown format, damaged file, nothing in it, or showers, which have no place in a display.
    """
    try:
        end = min(wanted.stop, wanted.start + MOST)
        sample = load(path, start=wanted.start, stop=end, units=wanted.units)
    except DataError as error:
        raise DataError(str(error).replace(path.name, name or path.name)) from error
    if isinstance(sample, Showers) or not len(sample):
        found = "calorimeter showers" if isinstance(sample, Showers) else "no event"
        msg = f"{name or path.name} holds {found}; choose a file with events or jets."
        raise DataError(msg)
    what = "events" if isinstance(sample, Events) else "jets"
    sentence = f"{len(sample):,} {what}, from row {wanted.start:,} on."
    if len(sample) == MOST:
        sentence += f" At most {MOST:,} are shown at once; choose another first row to see others."
    return Shown(sample, recognise(path).name, sentence)


class Walk(param.Parameterized):
    """The sample of a display, its order, and where one is in it."""

    sample: Events | Jets | None = param.ClassSelector(
        class_=(Events, Jets), default=None, allow_None=True, doc="Events or jets."
    )
    by: str = param.Selector(default=AS_GIVEN, objects=list(ORDERS), doc="Order, largest first.")
    position: int = param.Integer(0, bounds=(0, None), doc="Index in the sample of what is shown.")

    def __init__(self, **parameters: Any) -> None:
        self._order = np.zeros(0, dtype=int)
        super().__init__(**parameters)
        self._sort()

    @property
    def known(self) -> list[str]:
        """The orders that this sample can be put in."""
        return [AS_GIVEN, *(name for name in ORDERS[1:] if measure(self.sample, name) is not None)]

    def take(self, sample: Events | Jets, position: int = 0) -> None:
        """Begins with another sample, at most at its last event."""
        self.param.update(sample=sample, by=AS_GIVEN, position=min(position, len(sample) - 1))

    def step(self, by: int) -> None:
        """Goes on in the order; the last is followed by the first."""
        if len(self._order):
            place = int(np.flatnonzero(self._order == self.position)[0])
            self.position = int(self._order[(place + by) % len(self._order)])

    def go(self, index: int) -> None:
        """Goes to an index, at most to the last.

        Raises:
            DataError: there is nothing to go to.
        """
        if not len(self._order):
            msg = "There is no event to go to; choose a file first."
            raise DataError(msg)
        self.position = min(max(index, 0), len(self._order) - 1)

    @param.depends("sample", "by", watch=True)
    def _sort(self) -> None:
        values = measure(self.sample, self.by)
        n = len(self.sample) if self.sample is not None else 0
        self._order = np.arange(n) if values is None else np.argsort(-values, kind="stable")


def measure(sample: Events | Jets | None, name: str) -> np.ndarray | None:
    """Returns what an order goes by, one number per event or jet; None where the sample does not have it."""
    if sample is None or name not in ORDERS[1:]:
        return None
    if isinstance(sample, Jets):
        found = {MET: None, MANY: sample.counts, HARD: sample.p4.pt}[name]
        return None if found is None else np.asarray(found, dtype=float)
    given = sample.collections
    if name == MET:
        return np.asarray(given["met"]["pt"], dtype=float) if "met" in given else None
    if name == MANY:
        pool = next((x for x in ("tracks", "particles") if x in given), None)
        return None if pool is None else np.asarray(ak.num(given[pool]), dtype=float)
    jets = next((x for x in ("jets", "fat_jets") if x in given), None)
    if jets is None:
        return None
    return np.asarray(ak.fill_none(ak.max(given[jets].pt, axis=1), 0.0), dtype=float)
