"""Planing: take an observable away from a network by weights, train again, and see what it can no longer do.

Source: arXiv:1709.10106.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..engines.samples import split
from ..engines.tagging import Tagger
from ..errors import ExplanationError
from ..physics.intervals import effective_count
from ..physics.observables import observables
from ..progress import Never, Outcome, Report, Step, Stop, silent
from .ordering import DRAWS, Ordering, areas, measured, sides, stands
from .score import Seed, log_odds
from .tabular import Tabular

BINS = 40
"""Bins of equal population: within one of them the classes may still differ, by a fortieth of the sample."""

NOTHING = "nothing"
"""Name of the row without planing."""


@dataclass(frozen=True)
class Planed:
    """Weights with which every class has the same distribution of an observable.

    Attributes:
        weight: Of each jet, shape (jets,); 0 where a class is missing beside it. Each class keeps its sum of weights.
        edges: Of the bins, shape (bins + 1,).
        left_out: Jets with weight 0: not defined, or in bins where a class has no jets.
        effective: Effective number of jets, (Σw)² / Σw².
    """

    weight: np.ndarray
    edges: np.ndarray
    left_out: int
    effective: float


@dataclass(frozen=True)
class Row:
    """A network trained without one observable.

    Errors take the weights as given: that they were made from these jets, which are finite in number, is not in them.

    Attributes:
        name: The observable; "nothing" for the network that was trained on the jets as they are.
        auc: Area under the ROC curve of the network trained with these weights, measured with these weights.
        before: Area of the network that was trained on the jets as they are, measured with these weights.
        fall: What the first network loses when the observable tells nothing any more and it is trained again: its area on
            the jets as they are minus `auc`, on the same jets.
        alone: Area of the observable by itself, measured with these weights; 1/2 where planing did its work.
        left_out: Test jets of weight 0.
        effective: Effective number of test jets.
    """

    name: str
    auc: Ordering
    before: Ordering
    fall: Ordering
    alone: Ordering
    left_out: int
    effective: float


@dataclass(frozen=True)
class Planing(Tabular):
    """What a network can do without observables, one at a time.

    Attributes:
        rows: One per observable, after the one without planing.
        words: The score, "top - QCD".
        network: Which network was trained.
        jets: Test jets.
    """

    rows: tuple[Row, ...]
    words: str
    network: str
    jets: int

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per observable, values with errors."""
        found: dict[str, np.ndarray] = {"without": np.array([row.name for row in self.rows], dtype=object)}
        for what in ("auc", "before", "fall", "alone"):
            pairs = [getattr(row, what) for row in self.rows]
            found[what] = np.array([pair.value for pair in pairs])
            found[f"{what}_error"] = np.array([pair.error for pair in pairs])
        found["left_out"] = np.array([row.left_out for row in self.rows])
        found["effective"] = np.array([row.effective for row in self.rows])
        return found


def planed(
    values: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    edges: Sequence[float] | None = None,
) -> Planed:
    """Returns weights with which every class is flat over the bins of an observable.

    w = 1 / (the class's own weight in the bin), arXiv:1709.10106, eq. (1), times the jet's weight. Jets without a value,
    outside of the bins, or in a bin where a class has no positive weight get 0, as nothing can be said of them.

    Args:
        values: The observable, shape (jets,).
        label: Class of each jet, shape (jets,); -1 for none, whose jets get 0.
        weight: Of each jet, shape (jets,).
        edges: Of the bins, rising, for "flat" to mean flat in the observable; by default 40 bins of equal population (fewer
            where many jets have the same value), which leaves more effective jets and is as good for the classes.

    Raises:
        ExplanationError: fewer than two classes, or no bin that holds jets of all of them.
    """
    values, label = np.asarray(values, dtype=float), np.asarray(label)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    classes = [c for c in np.unique(label) if c >= 0]
    if len(classes) < 2:
        msg = f"Found jets of {len(classes)} classes; planing makes two or more alike."
        raise ExplanationError(msg)
    bins = _edges(values[label >= 0], edges)
    place = np.searchsorted(bins, values, side="right") - 1
    place[values == bins[-1]] = len(bins) - 2
    inside = np.isfinite(values) & (place >= 0) & (place < len(bins) - 1) & (label >= 0)
    rows = [inside & (label == c) for c in classes]
    height = np.array([np.bincount(place[mine], weight[mine], len(bins) - 1) for mine in rows])
    shared = np.flatnonzero((height > 0).all(axis=0))
    if not len(shared):
        msg = "No bin of the observable holds jets of every class: it separates them completely, and nothing is left to compare."
        raise ExplanationError(msg)
    made = np.zeros(len(values))
    for c, mine, heights in zip(classes, rows, height, strict=True):
        jets = np.flatnonzero(mine & np.isin(place, shared))
        made[jets] = weight[jets] / heights[place[jets]] * weight[label == c].sum() / len(shared)
    return Planed(made, bins, int(np.count_nonzero(made == 0)), effective_count(made))


