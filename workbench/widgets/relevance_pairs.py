"""Which pairs of particles a graph network looks at, beside random edges and a network that has learned nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement
from bokeh.plotting import figure

from ..explanation.pairs import MOST, RELEVANT, SPECTRA, TOP, UNTRAINED, PairShares
from ..physics.bootstrap import Estimate
from ..physics.partitions import Axis
from ..views import shares as view
from .analysis import Analysis
from .errands import public
from .menu import Menu
from .panes import fold, line, pane, picture, row, say
from .relevance_study import STALE, Part, Task
from .study import Question, Study
from .table import table, table_pane

PAIRS = "Measure the pairs"
NUMBER = Axis("number of pairs, most relevant first", edges=tuple(n + 0.5 for n in range(MOST + 1)))
ACROSS = "share that joins different kT subjets"
JETS = {"100": 100, "300": 300, "1,000": 1000}
"""Jets whose edges are explained: each takes about four times as long as its score alone."""


class PairsPane(Part):
    """The most relevant pairs of each jet: how far apart, how heavy, and whether they join two subjets."""

    title = "Which pairs of particles the network compares"

    def __init__(self, *, analysis: Analysis, **parameters: Any) -> None:
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.number = pmui.Select(label="Jets for the pairs", options=JETS, value=300, **small)
        self.spectrum = pmui.Select(
            label="Of the pair",
            options={axis.label: name for name, axis in SPECTRA.items()},
            value="deltar",
            **small,
        )
        self.block = pmui.Select(label="Edge convolution", options=[], **small)
        self.group = pmui.Select(label="Pairs of", options=[], **small)
        self.place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.numbers = table_pane()
        self.across = view.Sources()
        self._drawn: dict[str, tuple[view.Sources, figure]] = {}
        super().__init__(analysis=analysis, button=PAIRS, **parameters)
        self._asked: Task | None = None
        self._shown: Task | None = None
        self.stale = line(variant="caption")
        self.study = Study(PAIRS, self._question, self._taken, number=self.number, errands=analysis.errands)
        for widget in (self.spectrum, self.block, self.group):
            widget.param.watch(lambda _: self.draw(), "value")

    def beat(self) -> None:
        """Takes over what the study has reported."""
        self.study.beat()

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        self.across_figure = view.share_figure(self.across, NUMBER, ACROSS, name="pairs across subjets")
        chosen = row([self.group, self.block, self.spectrum], width=140, most=3)
        pictures = row([self.place, picture(self.across_figure)], width=300, most=2)
        return [chosen, pictures, fold("As a table", self.numbers)]

    def fill(self, found: Any) -> None:
        """Draws the pairs of one block and one group of jets."""
        # What is set below would draw once more.
        self.finding = None
        self._choices(found.pairs)
        self.finding = found
        self._show(found.pairs)

    def _choices(self, parts: Sequence[PairShares]) -> None:
        blocks = [str(block + 1) for block in sorted({part.block for part in parts})]
        groups = list(dict.fromkeys(part.group for part in parts))
        for select, options in ((self.block, blocks), (self.group, groups)):
            # At first the deepest block and the signal.
            value = select.value if select.value in options else options[-1]
            select.param.update(options=options, value=value)

    def _show(self, parts: Sequence[PairShares]) -> None:
        chosen = [p for p in parts if p.group == self.group.value and str(p.block + 1) == self.block.value]
        series = {part.source: part for part in chosen}
        name, axis = self.spectrum.value, SPECTRA[self.spectrum.value]
        spectra = {source: part.spectra[name] for source, part in series.items()}
        sources, plot = self._plot(name)
        sources.series.data = view.columns(axis, spectra)
        between = {source: part.between for source, part in series.items()}
        self.across.series.data = view.columns(NUMBER, between)
        if not self.place.objects or self.place.objects[0].object is not plot:
            self.place[:] = [picture(plot)]
        self.numbers.object = _table(spectra, between, axis)
        say(self.said, _sentence(series))

    def _plot(self, name: str) -> tuple[view.Sources, figure]:
        if name not in self._drawn:
            sources = view.Sources()
            text = f"share of the {TOP} pairs"
            self._drawn[name] = sources, view.share_figure(sources, SPECTRA[name], text, name=f"pairs {name}")
        return self._drawn[name]

    def _question(self, number: int) -> Question:
        self._asked = task = Task.of(self.analysis, number)
        return Question(public("compare_pairs"), (task.fitted, task.jets), task.how)

    def _taken(self, found: Any) -> None:
        if self._asked is not None and self._asked.sample is self.sample.jets:
            self._shown = self._asked
            self.take(self._asked.pairs(found))
            self.follow()

    def follow(self) -> None:
        """Says whether the page still looks at what was measured."""
        shown = self._shown if self.finding is not None else None
        old = shown is not None and not shown.still(self.analysis)
        say(self.stale, STALE if old else "")

    def figure(self) -> Sequence[UIElement] | None:
        """Returns the figures that are shown."""
        return [self.place.objects[0].object, self.across_figure] if self.place.objects else None

    def numbers_shown(self) -> pd.DataFrame:
        """Returns every number of all blocks, groups and networks."""
        if self.finding is None:
            return pd.DataFrame()
        return pd.concat([pd.DataFrame(part.columns()) for part in self.finding.pairs], ignore_index=True)

    def code(self) -> Sequence[str]:
        """Returns the lines of Python that give the numbers shown."""
        return ("for part in found:", "    print(part.columns())")

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu("pairs", figure=self.figure, data=self.numbers_shown, code=self.lines, sample=self.sample)
        start = row([self.number, self.study], width=200, most=2)
        return pane(
            self.title, start, self.stale, self.told, self.content, name="pairs", menu=menu, check=self.said
        )


def _table(spectra: Mapping[str, Estimate], between: Mapping[str, Estimate], axis: Axis) -> str:
    rows = view.rows(axis, spectra)
    few = [0, 4, 9, MOST - 1]
    rows += [(f"{ACROSS}, top {n + 1}", *(view.written(found[n]) for found in between.values())) for n in few]
    head = f"{axis.label} [{axis.unit}]" if axis.unit else axis.label
    return table([head, *spectra], rows)


def _sentence(series: Mapping[str, PairShares]) -> str:
    """Returns how much of the relevance the edges do not carry."""
    said = []
    for source, words in ((RELEVANT, "this network"), (UNTRAINED, "the untrained one")):
        if source in series:
            past = series[source].shortcut
            said.append(f"{float(past.value):.0%} ± {float(np.nan_to_num(past.error)):.1%} in {words}")
    return (
        f"Relevance that reaches the block past its edges, and is in no pair: {'; '.join(said)}."
        if said
        else ""
    )
