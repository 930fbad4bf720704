import numpy as np
import pytest
from scipy import stats

from workbench.errors import DataError
from workbench.physics.intervals import (
    ONE_SIGMA,
    bootstrap,
    clopper_pearson,
    effective_count,
    fraction_interval,
    garwood,
    weighted_fraction,
    wilson,
)


def test_equal_weights_count_each_jet_once():
    assert effective_count(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_count([]) == 0


def test_a_negative_weight_costs_effective_counts():
    assert effective_count([1, 1, 1, -1]) == 1.0  # (1 + 1 + 1 - 1)^2 / 4


def test_garwood_agrees_with_the_tables_of_poisson_intervals():
    low, high = garwood([0, 1, 3, 10], level=0.95)
    assert low == pytest.approx([0, 0.0253, 0.6187, 4.7954], abs=5e-5)
    assert high == pytest.approx([3.6889, 5.5716, 8.7673, 18.3904], abs=5e-5)


def test_clopper_pearson_inverts_the_binomial_tails():
    low, high = clopper_pearson(3, 20, level=0.9)
    assert stats.binom.sf(2, 20, low) == pytest.approx(0.05)
    assert stats.binom.cdf(3, 20, high) == pytest.approx(0.05)
    assert clopper_pearson(0, 10, level=0.9)[1] == pytest.approx(1 - 0.05 ** (1 / 10))
    assert clopper_pearson(0, 10)[0] == 0
    assert clopper_pearson(10, 10)[1] == 1


def test_wilson_is_where_the_score_test_is_one_sigma():
    low, high = wilson(3, 20)
    for edge in (low, high):
        assert abs(3 / 20 - edge) == pytest.approx(np.sqrt(edge * (1 - edge) / 20))
    assert wilson(0, 9)[1] == pytest.approx(1 / 10)  # z^2 / (n + z^2)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_binomial_intervals_cover_summed_exactly(interval):
    n, p = 40, np.linspace(0.05, 0.95, 91)
    low, high = interval(np.arange(n + 1), n)
    covered = (low[:, None] <= p) & (p <= high[:, None])
    coverage = np.sum(covered * stats.binom.pmf(np.arange(n + 1)[:, None], n, p), axis=0)
    if interval is clopper_pearson:
        assert coverage.min() >= ONE_SIGMA
    assert coverage.mean() == pytest.approx(ONE_SIGMA, abs=0.02 if interval is wilson else 0.12)


def test_an_empty_total_has_no_interval():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(clopper_pearson(0, 0)).all()
    assert np.isnan(fraction_interval(0, 0, 0, 0)).all()


def test_weights_of_one_give_the_binomial_variance():
    value, variance = weighted_fraction(3, 3, 10, 10)
    assert value == 0.3
    assert variance == pytest.approx(0.3 * 0.7 / 10)


def test_the_scale_of_weights_has_no_influence_on_an_interval():
    plain = fraction_interval(3, 3, 10, 10)
    np.testing.assert_allclose(fraction_interval(3 * 7, 3 * 49, 10 * 7, 10 * 49), plain)
    np.testing.assert_allclose(plain[1:], wilson(3, 10))


def test_the_weighted_variance_is_the_spread_of_toys_with_negative_weights():
    generator = np.random.default_rng(5)
    toys, n = 2000, 400
    passed = generator.random((toys, n)) < 0.3
    weight = np.where(generator.random((toys, n)) < np.where(passed, 0.2, 0.05), -1.0, 1.0)
    sums = ((weight * passed).sum(1), (weight**2 * passed).sum(1), weight.sum(1), (weight**2).sum(1))
    value, variance = weighted_fraction(*sums)
    # The spread of 2000 toys is known to 1/sqrt(4000) = 1.6 %; 4 sigma: false alarm 6e-5.
    assert np.sqrt(variance.mean()) == pytest.approx(value.std(ddof=1), rel=0.065)


def test_a_fraction_outside_one_has_a_symmetric_interval_of_its_error():
    value, low, high = fraction_interval(-1.0, 5.0, 10.0, 20.0)
    assert value == -0.1
    assert (low + high) / 2 == pytest.approx(-0.1)
    assert high - value == pytest.approx(np.sqrt(weighted_fraction(-1.0, 5.0, 10.0, 20.0)[1]))


def test_the_bootstrap_gives_the_error_of_a_mean():
    values = np.random.default_rng(1).normal(size=500)
    replicas = bootstrap(np.mean, values, seed=2, replicas=400)
    # The spread of 400 replicas is known to 1/sqrt(800) = 3.5 %; 4 sigma: false alarm 6e-5.
    assert replicas.std(ddof=1) == pytest.approx(values.std() / np.sqrt(500), rel=0.14)
    assert np.array_equal(replicas, bootstrap(np.mean, values, seed=2, replicas=400))


def test_the_bootstrap_draws_all_arrays_together():
    values = np.arange(50.0)
    assert not bootstrap(lambda a, b: np.sum(np.abs(a - b)), values, values, seed=0, replicas=5).any()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: garwood(-1), "1 counts are negative"),
        (lambda: wilson(5, 3), "5 of 3 passed"),
        (lambda: wilson(1, 3, level=95), "confidence level is 95"),
        (lambda: bootstrap(np.mean, np.ones(3), np.ones(4), seed=0), "one length above 0"),
        (lambda: bootstrap(np.mean, np.ones(0), seed=0), "one length above 0"),
    ],
)
def test_bad_input_has_its_sentence(call, sentence):
    with pytest.raises(DataError, match=sentence):
        call()
