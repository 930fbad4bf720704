"""The tagger that a page looks at: its scores of the sample, how good it is, and why the open jet got its score."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import param

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..errors import WorkbenchError
from ..physics.expressions import parse
from ..physics.roc import discriminant
from ..physics.selection import evaluate
from ..progress import Stop
from ..state.sample import SampleState
from ..state.selection import SelectionState
from .errands import Errands, public

SCORING, SCORING_SECOND = "scoring the sample", "scoring the second sample"
EXPLAINING = "explaining the jet"
"""What the page says while it does so; this errand should wait for no other."""

PREFETCHING = "explaining its neighbours"
"""Done unasked, so that the next and the previous jet are there at once."""

EXPLAINING_SECOND = "explaining the jet of the second sample"

EDITING = "explaining the edited jet"

EXPRESS = frozenset({EXPLAINING, PREFETCHING, EXPLAINING_SECOND, EDITING})
"""Errands that should wait for no other."""

NEIGHBOURS = 3
"""How many jets before and after the open one, in the order of the selection, are explained unasked."""

PATIENCE = 0.1
"""Seconds that a page waits for an explanation, so that a jet and its relevance are drawn together; most take a third."""

KEPT = 512
"""Explanations that are kept; the one not looked at for the longest time goes first."""

RULES = ("epsilon", "0", "gamma", "gamma-epsilon", "z+", "alpha2beta1", "w2-epsilon", "flat-epsilon")
"""Rules of relevance propagation that a page offers; the names are those of `explain`.

