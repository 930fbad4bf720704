"""Profiles and correlations with observables, on planted relations."""

import numpy as np
import pytest
from scipy import stats

from workbench.explanation.dependence import correlation, dependences, profile, quantile_axis
from workbench.physics.bootstrap import Bootstrap

N = 2000
RANDOM = np.random.default_rng(11)
DRAWS = Bootstrap(np.ones(N))


def test_a_rising_function_has_correlation_one_without_error():
    x = RANDOM.uniform(size=N)
    found = correlation(x, np.exp(5 * x), DRAWS)
    assert float(found.value) == pytest.approx(1.0)
    assert float(found.error) < 1e-9
    assert float(correlation(x, -x, DRAWS).value) == pytest.approx(-1.0)


def test_it_is_spearmans_and_its_error_that_of_the_jets():
    x = RANDOM.normal(size=N)
    y = x + RANDOM.normal(size=N)
    found = correlation(x, y, DRAWS)
    assert float(found.value) == pytest.approx(float(stats.spearmanr(x, y).statistic))
    # For two normal quantities the variance is (1 - rho^2)^2 (1 + rho^2 / 2) / n (Bonett and Wright 2000), ranks taken anew.
    rho = float(found.value)
    expected = np.sqrt((1 - rho**2) ** 2 * (1 + rho**2 / 2) / N)
    assert float(found.error) == pytest.approx(expected, rel=0.3)


def test_independent_numbers_are_uncorrelated_within_errors():
    x, y = RANDOM.normal(size=(2, N))
    found = correlation(x, y, DRAWS)
    # Four standard errors: false-alarm rate 6e-5.
    assert abs(float(found.value)) < 4 / np.sqrt(N)
    assert float(found.error) == pytest.approx(1 / np.sqrt(N), rel=4 / np.sqrt(2 * DRAWS.draws))


def test_what_the_mass_explains_is_gone_at_fixed_mass_and_what_it_does_not_stays():
    mass = RANDOM.integers(0, 10, N).astype(float)
    noise, other = RANDOM.normal(size=(2, N))
    held = mass.astype(int)
    by_mass = correlation(10 * mass + noise, 10 * mass + other, DRAWS, held)
    assert float(correlation(10 * mass + noise, 10 * mass + other, DRAWS).value) > 0.9
    assert abs(float(by_mass.value)) < 4 / np.sqrt(N)
    own = correlation(mass + 0.01 * noise, mass + 0.01 * noise, DRAWS, held)
    assert float(own.value) == pytest.approx(1.0)


def test_a_profile_is_the_mean_in_each_bin_with_its_standard_error():
    x = np.repeat([0.5, 1.5], N // 2)
    y = np.where(x < 1, 3.0, 7.0) + RANDOM.normal(size=N)
    found = profile(quantile_axis("tau21", np.array([0.0, 1.0, 2.0])), x, y, DRAWS)
    filled = np.isfinite(found.value)
    np.testing.assert_allclose(found.value[filled], [y[x < 1].mean(), y[x > 1].mean()])
    # The spread of 200 draws is known to 5 %; four of these, twice: false-alarm rate 1e-4.
    np.testing.assert_allclose(found.error[filled], 1 / np.sqrt(N / 2), rtol=0.22)


def test_jets_without_the_observable_are_counted_and_left_out():
    tau = np.where(np.arange(N) % 4 == 0, np.nan, RANDOM.uniform(size=N))
    seen = {"tau21": tau, "mass": RANDOM.uniform(size=N)}
    groups = {"all": (np.ones(N, bool), DRAWS)}
    first, second = dependences({"score": np.nan_to_num(tau)}, seen, groups)
    assert (first.jets, first.undefined) == (N * 3 // 4, N // 4)
    assert float(first.correlation.value) == pytest.approx(1.0)
    assert (second.observable, second.undefined) == ("mass", 0)
    assert np.isnan(second.at_fixed_mass.value)


def test_bins_hold_as_many_jets_each_and_all_of_them():
    x = RANDOM.exponential(size=N)
    axis = quantile_axis("d2", x)
    assert np.bincount(axis.place(x)).tolist() == [N // 10] * 10
    assert quantile_axis("d2", np.full(5, 2.0)).edges == (1.5, 2.5)
    assert len(quantile_axis("d2", np.full(3, np.nan))) == 1
