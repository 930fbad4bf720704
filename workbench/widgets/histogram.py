"""One observable by class, brushed by dragging: its ratio below, and what it does not show."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import param

from ..data.jets import Jets
from ..physics.compatibility import Homogeneity, homogeneity
from ..physics.distributions import Points
from ..physics.observables import OBSERVABLES, Observable
from ..state.binned import ALL, Binned, Sums
from ..state.comparison import ComparisonState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import distributions as view
from ..views.frame import axis_label
from .code import lines
from .drawing import Drawing, drawn_by
from .menu import Menu
from .panes import line, pane, say
from .pulse import Pulse

SCORE = Observable("score", "score of the network", "", lambda _: np.zeros(0), (50, 0, 1.0000001), "")
Bins = tuple[int, float, float]


class Side:
    """One column of one sample, in bins that are made once per column and binning."""

    def __init__(self) -> None:
        self._of: tuple[Any, ...] = ()
        self._binned: Binned | None = None

    def sums(self, jets: Jets, values: np.ndarray, bins: Bins, keep: np.ndarray | slice) -> Sums:
        """Returns the histograms of the jets that `keep` names."""
        # The column itself is part of the key, so that another one cannot come to lie where it lay.
        if not self._of or self._of[0] is not jets or self._of[1] is not values or self._of[2] != bins:
            number, low, high = bins
            edges = np.linspace(low, high, number + 1)
            self._binned = Binned(
                values, edges, np.asarray(jets.label), jets.classes, np.asarray(jets.weight)
            )
            self._of = jets, values, bins
        assert self._binned is not None
        return self._binned.whole if isinstance(keep, slice) else self._binned.sums(keep)


def column_lines(name: str) -> tuple[str, ...]:
    """Returns the line of Python that gives a column of the sample."""
    return (f"values = jets.columns[{name!r}]",)


class Staircases(Drawing):
    """The picture of a `Histogram`: `views.distributions.drawing`, "x", "y" and "unit"; what a hand does on it is told as "kind" with its numbers in units of the observable.

    Kinds: "brush" ("low", "high", "final": the hand has let go), "tap" ("at"), "threshold" ("at"), "undo".
    """

    drawn: dict[str, Any] = param.Dict(
        {}, doc="See `views.distributions.drawing`; with the labels of the axes."
    )
    marks: dict[str, Any] = param.Dict(
        {},
        doc='What is marked: the brushed "span", the open jet "marked", the "threshold"; each may be None.',
    )
    told = param.Callable(None, allow_None=True, doc="Called with what the hand does.")

    _esm = drawn_by("histogram.js")
    _rename = {"told": None}
    _shown = ("text", "marks")

    def _handle_msg(self, message: Any) -> None:
        if self.told is not None:
            self.told(message)


class Histogram(pn.viewable.Viewer):
    """One observable by class, its ratio below, its brushed range and what it does not show."""

    def __init__(
        self,
        observable: Observable,
        sample: SampleState,
        selection: SelectionState,
        comparison: ComparisonState,
        pulse: Pulse,
    ) -> None:
        super().__init__()
        self.observable, self.sample, self.selection = observable, sample, selection
        self.comparison, self.pulse = comparison, pulse
        self.bins: Bins = observable.bins
        self.logarithmic = observable is SCORE
        self.hides = False
        self.moved: Callable[[float], None] | None = None
        self.giving: Callable[[str], Sequence[str]] = column_lines
        self.difference: Homogeneity | None = None
        self.densities: dict[str, Points] = {}
        self.second: dict[str, Points] = {}
        self._whole: Points | None = None
        self.check = line(variant="caption")
        self.picture = Staircases(told=self._on_hand)
        self._first, self._second = Side(), Side()
        self._told, self._by_hand = "", False
        self._pending: tuple[float, float] | None = None
        self._cut: float | None = None
        self._dragged: float | None = None

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Draws the densities on a logarithmic or a linear axis."""
        if logarithmic != self.logarithmic:
            self.logarithmic = logarithmic
            if self.picture.drawn:
                self._draw()

    def rebin(self, bins: Bins) -> None:
        """Takes other bins; the next `fill` draws them."""
        self.bins = bins

    def fill(self, shared: np.ndarray | slice, hides: bool = False) -> None:
        """Draws what is selected by everything but this histogram's own brush; `shared` is what is selected by all."""
        name, jets = self.observable.name, self.sample.jets
        if jets is None:
            return
        self.hides = hides
        keep = np.flatnonzero(self.selection.others(name)) if name in self.selection.ranges else shared
        sums = self._first.sums(jets, self.sample.column(name), self.bins, keep)
        assert self._first._binned is not None
        self.densities = _drawn(sums, self._first._binned.whole, hides)
        beside = self._beside()
        self.second = _drawn(beside, beside, hides) if beside is not None else {}
        self.difference = self._differs(sums, beside) if beside is not None else None
        self._whole = sums.merged().densities().get(ALL)
        self._draw()
        self._told = _not_shown(sums)
        self.mark()

    def mark(self) -> None:
        """Shows the brushed range and where the open jet lies, and says what is not shown."""
        name, current = self.observable.name, self.selection.current
        span = self.selection.ranges.get(name)
        at = float(self.sample.column(name)[current]) if current is not None else np.nan
        self.picture.marks = {
            "span": None if span is None else self._within(span),
            "marked": at if np.isfinite(at) else None,
            "threshold": self._cut,
        }
        say(self.check, self._sentence())

    def cut(self, at: float | None) -> None:
        """Shows the score at the working point, or nothing."""
        if at is None or at != self._cut:
            self._by_hand = False
        self._cut = at
        self.picture.marks = {**self.picture.marks, "threshold": at}

    def beat(self) -> None:
        """Takes up the newest place of a brush or threshold that is being dragged."""
        if self._pending is not None and self.pulse.ready:
            self._brush(*self._pending)
        at, self._dragged = self._dragged, None
        if self.moved is not None and at is not None and at != self._cut:
            self._cut, self._by_hand = at, True
            self.moved(at)

    @property
    def table(self) -> pd.DataFrame:
        """The numbers that are drawn: one row per class and bin, of both samples."""
        o = self.observable
        per = f"density [1/{o.unit}]" if o.unit else "density"
        parts = []
        for sample, densities in (("first", self.densities), ("second", self.second)):
            for name, points in densities.items():
                columns = {
                    axis_label(f"{o.name} from", o.unit): points.edges[:-1],
                    axis_label(f"{o.name} to", o.unit): points.edges[1:],
                    per: points.value,
                    per.replace("density", "error"): points.error,
                }
                parts.append(pd.DataFrame({"sample": sample, "class": name, **columns}))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @property
    def code(self) -> str:
        """The lines of Python that draw this histogram."""
        o = self.observable
        before: list[str] = []
        if o.name in OBSERVABLES:
            values = f'values = wb.physics.observables.observables(jets, ["{o.name}"])["{o.name}"]'
        elif self.sample.jets is not None and o.name in self.sample.jets.columns:
            (values,) = column_lines(o.name)
        else:
            *before, values = self.giving(o.name)
        return lines(
            self.sample,
            self.selection,
            "from bokeh.plotting import figure, show",
            *before,
            values,
            f"found = wb.physics.distributions.by_class(jets.label, values, {self.bins!r}, jets.weight)",
            f"plot = figure(x_axis_label={axis_label(o.label, o.unit)!r}, y_axis_label='density')",
            "for name, histogram in found.items():",
            "    points = wb.physics.distributions.density(histogram)",
            "    plot.step(points.edges[:-1], points.value, mode='after', legend_label=name)",
            "show(plot)",
        )

    def _beside(self) -> Sums | None:
        reference, name = self.comparison.reference, self.observable.name
        if reference is None or reference.jets is None or name not in reference.known:
            return None
        mask = self.comparison.others(name)
        keep = slice(None) if mask.all() else np.flatnonzero(mask)
        return self._second.sums(reference.jets, reference.column(name), self.bins, keep)

    def _differs(self, first: Sums, second: Sums) -> Homogeneity:
        chi2, ndf = 0.0, 0
        if self.comparison.unlabelled:
            first, second = first.merged(), second.merged()
        for mine, other in self.comparison.pairs.items():
            if mine in first.classes and other in second.classes:
                found = homogeneity(*first.of(mine), *second.of(other))
                chi2, ndf = chi2 + found.chi2, ndf + found.ndf
        return Homogeneity.of(chi2, ndf)

    def _draw(self) -> None:
        o = self.observable
        reference = next((n for n, points in self.densities.items() if points.value.any()), "")
        jets = self.comparison.reference.jets if self.comparison.reference is not None else None
        measured = jets is not None and jets.origin.kind == "data"
        self.picture.drawn = {
            **view.drawing(
                self.densities,
                reference,
                self.second,
                measured=measured,
                whole=self._whole,
                logarithmic=self.logarithmic,
                bins=self.bins,
            ),
            "x": axis_label(o.label, o.unit),
            "y": f"density [1/{o.unit}]" if o.unit and o.unit != "1" else "density",
            "unit": o.unit if o.unit != "1" else "",
        }

    def _within(self, span: tuple[float, float]) -> list[float]:
        """Returns a brushed range as far as the axis reaches: what is sent has to be finite."""
        _, low, high = self.bins
        return [float(np.clip(end, low, high)) for end in span]

    def _sentence(self) -> str:
        rule = "set by hand" if self._by_hand else "where εS first reaches 0.5"
        cut = f" Dashed: {self._cut:.3f}, {rule}." if self._cut is not None else ""
        span = self.selection.ranges.get(self.observable.name)
        brushed = f" Brushed {span[0]:.3g} to {span[1]:.3g}; double-click to undo." if span else ""
        return f"{self._told}{self._compared()}{cut}{brushed}"

    def _compared(self) -> str:
        if self.difference is None:
            missing = self.comparison.reference is not None
            return " The second sample does not have it yet." if missing else ""
        found = self.difference
        if not found.ndf:
            return " Second sample: nothing to compare."
        text = f" Second sample: χ²/ndf = {found.chi2:.1f}/{found.ndf}, p = {found.p:.2g}"
        apart = self.comparison.found.get(self.observable.name)
        return f"{text}; KS distance {apart.distance:.3f}." if apart and apart.distance >= 0 else f"{text}."

    def _on_hand(self, done: dict[str, Any]) -> None:
        """Does what the hand does; a brush that is being dragged is taken up when the browser has drawn the one before."""
        match done:
            case {"kind": "brush", "low": low, "high": high, "final": final} if high > low:
                if final or self.pulse.ready:
                    self._brush(float(low), float(high))
                else:
                    self._pending = float(low), float(high)
            case {"kind": "tap", "at": at}:
                self._open_one(float(at))
            case {"kind": "threshold", "at": at}:
                self._dragged = float(at)
            case {"kind": "undo"}:
                self.selection.unbrush(self.observable.name)

    def _brush(self, low: float, high: float) -> None:
        self._pending = None
        with pn.io.hold():
            self.pulse.ask()
            self.selection.brush(self.observable.name, low, high)

    def _open_one(self, at: float) -> None:
        """Opens a jet of the bin that holds this value."""
        bins, low, high = self.bins
        edges = np.linspace(low, high, bins + 1)
        place = int(np.searchsorted(edges, at, side="right")) - 1
        if 0 <= place < bins:
            with pn.io.hold():
                self.selection.pick_in(self.observable.name, edges[place], edges[place + 1])

    def __panel__(self) -> pn.viewable.Viewable:
        o = self.observable
        menu = Menu(
            o.name,
            figure=lambda: self.picture if self.picture.drawn else None,
            data=lambda: self.table,
            code=lambda: self.code,
            sample=self.sample,
        )
        label = o.label
        title = label[0].upper() + label[1:] if label[0].isascii() else label
        return pane(title, self.picture, name=o.name, menu=menu, check=self.check)


def _drawn(sums: Sums, whole: Sums, hides: bool) -> dict[str, Points]:
    """Returns the densities of every class the sample has, so that colours stay; one for all jets while truth is hidden."""
    if hides:
        return sums.merged().densities()
    found, nothing = sums.densities(), np.zeros(len(sums.edges) - 1)
    return {name: found.get(name, Points(sums.edges, nothing, nothing)) for name in whole.densities()}


def _not_shown(sums: Sums) -> str:
    count = sums.count.sum(axis=0).astype(int)
    outside, undefined = count[0] + count[-2], count[-1]
    parts = [f"{outside:,} outside the range"] if outside else []
    parts += [f"{undefined:,} undefined"] if undefined else []
    return f"{count.sum():,} jets{', ' + ', '.join(parts) if parts else ''}."
