"""The graph of a jet: its nearest neighbours, or the edges that a block of the network used and what each of them carried."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
from bokeh.models import ColorBar, ColumnDataSource, LinearColorMapper

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..physics.graphs import edges
from ..views import graph
from ..views.ledger import written
from ..views.palette import RELEVANCE, symmetric_limit
from .panes import line, picture, row, say
from .table import table, table_pane

NEIGHBOURS = 7
"""Edges per particle of the drawn graph, as in ParticleNet-Lite, until others are asked for."""

NEAREST = "nearest"
NEAREST_IN_WORDS = "nearest neighbours in η–φ"
EXTENT = 0.8
HEAD = ("block", "edges [log-odds]", "shortcut beside them [log-odds]", "shortcut's share of |relevance|")
BESIDE = "Edges are not all: what reached a block past them, by its shortcut, stands in the table."
NO_EDGES = "Edges have relevance where the network has a graph and relevance propagation explains it."


class JetGraph(pn.viewable.Viewer):
    """Edges under the particles of the open jet; `draw` is called while it is looked at.

    Args:
        particles: Source of the particles, shared with the map.
        scale: Their colours.
    """

    def __init__(self, particles: ColumnDataSource, scale: LinearColorMapper, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.edges = graph.empty()
        self.scale = graph.edge_scale(1.0, RELEVANCE)
        self.figure = graph.graph_figure(self.edges, particles, scale, EXTENT, self.scale)
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width"}
        self.shown = pmui.Select(label="Edges", options={NEAREST_IN_WORDS: NEAREST}, value=NEAREST, **small)
        self.neighbours = pmui.IntSlider(
            label="Neighbours of each particle", start=1, end=24, value=NEIGHBOURS, **small
        )
        self.told, self.table = line(variant="caption"), table_pane()
        self._wanted, self._following = "0", False
        self._now: tuple[Jets, Explanation | None, Mapping[str, np.ndarray]] | None = None
        self.shown.param.watch(self._choose, "value")
        self.neighbours.param.watch(self._again, "value")

    def draw(self, jet: Jets, explanation: Explanation | None, rows: Mapping[str, np.ndarray]) -> None:
        """Draws the edges of the only jet.

        Args:
            jet: The jet.
            explanation: Its own, or None while it is not known.
            rows: The particles as `views.particles.columns` gives them.
        """
        self._now = jet, explanation, rows
        blocks = [str(number) for number in graph.blocks(explanation)]
        if explanation is not None:
            self._offer(blocks)
        chosen = self.shown.value
        if chosen == NEAREST:
            self.edges.data = graph.edge_columns(
                rows["deta"], rows["dphi"], edges(jet.constituents, self.neighbours.value)[0]
            )
        elif explanation is not None and chosen in blocks:
            links, relevance = graph.links_of(explanation, int(chosen))
            limit = symmetric_limit(relevance)
            self.scale.update(low=-limit, high=limit)
            self.edges.data = graph.edge_columns(rows["deta"], rows["dphi"], links, relevance)
        else:
            self.edges.data = dict(graph.empty().data)
        self.neighbours.visible = chosen == NEAREST
        self.figure.select_one(ColorBar).visible = chosen != NEAREST
        self._tell(explanation)

    def _offer(self, blocks: list[str]) -> None:
        """Lets the blocks be chosen that the network has; the one that was chosen last stays."""
        options = {NEAREST_IN_WORDS: NEAREST, **{f"block {int(b) + 1} of the network": b for b in blocks}}
        wanted = self._wanted if self._wanted in options.values() else NEAREST
        self._following = True
        if options != self.shown.options or wanted != self.shown.value:
            self.shown.param.update(options=options, value=wanted)
        self._following = False

    def _tell(self, explanation: Explanation | None) -> None:
        found = graph.shortcuts(explanation) if explanation is not None else {}
        rows = [
            (int(block), *(written(x) if np.isfinite(x) else "none" for x in (edge, beside)), f"{share:.0%}")
            for block, edge, beside, share in zip(*found.values(), strict=True)
        ]
        self.table.object = table(HEAD, rows) if rows else ""
        say(self.told, BESIDE if rows else NO_EDGES)

    def _choose(self, event: Any) -> None:
        if not self._following:
            self._wanted = event.new
            self._again()

    @pn.io.hold()
    def _again(self, *events: Any) -> None:
        if self._now is not None:
            self.draw(*self._now)

    def __panel__(self) -> pn.viewable.Viewable:
        chosen = row([self.shown, self.neighbours], width=180, most=2)
        return pn.Column(
            chosen, picture(self.figure), self.told, self.table, sizing_mode="stretch_width", margin=0
        )
