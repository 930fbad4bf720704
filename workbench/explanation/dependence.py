"""How relevance and score go with the observables of a jet: profiles, correlations, and the same at fixed mass."""

from collections.abc import Mapping
from dataclasses import dataclass

import awkward as ak
import hist
import numpy as np
from scipy.stats import rankdata

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..physics.bootstrap import Bootstrap, Estimate, spread
from ..physics.observables import OBSERVABLES, observables
from ..physics.partitions import ELSEWHERE, Axis, histogram
from .shares import Groups
from .tabular import Tabular

AGAINST = ("tau21", "tau32", "d2", "mass")
"""Observables that are looked at."""

MASS = "mass"
"""The observable that is held fixed."""

BINS = 10
"""Bins of a profile, and of the mass where it is held fixed: as many jets in each."""

UNDEFINED = Estimate(np.array(np.nan), np.array(np.nan))

OF_JETS = {
    "score": "score [log-odds]",
    "relevance": "relevance of all inputs [log-odds]",
    "for": "relevance for the signal [log-odds]",
    "against": "relevance against it [log-odds]",
}
"""What is profiled, in words: the explained score, what its inputs added, and the positive and negative part of that."""


@dataclass(frozen=True)
class Dependence(Tabular):
    """How one quantity of the explanation goes with one observable, in one group of jets.

    Attributes:
        observable: Name in `OBSERVABLES`.
        quantity: A name of `OF_JETS`.
        group: Name of the group.
        axis: Bins of the observable, about as many jets of the sample in each.
        profile: Mean of the quantity in each bin, in log-odds, shape (bins,).
        correlation: Spearman's rank correlation, shape ().
        at_fixed_mass: The same after the mean rank in each of ten bins of the mass was taken off both; nan for the mass itself.
        jets: Number of jets with a defined observable.
        undefined: Number of those without.
    """

    observable: str
    quantity: str
    group: str
    axis: Axis
    profile: Estimate
    correlation: Estimate
    at_fixed_mass: Estimate
    jets: int
    undefined: int

    def histogram(self) -> hist.Hist:
        """Returns the profile as a `hist` histogram with variances."""
        return histogram((self.axis,), self.profile)

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per bin of the profile."""
        rows: dict[str, np.ndarray] = {
            name: np.full(len(self.axis), getattr(self, name), dtype=object)
            for name in ("observable", "quantity", "group")
        }
        rows |= {"low": np.array(self.axis.edges[:-1]), "high": np.array(self.axis.edges[1:])}
        rows |= {"mean": self.profile.value, "mean_error": self.profile.error}
        for name in ("correlation", "at_fixed_mass"):
            found: Estimate = getattr(self, name)
            rows |= {name: np.full(len(self.axis), float(found.value))}
            rows |= {f"{name}_error": np.full(len(self.axis), float(found.error))}
        return rows


def quantities(explanation: Explanation) -> dict[str, np.ndarray]:
    """Returns what is profiled of each jet, each of shape (jets,)."""
    flat = explanation.relevance
    positive, negative = (
        np.asarray(ak.sum(part, axis=1), dtype=np.float64) for part in (flat * (flat > 0), flat * (flat < 0))
    )
    return {
        "score": np.asarray(explanation.ledger.score, dtype=np.float64),
        "relevance": positive + negative,
        "for": positive,
        "against": negative,
    }


def measured(jets: Jets) -> dict[str, np.ndarray]:
    """Returns the observables that are looked at, each of shape (jets,)."""
    return observables(jets, AGAINST)


def dependences(
    found: Mapping[str, np.ndarray], seen: Mapping[str, np.ndarray], groups: Groups
) -> tuple[Dependence, ...]:
    """Returns how each quantity goes with each observable, values of shape (jets,), in each group."""
    mass = quantile_axis(MASS, seen[MASS])
    made = []
    for observable, values in seen.items():
        axis, known = quantile_axis(observable, values), np.isfinite(values)
        for group, (mask, draws) in groups.items():
            defined, again = mask & known, draws.among(known[mask])
            x = values[defined]
            held = None if observable == MASS else mass.place(seen[MASS][defined])
            missing = int(np.count_nonzero(mask & ~known))
            for quantity, amounts in found.items():
                y = amounts[defined]
                mean, plain = profile(axis, x, y, again), correlation(x, y, again)
                fixed = UNDEFINED if held is None else correlation(x, y, again, held)
                made.append(
                    Dependence(observable, quantity, group, axis, mean, plain, fixed, len(x), missing)
                )
    return tuple(made)


def quantile_axis(observable: str, values: np.ndarray) -> Axis:
    """Returns bins of an observable with about as many jets in each; fewer bins where many jets have one value."""
    of = OBSERVABLES[observable]
    finite = values[np.isfinite(values)]
    ends = (
        np.unique(np.quantile(finite, np.linspace(0, 1, BINS + 1))) if finite.size else np.array([0.0, 1.0])
    )
    if len(ends) < 2:
        ends = ends[0] + np.array([-0.5, 0.5])
    return Axis(of.label, of.unit, tuple(float(end) for end in ends))


def profile(axis: Axis, x: np.ndarray, y: np.ndarray, draws: Bootstrap) -> Estimate:
    """Returns the mean of y, shape (jets,), in the bins of x, shape (bins,)."""
    place = axis.place(x)
    inside = (place[:, None] == np.arange(len(axis))).astype(np.float64)
    return draws.ratio(inside * y[:, None], inside)


def correlation(x: np.ndarray, y: np.ndarray, draws: Bootstrap, held: np.ndarray | None = None) -> Estimate:
    """Returns Spearman's correlation of x and y, shape (), in the bins `held` of a third quantity if these are given.

    Ranks are those of the sample at hand, without weights, also in the draws; weights count in what is made of them. At fixed
    bins, the mean rank of each bin is taken off first.
    """
    rank = np.stack([rankdata(x), rankdata(y)]) - (len(x) + 1) / 2 if len(x) else np.zeros((2, 0))
    bins = np.zeros(len(x), dtype=np.int64) if held is None else held
    inside = (bins[:, None] == np.arange(ELSEWHERE, bins.max(initial=0) + 1)).astype(np.float64)
    powers = np.stack([np.ones(len(x)), *rank, rank[0] ** 2, rank[1] ** 2, rank[0] * rank[1]])

    def of(weights: np.ndarray) -> np.ndarray:
        sums = np.stack([(weights * power) @ inside for power in powers])
        n = np.where(sums[0] != 0, sums[0], 1.0)
        xx, yy, xy = (
            (sums[k] - sums[a] * sums[b] / n).sum(axis=1) for k, a, b in ((3, 1, 1), (4, 2, 2), (5, 1, 2))
        )
        known = (xx > 0) & (yy > 0)
        return np.divide(
            xy, np.sqrt(np.where(known, xx * yy, 1.0)), out=np.full(len(xy), np.nan), where=known
        )

    return Estimate(of(draws.weight[None, :])[0], spread(of(draws.times), len(x)))
