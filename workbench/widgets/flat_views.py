"""The flat views of an event display: eta-phi, along the beam, from the side; each is drawn when it is seen."""

from functools import partial
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColorBar, ColumnDataSource, LinearColorMapper
from bokeh.plotting import figure

from ..state.display import KINDS, DisplayState
from ..views import cuts, eta_phi, kinds, longitudinal, transverse
from ..views.deposits import deposits
from ..views.detectors import detector
from ..views.event import Scene, empty_scene

FLAT = ("eta-phi", "x-y", "r-z")
OF_PARTICLES = {"colour_by", "palette"}
OF_DEPOSITS = {"energy_min", "eta_max", "length_scale", "layers"}
"""Params of the state after which only these are drawn again; all others cut in the browser."""

ASPECT = 2.0
"""Of a frame before the browser has drawn it."""

OF_AXIS = 62
"""Screen units that axis and label take of a figure's height."""


class FlatViews:
    """Figures and sources of the three views, following a DisplayState; what the user clicks becomes its `picked`."""

    def __init__(self, state: DisplayState, height: int = 420) -> None:
        self.state = state
        self.height, self._aspect = height, ASPECT
        self.scene: Scene = empty_scene()
        self.cuts = cuts.Cuts(cut_row(state))
        self.intensity = eta_phi.intensity()
        self.scale = LinearColorMapper(palette=kinds.STRENGTH, low=0, high=1, nan_color=kinds.WITHOUT)
        self.sources = {
            "eta-phi": eta_phi.empty(),
            "x-y": transverse.empty(),
            "r-z": longitudinal.empty(),
        }
        self.figures: dict[str, figure] = {
            "eta-phi": eta_phi.map_figure(self.sources["eta-phi"], self.cuts, self.intensity, height),
            "x-y": transverse.transverse_figure(self.sources["x-y"], self.cuts, height),
            "r-z": longitudinal.longitudinal_figure(self.sources["r-z"], self.cuts, height),
        }
        self.bars = {view: self._bar(plot) for view, plot in self.figures.items()}
        self.figures["eta-phi"].on_change("inner_width", self._resized)
        self._stale: set[str] = set()
        for sources in self.sources.values():
            for array in ("particles", "jets"):
                source = sources[array]
                source.selected.on_change("indices", partial(self._tapped, source, array))
        state.param.watch(self._follow, [*OF_PARTICLES, *OF_DEPOSITS, "detector", "preset_view", "view"])
        state.param.watch(self._mark, "picked")
        state.param.watch(self._cut, ["pt_min", "jet_pt_min", "eta_max", "charges", "kinds", "layers"])

    @pn.io.hold()
    def show(self, scene: Scene) -> None:
        """Takes a scene; the view that is seen draws it now, the others when they are."""
        self.scene = scene
        self._stale = set(FLAT)
        self._draw_seen()

    def _bar(self, plot: figure) -> ColorBar:
        bar = ColorBar(color_mapper=self.scale, width=10, background_fill_alpha=0, visible=False, title="")
        plot.add_layout(bar, "right")
        return bar

    @pn.io.hold()
    def _follow(self, *events: Any) -> None:
        changed = {event.name for event in events}
        if changed - {"view"}:
            seen = self.state.view
            self._stale |= set(FLAT) - {seen}
            if seen in FLAT and seen not in self._stale:
                self._draw_parts(seen, changed)
        self._draw_seen()

    def _cut(self, *events: Any) -> None:
        # On a page only the browser cuts: an answer from here would come late and undo what was dragged since.
        if self.cuts.source.document is None:
            self.cuts.source.data = cut_row(self.state)

    def _draw_seen(self) -> None:
        view = self.state.view
        if view in self._stale:
            self._stale.discard(view)
            self._draw_parts(view, {"everything"})

    def _draw_parts(self, view: str, changed: set[str]) -> None:
        everything = bool(changed - OF_PARTICLES - OF_DEPOSITS - {"view"})
        if everything or changed & OF_DEPOSITS:
            self._draw_deposits(view)
        if everything or changed & OF_PARTICLES:
            self._draw_particles(view)
        if everything:
            self._draw_frame(view)
            self._mark()

    def _draw_deposits(self, view: str) -> None:
        state, sources = self.state, self.sources[view]
        found = deposits(self.scene, energy_min=state.energy_min, eta_max=state.eta_max, layers=state.layers)
        if view == "eta-phi":
            columns = eta_phi.map_columns(found)
            highest = float(columns["image"][0].max(initial=0.0))
            low = max(state.energy_min, 0.05)
            self.intensity.update(low=low, high=max(highest, 2 * low))
            self.figures[view].select_one({"name": "energy scale"}).visible = highest > 0
            sources["map"].data = columns
        else:
            module = transverse if view == "x-y" else longitudinal
            sources["bars"].data = module.bar_columns(found, detector(state.detector), state.length_scale)

    def _draw_particles(self, view: str) -> None:
        state, source = self.state, self.sources[view]["particles"]
        look = (state.colour_by, state.palette)
        if view == "eta-phi":
            source.data = eta_phi.particle_columns(self.scene, *look)
        else:
            module = transverse if view == "x-y" else longitudinal
            source.data = module.particle_columns(self.scene, detector(state.detector), *look)
        scale = kinds.scale(self.scene, state.colour_by)
        self.bars[view].visible = scale is not None
        if scale is not None:
            low, high, palette, title = scale
            self.scale.update(low=low, high=high, palette=palette)
            self.bars[view].title = title

    def _draw_frame(self, view: str) -> None:
        """Draws what changes only with the event or the detector."""
        sources, shape = self.sources[view], detector(self.state.detector)
        if view == "eta-phi":
            sources["jets"].data = eta_phi.jet_columns(self.scene)
            sources["met"].data = eta_phi.met_columns(self.scene)
            self._zoom()
        elif view == "x-y":
            sources["extent"].data = transverse.extent_columns(*transverse.extent_of(shape))
            sources["rings"].data = transverse.ring_columns(shape)
            sources["jets"].data = transverse.jet_columns(self.scene, shape)
            sources["met"].data = transverse.met_columns(self.scene, shape)
        else:
            sources["extent"].data = transverse.extent_columns(*longitudinal.extent_of(shape))
            sources["outlines"].data = longitudinal.outline_columns(shape)
            sources["guides"].data = longitudinal.guide_columns(shape)
            sources["jets"].data = longitudinal.jet_columns(self.scene, shape)

    @pn.io.hold()
    def _resized(self, name: str, old: int, new: int) -> None:
        # The browser says how wide the frame is, once it is drawn.
        self._aspect = max(new, 1) / (self.height - OF_AXIS)
        self._zoom()

    def _zoom(self) -> None:
        plot = self.figures["eta-phi"]
        near = eta_phi.is_jet(self.scene) or self.state.preset_view == "jet axis"
        eta, phi = eta_phi.window(self.scene, near, self._aspect)
        for along, (low, high) in ((plot.x_range, eta), (plot.y_range, phi)):
            along.update(start=low, end=high, reset_start=low, reset_end=high)

    def _tapped(
        self, source: ColumnDataSource, array: str, name: str, old: list[int], new: list[int]
    ) -> None:
        rows = [int(source.data["row"][i]) for i in new if i < len(source.data["row"])]
        if array == "jets":
            for row in rows[:1]:
                self.state.tag("jets", row)
        elif rows and rows[0] != self.state.picked:
            self.state.picked = rows[0]
        elif not rows and old:
            self.state.picked = -1

    @pn.io.hold()
    def _mark(self, *events: Any) -> None:
        if self.state.view not in FLAT:
            return
        source = self.sources[self.state.view]["particles"]
        found = np.flatnonzero(np.asarray(source.data["row"]) == self.state.picked).tolist()
        if found != source.selected.indices:
            source.selected.indices = found


