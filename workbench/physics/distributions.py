"""Distributions of an observable as `hist` objects with errors, and their ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import hist
import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..data.classes import ClassArray
from ..errors import DataError
from .intervals import ONE_SIGMA, garwood, weighted_fraction

Bins = int | tuple[int, float, float] | Sequence[float] | np.ndarray
"""A number of bins between the smallest and largest value, (number, low, high), or the edges."""

UNLABELLED = "unlabelled"
"""Name under which jets without a known class appear."""


@dataclass(frozen=True)
class Points:
    """A value with an error per bin.

    Attributes:
        edges: Edges of the bins, shape (bins + 1,).
        value: shape (bins,); nan where it is not defined.
        error: One standard deviation, shape (bins,).
    """

    edges: np.ndarray
    value: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Outside:
    """What a histogram does not show: sums of weights below and above its range, number of undefined (nan) values."""

    below: float
    above: float
    undefined: int

    def __str__(self) -> str:
        parts = [
            f"{amount:.6g} {where}"
            for amount, where in (
                (self.below, "below the range"),
                (self.above, "above the range"),
                (self.undefined, "undefined"),
            )
            if amount
        ]
        return ", ".join(parts) or "nothing outside"


def bin_edges(values: ArrayLike, bins: Bins) -> np.ndarray:
    """Returns the edges, shape (bins + 1,), that `bins` stands for; a number of bins spans the finite values.

    Raises:
        DataError: no finite value to span, or edges that do not increase.
    """
    number = bins if isinstance(bins, int | np.integer) else 1
    if number < 1:
        msg = f"{number} bins were asked for; ask for at least 1."
        raise DataError(msg)
    if isinstance(bins, tuple) and len(bins) == 3 and isinstance(bins[0], int | np.integer):
        edges = np.linspace(float(bins[1]), float(bins[2]), int(bins[0]) + 1)
    elif isinstance(bins, int | np.integer):
        finite = np.asarray(values, dtype=float)
        finite = finite[np.isfinite(finite)]
        if not finite.size:
            msg = f"There is no finite value to spread {bins} bins over; give the edges."
            raise DataError(msg)
        low, high = float(finite.min()), float(finite.max())
        edges = (
            np.linspace(low, high, int(bins) + 1)
            if low < high
            else low + np.linspace(-0.5, 0.5, int(bins) + 1)
        )
        edges[-1] = np.nextafter(edges[-1], np.inf)  # the largest value belongs to the last bin
    else:
        edges = np.asarray(bins, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0):
        msg = (
            f"Bin edges must be at least two increasing numbers; found {np.array2string(edges, threshold=6)}."
        )
        raise DataError(msg)
    return edges


def distribution(
    values: ArrayLike, bins: Bins, weight: ArrayLike | None = None, label: str = "", unit: str = ""
) -> hist.Hist:
    """Returns a histogram of `values`, shape (jets,), with sums of weights and of squared weights per bin.

    Under- and overflow are kept in the flow bins; nan values are left out and counted (`outside` tells both). Weights may
    be negative. The axis is labelled "label [unit]".
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if values.ndim != 1 or values.shape != weights.shape:
        msg = f"Values of shape {values.shape} and weights of shape {weights.shape}; expected one number each per jet."
        raise DataError(msg)
    undefined = np.isnan(values)
    axis = hist.axis.Variable(bin_edges(values, bins), label=f"{label} [{unit}]" if unit else label)
    filled = hist.Hist(axis, storage=hist.storage.Weight(), metadata={"undefined": int(undefined.sum())})
    return filled.fill(values[~undefined], weight=weights[~undefined])


