"""What the panes of a study over a sample share: what was found, of which jets, and how to say it in Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import panel as pn

from ..data.jets import Jets
from ..errors import DataError
from ..explanation.shares import Shares
from ..physics.bootstrap import Estimate
from . import code
from .analysis import Analysis
from .panes import fill, line, say

ALL = "all jets"
OUTCOMES = ("true positive", "false negative", "false positive", "true negative")
BY_CLASS, BY_OUTCOME = "true class", "outcome at the threshold"
SEED = 1
"""Of the order in which the jets are taken."""

STALE = "The page now shows another tagger, sample, selection, score or rule than was measured; measure again for those."
NOT_YET = "Not measured yet: press “{}” above."


@dataclass(frozen=True)
class Finding:
    """What was found, and whose it is.

    Attributes:
        aggregate: An `explanation.aggregation.Aggregate`.
        classes: Classes of the sample, in the order of their colours.
        pair: Signal and background of the score.
        by: The words that say who was measured.
        call: The lines of Python that measure it again, after which it is `found`.
        selected: Formula of the jets that were selected then.
    """

    aggregate: Any
    classes: tuple[str, ...]
    pair: tuple[str, str]
    by: str
    call: tuple[str, ...]
    selected: str

    def series(self, shares: Shares, quantity: str, split: str) -> Mapping[str, Estimate]:
        """Returns a quantity of each class or outcome; one that has no jets has no bars, and the others keep their colours."""
        names = self.classes if split == BY_CLASS else OUTCOMES
        if not set(names) & set(shares.groups):
            return {ALL: shares.of(ALL, quantity)}
        nothing = np.full(len(shares.axes[0]), np.nan)
        return {
            name: shares.of(name, quantity) if name in shares.groups else Estimate(nothing, nothing)
            for name in names
        }

    @property
    def gap_name(self) -> str:
        """The difference of the two classes in words."""
        return f"{self.pair[0]} − {self.pair[1]}"

    def gap(self, of: Callable[[str], Estimate]) -> Estimate | None:
        """Returns signal minus background of what `of` gives by group; None where the sample lacks one of them."""
        if not set(self.pair) <= set(self.aggregate.groups):
            return None
        return of(self.pair[0]).minus(of(self.pair[1]))


@dataclass(frozen=True)
class Pairs:
    """What was found of pairs, and whose it is.

    Attributes:
        pairs: A tuple of `explanation.pairs.PairShares`.
        by: The words that say who was measured.
        call: The lines of Python that measure it again, after which it is `found`.
        selected: Formula of the jets that were selected then.
    """

    pairs: Any
    by: str
    call: tuple[str, ...]
    selected: str


@dataclass(frozen=True)
class Task:
    """What a study was asked to measure, so that nothing is shown under another tagger's name.

    Attributes:
        fitted: The tagger.
        title: What the user calls it.
        tagger: The lines of Python that give it again.
        sample: The sample, whole.
        selected: Formula of the jets that are selected of it.
        jets: The jets that are measured, in random order.
        rule: Of relevance propagation.
        attention: How relevance passes a softmax.
        pair: Signal and background of the score.
        threshold: Log-odds above which a jet counts as called signal.
        asked: Most jets to draw; 0 for all that are selected.
    """

    fitted: Any
    title: str
    tagger: tuple[str, ...]
    sample: Jets
    selected: str
    jets: Jets
    rule: str
    attention: str
    pair: tuple[str, str]
    threshold: float
    asked: int

    @classmethod
    def of(cls, analysis: Analysis, number: int) -> "Task":
        """Returns the task for what the page looks at: `number` selected jets at random, 0 for all.

        Raises:
            DataError: no jet is selected.
        """
        sample = analysis.sample.jets
        chosen = np.flatnonzero(analysis.selection.mask)
        if sample is None or not len(chosen):
            msg = "No jet is selected; widen the selection."
            raise DataError(msg)
        # In random order, so that a stop leaves some of each class.
        drawn = np.random.default_rng(SEED).permutation(chosen)[: number or None]
        return cls(
            analysis.fitted,
            analysis.title,
            analysis.lines,
            sample,
            analysis.selection.formula,
            sample[drawn],
            analysis.rule,
            analysis.attention,
            analysis.seed,
            log_odds(analysis.cut),
            number,
        )

    def still(self, analysis: Analysis) -> bool:
        """Returns True while the page looks at the same tagger, sample, selection, score and rule."""
        return self.fitted is analysis.fitted and self.of_same_jets(analysis)

    def of_same_jets(self, analysis: Analysis) -> bool:
        """Returns True while the page looks at the same sample, selection, score and rule, by whatever tagger."""
        now = (analysis.rule, analysis.attention, analysis.seed, analysis.selection.formula)
        return self.sample is analysis.sample.jets and now == (
            self.rule,
            self.attention,
            self.pair,
            self.selected,
        )

    def finding(self, found: Any) -> Finding:
        """Returns what the study found as the panes take it."""
        words = (
            f"{self._words(found.how['jets'])}; called {self.pair[0]} above {self.threshold:+.2f} log-odds."
        )
        call = f"found = wb.aggregate(tagger, jets, {self._how}, threshold={self.threshold:.6g})"
        return Finding(found, tuple(self.sample.classes), self.pair, words, (*self.draw, call), self.selected)

    def pairs(self, found: Any) -> Pairs:
        """Returns what the study of the pairs found as its pane takes it."""
        jets = max(part.jets for part in found)
        return Pairs(
            found,
            f"{self._words(jets)}.",
            (*self.draw, f"found = wb.compare_pairs(tagger, jets, {self._how})"),
            self.selected,
        )

    def _words(self, jets: int) -> str:
        score = f"{self.pair[0]} − {self.pair[1]}"
        chosen = f" of {self.selected}" if self.selected else ""
        return f"{self.title or 'The tagger'}, {jets:,} jets{chosen}, score {score}, rule {self.rule}; errors by drawing the jets again"

    @property
    def how(self) -> dict[str, Any]:
        """Named arguments of the study, by which every jet is explained."""
        return {"rule": self.rule, "attention": self.attention, "seed": self.pair}

    @property
    def _how(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.how.items())

    @property
    def draw(self) -> tuple[str, ...]:
        """The lines of Python that give the tagger, and draw the jets of those selected."""
        return (*self.tagger, *self.drawing)

    @property
    def drawing(self) -> tuple[str, ...]:
        """The lines of Python that draw the jets of those selected."""
        return (
            "import numpy as np",
            f"jets = jets[np.random.default_rng({SEED}).permutation(len(jets))[:{self.asked or None}]]",
        )


def lacking(analysis: Analysis) -> str:
    """Returns what is missing before a study can begin, or ""."""
    if analysis.sample.jets is None or not len(analysis.sample.jets):
        return "Choose a sample of jets first."
    return "" if analysis.fitted is not None else "Choose a tagger first."


def log_odds(cut: float | None) -> float:
    """Returns the log-odds of a probability, 0 where there is none; ends are at 1e-9 from 0 and 1."""
    if cut is None:
        return 0.0
    p = min(max(cut, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))


class Part(pn.viewable.Viewer):
    """One pane of a study: empty until something is found, drawn anew when something else is."""

    def __init__(self, *, analysis: Analysis, button: str, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis, self.sample = analysis, analysis.sample
        self.finding: Any = None
        self.not_yet = NOT_YET.format(button)
        self.told = line(self.not_yet, variant="caption")
        self.content, self.said = pn.Column(sizing_mode="stretch_width", margin=0), line(variant="caption")

    @pn.io.hold()
    def take(self, finding: Any) -> None:
        """Shows what was found; None empties the pane."""
        self.finding = finding
        say(self.told, self.not_yet if finding is None else finding.by)
        if finding is None:
            self.content[:] = []
            say(self.said, "")
            return
        # Figures are the larger part of what painting costs: they are made with the first finding.
        if not len(self.content):
            fill(self.content, self.build())
        self.draw()

    @pn.io.hold()
    def draw(self) -> None:
        """Draws what is chosen, if there is anything."""
        if self.finding is not None:
            self.fill(self.finding)

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        raise NotImplementedError

    def fill(self, found: Any) -> None:
        """Draws a finding."""
        raise NotImplementedError

    def code(self) -> Sequence[str]:
        """Returns the lines of Python that give the numbers shown, after those that measure."""
        raise NotImplementedError

    def lines(self) -> str:
        """Returns runnable Python that gives the numbers shown."""
        found = self.finding
        if found is None:
            return code.lines(self.sample, self.analysis.selection, *self.analysis.lines)
        return code.lines(self.sample, found.selected, *found.call, *self.code())
