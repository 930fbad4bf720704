"""Shapley values of boosted trees against the definition, coalition by coalition."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from workbench.engines.trees import Trees, grow
from workbench.explanation.shapley import shapley_values


def grown(classes, seed=0, observables=4, jets=300):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(jets, observables))
    x[generator.random(x.shape) < 0.1] = np.nan
    label = np.arange(jets) % classes
    x[:, 0] += label
    x[:, 1] *= 1 + label
    settings = {"max_iter": 6, "max_leaf_nodes": 8, "learning_rate": 0.3}
    return grow(x, label, np.ones(jets), settings=settings, seed=0, after_each=lambda trees: None), x


def by_definition(trees, x, background):
    """Weights every coalition: |S|! (n - |S| - 1)! / n! times what joining it is worth."""
    n = len(x)
    worth = {}
    for size in range(n + 1):
        for coalition in combinations(range(n), size):
            mixed = background.copy()
            mixed[:, list(coalition)] = x[list(coalition)]
            worth[coalition] = trees.raw(mixed).mean(axis=0)
    values = np.zeros((n, len(trees.baseline)))
    for coalition, value in worth.items():
        for feature in set(range(n)) - set(coalition):
            joined = tuple(sorted((*coalition, feature)))
            share = factorial(len(coalition)) * factorial(n - len(coalition) - 1) / factorial(n)
            values[feature] += share * (worth[joined] - value)
    return values


@pytest.mark.parametrize("classes", [2, 3])
def test_values_are_those_of_all_coalitions(classes):
    trees, x = grown(classes)
    background = x[100:137]
    expected = np.stack([by_definition(trees, jet, background) for jet in x[:12]])
    np.testing.assert_allclose(shapley_values(trees, x[:12], background), expected, atol=1e-12)


def test_values_sum_to_the_log_odds_above_the_background():
    trees, x = grown(2)
    background = x[:100]
    values = shapley_values(trees, x, background)
    np.testing.assert_allclose(
        values.sum(axis=1), trees.raw(x) - trees.raw(background).mean(axis=0), atol=1e-12
    )


def test_an_observable_that_no_tree_asks_for_is_worth_nothing():
    trees, x = grown(2)
    more = np.column_stack([x, np.linspace(0, 1, len(x))])
    values = shapley_values(trees, more[:5], more[50:60])
    np.testing.assert_array_equal(values[:, -1], 0)
    np.testing.assert_allclose(values[:, :-1], shapley_values(trees, x[:5], x[50:60]), atol=1e-15)


def test_equal_observables_share_equally():
    # Two stumps on two observables of equal value: symmetric players.
    nodes = {
        "feature": [[0, -1, -1], [1, -1, -1]],
        "left": [[1, 1, 2], [1, 1, 2]],
        "right": [[2, 1, 2], [2, 1, 2]],
    }
    trees = Trees(
        **{name: np.array(rows, dtype=np.int32) for name, rows in nodes.items()},
        threshold=np.zeros((2, 3)),
        missing_left=np.zeros((2, 3), dtype=bool),
        value=np.array([[0.0, -1.0, 1.0], [0.0, -1.0, 1.0]]),
        output=np.zeros(2, dtype=np.int32),
        baseline=np.zeros(1),
    )
    values = shapley_values(trees, np.array([[1.0, 1.0]]), np.array([[-1.0, -1.0]]))
    np.testing.assert_allclose(values[0, :, 0], [2.0, 2.0])


def test_a_tree_of_one_leaf_is_worth_nothing():
    leaf = np.zeros((1, 1))
    trees = Trees(
        leaf.astype(np.int32) - 1, leaf, leaf.astype(np.int32), leaf.astype(np.int32), leaf.astype(bool), leaf + 3,
        np.zeros(1, dtype=np.int32), np.zeros(1),
    )  # fmt: skip
    np.testing.assert_array_equal(
        shapley_values(trees, np.ones((2, 3)), np.zeros((4, 3))), np.zeros((2, 3, 1))
    )


def test_the_values_explain_scikit_learns_own_log_odds():
    _, x = grown(2)
    label = np.arange(len(x)) % 2
    settings = {"max_iter": 6, "max_leaf_nodes": 8, "learning_rate": 0.3}
    model = HistGradientBoostingClassifier(**settings, random_state=0, early_stopping=False).fit(x, label)
    trees = grow(x, label, np.ones(len(x)), settings=settings, seed=0, after_each=lambda trees: None)
    total = shapley_values(trees, x, x[:100]).sum(axis=(1, 2))
    above = model.decision_function(x) - model.decision_function(x[:100]).mean()
    np.testing.assert_allclose(total, above, atol=1e-10)
