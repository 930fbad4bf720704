"""One jet, seen otherwise: relevance by feature, in the image, on the graph, in the Lund plane, layer by layer."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import BoxAnnotation, ColumnDataSource, FactorRange, LinearColorMapper, UIElement

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..physics.lund import primary_lund_plane
from ..physics.partitions import emission_of
from ..views import features, image, layers, ledger, lund, particles
from ..views.palette import symmetric_limit
from .analysis import PROPAGATION, Analysis
from .jet_graph import EXTENT, JetGraph
from .jet_images import JET, JetImages
from .panes import fold, line, picture, say, tabs
from .table import table, table_pane

NARROW_TABS = {"& .MuiTab-root": {"minWidth": 0, "padding": "6px 10px", "textTransform": "none"}}
"""All tabs in view on half a page."""

TABS = ("Features", "Image", "Graph", "Lund plane", "Layers")
FEATURES, IMAGE, GRAPH, LUND, LAYERS = range(len(TABS))
LESSON_OF_TAB = ("features", "image", "graph", "lund", "layers")

LINE_OF_TAB = (
    "print(explanation.features[0])",
    "",
    'print(explanation.recorded.get("edges 0"))',
    "print(wb.physics.lund.primary_lund_plane(jets[{index}])[0])",
    "print(explanation.recorded)",
)
"""The line of Python that says what a tab shows; images have lines of their own."""

RECORDED = (GRAPH, LAYERS)
"""Tabs that show relevance within the network, which is kept once one of them is looked at."""

IN_LAYERS = ("layer or head", "relevance [log-odds]", "sum of |relevance| [log-odds]")
NO_LAYERS = "Layers have relevance where relevance propagation explains a network."
OF_LAYERS = (
    "Inputs first. A shortcut and the block beside it share what passes; biases add theirs on the way."
)
IN_PIXELS = "Relevance in the same pixels [log-odds]"


class JetViews:
    """The tabs with other pictures of a jet; only what is looked at is drawn. `layout` comes before the first `show`.

    Args:
        analysis: What the page looks at.
        images: Images of the jet and of the sample.
        dots: Source of the particles, shared with the map, and their colours.
        pick: Called with the particle that was clicked, or -1.
    """

    def __init__(
        self,
        analysis: Analysis,
        images: JetImages,
        dots: tuple[ColumnDataSource, LinearColorMapper],
        pick: Callable[[int], None],
    ) -> None:
        self.analysis, self.images, self.pick = analysis, images, pick
        self.cells, self.lund = features.empty(), lund.empty()
        self.pixels = image.empty(extent=EXTENT)
        self.cell_scale, self.emission_scale = particles.relevance_scale(), particles.relevance_scale()
        self.pixel_scale = image.relevance_scale()
        self.features = FactorRange()
        self.dots = dots
        self._jet: Jets | None = None
        self._explanation: Explanation | None = None
        self._rows: Mapping[str, np.ndarray] = {}
        self.cells.selected.on_change("indices", self._pick_cell)
        for widget in (*images.switches.values(), images.shown):
            widget.param.watch(self._draw_pixels, "value")

    def layout(self) -> pmui.Tabs:
        """Makes the tabs and returns them."""
        self.graph = JetGraph(*self.dots)
        self.heat = features.heat_figure(self.cells, self.cell_scale, self.features)
        self.plane = lund.plane_figure(self.lund, self.emission_scale)
        self.mosaic = image.image_figure(self.pixels, self.pixel_scale, name="relevance image")
        self.mosaic.background_fill_alpha = 0
        image.say_unit(self.mosaic, "relevance [log-odds]")
        self.numbers, self.passed = table_pane(), table_pane()
        self.more, self.ended, self.told = (line(variant="caption") for _ in range(3))
        self.beside = pn.Column(
            line(IN_PIXELS, variant="caption"), picture(self.mosaic), sizing_mode="stretch_width", margin=0
        )
        self.images.pictures.append(self.beside)
        whole: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        contents = (
            pn.Column(picture(self.heat), fold("As numbers", self.numbers, self.more), **whole),
            self.images,
            self.graph,
            pn.Column(picture(self.plane), self.ended, **whole),
            pn.Column(self.told, self.passed, **whole),
        )
        self.tabs = tabs(list(zip(TABS, contents, strict=True)), sx=NARROW_TABS)
        self.tabs.param.watch(self.draw, "active")
        figures = (self.heat, self.plane, self.mosaic, self.graph.figure)
        self.hatches: list[BoxAnnotation] = [ledger.hatch(plot) for plot in figures]
        return self.tabs

    @pn.io.hold()
    def show(self, jet: Jets | None, explanation: Explanation | None, rows: Mapping[str, np.ndarray]) -> None:
        """Shows a jet with its own explanation, or without while it is not known; `rows` as `particles.columns` gives them."""
        self._jet, self._explanation, self._rows = jet, explanation, rows
        doubted = explanation is not None and ledger.unexplained(explanation.ledger) > ledger.DOUBTED
        for lines in self.hatches:
            lines.visible = doubted
        self.draw()

    def draw(self, *events: Any) -> None:
        """Draws what is looked at."""
        active = self.tabs.active
        self.images.show(active == IMAGE)
        if self._jet is None:
            return
        if active in RECORDED and self.analysis.method == PROPAGATION and not self.analysis.record:
            # The jet is explained anew, and shown once more with what was recorded.
            self.analysis.record = True
        drawing = (self._draw_cells, self._draw_pixels, self._draw_graph, self._draw_plane, self._draw_layers)
        with pn.io.hold():
            drawing[active]()

    @pn.io.hold()
    def mark(self, picked: int) -> None:
        """Marks the cells of a particle, or none."""
        cells = np.flatnonzero(np.asarray(self.cells.data["particle"]) == picked + 1) if picked >= 0 else ()
        if list(self.cells.selected.indices) != (rows := [int(cell) for cell in cells]):
            self.cells.selected.indices = rows

    @property
    def relevance(self) -> np.ndarray | None:
        """Relevance of each particle of the jet, shape (particles,); None where it is not known, or not of particles."""
        return None if self._explanation is None else features.of_particles(self._explanation)

    def _draw_cells(self) -> None:
        explanation = self._explanation
        if explanation is None:
            self.cells.data, self.numbers.object = dict(features.empty().data), ""
            say(self.more, "")
            return
        cells = features.columns(explanation)
        whole = self.relevance is None
        self.heat.xaxis.axis_label = "the whole jet" if whole else "particle, hardest first"
        self.heat.xaxis.major_label_text_alpha = 0 if whole else 1
        limit = symmetric_limit(cells["relevance"])
        self.cell_scale.update(low=-limit, high=limit)
        names = list(explanation.feature_names)[::-1]
        if self.features.factors != names:
            self.features.factors = names
        self.cells.data = cells
        self._list(features.table(explanation), whole=whole)

    def _list(self, named: Mapping[str, np.ndarray], *, whole: bool) -> None:
        """Writes the cells as numbers."""
        n = len(next(iter(named.values()), ()))
        rows = [
            ("the jet" if whole else i + 1, *(f"{values[i]:+.3f}" for values in named.values()))
            for i in range(min(n, features.SHOWN))
        ]
        self.numbers.object = table(("particle", *named), rows)
        left = f"The first {features.SHOWN} of {n} particles; " if n > features.SHOWN else ""
        say(self.more, f"{left or 'All, '}in log-odds. The menu saves them all.")

    @pn.io.hold()
    def _draw_pixels(self, *events: Any) -> None:
        jet, relevance = self._jet, self.relevance
        self.beside.visible = self.images.shown.value == JET and relevance is not None
        if self.tabs.active != IMAGE or jet is None or relevance is None:
            return
        pixels = image.relevance_pixels(jet, relevance, self.images.steps, extent=EXTENT)
        limit = symmetric_limit(np.nan_to_num(pixels))
        self.pixel_scale.update(low=-limit, high=limit)
        self.pixels.data = image.columns(pixels, EXTENT)

    def _draw_graph(self) -> None:
        if self._jet is not None:
            self.graph.draw(self._jet, self._explanation, self._rows)

    def _draw_plane(self) -> None:
        jet, relevance = self._jet, self.relevance
        if jet is None:
            return
        emissions = primary_lund_plane(jet)[0]
        if relevance is None:
            self.lund.data = lund.columns(emissions)
            say(self.ended, "")
            return
        shared, rest = lund.emitted(emissions, *emission_of(jet), relevance)
        limit = symmetric_limit(shared)
        self.emission_scale.update(low=-limit, high=limit)
        self.lund.data = lund.columns(emissions, shared)
        say(
            self.ended,
            f"What ends the hardest branch was never emitted; it has {ledger.written(rest)} log-odds.",
        )

    def _draw_layers(self) -> None:
        columns = layers.columns(self._explanation) if self._explanation is not None else {}
        rows = [
            (name, ledger.written(total), f"{size:.3f}")
            for name, total, size in zip(*columns.values(), strict=True)
        ]
        self.passed.object = table(IN_LAYERS, rows) if rows else ""
        say(self.told, OF_LAYERS if rows else NO_LAYERS)

    def _pick_cell(self, attribute: str, old: list[int], new: list[int]) -> None:
        added = [cell for cell in new if cell not in old] or list(new)
        self.pick(int(self.cells.data["particle"][added[0]]) - 1 if added else -1)

    def figure(self) -> UIElement | list[UIElement] | None:
        """Returns the figure that is looked at, or figures."""
        beside = [self.mosaic] if self.beside.visible else []
        shown = (self.heat, [*self.images.figure(), *beside], self.graph.figure, self.plane, None)
        return shown[self.tabs.active]

    def numbered(self) -> pd.DataFrame:
        """Returns the numbers of what is looked at."""
        if self.tabs.active == IMAGE:
            return self.images.table()
        if self.tabs.active == LAYERS:
            found = layers.columns(self._explanation) if self._explanation is not None else {}
            return pd.DataFrame(dict(zip(IN_LAYERS, found.values(), strict=False)))
        if self.tabs.active == FEATURES and self._explanation is not None:
            named = features.table(self._explanation)
            return pd.DataFrame({f"{name} [log-odds]": values for name, values in named.items()})
        source = {GRAPH: self.graph.edges, LUND: self.lund}.get(self.tabs.active, self.cells)
        return pd.DataFrame(dict(source.data))
