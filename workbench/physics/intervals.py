"""Confidence intervals of counts and fractions, weighted or not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..errors import DataError

ONE_SIGMA = float(special.ndtr(1) - special.ndtr(-1))
"""Probability content of plus-minus one standard deviation, 0.683."""


def effective_count(weight: ArrayLike) -> float:
    """Returns the number of unweighted jets with the same relative error: (sum w)^2 / sum w^2; 0 for no jets.

    Negative weights lower it.
    """
    weight = np.asarray(weight, dtype=float)
    return float(weight.sum() ** 2 / np.sum(weight**2)) if np.any(weight) else 0.0


def garwood(count: ArrayLike, *, level: float = ONE_SIGMA) -> tuple[np.ndarray, np.ndarray]:
    """Returns (low, high) of the Poisson mean behind each observed count; central, covers at least `level`.

    Effective counts need not be integers. A count of 0 has low 0.

    Source: Garwood 1936, the chi-square form.
    """
    _check_level(level)
    count = np.asarray(count, dtype=float)
    if np.any(count < 0):
        msg = f"{np.sum(count < 0)} counts are negative; a Poisson interval needs (effective) counts of 0 or more."
        raise DataError(msg)
    tail = (1 - level) / 2
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-300), tail), 0.0)
    return low, special.gammaincinv(count + 1, 1 - tail)


def clopper_pearson(
    passed: ArrayLike, total: ArrayLike, *, level: float = ONE_SIGMA
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (low, high) of the probability behind `passed` of `total`; central, covers at least `level`.

    Effective counts need not be integers. nan where `total` is 0.

    Source: Clopper and Pearson 1934, the beta form.
    """
    passed, total = _trials(passed, total, level)
    tail = (1 - level) / 2
    failed = total - passed
    with np.errstate(invalid="ignore"):
        low = np.where(passed > 0, special.betaincinv(passed, failed + 1, tail), 0.0)
        high = np.where(failed > 0, special.betaincinv(passed + 1, failed, 1 - tail), 1.0)
    return np.where(total > 0, low, np.nan), np.where(total > 0, high, np.nan)


def wilson(passed: ArrayLike, total: ArrayLike, *, level: float = ONE_SIGMA) -> tuple[np.ndarray, np.ndarray]:
    """Returns (low, high) of the probability behind `passed` of `total`; covers `level` on average over the probability.

    Effective counts need not be integers. nan where `total` is 0.

    Source: Wilson 1927.
    """
    passed, total = _trials(passed, total, level)
    z2 = special.ndtri((1 + level) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        value = passed / total
        centre = (value + z2 / (2 * total)) / (1 + z2 / total)
        half = np.sqrt(z2 * value * (1 - value) / total + z2**2 / (4 * total**2)) / (1 + z2 / total)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def weighted_fraction(
    passed: ArrayLike, passed_squares: ArrayLike, total: ArrayLike, total_squares: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fraction passed / total of summed weights and its variance; nan where the total is not positive.

    The variance ((1 - e)^2 S_pass + e^2 S_fail) / total^2, S the sums of squared weights, is right also where passing
    and failing jets have different weights; for weights of one it is e (1 - e) / total.

    Args:
        passed: Sum of the weights that pass.
        passed_squares: Sum of their squares.
        total: Sum of all weights.
        total_squares: Sum of their squares.
    """
    passed, passed_squares, total, total_squares = (
        np.asarray(a, dtype=float) for a in (passed, passed_squares, total, total_squares)
    )
    total = np.where(total > 0, total, np.nan)
    value = passed / total
    failed_squares = np.maximum(total_squares - passed_squares, 0.0)
    return value, ((1 - value) ** 2 * passed_squares + value**2 * failed_squares) / total**2


def fraction_interval(
    passed: ArrayLike,
    passed_squares: ArrayLike,
    total: ArrayLike,
    total_squares: ArrayLike,
    *,
    level: float = ONE_SIGMA,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (value, low, high) of a fraction of summed weights: Wilson's interval with effective counts.

    The effective number of trials is the one whose binomial variance equals the variance of `weighted_fraction`. A
    fraction outside [0, 1], which only negative weights make, has plus-minus the standard error instead.
    """
    value, variance = weighted_fraction(passed, passed_squares, total, total_squares)
    trials = effective_trials(value, variance, total, total_squares)
    inside = (value >= 0) & (value <= 1)
    low, high = wilson(np.where(inside, value, 0.0) * trials, trials, level=level)
    half = special.ndtri((1 + level) / 2) * np.sqrt(variance)
    return value, np.where(inside, low, value - half), np.where(inside, high, value + half)


def effective_trials(
    value: ArrayLike, variance: ArrayLike, total: ArrayLike, total_squares: ArrayLike
) -> np.ndarray:
    """Returns the number of unweighted trials with this variance, e (1 - e) / variance; the effective count at e = 0 or 1."""
    value, variance, total, squares = (
        np.asarray(a, dtype=float) for a in (value, variance, total, total_squares)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = np.where(squares > 0, total**2 / squares, 0.0)
        return np.where((value > 0) & (value < 1) & (variance > 0), value * (1 - value) / variance, counts)


def bootstrap(
    statistic: Callable[..., ArrayLike], *arrays: np.ndarray, seed: int, replicas: int = 200
) -> np.ndarray:
    """Returns `statistic(*arrays)` of samples drawn with replacement, shape (replicas, ...); its spread is the error.

    Entry i of every array belongs to jet i and is drawn together (pass labels, scores and weights).
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or lengths == {0}:
        msg = f"A bootstrap needs arrays of one length above 0; found {sorted(lengths)}."
        raise DataError(msg)
    n = lengths.pop()
    generator = np.random.default_rng(seed)
    draws = (generator.integers(n, size=n) for _ in range(replicas))
    return np.stack([np.asarray(statistic(*(array[draw] for array in arrays))) for draw in draws])


def _trials(passed: ArrayLike, total: ArrayLike, level: float) -> tuple[np.ndarray, np.ndarray]:
    _check_level(level)
    passed, total = np.broadcast_arrays(np.asarray(passed, dtype=float), np.asarray(total, dtype=float))
    bad = (passed < 0) | (passed > total * (1 + 1e-12))
    if bad.any():
        where = np.unravel_index(int(np.argmax(bad)), bad.shape)
        msg = f"{passed[where]:g} of {total[where]:g} passed; a binomial interval needs 0 <= passed <= total."
        raise DataError(msg)
    return np.minimum(passed, total), total


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        msg = f"The confidence level is {level:g}; give a number between 0 and 1, such as 0.95."
        raise DataError(msg)
