"""A second sample beside the first: seen through the same selection, compared observable by observable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import param

from ..data.jets import Jets
from ..errors import WorkbenchError
from ..physics.compatibility import Separation, separation
from ..physics.distributions import UNLABELLED
from .binned import ALL
from .sample import SampleState
from .selection import SelectionState


@dataclass(frozen=True)
class Column:
    """One column of the selected jets of one sample, per class and for all: values and weights."""

    classes: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, jets: Jets, values: np.ndarray, keep: np.ndarray) -> "Column":
        """Takes the values of the jets that `keep` names by mask."""
        label, weight = np.asarray(jets.label), np.asarray(jets.weight)
        named = [*enumerate(jets.classes), (-1, UNLABELLED)]
        masks = {name: keep & (label == index) for index, name in named}
        masks[ALL] = keep
        return cls({name: (values[mask], weight[mask]) for name, mask in masks.items() if mask.any()})


FIRST, SECOND = "first sample", "second sample"
"""What one walks through: whose jets are listed, and opened in the event display."""


@dataclass(frozen=True)
class Mean:
    """Weighted mean of one column.

    Attributes:
        value: The mean; nan of no jets.
        error: Its standard error, sqrt(Σ w² (x - mean)²) / Σ w.
        jets: Number of jets with a value.
    """

    value: float
    error: float
    jets: int

    @classmethod
    def of(cls, values: np.ndarray, weight: np.ndarray) -> "Mean":
        """Returns the mean of the values that are numbers."""
        known = np.isfinite(values)
        x, w = np.asarray(values, float)[known], np.asarray(weight, float)[known]
        if not w.sum() > 0:
            return cls(np.nan, np.nan, len(x))
        mean = float(np.sum(w * x) / w.sum())
        return cls(mean, float(np.sqrt(np.sum((w * (x - mean)) ** 2)) / w.sum()), len(x))


@dataclass(frozen=True)
class Difference:
    """How far one observable of the two samples lies apart, per class that both have.

    Attributes:
        classes: The two whole distributions against each other.
        means: The mean in the first and in the second sample.
    """

    classes: Mapping[str, Separation]
    means: Mapping[str, tuple[Mean, Mean]] = field(default_factory=dict)

    def shift(self, name: str) -> float:
        """Returns first minus second mean of a class in standard errors of the difference; nan where it is not known."""
        first, second = self.means[name]
        error = float(np.hypot(first.error, second.error))
        return (first.value - second.value) / error if error > 0 else np.nan

    @property
    def distance(self) -> float:
        """The largest distance of a class; -1 where no class is in both."""
        return max((s.distance for s in self.classes.values() if not np.isnan(s.distance)), default=-1.0)

    @property
    def p(self) -> float:
        """The smallest probability of a class times the number of classes, at most 1; nan where there is none."""
        found = [s.p for s in self.classes.values() if not np.isnan(s.p)]
        return min(1.0, min(found) * len(found)) if found else np.nan


def differences(
    first: Mapping[str, Column], second: Mapping[str, Column], pairs: Mapping[str, str]
) -> dict[str, Difference]:
    """Returns the difference of every column that both have; `pairs` says which class of the second each class meets."""
    return {name: _difference(first[name], second[name], pairs) for name in first if name in second}


def _difference(first: Column, second: Column, pairs: Mapping[str, str]) -> Difference:
    both = {a: b for a, b in pairs.items() if a in first.classes and b in second.classes}
    return Difference(
        {a: separation(*_of(first, a, second, b)) for a, b in both.items()},
        {a: (Mean.of(*first.classes[a]), Mean.of(*second.classes[b])) for a, b in both.items()},
    )


def _of(first: Column, mine: str, second: Column, other: str) -> tuple[np.ndarray, ...]:
    (a, wa), (b, wb) = first.classes[mine], second.classes[other]
    return a, b, wa, wb


class ComparisonState(param.Parameterized):
    """The second sample of a page, or none; its selection is kept equal to that of the first.

    Expression, classes and brushed ranges are those of the first. What the second sample does not have (a class, a
    column that is not made yet) is left out and said in `notice`. Order and open jet are its own: `walking` says whose
    jets are listed and opened one by one.
    """

    selection: SelectionState = param.ClassSelector(
        class_=SelectionState, allow_None=False, doc="Of the first sample."
    )
    reference: SampleState | None = param.ClassSelector(
        class_=SampleState, allow_None=True, doc="The second sample."
    )
    beside: SelectionState | None = param.ClassSelector(
        class_=SelectionState, allow_None=True, doc="The same selection of the second sample."
    )
    found: dict[str, Difference] = param.Dict({}, doc="Difference per observable, of the selected jets.")
    notice: str = param.String("", doc="What of the selection the second sample cannot follow, and why.")
    walking: str = param.Selector(
        default=FIRST, objects=[FIRST, SECOND], doc="Whose jets are walked through."
    )
    current: int | None = param.Integer(None, allow_None=True, doc="Index of the second sample's open jet.")

    def __init__(self, selection: SelectionState, **parameters: Any) -> None:
        super().__init__(selection=selection, **parameters)
        selection.param.watch(self._follow, "mask")

    def take(self, jets: Jets, name: str = "", source: str = "", *, id: str = "") -> None:
        """Shows these jets beside the first sample; replaces an earlier second sample."""
        sample = SampleState()
        sample.take(jets, name, source, id=id)
        beside = SelectionState(sample)
        self.param.update(reference=sample, beside=beside, found={}, notice="", walking=FIRST, current=None)
        sample.param.watch(self._follow, "version")
        beside.param.watch(lambda event: self._opened(beside), "current")
        self._follow()

    def clear(self) -> None:
        """Takes the second sample away."""
        self.param.update(reference=None, beside=None, found={}, notice="", walking=FIRST, current=None)

    @property
    def walked(self) -> SelectionState:
        """The selection whose jets are listed and opened one by one."""
        return self.beside if self.walking == SECOND and self.beside is not None else self.selection

    @property
    def pairs(self) -> dict[str, str]:
        """Which class of the second sample each class of the first is compared with, for the classes that are shown.

        Classes of one name; where the second sample has no classes at all (data), all jets with all jets.
        """
        first, second = self.selection.sample.jets, self._jets
        if first is None or second is None:
            return {}
        shown = self.selection.classes or [*first.classes, UNLABELLED]
        if self.unlabelled:
            return {ALL: ALL}
        return {name: name for name in shown if name in second.classes or name == UNLABELLED}

    @property
    def unlabelled(self) -> bool:
        """True if no jet of the second sample has a class, as in data."""
        return self._jets is not None and not bool(np.any(np.asarray(self._jets.label) >= 0))

    def others(self, name: str) -> np.ndarray:
        """Returns which jets of the second sample the histogram of `name` shows, shape (jets of the second,)."""
        return self.beside.others(name) if self.beside is not None else np.zeros(0, bool)

    def order(self, names: Iterable[str]) -> list[str]:
        """Returns the observables with the largest difference first; those without keep their place at the end."""
        return sorted(names, key=lambda n: -self.found[n].distance if n in self.found else 2.0)

    def _opened(self, beside: SelectionState) -> None:
        if beside is self.beside:
            self.current = beside.current

    @property
    def _jets(self) -> Jets | None:
        return self.reference.jets if self.reference is not None else None

    def _follow(self, *events: Any) -> None:
        reference, beside = self.reference, self.beside
        if reference is None or beside is None or reference.jets is None:
            return
        notices = []
        expression = self.selection.sample.expression
        # One that cannot be read is tried again each time: a column that it needs may have been made meanwhile.
        if expression != reference.expression and not reference.choose(expression):
            notices.append(reference.notice)
            if reference.expression:
                reference.choose("")
        wanted = [] if self.unlabelled else self.selection.classes
        missing = [name for name in wanted if name not in reference.jets.classes]
        notices += [f"It has no class {name}." for name in missing]
        beside.show(*(name for name in wanted if name not in missing))
        notices += self._follow_ranges(reference, beside)
        self.notice = " ".join(["The second sample:", *notices]) if notices else ""
        self.param.trigger("beside")

    def _follow_ranges(self, reference: SampleState, beside: SelectionState) -> list[str]:
        """Brushes the second sample as the first and returns what it cannot follow."""
        ranges, notices = self.selection.ranges, []
        gone = [name for name in beside.ranges if name not in ranges]
        if gone:
            beside.unbrush(*gone)
        for name, span in ranges.items():
            if name not in reference.known:
                notices.append(f"It has no {name} yet; its range is not applied.")
            elif beside.ranges.get(name) != span:
                try:
                    beside.brush(name, *span)
                except WorkbenchError as error:
                    notices.append(str(error))
        return notices
