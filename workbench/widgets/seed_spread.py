"""Whether networks of other seeds give the same map: how far their maps differ, and whether that spread can be believed."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..physics.bootstrap import Estimate
from ..physics.intervals import ONE_SIGMA
from . import code
from .analysis import PROPAGATION, Analysis, importing
from .menu import Menu
from .networks import Networks, of_runs
from .panes import line, pane, row, say
from .relevance_study import STALE, Task, lacking
from .study import Question, Study
from .table import table, table_pane

SPREAD = "Compare the seeds"
JETS = {"50": 50, "200": 200, "1,000": 1000}
LISTING = "listing the networks of other seeds"
ABOUT = "Networks that were fitted with other seeds are as good; do they look at the same particles? Choose two or more."
FEW = "Choose two networks or more; three tell whether the spread can be believed."
HEAD = ("what", "found", "if the seeds did not matter")


class SeedSpread(pn.viewable.Viewer):
    """One study: several networks explain the same jets in the way of the page.

    Args:
        analysis: The sample, its selection, and the way to explain.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.networks = Networks(analysis, analysis.errands)
        self.chosen = pmui.MultiChoice(label="Networks", options={}, value=[], sizing_mode="stretch_width")
        self.number = pmui.Select(
            label="Jets to explain", options=JETS, value=50, size="small", sizing_mode="stretch_width"
        )
        self.again = pmui.Button(label="List the networks again", variant="text", size="small")
        self.study = Study(SPREAD, self._question, self._take, number=self.number, errands=analysis.errands)
        self.told, self.stale, self.numbers = line(ABOUT), line(variant="caption"), table_pane()
        self.found: Any = None
        self._asked: tuple[Task, str, tuple[str, ...]] | None = None
        self._shown: tuple[Task, str, tuple[str, ...]] | None = None
        self._sources: tuple[str, ...] = ()
        self.again.on_click(lambda _: self.load())
        self.chosen.param.watch(self._follow, "value")
        analysis.param.watch(self._follow, ["fitted", "rule", "method", "attention", "signal", "background"])
        analysis.selection.param.watch(self._follow, "mask")
        analysis.sample.param.watch(self._forget, "jets")
        self._follow()
        self.load()

    def load(self) -> None:
        """Lists the networks there are."""
        self.analysis.errands.send(LISTING, self.networks.listed, self._offer, quiet=True)

    def beat(self) -> None:
        """Takes over what the study has reported; called by the page's timer."""
        self.study.beat()

    def _offer(self, listed: Mapping[str, str]) -> None:
        found = of_runs(listed)
        kept = [name for name in self.chosen.value if name in found.values()]
        self.chosen.param.update(options=found, value=kept)

    def _follow(self, *events: Any) -> None:
        missing = lacking(self.analysis) or ("" if len(self.chosen.value) > 1 else FEW)
        self.study.require(missing)
        now = self.analysis.method, tuple(self.chosen.value)
        shown = self._shown
        old = shown is not None and not (shown[0].of_same_jets(self.analysis) and shown[1:] == now)
        say(self.stale, STALE if old else "")

    def _forget(self, *events: Any) -> None:
        self.found = self._shown = None
        self.numbers.object = ""
        say(self.told, ABOUT)
        self._follow()

    def _question(self, number: int) -> Question:
        task, method = Task.of(self.analysis, number), self.analysis.method
        self._asked = task, method, tuple(self.chosen.value)
        opened = []
        for name in self._asked[2]:
            self.networks.check(name)
            opened.append(self.networks.read(name))
        self._sources = tuple(source for _, _, source, _ in opened)
        judge = import_module("workbench.explanation.seeds").judge_spread
        asked = [fitted for fitted, *_ in opened], task.jets
        return Question(judge, asked, {"method": method, **task.how})

    def _take(self, found: Any) -> None:
        if self._asked is None or self._asked[0].sample is not self.analysis.sample.jets:
            return
        self.found, self._shown = found, self._asked
        task, method, _ = self._asked
        how = f"rule {task.rule}" if method == PROPAGATION else method
        say(
            self.told,
            f"{found.networks} networks, {found.jets:,} jets, score {' − '.join(task.pair)}, {how}; errors by drawing the jets again.",
        )
        self.numbers.object = table(HEAD, self._rows(found))
        self._follow()

    def _rows(self, found: Any) -> list[tuple[str, str, str]]:
        rows = [
            ("spread between networks, as a share of the mean relevance", _written(found.size), "0"),
            ("share of the relevance whose sign all agree on", _written(found.sure), "1"),
        ]
        if found.coverage is not None:
            asked = f"{ONE_SIGMA:.3f}, if the spread can be believed"
            rows.append(("how often one lies within one σ of the others", _written(found.coverage), asked))
        return rows

    def frame(self) -> pd.DataFrame:
        """Returns mean, deviation and agreement in sign of every particle."""
        units = {name: f"{name} [log-odds]" for name in ("relevance", "deviation")}
        return pd.DataFrame(self.found.columns() if self.found is not None else {}).rename(columns=units)

    def code(self) -> str:
        """Returns the lines of Python that compare the networks again."""
        if self._shown is None:
            return code.lines(self.analysis.sample, self.analysis.selection, *self.analysis.lines)
        task, method, _ = self._shown
        named = ", ".join(f"{name}={value!r}" for name, value in {"method": method, **task.how}.items())
        return code.lines(
            self.analysis.sample,
            task.selected,
            "from workbench.explanation.seeds import judge_spread",
            *dict.fromkeys(line for source in self._sources for line in importing(source)),
            *task.drawing,
            f"networks = [{', '.join(self._sources)}]",
            f"found = judge_spread(networks, jets, {named})",
            "print(found.size, found.sure, found.coverage)",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu("seeds", data=self.frame, code=self.code, sample=self.analysis.sample)
        return pane(
            "Do networks of other seeds look at the same particles?",
            row([self.chosen, self.number], width=260, most=2),
            self.again,
            self.study,
            self.told,
            self.numbers,
            name="seeds",
            menu=menu,
            check=self.stale,
        )


def _written(found: Estimate) -> str:
    return f"{float(found.value):.3f} ± {float(found.error):.3f}"