def cut_row(state: DisplayState) -> dict[str, list[float | int | str]]:
    """Returns the cuts of a state as the figures read them."""
    return cuts.row(
        pt_min=state.pt_min,
        jet_pt_min=state.jet_pt_min,
        eta_max=state.eta_max,
        charges=state.charges,
        kinds=[KINDS.index(name) for name in state.kinds],
        layers=state.layers,
    )


def legend(scene: Scene) -> str:
    """Returns the markers and lines of the kinds of particle in the scene, as markup of our own."""
    parts = []
    dashes = {"solid": "", "dashed": "6 4", "dotted": "2 3", "dotdash": "2 3 6 3", "dashdot": "6 3 2 3"}
    for code in np.unique(scene.column("particles", "kind").astype(int)):
        look = kinds.LOOKS[code]
        parts.append(
            (
                f'<path d="M0 6H26" stroke="{look.colour}" stroke-width="{look.wide + 0.5}" stroke-dasharray="{dashes[look.dash]}"/>'
                f'<g transform="translate(37 6)" fill="{look.colour}">{SHAPES[look.marker]}</g>',
                look.name,
            )
        )
    layers = {*scene.column("towers", "layer").astype(int), *scene.column("cells", "layer").astype(int)}
    for layer in sorted(layers):
        name, colour, hatch = transverse.LAYERS[layer]
        stripes = '<path d="M12 12L20 0M20 12L28 0" stroke="#fff"/>' if hatch != " " else ""
        parts.append((f'<rect x="8" y="1" width="24" height="10" fill="{colour}"/>{stripes}', name))
    if len(scene.arrays["jets"]):
        parts.append(
            (f'<circle cx="24" cy="6" r="5" fill="none" stroke="{kinds.JET}" stroke-width="1.6"/>', "jet")
        )
    if scene.header["met"]:
        parts.append(
            (
                f'<path d="M0 6H40" stroke="{kinds.MET}" stroke-width="2" stroke-dasharray="6 4"/>',
                "missing pT",
            )
        )
    return "".join(f"{SIGN}{drawing}</svg> {name}</span>" for drawing, name in parts)


SIGN = (
    '<span style="white-space:nowrap;margin-right:14px">'
    '<svg width="46" height="12" aria-hidden="true" style="vertical-align:middle">'
)


SHAPES = {
    "circle": '<circle r="4.5"/>',
    "square": '<rect x="-4" y="-4" width="8" height="8"/>',
    "triangle": '<path d="M0 -5L5 4H-5Z"/>',
    "diamond": '<path d="M0 -5.5L4 0L0 5.5L-4 0Z"/>',
    "star": '<path d="M0 -5.5L1.5 -1.7L5.4 -1.6L2.3 .8L3.3 4.6L0 2.4L-3.3 4.6L-2.3 .8L-5.4 -1.6L-1.5 -1.7Z"/>',
    "circle_dot": '<circle r="4" fill="none" stroke="#8C8C8C" stroke-width="1.2"/><circle r="1.2"/>',
    "hex": '<path d="M-5 0L-2.5 -4.4H2.5L5 0L2.5 4.4H-2.5Z"/>',
}
"""The markers of the figures, for the legend."""
