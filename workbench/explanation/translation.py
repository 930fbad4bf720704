"""From a network to a few named observables that order jets as it does, and how much of it they leave unsaid.

Source: the guided search of arXiv:2010.11998, section III.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..engines.trees import grow
from ..errors import ExplanationError, nearest
from ..physics.energy_flow import energy_flow_polynomials
from ..physics.observables import OBSERVABLES, observables
from ..progress import Never, Report, Step, Stop, silent
from .ordering import (
    DRAWS,
    Ordering,
    Sides,
    areas,
    average_decision_ordering,
    best_ordering,
    measured,
    misordered,
    orders,
    sides,
    stands,
)
from .score import Seed, log_odds
from .tabular import Tabular

JETS_AT_ONCE = 500
"""Jets whose observables are computed between two looks at whether to stop."""

PAIRS = 200_000
"""Pairs of jets among which disagreement is looked for; with a tenth of them left, shares are known to 0.4 %."""

TRIED = 8
"""Observables tried in each step: so many that order most, and so many that order fewest, of the pairs that are not right yet.
An observable that says once more what is known orders few of them too, so that only the fit can tell."""

SURROGATES = ("trees", "linear")
"""What is made of several observables: boosted trees, or a sum of growing functions, one of each observable."""

TREES = {"max_iter": 80, "max_leaf_nodes": 12, "min_samples_leaf": 30, "learning_rate": 0.1}
"""Small trees: they shall follow the network, not the jets."""

GOAL = 0.97
"""Share of pairs in the network's order at which the search ends."""

Bank = Mapping[str, np.ndarray]
"""Observables by name, each of shape (jets,)."""


@dataclass(frozen=True)
class Stage:
    """The search after one more observable; all numbers are of jets that nothing was chosen or fitted on.

    Attributes:
        name: The observable that came.
        alone: Share of the pairs not ordered right so far that it puts into the network's order; below one half where it
            falls as the score rises.
        ado: Share of all pairs that the surrogate on all observables so far puts into the network's order.
        auc: Area under the surrogate's ROC curve.
        lost: The network's area minus the surrogate's, on the same jets.
        gain: ADO minus that of the stage before; of the first stage, minus one half.
    """

    name: str
    alone: float
    ado: Ordering
    auc: Ordering
    lost: Ordering
    gain: Ordering


