"""Whether a score is a probability: reliability, expected calibration error with its floor, and temperature scaling."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, log_softmax, xlogy

from ..data.classes import ClassArray
from ..errors import DataError
from .intervals import fraction_interval

SUM_TOLERANCE = 1e-3
"""How far the scores of a jet may sum from one (single precision and many classes)."""


@dataclass(frozen=True)
class Reliability:
    """Observed frequency against predicted probability.

    Attributes:
        edges: Edges of the bins of predicted probability, shape (bins + 1,).
        predicted: Mean predicted probability per bin, shape (bins,); nan in a bin without (positive) weight.
        observed: Observed frequency per bin, shape (bins,).
        low: Lower end of its 68 % interval (Wilson, effective counts).
        high: Upper end.
        counts: Number of jets per bin.
        ece: Expected calibration error, the mean of |observed - predicted| over the jets.
        floor: What the same jets would give on average if the score were perfectly calibrated.
        floor_error: Standard deviation of that.
        covered: Share of jets in bins that entered the ece; below 1 only where negative weights empty a bin.
    """

    edges: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    ece: float
    floor: float
    floor_error: float
    covered: float

    @property
    def excess(self) -> float:
        """How many standard deviations the ece lies above its floor."""
        return (self.ece - self.floor) / self.floor_error if self.floor_error > 0 else np.nan


@dataclass(frozen=True)
class Temperature:
    """One number that the logits of all classes are divided by.

    Attributes:
        value: Above 1 the scores were too sure, below 1 not sure enough.
        error: Standard error, with weights.
        loss_before: Mean cross-entropy of the scores as they are, in nats.
        loss_after: Mean cross-entropy after scaling; never higher on the jets it was fitted to.
    """

    value: float
    error: float
    loss_before: float
    loss_after: float

    def apply(self, scores: ArrayLike) -> ClassArray:
        """Returns the scores, shape (jets, classes), after scaling: softmax(log p / value)."""
        names = scores.classes if isinstance(scores, ClassArray) else ()
        return ClassArray(np.exp(log_softmax(_log(np.asarray(scores)) / self.value, axis=1)), names)


def reliability(
    probability: ArrayLike, happened: ArrayLike, *, bins: int = 10, weight: ArrayLike | None = None
) -> Reliability:
    """Returns how often a thing happened against the probability it was given.

    The floor is the mean absolute deviation of a binomial with the bin's mean probability and effective count; exact for jets of
    equal probability and weight.

    Args:
        probability: Predicted, shape (jets,), in [0, 1].
        happened: Whether it did, shape (jets,).
        bins: Number of equal bins from 0 to 1.
        weight: Event weights, may be negative.

    Raises:
        DataError: no jets, lengths that differ, or a probability outside [0, 1] or nan.
    """
    probability, happened = np.asarray(probability, dtype=float), np.asarray(happened, dtype=bool)
    weights = np.ones(len(probability)) if weight is None else np.asarray(weight, dtype=float)
    _check_probability(probability, happened, weights, bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.minimum(np.searchsorted(edges, probability, side="right") - 1, bins - 1)
    squared = weights**2
    total, squares, happy, happy_squares, promised, spread = (
        np.bincount(place, amounts, bins)
        for amounts in (
            weights,
            squared,
            weights * happened,
            squared * happened,
            weights * probability,
            squared * probability * (1 - probability),
        )
    )
    observed, low, high = fraction_interval(happy, happy_squares, total, squares)
    total = np.where(total > 0, total, np.nan)
    predicted = promised / total
    share = total / np.nansum(total)
    expected = _mean_absolute_deviation(np.clip(predicted, 0, 1), total**2 / np.maximum(squares, 1e-300))
    counts = np.bincount(place, minlength=bins)
    return Reliability(
        edges,
        predicted,
        observed,
        low,
        high,
        counts,
        ece=float(np.nansum(share * np.abs(observed - predicted))),
        floor=float(np.nansum(share * expected)),
        floor_error=float(np.sqrt(np.nansum(share**2 * np.maximum(spread / total**2 - expected**2, 0.0)))),
        covered=float(counts[total > 0].sum() / counts.sum()),
    )


def top_label(
    label: ArrayLike, scores: ArrayLike, *, bins: int = 10, weight: ArrayLike | None = None
) -> Reliability:
    """Returns the reliability of the most probable class: how often it is right against how probable it claims to be.

    Args:
        label: Class of each jet, shape (jets,): `jets.label` or integers; jets without a known class (-1) do not enter.
        scores: Probabilities, shape (jets, classes), columns by their own class names, else in the order of the labels.
        bins: Number of equal bins from 0 to 1.
        weight: Event weights, may be negative.

    Raises:
        DataError: scores that are no probabilities, or a label without a column.
    """
    truth, columns, weights, _ = _classified(label, scores, weight)
    return reliability(columns.max(axis=1), columns.argmax(axis=1) == truth, bins=bins, weight=weights)


def per_class(
    label: ArrayLike, scores: ArrayLike, *, bins: int = 10, weight: ArrayLike | None = None
) -> dict[str, Reliability]:
    """Returns the reliability of each class's score; arguments as for `top_label`."""
    truth, columns, weights, names = _classified(label, scores, weight)
    return {
        name: reliability(columns[:, i], truth == i, bins=bins, weight=weights)
        for i, name in enumerate(names)
    }


