"""Efficiency and mistag rate of a cut against an observable, and how the cut sculpts a distribution."""

from dataclasses import dataclass

import hist
import numpy as np
from numpy.typing import ArrayLike

from ..data.classes import ClassArray
from ..errors import DataError
from .distributions import Bins, bin_edges, distribution
from .intervals import ONE_SIGMA, effective_count, fraction_interval


@dataclass(frozen=True)
class Efficiency:
    """Share of jets that pass a cut, per bin of an observable; of a background it is the mistag rate.

    Attributes:
        edges: Edges of the bins, shape (bins + 1,).
        value: Share, shape (bins,); nan where the bin has no (positive) sum of weights.
        low: Lower end of Wilson's interval with effective counts, shape (bins,).
        high: Upper end.
        total: Sum of weights per bin before the cut, shape (bins,).
        outside: Number of jets outside the bins or undefined.
        label: Label of the observable, with unit.
    """

    edges: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    total: np.ndarray
    outside: int
    label: str


@dataclass(frozen=True)
class Sculpting:
    """How a cut changes the shape of a distribution.

    Attributes:
        before: All jets.
        after: The jets that pass.
        distance: Jensen-Shannon distance of the two shapes, 0 (equal) to 1 (disjoint), base 2.
        floor: Distance that a cut without any influence on the shape gives on average with this many jets.
    """

    before: hist.Hist
    after: hist.Hist
    distance: float
    floor: float


def efficiency(
    values: ArrayLike,
    passed: ArrayLike,
    bins: Bins,
    *,
    weight: ArrayLike | None = None,
    label: str = "",
    unit: str = "",
    level: float = ONE_SIGMA,
) -> Efficiency:
    """Returns the share of jets that pass, per bin of `values`, with Wilson's interval.

    Args:
        values: Observable, shape (jets,), such as pT in GeV.
        passed: Whether each jet passes, shape (jets,).
        bins: Number, (number, low, high) or edges.
        weight: Event weights, may be negative.
        label: Of the observable.
        unit: Of the observable.
        level: Probability content of the interval.

    Raises:
        DataError: lengths differ or `passed` is not yes or no.
    """
    values, passed, weights = _checked(values, passed, weight)
    edges = bin_edges(values, bins)
    total = distribution(values, edges, weights, label, unit)
    part = distribution(values[passed], edges, weights[passed], label, unit)
    sums = (np.asarray(a) for a in (part.values(), part.variances(), total.values(), total.variances()))
    value, low, high = fraction_interval(*sums, level=level)
    inside = (values >= edges[0]) & (values < edges[-1])
    label = total.axes[0].label
    return Efficiency(edges, value, low, high, total.values(), int(np.sum(~inside)), label)


def efficiency_by_class(
    classes: ClassArray,
    values: ArrayLike,
    passed: ArrayLike,
    bins: Bins,
    *,
    weight: ArrayLike | None = None,
    label: str = "",
    unit: str = "",
) -> dict[str, Efficiency]:
    """Returns the efficiency of every class that has jets, with the same edges; `classes` is `jets.label`.

    That of the signal is the tagging efficiency, that of a background the mistag rate.
    """
    values, passed, weights = _checked(values, passed, weight)
    edges, index = bin_edges(values, bins), np.asarray(classes)
    return {
        name: efficiency(
            values[index == i], passed[index == i], edges, weight=weights[index == i], label=label, unit=unit
        )
        for i, name in enumerate(classes.classes)
        if np.any(index == i)
    }


def sculpting(
    values: ArrayLike,
    passed: ArrayLike,
    bins: Bins,
    *,
    weight: ArrayLike | None = None,
    label: str = "",
    unit: str = "",
) -> Sculpting:
    """Returns how a cut changes the shape of `values`, usually the background's jet mass.

    Jets outside the bins count as two bins more, so that a cut that moves jets out of the range shows.
    The floor is sqrt((bins - 1) / (8 ln 2) (1/n_after - 1/n_before)), bins being those with jets and n effective
    counts: the leading order of the divergence of a random subset from its whole.

    Raises:
        DataError: no jet passes, or a bin has a negative sum of weights (its share would be negative).
    """
    values, passed, weights = _checked(values, passed, weight)
    edges = bin_edges(values, bins)
    before = distribution(values, edges, weights, label, unit)
    after = distribution(values[passed], edges, weights[passed], label, unit)
    defined = ~np.isnan(values)
    shares = [_shares(h, which) for h, which in ((before, "before"), (after, "after"))]
    n_before = effective_count(weights[defined])
    n_after = effective_count(weights[defined & passed])
    occupied = int(np.sum(shares[0] > 0))
    floor = (occupied - 1) / (8 * np.log(2)) * max(1 / n_after - 1 / n_before, 0.0)
    return Sculpting(before, after, jensen_shannon(*shares), float(np.sqrt(floor)))


def jensen_shannon(first: ArrayLike, second: ArrayLike) -> float:
    """Returns the Jensen-Shannon distance of two lists of shares of equal length, 0 to 1.

    The root of the divergence to base 2. Source: Endres and Schindelin 2003.
    """
    p, q = (np.asarray(shares, dtype=float) for shares in (first, second))
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = 0.0
    for shares in (p, q):
        filled = shares > 0
        divergence += float(np.sum(shares[filled] * np.log2(shares[filled] / middle[filled]))) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def _shares(histogram: hist.Hist, which: str) -> np.ndarray:
    values = histogram.values(flow=True)
    if values.sum() <= 0:
        advice = (
            "loosen the cut, so that some jets pass" if which == "after" else "give jets of positive weight"
        )
        msg = f"The weights {which} the cut sum to {values.sum():g}; {advice}."
        raise DataError(msg)
    if np.any(values < 0):
        msg = f"{np.sum(values < 0)} bins {which} the cut have a negative sum of weights; use wider bins."
        raise DataError(msg)
    return values / values.sum()


def _checked(
    values: ArrayLike, passed: ArrayLike, weight: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, passed = np.asarray(values, dtype=float), np.asarray(passed)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if not values.shape == passed.shape == weights.shape or values.ndim != 1:
        msg = f"Values {values.shape}, decisions {passed.shape} and weights {weights.shape} need one per jet."
        raise DataError(msg)
    if passed.dtype != np.bool_:
        msg = f"Whether a jet passes must be yes or no; found {passed.dtype}; give a condition, as in score > 0.5."
        raise DataError(msg)
    return values, passed, weights
