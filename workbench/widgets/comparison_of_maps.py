"""Two maps of one jet side by side and their difference; and two samples, where the network gives them the same score."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import FactorRange

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..errors import DataError, WorkbenchError
from ..explanation.ways import way_of
from ..physics.partitions import PARTITIONS
from ..views import equal_score, particles
from ..views.palette import symmetric_limit
from . import code
from .analysis import RULES, Analysis, arguments
from .errands import public
from .menu import Menu
from .networks import Networks
from .panes import fill, fold, line, pane, picture, row, say
from .relevance_shares import OF_PARTICLES
from .relevance_study import SEED, lacking
from .study import Question, Study
from .table import table, table_pane
from .ways import RULE_WORDS, UNNAMED, listed

RULE, UNTRAINED, NETWORK = "rule", "untrained", "network"
AGAINST = {
    "another rule": RULE,
    "the same network, untrained": UNTRAINED,
    "another network or epoch": NETWORK,
}
"""What the map is compared with, in words."""

SIDES = ("A", "B", "B − A")
COMPARING = "comparing two maps"
LISTING = "listing the networks to compare with"
DRAWN = 1
"""Seed of the weights of the untrained network."""

COMPARE = "Compare the two samples"
JETS = {"300": 300, "1,000": 1000}
NO_SECOND = "Choose a second sample on the left first."
NOT_COMPARED = f"Not compared yet: press “{COMPARE}”."
CHANGED = "The page has changed since; compare again."


class MapComparison(pn.viewable.Viewer):
    """The open jet's map beside that of another rule or network, and this sample beside the second one.

    Args:
        analysis: The tagger, the sample, its open jet and its second sample.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.networks = Networks(analysis, analysis.errands)
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.against = pmui.Select(label="Compare with", options=AGAINST, value=RULE, **small)
        self.rule = pmui.Select(label="Rule of B", options=listed(RULE_WORDS, RULES), value="gamma", **small)
        self.network = pmui.Select(label="Network of B", options={}, visible=False, **small)
        self.begin = pmui.Button(label="Compare the maps", color="primary", size="small")
        self.told, self.check = (
            line("Compare the open jet's map with another one.", variant="body2"),
            line(variant="caption"),
        )
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.samples = SamplesAtEqualScore(analysis)
        self.found: tuple[Explanation, Explanation, Any] | None = None
        self._jet: Jets | None = None
        self._b, self._made, self._index = "", "", 0
        self._watch()

    def _watch(self) -> None:
        self.begin.on_click(self._first)
        self.against.param.watch(self._choose, "value")
        for widget in (self.rule, self.network):
            widget.param.watch(self._compare, "value")
        self.analysis.param.watch(self._compare, ["explanation"])
        self.analysis.param.watch(self._list, ["fitted"])
        self.analysis.sample.param.watch(self._forget, "jets")

    @property
    def choices(self) -> dict[str, Any]:
        """What can be chosen, by its name in a link."""
        return {
            "with": self.against,
            "rule": self.rule,
            "network": self.network,
            "jets": self.samples.number,
            "by": self.samples.by,
        }

    def beat(self) -> None:
        """Takes over what the study of the samples has reported; called by the page's timer."""
        self.samples.beat()

    @property
    def on(self) -> bool:
        """True once a comparison was asked for; it then follows the open jet."""
        return not self.begin.visible

    def _first(self, *events: Any) -> None:
        if self.analysis.selection.current is None and not self.analysis.selection.step(1):
            say(self.told, "No jet is selected; widen the selection.")
            return
        self.begin.visible = False
        self._compare()

    def _choose(self, *events: Any) -> None:
        self.rule.visible = self.against.value == RULE
        self.network.visible = self.against.value == NETWORK
        self._list()
        self._compare()

    def _list(self, *events: Any) -> None:
        """Lists the networks there are, and the epochs of the run that is looked at."""
        if self.network.visible:
            self.analysis.errands.send(LISTING, self.networks.listed, self._offer)

    def _offer(self, found: Mapping[str, str]) -> None:
        chosen = self.network.value if self.network.value in found.values() else next(iter(found.values()))
        self.network.param.update(options=dict(found), value=chosen)

    def _forget(self, *events: Any) -> None:
        self.found = self._jet = None
        self.content[:] = []
        self.begin.visible = True
        say(self.told, "Compare the open jet's map with another one.")
        say(self.check, "")

    def _compare(self, *events: Any) -> None:
        """Explains the open jet in both ways; the old pictures stay until the new ones are there."""
        analysis, current = self.analysis, self.analysis.selection.current
        fitted, jets, first = analysis.fitted, analysis.sample.jets, analysis.explanation
        if not self.on or fitted is None or jets is None or current is None or first is None:
            return
        against, rule, network = self.against.value, self.rule.value, self.network.value
        if against == NETWORK and not network:
            return
        how, index, jet = analysis.how, current, jets[current : current + 1]

        def work() -> Any:
            other, name, asked, made = fitted, "", arguments(*how), "tagger"
            try:
                if against == RULE:
                    name, asked = f"rule {rule}", {"seed": asked["seed"], "rule": rule}
                elif against == UNTRAINED:
                    name = "untrained"
                    other = import_module("workbench.explanation.aggregation").untrained(fitted, DRAWN)
                else:
                    self.networks.check(network)
                    other, name, made, _ = self.networks.read(network)
                second = public("explain")(other, jet, **asked)
                difference = import_module("workbench.explanation.comparing").difference(first, second)
            except (WorkbenchError, OSError) as error:
                return error
            return second, difference, name, made

        self.analysis.errands.send(COMPARING, work, lambda found: self._take(index, jet, first, found))

    def _take(self, index: int, jet: Jets, first: Explanation, found: Any) -> None:
        if first is not self.analysis.explanation:
            return
        if isinstance(found, Exception):
            say(self.told, str(found))
            return
        second, difference, self._b, self._made = found
        self._index = index
        self.found, self._jet = (first, second, difference), jet
        if not len(self.content):
            fill(self.content, self._build())
        with pn.io.hold():
            self._draw()

    def _build(self) -> list[Any]:
        self.sources = {side: particles.empty() for side in SIDES}
        self.scale = particles.relevance_scale()
        self.figures = [particles.map_figure(source, self.scale) for source in self.sources.values()]
        for plot in self.figures:
            # A third of the page wide: as tall as that leaves room for the jet.
            plot.height = 310
        self.titles = [line(variant="body1") for _ in SIDES]
        self.rows, self.books = table_pane(), table_pane()
        maps = [
            pn.Column(title, picture(plot), sizing_mode="stretch_width", margin=0)
            for title, plot in zip(self.titles, self.figures, strict=True)
        ]
        self.maps = row(maps, width=300, most=3)
        return [self.maps, self.books, fold("As a table", self.rows)]

    def _draw(self) -> None:
        if self.found is None or self._jet is None:
            return
        first, second, difference = self.found
        maps = [np.asarray(ak.to_numpy(ak.Array(e.relevance)[0]), float) for e in (first, second, difference)]
        whole = not isinstance(first.relevance, ak.Array)
        self.maps.visible = not whole
        names: Sequence[object]
        if whole:
            names = first.feature_names
        else:
            limit = symmetric_limit(np.concatenate(maps))
            self.scale.update(low=-limit, high=limit)
            for source, values in zip(self.sources.values(), maps, strict=True):
                source.data = particles.columns(self._jet, values)
            kinds = particles.kinds(self._jet.constituents[0])
            names = [f"{number} {kind}" for number, kind in enumerate(kinds, 1)]
        self._say(first, second, difference)
        signed = [[f"{value:+.4f}" for value in values] for values in maps]
        self.rows.object = table(
            ["", *(f"{side} [log-odds]" for side in SIDES)], zip(names, *signed, strict=True)
        )

    def _say(self, first: Explanation, second: Explanation, difference: Any) -> None:
        scores = [float(e.ledger.score[0]) for e in (first, second)]
        made = self.analysis.title or "this network"
        for title, text in zip(
            self.titles,
            (f"A: {made}, score {scores[0]:+.2f}", f"B: {self._b}, score {scores[1]:+.2f}", "B − A"),
            strict=True,
        ):
            say(title, text)
        cosine = float(difference.cosine[0])
        alike = f"cosine of the two maps {cosine:.2f}" if np.isfinite(cosine) else "one of the maps is zero"
        say(self.told, f"Jet {self._index}: score {scores[0]:+.2f} and {scores[1]:+.2f} log-odds, {alike}.")
        lines = [
            (
                name,
                *(
                    f"{float(e.ledger.lines[name][0]):+.3f}" if name in e.ledger.lines else "–"
                    for e in (first, second)
                ),
                f"{float(amount[0]):+.3f}",
            )
            for name, amount in difference.lines.items()
        ]
        self.books.object = table(["Line of the ledger", *(f"{side} [log-odds]" for side in SIDES)], lines)
        rests = [float(np.abs(e.ledger.rest[0]) / e.ledger.scale[0]) for e in (first, second)]
        say(
            self.check,
            f"Not accounted for: {rests[0]:.1e} of A, {rests[1]:.1e} of B. One scale of colours for all three.",
        )

    def frame(self) -> pd.DataFrame:
        """Returns the relevance of both maps and their difference as a table."""
        if self.found is None:
            return pd.DataFrame()
        values = [np.asarray(ak.to_numpy(ak.Array(e.relevance)[0]), float) for e in self.found]
        named = {f"{side} [log-odds]": column for side, column in zip(SIDES, values, strict=True)}
        return pd.DataFrame({"number": np.arange(1, len(values[0]) + 1), **named})

    def code(self) -> str:
        """Returns the lines of Python that give both maps and their difference again."""
        analysis, index = self.analysis, self.analysis.selection.current or 0
        asked = ", ".join(f"{name}={value!r}" for name, value in analysis.arguments.items())
        other, how = "other = tagger", asked
        imports = ["from workbench.explanation.comparing import difference"]
        if self.against.value == RULE:
            how = f"rule={self.rule.value!r}, seed={analysis.arguments['seed']!r}"
        elif self.against.value == UNTRAINED:
            imports.append("from workbench.explanation.aggregation import untrained")
            other = f"other = untrained(tagger, {DRAWN})"
        else:
            other = f"other = {self._made or 'tagger'}"
        return code.lines(
            analysis.sample,
            None,
            *imports,
            *analysis.lines,
            other,
            f"jet = jets[{index}:{index + 1}]",
            f"first, second = wb.explain(tagger, jet, {asked}), wb.explain(other, jet, {how})",
            "print(difference(first, second).relevance[0])",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "map-comparison",
            figure=lambda: self.figures if len(self.content) else None,
            data=self.frame,
            code=self.code,
            sample=self.analysis.sample,
        )
        chosen = row([self.against, self.rule, self.network], width=200, most=3)
        compared = pane(
            "Two maps of this jet, and what lies between them",
            chosen,
            pn.Row(self.told, self.begin, sizing_mode="stretch_width", margin=0),
            self.content,
            name="map-comparison",
            menu=menu,
            check=self.check,
        )
        return pn.Column(compared, self.samples, sizing_mode="stretch_width", margin=0)


