"""Overlaid collisions, from a pool made by hand."""

import numpy as np
from scipy import stats

from workbench.simulate.pileup import SPREAD, Pileup


def columns(event, pt):
    size = len(pt)
    zero = np.zeros(size)
    return {
        "pt": np.asarray(pt, dtype=float),
        "eta": zero,
        "phi": zero,
        "mass": zero,
        "pid": np.full(size, 211),
        "charge": np.ones(size, dtype=np.int8),
        "d0": zero,
        "dz": zero,
        "event": np.asarray(event),
    }


# Three collisions of the pool: of one, none and two particles.
POOL = Pileup(columns([0, 2, 2], [1.0, 3.0, 4.0]), np.array([0, 1, 1, 3]))


def test_every_collision_is_one_whole_event_of_the_pool_at_one_place():
    seen, number = POOL.overlay(columns([0, 1], [50.0, 60.0]), 2, 40.0, np.random.default_rng(1))
    assert np.all(np.diff(seen["event"]) >= 0)
    for event, hard in ((0, 50.0), (1, 60.0)):
        here = seen["event"] == event
        assert seen["pt"][here & (seen["vertex"] == 0)].tolist() == [hard]
        assert seen["vertex"][here].max() <= number[event]
        for vertex in range(1, number[event] + 1):
            at = here & (seen["vertex"] == vertex)
            assert seen["pt"][at].tolist() in ([], [1.0], [3.0, 4.0])
            assert len(set(seen["dz"][at])) <= 1
            assert len(set(seen["phi"][at])) <= 1


def test_the_number_is_poisson_and_the_place_gaussian_about_the_hard_collision():
    events = 4_000
    hard = columns(np.arange(events), np.full(events, 50.0))
    seen, number = POOL.overlay(hard, events, 3.0, np.random.default_rng(2))
    found = np.bincount(number, minlength=9)
    expected = events * stats.poisson.pmf(np.arange(9), 3.0)
    expected[8] = events * stats.poisson.sf(7, 3.0)
    found = np.append(found[:8], found[8:].sum())
    # One false alarm in ten thousand each; one particle of each event at most, so that entries are independent.
    assert np.sum((found - expected) ** 2 / expected) < stats.chi2.isf(1e-4, 8)
    first = seen["vertex"] == 1
    one = np.unique(seen["event"][first], return_index=True)[1]
    dz = seen["dz"][first][one]
    assert stats.kstest(dz, stats.norm(0, np.sqrt(2) * SPREAD).cdf).pvalue > 1e-4
    assert stats.kstest(seen["phi"][first][one], stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-4


def test_no_pileup_on_average_zero_changes_nothing():
    hard = columns([0, 1], [50.0, 60.0])
    seen, number = POOL.overlay(hard, 2, 0.0, np.random.default_rng(1))
    assert number.tolist() == [0, 0]
    assert all(np.array_equal(seen[name], hard[name]) for name in hard)