def _edges(values: np.ndarray, edges: Sequence[float] | None) -> np.ndarray:
    """Returns the edges asked for, or those of bins of equal population."""
    if edges is None:
        finite = values[np.isfinite(values)]
        quantiles = np.quantile(finite, np.linspace(0, 1, BINS + 1)) if len(finite) else finite
        bins = np.unique(quantiles)
    else:
        bins = np.asarray(edges, dtype=float)
    if len(bins) < 2 or bool((np.diff(bins) <= 0).any()):
        msg = f"Planing needs rising edges of one bin or more, found {len(bins)} edges; the observable may be the same for all jets."
        raise ExplanationError(msg)
    return bins


def planing(
    engine: Tagger,
    jets: Jets,
    names: Sequence[str] = ("mass",),
    *,
    seed: Seed = None,
    random: int = 0,
    draws: int = DRAWS,
    report: Report = silent,
    stop: Stop | None = None,
) -> Planing:
    """Returns what a network can do when observables are taken away from it, one at a time, and it is trained again.

    Half of the jets train, half of them test; the weights that take an observable away are made for each half by itself. All
    networks learn from the same jets, with the same seed. Weights make few jets count for many: compare `effective`.

    Args:
        engine: What to train.
        jets: Labelled jets of two or more classes.
        names: Observables of `physics.observables` to take away.
        seed: Which score, as in `explain`.
        random: Seed of the division and of the fits.
        draws: Samples drawn with replacement, for errors.
        report: Told how many fits are done.
        stop: Looked at between batches; the rows so far are returned, if there are any.

    Raises:
        ExplanationError: an observable that separates the classes completely, or a stop before the first network is trained.
        TrainingError: too few jets.
    """
    stop = stop or Never()
    learned, tested = split(jets, 0.5, random)
    values = [observables(half, tuple(names)) for half in (learned, tested)]
    study = _Study(engine, seed, random, draws, stop)
    plain = study.score(learned, tested)
    rows: list[Row] = []
    if plain is not None:
        usual = Planed(tested.weight, np.zeros(0), 0, effective_count(tested.weight))
        rows.append(study.row(NOTHING, tested, usual, plain, plain, plain))
    report(Step(done=1, total=1 + len(names), unit="networks"))
    for done, name in enumerate(names):
        if plain is None:
            break
        here, there = (
            planed(found[name], np.asarray(half.label), half.weight)
            for found, half in zip(values, (learned, tested), strict=True)
        )
        again = study.score(replace(learned, weight=here.weight)[here.weight != 0], tested)
        if again is None:
            break
        rows.append(study.row(name, tested, there, again, plain, values[1][name]))
        report(Step(done=2 + done, total=1 + len(names), unit="networks"))
    if not rows:
        msg = "It was stopped before the first network was trained; start it again."
        raise ExplanationError(msg)
    _, _, words = stands(tested, tested.classes, seed)
    return Planing(tuple(rows), words, engine.network, len(tested))


@dataclass(frozen=True)
class _Study:
    """What is the same for all networks of a study."""

    engine: Tagger
    seed: Seed
    random: int
    draws: int
    stop: Stop

    def score(self, learned: Jets, tested: Jets) -> np.ndarray | None:
        """Returns the score of test jets by a network that learned from others, or None if it was stopped."""
        fitted = self.engine.fit(learned, seed=self.random, stop=self.stop)
        if fitted.outcome in {Outcome.STOPPED, Outcome.UNLEARNED}:
            return None
        return log_odds(fitted, tested, self.seed)

    def row(
        self,
        name: str,
        tested: Jets,
        weights: Planed,
        again: np.ndarray,
        plain: np.ndarray,
        alone: np.ndarray,
    ) -> Row:
        """Returns what two scores and an observable tell with these weights; the draws of jets are the same for all."""
        signal, background, _ = stands(tested, tested.classes, self.seed)
        usual, flat = (
            sides(signal, background, weight, draws=self.draws, seed=self.random)
            for weight in (tested.weight, weights.weight)
        )
        auc = areas(again, flat)
        return Row(
            name,
            measured(auc),
            measured(areas(plain, flat)),
            measured(areas(plain, usual) - auc),
            measured(areas(alone, flat)),
            weights.left_out,
            weights.effective,
        )


def without(
    fitted: FittedTagger,
    jets: Jets,
    names: Sequence[str] = ("mass",),
    *,
    network: str = "trees",
    seed: Seed = None,
    random: int = 0,
    draws: int = DRAWS,
    report: Report = silent,
    stop: Stop | None = None,
) -> Planing:
    """Returns what a network like that of a tagger can do without observables; see `planing`.

    Args:
        fitted: A tagger, of which only the settings and the classes count.
        jets: Labelled jets of two or more classes.
        names: Observables to take away.
        network: Another network to train, quickly "trees"; empty for that of the tagger with all its settings.
        seed: Which score, as in `explain`.
        random: Seed of the division and of the fits.
        draws: Samples drawn with replacement, for errors.
        report: Told how many fits are done.
        stop: Looked at between batches.
    """
    engine = Tagger(network=network) if network else Tagger(**fitted.engine.settings())
    return planing(engine, jets, names, seed=seed, random=random, draws=draws, report=report, stop=stop)
