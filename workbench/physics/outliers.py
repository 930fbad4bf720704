"""How unlike the other jets of a sample a jet is, without any training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..data.jets import Jets
from .observables import observables

MEASURED = ("mass", "sd_mass", "multiplicity", "tau21", "tau32")
"""Observables in which jets are compared with all others."""


def distance_from_mean(values: ArrayLike, weight: ArrayLike | None = None) -> np.ndarray:
    """Returns the Mahalanobis distance of each row from the mean of all, shape (rows,).

    It is the length of (x - mean) in units of the spread of the sample, correlations included, so that scaling or mixing the
    columns changes nothing. Its square is 1 per column on average. What is not a number counts as the mean.

    Args:
        values: Shape (rows, columns).
        weight: Of each row, shape (rows,); None weighs all alike.

    Source: Mahalanobis 1936.
    """
    x = np.array(values, dtype=float)
    w = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float)
    known = np.isfinite(x)
    total = np.where(known, w[:, None], 0.0).sum(axis=0)
    sums = (np.where(known, x, 0.0) * w[:, None]).sum(axis=0)
    mean = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    shifted = np.where(known, x - mean, 0.0)
    covariance = (shifted * w[:, None]).T @ shifted / max(float(w.sum()), np.finfo(float).tiny)
    squared = np.einsum("ij,jk,ik->i", shifted, np.linalg.pinv(covariance, hermitian=True), shifted)
    return np.sqrt(np.maximum(squared, 0.0))


def unusual(jets: Jets, names: Sequence[str] = MEASURED) -> np.ndarray:
    """Returns how unlike the average of the sample each jet is in these observables, shape (jets,).

    It knows nothing of classes, and rare jets of a known kind are unusual too: it finds jets to look at, no new physics.
    """
    found = observables(jets, list(names))
    return distance_from_mean(np.stack([found[name] for name in names], axis=1), jets.weight)
