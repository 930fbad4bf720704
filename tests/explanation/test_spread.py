"""The spread over networks, and whether it holds what it says."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from scipy import stats

import workbench as wb
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import ExplanationError
from workbench.explanation.planted import planted_tagger
from workbench.explanation.shaking import max_sensitivity, shaken
from workbench.explanation.spread import coverage, explained_by, spread
from workbench.physics.intervals import ONE_SIGMA
from workbench.simulate.planted import planted_jets

JETS = planted_jets(200, seed=1)


def scattered(networks, *, seed=1, deviation=1.0):
    """Maps that scatter normally around a common one, of another width for each particle."""
    generator = np.random.default_rng(seed)
    n = int(JETS.counts.sum())
    common, width = generator.normal(size=n), deviation * generator.uniform(0.5, 2, n)
    ledger = Ledger(np.zeros(len(JETS)), {})
    maps = common + width * generator.normal(size=(networks, n))
    found = [Explanation(r := ak.unflatten(m, JETS.counts), r, ("particle",), ledger) for m in maps]
    return found, width


@pytest.mark.parametrize("networks", [3, 5, 10])
@pytest.mark.parametrize("level", [ONE_SIGMA, 0.9])
def test_normal_scatter_is_covered_as_often_as_said(networks, level):
    """Six tests, each off by more than five standard errors once in 1.7 million."""
    maps, _ = scattered(networks)
    found = coverage(maps, level=level)
    assert abs(found.value - level) < 5 * found.error


def test_a_network_that_is_not_like_the_others_is_not_covered():
    maps, _ = scattered(5)
    far = replace(maps[0], relevance=maps[0].relevance + 100)
    # It is never inside, and within the spread that it widens all others always are.
    assert coverage([far, *maps[1:]]).value == pytest.approx(0.8, abs=0.001)


def test_mean_spread_and_sign_are_those_of_the_maps():
    maps, width = scattered(400)
    found = spread(maps)
    # The variance of 400 normal numbers is known to sqrt(2 / 399) = 7 %.
    ratio = (ak.to_numpy(ak.ravel(found.deviation)) / width) ** 2
    assert ratio.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 399 / len(width)))
    np.testing.assert_allclose(ak.ravel(found.relevance[:1]), np.mean([m.relevance[0] for m in maps], axis=0))
    share = stats.norm.cdf(ak.to_numpy(ak.ravel(found.relevance)) / width)
    assert np.abs(ak.to_numpy(ak.ravel(found.positive)) - share).max() < 0.15


def test_equal_networks_have_no_spread_and_are_sure():
    maps = explained_by([planted_tagger()] * 3, JETS[:20], rule="0")
    found = spread(maps)
    assert ak.all(found.deviation == 0)
    assert ak.all(found.sure)


def test_a_network_that_gives_nothing_does_not_agree_with_one_that_objects():
    maps = [
        Explanation(r := ak.Array([[1.0, 0.0, -1.0, 0.0], row]), r, ("particle",), Ledger(np.zeros(2), {}))
        for row in ([0.0, -2.0], [-1.0, -3.0], [-1.0, -1.0])
    ]
    assert spread(maps).sure.to_list() == [[True, True, True, True], [False, True]]


@pytest.mark.parametrize(("function", "networks"), [(spread, 1), (coverage, 2)])
def test_too_few_networks_are_refused(function, networks):
    with pytest.raises(ExplanationError, match="different seeds"):
        function(scattered(networks)[0])


def test_maps_of_different_jets_have_no_spread():
    maps, _ = scattered(3)
    with pytest.raises(ExplanationError, match="same jets"):
        spread([maps[0], maps[1][:5]])


def test_shaking_stays_within_its_size_and_keeps_axes_and_order():
    moved = shaken(JETS, 0.02, seed=3)
    ratio = ak.ravel(moved.constituents.pt / JETS.constituents.pt)
    assert ak.max(abs(ratio - 1)) <= 0.02
    # The mean square of an even distribution of half-width a is a^2 / 3.
    assert np.mean((np.asarray(ratio) - 1) ** 2) == pytest.approx(0.02**2 / 3, rel=0.1)
    assert ak.max(abs(ak.ravel(moved.constituents.eta - JETS.constituents.eta))) <= 0.02
    assert moved.p4 is JETS.p4
    assert ak.all(moved.constituents.pid == JETS.constituents.pid)


def test_a_network_that_counts_leptons_is_not_sensitive_to_momenta():
    tagger = planted_tagger()
    explanation = wb.explain(tagger, JETS, rule="0")
    assert max_sensitivity(tagger, JETS, explanation, rule="0").value == pytest.approx(0, abs=1e-6)


def test_the_largest_change_of_the_map_is_counted_in_units_of_the_map():
    tagger = planted_tagger()
    explanation = wb.explain(tagger, JETS, rule="0")
    half = replace(explanation, relevance=explanation.relevance / 2)
    # The map that it stands beside is twice as large: the change is as large as the map.
    assert max_sensitivity(tagger, JETS, half, rule="0").value == pytest.approx(1, abs=1e-6)
