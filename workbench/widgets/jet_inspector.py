"""One jet opened up: its particles, what the network sees of it, and where its score came from."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..data.explanation import Ledger
from ..data.jets import Jets
from ..state.comparison import ComparisonState
from ..state.display import DisplayState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import ledger, particles
from ..views.features import of_particles
from ..views.palette import symmetric_limit
from . import code
from .analysis import SLOW, Analysis
from .jet_graph import EXTENT
from .jet_images import JET, JetImages
from .jet_views import IMAGE, LESSON_OF_TAB, LINE_OF_TAB, JetViews
from .menu import Menu
from .panes import fill, line, pane, picture, say
from .pulse import Pulse
from .row_table import row_table
from .waterfall import Waterfall
from .ways import EXPLAIN, Ways

PARTICLE_COLUMNS = {
    "particle": "0",
    "kind": "",
    "pT [GeV]": "0.00",
    "Δη": "0.000",
    "Δφ [rad]": "0.000",
    "relevance": "+0.0000",
}
"""Columns of the table of particles, and how their numbers are written."""


class JetInspector(pn.viewable.Viewer):
    """Follows the selection's open jet and the analysis' explanation of it.

    The panel itself is the map of the jet; its ledger, its other pictures and its particles have places of their own,
    `account`, `others` and `listed`.

    `state.picked` is the particle that all pictures and the table mark: a click on it anywhere picks it. While the event
    display shows the whole event, whose particles have other numbers, it does not take part.
    """

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        analysis: Analysis,
        comparison: ComparisonState | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.analysis = sample, selection, analysis
        self.state = DisplayState(pt_min=0.0)
        self.particles, self.scale = particles.empty(), particles.relevance_scale()
        self.waterfall, self.pulse = Waterfall(), Pulse()
        self.images = JetImages(selection, analysis, analysis.errands, comparison)
        self.seen = JetViews(analysis, self.images, (self.particles, self.scale), self._pick)
        self.ways = Ways(analysis)
        self.who = line("No jet is open; click one in the table or in a histogram.", variant="body1")
        self.sum, self.how, self.verdict = line(), line(variant="caption"), line(variant="caption")
        self.previous = pmui.Button(label="Previous", variant="outlined", size="small")
        self.next = pmui.Button(label="Next", variant="outlined", size="small")
        self.first = pmui.Button(label="Open the first jet", color="primary", size="small")
        self.places = [pn.Column(visible=False, sizing_mode="stretch_width", margin=0) for _ in range(4)]
        self.content, self.account, self.others, self.listed = self.places
        self.strip = pn.Column(sizing_mode="stretch_width", margin=0)
        self._panes: list[list[Any]] = []
        self._jet: Jets | None = None
        self._index: int | None = None
        self._rows: dict[str, np.ndarray] = {}
        self._apart = -1
        self._watch()

    def _watch(self) -> None:
        self.previous.on_click(partial(self._step, -1))
        self.next.on_click(partial(self._step, 1))
        self.first.on_click(partial(self._step, 1))
        self.particles.selected.on_change("indices", self._pick_particle)
        self.state.param.watch(self._mark, "picked")
        self.selection.param.watch(self._open, "current")
        self.analysis.param.watch(self._explain, ["explanation", "method"])
        self.sample.param.watch(self._say_who, "version")

    def prepare(self) -> None:
        """Makes the panes of the open jet, unless they are there: figures are the larger part of what opening one takes."""
        if not self._panes:
            self._panes = [self._layout(), *([pane] for pane in self._more())]

    def beat(self) -> None:
        """Takes over what a slow explanation reported, and lists particles late if need be; called by the page's timer."""
        self.pulse.beat()
        self.ways.beat()

    def _step(self, by: int, *events: Any) -> None:
        with pn.io.hold():
            self.selection.step(by)

    def _open(self, *events: Any) -> None:
        jets, current = self.sample.jets, self.selection.current
        with pn.io.hold():
            if current is not None and not len(self.content):
                self.prepare()
                for place, panes in zip(self.places, self._panes, strict=True):
                    fill(place, panes)
            for place in self.places:
                place.visible = current is not None
            self.first.visible = current is None
            self.state.picked = self._apart = -1
            self._say_who()
            self._index = current
            self._jet = None if jets is None or current is None else jets[current]
            if self._jet is not None:
                self._rows = particles.columns(self._jet)
                self._explain()

    def _draw(self, relevance: np.ndarray | None = None) -> None:
        if relevance is not None:
            limit = symmetric_limit(relevance)
            self.scale.update(low=-limit, high=limit)
            self.state.relevance_limit = limit
            self.particles.data = {**self._rows, "relevance": relevance.astype(np.float32)}
        else:
            self.particles.data = self._rows
        # The pictures come first: a table takes a browser longer than all of them.
        self.pulse.then(partial(self._list, relevance))

    def _list(self, relevance: np.ndarray | None) -> None:
        self.table.value = particle_table(self._rows, relevance)
        self._select_row()

    def _explain(self, *events: Any) -> None:
        explanation = self.analysis.explanation
        if self._jet is None or self.selection.current != self._index:
            # The explanation is that of the next jet, which is about to be opened here too.
            return
        with pn.io.hold():
            if explanation is None:
                self._forget()
            else:
                self._draw(of_particles(explanation))
                self._draw_ledger(explanation.ledger)
                plain = {k: v for k, v in explanation.how.items() if isinstance(v, str | int | float)}
                say(self.how, ", ".join(f"{name}: {value}" for name, value in plain.items()))
            self.seen.show(self._jet, explanation, self._rows)
            self._mark()

    def _draw_ledger(self, found: Ledger) -> None:
        self.strip.visible = True
        self.waterfall.show(found)
        say(self.sum, ledger.sentence(found))
        say(self.verdict, ledger.verdict(found))
        self.hatch.visible = ledger.unexplained(found) > ledger.DOUBTED

    def _forget(self) -> None:
        """Relevance of another jet would be wrong on this one, so nothing is shown until its own is there."""
        self._draw()
        self.waterfall.show(None)
        self.hatch.visible = False
        self.strip.visible = self.analysis.fitted is not None
        say(self.sum, self._missing())
        for told in (self.how, self.verdict):
            say(told, "")

    def _missing(self) -> str:
        """Returns why there is no relevance yet."""
        if self.analysis.fitted is None:
            return "Train or open a tagger to see what it looks at."
        if self.analysis.method in SLOW:
            return f"This method takes a while for one jet: press “{EXPLAIN}”."
        return "The jet is being explained."

    @property
    def picked(self) -> int:
        """The particle of the open jet that is marked, or -1."""
        return self._apart if self.state.whole else self.state.picked

    def _pick(self, row: int) -> None:
        if self.state.whole:
            self._apart = row
            self._mark()
        else:
            self.state.picked = row

    def _pick_particle(self, attribute: str, old: list[int], new: list[int]) -> None:
        self._pick(new[0] if new else -1)

    def _pick_row(self, event: Any) -> None:
        self._pick(int(event.row))

    @pn.io.hold()
    def _mark(self, *events: Any) -> None:
        """Marks the picked particle in every picture and in the table."""
        picked = self.picked
        there = [picked] if 0 <= picked < len(self.particles.data["particle"]) else []
        if list(self.particles.selected.indices) != there:
            self.particles.selected.indices = there
        self.seen.mark(picked if there else -1)
        self._select_row()

    def _select_row(self) -> None:
        there = list(self.particles.selected.indices)
        # The rows of the jet before may still be there.
        if (
            len(self.listed)
            and len(self.table.value) == len(self.particles.data["particle"])
            and self.table.selection != there
        ):
            self.table.selection = there

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
        legend = line(
            "Area: pT. "
            + ", ".join(f"{m}: {k}" for k, m in particles.SHAPES.items())
            + ". Grey: no relevance, as of taggers that see only observables of the whole jet.",
            variant="caption",
        )
        self.map = particles.map_figure(self.particles, self.scale, EXTENT)
        self.hatch = ledger.hatch(self.map)
        return [picture(self.map), legend, self.pulse]

    def _more(self) -> tuple[Any, ...]:
        tabs = self.seen.layout()
        self.table = table_of_particles()
        self.table.on_click(self._pick_row)
        self.strip[:] = [self.waterfall]
        books = pane(
            "Ledger: where the score came from",
            self.ways,
            self.strip,
            self.sum,
            self.how,
            name="ledger",
            menu=self._menu("ledger", self._drawn_books, self._books, "print(explanation.ledger)"),
            check=self.verdict,
        )
        seen = pane(
            "The same jet, seen otherwise",
            tabs,
            name="tabs",
            menu=self._menu(
                "tabs",
                self.seen.figure,
                self.seen.numbered,
                "",
                lambda: LESSON_OF_TAB[self.tabs.active],
            ),
        )
        listed = pane(
            "Its particles; click one to mark it everywhere",
            self.table,
            name="particles",
            menu=self._menu("particles", None, lambda: self.table.value, "print(explanation.relevance[0])"),
        )
        return books, seen, listed

    def _menu(
        self,
        name: str,
        figure: Any,
        data: Callable[[], pd.DataFrame],
        last: str,
        shown: Callable[[], str] | None = None,
    ) -> Menu:
        code = partial(self._code, last)
        return Menu(name, figure=figure, data=data, code=code, sample=self.sample, shown=shown)

    def _code(self, last: str) -> str:
        """Returns the lines that explain the open jet and then say `last`; without it, what the open tab shows."""
        index, analysis = self.selection.current or 0, self.analysis
        if not last and self.tabs.active == IMAGE:
            selection = None if self.images.shown.value == JET else self.selection
            return code.lines(self.sample, selection, *self.images.code(), beside=self.images.beside)
        how = ", ".join(f"{name}={value!r}" for name, value in analysis.arguments.items())
        explained = f"explanation = wb.explain(tagger, jets[{index}:{index + 1}], {how})"
        shown = last or LINE_OF_TAB[self.tabs.active].format(index=index)
        return code.lines(self.sample, None, *analysis.lines, explained, shown)

    def _drawn_books(self) -> Waterfall | None:
        return self.waterfall if self.waterfall.drawn else None

    def _books(self) -> pd.DataFrame:
        books = self.waterfall.books
        return pd.DataFrame(
            {"line": books.get("line", ()), "contribution [log-odds]": books.get("amount", ())}
        )

    @property
    def tabs(self) -> pmui.Tabs:
        """The tabs with its other pictures."""
        return self.seen.tabs

    def __panel__(self) -> pn.viewable.Viewable:
        return pane(
            "What the network looked at: red speaks for the signal, blue against it",
            pn.Row(self.who, self.previous, self.next, self.first, sizing_mode="stretch_width"),
            self.content,
            name="map",
            menu=self._menu("map", self._map_figure, self._map_table, "print(explanation.relevance[0])"),
        )

    def _map_figure(self) -> Any:
        return self.map if len(self.content) else None

    def _map_table(self) -> pd.DataFrame:
        return pd.DataFrame(dict(self.particles.data))


def table_of_particles() -> pn.widgets.Tabulator:
    """Returns the table of the particles, without rows; its columns are always the same."""
    return row_table(particle_table(particles.empty().data, None), PARTICLE_COLUMNS, height=380)


def particle_table(rows: Mapping[str, np.ndarray], relevance: np.ndarray | None) -> pd.DataFrame:
    """Returns one row per particle as `particles.columns` gives them: what it is, and its relevance, nan where there is none."""
    values = (
        rows["particle"],
        rows["kind"],
        np.round(rows["pt"].astype(float), 2),
        np.round(rows["deta"].astype(float), 3),
        np.round(rows["dphi"].astype(float), 3),
        np.full(len(rows["pt"]), np.nan) if relevance is None else np.round(relevance, 4),
    )
    return pd.DataFrame(dict(zip(PARTICLE_COLUMNS, values, strict=True)))
