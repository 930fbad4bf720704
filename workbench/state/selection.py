"""The one selection that all panes of a page share."""

import math
from typing import Any

import numpy as np
import param

from ..data.jets import Jets
from ..errors import SelectionError, nearest
from .sample import SampleState


class SelectionState(param.Parameterized):
    """Which jets of the sample are shown, in which order, and which one is open.

    A selection is a formula: the sample's expression, the classes shown and a range per brushed column. `mask` follows
    from it; panes read `mask`, or `others(column)` for the histogram that is itself being brushed.
    """

    sample: SampleState = param.ClassSelector(
        class_=SampleState, allow_None=False, doc="The sample of the page."
    )
    classes: list[str] = param.List(
        [], item_type=str, doc="Names of the classes shown; empty shows all jets."
    )
    ranges: dict[str, tuple[float, float]] = param.Dict(
        {}, doc="Brushed range per column, both ends included."
    )
    by: str = param.String("", doc="Column that orders the jets; empty is the order of the sample.")
    descending: bool = param.Boolean(True, doc="Largest first.")
    current: int | None = param.Integer(None, allow_None=True, doc="Index in the sample of the open jet.")
    mask: np.ndarray = param.Array(np.zeros(0, bool), doc="True for the selected jets, shape (jets,).")
    notice: str = param.String("", doc="One sentence on the last thing that could not be done, else empty.")

    def __init__(self, sample: SampleState, **parameters: Any) -> None:
        self._parts: dict[str, np.ndarray] = {}
        self._shown: np.ndarray | None = None
        self._order: tuple[tuple[str, bool, int], np.ndarray, np.ndarray] | None = None
        super().__init__(sample=sample, **parameters)
        sample.param.watch(self._follow, ["jets", "version", "keep"])
        self._renew()

    def show(self, *classes: str) -> None:
        """Shows only jets of these classes; none given shows all, those of unknown class too.

        Raises:
            SelectionError: the sample has no such class.
        """
        known = self.sample.jets.classes if self.sample.jets is not None else ()
        for name in classes:
            if name not in known:
                msg = f"There is no class {name!r} in this sample; {nearest(name, known)}"
                raise SelectionError(msg)
        wanted = list(dict.fromkeys(classes))
        self._shown = self._of_class(wanted) if wanted else None
        self._update(classes=wanted)

    def brush(self, name: str, low: float, high: float) -> None:
        """Keeps jets with `low <= column <= high`; replaces an earlier range of that column.

        Raises:
            SelectionError: a bound is not a number or they are the wrong way round.
            DataError: there is no such column.
        """
        low, high = float(low), float(high)
        if not low <= high:
            msg = f"The range of {name} goes from {low:g} to {high:g}; give the smaller number first."
            raise SelectionError(msg)
        self._parts = {**self._parts, name: self._within(name, low, high)}
        self._update(ranges={**self.ranges, name: (low, high)})

    def unbrush(self, *names: str) -> None:
        """Takes the ranges of these columns off; none given takes all off."""
        gone = names or tuple(self.ranges)
        self._parts = {name: part for name, part in self._parts.items() if name not in gone}
        self._update(ranges={name: span for name, span in self.ranges.items() if name not in gone})

    def others(self, name: str) -> np.ndarray:
        """Returns the mask without the range of `name`: what that column's own histogram shows, shape (jets,)."""
        return self._without(name) if name in self._parts else self.mask

    def first(self, number: int) -> np.ndarray:
        """Returns the first `number` of `indices`, shape (at most number,), without ordering all jets."""
        chosen = np.flatnonzero(self.mask)
        if not self.by:
            return chosen[:number]
        column = self.sample.column(self.by)[chosen].astype(np.float64)
        column = -column if self.descending else column
        best = np.arange(len(column))
        if len(column) > number:
            last = column[np.argpartition(column, number - 1)[number - 1]]
            before = ~np.isnan(column) if np.isnan(last) else column < last
            equal = np.isnan(column) if np.isnan(last) else column == last
            best = np.concatenate([np.flatnonzero(before), np.flatnonzero(equal)])[:number]
        return chosen[best[np.lexsort((best, column[best]))]]

    @property
    def count(self) -> int:
        """Number of selected jets."""
        return int(np.count_nonzero(self.mask))

    def choose(self, formula: str) -> None:
        """Replaces the whole selection by an expression; classes and ranges are taken off.

        Raises:
            SelectionError: the expression cannot be read, or there is no sample.
        """
        if not self.sample.choose(formula):
            raise SelectionError(self.sample.notice)
        if self.classes or self.ranges:
            self._parts, self._shown = {}, None
            self._update(classes=[], ranges={})

    def jets(self) -> Jets:
        """Returns the selected jets, in the order of the sample.

        Raises:
            SelectionError: there is no sample yet.
        """
        if self.sample.jets is None:
            msg = "There is no sample yet; choose one first."
            raise SelectionError(msg)
        return self.sample.jets[self.mask]

    @property
    def formula(self) -> str:
        """The whole selection as one expression; `workbench.select(jets, formula)` gives the same jets."""
        parts = [f"({self.sample.expression})"] if self.sample.expression else []
        if self.classes:
            parts.append("(" + " | ".join(f'label == "{name}"' for name in self.classes) + ")")
        parts += [_between(name, low, high) for name, (low, high) in self.ranges.items()]
        return " & ".join(parts)

    def order(self, by: str, *, descending: bool = True) -> None:
        """Orders the jets by a column; values that are not numbers come last, equals keep the sample's order.

        Raises:
            DataError: there is no such column.
        """
        if by:
            self.sample.column(by)
        self.param.update(by=by, descending=descending)

    @property
    def indices(self) -> np.ndarray:
        """Indices in the sample of the selected jets, in order, shape (selected,)."""
        order, _ = self._ordering()
        return order[self.mask[order]]

    def pick(self, index: int) -> None:
        """Opens a jet by its index in the sample; it need not be selected.

        Raises:
            SelectionError: there is no such jet.
        """
        if not 0 <= index < len(self.sample):
            msg = f"There is no jet {index}; the sample has {len(self.sample)}, counted from 0."
            raise SelectionError(msg)
        self.param.update(current=int(index), notice="")

    def pick_in(self, name: str, low: float, high: float) -> bool:
        """Opens the first selected jet, in order, with `low <= column < high`: a click on a bin.

        Returns:
            False, with a notice, if the bin holds no selected jet.
        """
        column = self.sample.column(name)
        return self._open(
            self.mask & (column >= low) & (column < high),
            f"No selected jet has {low:g} <= {name} < {high:g}.",
        )

    def pick_nearest(self, name: str, value: float) -> bool:
        """Opens the selected jet whose column is nearest to `value`: the threshold, a clicked point."""
        distance = np.where(self.mask, np.abs(self.sample.column(name) - value), np.nan)
        if np.isnan(distance).all():
            self.notice = f"No selected jet has a {name}."
            return False
        self.pick(int(np.nanargmin(distance)))
        return True

    def step(self, by: int = 1) -> bool:
        """Opens the next (+1) or previous (-1) selected jet in order; without an open jet, the first or last.

        Returns:
            False if there is none further on.
        """
        order, rank = self._ordering()
        selected = self.mask[order]
        place = rank[self.current] if self.current is not None else (-1 if by > 0 else len(order))
        ahead = (
            np.flatnonzero(selected[place + 1 :]) + place + 1
            if by > 0
            else np.flatnonzero(selected[:place])[::-1]
        )
        if len(ahead) < abs(by):
            self.notice = "There is no further jet in this selection."
            return False
        self.pick(int(order[ahead[abs(by) - 1]]))
        return True

    def _open(self, wanted: np.ndarray, otherwise: str) -> bool:
        order, _ = self._ordering()
        first = wanted[order]
        if not first.any():
            self.notice = otherwise
            return False
        self.pick(int(order[np.argmax(first)]))
        return True

    def _within(self, name: str, low: float, high: float) -> np.ndarray:
        column = self.sample.column(name)
        return (column >= low) & (column <= high)

    def _of_class(self, names: list[str]) -> np.ndarray:
        jets = self.sample.jets
        assert jets is not None
        return np.isin(np.asarray(jets.label), [jets.class_index(name) for name in names])

    def _ordering(self) -> tuple[np.ndarray, np.ndarray]:
        key = (self.by, self.descending, self.sample.version)
        if self._order is None or self._order[0] != key:
            order = np.arange(len(self.sample))
            if self.by:
                column = self.sample.column(self.by).astype(np.float64)
                order = np.argsort(-column if self.descending else column, kind="stable")
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            self._order = key, order, rank
        return self._order[1], self._order[2]

    def _follow(self, *events: Any) -> None:
        changed = {event.name for event in events}
        if "jets" in changed:
            self._renew()
        elif "version" in changed:
            self._order = None
            # A column may have gone, and with it what was brushed and ordered by it.
            names = self.sample.names
            ranges = {name: span for name, span in self.ranges.items() if name in names}
            self._parts = {name: self._within(name, *span) for name, span in ranges.items()}
            self._update(ranges=ranges, by=self.by if self.by in names else "")
        else:
            self._update()

    def _renew(self) -> None:
        self._parts, self._shown, self._order = {}, None, None
        self.param.update(classes=[], ranges={}, by="", current=None, notice="", mask=self.sample.keep.copy())

    def _without(self, name: str) -> np.ndarray:
        mask = self.sample.keep.copy()
        if self._shown is not None:
            mask &= self._shown
        for column, part in self._parts.items():
            if column != name:
                mask &= part
        return mask

    def _update(self, **changes: Any) -> None:
        # At once, so that who watches several of them is called once and sees them agree.
        self.param.update(mask=self._without(""), **changes)


def _between(name: str, low: float, high: float) -> str:
    above = f"{low!r} <= " if low > -math.inf else ""
    below = f" <= {high!r}" if high < math.inf else ""
    return f"({above}`{name}`{below})" if above or below else f"(`{name}` == `{name}`)"
