"""Unusual jets: the closed forms of the Mahalanobis distance, and a planted jet that is found first."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.jets import Jets
from workbench.physics.outliers import distance_from_mean, unusual


@pytest.fixture
def values():
    generator = np.random.default_rng(4)
    return generator.normal(size=(500, 3)) @ np.array([[2.0, 1.0, 0.0], [0.0, 0.5, 0.3], [0.0, 0.0, 7.0]])


def test_the_mean_square_of_the_distance_is_the_number_of_columns(values):
    weight = np.random.default_rng(5).uniform(0.5, 2, 500)
    for w in (None, weight):
        assert np.average(distance_from_mean(values, w) ** 2, weights=w) == pytest.approx(3)


def test_scaling_and_mixing_the_columns_changes_nothing(values):
    mixing = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [3.0, 0.0, 1.0]])
    expected = distance_from_mean(values)
    np.testing.assert_allclose(distance_from_mean(values @ mixing + 5.0), expected, rtol=1e-8)


def test_of_one_column_it_is_the_distance_in_standard_deviations():
    x = np.array([1.0, 2.0, 3.0, 10.0])
    np.testing.assert_allclose(distance_from_mean(x[:, None]), np.abs(x - 4.0) / x.std())


def test_what_is_not_a_number_and_what_is_always_the_same_says_nothing():
    x = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])
    np.testing.assert_allclose(distance_from_mean(x), [np.sqrt(1.5), np.sqrt(1.5), 0.0])
    assert distance_from_mean(np.zeros((0, 2))).shape == (0,)


def test_a_planted_jet_of_ten_times_the_particles_is_the_most_unusual():
    few, many = toy_jets(200, 3), toy_jets(1, 4, mean_constituents=120)
    jets = Jets.of(ak.concatenate([few.constituents, many.constituents]))
    assert np.argmax(unusual(jets)) == 200
    weighted = unusual(replace(jets, weight=np.full(201, 3.0)))
    np.testing.assert_allclose(weighted, unusual(jets))
