"""Whether two samples of jets have the same distribution: two tests, both with weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

LEAST = 5.0
"""Smallest number of (effective) jets that a bin is expected to have in either sample; neighbours are joined until it has."""


@dataclass(frozen=True)
class Homogeneity:
    """Pearson's test of two histograms.

    Attributes:
        chi2: Sum of the squared differences of the shares over their variances.
        ndf: Number of bins after joining, less one; 0 where nothing can be told.
        p: Probability of so large a difference between samples of one distribution; nan where nothing can be told.
    """

    chi2: float
    ndf: int
    p: float

    @classmethod
    def of(cls, chi2: float, ndf: int) -> "Homogeneity":
        """Returns the test of this statistic."""
        return cls(chi2, ndf, float(special.chdtrc(ndf, chi2)) if ndf else np.nan)


@dataclass(frozen=True)
class Separation:
    """Kolmogorov and Smirnov's test of two samples.

    Attributes:
        distance: Largest difference of the two cumulative distributions, 0 to 1; nan where a sample is empty.
        p: Probability of so large a distance between samples of one distribution; too large for observables with few
            different values, never too small.
    """

    distance: float
    p: float


def homogeneity(
    first: np.ndarray, first_squares: np.ndarray, second: np.ndarray, second_squares: np.ndarray
) -> Homogeneity:
    """Returns Pearson's test of two histograms of the same bins.

    The shares of the two are compared, not their sizes. Their common share is the mean weighted by effective jets, its
    variance that of a share with the mean weight of the bin. Without weights this is the usual test of a table with two rows.

    Args:
        first: Sum of weights per bin, shape (bins,), with all that is outside the range in bins of its own.
        first_squares: Sum of squared weights per bin.
        second: As `first`.
        second_squares: As `first_squares`.

    Source: arXiv:physics/0605123 for weights.
    """
    if min(first.sum(), second.sum()) <= 0:
        return Homogeneity.of(0.0, 0)
    starts = _joined(first, first_squares, second, second_squares)
    sums = [np.add.reduceat(part, starts) for part in (first, first_squares, second, second_squares)]
    shares, units, sizes = [], [], []
    for weights, squares in (sums[:2], sums[2:]):
        total = weights.sum()
        mean = squares.sum() / total
        unit = np.divide(squares, weights, out=np.full_like(weights, mean), where=weights > 0)
        shares.append(weights / total)
        units.append(unit / total)
        sizes.append(total / mean)
    common = (sizes[0] * shares[0] + sizes[1] * shares[1]) / sum(sizes)
    variance = common * (units[0] + units[1])
    used = variance > 0
    chi2 = float(np.sum((shares[0] - shares[1])[used] ** 2 / variance[used]))
    return Homogeneity.of(chi2, max(int(used.sum()) - 1, 0))


def separation(
    first: ArrayLike,
    second: ArrayLike,
    first_weight: ArrayLike | None = None,
    second_weight: ArrayLike | None = None,
) -> Separation:
    """Returns the Kolmogorov-Smirnov test of two samples; values that are not numbers are left out.

    With weights the steps of the cumulative distributions are the weights, and the sizes the effective numbers of jets. The
    probability is the asymptotic one with Stephens' correction.
    """
    samples = []
    for values, weight in ((first, first_weight), (second, second_weight)):
        column = np.asarray(values, dtype=float)
        weights = np.ones(len(column)) if weight is None else np.asarray(weight, dtype=float)
        samples.append((column[~np.isnan(column)], weights[~np.isnan(column)]))
    (a, wa), (b, wb) = samples
    if min(wa.sum(), wb.sum()) <= 0:
        return Separation(np.nan, np.nan)
    values = np.concatenate([a, b])
    order = np.argsort(values, kind="stable")
    steps = np.concatenate([wa / wa.sum(), -wb / wb.sum()])[order]
    ends = np.append(np.diff(values[order]) > 0, True)
    distance = float(np.max(np.abs(np.cumsum(steps)[ends])))
    sizes = [w.sum() ** 2 / np.sum(w**2) for w in (wa, wb)]
    root = np.sqrt(sizes[0] * sizes[1] / sum(sizes))
    return Separation(min(distance, 1.0), float(special.kolmogorov((root + 0.12 + 0.11 / root) * distance)))


def _joined(
    first: np.ndarray, first_squares: np.ndarray, second: np.ndarray, second_squares: np.ndarray
) -> np.ndarray:
    """Returns the first bin of each group of neighbours that has enough expected jets in both samples."""
    counts = [
        np.divide(w**2, s, out=np.zeros(len(w)), where=s > 0)
        for w, s in ((first, first_squares), (second, second_squares))
    ]
    both = counts[0] + counts[1]
    expected = both / both.sum() * min(counts[0].sum(), counts[1].sum())
    starts, filled = [0], 0.0
    for place, here in enumerate(expected):
        if filled >= LEAST:
            starts.append(place)
            filled = 0.0
        filled += here
    if filled < LEAST and len(starts) > 1:
        starts.pop()
    return np.array(starts)