Not offered are alpha1beta0, which is z+, and the rules of boxed inputs, which standardised features have no bounds for.
"""

PROPAGATION = "lrp"
METHODS = (
    PROPAGATION,
    "leave one out",
    "leave one subjet out",
    "occlusion",
    "deeplift",
    "integrated gradients",
    "shapley sampling",
)
"""Ways to explain; the names are those of `explain`."""

SLOW = frozenset({"integrated gradients", "shapley sampling"})
"""Methods that take longer than a page should wait: a jet is explained when it is asked for, in a worker process."""

ATTENTION = ("attnlrp", "cp")
"""How relevance passes a softmax; the names are those of `explain`."""

OPPOSED = ("background", "nothing", "others")
"""What the explained score stands against: one class, nothing (the logit alone), the mean of all other classes."""

COMPARING = "explaining the jet the other way"
"""What the page says while another method than relevance propagation explains the jet."""

IMPORTS = {"planted_tagger(": "from workbench.explanation.planted import planted_tagger"}
"""What expressions that give a tagger need beside the package."""

NO_SOURCE = "# This tagger was given to the page: give your own `tagger` here, as wb.open reads it."

HELD_OUT = 0.25
"""Share of the selected jets that a fit on the page never sees; its quality is measured on them."""


def number_held_out(count: int) -> int:
    """Returns how many of `count` selected jets are kept from the fit."""
    return round(HELD_OUT * count)


def held_out(mask: np.ndarray, seed: int) -> np.ndarray:
    """Returns True for the part of the jets in `mask` that is kept from the fit, shape (jets,); `seed` draws it."""
    chosen = np.flatnonzero(mask)
    drawn = np.random.default_rng(seed).permutation(chosen)[: number_held_out(len(chosen))]
    rest = np.zeros(len(mask), dtype=bool)
    rest[drawn] = True
    return rest


FROM_TAGGER = ("score", "loss", "margin", "uncertainty")
"""Columns that a sample gets from a tagger."""

WHOLE = "sample_fingerprint"
"""In the note of a fit: the fingerprint of the sample that its jets were chosen from."""


def unseen_of(note: Mapping[str, Any], jets: Jets) -> tuple[np.ndarray | None, bool]:
    """Returns which of the jets a fit of this note never saw, and whether it saw some of which it is not known which.

    The first is None where the fit saw none of this sample, or where its jets cannot be told.
    """
    if not note.get(WHOLE) or note[WHOLE] != jets.fingerprint:
        return None, False
    formula = str(note.get("selection", ""))
    try:
        mask = evaluate(jets, parse(formula)).keep if formula else np.ones(len(jets), bool)
        return held_out(mask, int(note["seed"])), False
    except (WorkbenchError, KeyError, TypeError, ValueError):
        return None, True


@dataclass(frozen=True)
class Live:
    """What a running fit gives its validation jets after its newest epoch.

    Attributes:
        title: What the fit is called.
        epoch: Number of epochs (iterations, for trees) that are over.
        unit: "epochs" or "iterations".
        scores: Probabilities, shape (jets, classes).
        label: True class of each jet, shape (jets,).
        classes: Names of the classes, in the order of the columns.
    """

    title: str
    epoch: int
    unit: str
    scores: np.ndarray
    label: np.ndarray
    classes: tuple[str, ...]


class Explanations:
    """Explanations of single jets by (tagger, sample, jet, rule, score), as they were made.

    Tagger and sample are held as they are, so that no other object can take their place in the key.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[Any, ...], tuple[Any, Jets, Explanation]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, fitted: Any, jets: Jets, index: int, *how: str) -> Explanation | None:
        """Returns the very explanation that was kept, or None."""
        key = (id(fitted), id(jets), index, how)
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key][2]

    def keep(self, fitted: Any, jets: Jets, index: int, *how: str, explanation: Explanation) -> None:
        """Keeps the explanation of one jet; the first stays."""
        self._known.setdefault((id(fitted), id(jets), index, how), (fitted, jets, explanation))
        while len(self._known) > self._kept:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forgets all of them."""
        self._known.clear()


class Analysis(param.Parameterized):
    """Scores the sample whenever tagger or sample change, explains the open jet whenever it changes.

    Both happen in the session's errand thread. The sample gets the columns "score" (of the signal, between 0 and 1) and
    "loss" (minus the logarithm of the probability that the tagger gave to the true class).
    """

    sample: SampleState = param.ClassSelector(
        class_=SampleState, allow_None=False, doc="The sample of the page."
    )
    selection: SelectionState = param.ClassSelector(
        class_=SelectionState, allow_None=False, doc="Its selection."
    )
    errands: Errands = param.ClassSelector(class_=Errands, allow_None=False, doc="Thread of the session.")
    fitted: Any = param.Parameter(None, doc="The fitted tagger, or None.")
    title: str = param.String("", doc="What the user calls it.")
    source: str = param.String("", doc="Python expression that gives it again; empty if there is none.")
    partly_seen: bool = param.Boolean(
        False, doc="Its fit saw jets of the present sample, and it is not known which."
    )
    learned: dict[str, Any] = param.Dict(
        {}, doc="What its fit noted down of its sample, selection and seed; empty if that is not known."
    )
    signal: str = param.String("", doc="Class that counts as signal: the tagger's last.")
    background: str = param.String("", doc="Class that counts as background: the tagger's first.")
    unseen: np.ndarray | None = param.Array(
        None, allow_None=True, doc="Jets the tagger never saw; None for all."
    )
    scores: Any = param.Parameter(
        None, doc="Probabilities, (jets, classes), of the sample; None while they are not known."
    )
    cut: float | None = param.Number(
        None, allow_None=True, doc="Score at the working point; None while it is not known."
    )
    live: Live | None = param.ClassSelector(
        class_=Live, allow_None=True, doc="What the fit that runs gives its validation jets."
    )
    beside: SampleState | None = param.ClassSelector(
        class_=SampleState, allow_None=True, doc="A second sample to compare with."
    )
    beside_selection: SelectionState | None = param.ClassSelector(
        class_=SelectionState, allow_None=True, doc="The same selection of the second sample."
    )
    beside_scores: Any = param.Parameter(
        None, doc="Probabilities, (jets, classes), of the second sample; None while they are not known."
    )
    rule: str = param.Selector(default=RULES[0], objects=list(RULES), doc="Rule of relevance propagation.")
    method: str = param.Selector(default=PROPAGATION, objects=list(METHODS), doc="Way to explain.")
    attention: str = param.Selector(
        default=ATTENTION[0], objects=list(ATTENTION), doc="How relevance passes a softmax."
    )
    opposed: str = param.Selector(
        default=OPPOSED[0],
        objects=list(OPPOSED),
        doc="What the score of the open jet's explanation stands against.",
    )
    record: bool = param.Boolean(False, doc="Relevance of edges and layers is kept too.")
    explanation: Explanation | None = param.ClassSelector(
        class_=Explanation, allow_None=True, doc="Of the open jet."
    )

    beside_explanation: Explanation | None = param.ClassSelector(
        class_=Explanation, allow_None=True, doc="Of the open jet of the second sample."
    )

    def __init__(self, sample: SampleState, selection: SelectionState, errands: Errands) -> None:
        self.explanations = Explanations()
        super().__init__(sample=sample, selection=selection, errands=errands)
        sample.making = self.giving
        sample.param.watch(self._on_sample, "jets")
        selection.param.watch(self._explain, "current")
        self.param.watch(self._explain, ["rule", "method", "attention", "opposed", "record"])
        self.param.watch(self._score_beside, ["beside", "fitted"])

    def take(
        self,
        fitted: Any,
        title: str,
        unseen: np.ndarray | None = None,
        *,
        source: str = "",
        learned: Mapping[str, Any] | None = None,
    ) -> None:
        """Looks at another tagger.

        Args:
            fitted: The tagger.
            title: What the user calls it.
            unseen: Which jets of the present sample its fit never saw, if that is known.
            source: Python expression that gives it again.
            learned: Note of its fit, by which the jets that it never saw are found again in this and any other sample.
        """
        classes = fitted.classes
        self.param.update(
            fitted=fitted,
            title=title,
            source=source,
            learned=dict(learned or {}),
            partly_seen=False,
            signal=classes[-1],
            background=classes[0],
            opposed=OPPOSED[0] if self.opposed == "others" and len(classes) < 3 else self.opposed,
            unseen=unseen,
            scores=None,
            cut=None,
        )
        # What another tagger said must not stand under this one's name, nor stay if this one cannot score the sample.
        self.sample.drop(*FROM_TAGGER)
        self._score()
        self._explain()

    def against(self, signal: str, background: str, opposed: str | None = None) -> None:
        """Looks at two other classes of the same tagger; `opposed` is what the explained score stands against."""
        wanted = self.opposed if opposed is None else opposed
        if (signal, background) == self.seed:
            self.opposed = wanted
            return
        with param.parameterized.discard_events(self):
            self.opposed = wanted
        self.param.update(signal=signal, background=background, scores=None, cut=None)
        self._score()
        self._score_beside()
        self._explain()

    def at(self, cut: float) -> None:
        """Sets the score at the working point; the samples get the column "margin", how far each score is from it."""
        self.cut = cut
        for sample in (self.sample, self.beside):
            if sample is not None and "score" in sample.known:
                sample.add(margin=np.abs(sample.column("score") - cut))

    @property
    def seed(self) -> tuple[str, str]:
        """The score that is explained: signal and background."""
        return self.signal, self.background

    @property
    def how(self) -> tuple[str, ...]:
        """How the open jet is explained: rule, signal, background, what it is opposed to, method, attention, "recorded" or ""."""
        kept = "recorded" if self.record else ""
        return self.rule, self.signal, self.background, self.opposed, self.method, self.attention, kept

    @property
    def arguments(self) -> dict[str, Any]:
        """The named arguments of `explain` that explain as the page does; what is usual is left out."""
        return arguments(*self.how)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of Python that give the tagger again."""
        return (*importing(self.source), f"tagger = {self.source}" if self.source else NO_SOURCE)

    def giving(self, name: str) -> tuple[str, ...]:
        """Returns the lines of Python that give, as `values` of `jets`, a column that was added on the page."""
        if name == "unusual":
            return ("from workbench.physics.outliers import unusual", "values = unusual(jets)")
        here, roc = "from workbench.widgets.analysis import", "from workbench.physics.roc import discriminant"
        score = f"discriminant(tagger.score(jets), signal={self.signal!r}, background={self.background!r})"
        loss = "losses(jets, np.asarray(tagger.score(jets)), tagger.classes)"
        *imports, values = {
            "loss": ("import numpy as np", f"{here} losses", loss),
            "uncertainty": (f"{here} entropy", "entropy(tagger.score(jets))"),
            "margin": ("import numpy as np", roc, f"np.abs({score} - {self.cut!r})"),
        }.get(name, (roc, score))
        return (*imports, *self.lines, f"values = {values}")

    @property
    def measuring(self) -> tuple[str, ...]:
        """The lines of Python that leave of `jets` those that the fit never saw; none where all are measured on."""
        if self.unseen is None or not self.learned:
            return ()
        note = {name: self.learned.get(name, "") for name in (WHOLE, "selection", "seed")}
        return (
            "from workbench.widgets.analysis import unseen_of",
            f"jets = jets[unseen_of({note!r}, jets)[0]]",
        )

    @property
    def measurable(self) -> bool:
        """True when the sample has scores and jets of both classes, unseen by the fit, to measure them with."""
        jets = self.sample.jets
        if self.scores is None or jets is None:
            return False
        pair = (self.signal, self.background)
        used = np.ones(len(jets), bool) if self.unseen is None else self.unseen
        return all(name in jets.classes and bool(np.any(jets.is_class(name) & used)) for name in pair)

    def _on_sample(self, *events: Any) -> None:
        self.explanations.clear()
        self.param.update(scores=None, unseen=None, partly_seen=False, explanation=None, cut=None)
        self._score()

    def _score(self) -> None:
        fitted, jets = self.fitted, self.sample.jets
        self.errands.drop(SCORING)
        if fitted is None or jets is None or len(jets) == 0:
            return
        learned = self.learned

        def work(unwanted: Stop) -> tuple[Any, tuple[np.ndarray | None, bool]]:
            scores = fitted.score(jets, stop=unwanted)
            return scores, (None, False) if unwanted.is_set() else unseen_of(learned, jets)

        self.errands.send(
            SCORING,
            work,
            lambda found: self._scored(jets, fitted, *found),
            stops=True,
        )

    def _score_beside(self, *events: Any) -> None:
        fitted, beside = self.fitted, self.beside
        self.beside_scores = None
        self.errands.drop(SCORING_SECOND)
        if fitted is None or beside is None or beside.jets is None or len(beside) == 0:
            return
        jets, beside.making = beside.jets, self.giving
        self.errands.send(
            SCORING_SECOND,
            lambda unwanted: fitted.score(jets, stop=unwanted),
            lambda scores: self._scored_beside(beside, jets, fitted, scores),
            stops=True,
        )

    def _scored_beside(self, beside: SampleState, jets: Jets, fitted: Any, scores: Any) -> None:
        if beside is self.beside and fitted is self.fitted and len(scores) == len(beside):
            beside.add(**self._columns(jets, scores))
            self.beside_scores = scores

    def _scored(self, jets: Jets, fitted: Any, scores: Any, seen: tuple[np.ndarray | None, bool]) -> None:
        if jets is not self.sample.jets or fitted is not self.fitted:
            return
        if self.learned:
            self.param.update(unseen=seen[0], partly_seen=seen[1])
        self.sample.add(**self._columns(jets, scores))
        self.scores = scores

    def _columns(self, jets: Jets, scores: Any) -> dict[str, np.ndarray]:
        """Returns what the tagger says of each jet, by name of column."""
        columns = {"score": discriminant(scores, signal=self.signal, background=self.background)}
        columns["uncertainty"] = entropy(scores)
        if self.cut is not None:
            columns["margin"] = np.abs(columns["score"] - self.cut)
        if set(jets.classes) <= set(self.fitted.classes):
            columns["loss"] = losses(jets, np.asarray(scores), self.fitted.classes)
        return columns

    def explain_beside(self, index: int | None) -> None:
        """Explains a jet of the second sample, or none; the answer is `beside_explanation`."""
        fitted, jets = self.fitted, self.beside.jets if self.beside is not None else None
        self.errands.drop(EXPLAINING_SECOND)
        if fitted is None or jets is None or index is None:
            self.beside_explanation = None
            return
        how = self.how
        self.beside_explanation = self.explanations.find(fitted, jets, index, *how)

        def take(found: Sequence[Explanation]) -> None:
            self.explanations.keep(fitted, jets, index, *how, explanation=found[0])
            if fitted is self.fitted and self.beside is not None and jets is self.beside.jets:
                self.beside_explanation = found[0]

        if self.beside_explanation is None and self.method not in SLOW:
            self.errands.send(EXPLAINING_SECOND, lambda: _explained(fitted, jets, [index], *how), take)

    def _explain(self, *events: Any) -> None:
        fitted, jets, current = self.fitted, self.sample.jets, self.selection.current
        if fitted is None or jets is None or current is None:
            self.explanation = None
            return
        for kind in (EXPLAINING, COMPARING):
            self.errands.drop(kind)
        how = self.how
        known = self.explanations.find(fitted, jets, current, *how)
        if known is not None:
            self.explanation = known
            self._prefetch(fitted, jets, how)
            return
        if self.method not in SLOW:
            self.errands.send(
                EXPLAINING if self.method == PROPAGATION else COMPARING,
                lambda: _explained(fitted, jets, [current], *how),
                lambda found: self._take(fitted, jets, [current], how, found),
                patience=PATIENCE if self.method == PROPAGATION else 0.0,
            )
        if self.explanations.find(fitted, jets, current, *how) is None:
            self.explanation = None

    def _take(
        self,
        fitted: Any,
        jets: Jets,
        indices: Sequence[int],
        how: tuple[str, ...],
        found: Sequence[Explanation],
    ) -> None:
        if fitted is not self.fitted or jets is not self.sample.jets:
            return
        for index, explanation in zip(indices, found, strict=True):
            self.explanations.keep(fitted, jets, index, *how, explanation=explanation)
        current = self.selection.current
        if current is not None and current in indices and how == self.how:
            self.explanation = self.explanations.find(fitted, jets, current, *how)
            self._prefetch(fitted, jets, how)

    def take_explanation(
        self, fitted: Any, jets: Jets, index: int, how: tuple[str, ...], found: Explanation
    ) -> None:
        """Keeps what a worker found for one jet of a tagger; shows it if it is still what is looked at."""
        self._take(fitted, jets, [index], how, [found])

    def _prefetch(self, fitted: Any, jets: Jets, how: tuple[str, ...]) -> None:
        if self.method != PROPAGATION:
            return
        near = neighbours(self.selection.indices, self.selection.current, NEIGHBOURS)
        missing = [i for i in near if self.explanations.find(fitted, jets, i, *how) is None]
        if missing:
            self.errands.send(
                PREFETCHING,
                lambda: _explained(fitted, jets, missing, *how),
                lambda found: self._take(fitted, jets, missing, how, found),
                quiet=True,
            )


