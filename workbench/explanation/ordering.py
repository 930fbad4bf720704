"""Do two scores put jets into the same order? Decided pair by pair, a signal jet against a background jet.

Source: arXiv:2010.11998.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..data.jets import Jets
from ..errors import ExplanationError
from ..physics.bootstrap import resampled
from .score import Seed, direction

DRAWS = 200
"""Samples of jets drawn with replacement; their spread is the error to 1 / sqrt(2 draws) = 5 %."""

PAIRS_AT_ONCE = 4_000_000
"""Pairs of jets that are compared at once."""

Decision = Callable[[np.ndarray], np.ndarray]
"""Takes the numbers of some signal jets to what is decided of each pair with every background jet."""


class Ordering(NamedTuple):
    """A share of pairs of jets, with its error.

    Attributes:
        value: Weighted mean over all pairs of a signal and a background jet.
        error: One standard deviation: the spread of samples of signal and of background jets drawn with replacement.
    """

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ± {self.error:.4f}"


@dataclass(frozen=True)
class Sides:
    """The signal and the background jets of a sample, and the samples of them that are drawn for errors.

    Everything that is measured with the same sides uses the same draws, so that differences keep their correlation.

    Attributes:
        signal: Numbers of the signal jets, shape (s,).
        background: Numbers of the background jets, shape (b,).
        signal_weight: Weight of each, and by how much it counts in each draw, shape (s, 1 + draws).
        background_weight: The same of the background, shape (b, 1 + draws).
    """

    signal: np.ndarray
    background: np.ndarray
    signal_weight: np.ndarray
    background_weight: np.ndarray

    def means(self, decided: Decision) -> np.ndarray:
        """Returns the mean over all pairs, first with the jets as they are and then of each draw, shape (1 + draws,)."""
        total = np.zeros(self.signal_weight.shape[1])
        at_once = max(1, PAIRS_AT_ONCE // len(self.background))
        for first in range(0, len(self.signal), at_once):
            part = slice(first, first + at_once)
            rows = decided(self.signal[part]).astype(np.float32) @ self.background_weight.astype(np.float32)
            total += np.einsum("sd,sd->d", self.signal_weight[part], rows)
        return total / (self.signal_weight.sum(0) * self.background_weight.sum(0))


def sides(
    is_signal: np.ndarray,
    is_background: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Sides:
    """Returns the jets of both sides.

    Args:
        is_signal: True for signal jets, shape (jets,).
        is_background: True for background jets, shape (jets,).
        weight: Of each jet, shape (jets,); may be negative.
        draws: Samples drawn with replacement, at least 2.
        seed: Of these draws.

    Raises:
        ExplanationError: fewer than two jets of a side, weights that sum to nothing, or fewer than two draws.
    """
    signal, background = np.flatnonzero(is_signal), np.flatnonzero(is_background)
    if min(len(signal), len(background), draws) < 2:
        msg = f"Found {len(signal)} signal jets, {len(background)} background jets and {draws} draws; orders need 2 of each."
        raise ExplanationError(msg)
    weight = np.ones(len(is_signal)) if weight is None else np.asarray(weight, dtype=float)
    weights = []
    for side, numbers in enumerate((signal, background)):
        n = len(numbers)
        if weight[numbers].sum() <= 0:
            msg = f"The weights of a side sum to {weight[numbers].sum():.3g}; orders need a positive sum."
            raise ExplanationError(msg)
        times = resampled(n, draws, seed, side).T
        weights.append(weight[numbers, None] * np.concatenate([np.ones((n, 1)), times], axis=1))
    return Sides(signal, background, *weights)


def stands(jets: Jets, classes: tuple[str, ...], seed: Seed) -> tuple[np.ndarray, np.ndarray, str]:
    """Returns which jets are signal and which background of a score, each of shape (jets,), and the score in words.

    Args:
        jets: Jets.
        classes: Of the tagger.
        seed: Which score, as in `explain`.

    Raises:
        ExplanationError: a class that the tagger does not know.
    """
    weights, words = direction(classes, seed)
    label = np.asarray(jets.label)
    signal, background = (
        np.isin(
            label,
            [
                jets.classes.index(n)
                for n, there in zip(classes, side, strict=True)
                if there and n in jets.classes
            ],
        )
        for side in (weights > 0, weights < 0)
    )
    return signal, background, words


def decision_ordering(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns DO = Θ(product of two differences), same shape: 1 where both have one sign, 0 where not, 1/2 where one is 0 or nan."""
    signs = np.sign(one) * np.sign(other)
    return 0.5 + 0.5 * np.nan_to_num(signs)


def average_decision_ordering(one: np.ndarray, other: np.ndarray, jets: Sides) -> Ordering:
    """Returns the share of pairs that two scores put into the same order: 1 for the same order, 0 for the opposite one.

    ADO = mean over pairs of a signal jet s and a background jet b of Θ[(f(s) − f(b)) (g(s) − g(b))], arXiv:2010.11998,
    eqs. (5) and (6). All pairs are used. It depends on the order of the jets alone: any growing function of a score gives
    the same. Pairs that a score does not tell apart, or for which it is nan, count one half.

    Args:
        one: A score f, shape (jets,).
        other: A score g, shape (jets,).
        jets: Which jets stand against which, see `sides`.
    """
    return measured(orders(one, other, jets))


def area(score: np.ndarray, jets: Sides) -> Ordering:
    """Returns the share of pairs whose signal jet scores higher: the area under the ROC curve; pairs with nan count one half."""
    return measured(areas(score, jets))


def orders(one: np.ndarray, other: np.ndarray, jets: Sides) -> np.ndarray:
    """Returns the ADO of the jets as they are and then of each draw, shape (1 + draws,)."""
    return jets.means(
        lambda s: decision_ordering(
            one[s, None] - one[jets.background], other[s, None] - other[jets.background]
        )
    )


def areas(score: np.ndarray, jets: Sides) -> np.ndarray:
    """Returns the area of the jets as they are and then of each draw, shape (1 + draws,)."""
    return jets.means(lambda s: decision_ordering(score[s, None] - score[jets.background], np.ones(1)))


def measured(means: np.ndarray) -> Ordering:
    """Returns the first of some means with the spread of the others as its error."""
    return Ordering(float(means[0]), float(np.std(means[1:], ddof=1)))


def misordered(
    one: np.ndarray, other: np.ndarray, jets: Sides, *, most: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns pairs (signal jets, background jets) that two scores put into different orders, or that `other` cannot tell apart.

    Args:
        one: A score f, shape (jets,).
        other: A score g, shape (jets,).
        jets: Which jets stand against which.
        most: Pairs that are drawn with replacement, by their weights, and looked at; those that disagree are returned.
        seed: Of the draw.
    """
    generator = np.random.default_rng(seed)
    s, b = (
        generator.choice(numbers, most, p=np.abs(weight[:, 0]) / np.abs(weight[:, 0]).sum())
        for numbers, weight in (
            (jets.signal, jets.signal_weight),
            (jets.background, jets.background_weight),
        )
    )
    differ = decision_ordering(one[s] - one[b], other[s] - other[b]) < 1
    return s[differ], b[differ]


def best_ordering(
    score: np.ndarray, bank: Mapping[str, np.ndarray], pairs: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Returns of each observable of a bank the share of these pairs that it puts into the order of the score.

    A share far below one half is as good as one far above: the observable then falls where the score rises.
    """
    s, b = pairs
    wanted = score[s] - score[b]
    return {
        name: float(decision_ordering(wanted, values[s] - values[b]).mean()) if len(s) else 0.5
        for name, values in bank.items()
    }
