"""Do different ways to explain say the same? Compared jet by jet, over the particles of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import awkward as ak
import numpy as np
from scipy.stats import rankdata

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError
from ..physics.bootstrap import Estimate
from ..progress import Never, Report, Step, Stop, silent
from .explain import explain
from .resampling import DRAWS, mean
from .score import Seed
from .tabular import Tabular
from .ways import USUAL, WAYS

TOP = 5
"""Particles per jet whose overlap is counted."""


@dataclass(frozen=True)
class Agreement(Tabular):
    """How far maps of the same jets agree; 1 on the diagonal.

    Attributes:
        ways: Names of the ways to explain.
        rank: Spearman's rank correlation of the relevance of a jet's particles, mean over jets, shape (ways, ways).
        overlap: Share of the `top` largest |relevance| that two ways have in common, mean over jets, shape (ways, ways).
        per_jet: The correlation of each jet, shape (jets, ways, ways); nan for jets of fewer than three particles and
            for maps that are the same for all particles.
        top: Particles whose overlap is counted.
    """

    ways: tuple[str, ...]
    rank: Estimate
    overlap: Estimate
    per_jet: np.ndarray
    top: int

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per pair of ways: "first", "second", "rank", "rank_error", "overlap", "overlap_error", "jets"."""
        size = len(self.ways)
        names = np.array(self.ways, dtype=object)
        return {
            "first": np.repeat(names, size),
            "second": np.tile(names, size),
            **self.rank.columns("rank"),
            **self.overlap.columns("overlap"),
            "jets": np.isfinite(self.per_jet).sum(0).ravel(),
        }

    @property
    def weakest(self) -> tuple[str, str, float, float]:
        """The two ways that agree least by rank, their correlation and its error; nan where there is one way."""
        value = np.where(np.eye(len(self.ways), dtype=bool), np.nan, self.rank.value)
        if not np.isfinite(value).any():
            return self.ways[0], self.ways[-1], float("nan"), float("nan")
        i, j = np.unravel_index(int(np.nanargmin(value)), value.shape)
        return self.ways[i], self.ways[j], float(value[i, j]), float(self.rank.error[i, j])


def maps(
    fitted: FittedTagger,
    jets: Jets,
    ways: Sequence[str] = USUAL,
    *,
    seed: Seed = None,
    report: Report = silent,
    stop: Stop | None = None,
) -> dict[str, Explanation]:
    """Returns the explanation of the same jets in several ways, by the name of the way.

    Args:
        fitted: A tagger that sees particles.
        jets: Some hundred jets.
        ways: Names of `ways.WAYS`.
        seed: Which score, as `explain` takes it.
        report: Told after each way.
        stop: When set, the ways so far are returned.

    Raises:
        ExplanationError: an unknown way, or what `explain` refuses.
    """
    unknown = [way for way in ways if way not in WAYS]
    if unknown:
        msg = f"There is no way to explain called {unknown[0]!r}; known are {', '.join(WAYS)}."
        raise ExplanationError(msg)
    found, stop = {}, stop or Never()
    for way in ways:
        if stop.is_set():
            break
        found[way] = explain(fitted, jets, seed=seed, **WAYS[way])  # type: ignore[call-overload]
        report(Step(done=len(found), total=len(ways), unit="ways to explain"))
    return found


def agreement(
    explanations: Mapping[str, Explanation],
    *,
    weight: np.ndarray | None = None,
    top: int = TOP,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Returns how far maps of the same jets agree.

    Args:
        explanations: Of the same jets, by name.
        weight: Of each jet, shape (jets,).
        top: Particles per jet whose overlap is counted; of a jet with fewer all are, and the overlap is then 1.
        draws: Samples drawn for the errors.
        seed: Of these draws.

    Raises:
        ExplanationError: nothing to compare, or maps of different jets.
    """
    particles = _same_particles(explanations)
    starts = np.cumsum(particles)[:-1]
    flat = np.stack([_flat(explanation) for explanation in explanations.values()])
    per_jet = np.stack([_rank_correlations(part) for part in np.split(flat, starts, axis=1)])
    overlap = np.stack([_overlaps(part, top) for part in np.split(flat, starts, axis=1)])
    how = {"draws": draws, "seed": seed}
    return Agreement(
        tuple(explanations), mean(per_jet, weight, **how), mean(overlap, weight, **how), per_jet, top
    )


def _same_particles(explanations: Mapping[str, Explanation]) -> np.ndarray:
    """Returns the number of particles of each jet, shape (jets,)."""
    counts = [ak.to_numpy(ak.num(ak.Array(e.relevance), axis=1)) for e in explanations.values()]
    if not counts or not len(counts[0]):
        msg = "There are no explanations to compare; give at least one, of at least one jet."
        raise ExplanationError(msg)
    if any(not np.array_equal(count, counts[0]) for count in counts):
        msg = "The explanations are of different jets; explain the same jets in every way."
        raise ExplanationError(msg)
    return counts[0]


def _flat(explanation: Explanation) -> np.ndarray:
    return np.asarray(ak.to_numpy(ak.flatten(ak.Array(explanation.relevance), axis=1)), dtype=float)


def _rank_correlations(maps: np.ndarray) -> np.ndarray:
    """Returns Spearman's correlation of the maps of one jet, shape (ways, ways), of shape (ways, particles)."""
    if maps.shape[1] < 3:
        return np.full((len(maps), len(maps)), np.nan)
    ranks = rankdata(maps, axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    length = np.sqrt((ranks**2).sum(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (ranks @ ranks.T) / np.outer(length, length)


def _overlaps(maps: np.ndarray, top: int) -> np.ndarray:
    """Returns the share of the largest |relevance| in common, shape (ways, ways); nan for a jet without particles.

    Particles of equal relevance at the edge share the places that are left, so that the order of a jet's particles decides
    nothing: a map of zeros has in common with another what chance would give.
    """
    kept = min(top, maps.shape[1])
    if not kept:
        return np.full((len(maps), len(maps)), np.nan)
    size = np.abs(maps)
    edge = np.sort(size, axis=1)[:, -kept, None]
    above, at = size > edge, size == edge
    chosen = above + at * (kept - above.sum(1, keepdims=True)) / at.sum(1, keepdims=True)
    return np.minimum(chosen[:, None], chosen).sum(2) / kept
