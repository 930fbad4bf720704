"""What a network uses, over many jets: one study, and the panes that show what it found."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..jobs.folder import cache_folder
from .analysis import Analysis
from .errands import public
from .menu import Menu
from .panes import line, pane, row, say
from .relevance_maps import MapsPane
from .relevance_pairs import PairsPane
from .relevance_profiles import ProfilesPane
from .relevance_shares import LedgerPane, SharesPane
from .relevance_study import STALE, Task, lacking
from .study import Question, Study

MEASURE = "Measure what the network uses"
JETS = {"500": 500, "2,000": 2000, "10,000": 10_000, "all that are selected": 0}

KEPT = 2_000_000_000
"""Bytes of explanations that are kept, so that what was explained once is not explained again; 10,000 jets take about 30 MB."""


class Aggregates(pn.viewable.Viewer):
    """Shares, mean images, books, pairs and profiles over the selected jets; measured when asked for.

    Args:
        analysis: The tagger, sample and selection that are looked at.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.number = pmui.Select(
            label="Jets to measure",
            options=JETS,
            value=2000,
            size="small",
            sizing_mode="stretch_width",
            margin=(4, 6),
        )
        self.study = Study(MEASURE, self._question, self._take, number=self.number, errands=analysis.errands)
        self.stale = line(variant="caption")
        common: dict[str, Any] = {"analysis": analysis}
        self.shares, self.maps = SharesPane(button=MEASURE, **common), MapsPane(button=MEASURE, **common)
        self.ledger, self.profiles = (
            LedgerPane(button=MEASURE, **common),
            ProfilesPane(button=MEASURE, **common),
        )
        self.pairs = PairsPane(**common)
        self._asked: Task | None = None
        self._shown: Task | None = None
        analysis.param.watch(self._follow, ["fitted", "rule", "attention", "signal", "background"])
        analysis.selection.param.watch(self._follow, "mask")
        analysis.sample.param.watch(self._on_sample, "jets")
        self._follow()

    @property
    def choices(self) -> dict[str, Any]:
        """What can be chosen, by its name in a link."""
        return {
            "jets": self.number,
            "by": self.shares.by,
            "quantity": self.shares.what,
            "beside": self.shares.split,
            "plane": self.maps.kind,
            "own": self.maps.own,
            "against": self.profiles.against,
            "of": self.profiles.of,
            "pair-jets": self.pairs.number,
            "pair": self.pairs.spectrum,
        }

    def beat(self) -> None:
        """Takes over what the studies have reported; called by the page's timer."""
        self.study.beat()
        self.pairs.beat()

    def _follow(self, *events: Any) -> None:
        why = lacking(self.analysis)
        for study in (self.study, self.pairs.study):
            study.require(why)
        old = self._shown is not None and not self._shown.still(self.analysis)
        say(self.stale, STALE if old else "")
        self.pairs.follow()

    def _on_sample(self, *events: Any) -> None:
        self._shown = None
        for part in (self.shares, self.maps, self.ledger, self.profiles, self.pairs):
            part.take(None)
        self._follow()

    def _question(self, number: int) -> Question:
        self._asked = task = Task.of(self.analysis, number)
        kept = public("Explanations")(cache_folder(), KEPT)
        named = {**task.how, "threshold": task.threshold, "kept": kept}
        return Question(public("aggregate"), (task.fitted, task.jets), named)

    def _take(self, found: Any) -> None:
        task = self._asked
        if task is None or task.sample is not self.analysis.sample.jets:
            return
        self._shown = task
        finding = task.finding(found)
        for part in (self.shares, self.maps, self.ledger, self.profiles):
            part.take(finding)
        self._follow()

    def __panel__(self) -> pn.viewable.Viewable:
        start = row([self.number, self.study], width=200, most=2)
        return pn.Column(
            pane(
                "Over many jets",
                start,
                self.stale,
                name="aggregates",
                menu=Menu("aggregates", sample=self.analysis.sample),
            ),
            row([self.shares, self.ledger], width=420, most=2),
            self.maps,
            self.profiles,
            self.pairs,
            sizing_mode="stretch_width",
            margin=0,
        )
