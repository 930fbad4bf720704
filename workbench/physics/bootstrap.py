"""Errors by drawing the jets again: what a number would have been in another sample of the same size."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DataError

STREAM = 0xB0075
"""Mixed into every seed: jets that were made with the same seed must not decide how often they are drawn."""


@dataclass(frozen=True)
class Estimate:
    """Numbers with their errors.

    Attributes:
        value: Any shape; nan where it is not defined.
        error: One standard deviation, of that shape; nan where fewer than two jets tell of it.
    """

    value: np.ndarray
    error: np.ndarray

    def __getitem__(self, keep: Any) -> "Estimate":
        return Estimate(self.value[keep], self.error[keep])

    def columns(self, name: str) -> dict[str, np.ndarray]:
        """Returns the numbers and their errors as two columns, "name" and "name_error", flat."""
        return {name: self.value.ravel(), f"{name}_error": self.error.ravel()}

    def minus(self, other: "Estimate") -> "Estimate":
        """Returns the difference to a number of other jets: the errors are independent."""
        return Estimate(self.value - other.value, np.hypot(self.error, other.error))

    @property
    def significance(self) -> np.ndarray:
        """The value in standard errors; nan where there is no error to divide by."""
        missing = np.full(np.shape(self.value), np.nan)
        return np.divide(self.value, self.error, out=missing, where=self.error > 0)


@dataclass(frozen=True)
class Bootstrap:
    """Some jets, drawn again with replacement `draws` times.

    Attributes:
        weight: Weight of each jet, shape (jets,); may be negative.
        draws: How many times.
        seed: Seed of the draws.

    Raises:
        DataError: fewer than two draws.

    Source: Efron, Ann. Statist. 7 (1979) 1.
    """

    weight: np.ndarray
    draws: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        if self.draws < 2:
            msg = f"{self.draws} bootstrap draws were asked for; an error needs at least 2."
            raise DataError(msg)

    @cached_property
    def times(self) -> np.ndarray:
        """How often each draw has each jet, times its weight, shape (draws, jets)."""
        return resampled(len(self.weight), self.draws, self.seed) * self.weight

    def among(self, mask: np.ndarray) -> "Bootstrap":
        """Returns the draws of some of the jets, given as a mask of shape (jets,)."""
        return self if mask.all() else Bootstrap(self.weight[mask], self.draws, self.seed)

    def ratio(self, above: np.ndarray, below: np.ndarray, *, running: bool = False) -> Estimate:
        """Returns sum(weight * above) / sum(weight * below) over the jets, with its error.

        Args:
            above: Shape (jets, bins).
            below: What it is a share of, shape (jets,) or (jets, bins).
            running: Whether the shares are added up from the first bin on.

        Returns:
            Shape (bins,); nan where the sum below is zero. A jet of which it is zero tells nothing of that bin.
        """
        below = below if below.ndim == 2 else below[:, None]
        weight, times = self.weight[None, :], self.times
        value, again = (_shares(w @ above, w @ below, running) for w in (weight, times))
        telling = np.count_nonzero((below != 0) & (weight.T != 0), axis=0)
        return Estimate(value[0], spread(again, telling))


def resampled(jets: int, draws: int, *seed: int) -> np.ndarray:
    """Returns how often each draw has each jet, shape (draws, jets); seeds of more numbers give other draws."""
    if not jets:
        return np.zeros((draws, 0), dtype=np.int64)
    random = np.random.default_rng([STREAM, *seed])
    return random.multinomial(jets, np.full(jets, 1 / jets), size=draws)


def spread(again: np.ndarray, jets: int | np.ndarray) -> np.ndarray:
    """Returns the standard deviation of what each draw gave, (draws, ...), over the draws in which it is defined.

    Args:
        again: What each draw gave.
        jets: How many jets tell of it; nan where fewer than two do.
    """
    known = np.isfinite(again)
    number = known.sum(axis=0)
    mean = np.where(known, again, 0.0).sum(axis=0) / np.maximum(number, 1)
    squares = (np.where(known, again - mean, 0.0) ** 2).sum(axis=0)
    enough = (number > 1) & (jets > 1)
    return np.where(enough, np.sqrt(squares / np.maximum(number - 1, 1)), np.nan)


def _shares(above: np.ndarray, below: np.ndarray, running: bool) -> np.ndarray:
    """Returns the shares of each draw, shape (draws, bins)."""
    above = np.cumsum(above, axis=1) if running else above
    below = np.broadcast_to(below, above.shape)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