def temperature(label: ArrayLike, scores: ArrayLike, *, weight: ArrayLike | None = None) -> Temperature:
    """Returns the temperature that minimises the cross-entropy; fit it on jets that were not trained on.

    Arguments as for `top_label`. Searched between 0.01 and 100.

    Raises:
        DataError: scores that are no probabilities, a label without a column, or no minimum between the bounds (as when
            every jet is classified right).

    Source: arXiv:1706.04599.
    """
    truth, columns, weights, _ = _classified(label, scores, weight)
    _check_weights(weights)
    logs = _log(columns)
    rows = np.arange(len(truth))

    def losses(log_value: float) -> np.ndarray:
        return -log_softmax(logs / np.exp(log_value), axis=1)[rows, truth]

    def mean(log_value: float) -> float:
        return float(np.sum(weights * losses(log_value)) / weights.sum())

    bound = np.log(100.0)
    best = minimize_scalar(mean, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-6})
    if best.fun >= min(mean(-bound), mean(bound)):
        msg = f"No temperature between 0.01 and 100 minimises the cross-entropy of these {len(truth)} jets; give more jets."
        raise DataError(msg)
    step = 1e-3
    up, here, down = (losses(best.x + s * step) for s in (1, 0, -1))
    curvature = np.sum(weights * (up - 2 * here + down)) / step**2
    spread = np.sum((weights * (up - down) / (2 * step)) ** 2)
    value = float(np.exp(best.x))
    return Temperature(value, float(value * np.sqrt(spread) / curvature), mean(0.0), float(best.fun))


def _mean_absolute_deviation(probability: np.ndarray, count: np.ndarray) -> np.ndarray:
    """E|k/n - p| of a binomial. Source: de Moivre's formula; `count` is rounded to an integer of at least one."""
    n = np.maximum(np.round(count), 1.0)
    most = np.minimum(np.floor(n * probability) + 1, n)
    choose = gammaln(n + 1) - gammaln(most + 1) - gammaln(n - most + 1)
    logs = choose + xlogy(most, probability) + xlogy(n - most + 1, 1 - probability)
    return 2 * most * np.exp(logs) / n


def _classified(
    label: ArrayLike, scores: ArrayLike, weight: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Index of each jet's column, the columns in double precision, the weights and the names of the columns."""
    index, columns = np.asarray(label), np.asarray(scores, dtype=float)
    weights = np.ones(len(index)) if weight is None else np.asarray(weight, dtype=float)
    if columns.ndim != 2 or index.ndim != 1 or not len(index) == len(columns) == len(weights):
        msg = f"Labels {index.shape}, scores {columns.shape} and weights {weights.shape}; expected (jets,), (jets, classes), (jets,)."
        raise DataError(msg)
    known = index >= 0
    index, columns, weights = index[known], columns[known], weights[known]
    given = label.classes if isinstance(label, ClassArray) else ()
    names = (scores.classes if isinstance(scores, ClassArray) else ()) or given
    if names and given and names != given:
        position = np.array([names.index(name) if name in names else -1 for name in given])
        index = position[index]
    names = names or tuple(str(i) for i in range(columns.shape[1]))
    if len(names) != columns.shape[1] or (index.size and not 0 <= index.min() <= index.max() < len(names)):
        msg = f"The scores have {columns.shape[1]} columns for the classes {', '.join(names)}; expected one for every label."
        raise DataError(msg)
    bad = ~(np.abs(columns.sum(axis=1) - 1) <= SUM_TOLERANCE) | (columns < 0).any(axis=1)
    if bad.any():
        msg = f"The scores of {bad.sum()} of {len(bad)} jets are no probabilities that sum to one; apply softmax first."
        raise DataError(msg)
    return index, columns / columns.sum(axis=1, keepdims=True), weights, names


def _check_probability(probability: np.ndarray, happened: np.ndarray, weights: np.ndarray, bins: int) -> None:
    if bins < 1:
        msg = f"{bins} bins were asked for; ask for at least 1."
        raise DataError(msg)
    if not probability.shape == happened.shape == weights.shape or probability.ndim != 1:
        msg = f"Probabilities {probability.shape}, outcomes {happened.shape} and weights {weights.shape} need one per jet."
        raise DataError(msg)
    _check_weights(weights)
    bad = ~((probability >= 0) & (probability <= 1))
    if bad.any():
        msg = f"{bad.sum()} of {len(bad)} probabilities are not between 0 and 1; apply softmax or a sigmoid first."
        raise DataError(msg)


def _check_weights(weights: np.ndarray) -> None:
    if not weights.sum() > 0:
        msg = f"{len(weights)} jets with weights that sum to {weights.sum():g}; calibration needs jets of positive weight."
        raise DataError(msg)


def _log(probability: np.ndarray) -> np.ndarray:
    """Logarithm in double precision; a score of exactly 0 counts as the smallest positive number."""
    return np.log(np.maximum(probability.astype(float), np.finfo(float).tiny))
