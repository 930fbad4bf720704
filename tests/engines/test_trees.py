import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from workbench.engines.trees import Halt, Trees, empty, grow

SETTINGS = {"max_iter": 12, "max_leaf_nodes": 8, "learning_rate": 0.2}


def sample(classes, *, missing=0.1):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(600, 4))
    label = np.digitize(
        x[:, 0] + 0.5 * x[:, 1] ** 2 + 0.3 * generator.normal(size=600), [0.3, 1.0][: classes - 1]
    )
    x[generator.uniform(size=x.shape) < missing] = np.nan
    return x, label, generator.uniform(0.1, 2, 600)


def nothing(trees):
    """Does not listen."""


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_our_arrays_give_the_raw_scores_of_scikit_learn(classes, missing):
    x, label, weight = sample(classes, missing=missing)
    trees = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=nothing)
    theirs = HistGradientBoostingClassifier(**SETTINGS, early_stopping=False, random_state=1)
    theirs.fit(x, label, sample_weight=weight)
    # New values too: infinite ones, ones beyond the range, and nan in columns that had none in training.
    new = np.concatenate(
        [x, 10 * x[::-1], np.full((1, 4), np.nan), np.full((1, 4), np.inf), np.full((1, 4), -np.inf)]
    )
    expected = theirs.decision_function(new).reshape(len(new), -1)
    assert np.allclose(trees.raw(new), expected, rtol=0, atol=1e-12)


def test_logits_of_two_classes_are_zero_and_the_log_odds():
    x, label, weight = sample(2)
    trees = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=nothing)
    assert np.array_equal(trees.logits(x), np.column_stack([np.zeros(len(x)), trees.raw(x)[:, 0]]))


def test_iterations_come_one_by_one_and_add_up():
    x, label, weight = sample(3)
    parts = []
    trees = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=parts.append)
    assert len(parts) == 12
    assert all(len(part.output) == 3 for part in parts)
    total = trees.baseline + sum(part.raw(x) - part.baseline for part in parts)
    assert np.allclose(total, trees.raw(x), atol=1e-12)


def test_growing_can_be_ended_and_keeps_what_has_grown():
    x, label, weight = sample(2)
    grown = []

    def after_each(trees):
        grown.append(trees)
        if len(grown) == 5:
            raise Halt

    trees = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=after_each)
    whole = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=nothing)
    assert len(trees.output) == 5
    assert np.array_equal(trees.raw(x), whole.first(5).raw(x))


def test_a_hand_made_tree_sends_each_value_to_its_leaf():
    stump = Trees(
        feature=np.array([[0, -1, 1, -1, -1]], dtype=np.int32),
        threshold=np.array([[1.0, 0, 5.0, 0, 0]]),
        left=np.array([[1, 1, 3, 3, 4]], dtype=np.int32),
        right=np.array([[2, 1, 4, 3, 4]], dtype=np.int32),
        missing_left=np.array([[False, False, True, False, False]]),
        value=np.array([[0, 10.0, 0, 20.0, 30.0]]),
        output=np.array([0], dtype=np.int32),
        baseline=np.array([0.5]),
    )
    x = np.array([[1.0, 9.0], [1.1, 5.0], [1.1, 5.1], [np.nan, np.nan], [np.nan, 6.0]])
    assert stump.raw(x)[:, 0].tolist() == [10.5, 20.5, 30.5, 20.5, 30.5]
    assert stump.parameters == 2 + 3 + 1


def test_a_row_of_negative_weight_takes_back_one_of_positive_weight():
    generator = np.random.default_rng(2)
    x = generator.integers(0, 8, (2000, 2)).astype(float)
    label = (x.sum(axis=1) + generator.normal(size=2000) > 7).astype(int)
    twice = (x, x[:500], x[:500]), (label, 1 - label[:500], 1 - label[:500])
    weight = np.repeat([1.0, 1.0, -1.0], [2000, 500, 500])
    plain = grow(x, label, np.ones(2000), settings=SETTINGS, seed=1, after_each=nothing)
    taken = grow(*map(np.concatenate, twice), weight, settings=SETTINGS, seed=1, after_each=nothing)
    # scikit-learn sums gradients of single precision.
    assert np.allclose(taken.raw(x), plain.raw(x), atol=1e-4)


@pytest.mark.parametrize(
    ("array", "entry", "value"),
    [
        ("left", (0, 0), 0),
        ("right", (0, 0), 99),
        ("left", (0, 1), 0),
        ("feature", (0, 0), 4),
        ("output", 0, 1),
    ],
)
def test_nodes_that_lead_nowhere_are_seen(array, entry, value):
    x, label, weight = sample(2)
    trees = grow(x, label, weight, settings=SETTINGS, seed=1, after_each=nothing)
    assert trees.sound(4)
    arrays = {name: values.copy() for name, values in trees.arrays().items()}
    if array == "left" and entry == (0, 1):
        entry = (0, int(np.flatnonzero(trees.feature[0] < 0)[0]))
    arrays[array][entry] = value
    assert not Trees(**arrays).sound(4)
    assert empty(3).sound(4)


def test_no_trees_score_zero():
    assert empty(3).raw(np.ones((4, 2))).tolist() == [[0.0] * 3] * 4
