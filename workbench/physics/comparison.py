"""How much two taggers differ, with the error that holds for the same jets, or for two samples."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from ..errors import DataError
from .roc import Roc

Jets = Literal["same", "other"]
"""Whether two scores were measured on the same jets, in the same order, or on others."""


@dataclass(frozen=True)
class Measured:
    """One tagger's score of some jets: the larger, the more like signal.

    Attributes:
        score: Shape (jets,).
        is_signal: Shape (jets,).
        curve: The ROC curve of the two.
    """

    score: np.ndarray
    is_signal: np.ndarray
    curve: Roc


@dataclass(frozen=True)
class Difference:
    """First minus second.

    Attributes:
        value: The difference; nan where one of the two is only a limit.
        error: One standard deviation.
    """

    value: float
    error: float

    @property
    def significance(self) -> float:
        """The difference in standard deviations; 0 where there is neither difference nor error."""
        if self.error > 0:
            return self.value / self.error
        return 0.0 if self.value == 0 else float("nan")


def auc_difference(first: Measured, second: Measured, jets: Jets) -> Difference:
    """Returns the difference of the areas under two ROC curves.

    On the same jets the two areas go up and down together, so that their difference is known better than either:
    the variance of the difference of the jets' placements. Source: DeLong, DeLong and Clarke-Pearson 1988, eq. 5; the
    placements by ranks as in Sun and Xu 2014. Weights are not used.

    Raises:
        DataError: the same jets, but the truth of them differs.
    """
    value = first.curve.auc - second.curve.auc
    if jets == "other":
        return Difference(value, float(np.hypot(first.curve.auc_error, second.curve.auc_error)))
    _check_same(first, second)
    variance = sum(
        float(np.var(a - b, ddof=1)) / len(a)
        for a, b in zip(_placements(first), _placements(second), strict=True)
    )
    return Difference(value, float(np.sqrt(variance)))


def rejection_difference(
    first: Measured, second: Measured, signal_efficiency: float, jets: Jets
) -> Difference:
    """Returns the difference of the background rejections 1/eps_B at a signal efficiency.

    On the same jets its error is that of the sum, over the jets, of what each jet adds to either rejection to first
    order: by passing or not, and for signal by moving the cut. Weights are not used.

    Raises:
        DataError: the same jets, but the truth of them differs.
    """
    one, other = (measured.curve.rejection(signal_efficiency) for measured in (first, second))
    value = one.value - other.value
    if one.is_limit or other.is_limit:
        return Difference(float("nan"), float("nan"))
    if jets == "other":
        return Difference(value, float(np.hypot(one.error, other.error)))
    _check_same(first, second)
    adds = _adds(first, signal_efficiency) - _adds(second, signal_efficiency)
    return Difference(value, float(np.sqrt(np.sum(adds**2))))


def _adds(measured: Measured, signal_efficiency: float) -> np.ndarray:
    """What each jet adds to the rejection to first order, shape (jets,)."""
    curve, is_signal = measured.curve, measured.is_signal
    sigma = np.sqrt(signal_efficiency * (1 - signal_efficiency) / curve.n_signal)
    ends = np.clip(signal_efficiency + sigma * np.array([-1.0, 1.0]), 1e-12, 1.0)
    at_ends = 1 / curve.band(ends).value
    slope = (at_ends[1] - at_ends[0]) / (ends[1] - ends[0]) if sigma > 0 else 0.0
    passed = measured.score >= curve.cut(signal_efficiency, "interpolated")
    share = np.where(is_signal, np.mean(passed[is_signal]), np.mean(passed[~is_signal]))
    per_jet = np.where(is_signal, -slope / curve.n_signal, 1 / curve.n_background)
    return -(curve.rejection(signal_efficiency).value ** 2) * per_jet * (passed - share)


def _placements(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Share of the other class that each signal jet, and each background jet, lies above, ties half."""
    score, is_signal = measured.score, measured.is_signal
    among_all = rankdata(score)
    signal = (among_all[is_signal] - rankdata(score[is_signal])) / np.count_nonzero(~is_signal)
    rest = (among_all[~is_signal] - rankdata(score[~is_signal])) / np.count_nonzero(is_signal)
    return signal, rest


def _check_same(first: Measured, second: Measured) -> None:
    if not np.array_equal(first.is_signal, second.is_signal):
        msg = "The two scores were said to be of the same jets, but their truth differs; compare them as of other jets."
        raise DataError(msg)
