"""Boosted decision trees: grown by scikit-learn, kept and evaluated as plain arrays."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

import numpy as np

GROWERS = "sklearn.ensemble"
"""Imported when the first trees are grown; to evaluate them nothing of it is needed."""


@dataclass(frozen=True)
class Trees:
    """A sum of decision trees: raw(x) = baseline + sum over trees of the value of the leaf that x falls into.

    Every array of nodes has shape (trees, nodes); node 0 is the root, and rows of small trees are filled up with leaves
    of value 0 that nothing leads to.

    Attributes:
        feature: Column of x that a node compares, int32; -1 for a leaf.
        threshold: x <= threshold goes left, else right, float64.
        left: Node on the left, int32; a leaf is its own left ...
        right: ... and its own right, so that walking on stays there.
        missing_left: True where nan goes left, bool.
        value: What a leaf adds, shrinkage included, float64; 0 for inner nodes.
        output: Column of `raw` that a tree adds to, shape (trees,), int32.
        baseline: Where the sum starts, shape (outputs,): one output, the log-odds of class 1 against class 0, for
            two classes; one per class, up to a common constant, for more.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    output: np.ndarray
    baseline: np.ndarray

    def sound(self, observables: int) -> bool:
        """Returns True if every walk over so many observables ends in a leaf: what a file may not promise."""
        shape = self.feature.shape
        arrays = (self.threshold, self.left, self.right, self.missing_left, self.value)
        if len(shape) != 2 or any(array.shape != shape for array in arrays) or len(self.output) != shape[0]:
            return False
        leaf, own = self.feature < 0, np.arange(shape[1])
        ahead = all(
            bool(np.where(leaf, child == own, (child > own) & (child < shape[1])).all())
            for child in (self.left, self.right)
        )
        known = np.isin(self.output, np.arange(len(self.baseline))).all()
        return ahead and bool(known) and bool((self.feature < observables).all())

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """Returns the leaf of each tree that each row falls into, shape (jets, trees)."""
        tree = np.arange(len(self.output))
        node = np.zeros((len(x), len(tree)), dtype=np.int32)
        row = np.arange(len(x))[:, None]
        while True:
            feature = self.feature[tree, node]
            if (feature < 0).all():
                return node
            value = x[row, feature]
            goes_left = np.where(
                np.isnan(value), self.missing_left[tree, node], value <= self.threshold[tree, node]
            )
            node = np.where(goes_left, self.left[tree, node], self.right[tree, node])

    def raw(self, x: np.ndarray) -> np.ndarray:
        """Returns the sum of leaves, shape (jets, outputs), of observables x, shape (jets, observables); nan is allowed."""
        x = np.asarray(x, dtype=np.float64)
        total = np.tile(self.baseline, (len(x), 1))
        for rows in np.array_split(np.arange(len(x)), len(x) // 10_000 + 1):
            values = self.value[np.arange(len(self.output)), self.leaves(x[rows])]
            for output in range(len(self.baseline)):
                total[rows, output] += values[:, self.output == output].sum(axis=1)
        return total

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Returns one column per class, shape (jets, classes); with two classes (0, log-odds)."""
        raw = self.raw(x)
        return np.concatenate([np.zeros_like(raw), raw], axis=1) if raw.shape[1] == 1 else raw

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def first(self, trees: int) -> "Trees":
        """Returns the sum of the first trees only."""
        kept = {name: array[:trees] for name, array in self.arrays().items() if name != "baseline"}
        return Trees(**kept, baseline=self.baseline)

    @property
    def parameters(self) -> int:
        """Number of fitted numbers: a threshold per inner node that is in use, a value per leaf, the baseline."""
        inner = self.feature >= 0
        reached = 2 * inner.sum() + len(self.feature)
        return int(reached + len(self.baseline))


def empty(outputs: int) -> Trees:
    """Returns no trees at all: raw is 0 for everything."""
    nodes = np.zeros((0, 1))
    whole = nodes.astype(np.int32)
    return Trees(
        whole,
        nodes,
        whole,
        whole,
        nodes.astype(bool),
        nodes,
        np.zeros(0, dtype=np.int32),
        np.zeros(outputs),
    )


class Halt(Exception):
    """Ends the growing; raised by `after_each`, and not an error."""


def grow(
    x: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    settings: Mapping[str, Any],
    seed: int,
    after_each: Callable[[Trees], None],
) -> Trees:
    """Returns trees grown on x, shape (jets, observables), one iteration after the other.

    Args:
        x: Observables; nan is a value of its own.
        label: Class of each jet, shape (jets,), 0, 1, ...
        weight: Weight of each jet, shape (jets,).
        settings: Arguments of scikit-learn's HistGradientBoostingClassifier.
        seed: Seed of the binning (it draws only above 200,000 jets).
        after_each: Called with the trees of the iteration just grown; may raise `Halt`.
    """
    seen = 0

    def listen(model: Any, *_: Any, **__: Any) -> float:
        nonlocal seen
        if len(model._predictors) > seen:
            seen = len(model._predictors)
            after_each(_arrays(model._predictors[-1:], np.ravel(model._baseline_prediction)))
        return 0.0

    # A scorer is the one place where scikit-learn calls back after each iteration; it must never end the fit by itself.
    model = import_module(GROWERS).HistGradientBoostingClassifier(
        **settings,
        random_state=seed,
        early_stopping=True,
        validation_fraction=None,
        n_iter_no_change=settings["max_iter"] + 1,
        scoring=listen,
    )
    with suppress(Halt):
        model.fit(x, label, sample_weight=weight)
    return _arrays(model._predictors, np.ravel(model._baseline_prediction))


def _arrays(iterations: list[list[Any]], baseline: np.ndarray) -> Trees:
    nodes = [tree.nodes for trees in iterations for tree in trees]
    if not nodes:
        return empty(len(baseline))
    shape = (len(nodes), max(len(tree) for tree in nodes))
    own = np.tile(np.arange(shape[1], dtype=np.int32), (shape[0], 1))
    feature, left, right = np.full(shape, -1, dtype=np.int32), own.copy(), own.copy()
    threshold, value, missing_left = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    for row, tree in enumerate(nodes):
        here = slice(0, len(tree))
        leaf = tree["is_leaf"].astype(bool)
        feature[row, here] = np.where(leaf, -1, tree["feature_idx"])
        threshold[row, here] = np.where(leaf, 0.0, tree["num_threshold"])
        left[row, here] = np.where(leaf, own[row, here], tree["left"])
        right[row, here] = np.where(leaf, own[row, here], tree["right"])
        missing_left[row, here] = tree["missing_go_to_left"].astype(bool)
        value[row, here] = np.where(leaf, tree["value"], 0.0)
    output = np.tile(np.arange(len(iterations[0]), dtype=np.int32), len(iterations))
    return Trees(feature, threshold, left, right, missing_left, value, output, baseline.astype(np.float64))
