"""A study of the sample with the tagger of a page, and what it found."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from . import code
from .analysis import Analysis
from .panes import fill, line, say
from .study import Question, Study

ROOM = "workbench.explanation"

JETS = (500, 1_000, 2_000, 5_000, 10_000)
"""Numbers of jets that can be asked for."""

SHUFFLE = 0
"""Seed by which they are drawn."""


@dataclass(frozen=True)
class Asked:
    """What a study was asked: tagger, whole sample, score, named arguments and most jets drawn."""

    fitted: Any
    sample: Jets | None
    score: tuple[str, str]
    arguments: dict[str, Any]
    most: int

    def still(self, analysis: Analysis) -> bool:
        """Returns True while the page looks at the same tagger, sample and score."""
        same = self.fitted is analysis.fitted and self.sample is analysis.sample.jets
        return same and self.score == analysis.seed


class Finding(pn.viewable.Viewer):
    """One study: how many jets, its button and progress, and a place that is filled when something was found.

    The jets are drawn at random from those of the sample that the tagger never saw, where that is known. What was found is
    forgotten when tagger or sample change: it would stand under another's name.

    Args:
        analysis: Tagger and sample.
        label: Words of the button.
        function: Module and name of what is called, in the room of explanations: "translation.translate". It is given the
            tagger, the jets and what `arguments` returns.
        about: One sentence that says what can be found, while nothing is.
        jets: How many jets are taken unless others are chosen.
    """

    def __init__(
        self,
        analysis: Analysis,
        label: str,
        function: str,
        about: str,
        *,
        jets: int = 2_000,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.analysis, self.function, self.about = analysis, function, about
        self.found: Any = None
        self._asked: Asked | None = None
        self._shown: Asked | None = None
        self.jets = pmui.Select(
            label="Jets drawn",
            options={f"{n:,}": n for n in JETS},
            value=jets,
            size="small",
            sizing_mode="stretch_width",
            max_width=190,
        )
        self.study = Study(label, self._question, self._take, number=self.jets, errands=analysis.errands)
        self.empty, self.check = line(about), line(variant="caption")
        self.content = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        analysis.param.watch(self._forget, ["fitted", "signal", "background"])
        analysis.sample.param.watch(self._forget, "jets")
        self._require()

    def arguments(self) -> dict[str, Any]:
        """Returns what is asked, by the names of the function's arguments."""
        return {"seed": self.analysis.seed}

    def require(self) -> str:
        """Returns what is missing besides tagger and jets, in a sentence; empty if nothing is."""
        return ""

    def layout(self) -> list[Any]:
        """Returns what shows what was found; called once, when something was found first."""
        raise NotImplementedError

    def show(self) -> None:
        """Shows what was found, in the session's own thread."""
        raise NotImplementedError

    def beat(self) -> None:
        """Takes over what the study has reported; called by the page's timer."""
        self.study.beat()

    def chosen(self, number: int) -> Jets:
        """Returns the jets that are studied, `number` of them if there are so many."""
        jets, unseen = self.analysis.sample.jets, self.analysis.unseen
        assert jets is not None
        jets = jets if unseen is None else jets[unseen]
        if len(jets) <= number:
            return jets
        return jets[np.random.default_rng(SHUFFLE).permutation(len(jets))[:number]]

    def code(self, show: str) -> str:
        """Returns the lines of Python that repeat the study; `show` is what to do with `found`."""
        module, name = self.function.split(".")
        asked = self._shown or self._now(self.jets.value)
        draw = f"np.random.default_rng({SHUFFLE}).permutation(len(jets))[:{asked.most}]"
        return code.lines(
            self.analysis.sample,
            None,
            "import numpy as np",
            f"from {ROOM}.{module} import {name}",
            *self.analysis.lines,
            *self.analysis.measuring,
            f"jets = jets[{draw}] if len(jets) > {asked.most} else jets",
            f"found = {name}(tagger, jets, {', '.join(f'{key}={value!r}' for key, value in asked.arguments.items())})",
            show,
        )

    def _question(self, number: int) -> Question:
        module, name = self.function.split(".")
        work: Callable[..., Any] = getattr(import_module(f"{ROOM}.{module}"), name)
        self._asked = asked = self._now(number)
        return Question(work, (asked.fitted, self.chosen(number)), asked.arguments)

    def _now(self, number: int) -> "Asked":
        analysis = self.analysis
        return Asked(analysis.fitted, analysis.sample.jets, analysis.seed, dict(self.arguments()), number)

    def _take(self, found: Any) -> None:
        if self._asked is None or not self._asked.still(self.analysis):
            return
        self.found, self._shown = found, self._asked
        with pn.io.hold():
            if not len(self.content):
                fill(self.content, self.layout())
            self.show()
            self.content.visible = True
            say(self.empty, "")

    def _forget(self, *events: Any) -> None:
        self.found = self._shown = None
        with pn.io.hold():
            self.content.visible = False
            say(self.empty, self.about)
            say(self.check, "")
        self._require()

    def _require(self, *events: Any) -> None:
        self.study.require(self._missing() or self.require())

    def _missing(self) -> str:
        analysis, jets = self.analysis, self.analysis.sample.jets
        if analysis.fitted is None:
            return "Train or open a tagger first."
        if jets is None or not len(jets):
            return "Choose a sample first."
        lacking = [
            name for name in analysis.seed if name not in jets.classes or not jets.is_class(name).any()
        ]
        return (
            f"The sample has no jets of {' and of '.join(lacking)}; choose one that has." if lacking else ""
        )
