"""Infrared and collinear safety of the page's tagger over the sample, measured in a worker."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from ..views import emissions as views
from . import code
from .analysis import Analysis
from .errands import public
from .menu import Menu
from .panes import fill, line, pane, picture, row, say
from .study import Question, Study
from .table import table, table_pane
from .text import with_error

JETS = (300, 1_000, 3_000)
"""Numbers of jets that can be asked for."""

DRAWN_BY = 0
"""Seed by which they are drawn."""

KINDS = {
    "soft emission": ("momentum fraction of the soft particle", True),
    "collinear split": ("angle of the split pair in (η, φ)", False),
}
"""What stands at the axis of each kind of emission, and whether it is logarithmic."""

ABOUT = (
    "Does the score stay when a particle without momentum is added, or one is split into two that fly together? "
    "What perturbative QCD can predict does."
)
HEAD = ("emission", "strength", "mean |change| [log-odds]", "mean change [log-odds]")


class EmissionSafety(pn.viewable.Viewer):
    """One study: a soft photon, and a split in two, in each jet; forgotten when tagger, score or sample change.

    Args:
        analysis: Tagger and sample.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.found: tuple[Any, ...] = ()
        self._asked: tuple[Any, ...] = ()
        self.jets = pmui.Select(
            label="Jets drawn", options={f"{n:,}": n for n in JETS}, value=JETS[0], size="small", width=150
        )
        self.study = Study(
            "Measure the safety", self._question, self._take, number=self.jets, errands=analysis.errands
        )
        self.sources = {kind: views.empty() for kind in KINDS}
        self.told, self.check = line(ABOUT), line(variant="caption")
        self.table = table_pane()
        self.content = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        analysis.param.watch(self._forget, ["fitted", "signal", "background"])
        analysis.sample.param.watch(self._forget, "jets")
        self._forget()

    def beat(self) -> None:
        """Takes over what the study has reported; called by the page's timer."""
        self.study.beat()

    @property
    def _now(self) -> tuple[Any, ...]:
        return (self.analysis.fitted, self.analysis.sample.jets, self.analysis.seed)

    def _chosen(self, jets: Jets, number: int) -> Jets:
        order = np.random.default_rng(DRAWN_BY).permutation(len(jets))
        return jets[np.sort(order[:number])]

    def _question(self, number: int) -> Question:
        self._asked = fitted, jets, seed = self._now
        return Question(public("irc_safety"), (fitted, self._chosen(jets, number), seed))

    def _take(self, found: tuple[Any, ...]) -> None:
        fitted, jets, seed = self._asked
        if fitted is not self._now[0] or jets is not self._now[1] or seed != self._now[2]:
            return
        self.found = found
        with pn.io.hold():
            if not len(self.content):
                fill(self.content, self._layout())
            known = {safety.emission: views.columns(safety.columns()) for safety in found}
            for kind, source in self.sources.items():
                source.data = known.get(kind, dict(views.empty().data))
            self.table.object = table(HEAD, [cells for safety in found for cells in _rows(safety)])
            self.content.visible = True
            say(self.told, " ".join(safety.sentence for safety in found))
            used, out = len(found[0].score), found[0].left_out
            left = f"; {out:,} without particles were left out" if out else ""
            draws = f"errors from {found[0].draws} bootstrap samples of the jets"
            say(
                self.check,
                f"{used:,} jets{left}; {draws}; the scores of these jets spread by {found[0].spread:.2f} log-odds.",
            )

    def _forget(self, *events: Any) -> None:
        self.found = ()
        with pn.io.hold():
            self.content.visible = False
            say(self.told, ABOUT)
            say(self.check, "")
        jets = self.analysis.sample.jets
        no_jets = "Choose a sample first." if jets is None or not len(jets) else ""
        self.study.require("Train or open a tagger first." if self.analysis.fitted is None else no_jets)

    def _layout(self) -> list[Any]:
        self.figures = {
            kind: views.change_figure(self.sources[kind], x, kind.replace(" ", "-"), logarithmic=logarithmic)
            for kind, (x, logarithmic) in KINDS.items()
        }
        return [row([picture(plot) for plot in self.figures.values()], width=330, most=2), self.table]

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "emissions",
            figure=lambda: list(self.figures.values()) if self.found else None,
            data=self._numbers,
            code=self._code,
            sample=self.analysis.sample,
        )
        return pane(
            "What soft and collinear emissions do to the score",
            self.told,
            pn.Row(self.jets, self.study, sizing_mode="stretch_width"),
            self.content,
            name="emissions",
            menu=menu,
            check=self.check,
        )

    def _numbers(self) -> pd.DataFrame:
        parts = [pd.DataFrame({"emission": safety.emission, **safety.columns()}) for safety in self.found]
        units = {name: f"{name} [log-odds]" for name in ("size", "size_error", "drift", "drift_error")}
        return pd.concat(parts, ignore_index=True).rename(columns=units) if parts else pd.DataFrame()

    def _code(self) -> str:
        return code.lines(
            self.analysis.sample,
            None,
            "import numpy as np",
            *self.analysis.lines,
            f"order = np.random.default_rng({DRAWN_BY}).permutation(len(jets))",
            f"jets = jets[np.sort(order[:{self.jets.value}])]",
            f"for safety in wb.irc_safety(tagger, jets, {self.analysis.seed!r}):",
            "    print(safety.sentence)",
        )


def _rows(safety: Any) -> list[tuple[str, ...]]:
    found = safety.columns()
    return [
        (
            safety.emission,
            f"{value:g}",
            with_error(found["size"][i], found["size_error"][i]),
            with_error(found["drift"][i], found["drift_error"][i]),
        )
        for i, value in enumerate(found["value"])
    ]
