"""Two samples of one distribution and of two: known statistics, and p-values that mean what they say."""

import numpy as np
import pytest
from scipy import stats

from workbench.physics.compatibility import homogeneity, separation

EDGES = np.linspace(0, 1, 21)


def sums(values, weight=None):
    weight = np.ones(len(values)) if weight is None else weight
    return (
        np.histogram(values, EDGES, weights=weight)[0],
        np.histogram(values, EDGES, weights=weight**2)[0],
    )


def test_a_sample_agrees_with_itself():
    values = np.random.default_rng(1).uniform(size=1000)
    same = homogeneity(*sums(values), *sums(values))
    assert (same.chi2, same.ndf, same.p) == (0, 19, 1)
    assert separation(values, values) == type(separation(values, values))(0.0, 1.0)


def test_without_weights_it_is_pearsons_test_of_a_table():
    rng = np.random.default_rng(2)
    a, b = rng.uniform(size=2000), rng.beta(1.1, 1, size=700)
    found = homogeneity(*sums(a), *sums(b))
    table = np.array([sums(a)[0], sums(b)[0]])
    expected = stats.chi2_contingency(table, correction=False)
    assert found.chi2 == pytest.approx(expected.statistic)
    assert (found.ndf, found.p) == (expected.dof, pytest.approx(expected.pvalue))


def test_the_distance_is_that_of_scipy_also_with_ties():
    rng = np.random.default_rng(3)
    a, b = rng.poisson(30, 500), rng.poisson(32, 300)
    assert separation(a, b).distance == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert separation([1, 2, np.nan], [3, 4]).distance == 1


def test_jets_of_weight_two_are_not_two_jets():
    rng = np.random.default_rng(4)
    a, b = rng.uniform(size=900), rng.uniform(size=900)
    plain, weighted = homogeneity(*sums(a), *sums(b)), homogeneity(*sums(a, 2 + 0 * a), *sums(b))
    assert weighted.chi2 == pytest.approx(plain.chi2)
    assert separation(a, b, 2 + 0 * a).p == pytest.approx(separation(a, b).p)


@pytest.mark.parametrize("test", ["chi2", "distance"])
def test_probabilities_are_uniform_when_there_is_no_difference(test):
    """600 pairs; each of the two checks fails with a probability of 1e-3 for a correct test."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(600):
        a, b = rng.uniform(size=600), rng.uniform(size=300)
        wa, wb = rng.uniform(0.5, 1.5, size=600), rng.uniform(0.5, 1.5, size=300)
        found.append(
            homogeneity(*sums(a, wa), *sums(b, wb)).p if test == "chi2" else separation(a, b, wa, wb).p
        )
    assert stats.kstest(found, "uniform").pvalue > 1e-3
    alarms = int(np.sum(np.array(found) < 0.05))
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 600, 0.05)
    assert low <= alarms <= high


def test_a_shift_is_found():
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.5, 0.1, 5000), rng.normal(0.53, 0.1, 5000)
    assert homogeneity(*sums(a), *sums(b)).p < 1e-3
    assert separation(a, b).p < 1e-3


def test_where_a_sample_is_empty_nothing_is_told():
    nothing = np.zeros(20)
    found = homogeneity(nothing, nothing, *sums(np.array([0.5])))
    assert found.ndf == 0
    assert np.isnan(found.p)
    assert np.isnan(separation([], [1.0]).distance)
    assert np.isnan(separation([np.nan], [1.0]).p)