@dataclass(frozen=True)
class Translation(Tabular):
    """A network in terms of a few observables.

    Attributes:
        stages: One per observable, in the order in which they were found.
        network: Area under the network's own ROC curve on the same jets.
        words: The score that was translated, "top - QCD".
        surrogate: What was made of the observables.
        candidates: Size of the bank.
        jets: Jets that the numbers were measured on.
        ended: Why the search ended, in a sentence.
    """

    stages: tuple[Stage, ...]
    network: Ordering
    words: str
    surrogate: str
    candidates: int
    jets: int
    ended: str

    @property
    def names(self) -> tuple[str, ...]:
        """The observables that were found."""
        return tuple(stage.name for stage in self.stages)

    @property
    def left(self) -> Ordering:
        """Share of pairs that the observables still put into another order than the network."""
        last = self.stages[-1].ado
        return Ordering(1 - last.value, last.error)

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per observable: "observables" (how many so far), "name", and values with errors."""
        found: dict[str, np.ndarray] = {
            "observables": np.arange(1, len(self.stages) + 1),
            "name": np.array(self.names, dtype=object),
            "alone": np.array([stage.alone for stage in self.stages]),
        }
        for what in ("ado", "auc", "lost", "gain"):
            pairs = [getattr(stage, what) for stage in self.stages]
            found[what] = np.array([pair.value for pair in pairs])
            found[f"{what}_error"] = np.array([pair.error for pair in pairs])
        return found

    def frame(self) -> pd.DataFrame:
        """Returns the columns as a table, with what they belong to in its `attrs`."""
        frame = super().frame()
        about = {"score": self.words, "surrogate": self.surrogate, "jets": self.jets, "ended": self.ended}
        frame.attrs = {**about, "network_auc": self.network.value, "network_auc_error": self.network.error}
        return frame


def bank(
    jets: Jets,
    names: Sequence[str] = tuple(OBSERVABLES),
    *,
    degree: int = 4,
    betas: Sequence[float] = (0.5, 1.0, 2.0),
    report: Report = silent,
    stop: Stop | None = None,
) -> dict[str, np.ndarray]:
    """Returns observables of the workbench and energy-flow polynomials by name, each of shape (jets,).

    Args:
        jets: Jets.
        names: Observables, see `physics.observables`.
        degree: Highest degree of the polynomials; 0 for none.
        betas: Powers of the angle in the polynomials; the name ends with it, "efp_01_12 β=2".
        report: Told how many jets are done.
        stop: Looked at every 500 jets.

    Raises:
        ExplanationError: it was stopped.
    """
    stop, parts = stop or Never(), []
    for first in range(0, len(jets), JETS_AT_ONCE):
        if stop.is_set():
            msg = "The search was stopped before the observables were computed; start it again."
            raise ExplanationError(msg)
        part = jets[first : first + JETS_AT_ONCE]
        found = observables(part, names)
        for beta in betas if degree else ():
            polynomials = energy_flow_polynomials(part, degree, beta=beta)
            found |= {f"{name} β={beta:g}": values for name, values in polynomials.items()}
        parts.append(found)
        report(Step(done=first + len(part), total=len(jets), unit="jets"))
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def translate(
    fitted: FittedTagger,
    jets: Jets,
    *,
    seed: Seed = None,
    names: Sequence[str] = tuple(OBSERVABLES),
    degree: int = 4,
    betas: Sequence[float] = (0.5, 1.0, 2.0),
    surrogate: str = "trees",
    goal: float = GOAL,
    most: int = 6,
    draws: int = DRAWS,
    random: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Translation:
    """Returns the few observables that order jets as a tagger does, see `search`.

    Args:
        fitted: A tagger.
        jets: Labelled jets, best ones that it never saw.
        seed: Which score, as in `explain`.
        names: Observables that may be chosen, see `physics.observables`.
        degree: Highest degree of the energy-flow polynomials that may be chosen; 0 for none.
        betas: Powers of the angle in them.
        surrogate: What is made of several observables: "trees" or "linear".
        goal: Share of pairs in the network's order at which the search ends.
        most: Most observables.
        draws: Samples drawn with replacement, for errors.
        random: Seed of everything that is drawn.
        report: Told how far the bank, and then the search, is.
        stop: Looked at between two steps; the stages so far are returned.

    Raises:
        ExplanationError: too few jets of a class, an unknown class or surrogate, or a stop before the first stage.
    """
    signal, background, words = stands(jets, fitted.classes, seed)
    pair = signal | background
    jets, signal = jets[pair], signal[pair]
    candidates = bank(jets, names, degree=degree, betas=betas, report=report, stop=stop)
    score = log_odds(fitted, jets, seed)
    found = search(
        score,
        signal,
        candidates,
        jets.weight,
        surrogate=surrogate,
        goal=goal,
        most=most,
        draws=draws,
        random=random,
        report=report,
        stop=stop,
    )
    return replace(found, words=words)


def search(
    score: np.ndarray,
    is_signal: np.ndarray,
    candidates: Bank,
    weight: np.ndarray | None = None,
    *,
    surrogate: str = "trees",
    goal: float = GOAL,
    most: int = 6,
    draws: int = DRAWS,
    random: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Translation:
    """Returns observables that together order jets as a score does.

    Each step looks at the pairs that the observables so far put into another order than the score, takes from the bank
    those observables that order most, or fewest, of these as the score does, fits a surrogate to the ranks of the score
    with each of them, and keeps the one with which it orders best. Half of
    the jets of each class, drawn by `random`, are used to choose and to fit, all numbers are of the others. The search
    ends where the goal is reached, where an observable adds less than its error, or with the last one allowed.

    Args:
        score: What is translated, shape (jets,).
        is_signal: True for signal jets, False for background jets, shape (jets,).
        candidates: The bank: observables by name, each of shape (jets,); nan where one is not defined.
        weight: Of each jet, shape (jets,); may be negative (the surrogate then learns with magnitudes).
        surrogate: "trees" or "linear".
        goal: ADO at which the search ends.
        most: Most observables.
        draws: Samples drawn with replacement, for errors.
        random: Seed of everything that is drawn.
        report: Told how many observables were found.
        stop: Looked at before each fit; the stages so far are returned.

    Raises:
        ExplanationError: an empty bank, an unknown surrogate, fewer than 20 jets of a class, or a stop before the first stage.
    """
    if surrogate not in SURROGATES:
        msg = f"There is no surrogate {surrogate!r}; {nearest(surrogate, SURROGATES)}"
        raise ExplanationError(msg)
    if not candidates:
        msg = "The bank has no observables to choose from; give at least one."
        raise ExplanationError(msg)
    stop, weight = stop or Never(), np.ones(len(score)) if weight is None else np.asarray(weight, dtype=float)
    hunt = Hunt.of(np.asarray(score, dtype=float), is_signal, candidates, weight, surrogate, draws, random)
    stages: list[Stage] = []
    ended = f"The search ended with {most} observables, the most that were asked for."
    while len(stages) < min(most, len(candidates)):
        stage = hunt.next(stages, stop, lambda part: report(Step(len(stages) + part, most, "observables")))
        if stage is None:
            ended = "The search was stopped."
            break
        stages.append(stage)
        if stages[-1].ado.value >= goal:
            ended = f"The search ended where {goal:.0%} of the pairs stand in the order of the network."
            break
        if stages[-1].gain.value <= stages[-1].gain.error:
            ended = (
                f"The search ended with {stages[-1].name}, which adds less than the error of what it adds."
            )
            break
    if not stages:
        msg = "The search was stopped before the first observable was found; start it again."
        raise ExplanationError(msg)
    network = measured(areas(hunt.score, hunt.measure))
    jets = len(hunt.measure.signal) + len(hunt.measure.background)
    return Translation(tuple(stages), network, "score", surrogate, len(candidates), jets, ended)


@dataclass(frozen=True)
class Hunt:
    """What a search looks at: a score, a bank, jets to choose with and jets to measure with.

    Attributes:
        score: What is translated, shape (jets,).
        bank: Observables by name.
        weight: Of each jet, shape (jets,).
        surrogate: What is made of several observables.
        learn: Jets to choose and to fit with.
        measure: Jets to measure with.
        random: Seed of pairs and trees.
    """

    score: np.ndarray
    bank: Bank
    weight: np.ndarray
    surrogate: str
    learn: Sides
    measure: Sides
    random: int

    @classmethod
    def of(
        cls,
        score: np.ndarray,
        is_signal: np.ndarray,
        candidates: Bank,
        weight: np.ndarray,
        surrogate: str,
        draws: int,
        random: int,
    ) -> "Hunt":
        """Divides the jets."""
        kept = np.zeros(len(score), dtype=bool)
        generator = np.random.default_rng(random)
        for side in (is_signal, ~is_signal):
            numbers = generator.permutation(np.flatnonzero(side))
            if len(numbers) < 20:
                msg = f"Found {np.count_nonzero(is_signal)} signal and {np.count_nonzero(~is_signal)} background jets; a search needs 20 of each."
                raise ExplanationError(msg)
            kept[numbers[: len(numbers) // 2]] = True
        # What is only chosen by has no use for errors.
        learn = sides(is_signal & kept, ~is_signal & kept, weight, draws=2, seed=random)
        measure = sides(is_signal & ~kept, ~is_signal & ~kept, weight, draws=draws, seed=random)
        return cls(score, candidates, weight, surrogate, learn, measure, random)

    def next(self, before: Sequence[Stage], stop: Stop, report: Callable[[float], None]) -> Stage | None:
        """Returns the stage with one more observable, or None if it was stopped; reports the share that is done."""
        used = [stage.name for stage in before]
        so_far = self.follow(used) if used else np.zeros(len(self.score))
        pairs = misordered(self.score, so_far, self.learn, most=PAIRS, seed=self.random + len(used))
        left = {name: values for name, values in self.bank.items() if name not in used}
        shares = best_ordering(self.score, left, pairs)
        ordered = sorted(shares, key=lambda candidate: shares[candidate])
        tried = dict.fromkeys([*ordered[:TRIED], *ordered[-TRIED:]])
        followers: dict[str, np.ndarray] = {}
        for candidate in tried:
            if stop.is_set():
                return None
            followers[candidate] = self.follow([*used, candidate])
            report(len(followers) / len(tried))
        name = max(tried, key=lambda candidate: self._learned(followers[candidate]))
        follower = followers[name]
        ado, auc, own = self._orders(follower), areas(follower, self.measure), areas(self.score, self.measure)
        earlier = self._orders(so_far)
        there = misordered(self.score, so_far, self.measure, most=PAIRS, seed=self.random + len(used))
        alone = best_ordering(self.score, {name: self.bank[name]}, there)[name]
        return Stage(name, alone, measured(ado), measured(auc), measured(own - auc), measured(ado - earlier))

    def _learned(self, follower: np.ndarray) -> float:
        return average_decision_ordering(self.score, follower, self.learn).value

    def _orders(self, follower: np.ndarray) -> np.ndarray:
        return orders(self.score, follower, self.measure)

    def follow(self, names: Sequence[str]) -> np.ndarray:
        """Returns what the surrogate makes of some observables, shape (jets,); it learned from the `learn` jets only.

        One observable alone may do without a fit, growing or falling: whichever orders these jets better.
        """
        x = np.stack([self.bank[name] for name in names], axis=1)
        learned = np.concatenate([self.learn.signal, self.learn.background])
        fit = follow_by_trees if self.surrogate == "trees" else follow_by_sum
        fitted = fit(x, self.score, learned, np.abs(self.weight), self.random)
        if len(names) > 1:
            return fitted
        ways = (x[:, 0], -x[:, 0], fitted)
        return max(ways, key=self._learned)


def follow_by_trees(
    x: np.ndarray, score: np.ndarray, learned: np.ndarray, weight: np.ndarray, seed: int
) -> np.ndarray:
    """Returns boosted trees' estimate of the rank of a score, as its log-odds, shape (jets,).

    The rank, between 0 and 1, is learned as the probability of a label: each jet comes twice, as 1 with its rank as weight
    and as 0 with the rest.

    Args:
        x: Observables, shape (jets, observables); nan is allowed.
        score: Shape (jets,).
        learned: Numbers of the jets to learn from.
        weight: Of each jet, not negative, shape (jets,).
        seed: Of the growing.
    """
    rank = ranks(score[learned])
    label = np.repeat([1, 0], len(learned))
    weights = np.concatenate([rank, 1 - rank]) * np.tile(weight[learned], 2)
    twice = np.concatenate([x[learned], x[learned]])
    return grow(twice, label, weights, settings=TREES, seed=seed, after_each=lambda trees: None).raw(x)[:, 0]


def follow_by_sum(
    x: np.ndarray, score: np.ndarray, learned: np.ndarray, weight: np.ndarray, seed: int
) -> np.ndarray:
    """Returns the weighted sum of observables, each on the scale on which it is normal, that is nearest to the score on its own.

    Arguments as of `follow_by_trees`; nan counts as the median. Least squares: nothing is drawn.
    """
    scaled = np.stack([_normal(column, learned) for column in x.T], axis=1)
    root = np.sqrt(weight[learned])[:, None]
    design = np.concatenate([np.ones((len(learned), 1)), scaled[learned]], axis=1) * root
    target = norm.ppf(ranks(score[learned])) * root[:, 0]
    weights, *_ = np.linalg.lstsq(design, target, rcond=None)
    return scaled @ weights[1:]


def ranks(values: np.ndarray) -> np.ndarray:
    """Returns the rank of each value among all, between 0 and 1, ties shared, same shape."""
    return (rankdata(values) - 0.5) / len(values)


def _normal(values: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """Returns values on the scale on which the learned ones are normal; nan is 0, beyond their ends the scale stays."""
    known = np.unique(values[learned][np.isfinite(values[learned])])
    if not len(known):
        return np.zeros(len(values))
    place = np.searchsorted(np.sort(values[learned]), known, side="left")
    upper = np.searchsorted(np.sort(values[learned]), known, side="right")
    total = np.count_nonzero(np.isfinite(values[learned]))
    normal = norm.ppf((place + upper) / (2 * total))
    return np.where(np.isfinite(values), np.interp(values, known, normal), 0.0)
