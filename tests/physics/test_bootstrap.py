"""Errors by drawing jets again, against closed forms."""

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.physics.bootstrap import Bootstrap, Estimate

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("negative", [0.0, 0.1])
def test_the_error_of_a_weighted_mean_is_the_closed_form(negative):
    x = RANDOM.normal(3.0, 2.0, 2000)
    weight = RANDOM.uniform(0.5, 1.5, 2000) * np.where(RANDOM.uniform(size=2000) < negative, -1, 1)
    found = Bootstrap(weight, draws=2000, seed=1).ratio(x[:, None], np.ones(2000))
    mean = np.average(x, weights=weight)
    expected = np.sqrt(np.sum(weight**2 * (x - mean) ** 2)) / weight.sum()
    assert found.value[0] == pytest.approx(mean)
    # A spread over n draws is known to 1 / sqrt(2 n) = 1.6 %; four of these, false-alarm rate 6e-5.
    assert found.error[0] == pytest.approx(expected, rel=0.064)


def test_the_error_of_a_ratio_is_that_of_its_first_order():
    below = RANDOM.uniform(1, 3, 3000)
    above = below * RANDOM.uniform(0, 1, 3000)
    found = Bootstrap(np.ones(3000), draws=2000, seed=2).ratio(above[:, None], below)
    share = above.sum() / below.sum()
    expected = np.sqrt(np.sum((above - share * below) ** 2)) / below.sum()
    assert found.value[0] == pytest.approx(share)
    assert found.error[0] == pytest.approx(expected, rel=0.064)


def test_a_share_that_is_the_same_in_every_jet_has_no_error():
    found = Bootstrap(np.ones(50)).ratio(np.full((50, 1), 0.25), np.ones(50))
    assert found.value[0] == 0.25
    assert found.error[0] < 1e-12


def test_running_shares_end_at_the_sum_of_all():
    above = RANDOM.uniform(size=(40, 5))
    draws = Bootstrap(np.ones(40))
    plain, running = (draws.ratio(above, above.sum(1), running=r) for r in (False, True))
    np.testing.assert_allclose(running.value, np.cumsum(plain.value))
    assert running.value[-1] == pytest.approx(1.0)
    assert running.error[-1] < 1e-12


def test_the_seed_makes_the_error_and_not_the_value():
    x = RANDOM.normal(size=(100, 1))
    one, same, other = (Bootstrap(np.ones(100), 50, seed).ratio(x, np.ones(100)) for seed in (1, 1, 2))
    assert one.value == same.value == other.value
    assert one.error == same.error
    assert one.error != other.error


def test_what_is_a_share_of_nothing_is_not_defined():
    found = Bootstrap(np.ones(10)).ratio(np.zeros((10, 2)), np.stack([np.zeros(10), np.ones(10)], 1))
    assert np.isnan(found.value[0])
    assert found.value[1] == 0


def test_one_jet_tells_of_no_error_and_no_jet_of_nothing():
    one = Bootstrap(np.ones(1)).ratio(np.ones((1, 1)), np.ones(1))
    assert one.value[0] == 1
    assert np.isnan(one.error[0])
    none = Bootstrap(np.ones(0)).ratio(np.zeros((0, 3)), np.zeros(0))
    assert np.isnan(none.value).all()


def test_some_jets_are_drawn_as_if_they_were_alone():
    x, keep = RANDOM.normal(size=(60, 1)), np.arange(60) % 3 == 0
    among = Bootstrap(np.ones(60), 40, 3).among(keep).ratio(x[keep], np.ones(20))
    alone = Bootstrap(np.ones(20), 40, 3).ratio(x[keep], np.ones(20))
    assert among.error == alone.error


def test_a_single_draw_is_refused():
    with pytest.raises(DataError, match="at least 2"):
        Bootstrap(np.ones(3), draws=1)


def test_differences_add_errors_in_quadrature():
    first, second = Estimate(np.array([5.0]), np.array([3.0])), Estimate(np.array([0.0]), np.array([4.0]))
    assert first.minus(second).error == 5.0
    assert first.minus(second).significance == 1.0
    assert np.isnan(Estimate(np.ones(1), np.zeros(1)).significance[0])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_jets_made_with_the_seed_of_the_draws_have_the_error_of_any_others(seed):
    # With one generator for both, the first draw would prefer the jets that were given large numbers.
    x = np.random.default_rng(seed).uniform(size=2000)
    found = Bootstrap(np.ones(2000), draws=300, seed=seed).ratio(x[:, None], np.ones(2000))
    # 300 draws know their spread to 4.1 %; four of these, false-alarm rate 6e-5 per seed.
    assert found.error[0] == pytest.approx(x.std() / np.sqrt(2000), rel=0.17)


def test_a_bin_of_which_a_single_jet_tells_has_no_error():
    below = np.zeros((10, 2))
    below[3], below[4, 1] = 1, 1
    found = Bootstrap(np.ones(10)).ratio(below * np.arange(10)[:, None], below)
    np.testing.assert_array_equal(found.value, [3.0, 3.5])
    assert np.isnan(found.error[0])
    assert found.error[1] > 0
