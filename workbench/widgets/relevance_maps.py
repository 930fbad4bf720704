"""Where in the jet the evidence lies: mean relevance over the image and over the Lund plane, by class and as a difference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement
from bokeh.plotting import figure

from ..physics.bootstrap import Estimate
from ..physics.images import Average
from ..views import relevance_map as view
from ..views.palette import symmetric_limit
from .menu import Menu
from .panes import fold, line, pane, picture, row, say
from .relevance_study import ALL, Finding, Part
from .table import table, table_pane

IMAGE, LUND = "image", "Lund plane"
STEPS = "Each jet is centred, turned and mirrored by its pT; its relevance goes along."
CELLS = "Each particle counts in the cell of the primary emission it came with; what ends the hardest branch has none."
UNIT, ERRORS = {IMAGE: "log-odds per pixel", LUND: "log-odds per cell"}, "standard errors"
AXES = {IMAGE: ("Δη", "Δφ [rad]"), LUND: ("ln 1/Δ", "ln kT/GeV")}
OWN = "Each class on a scale of its own: their colours cannot be compared"
LISTED = 8
"""Cells in the table: those that differ most."""


class Planes:
    """Three figures over one plane: two classes on one scale, and their difference in standard errors."""

    def __init__(self, kind: str) -> None:
        self.sources = [view.empty() for _ in range(3)]
        self.scales = [view.relevance_scale(), view.relevance_scale(), view.relevance_scale(view.LIMIT)]
        x, y = AXES[kind]
        self.titles = [line(variant="caption") for _ in range(3)]
        self.figures: list[figure] = [
            view.map_figure(
                source,
                self.scales[number],
                x,
                y,
                name=f"mean relevance {kind} {number}",
                unit=ERRORS if number == 2 else UNIT[kind],
                square=kind == IMAGE,
            )
            for number, source in enumerate(self.sources)
        ]
        places = [
            pn.Column(title, picture(plot), sizing_mode="stretch_width", margin=0)
            for title, plot in zip(self.titles, self.figures, strict=True)
        ]
        self.place = row(places, width=300, most=3)


class MapsPane(Part):
    """Mean relevance over the image or the Lund plane."""

    title = "Where in the jet the evidence lies"

    def __init__(self, **parameters: Any) -> None:
        self.kind = pmui.RadioButtonGroup(
            label="Plane", options=[IMAGE, LUND], value=IMAGE, size="small", margin=(4, 6), width=260
        )
        self.own = pmui.Switch(label=OWN, value=False, size="small", margin=(4, 6))
        self.place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.numbers = table_pane()
        self._planes: dict[str, Planes] = {}
        super().__init__(**parameters)
        for widget in (self.kind, self.own):
            widget.param.watch(lambda _: self.draw(), "value")

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        return [self.kind, self.own, self.place, fold("The cells that differ most", self.numbers)]

    def fill(self, found: Finding) -> None:
        """Draws the plane that is chosen."""
        if found.aggregate.images is None:
            self.place[:] = []
            say(
                self.said,
                "This tagger sees observables and no particles: there is nothing to draw over a plane.",
            )
            return
        kind = self.kind.value
        if kind not in self._planes:
            self._planes[kind] = Planes(kind)
        planes = self._planes[kind]
        names = [name for name in found.pair[::-1] if name in found.aggregate.groups] or [ALL]
        means = [self._mean(found, name) for name in names]
        z = difference(*means) if len(means) == 2 else None
        x, y = self._edges(found)
        limits = [symmetric_limit(mean.mean) for mean in means]
        for scale, limit in zip(planes.scales, limits, strict=False):
            limit = limit if self.own.value else max(limits)
            scale.update(low=-limit, high=limit)
        shown = [*means, None, None][:2]
        for number, mean in enumerate(shown):
            values = np.full((2, 2), np.nan) if mean is None else filled(mean)
            planes.sources[number].data = view.columns(values, x, y)
            say(planes.titles[number], f"{names[number]}: {mean.jets:,} jets" if mean is not None else "")
        planes.sources[2].data = view.columns(np.full((2, 2), np.nan) if z is None else z, x, y)
        say(
            planes.titles[2],
            f"{found.gap_name}, in standard errors" if z is not None else "Two classes are needed.",
        )
        if not self.place.objects or self.place.objects[0] is not planes.place:
            self.place[:] = [planes.place]
        self.numbers.object = self._table(names, means, z, x, y)
        say(self.said, self._sentence(found, z))

    def _mean(self, found: Finding, name: str) -> Average:
        """Returns mean and error over the plane, [vertical, horizontal]."""
        if self.kind.value == IMAGE:
            mean: Average = found.aggregate.images.means[name]
            return mean
        lund = found.aggregate.shares["lund"]
        amount: Estimate = lund.of(name, "amount")
        shape = tuple(len(axis) for axis in lund.axes)
        jets = found.aggregate.groups[name]
        return Average(amount.value.reshape(shape).T, np.nan_to_num(amount.error).reshape(shape).T, jets)

    def _edges(self, found: Finding) -> tuple[Sequence[float], Sequence[float]]:
        if self.kind.value == LUND:
            across, up = found.aggregate.shares["lund"].axes
            return across.edges, up.edges
        images = found.aggregate.images
        edges = np.linspace(-images.extent, images.extent, len(next(iter(images.means.values())).mean) + 1)
        return edges.tolist(), edges.tolist()

    def _sentence(self, found: Finding, z: np.ndarray | None) -> str:
        if self.kind.value == IMAGE:
            said = f"{STEPS} {found.aggregate.images.outside:.1%} of the relevance lies beyond the frame."
        else:
            lund = found.aggregate.shares["lund"]
            said = f"{CELLS} {float(lund.elsewhere.value[0]):.0%} of the relevance is of particles without a cell."
        if z is None or not np.isfinite(z).any():
            return said
        tests = int(np.isfinite(z).sum())
        return f"{said} Of {tests:,} cells {int(np.nansum(np.abs(z) > 3))} differ by more than 3 standard errors; {0.0027 * tests:.1f} would by chance.{_beyond(z)}"

    def _table(
        self,
        names: Sequence[str],
        means: Sequence[Average],
        z: np.ndarray | None,
        x: Sequence[float],
        y: Sequence[float],
    ) -> str:
        rank = np.abs(means[0].mean) if z is None else np.nan_to_num(np.abs(z))
        rows = []
        for place in np.argsort(-rank, axis=None)[:LISTED]:
            up, across = np.unravel_index(place, rank.shape)
            where = f"{x[across]:.2f} to {x[across + 1]:.2f}, {y[up]:.2f} to {y[up + 1]:.2f}"
            cells = [f"{m.mean[up, across]:+.4f} ± {m.error[up, across]:.4f}" for m in means]
            rows.append((where, *cells, *([] if z is None else [f"{z[up, across]:+.1f}"])))
        head = [", ".join(AXES[self.kind.value]), *(f"{n} [log-odds]" for n in names)]
        return table([*head, *([] if z is None else ["difference [standard errors]"])], rows)

    def figure(self) -> Sequence[UIElement] | None:
        """Returns the figures that are shown."""
        planes = self._planes.get(self.kind.value)
        return planes.figures if planes is not None and self.place.objects else None

    def numbers_shown(self) -> pd.DataFrame:
        """Returns one row per group and cell of the plane that is shown."""
        if self.finding is None or self.finding.aggregate.images is None:
            return pd.DataFrame()
        found = self.finding.aggregate
        part = found.images if self.kind.value == IMAGE else found.shares["lund"]
        return pd.DataFrame(part.columns())

    def code(self) -> Sequence[str]:
        """Returns the lines of Python that give the numbers shown."""
        if self.kind.value == LUND:
            return ("lund = found.shares['lund']", "print(lund.columns())")
        first, second = self.finding.pair
        return (f"z = found.images.difference({first!r}, {second!r})", "print(found.images.columns())")

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "mean-relevance", figure=self.figure, data=self.numbers_shown, code=self.lines, sample=self.sample
        )
        return pane(self.title, self.told, self.content, name="mean-relevance", menu=menu, check=self.said)


def _beyond(z: np.ndarray) -> str:
    """Returns how many cells lie beyond the ends of the colours."""
    beyond = int(np.nansum(np.abs(z) > view.LIMIT))
    return f" {beyond:,} lie beyond ±{view.LIMIT:g} and have the colour of its ends." if beyond else ""


def filled(mean: Average) -> np.ndarray:
    """Returns the mean where any jet has a particle, nan elsewhere."""
    return np.where((mean.error > 0) | (mean.mean != 0), mean.mean, np.nan)


def difference(background: Average, signal: Average) -> np.ndarray:
    """Returns signal minus background in standard errors; nan where neither has anything."""
    error = np.hypot(signal.error, background.error)
    missing = np.full(error.shape, np.nan)
    return np.divide(signal.mean - background.mean, error, out=missing, where=error > 0)
