"""Two explanations beside one another: of two networks, two epochs, two rules; or of two samples, without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import awkward as ak
import numpy as np

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError, nearest
from ..physics.bootstrap import Estimate
from ..physics.partitions import PARTITIONS, Axis, Sorted, lacking, tabulated
from ..progress import Report, Step, Stop, silent
from .explain import explain
from .randomisation import alike
from .score import Seed
from .tabular import Tabular
from .ways import WAYS

SCORE_BINS = 5
"""Bins of equal jets in the score, within which the samples are compared."""

NAMES = ("species", "charge", "rank", "deltar", "fraction")
"""Ways to sort particles that are compared unless others are asked for."""

PERMUTATIONS = 499
"""Times that the jets are dealt anew to the two samples; the smallest p-value is one in 500."""


@dataclass(frozen=True)
class MapDifference:
    """Two maps of the same jets and what lies between them.

    Attributes:
        relevance: Second minus first, per particle or observable, (jets, var), in log-odds.
        score: Second minus first score, shape (jets,).
        cosine: How alike the two maps are over all inputs, shape (jets,).
        lines: Second minus first, by line of the ledger, shape (jets,); a line that one of them lacks is zero there.
    """

    relevance: ak.Array
    score: np.ndarray
    cosine: np.ndarray
    lines: Mapping[str, np.ndarray]


def difference(first: Explanation, second: Explanation) -> MapDifference:
    """Returns the second explanation minus the first.

    Both are in log-odds of their own score, so that what is compared is what is said of the same jet, not its share.

    Raises:
        ExplanationError: explanations of different jets.
    """
    one, other = ak.Array(first.relevance), ak.Array(second.relevance)
    if len(one) != len(other) or not ak.all(ak.num(one) == ak.num(other)):
        msg = f"The explanations are of different jets ({len(one)} and {len(other)}); explain the same jets twice."
        raise ExplanationError(msg)
    nothing = np.zeros(len(first))
    names = dict.fromkeys([*first.ledger.lines, *second.ledger.lines])
    lines = {n: second.ledger.lines.get(n, nothing) - first.ledger.lines.get(n, nothing) for n in names}
    cosine = (
        alike(first, second) if first.feature_names == second.feature_names else _particle_cosine(one, other)
    )
    return MapDifference(other - one, second.ledger.score - first.ledger.score, cosine, lines)


def _particle_cosine(one: ak.Array, other: ak.Array) -> np.ndarray:
    """Returns the cosine over particles, where the two networks see different features, shape (jets,)."""
    product, a, b = (
        ak.to_numpy(ak.sum(values, axis=1)).astype(float)
        for values in (one * other, one * one, other * other)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return product / np.sqrt(a * b)


@dataclass(frozen=True)
class SampleDifference(Tabular):
    """Where the relevance of two samples lies, at equal score.

    Attributes:
        name: How particles were sorted, a name of `PARTITIONS`.
        axis: The bins.
        first: Mean share of |relevance| per bin, shape (bins,), the first sample weighted to the second one's scores.
        second: Of the second sample.
        distance: Energy distance of the jets' shares within bins of the score.
        p: Probability of so large a distance if the samples do not differ at equal score.
        separation: Kolmogorov and Smirnov's distance of the shares in each bin, mean over bins of the score, shape (bins,).
        p_of_bin: Probability of so large a separation in each bin of the axis alone, shape (bins,).
        jets: How many jets of each sample were used.
    """

    name: str
    axis: Axis
    first: Estimate
    second: Estimate
    distance: float
    p: float
    separation: np.ndarray
    p_of_bin: np.ndarray
    jets: tuple[int, int]

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per bin: "bin", "first", "first_error", "second", "second_error", "separation", "p"."""
        return {
            "bin": np.array(self.axis.words, dtype=object),
            "first": self.first.value,
            "first_error": self.first.error,
            "second": self.second.value,
            "second_error": self.second.error,
            "separation": self.separation,
            "p": self.p_of_bin,
        }


