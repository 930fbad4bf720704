"""Distributions by class, brushed together: drag over one and all others follow, click a bin and a jet of it opens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import DoubleTap, SelectionGeometry, Tap
from bokeh.models import BoxAnnotation, BoxSelectTool, Span

from ..data.jets import Jets
from ..physics.distributions import by_class, density
from ..physics.observables import OBSERVABLES, Observable, observables
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import distributions as view
from ..views.palette import NEUTRAL, OKABE_ITO
from .errands import Errands
from .panes import line, pane, picture, row, say

THRESHOLD = OKABE_ITO[5]
SHOWN = ("mass", "sd_mass", "multiplicity", "tau21", "tau32")
SCORE = Observable("score", "score of the network", "", lambda _: np.zeros(0), (50, 0, 1.0000001), "")


class Histogram(pn.viewable.Viewer):
    """One observable by class, its ratio below, its brushed range and what it does not show."""

    def __init__(self, observable: Observable, sample: SampleState, selection: SelectionState) -> None:
        super().__init__()
        self.observable, self.sample, self.selection = observable, sample, selection
        self.sources = view.Sources()
        self.logarithmic = observable is SCORE
        name, label, unit = observable.name, observable.label, observable.unit
        self.figure = view.histogram_figure(self.sources, label, unit, name=name, log=self.logarithmic)
        self.ratio = view.ratio_figure(self.sources, self.figure, label, unit, name=f"{name} ratio")
        self.range = BoxAnnotation(fill_color=NEUTRAL, fill_alpha=0.15, line_color=NEUTRAL, visible=False)
        self.marked = Span(dimension="height", line_color=NEUTRAL, line_width=2, visible=False)
        self.threshold = Span(
            dimension="height", line_color=THRESHOLD, line_width=2, line_dash="dashed", visible=False
        )
        self.check = line(variant="caption")
        brush = BoxSelectTool(dimensions="width")
        self.figure.add_tools(brush)
        self.figure.toolbar.active_drag = brush
        self.figure.add_layout(self.range)
        self.figure.add_layout(self.marked)
        self.figure.add_layout(self.threshold)
        self.figure.on_event(SelectionGeometry, self._on_brush)
        self.figure.on_event(Tap, self._on_tap)
        self.figure.on_event(DoubleTap, lambda _: self.selection.unbrush(name))

    def fill(self) -> None:
        """Draws what is selected by everything but this histogram's own brush."""
        name, jets = self.observable.name, self.sample.jets
        if jets is None:
            return
        shown = self.selection.others(name)
        values = self.sample.column(name)[shown]
        found = by_class(jets.label[shown], values, self.observable.bins, jets.weight[shown])
        densities = {k: density(h) for k, h in found.items() if h.values(flow=True).sum() > 0}
        reference = next(iter(densities), "")
        self.sources.fill(densities, reference)
        if self.logarithmic:
            self.figure.y_range.start, self.figure.y_range.end = view.logarithmic_range(densities)
        self.ratio.yaxis.axis_label = f"/ {reference}"
        say(self.check, self._not_shown(values))
        self.mark()

    def mark(self) -> None:
        """Shows the brushed range and where the open jet lies."""
        name = self.observable.name
        span = self.selection.ranges.get(name)
        self.range.visible = span is not None
        if span is not None:
            self.range.left, self.range.right = span
        current = self.selection.current
        self.marked.visible = current is not None
        if current is not None:
            self.marked.location = float(self.sample.column(name)[current])

    def _not_shown(self, values: np.ndarray) -> str:
        _, low, high = self.observable.bins
        undefined = int(np.isnan(values).sum())
        outside = int(((values < low) | (values >= high)).sum())
        parts = [f"{outside:,} outside the range"] if outside else []
        parts += [f"{undefined:,} undefined"] if undefined else []
        span = self.selection.ranges.get(self.observable.name)
        brushed = f" Brushed {span[0]:.3g} to {span[1]:.3g}; double-click to undo." if span else ""
        cut = (
            f" Dashed: {self.threshold.location:.3f}, where εS first reaches 0.5."
            if self.threshold.visible
            else ""
        )
        return f"{len(values):,} jets{', ' + ', '.join(parts) if parts else ''}.{cut}{brushed}"

    def _on_brush(self, event: SelectionGeometry) -> None:
        low, high = float(event.geometry["x0"]), float(event.geometry["x1"])
        if event.final and high > low:
            self.selection.brush(self.observable.name, low, high)

    def _on_tap(self, event: Tap) -> None:
        bins, low, high = self.observable.bins
        edges = np.linspace(low, high, bins + 1)
        place = int(np.searchsorted(edges, event.x, side="right")) - 1
        if 0 <= place < bins:
            self.selection.pick_in(self.observable.name, edges[place], edges[place + 1])

    def __panel__(self) -> pn.viewable.Viewable:
        label = self.observable.label
        return pane(
            label[0].upper() + label[1:] if label[0].isascii() else label,
            picture(self.figure),
            picture(self.ratio),
            self.check,
            name=self.observable.name,
        )


class Distributions(pn.viewable.Viewer):
    """A histogram per observable; one whose numbers are still being made is not shown yet."""

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        errands: Errands,
        names: Sequence[str] = SHOWN,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.errands = sample, selection, errands
        shown = (*(OBSERVABLES[name] for name in names), SCORE)
        self.histograms = {o.name: Histogram(o, sample, selection) for o in shown}
        self.panes = {name: histogram.__panel__() for name, histogram in self.histograms.items()}
        self.told = line("Choose a sample on the left.", variant="body1")
        for shown_pane in self.panes.values():
            shown_pane.visible = False
        sample.param.watch(self._measure, "jets")
        sample.param.watch(self._refill, "version")
        selection.param.watch(self._refill, ["mask", "ranges"])
        selection.param.watch(self._mark, "current")

    @property
    def ready(self) -> list[str]:
        """Names of the histograms whose numbers are there."""
        known = set(self.sample.known)
        return [name for name in self.histograms if name in known]

    def _measure(self, *events: Any) -> None:
        jets, there = self.sample.jets, self.ready
        missing = [name for name in self.histograms if name in OBSERVABLES and name not in there]
        if jets is not None:
            self.errands.send(
                "measuring the jets", lambda: observables(jets, missing), lambda found: self._add(jets, found)
            )

    def _add(self, jets: Jets, found: dict[str, np.ndarray]) -> None:
        if jets is self.sample.jets:
            self.sample.add(**found)

    def _refill(self, *events: Any) -> None:
        ready = self.ready
        with pn.io.hold():
            for name, histogram in self.histograms.items():
                self.panes[name].visible = name in ready
                if name in ready:
                    histogram.fill()
        empty = self.sample.jets is not None and not self.selection.count
        say(
            self.told,
            "No jet is selected; widen the selection or double-click a brushed histogram." if empty else "",
        )

    def cut(self, at: float | None) -> None:
        """Shows the score at the working point, or nothing."""
        histogram = self.histograms["score"]
        histogram.threshold.visible = at is not None
        if at is not None:
            histogram.threshold.location = at

    def _mark(self, *events: Any) -> None:
        for name in self.ready:
            self.histograms[name].mark()

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.told,
            row(list(self.panes.values()), width=270, most=3),
            sizing_mode="stretch_width",
            margin=0,
        )
