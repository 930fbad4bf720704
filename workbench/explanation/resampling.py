"""Means over jets with the error that drawing the jets again gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ExplanationError

DRAWS = 300
"""Samples of jets drawn with replacement; their spread is the error to 1 / sqrt(2 draws) = 4 %."""


@dataclass(frozen=True)
class Estimate:
    """A mean over jets.

    Attributes:
        value: Mean over the jets where it is defined, any shape; nan where it is for none.
        error: One standard deviation, same shape.
        jets: How many jets it is defined for, same shape.
    """

    value: np.ndarray
    error: np.ndarray
    jets: np.ndarray

    def __getitem__(self, place: Any) -> "Estimate":
        return Estimate(self.value[place], self.error[place], self.jets[place])

    @property
    def written(self) -> str:
        """A single mean as "+0.12 ± 0.01"."""
        return f"{float(self.value):+.2f} ± {float(self.error):.2f}"


def mean(
    values: np.ndarray, weight: np.ndarray | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Returns the weighted mean of values over jets; entries that are nan are left out.

    All entries are drawn together, jet by jet, so that differences between them keep the correlation that they have.

    Args:
        values: Shape (jets, ...).
        weight: Of each jet, shape (jets,); may be negative.
        draws: Number of samples drawn with replacement.
        seed: Of these draws.

    Raises:
        ExplanationError: no jets, fewer than two draws, or not one weight per jet.
    """
    values = np.asarray(values, dtype=float)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if not len(values) or len(weight) != len(values) or draws < 2:
        msg = f"Found {len(values)} jets, {len(weight)} weights and {draws} draws; a mean with its error needs a jet or more, a weight each and at least 2 draws."
        raise ExplanationError(msg)
    known = np.isfinite(values).reshape(len(values), -1)
    flat = np.where(known, values.reshape(len(values), -1), 0.0) * weight[:, None]
    weights = known * weight[:, None]
    generator = np.random.default_rng(seed)
    times = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=draws)
    shape = values.shape[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = flat.sum(0) / weights.sum(0)
        drawn = (times @ flat) / (times @ weights)
        # A draw may hold none of the few jets for which an entry is defined.
        count = np.isfinite(drawn).sum(0)
        centre = np.nansum(drawn, axis=0) / count
        error = np.sqrt(np.nansum((drawn - centre) ** 2, axis=0) / (count - 1))
    return Estimate(value.reshape(shape), error.reshape(shape), known.sum(0).reshape(shape))
