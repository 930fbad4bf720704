"""Can this way to explain be trusted? Its checks over a sample, with a verdict each, and the pictures behind them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import FactorRange, UIElement

from ..explanation.ways import way_of
from ..views import agreement, deletion, forgetting
from . import code
from .analysis import Analysis
from .errands import public
from .menu import Menu
from .panes import fill, fold, line, pane, picture, row, say
from .relevance_study import Task, lacking
from .seed_spread import SeedSpread
from .study import Question, Study
from .table import table, table_pane
from .ways import UNNAMED

CHECK = "Check this way to explain"
JETS = {"50": 50, "100": 100, "300": 300}
SIGNS = {"holds": "✓ holds", "doubtful": "! doubtful", "fails": "✗ fails"}
"""Verdicts, told by sign and word."""

NOT_YET = f"Not checked yet: press “{CHECK}”."
STALE = "The page now shows another tagger, sample, selection, score or way to explain than was checked; check again."
BLIND = "This rule cannot tell signal from background."


class Trust(pn.viewable.Viewer):
    """Judges the way to explain that the page shows, over some of the selected jets, when asked to.

    Args:
        analysis: The tagger, sample, rule and method that are looked at.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.number = pmui.Select(
            label="Jets to check on", options=JETS, value=50, size="small", sizing_mode="stretch_width"
        )
        self.kind = pmui.Select(
            label="Compare by",
            options={words: name for name, words in agreement.KINDS.items()},
            value="rank",
            size="small",
            width=260,
        )
        self.study = Study(CHECK, self._question, self._take, number=self.number, errands=analysis.errands)
        self.told, self.stale = line(NOT_YET, variant="body2"), line(variant="caption")
        self.badges, self.missing = table_pane(), line(variant="caption")
        self.badges.stylesheets = [*self.badges.stylesheets, ":host td:nth-child(2) { white-space: nowrap; }"]
        self.warning = pmui.Alert(
            line(BLIND, margin=0),
            severity="warning",
            visible=False,
            sizing_mode="stretch_width",
            margin=(2, 6),
        )
        self.seeds = SeedSpread(analysis)
        self.pictures = pn.Column(sizing_mode="stretch_width", margin=0)
        self.found: Any = None
        self._asked: tuple[Task, str] | None = None
        self._shown: tuple[Task, str] | None = None
        self.kind.param.watch(lambda _: self._draw_agreement(), "value")
        watched = ["fitted", "rule", "method", "attention", "signal", "background"]
        analysis.param.watch(self._follow, watched)
        analysis.selection.param.watch(self._follow, "mask")
        analysis.sample.param.watch(self._forget, "jets")
        self._follow()

    @property
    def way(self) -> str:
        """Name of the way to explain that the page shows, "" if it has none."""
        return way_of(self.analysis.rule, self.analysis.method, self.analysis.attention)

    @property
    def choices(self) -> dict[str, Any]:
        """What can be chosen, by its name in a link."""
        return {
            "jets": self.number,
            "by": self.kind,
            "networks": self.seeds.chosen,
            "network-jets": self.seeds.number,
        }

    def beat(self) -> None:
        """Takes over what the study has reported; called by the page's timer."""
        self.study.beat()
        self.seeds.beat()

    def _follow(self, *events: Any) -> None:
        self.study.require(lacking(self.analysis) or ("" if self.way else UNNAMED))
        shown = self._shown
        old = shown is not None and not (shown[0].still(self.analysis) and shown[1] == self.way)
        say(self.stale, STALE if old else "")

    def _forget(self, *events: Any) -> None:
        self.found = self._shown = None
        self.warning.visible = False
        self.badges.object = ""
        self.pictures[:] = []
        say(self.told, NOT_YET)
        say(self.missing, "")
        self._follow()

    def _question(self, number: int) -> Question:
        task, way = Task.of(self.analysis, number), self.way
        self._asked = task, way
        return Question(public("assess"), (task.fitted, task.jets), {"way": way, "score": task.pair})

    def _take(self, found: Any) -> None:
        if self._asked is None or self._asked[0].sample is not self.analysis.sample.jets:
            return
        self.show(found)
        self._shown = self._asked
        self._follow()

    def show(self, found: Any) -> None:
        """Shows what `assess` found."""
        self.found = found
        title = f"{self._asked[0].title}: " if self._asked is not None and self._asked[0].title else ""
        say(self.told, f"{title}{found.way} on {found.jets:,} jets; errors by drawing the jets again.")
        self.warning.visible = found.blind
        self.badges.object = table(["Check", "Verdict", "What was found"], self._rows())
        missing = [f"{name}: {why}" for name, why in found.missing.items()]
        say(self.missing, " ".join(["Not made:", *missing]) if missing else "")
        if not len(self.pictures):
            fill(self.pictures, self._build())
        self._draw()

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(badge.check, SIGNS[badge.verdict], badge.sentence) for badge in self.found.badges]

    def _build(self) -> list[Any]:
        # Made with the first result: figures are the larger part of what painting costs.
        self.cells, self.curves, self.layers = agreement.empty(), deletion.empty(), forgetting.empty()
        self.across, self.down, self.names = FactorRange(), FactorRange(), FactorRange()
        self.matrix = agreement.matrix_figure(self.cells, self.across, self.down)
        self.taken = deletion.deletion_figure(self.curves)
        self.left = forgetting.forgetting_figure(self.layers, self.names)
        self.weakest, self.area, self.head = (line(variant="body2") for _ in range(3))
        self.numbers = table_pane()
        panes = [
            pane(
                "Do other ways say the same?",
                self.kind,
                picture(self.matrix),
                name="agreement",
                menu=self._menu("agreement", "agreement", self.matrix),
                check=self.weakest,
            ),
            pane(
                "Does the score follow when particles are taken away?",
                picture(self.taken),
                fold("As a table", self.numbers),
                name="deletion",
                menu=self._menu("deletion", "curves", self.taken),
                check=self.area,
            ),
            pane(
                "What is left of the map when the network forgets?",
                picture(self.left),
                name="forgetting",
                menu=self._menu("forgetting", "randomisation", self.left),
                check=self.head,
            ),
        ]
        return [row(panes, width=360, most=3)]

    def _menu(self, name: str, part: str, plot: UIElement) -> Menu:
        return Menu(
            name,
            figure=lambda: plot,
            data=lambda: self._frame(part),
            code=lambda: self.code(f"print(found.{part}.frame())"),
            sample=self.analysis.sample,
        )

    def _frame(self, part: str) -> pd.DataFrame:
        made = getattr(self.found, part)
        return pd.DataFrame() if made is None else made.frame()

    def code(self, last: str = "print(found.badges)") -> str:
        """Returns the lines of Python that make these checks again."""
        if self._shown is not None:
            task, way = self._shown
        else:
            task, way = Task.of(self.analysis, self.number.value), self.way
        asked = f"found = wb.assess(tagger, jets, way={way!r}, score={task.pair!r})"
        return code.lines(self.analysis.sample, task.selected, *task.draw, asked, last)

    def _draw(self) -> None:
        with pn.io.hold():
            self._draw_agreement()
            self._draw_curves()
            self._draw_layers()

    @pn.io.hold()
    def _draw_agreement(self) -> None:
        if not len(self.pictures):
            return
        found = self.found.agreement
        ways = [] if found is None else list(found.ways)
        self.across.factors, self.down.factors = ways, ways[::-1]
        self.cells.data = (
            dict(agreement.empty().data)
            if found is None
            else agreement.columns(found.columns(), self.kind.value)
        )
        if found is None or len(ways) < 2:
            say(self.weakest, "Nothing was compared.")
            return
        first, second, value, error = found.weakest
        say(self.weakest, f"Least alike: {first} and {second}, rank correlation {value:.2f} ± {error:.2f}.")

    def _draw_curves(self) -> None:
        found = self.found.curves
        rows = None if found is None else found.columns()
        for order, source in self.curves.items():
            source.data = dict(deletion.EMPTY) if rows is None else deletion.columns(rows, order)
        if found is None or rows is None:
            say(self.area, "Not measured.")
            self.numbers.object = ""
            return
        gaps = {name: f"{gap.value:.2f} ± {gap.error:.2f}" for name, gap in found.gaps.items()}
        say(
            self.area,
            f"Area to any order: {gaps['most']} (most relevant first), {gaps['least']} (least first) log-odds. "
            "The score is that for what the tagger chose; neighbours are found again.",
        )
        self.numbers.object = table(
            ["Taken away", *(label for label, *_ in deletion.STYLES.values())], _steps(rows)
        )

    def _draw_layers(self) -> None:
        found = self.found.randomisation
        if found is None:
            self.names.factors, self.layers.data = [], dict(forgetting.empty().data)
            say(self.head, "Not measured.")
            return
        rows = {name: column.to_numpy() for name, column in found.frame().items()}
        self.names.factors = list(found.layers)[::-1]
        self.layers.data = forgetting.columns(rows)
        head = found.head
        say(
            self.head,
            f"With the classifier drawn anew {head.value:.2f} ± {head.error:.2f} is left; beyond the dashed line the "
            "map cannot tell signal from background.",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "trust",
            data=lambda: pd.DataFrame(
                self._rows() if self.found else [], columns=["check", "verdict", "found"]
            ),
            code=self.code,
            sample=self.analysis.sample,
        )
        judged = pane(
            "Can you trust this map?",
            row([self.number, self.study], width=200, most=2),
            self.told,
            self.warning,
            self.badges,
            self.missing,
            name="trust",
            menu=menu,
            check=self.stale,
        )
        return pn.Column(judged, self.pictures, self.seeds, sizing_mode="stretch_width", margin=0)


def _steps(rows: dict[str, np.ndarray]) -> list[Sequence[str]]:
    """Returns one row per step: what is taken away, and the change of the score in each order."""
    shares = rows["fraction"][rows["order"] == "most"]
    written = {
        order: [
            f"{value:+.2f} ± {error:.2f}"
            for value, error in zip(
                rows["change"][rows["order"] == order],
                np.nan_to_num(rows["error"][rows["order"] == order]),
                strict=True,
            )
        ]
        for order in deletion.STYLES
    }
    return [(f"{share:.0%}", *(written[order][n] for order in written)) for n, share in enumerate(shares)]
