"""Bins and range of a histogram by number, and its brush for who uses no mouse."""

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..errors import WorkbenchError
from ..state.binned import MOST
from ..state.selection import SelectionState
from .histogram import Histogram
from .panes import line, say


class Binning(pn.viewable.Viewer):
    """Chooses a histogram, its number of bins, its range, and the range of it that is brushed."""

    def __init__(
        self, selection: SelectionState, changed: Callable[[Histogram], None], **parameters: Any
    ) -> None:
        """Calls `changed` with a histogram that has other bins."""
        super().__init__(**parameters)
        self.selection, self.changed = selection, changed
        self.histograms: dict[str, Histogram] = {}
        small: dict[str, Any] = {"size": "small", "width": 120, "margin": (4, 6)}
        self.which = pmui.Select(label="Histogram", options=[], **{**small, "width": 170})
        self.number = pmui.IntInput(label="Bins", value=50, start=1, end=MOST, format="0", **small)
        self.low = pmui.FloatInput(label="From", value=0.0, **small)
        self.high = pmui.FloatInput(label="To", value=1.0, **small)
        self.draw = pmui.Button(label="Use these bins", variant="outlined", size="small")
        self.usual = pmui.Button(label="Usual bins", variant="text", size="small")
        self.brush = pmui.Button(label="Select from – to", variant="outlined", size="small")
        self.told = line(variant="caption")
        self.which.param.watch(self._show, "value")
        self.draw.on_click(lambda _: self.apply())
        self.usual.on_click(lambda _: self.reset())
        self.brush.on_click(lambda _: self.select())

    def offer(self, histograms: Sequence[Histogram]) -> None:
        """Offers these histograms."""
        self.histograms = {histogram.observable.name: histogram for histogram in histograms}
        names = list(self.histograms)
        keep = self.which.value if self.which.value in names else (names[0] if names else None)
        self.which.param.update(options=names, value=keep)
        self._show()

    def apply(self) -> None:
        """Draws the chosen histogram in these bins."""
        histogram = self.histograms.get(self.which.value)
        if histogram is None:
            return
        if not self.low.value < self.high.value:
            say(
                self.told,
                f"The range goes from {self.low.value:g} to {self.high.value:g}; give the smaller first.",
            )
            return
        self._set(histogram, (self.number.value, float(self.low.value), float(self.high.value)))

    def reset(self) -> None:
        """Draws the chosen histogram in its usual bins."""
        histogram = self.histograms.get(self.which.value)
        if histogram is not None:
            self._set(histogram, histogram.observable.bins)
            self._show()

    def use(self, name: str, bins: tuple[int, float, float]) -> None:
        """Draws a histogram in these bins, if it is shown."""
        if name in self.histograms:
            self._set(self.histograms[name], bins)
            self._show()

    def select(self) -> None:
        """Brushes the chosen histogram over the range given."""
        try:
            self.selection.brush(self.which.value, self.low.value, self.high.value)
            say(self.told, "")
        except WorkbenchError as error:
            say(self.told, str(error))

    def _set(self, histogram: Histogram, bins: tuple[int, float, float]) -> None:
        histogram.rebin(bins)
        say(self.told, "")
        self.changed(histogram)

    def _show(self, *events: Any) -> None:
        histogram = self.histograms.get(self.which.value)
        if histogram is not None:
            number, low, high = histogram.bins
            self.number.value, self.low.value, self.high.value = number, low, high

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            pn.Row(
                self.which,
                self.number,
                self.low,
                self.high,
                self.draw,
                self.usual,
                self.brush,
                sizing_mode="stretch_width",
                styles={"flex-wrap": "wrap", "align-items": "center"},
            ),
            self.told,
            sizing_mode="stretch_width",
            margin=0,
        )