def by_class(
    classes: ClassArray,
    values: ArrayLike,
    bins: Bins,
    weight: ArrayLike | None = None,
    label: str = "",
    unit: str = "",
) -> dict[str, hist.Hist]:
    """Returns one histogram per class that has jets, all with the same edges; `classes` is `jets.label`.

    Jets whose class is not known (-1) appear under "unlabelled".
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    edges = bin_edges(values, bins)
    index = np.asarray(classes)
    names = [*enumerate(classes.classes), (-1, UNLABELLED)]
    return {
        name: distribution(values[index == i], edges, weights[index == i], label, unit)
        for i, name in names
        if np.any(index == i)
    }


def outside(histogram: hist.Hist) -> Outside:
    """Returns what of a `distribution` lies outside its range or is undefined."""
    flow = histogram.values(flow=True)
    return Outside(float(flow[0]), float(flow[-1]), int((histogram.metadata or {}).get("undefined", 0)))


def counts(histogram: hist.Hist) -> Points:
    """Returns the sum of weights per bin and its error, the root of the sum of squared weights."""
    return Points(histogram.axes[0].edges, histogram.values(), np.sqrt(_squares(histogram)))


def density(histogram: hist.Hist) -> Points:
    """Returns the normalised density: share of all jets per bin, divided by the bin width.

    All jets are those with a defined value, also those outside the range: the density integrates to the share
    shown. The error is that of a share (the total fluctuates with the bin), so it vanishes where one bin holds all.

    Raises:
        DataError: the sum of weights is not positive.
    """
    values, squares = histogram.values(flow=True), _squares(histogram, flow=True)
    if values.sum() <= 0:
        msg = f"The weights sum to {values.sum():g}; a normalised density needs a positive sum."
        raise DataError(msg)
    share, variance = weighted_fraction(values[1:-1], squares[1:-1], values.sum(), squares.sum())
    edges = histogram.axes[0].edges
    return Points(edges, share / np.diff(edges), np.sqrt(variance) / np.diff(edges))


def effective_counts(histogram: hist.Hist) -> np.ndarray:
    """Returns the effective number of jets per bin, (sum w)^2 / sum w^2, shape (bins,); 0 for an empty bin."""
    values, squares = histogram.values(), _squares(histogram)
    return np.divide(values**2, squares, out=np.zeros_like(values), where=squares > 0)


def count_interval(histogram: hist.Hist, *, level: float = ONE_SIGMA) -> tuple[np.ndarray, np.ndarray]:
    """Returns (low, high) of the expected sum of weights per bin: Garwood's interval of the effective counts.

    An empty bin gets the mean weight of the whole histogram, sum w^2 / sum w, as its unit. A bin whose weights sum to zero or
    less has the Gaussian interval around its sum.
    """
    values, squares = histogram.values(), _squares(histogram)
    flow, flow_squares = histogram.values(flow=True).sum(), _squares(histogram, flow=True).sum()
    typical = flow_squares / flow if flow > 0 else 1.0
    unit = np.divide(squares, values, out=np.full_like(values, typical), where=values > 0)
    low, high = garwood(np.where(values > 0, effective_counts(histogram), 0.0), level=level)
    cancelled = (values <= 0) & (squares > 0)
    half = special.ndtri((1 + level) / 2) * np.sqrt(squares)
    return np.where(cancelled, values - half, low * unit), np.where(cancelled, values + half, high * unit)


def ratio(numerator: hist.Hist | Points, denominator: hist.Hist | Points) -> Points:
    """Returns numerator / denominator per bin; the two are taken as independent samples and both errors enter.

    Give two histograms (sums of weights) or two densities. nan where the denominator is 0. Where one sample is part
    of the other, use `fraction`.
    """
    above, below = (p if isinstance(p, Points) else counts(p) for p in (numerator, denominator))
    _check_same_edges(above.edges, below.edges)
    value = np.divide(above.value, below.value, out=np.full_like(above.value, np.nan), where=below.value != 0)
    bottom = np.where(below.value != 0, below.value, np.nan)
    return Points(above.edges, value, np.hypot(above.error, value * below.error) / np.abs(bottom))


def fraction(part: hist.Hist, whole: hist.Hist) -> Points:
    """Returns part / whole per bin where `part` holds some of the jets of `whole`; the correlation is in the error."""
    _check_same_edges(part.axes[0].edges, whole.axes[0].edges)
    value, variance = weighted_fraction(part.values(), _squares(part), whole.values(), _squares(whole))
    return Points(whole.axes[0].edges, value, np.sqrt(variance))


def _squares(histogram: hist.Hist, *, flow: bool = False) -> np.ndarray:
    """Sum of squared weights per bin; the histogram has Weight storage."""
    return np.asarray(histogram.variances(flow=flow), dtype=float)


def _check_same_edges(above: np.ndarray, below: np.ndarray) -> None:
    if not np.array_equal(above, below):
        msg = f"The histograms have different bins ({len(above) - 1} and {len(below) - 1}); fill both with the same edges."
        raise DataError(msg)
