"""Distributions by class, brushed together: drag over one and all others follow, click a bin and a jet of it opens."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from ..physics.observables import OBSERVABLES, Observable, observables
from ..state.comparison import Column, ComparisonState, Difference, differences
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..state.teaching import Teaching
from .binning import Binning
from .errands import Errands
from .histogram import SCORE, Histogram, column_lines
from .panes import fold, line, row, say
from .pulse import Pulse
from .sample_comparison import SampleComparison
from .selection_bar import SelectionBar

SHOWN = ("mass", "sd_mass", "multiplicity", "tau21", "tau32", "score")
NEVER = ("margin", "event_index", "unusual")
"""Columns that nobody wants a histogram of."""
COMPARING = "comparing the samples"
MEASURING = "measuring the jets"
MEASURING_SECOND = "measuring the second sample"


class Distributions(pn.viewable.Viewer):
    """A histogram per observable; one whose numbers are still being made is not shown yet."""

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        errands: Errands,
        names: Sequence[str] = SHOWN,
        *,
        comparison: ComparisonState | None = None,
        teaching: Teaching | None = None,
        giving: Callable[[str], Sequence[str]] = column_lines,
        **parameters: Any,
    ) -> None:
        """Takes, besides the states, what gives the lines of Python for a column that a tagger gave."""
        super().__init__(**parameters)
        self.giving = giving
        self.sample, self.selection, self.errands = sample, selection, errands
        self.comparison = comparison or ComparisonState(selection)
        self.teaching = teaching or Teaching()
        self.moved: Callable[[float], None] | None = None
        self.histograms: dict[str, Histogram] = {}
        self.panes: dict[str, Any] = {}
        self.bar, self.pulse = SelectionBar(sample, selection, self.teaching), Pulse()
        self.pulse.param.watch(self._go_on, "drawn")
        self.told, self.beside = line("Choose a sample on the left.", variant="body1"), line(variant="body2")
        self.shown = pmui.MultiChoice(
            label="Distributions", options=list(OBSERVABLES), value=[], sizing_mode="stretch_width"
        )
        self.logarithmic = pmui.Switch(label="Logarithmic axes", value=False)
        self.by_difference = pmui.Switch(label="Largest difference first", value=False, disabled=True)
        self.binning = Binning(selection, self._bin)
        self.grid = row([], width=270, most=3)
        self.numbers = SampleComparison(sample, self.comparison, lambda: self.ready)
        self.shown.options = self._options()
        self.shown.value = [name for name in names if name in self.shown.options]
        self._arrange()
        self._watch()

    def _watch(self) -> None:
        self.shown.param.watch(self._choose, "value")
        self.logarithmic.param.watch(self._set_scale, "value")
        self.by_difference.param.watch(self._arrange, "value")
        self.sample.param.watch(self._on_sample, "jets")
        self.sample.param.watch(self._refill, "version")
        self.selection.param.watch(self._on_selection, ["mask", "ranges"])
        self.selection.param.watch(self._on_open, "current")
        self.comparison.param.watch(self._on_second, "reference")
        self.comparison.param.watch(self._on_beside, ["beside", "notice"])
        self.comparison.param.watch(self._on_found, "found")
        self.teaching.param.watch(self._refill, ["on", "revealed"])

    @property
    def ready(self) -> list[str]:
        """Names of the histograms whose numbers are there."""
        known = set(self.sample.known)
        return [name for name in self.shown.value if name in self.histograms and name in known]

    def cut(self, at: float | None) -> None:
        """Shows the score at the working point, or nothing."""
        if "score" in self.histograms:
            self.histograms["score"].cut(at)

    def beat(self) -> None:
        """Follows a brush or threshold that is being dragged; called by the page's timer."""
        self.pulse.beat()
        for name in self.ready:
            self.histograms[name].beat()

    def _go_on(self, *events: Any) -> None:
        """Follows a brush as soon as the browser has drawn where it was."""
        self.beat()

    def _options(self) -> list[str]:
        names = [name for name in self.sample.names if name not in NEVER]
        return [*dict.fromkeys([*OBSERVABLES, "score", "loss", *names])]

    def _histogram(self, name: str) -> Histogram:
        if name not in self.histograms:
            observable = OBSERVABLES.get(name) or (SCORE if name == "score" else self._observable(name))
            made = Histogram(observable, self.sample, self.selection, self.comparison, self.pulse)
            made.set_logarithmic(self.logarithmic.value or observable is SCORE)
            made.giving = self.giving
            made.moved = lambda at: self.moved(at) if self.moved is not None else None
            self.histograms[name], self.panes[name] = made, made.__panel__()
            self.panes[name].visible = False
        return self.histograms[name]

    def _observable(self, name: str) -> Observable:
        """Returns a column of the sample as an observable; its range is that of nearly all of its values."""
        values = self.sample.column(name) if name in self.sample.known else np.zeros(0)
        return Observable(name, name, "", lambda _: values, usual_range(values), "")

    def _arrange(self, *events: Any) -> None:
        names = [name for name in self.shown.value if name]
        if self.by_difference.value:
            names = self.comparison.order(names)
        for name in names:
            self._histogram(name)
        self.grid.objects = [self.panes[name] for name in names]
        self.binning.offer([self.histograms[name] for name in names])

    def _choose(self, *events: Any) -> None:
        self._arrange()
        self._measure()
        self._refill()

    def _set_scale(self, *events: Any) -> None:
        for histogram in self.histograms.values():
            histogram.set_logarithmic(self.logarithmic.value or histogram.observable is SCORE)

    def _bin(self, histogram: Histogram) -> None:
        if histogram.observable.name in self.ready:
            histogram.fill(self._kept(), self.teaching.hides)

    def _on_sample(self, *events: Any) -> None:
        options = self._options()
        gone = [name for name in self.histograms if name not in OBSERVABLES and name != "score"]
        for name in gone:
            del self.histograms[name], self.panes[name]
        self.shown.options = options
        self.shown.value = [name for name in self.shown.value if name in options]
        self._arrange()
        self._measure()

    def _measure(self, *events: Any) -> None:
        """Sends for the observables that are shown and not at hand, of both samples."""
        for kind, sample in ((MEASURING, self.sample), (MEASURING_SECOND, self.comparison.reference)):
            if sample is None or sample.jets is None:
                continue
            known = set(sample.known)
            missing = [name for name in self.shown.value if name in OBSERVABLES and name not in known]
            if missing:
                self._send(kind, sample, sample.jets, missing)
        self._compare()

    def _send(self, kind: str, sample: SampleState, jets: Jets, names: list[str]) -> None:
        def take(found: dict[str, np.ndarray]) -> None:
            if jets is sample.jets:
                sample.add(**found)
                self._compare()

        self.errands.send(kind, lambda: observables(jets, names), take)

    def _kept(self) -> np.ndarray | slice:
        mask = self.selection.mask
        return slice(None) if mask.all() else np.flatnonzero(mask)

    def _refill(self, *events: Any) -> None:
        jets = self.sample.jets
        if jets is None or len(self.selection.mask) != len(jets):
            return
        ready, kept = set(self.ready), self._kept()
        with pn.io.hold():
            for name in self.shown.value:
                self.panes[name].visible = name in ready
                if name in ready:
                    self.histograms[name].fill(kept, self.teaching.hides)
        empty = not self.selection.count
        say(
            self.told,
            "No jet is selected; widen the selection or double-click a brushed histogram." if empty else "",
        )

    def _on_selection(self, *events: Any) -> None:
        # A second sample follows the selection first, and what it triggers then refills all.
        if self.comparison.reference is None:
            self._refill()

    def _on_second(self, *events: Any) -> None:
        there = self.comparison.reference is not None
        self.by_difference.param.update(disabled=not there, value=self.by_difference.value and there)
        self._measure()

    def _on_beside(self, *events: Any) -> None:
        say(self.beside, self._second())
        self._refill()
        self._compare()

    def _on_found(self, *events: Any) -> None:
        if self.by_difference.value:
            self._arrange()
        self._mark()
        say(self.beside, self._second())

    def _second(self) -> str:
        """What stands beside the first sample, how much of it is selected, and where it differs most."""
        reference, beside = self.comparison.reference, self.comparison.beside
        if reference is None or reference.jets is None or beside is None:
            return ""
        kind = reference.jets.origin.kind
        drawn = "points" if kind == "data" else "dashed"
        text = f"Second sample ({drawn}): {reference.name}, {beside.count:,} of {len(reference):,} jets selected."
        found = {n: d for n, d in self.comparison.found.items() if d.distance >= 0}
        if found:
            most = max(found, key=lambda name: found[name].distance)
            text += f" It differs most in {most}: {_apart(found[most])}"
        return f"{text} {self.comparison.notice}".strip()

    def _compare(self) -> None:
        """Sends for the distance of every observable that both samples have, of the jets selected now."""
        reference, beside, jets = self.comparison.reference, self.comparison.beside, self.sample.jets
        if reference is None or beside is None or reference.jets is None or jets is None:
            return
        second, pairs = reference.jets, self.comparison.pairs
        names = [name for name in self.ready if name in reference.known]
        mine = {name: (self.sample.column(name), self.selection.others(name)) for name in names}
        others = {name: (reference.column(name), self.comparison.others(name)) for name in names}

        def work() -> dict[str, Difference]:
            first = {name: Column.of(jets, *of) for name, of in mine.items()}
            return differences(first, {name: Column.of(second, *of) for name, of in others.items()}, pairs)

        def take(found: dict[str, Difference]) -> None:
            if reference is self.comparison.reference:
                self.comparison.found = found

        self.errands.send(COMPARING, work, take)

    def _on_open(self, *events: Any) -> None:
        """Marks the open jet once it is seen itself."""
        self.pulse.then(self._mark)

    def _mark(self) -> None:
        for name in self.ready:
            self.histograms[name].mark()

    def __panel__(self) -> pn.viewable.Viewable:
        options = pn.Row(
            self.logarithmic, self.by_difference, styles={"flex-wrap": "wrap"}, sizing_mode="stretch_width"
        )
        return pn.Column(
            self.bar,
            self.told,
            self.beside,
            self.grid,
            self.numbers,
            self.pulse,
            fold("Distributions, bins and ranges", self.shown, options, self.binning),
            sizing_mode="stretch_width",
            margin=0,
            styles={"max-height": "none"},
        )


def usual_range(values: np.ndarray) -> tuple[int, float, float]:
    """Returns 50 bins over all but the outermost thousandths of the finite values."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    low, high = np.quantile(finite, [0.001, 0.999]) if finite.size else (0.0, 1.0)
    if not low < high:
        low, high = low - 0.5, low + 0.5
    return 50, float(low), float(np.nextafter(high, np.inf))


def _apart(found: Difference) -> str:
    worst = max(found.classes, key=lambda name: np.nan_to_num(found.classes[name].distance, nan=-1.0))
    return f"Kolmogorov-Smirnov distance {found.distance:.3f} in {worst} (p = {found.p:.2g})."