def importing(source: str) -> list[str]:
    """Returns the lines of Python that an expression which gives a tagger needs beside the package."""
    return [line for name, line in IMPORTS.items() if source.startswith(name)]


def neighbours(order: np.ndarray, current: int | None, n: int) -> list[int]:
    """Returns at most `n` jets after and `n` before the current one in `order`, nearest first."""
    place = np.flatnonzero(order == current)
    if not place.size:
        return []
    after = order[place[0] + 1 : place[0] + 1 + n]
    before = order[max(place[0] - n, 0) : place[0]][::-1]
    return [int(i) for pair in zip_longest(after, before) for i in pair if i is not None]


def arguments(
    rule: str, signal: str, background: str, opposed: str, method: str, attention: str, kept: str
) -> dict[str, Any]:
    """Returns the named arguments of `explain` of one way to explain, see `Analysis.how`."""
    other = {"method": method} if method != PROPAGATION else {"rule": rule}
    passed = {"attention": attention} if attention != ATTENTION[0] else {}
    seed = {"background": (signal, background), "nothing": (signal,), "others": signal}[opposed]
    return {**other, "seed": seed, **passed, **({"record": True} if kept else {})}


def _explained(fitted: Any, jets: Jets, indices: Sequence[int], *how: str) -> list[Explanation]:
    """Returns one explanation per jet; a jet's is the same alone and in company."""
    found = public("explain")(fitted, jets[np.asarray(indices)], **arguments(*how))
    return [found[i : i + 1] for i in range(len(indices))] if len(indices) > 1 else [found]


def entropy(scores: Any) -> np.ndarray:
    """Returns how undecided probabilities (jets, classes) are, −Σ p ln p in nat, shape (jets,): 0 to ln(classes)."""
    p = np.asarray(scores, dtype=float)
    return -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0), axis=1)


def losses(jets: Jets, scores: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Returns minus the logarithm of the true class's probability, shape (jets,); nan where the class is not known."""
    column = np.array([classes.index(name) for name in jets.classes] + [-1])[np.asarray(jets.label)]
    probability = scores[np.arange(len(jets)), column].astype(float)
    smallest = np.finfo(np.float32).tiny
    return np.where(column >= 0, -np.log(np.maximum(probability, smallest)), np.nan)