class SamplesAtEqualScore(pn.viewable.Viewer):
    """Where the network looks in the selected jets and in those of the second sample, among jets with the same score.

    Args:
        analysis: The tagger, the selection and the second sample.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.number = pmui.Select(label="Jets of each sample", options=JETS, value=300, **small)
        self.by = pmui.Select(
            label="Particles sorted by", options=_named(OF_PARTICLES), value="species", **small
        )
        self.study = Study(COMPARE, self._question, self._take, number=self.number, errands=analysis.errands)
        self.told, self.check = line(variant="body2"), line(variant="caption")
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.found: Mapping[str, Any] = {}
        self._asked: tuple[Any, ...] = ()
        self._shown: tuple[Any, ...] = ()
        self.by.param.watch(lambda _: self._draw(), "value")
        analysis.param.watch(
            self._follow,
            ["fitted", "beside_selection", "rule", "method", "attention", "signal", "background"],
        )
        analysis.selection.param.watch(self._follow, "mask")
        analysis.sample.param.watch(self._forget, "jets")
        self._follow()

    def beat(self) -> None:
        """Takes over what the study has reported."""
        self.study.beat()

    @property
    def way(self) -> str:
        """Name of the way to explain that the page shows, "" if it has none."""
        return way_of(self.analysis.rule, self.analysis.method, self.analysis.attention)

    def _now(self) -> tuple[Any, ...]:
        """Returns what is compared: tagger, both samples, way to explain, score, and what is selected of each sample."""
        analysis, beside = self.analysis, self.analysis.beside_selection
        jets, formula = (None, "") if beside is None else (beside.sample.jets, beside.formula)
        asked = analysis.fitted, analysis.sample.jets, jets, self.way, analysis.seed
        return *asked, analysis.selection.formula, formula

    def _follow(self, *events: Any) -> None:
        beside = self.analysis.beside_selection
        there = beside is not None and beside.sample.jets is not None and len(beside.sample.jets) > 0
        missing = "" if there else NO_SECOND
        self.study.require(lacking(self.analysis) or missing or ("" if self.way else UNNAMED))
        if not self.found:
            say(self.told, "" if missing else NOT_COMPARED)
        # Jets are compared by what they are: two samples are equal only if they are one.
        old = len(self._shown) > 0 and any(
            a is not b if isinstance(a, Jets) else a is not b and a != b
            for a, b in zip(self._shown, self._now(), strict=True)
        )
        say(self.check, CHANGED if old else "")

    def _forget(self, *events: Any) -> None:
        self.found, self._shown = {}, ()
        self.content[:] = []
        self._follow()

    def _question(self, number: int) -> Question:
        self._asked = self._now()
        fitted, jets, _, way, seed, *_ = self._asked
        beside = self.analysis.beside_selection
        assert beside is not None
        assert beside.sample.jets is not None
        masks = self.analysis.selection.mask, beside.mask
        if not all(mask.any() for mask in masks):
            msg = "No jet is selected of one of the samples; widen the selection."
            raise DataError(msg)
        drawn, other = (
            np.random.default_rng(SEED).permutation(np.flatnonzero(mask))[:number] for mask in masks
        )
        asked = fitted, jets[drawn], beside.sample.jets[other]
        return Question(public("at_equal_score"), asked, {"way": way, "score": seed})

    def _take(self, found: Any) -> None:
        if self._asked[1] is self.analysis.sample.jets:
            self.show(found)
            self._shown = self._asked
            self._follow()

    def show(self, found: Mapping[str, Any]) -> None:
        """Shows what `at_equal_score` found."""
        self.found = found
        self.by.param.update(
            options=_named({name: OF_PARTICLES[name] for name in found}), value=next(iter(found))
        )
        if not len(self.content):
            self.source, self.bins, self.rows = equal_score.empty(), FactorRange(), table_pane()
            self.plot = equal_score.shares_figure(self.source, self.bins)
            fill(self.content, [picture(self.plot), fold("As a table", self.rows)])
        self._draw()

    def _draw(self) -> None:
        if self.by.value not in self.found:
            return
        part = self.found[self.by.value]
        rows = part.columns()
        with pn.io.hold():
            self.bins.factors = list(rows["bin"])
            self.source.data = equal_score.columns(rows)
            self.plot.xaxis.axis_label = PARTITIONS[part.name].axes[0].label
        verdict = "differ" if part.p < 0.01 else "do not differ beyond chance"
        say(
            self.told,
            f"{part.jets[0]:,} and {part.jets[1]:,} jets {verdict} at equal score: energy distance {part.distance:.2g}, p = {part.p:.3f}.",
        )
        written = [
            (word, f"{a:.3f} ± {da:.3f}", f"{b:.3f} ± {db:.3f}", f"{d:.3f}", f"{p:.3f}")
            for word, a, da, b, db, d, p in zip(*rows.values(), strict=True)
        ]
        head = ["Bin", "This sample", "Second sample", "Largest distance", "p of this bin alone"]
        self.rows.object = table(head, written)

    def frame(self) -> pd.DataFrame:
        """Returns the shares of both samples as a table."""
        return self.found[self.by.value].frame() if self.by.value in self.found else pd.DataFrame()

    def code(self) -> str:
        """Returns the lines of Python that compare the samples again."""
        drawing = (
            "import numpy as np",
            *self.analysis.lines,
            f"jets = jets[np.random.default_rng({SEED}).permutation(len(jets))[:{self.number.value}]]",
            f"second = second[np.random.default_rng({SEED}).permutation(len(second))[:{self.number.value}]]",
            f"found = wb.at_equal_score(tagger, jets, second, way={self.way or 'LRP ε'!r}, score={self.analysis.seed!r})",
            f"print(found[{self.by.value!r}].frame())",
        )
        analysis = self.analysis
        return code.lines(analysis.sample, analysis.selection, *drawing, beside=analysis.beside_selection)

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "equal-score",
            figure=lambda: self.plot if len(self.content) else None,
            data=self.frame,
            code=self.code,
            sample=self.analysis.sample,
        )
        return pane(
            "Does the network look at both samples in the same way?",
            row([self.number, self.by, self.study], width=200, most=3),
            self.told,
            self.content,
            name="equal-score",
            menu=menu,
            check=self.check,
        )


def _named(words: Mapping[str, str]) -> dict[str, str]:
    return {word: name for name, word in words.items()}
