"""What if the jet were another: its particles edited by hand, and the score, its ledger and the graph that follow."""

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..errors import WorkbenchError
from ..explanation.edits import CAME_FROM, EDITS, PARTICLE, edited
from ..physics.graphs import edges
from ..state.edits import Edit, EditHistory
from ..views import edited as views
from ..views import graph, ledger, particles
from ..views.features import of_particles
from ..views.palette import symmetric_limit
from . import code
from .analysis import EDITING, PATIENCE, PROPAGATION, SLOW, Analysis
from .edit_tools import EditTools
from .emissions import EmissionSafety
from .errands import public
from .jet_graph import NEIGHBOURS
from .jet_inspector import particle_table, table_of_particles
from .menu import Menu
from .panes import fill, fold, line, pane, picture, row, say
from .table import table, table_pane
from .waterfall import Waterfall

SIDES = ("before", "after")
NOBODY = "No jet is open; open one to edit it."


class WhatIf(pn.viewable.Viewer):
    """Follows the open jet of the selection and the rule and score of the analysis.

    An edit acts on the picked particle, which a click in either picture, in the table or a number picks. A slider moved right
    after its edit moves that edit, live; every edit is one step of undo.

    Args:
        analysis: The tagger, the sample and its open jet.
    """

    picked: int = param.Integer(
        default=0, bounds=(-1, None), doc="Place of the picked particle in the edited jet, or -1."
    )

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis, self.history = analysis, EditHistory()
        self.sources = {side: views.empty() for side in SIDES}
        self.graphs = {side: graph.empty() for side in SIDES}
        self.strips = {side: Waterfall() for side in SIDES}
        self.scale = particles.relevance_scale()
        self.tools, self.emissions = EditTools(self.do, self.move), EmissionSafety(analysis)
        self.verdict, self.notice = line(variant="body1"), line(variant="body2")
        self.told = line(variant="body2")
        self.who, self.check = line(NOBODY, variant="body1"), line(variant="caption")
        self.undo, self.redo, self.reset = (
            pmui.Button(label=label, variant="outlined", size="small", disabled=True)
            for label in ("Undo", "Redo", "Reset")
        )
        self.follows = pmui.Checkbox(
            label="The jet's four-momentum follows its particles", value=True, size="small"
        )
        self.number = pmui.IntInput(label="Picked particle", value=1, start=1, end=1, size="small", width=150)
        self.neighbours = pmui.IntSlider(
            label="Neighbours drawn", start=1, end=24, value=NEIGHBOURS, size="small", width=200
        )
        self.first = pmui.Button(label="Open the first jet", color="primary", size="small")
        self.content = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        self.steps = table_pane()
        self._jet: Jets | None = None
        self._index: int | None = None
        self._chain: list[tuple[Edit, Jets]] = []
        self._hot = ""
        self._shown: dict[str, tuple[Jets, Explanation | None]] = {}
        self._linked: dict[str, tuple[Jets, int]] = {}
        self._watch()
        self._open()

    def _watch(self) -> None:
        self.undo.on_click(lambda _: self.history.undo())
        self.redo.on_click(lambda _: self.history.redo())
        self.reset.on_click(lambda _: self.history.reset())
        self.first.on_click(self._begin)
        self.follows.param.watch(lambda event: self.history.param.update(follows=event.new), "value")
        self.history.param.watch(lambda event: self.follows.param.update(value=event.new), "follows")
        self.history.param.watch(self._replay, ["done", "follows"])
        self.number.param.watch(lambda event: self.param.update(picked=(event.new or 1) - 1), "value")
        self.neighbours.param.watch(lambda event: self._draw_graphs(), "value")
        self.param.watch(self._mark, "picked")
        for side, source in self.sources.items():
            source.selected.on_change("indices", lambda name, old, new, side=side: self._tapped(side, new))
        self.analysis.selection.param.watch(self._open, "current")
        self.analysis.sample.param.watch(self._open, "jets")
        self.analysis.param.watch(self._explain, ["explanation", "fitted"])
        self.analysis.param.watch(self._explain_unasked, ["signal", "background", "opposed", "attention"])

    def _begin(self, *events: Any) -> None:
        self.analysis.selection.step(1)

    @property
    def jet(self) -> Jets | None:
        """The edited jet, a sample of one; None while no jet is open."""
        return self._chain[-1][1] if self._chain else self._jet

    @property
    def explanation(self) -> Explanation | None:
        """Of the edited jet; None while there is none."""
        return self._shown.get("after", (None, None))[1]

    @property
    def choices(self) -> dict[str, Any]:
        """What can be chosen, by its name in a link."""
        return {"neighbours": self.neighbours, "jets": self.emissions.jets}

    def beat(self) -> None:
        """Takes over what the measurement over the sample has reported; called by the page's timer."""
        self.emissions.beat()

    def do(self, name: str, *numbers: float) -> None:
        """Does an edit; what it takes besides the picked particle is given."""
        if self._jet is None:
            return
        target = (self.picked,) if EDITS[name][1][0] is PARTICLE else ()
        self._hot = name
        try:
            self.history.do(name, *target, *numbers)
        except WorkbenchError as error:
            say(self.notice, str(error))

    def move(self, name: str, *numbers: float) -> None:
        """Moves the newest edit, if it is of this name and nothing else was done since."""
        if self._hot == name and self.history.done and self.history.done[-1][0] == name:
            target = self.history.done[-1][1:2] if EDITS[name][1][0] is PARTICLE else ()
            self.history.amend(name, *target, *numbers)  # type: ignore[arg-type]

    def pick(self, original: int) -> None:
        """Picks the particle that was at this place before the jet was edited; none if it was dropped."""
        found = np.flatnonzero(self._places() == original)
        self.picked = int(found[0]) if found.size else -1

    def _places(self) -> np.ndarray:
        """Returns where each particle of the edited jet was before, shape (particles,); -1 for new ones."""
        if self.jet is None:
            return np.zeros(0, dtype=int)
        if not self._chain:
            return np.arange(self.jet.counts[0])
        return ak.to_numpy(self.jet.columns[CAME_FROM][0])

    def _open(self, *events: Any) -> None:
        jets, current = self.analysis.sample.jets, self.analysis.selection.current
        with pn.io.hold():
            if current is not None and not len(self.content):
                fill(self.content, self._layout())
            there = jets is not None and current is not None
            self.content.visible, self.first.visible = there, not there
            self._jet = jets[current : current + 1] if there else None  # type: ignore[index, operator]
            self._index = current
            self._chain, self._hot = [], ""
            self._shown.clear()
            self.history.clear()
            say(self.notice, "")
            say(self.who, NOBODY)
            if there:
                self.picked = 0
                self._replay()

    @pn.io.hold()
    def _replay(self, *events: Any) -> None:
        """Does the edits of the history that are not done yet; one that cannot be done leaves it, with a sentence."""
        if self._jet is None:
            return
        if any(event.name == "follows" for event in events):
            self._chain = []
        wanted, known = self.history.done, 0
        while known < min(len(wanted), len(self._chain)) and self._chain[known][0] == wanted[known]:
            known += 1
        before = self._places()[self.picked] if 0 <= self.picked < len(self._places()) else -1
        self._chain, axis = self._chain[:known], "follows" if self.history.follows else "kept"
        try:
            for edit in wanted[known:]:
                self._chain.append((edit, edited(self.jet, [edit], axis=axis)))  # type: ignore[arg-type]
        except WorkbenchError as error:
            self.history.done = wanted[: len(self._chain)]
            say(self.notice, str(error))
            return
        if events:
            say(self.notice, "")
        self._repick(int(before))
        self._allow()
        self._explain()

    def _repick(self, before: int) -> None:
        """Keeps the picked particle through an edit; of one that is gone the hardest takes the place."""
        found = np.flatnonzero(self._places() == before) if before >= 0 else np.zeros(0, int)
        n = len(self._places())
        self.number.param.update(end=max(1, n), disabled=n == 0)
        self.picked = int(found[0]) if found.size else min(max(self.picked, 0), n - 1)

    def _allow(self) -> None:
        history = self.history
        self.undo.disabled = self.reset.disabled = not history.done
        self.redo.disabled = not history.undone
        self.tools.allow(len(self._places()))
        start = len(self._jet.origin.steps) if self._jet is not None else 0
        done = self.jet.origin.steps[start:] if self.jet is not None else ()
        self.steps.object = (
            table(("", "What was done"), [(i, step) for i, step in enumerate(done, 1)]) if done else ""
        )

    def _explain(self, *events: Any) -> None:
        """Draws the jet once its explanation is there; until then the old picture stays."""
        analysis, jet, before = self.analysis, self.jet, self._jet
        if jet is None or before is None or analysis.selection.current != self._index:
            # The explanation is that of the next jet, which is about to be opened here too.
            return
        if analysis.fitted is None:
            self._take(before, jet, None, None)
            return
        slow = analysis.method in SLOW
        known = None if slow else analysis.explanation
        if self._chain or slow:
            self._send(before, jet, known)
        elif known is not None:
            analysis.errands.drop(EDITING)
            self._take(before, jet, known, known)

    def _explain_unasked(self, *events: Any) -> None:
        """Explains the score that is looked at now, where the page waits to be asked for its own explanation."""
        if self.analysis.method in SLOW:
            self._explain()

    def _send(self, before: Jets, after: Jets, known: Explanation | None) -> None:
        """Explains the edited jet in the session's thread; the jet before too, where that is not known."""
        fitted, arguments = self.analysis.fitted, self._arguments

        def explained() -> Any:
            try:
                explain = public("explain")
                first = explain(fitted, before, **arguments) if known is None else known
                return first, explain(fitted, after, **arguments) if after is not before else first
            except WorkbenchError as error:
                return error

        def taken(found: Any) -> None:
            if after is not self.jet or fitted is not self.analysis.fitted:
                return
            if isinstance(found, WorkbenchError):
                say(self.notice, str(found))
            else:
                self._take(before, after, *found)

        self.analysis.errands.send(EDITING, explained, taken, patience=PATIENCE)

    @property
    def _arguments(self) -> dict[str, Any]:
        """How the edited jet is explained: as the page does, but propagated where the page's method takes too long."""
        chosen = {name: value for name, value in self.analysis.arguments.items() if name != "record"}
        return {**chosen, "method": PROPAGATION} if self.analysis.method in SLOW else chosen

    def _take(self, before: Jets, after: Jets, *found: Explanation | None) -> None:
        self._shown = dict(zip(SIDES, zip((before, after), found, strict=True), strict=True))
        with pn.io.hold():
            self._draw()
            self._draw_graphs()
            self._draw_books()
            say(self.who, self._who(before, after))
            say(self.verdict, self._verdict())
            self._mark()

    def _draw(self) -> None:
        relevance = {
            side: None if why is None else of_particles(why) for side, (_, why) in self._shown.items()
        }
        known = [values for values in relevance.values() if values is not None]
        limit = symmetric_limit(np.concatenate(known) if known else np.zeros(0))
        self.scale.update(low=-limit, high=limit)
        hardest = max(float(ak.max(jet.constituents.pt, axis=None) or 0) for jet, _ in self._shown.values())
        for side, (jet, _) in self._shown.items():
            places = self._places() if side == "after" else np.arange(jet.counts[0])
            marked = places < 0 if side == "after" else ~np.isin(places, self._places())
            self.sources[side].data = views.columns(jet, hardest, relevance[side], marked, places)
        self.table.value = particle_table(self.sources["after"].data, relevance["after"])

    @pn.io.hold()
    def _draw_graphs(self) -> None:
        for side, (jet, _) in self._shown.items():
            number, drawn = self.neighbours.value, self._linked.get(side)
            if drawn is not None and drawn[0] is jet and drawn[1] == number:
                continue
            self._linked[side] = jet, number
            rows, links = self.sources[side].data, edges(jet.constituents, number)[0]
            self.graphs[side].data = graph.edge_columns(rows["deta"], rows["dphi"], links)

    def _draw_books(self) -> None:
        books = {side: why.ledger for side, (_, why) in self._shown.items() if why is not None}
        for side in SIDES:
            self.strips[side].show(books.get(side), list(books.values()))
        after = self.explanation
        say(self.check, "" if after is None else ledger.verdict(after.ledger))

    def _who(self, *jets: Jets) -> str:
        """Returns what the jet was and what it is in one sentence."""
        pt, mass, count = (
            " → ".join(dict.fromkeys(words))
            for words in (
                [f"{jet.p4.pt[0]:.0f}" for jet in jets],
                [f"{jet.p4.mass[0]:.0f}" for jet in jets],
                [f"{jet.counts[0]}" for jet in jets],
            )
        )
        return (
            f"Jet {self._index}: pT {pt} GeV, mass {mass} GeV, {count} particle{'' if count == '1' else 's'}."
        )

    def _verdict(self) -> str:
        """Returns the score before and after in one sentence."""
        explanations = [why for _, why in self._shown.values()]
        if any(why is None for why in explanations):
            return "Choose or train a tagger to see its score follow the edits."
        first, last = (float(why.ledger.score[0]) for why in explanations if why is not None)
        before, after = (1 / (1 + np.exp(-score)) for score in (first, last))
        analysis = self.analysis
        two = len(analysis.fitted.classes) == 2 and analysis.opposed != "nothing"
        share = f"; probability of {analysis.signal} {before:.3f} → {after:.3f}" if two else ""
        against = {"nothing": "alone", "others": "against the mean of all others"}
        score = f"Score {analysis.signal} {against.get(analysis.opposed, f'against {analysis.background}')}"
        if not self._chain:
            return f"{score}: {first:+.3f} log-odds{f', probability of {analysis.signal} {before:.3f}' if two else ''}; not edited yet."
        return f"{score}: {first:+.3f} → {last:+.3f} log-odds, a change of {last - first:+.3f}{share}."

    @pn.io.hold()
    def _tapped(self, side: str, rows: list[int]) -> None:
        if not rows:
            return
        if side == "before":
            self.pick(rows[0])
        else:
            self.picked = rows[0]
        self._mark()

    @pn.io.hold()
    def _mark(self, *events: Any) -> None:
        """Marks the picked particle in both pictures, in the table and in the number."""
        places = self._places()
        there = [self.picked] if 0 <= self.picked < len(places) else []
        origin = [int(places[row]) for row in there if places[row] >= 0]
        for side, rows in zip(SIDES, (origin, there), strict=True):
            shown = [row for row in rows if row < len(self.sources[side].data["particle"])]
            if list(self.sources[side].selected.indices) != shown:
                self.sources[side].selected.indices = shown
        if (
            len(self.content)
            and self.table.selection != there
            and len(self.table.value) > max(there, default=-1)
        ):
            self.table.selection = there
        if there and self.number.value != self.picked + 1:
            self.number.value = self.picked + 1
        self._tell(there)

    def _tell(self, there: list[int]) -> None:
        """Says which particle is picked."""
        rows = self.sources["after"].data
        if not there or there[0] >= len(rows["pt"]):
            say(self.told, "The jet has no particles left; add one." if not len(self._places()) else "")
            return
        pt, relevance = (float(rows[name][there[0]]) for name in ("pt", "relevance"))
        share = f", relevance {relevance:+.3f} log-odds" if np.isfinite(relevance) else ""
        say(self.told, f"Picked: particle {there[0] + 1}, {rows['kind'][there[0]]}, {pt:.1f} GeV{share}.")

    def _layout(self) -> list[Any]:
        # Made when the first jet is opened: figures are the larger part of what painting a page takes.
        self.maps = {
            side: views.map_figure(self.sources[side], self.graphs[side], self.scale, side) for side in SIDES
        }
        for axis in ("x_range", "y_range"):
            setattr(self.maps["after"], axis, getattr(self.maps["before"], axis))
        self.table = table_of_particles()
        self.table.on_click(lambda event: self.param.update(picked=int(event.row)))
        pictures = [
            pn.Column(
                line(title, variant="subtitle2"),
                picture(self.maps[side]),
                self.strips[side],
                sizing_mode="stretch_width",
                margin=0,
            )
            for side, title in zip(
                SIDES,
                ("Before; what was dropped has a dashed ring", "After; what is new has a dashed ring"),
                strict=True,
            )
        ]
        steps = pn.Row(self.undo, self.redo, self.reset, margin=0)
        buttons = row([steps, self.number, self.follows, self.neighbours], width=220, most=4)
        listed = fold("Particles of the edited jet", self.table)
        return [
            self.verdict,
            row(pictures, width=330, most=2),
            buttons,
            self.told,
            self.notice,
            self.tools,
            self.steps,
            listed,
        ]

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "what-if",
            figure=self._pictures,
            data=self._numbers,
            code=self._code,
            sample=self.analysis.sample,
        )
        edited_jet = pane(
            "What if the jet were another? Edit it, and its score follows",
            pn.Row(self.who, self.first, sizing_mode="stretch_width", margin=0),
            self.content,
            name="what-if",
            menu=menu,
            check=self.check,
        )
        return row([edited_jet, self.emissions], width=400, most=1)

    def _pictures(self) -> list[Any] | None:
        books = [strip for strip in self.strips.values() if strip.drawn]
        return [*self.maps.values(), *books] if len(self.content) else None

    def _numbers(self) -> pd.DataFrame:
        """Returns one row per particle of both jets, with units."""
        units = {"pt": "pT [GeV]", "deta": "Δη", "dphi": "Δφ [rad]", "relevance": "relevance [log-odds]"}
        kept = ["jet", "particle", "before", "kind", *units]
        parts = [pd.DataFrame(_told(source.data)).assign(jet=side) for side, source in self.sources.items()]
        return pd.concat(parts, ignore_index=True)[kept].rename(columns=units)

    def _code(self) -> str:
        analysis, index = self.analysis, self.analysis.selection.current or 0
        axis = "follows" if self.history.follows else "kept"
        named = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return code.lines(
            analysis.sample,
            None,
            "from workbench.explanation.edits import edited",
            *analysis.lines,
            f"jet = jets[{index}:{index + 1}]",
            f"after = edited(jet, {self.history.done!r}, axis={axis!r})",
            f"explanation = wb.explain(tagger, after, {named})",
            "print(explanation.ledger)",
        )


def _told(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns that are numbers of physics or words, not ways of drawing."""
    return {name: values for name, values in columns.items() if name not in ("size", "ring", "marker")}
