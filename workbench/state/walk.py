"""Going through the events of a file, or the jets of a sample, in an order that pays."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import param

from ..data.events import Events
from ..data.formats import recognise
from ..data.jets import Jets
from ..errors import DataError
from ..progress import Never, Report, Stop, silent
from .reading import Wanted, read_rows, sentence_of, source_of

AS_GIVEN, MET, MANY, HARD = "as given", "missing pT", "number of particles", "leading jet pT"
ORDERS = (AS_GIVEN, MET, MANY, HARD)
MOST = 1000
"""Events or jets that are read at once."""


@dataclass(frozen=True)
class Shown:
    """What came out of a file.

    Attributes:
        sample: Events where it has them, else jets.
        format: Name of the file's format.
        sentence: What was read of how much, for the user.
        source: Python expression that gives the sample again; empty if there is none.
    """

    sample: Events | Jets
    format: str
    sentence: str
    source: str = ""


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
    called = name or path.name
    some = replace(wanted, stop=min(wanted.stop, wanted.start + MOST))
    try:
        known = recognise(path).name
        sample, total, stopped = read_rows(path, known, some, report, stop or Never())
    except DataError as error:
        raise DataError(str(error).replace(path.name, called)) from error
    if not len(sample):
        msg = f"{called} holds no event; choose a file with events or jets."
        raise DataError(msg)
    what, last = "events" if isinstance(sample, Events) else "jets", wanted.start + len(sample)
    sentence = sentence_of(wanted.start, last, what, total, stopped)
    if len(sample) == MOST and total != MOST:
        sentence += f" At most {MOST:,} are shown at once; choose another first row to see others."
    source = source_of(written, some, last, as_jets=False) if written else ""
    return Shown(sample, known, sentence, source)


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
