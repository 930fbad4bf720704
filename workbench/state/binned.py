"""A column cut into bins once, so that every later selection is only counted."""

from collections.abc import Sequence

import numpy as np

from ..physics.distributions import UNLABELLED, Points
from ..physics.intervals import weighted_fraction

ALL = "all jets"
"""Name of the one class of a merged histogram."""

MOST = 400
"""Largest number of bins of a histogram."""


class Sums:
    """Sums of weights, of squared weights and numbers of jets, shape (classes, bins + 3): below, the bins, above, undefined."""

    def __init__(
        self, classes: Sequence[str], edges: np.ndarray, w: np.ndarray, w2: np.ndarray, count: np.ndarray
    ) -> None:
        self.classes, self.edges, self.w, self.w2, self.count = tuple(classes), edges, w, w2, count

    def of(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns both sums of a class in the bins, in the first and last what is below and above."""
        place = self.classes.index(name)
        return self.w[place, :-1], self.w2[place, :-1]

    def merged(self) -> "Sums":
        """Returns the histogram of all jets, whatever their class."""
        w, w2, count = (part.sum(axis=0, keepdims=True) for part in (self.w, self.w2, self.count))
        return Sums((ALL,), self.edges, w, w2, count)

    def densities(self) -> dict[str, Points]:
        """Returns the normalised density of every class with a positive sum of weights, as `density` defines it."""
        found = {}
        for name in self.classes:
            w, w2 = self.of(name)
            if w.sum() > 0:
                share, variance = weighted_fraction(w[1:-1], w2[1:-1], w.sum(), w2.sum())
                width = np.diff(self.edges)
                found[name] = Points(self.edges, share / width, np.sqrt(variance) / width)
        return found


class Binned:
    """One column in bins, by class.

    Attributes:
        edges: Edges of the bins, shape (bins + 1,); the last bin ends before its upper edge.
    """

    def __init__(
        self,
        values: np.ndarray,
        edges: np.ndarray,
        label: np.ndarray,
        classes: Sequence[str],
        weight: np.ndarray | None = None,
    ) -> None:
        """Takes one value, class (-1 for none) and weight per jet; without weights each jet counts as one."""
        self.edges = np.asarray(edges, dtype=float)
        self._names = (UNLABELLED, *classes)
        self._width = len(self.edges) + 2
        place = np.searchsorted(self.edges, values, side="right")
        place[np.isnan(values)] = self._width - 1
        key = (np.asarray(label) + 1) * self._width + place
        self._key = key.astype(np.uint16 if self._size <= 65_536 else np.uint32)
        plain = weight is None or bool(np.all(np.asarray(weight) == 1))
        self._weight = None if plain else np.asarray(weight, dtype=float)
        self.whole = self.sums(slice(None))

    @property
    def _size(self) -> int:
        return len(self._names) * self._width

    def sums(self, keep: np.ndarray | slice) -> Sums:
        """Returns the histograms of the jets that `keep` (indices, a slice or a mask) names, all classes at once."""
        key = self._key[keep]
        shape = (len(self._names), self._width)
        count = np.bincount(key, minlength=self._size).astype(float).reshape(shape)
        w = w2 = count
        if self._weight is not None:
            weight = self._weight[keep]
            w = np.bincount(key, weight, self._size).reshape(shape)
            w2 = np.bincount(key, weight**2, self._size).reshape(shape)
        order = [*range(1, len(self._names)), 0]
        return Sums([self._names[i] for i in order], self.edges, w[order], w2[order], count[order])