def compare_samples(
    first: tuple[Jets, Explanation],
    second: tuple[Jets, Explanation],
    name: str = "species",
    *,
    bins: int = SCORE_BINS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> SampleDifference:
    """Returns whether one network looks at two samples in the same way, where it gives them the same score.

    Labels are not needed: jets are compared within bins of the score that hold equally many jets. Under the hypothesis that
    the samples are the same there, dealing the jets of a bin anew to the two samples changes nothing, so that the p-values are
    exact. Weights are not used.

    Args:
        first: Jets and their explanation.
        second: The same of another sample.
        name: How particles are sorted, a name of `PARTITIONS` with one axis ("species", "deltar", "rank", ...).
        bins: Of the score; those that lack one of the samples are left out.
        permutations: Times that the jets are dealt anew.
        seed: Of the dealing.

    Raises:
        ExplanationError: an unknown way to sort, fields that are missing, or no score that both samples reach.

    Source: Szekely and Rizzo 2004 for the energy distance.
    """
    axis, shares = _axis(name), [_shares(*sample, name) for sample in (first, second)]
    score = np.concatenate([np.asarray(explanation.ledger.score) for _, explanation in (first, second)])
    values = np.concatenate(shares)
    which = np.repeat([False, True], [len(shares[0]), len(shares[1])])
    known = np.isfinite(values).all(1)
    values, which, score = values[known], which[known], score[known]
    groups = _groups(score, which, bins)
    if not groups:
        msg = "No score is reached by both samples, so that nothing can be compared at equal score; take larger or more similar samples."
        raise ExplanationError(msg)
    distance = _Distances(values, groups)
    generator = np.random.default_rng(seed)
    found = distance(which)
    larger = np.ones(len(found))
    for _ in range(permutations):
        dealt = which.copy()
        for group in groups:
            dealt[group] = generator.permutation(which[group])
        larger += distance(dealt) >= found * (1 - 1e-12)
    p = larger / (permutations + 1)
    one, other = (_mean(values, which == side, groups, which) for side in (False, True))
    used = np.concatenate(groups)
    number = int((~which[used]).sum()), int(which[used].sum())
    return SampleDifference(name, axis, one, other, float(found[0]), float(p[0]), found[1:], p[1:], number)


def at_equal_score(
    fitted: FittedTagger,
    first: Jets,
    second: Jets,
    names: Sequence[str] = NAMES,
    *,
    way: str = "LRP ε",
    score: Seed = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> dict[str, SampleDifference]:
    """Returns where a tagger looks differently at two samples although it gives them the same score, by way to sort particles.

    Args:
        fitted: A network that sees particles.
        first: A sample; no labels are needed, weights are not used.
        second: Another one.
        names: Ways to sort particles; those that need a field which a sample lacks are left out.
        way: How to explain, a name of `ways.WAYS`.
        score: Which score, as `explain` takes its seed.
        permutations: Times that jets are dealt anew.
        seed: Of the dealing.
        report: Told how many jets are explained.
        stop: When set, the jets explained so far are compared, if there are some of the second sample.

    Raises:
        ExplanationError: an unknown way, what `explain` refuses, no score that both samples reach, or a stop before the second
            sample.
    """
    if way not in WAYS:
        msg = f"There is no way to explain called {way!r}; known are {', '.join(WAYS)}."
        raise ExplanationError(msg)
    how, total = dict(WAYS[way]), len(first) + len(second)
    pairs = []
    for done, jets in ((0, first), (len(first), second)):
        # The reporter of the second sample counts on from the first.
        told = partial(_onwards, report, done, total)
        explanation = explain(fitted, jets, seed=score, report=told, stop=stop, **how)
        pairs.append((jets[: len(explanation)], explanation))
    possible = [n for n in names if not any(lacking(PARTITIONS[n], jets) for jets in (first, second))]
    settings: dict[str, Any] = {"permutations": permutations, "seed": seed}
    return {name: compare_samples(pairs[0], pairs[1], name, **settings) for name in possible}


def _onwards(report: Report, done: int, total: int, step: Step) -> None:
    report(Step(done=done + step.done, total=total, unit="jets"))


def _axis(name: str) -> Axis:
    simple = {key: way.axes[0] for key, way in PARTITIONS.items() if len(way.axes) == 1}
    if name not in simple:
        msg = f"Particles cannot be sorted by {name!r} here; {nearest(name, simple)}"
        raise ExplanationError(msg)
    return simple[name]


def _shares(jets: Jets, explanation: Explanation, name: str) -> np.ndarray:
    """Returns each jet's share of |relevance| per bin, shape (jets, bins); nan where a jet has none at all."""
    if len(jets) != len(explanation):
        msg = f"There are {len(jets)} jets and {len(explanation)} explanations; explain these jets."
        raise ExplanationError(msg)
    way = PARTITIONS[name]
    if missing := lacking(way, jets):
        msg = f"The particles of {jets.origin.name} lack the field {missing!r} that sorting by {name!r} needs; sort them in another way."
        raise ExplanationError(msg)
    if not isinstance(explanation.relevance, ak.Array):
        msg = "The network sees observables of the whole jet, so that no particle has relevance; take a network on particles."
        raise ExplanationError(msg)
    relevance = np.abs(ak.to_numpy(ak.flatten(explanation.relevance, axis=1)).astype(float))
    absolute = tabulated(way.sort(Sorted(jets)), relevance, jets.counts, way.bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        return absolute[:, :-1] / absolute.sum(1, keepdims=True)


def _groups(score: np.ndarray, which: np.ndarray, bins: int) -> list[np.ndarray]:
    """Returns the jets of each bin of the score that holds at least two of both samples."""
    edges = np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, score, side="right")
    groups = [np.flatnonzero(place == number) for number in range(bins)]
    return [group for group in groups if min(which[group].sum(), (~which[group]).sum()) >= 2]


class _Distances:
    """The energy distance of the shares, and the Kolmogorov-Smirnov distance of each column, over groups of jets."""

    def __init__(self, values: np.ndarray, groups: list[np.ndarray]) -> None:
        self.groups, self.size = groups, sum(map(len, groups))
        self.apart = [_apart(values[group]) for group in groups]
        self.orders = [np.argsort(values[group], axis=0, kind="stable") for group in groups]
        self.ends = [
            np.concatenate(
                [
                    np.diff(np.take_along_axis(values[group], order, 0), axis=0) > 0,
                    np.ones((1, values.shape[1]), bool),
                ]
            )
            for group, order in zip(groups, self.orders, strict=True)
        ]

    def __call__(self, which: np.ndarray) -> np.ndarray:
        """Returns the energy distance and after it the separation of each column, shape (1 + columns,)."""
        total = np.zeros(1)
        for group, apart, order, ends in zip(self.groups, self.apart, self.orders, self.ends, strict=True):
            second = which[group]
            u, v = (~second) / (~second).sum(), second / second.sum()
            energy = 2 * u @ apart @ v - u @ apart @ u - v @ apart @ v
            gap = np.abs(np.cumsum((u - v)[order], axis=0)) * ends
            total = total + len(group) / self.size * np.concatenate([[energy], gap.max(0)])
        return total


def _apart(values: np.ndarray) -> np.ndarray:
    """Returns the distances between jets, shape (jets, jets)."""
    squares = (values**2).sum(1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * values @ values.T, 0.0))


def _mean(values: np.ndarray, here: np.ndarray, groups: list[np.ndarray], which: np.ndarray) -> Estimate:
    """Returns the mean shares of the jets that are here, each bin of the score counted as in the second sample."""
    counts = np.array([which[group].sum() for group in groups], dtype=float)
    share = (counts / counts.sum())[:, None]
    parts = [values[group][here[group]] for group in groups]
    means = np.stack([part.mean(0) for part in parts])
    variances = np.stack([part.var(0, ddof=1) / len(part) for part in parts])
    return Estimate((share * means).sum(0), np.sqrt((share**2 * variances).sum(0)))
