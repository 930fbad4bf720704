"""Exact Shapley values of boosted trees against a background sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np

from ..engines.trees import Trees

JETS_AT_ONCE = 128
"""Jets whose coalitions with the background are held in memory together."""


@dataclass(frozen=True)
class Leaves:
    """The boxes that the leaves of one tree stand for.

    Attributes:
        low: x must be above, shape (leaves, observables); -inf where the path does not ask.
        high: x must be at most, shape (leaves, observables); inf where the path does not ask.
        missing: True where nan passes, shape (leaves, observables).
        value: What a leaf adds, shape (leaves,).
    """

    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    value: np.ndarray

    def passed(self, x: np.ndarray) -> np.ndarray:
        """Returns whether each observable alone lets a jet into a leaf, shape (leaves, jets, observables)."""
        inside = (x > self.low[:, None]) & (x <= self.high[:, None])
        return np.where(np.isnan(x), self.missing[:, None], inside)


def shapley_values(trees: Trees, x: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Returns the interventional Shapley value of every observable, shape (jets, observables, outputs).

    The game of a jet: a coalition's worth is the mean over the background of `raw` with the coalition's observables
    taken from the jet and the others from the background. The values of a jet sum to raw(x) minus the
    background's mean of `raw`.

    Args:
        trees: What is explained.
        x: Observables of the jets, shape (jets, observables); nan is allowed.
        background: Observables of the background, shape (background jets, observables).

    Source: arXiv:1905.04610 (exact values for trees); interventional expectation, arXiv:1908.08474.
    """
    x, background = np.asarray(x, dtype=np.float64), np.asarray(background, dtype=np.float64)
    values = np.zeros((*x.shape, len(trees.baseline)))
    gain, loss = _shares(x.shape[1])
    for leaves, output in _leaves(trees, x.shape[1]):
        theirs = leaves.passed(background)
        for first in range(0, len(x), JETS_AT_ONCE):
            here = slice(first, first + JETS_AT_ONCE)
            values[here, :, output] += _tree_values(leaves, x[here], theirs, gain, loss)
    return values


def _tree_values(
    leaves: Leaves, x: np.ndarray, theirs: np.ndarray, gain: np.ndarray, loss: np.ndarray
) -> np.ndarray:
    """Returns the values of one tree, shape (jets, observables).

    Only observables that let one of jet and background jet into a leaf, and not the other, matter: `ours` that
    must come from the jet, `others` that must not. Where an observable lets in neither, no coalition gets there.
    """
    ours = leaves.passed(x).astype(np.float64)
    theirs = theirs.astype(np.float64)
    turned = theirs.transpose(0, 2, 1)
    needed = (ours @ (1 - turned)).astype(np.intp)
    unwanted = ((1 - ours) @ turned).astype(np.intp)
    reachable = (1 - ours) @ (1 - turned) == 0
    weight = np.where(reachable, leaves.value[:, None, None], 0.0) / theirs.shape[1]
    up = ours * ((weight * gain[needed, unwanted]) @ (1 - theirs))
    down = (1 - ours) * ((weight * loss[needed, unwanted]) @ theirs)
    return (up - down).sum(axis=0)


def _shares(observables: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the Shapley weights (a-1)! b! / (a+b)! and a! (b-1)! / (a+b)! of a needed and b unwanted observables."""
    size = observables + 1
    gain, loss = np.zeros((size, size)), np.zeros((size, size))
    for a in range(size):
        for b in range(size):
            gain[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b) if a else 0.0
            loss[a, b] = factorial(a) * factorial(b - 1) / factorial(a + b) if b else 0.0
    return gain, loss


def _leaves(trees: Trees, observables: int) -> Iterator[tuple[Leaves, int]]:
    """Yields the leaves of each tree and the output it adds to."""
    for tree, output in enumerate(trees.output):
        feature, threshold = trees.feature[tree], trees.threshold[tree]
        inner = np.flatnonzero(feature >= 0)
        parent = np.full(len(feature), -1)
        is_left = np.zeros(len(feature), dtype=bool)
        parent[trees.left[tree, inner]] = inner
        parent[trees.right[tree, inner]] = inner
        is_left[trees.left[tree, inner]] = True
        leaf = np.flatnonzero((feature < 0) & ((parent >= 0) | (np.arange(len(feature)) == 0)))
        shape = (len(leaf), observables)
        low, high, missing = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape, dtype=bool)
        node = leaf
        while (parent[node] >= 0).any():
            row = np.flatnonzero(parent[node] >= 0)
            above, left = parent[node[row]], is_left[node[row]]
            asked = feature[above]
            high[row, asked] = np.where(
                left, np.minimum(high[row, asked], threshold[above]), high[row, asked]
            )
            low[row, asked] = np.where(left, low[row, asked], np.maximum(low[row, asked], threshold[above]))
            missing[row, asked] &= trees.missing_left[tree, above] == left
            node = np.where(parent[node] >= 0, parent[node], node)
        yield Leaves(low, high, missing, trees.value[tree, leaf]), int(output)
