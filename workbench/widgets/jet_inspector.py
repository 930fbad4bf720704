"""One jet opened up: its particles, what the network sees of it, and where its score came from."""

from functools import partial
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import FactorRange

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..physics.graphs import edges
from ..physics.images import jet_images, outside
from ..physics.lund import primary_lund_plane
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import features, graph, image, ledger, lund, particles
from ..views.palette import symmetric_limit
from .analysis import Analysis
from .panes import line, pane, picture, row, say

NARROW_TABS = {"& .MuiTab-root": {"minWidth": 0, "padding": "6px 10px", "textTransform": "none"}}
"""All tabs in view on half a page."""

NEIGHBOURS = 7
"""Edges per particle of the drawn graph, as in ParticleNet-Lite."""

EXTENT = 0.8


class JetInspector(pn.viewable.Viewer):
    """Follows the selection's open jet and the analysis' explanation of it."""

    def __init__(
        self, sample: SampleState, selection: SelectionState, analysis: Analysis, **parameters: Any
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.analysis = sample, selection, analysis
        self.particles, self.edges = particles.empty(), graph.empty()
        self.image, self.lund = image.empty(extent=EXTENT), lund.empty()
        self.ledger, self.cells = ledger.empty(), features.empty()
        self.scale, self.cell_scale = particles.relevance_scale(), particles.relevance_scale()
        self.lines, self.features = FactorRange(), FactorRange()
        self.heat = features.heat_figure(self.cells, self.cell_scale, self.features)
        self.who = line("No jet is open; click one in the table or in a histogram.", variant="body1")
        self.sum, self.how, self.lost = (
            line(variant="body2"),
            line(variant="caption"),
            line(variant="caption"),
        )
        # No Tabulator: one in a tab that is not shown fails on new columns and takes the rest of the update with it.
        self.table = pn.pane.DataFrame(
            pd.DataFrame(), index=False, height=380, sizing_mode="stretch_width", styles={"overflow": "auto"}
        )
        self.previous = pmui.Button(label="Previous", variant="outlined", size="small")
        self.next = pmui.Button(label="Next", variant="outlined", size="small")
        self.first = pmui.Button(label="Open the first jet", color="primary", size="small")
        self.content = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        self.below = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        self.strip = pn.Column(sizing_mode="stretch_width", margin=0)
        self.previous.on_click(partial(self._step, -1))
        self.next.on_click(partial(self._step, 1))
        self.first.on_click(partial(self._step, 1))
        selection.param.watch(self._open, "current")
        analysis.param.watch(self._explain, "explanation")
        sample.param.watch(self._say_who, "version")

    def _step(self, by: int, *events: Any) -> None:
        self.selection.step(by)

    def _open(self, *events: Any) -> None:
        jets, current = self.sample.jets, self.selection.current
        with pn.io.hold():
            if current is not None and not len(self.content):
                self.content[:] = self._layout()
                self.below[:] = self._more()
            self.content.visible = self.below.visible = current is not None
            self.first.visible = current is None
            self._say_who()
            if jets is not None and current is not None:
                jet = jets[current]
                self._draw_particles(jet)
                self._draw_representations(jet)
                self._explain()

    def _draw_particles(self, jet: Jets, relevance: np.ndarray | None = None) -> None:
        if relevance is not None:
            limit = symmetric_limit(relevance)
            self.scale.update(low=-limit, high=limit)
        self.particles.data = particles.columns(jet, relevance)

    def _draw_representations(self, jet: Jets) -> None:
        rows = self.particles.data
        links = edges(jet.constituents, NEIGHBOURS)[0]
        self.edges.data = graph.edge_columns(rows["deta"], rows["dphi"], links)
        self.image.data = image.columns(jet_images(jet, extent=EXTENT)[0], EXTENT)
        say(self.lost, f"{float(outside(jet, extent=EXTENT)[0]):.1%} of the jet's pT lies outside the frame.")
        self.lund.data = lund.columns(primary_lund_plane(jet)[0])

    def _explain(self, *events: Any) -> None:
        explanation, jets, current = self.analysis.explanation, self.sample.jets, self.selection.current
        if jets is None or current is None:
            return
        jet = jets[current]
        with pn.io.hold():
            if explanation is None:
                self._forget(jet)
                return
            relevance = particle_relevance(explanation)
            self._draw_particles(jet, relevance)
            self._draw_cells(explanation)
            self._draw_ledger(explanation)
            self.table.object = particle_table(jet, explanation)

    def _draw_cells(self, explanation: Explanation) -> None:
        cells = features.columns(explanation)
        whole = particle_relevance(explanation) is None
        self.heat.xaxis.axis_label = "the whole jet" if whole else "particle, hardest first"
        self.heat.xaxis.major_label_text_alpha = 0 if whole else 1
        limit = symmetric_limit(cells["relevance"])
        self.cell_scale.update(low=-limit, high=limit)
        self.features.factors = list(explanation.feature_names)[::-1]
        self.cells.data = cells

    def _draw_ledger(self, explanation: Explanation) -> None:
        self.strip.visible = True
        books = ledger.columns(explanation.ledger)
        self.lines.factors = list(books["line"])[::-1]
        self.ledger.data = books
        say(self.sum, ledger.sentence(explanation.ledger))
        plain = {k: v for k, v in explanation.how.items() if isinstance(v, str | int | float)}
        say(self.how, ", ".join(f"{name}: {value}" for name, value in plain.items()))

    def _forget(self, jet: Jets) -> None:
        """Relevance of another jet would be wrong on this one, so nothing is shown until its own is there."""
        self.ledger.data, self.cells.data = dict(ledger.empty().data), dict(features.empty().data)
        self.table.object = particle_table(jet, None)
        known = self.analysis.fitted is not None
        self.strip.visible = known
        say(self.sum, "The jet is being explained." if known else "Train a tagger to see what it looks at.")
        say(self.how, "")

    def _say_who(self, *events: Any) -> None:
        jets, current = self.sample.jets, self.selection.current
        if jets is None or current is None:
            say(self.who, "No jet is open; click one in the table or in a histogram.")
            return
        p4, label = jets.p4[current], int(np.asarray(jets.label)[current])
        kind = jets.classes[label] if label >= 0 else "of unknown class"
        score = ""
        if "score" in self.sample.known:
            score = f", score of {self.analysis.signal} {self.sample.column('score')[current]:.3f}"
        say(
            self.who,
            f"Jet {current}: {kind}, pT {p4.pt:.0f} GeV, mass {p4.mass:.0f} GeV, "
            f"{jets.counts[current]} particle{'s' if jets.counts[current] != 1 else ''}{score}.",
        )

    def _layout(self) -> list[Any]:
        # Made when first needed: figures are the larger part of what painting a page takes.
        legend = line(
            "Area: pT. "
            + ", ".join(f"{m}: {k}" for k, m in particles.SHAPES.items())
            + ". Grey: no relevance, as of taggers that see only observables of the whole jet.",
            variant="caption",
        )
        return [picture(particles.map_figure(self.particles, self.scale, EXTENT)), legend]

    def _more(self) -> list[Any]:
        tabs = pmui.Tabs(
            ("Features", picture(self.heat)),
            ("Image", pn.Column(picture(image.image_figure(self.image, image.intensity_scale())), self.lost)),
            ("Graph", picture(graph.graph_figure(self.edges, self.particles, self.scale, EXTENT))),
            ("Lund plane", picture(lund.plane_figure(self.lund))),
            ("Particles", self.table),
            sizing_mode="stretch_width",
            sx=NARROW_TABS,
        )
        self.strip[:] = [picture(ledger.strip_figure(self.ledger, self.lines))]
        books = pane("Ledger: where the score came from", self.strip, self.sum, self.how, name="ledger")
        return [row([books, pane("The same jet, seen otherwise", tabs, name="tabs")], width=380, most=2)]

    @property
    def more(self) -> pn.viewable.Viewable:
        """The open jet's ledger and its other pictures."""
        return self.below

    def __panel__(self) -> pn.viewable.Viewable:
        return pane(
            "What the network looked at: red speaks for the signal, blue against it",
            pn.Row(self.who, self.previous, self.next, self.first, sizing_mode="stretch_width"),
            self.content,
            name="map",
        )


def particle_relevance(explanation: Explanation) -> np.ndarray | None:
    """Returns the relevance of each particle of the only jet, shape (particles,); None where observables were the input."""
    if ak.Array(explanation.features).ndim == 2:
        return None
    return np.asarray(ak.to_numpy(ak.Array(explanation.relevance)[0]), dtype=float)


def particle_table(jet: Jets, explanation: Explanation | None) -> pd.DataFrame:
    """Returns one row per particle of the only jet, hardest first: what it is, and its relevance, in all and by feature."""
    rows = particles.columns(jet)
    table = {
        "particle": rows["particle"],
        "kind": rows["kind"],
        "pT [GeV]": np.round(rows["pt"].astype(float), 2),
        "Δη": np.round(rows["deta"].astype(float), 3),
        "Δφ [rad]": np.round(rows["dphi"].astype(float), 3),
    }
    relevance = None if explanation is None else particle_relevance(explanation)
    if explanation is not None and relevance is not None:
        table["relevance"] = np.round(relevance, 4)
        table |= {f"R({name})": np.round(values, 4) for name, values in features.table(explanation).items()}
    return pd.DataFrame(table)
