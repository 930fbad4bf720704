"""Means over jets with the error that drawing the jets again gives."""

import math

import numpy as np

from ..errors import ExplanationError
from ..physics.bootstrap import Bootstrap, Estimate

DRAWS = 300
"""Samples of jets drawn with replacement; their spread is the error to 1 / sqrt(2 draws) = 4 %."""

ROUNDING = 1e-6
"""An error below this is that of numbers in single precision, and written as none."""


def mean(
    values: np.ndarray, weight: np.ndarray | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Returns the weighted mean of values over jets, shape (...); entries that are not finite are left out.

    All entries are drawn together, jet by jet, so that differences between them keep the correlation that they have.

    Args:
        values: Shape (jets, ...).
        weight: Of each jet, shape (jets,); may be negative.
        draws: Number of samples drawn with replacement.
        seed: Of these draws.

    Raises:
        ExplanationError: no jets, or not one weight per jet.
        DataError: fewer than two draws.
    """
    values = np.asarray(values, dtype=float)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if not len(values) or len(weight) != len(values):
        msg = f"Found {len(values)} jets and {len(weight)} weights; a mean needs at least one jet and a weight for each."
        raise ExplanationError(msg)
    flat = values.reshape(len(values), -1)
    known = np.isfinite(flat)
    found = Bootstrap(weight, draws, seed).ratio(np.where(known, flat, 0.0), known.astype(float))
    shape = values.shape[1:]
    return Estimate(found.value.reshape(shape), found.error.reshape(shape))


def written(estimate: Estimate) -> str:
    """Returns a single mean as "0.12 ± 0.01"; without an error where one jet tells of it, in words where none does.

    There are as many digits as the first one of the error needs, so that no error is written as none; two at least.
    """
    value, error = float(estimate.value), float(estimate.error)
    if not np.isfinite(value):
        return "not known"
    digits = max(2, math.ceil(-math.log10(error))) if error >= ROUNDING else 2
    return f"{value:.{digits}f} ± {error:.{digits}f}" if np.isfinite(error) else f"{value:.{digits}f}"
