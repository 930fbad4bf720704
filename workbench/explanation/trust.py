"""All checks of one way to explain, over a sample, each with a verdict in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError
from ..physics.bootstrap import Estimate
from ..progress import Never, Report, Step, Stop, silent
from .agreement import Agreement, agreement, maps
from .explain import explain
from .faithfulness import DeletionCurves, deletion_curves, infidelity
from .randomisation import HEAD, ClassSensitivity, Randomisation, class_sensitivity, randomisation
from .resampling import DRAWS, written
from .score import Seed
from .shaking import RESOLUTION, max_sensitivity
from .ways import USUAL, WAYS

HOLDS, DOUBTFUL, FAILS = "holds", "doubtful", "fails"
"""Verdicts."""

SIGMAS = 3.0
"""Standard errors by which a curve must lie off chance; a map that knows nothing does once in 741."""

ALIKE = 0.5
"""Rank correlation, or change, below which two maps are said to be unlike."""


@dataclass(frozen=True)
class Badge:
    """One verdict.

    Attributes:
        check: What was looked at.
        verdict: "holds", "doubtful" or "fails".
        sentence: What was found, with its numbers.
    """

    check: str
    verdict: str
    sentence: str


@dataclass(frozen=True)
class Trust:
    """What the checks found; one that was not made, or could not be, is None.

    Attributes:
        way: The way to explain, a name of `ways.WAYS`.
        jets: Number of jets looked at.
        closed: Share of the jets whose books close to 1 in 100.
        agreement: With other ways to explain.
        classes: Whether the maps of two classes differ.
        randomisation: What is left when the network forgets.
        curves: What taking particles away does to the score.
        infidelity: How badly the map tells losses, 0 is perfect and 1 an empty map.
        sensitivity: How much it changes when the jet hardly does.
        missing: By check, why it could not be made.
    """

    way: str
    jets: int
    closed: float
    agreement: Agreement | None = None
    classes: ClassSensitivity | None = None
    randomisation: Randomisation | None = None
    curves: DeletionCurves | None = None
    infidelity: Estimate | None = None
    sensitivity: Estimate | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def badges(self) -> tuple[Badge, ...]:
        """The verdicts of the checks that were made."""
        made = (
            self._books(),
            self._blind(),
            self._forgetting(),
            self._losses(),
            self._agreeing(),
            self._steady(),
        )
        return tuple(badge for badge in made if badge is not None)

    @property
    def blind(self) -> bool:
        """True if this way cannot tell signal from background."""
        seen = [part.blind for part in (self.classes, self.randomisation) if part is not None]
        return any(seen)

    def _books(self) -> Badge:
        verdict = HOLDS if self.closed == 1 else FAILS
        return Badge(
            "Ledger", verdict, f"The lines account for the score of {self.closed:.0%} of {self.jets} jets."
        )

    def _blind(self) -> Badge | None:
        if self.classes is None and self.randomisation is None:
            return None
        found = []
        seen = [part.cosine.value for part in (self.classes, self.randomisation) if part is not None]
        if not np.isfinite(np.concatenate(seen)).any():
            return _nothing("Class")
        if self.classes is not None:
            where = int(np.argmax(np.nan_to_num(self.classes.cosine.value, nan=-np.inf)))
            pair = " and ".join(self.classes.pairs[where])
            found.append(f"Maps of {pair} have a cosine of {written(self.classes.cosine[where])}")
        if self.randomisation is not None:
            found.append(
                f"with the classifier drawn anew |cosine| {written(self.randomisation.head)} is left"
            )
        words = (
            "This rule cannot tell signal from background." if self.blind else "It tells the classes apart."
        )
        return Badge("Class", FAILS if self.blind else HOLDS, f"{words} {'; '.join(found)}.")

    def _forgetting(self) -> Badge | None:
        if self.randomisation is None:
            return None
        left = self.randomisation.size[-1]
        if not np.isfinite(left.value):
            return _nothing("Learned")
        verdict = HOLDS if left.value < ALIKE else DOUBTFUL
        words = (
            "The map needs what was learned"
            if verdict == HOLDS
            else "Part of the map needs nothing that was learned"
        )
        return Badge(
            "Learned", verdict, f"{words}: with all layers drawn anew |cosine| {written(left)} is left."
        )

    def _losses(self) -> Badge | None:
        if self.curves is None:
            return None
        gaps = self.curves.gaps
        if not all(np.isfinite(gap.error) for gap in gaps.values()):
            few = (
                f"Of {self.jets} jet nothing can be told from chance: there is no error without a second one."
            )
            return Badge("Deletion", DOUBTFUL, few)
        good = all(gap.value > SIGMAS * gap.error for gap in gaps.values())
        empty = self.infidelity is not None and float(self.infidelity.value) >= 1
        words = (
            "Taking particles away follows the map"
            if good
            else "Taking particles away is no better than chance"
        )
        found = f"{words}: {written(gaps['most'])} and {written(gaps['least'])} log-odds off random order."
        if self.infidelity is not None:
            amounts = "its amounts do not tell the losses" if empty else "its amounts tell part of the losses"
            found += f" Infidelity {written(self.infidelity)} where an empty map has 1: {amounts}."
        return Badge("Deletion", FAILS if not good else DOUBTFUL if empty else HOLDS, found)

    def _agreeing(self) -> Badge | None:
        found = self.agreement
        if found is None or len(found.ways) < 2 or self.way not in found.ways:
            return None
        here = found.ways.index(self.way)
        value = np.where(np.arange(len(found.ways)) == here, np.nan, found.rank.value[here])
        if not np.isfinite(value).any():
            return None
        worst, best, middle = int(np.nanargmin(value)), int(np.nanargmax(value)), float(np.nanmedian(value))
        verdict = HOLDS if middle >= ALIKE else DOUBTFUL
        words = "Most other ways say the same" if verdict == HOLDS else "Other ways say otherwise"
        ends = (f"{written(found.rank[here, place])} with {found.ways[place]}" for place in (worst, best))
        ranks = " to ".join(dict.fromkeys(ends))
        return Badge("Agreement", verdict, f"{words}: rank correlation {ranks}, {middle:.2f} in the middle.")

    def _steady(self) -> Badge | None:
        if self.sensitivity is None:
            return None
        if not np.isfinite(self.sensitivity.value):
            return _nothing("Steady")
        verdict = HOLDS if self.sensitivity.value < ALIKE else DOUBTFUL
        words = (
            "A little shaking changes the map little"
            if verdict == HOLDS
            else "A little shaking changes the map"
        )
        return Badge(
            "Steady", verdict, f"{words}: by {written(self.sensitivity)} of its size at {RESOLUTION:.0%}."
        )


def _nothing(check: str) -> Badge:
    return Badge(
        check, DOUBTFUL, "The maps are zero, or of a single number, so that there is nothing to compare."
    )


def assess(
    fitted: FittedTagger,
    jets: Jets,
    *,
    way: str = "LRP ε",
    others: Sequence[str] = USUAL,
    score: Seed = None,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Trust:
    """Returns what all checks say of one way to explain one tagger's scores of some jets.

    A check that this tagger cannot be given (trees have no layers) is named in `missing` with the reason.

    Args:
        fitted: A tagger.
        jets: A hundred jets or so; every check explains them several times.
        way: The way to explain that is judged, a name of `ways.WAYS`.
        others: Ways that it is compared with.
        score: Which score, as `explain` takes its seed.
        draws: Samples drawn for the errors.
        seed: Of these draws and of all that is random.
        report: Told all along.
        stop: When set, the checks made so far are returned.

    Raises:
        ExplanationError: an unknown way, or jets that cannot be explained at all.
    """
    if way not in WAYS:
        msg = f"There is no way to explain called {way!r}; known are {', '.join(WAYS)}."
        raise ExplanationError(msg)
    stop = stop or Never()
    how: dict[str, Any] = dict(WAYS[way])
    explanation = explain(fitted, jets, seed=score, **how)
    random: dict[str, Any] = {"draws": draws, "seed": seed}
    part: dict[str, Callable[..., Any]] = {
        "classes": partial(class_sensitivity, fitted, jets, **how, **random),
        "curves": partial(deletion_curves, fitted, jets, explanation, score=score, **random),
        "infidelity": partial(infidelity, fitted, jets, explanation, score=score, **random),
        "sensitivity": partial(max_sensitivity, fitted, jets, explanation, score=score, **how, **random),
        "randomisation": partial(randomisation, fitted, jets, score=score, repeats=1, **how, **random),
        "agreement": partial(_agreement, fitted, jets, explanation, way, others, score, random),
    }
    if "method" in how:
        # Every layer would ask a slow method again.
        part["randomisation"] = partial(part["randomisation"], last=HEAD)
    made: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for number, (name, check) in enumerate(part.items()):
        if stop.is_set():
            break
        asked = {} if name == "classes" else {"report": _within(report, number, len(part)), "stop": stop}
        try:
            made[name] = check(**asked)
        except ExplanationError as error:
            if not stop.is_set():
                missing[name] = str(error)
        report(Step(done=number + 1, total=len(part), unit="checks"))
    closed = float(explanation.ledger.closes(0.01).mean())
    return Trust(way, len(jets), closed, **made, missing=missing)


def _within(report: Report, number: int, total: int) -> Report:
    """Returns a report whose share counts as one of `total` checks."""
    return lambda step: report(Step(done=number + step.done / step.total, total=total, unit="checks"))


def _agreement(
    fitted: FittedTagger,
    jets: Jets,
    explanation: Explanation,
    way: str,
    others: Sequence[str],
    score: Seed,
    random: dict[str, Any],
    report: Report,
    stop: Stop,
) -> Agreement:
    ways = [name for name in others if name != way]
    found = {way: explanation, **maps(fitted, jets, ways, seed=score, report=report, stop=stop)}
    return agreement(found, weight=np.asarray(jets.weight), **random)
