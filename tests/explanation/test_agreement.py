"""Agreement between maps, with closed forms and scipy beside it."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from scipy import stats

import workbench as wb
from tests.patience import After
from workbench.errors import ExplanationError
from workbench.explanation.agreement import agreement, maps
from workbench.explanation.planted import planted_tagger
from workbench.explanation.resampling import mean
from workbench.explanation.ways import USUAL, WAYS, way_of
from workbench.simulate.planted import planted_jets

JETS = planted_jets(150, seed=1)
TAGGER = planted_tagger()
TRUE = wb.explain(TAGGER, JETS, rule="0")


def other(values):
    return replace(TRUE, relevance=ak.unflatten(np.asarray(values, dtype=float), JETS.counts))


def noise(seed):
    return other(np.random.default_rng(seed).normal(size=int(JETS.counts.sum())))


def test_the_correlation_of_each_jet_is_scipys():
    found = agreement({"one": noise(1), "two": noise(2), "true": TRUE}).per_jet
    for jet in range(0, 150, 10):
        maps_of_jet = [np.asarray(e.relevance[jet]) for e in (noise(1), noise(2), TRUE)]
        for i in range(3):
            for j in range(3):
                expected = stats.spearmanr(maps_of_jet[i], maps_of_jet[j]).statistic
                assert found[jet, i, j] == pytest.approx(expected, abs=1e-12)


def test_a_map_agrees_with_itself_and_is_opposed_by_its_opposite():
    one = noise(1)
    found = agreement(
        {"one": one, "same": other(3 * ak.ravel(one.relevance)), "not": other(-ak.ravel(one.relevance))}
    )
    np.testing.assert_allclose(found.rank.value, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-12)
    np.testing.assert_allclose(found.overlap.value, np.ones((3, 3)))
    assert found.weakest[2] == pytest.approx(-1)


def test_maps_of_noise_agree_by_chance_alone():
    """Off by more than four standard errors once in 16,000, for each of the two."""
    found = agreement({"one": noise(1), "two": noise(2)}, top=5)
    assert abs(found.rank.value[0, 1]) < 4 * found.rank.error[0, 1]
    # Of 5 drawn from n, 5 / n are expected among 5 others.
    chance = (np.minimum(5, JETS.counts) / JETS.counts).mean()
    assert abs(found.overlap.value[0, 1] - chance) < 4 * found.overlap.error[0, 1]


def test_every_way_gives_the_map_of_a_network_that_adds_up_its_particles():
    ways = [way for way in WAYS if "flat" not in way and "w²" not in way]
    found = agreement(maps(TAGGER, JETS[:20], ways))
    np.testing.assert_allclose(found.rank.value, np.ones((len(ways),) * 2), atol=1e-9)


def test_every_way_is_found_again_by_its_arguments():
    assert [way_of(**{"rule": "epsilon", **way}) for way in WAYS.values()] == list(WAYS)
    assert way_of("gamma", attention="cp") == ""


def test_each_pair_has_its_row_with_errors():
    frame = agreement({"one": noise(1), "two": noise(2)}).frame()
    assert frame[["first", "second"]].to_numpy().tolist() == [
        ["one", "one"],
        ["one", "two"],
        ["two", "one"],
        ["two", "two"],
    ]
    assert (frame["jets"] == 150).all()
    assert frame["rank_error"][1] > 0


def test_a_jet_of_two_particles_has_no_correlation_and_counts_in_none():
    few = replace(JETS, constituents=JETS.constituents[:, :2], columns={})[:3]
    found = agreement({"one": wb.explain(TAGGER, few), "two": wb.explain(TAGGER, few)})
    assert np.isnan(found.rank.value).all()
    assert np.isnan(found.weakest[2])


def test_what_cannot_be_compared_is_refused_with_a_sentence():
    with pytest.raises(ExplanationError, match="different jets"):
        agreement({"one": TRUE, "two": TRUE[:10]})
    with pytest.raises(ExplanationError, match="nothing|no explanations"):
        agreement({})
    with pytest.raises(ExplanationError, match="LRP ε"):
        maps(TAGGER, JETS, ["tarot"])


def test_a_stop_leaves_the_ways_so_far():
    assert list(maps(TAGGER, JETS[:5], stop=After(2))) == list(USUAL[:2])


def test_the_mean_over_jets_and_its_error_are_the_closed_form():
    generator = np.random.default_rng(1)
    values, weight = generator.normal(2, 1, (400, 2)), generator.uniform(0.5, 1.5, 400)
    found = mean(values, weight, draws=400)
    expected = np.average(values, axis=0, weights=weight)
    np.testing.assert_allclose(found.value, expected)
    closed = np.sqrt(((weight[:, None] * (values - expected)) ** 2).sum(0)) / weight.sum()
    # 400 draws know an error to 3.5 %; six of these.
    np.testing.assert_allclose(found.error, closed, rtol=0.21)


def test_what_is_not_known_is_left_out():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    found = mean(values)
    assert found.value[0] == 2.0
    assert np.isnan(found.value[1])
