"""Means over jets: what is left out of them, how they are written, and what is nothing to take a mean of."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from workbench.data.explanation import Explanation, Ledger
from workbench.data.jets import Jets, momenta
from workbench.explanation.aggregation import aggregated
from workbench.explanation.agreement import agreement
from workbench.explanation.mean_images import PIXELS, Sums
from workbench.explanation.ordering import area, sides
from workbench.explanation.planted import planted_tagger
from workbench.explanation.probes import similarity
from workbench.explanation.resampling import mean, written
from workbench.explanation.trust import DOUBTFUL, assess
from workbench.physics.bootstrap import Estimate
from workbench.simulate.planted import planted_jets

from ..toys import toy_jets


def estimate(value, error):
    return Estimate(np.array(value), np.array(error))


def test_what_only_one_jet_tells_has_no_error():
    found = mean(np.array([[1.0, 1.0], [np.nan, 3.0], [np.inf, 2.0]]))
    np.testing.assert_array_equal(found.value, [1.0, 2.0])
    assert np.isnan(found.error[0])
    assert found.error[1] > 0


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.123, 0.02, "0.12 ± 0.02"),
        (0.1234, 0.003, "0.123 ± 0.003"),
        (0.12345, 0.0001, "0.1235 ± 0.0001"),
        (1.0, 1e-8, "1.00 ± 0.00"),
        (12.3, 4.5, "12.30 ± 4.50"),
        (0.5, np.nan, "0.50"),
    ],
)
def test_an_error_is_never_written_as_none_unless_it_is_rounding(value, error, text):
    assert written(estimate(value, error)) == text


def test_a_map_of_zeros_has_in_common_with_another_what_chance_gives():
    jets, top = planted_jets(20, seed=1), 5
    true = wb.explain(planted_tagger(), jets, rule="0")
    random = np.random.default_rng(1).normal(size=int(jets.counts.sum()))
    noise, zeros = (replace(true, relevance=ak.unflatten(v, jets.counts)) for v in (random, random * 0))
    found = agreement({"noise": noise, "zeros": zeros}, top=top).overlap.value
    chance = (np.minimum(top, jets.counts) / jets.counts).mean()
    np.testing.assert_allclose(found, [[1, chance], [chance, 1]])


def test_the_mean_image_of_a_single_jet_has_no_error():
    sums = Sums()
    sums.add(np.ones((1, PIXELS, PIXELS)), np.ones(1))
    assert np.isnan(sums.mean().error).all()
    sums.add(np.zeros((1, PIXELS, PIXELS)), np.ones(1))
    np.testing.assert_allclose(sums.mean().error, np.sqrt(2) / 4)


def test_relevance_beyond_the_frame_counts_by_the_weight_of_its_jet():
    """Of two jets of two particles one lies within the frame, and one beyond it."""
    fields = {
        "pt": [[50.0, 40]] * 2,
        "eta": [[-0.3, 0.3], [-2.5, 2.5]],
        "phi": [[0.0, 0]] * 2,
        "mass": [[0.0, 0]] * 2,
    }
    jets = replace(
        Jets.of(momenta(**{name: ak.Array(v) for name, v in fields.items()})), weight=np.array([1.0, 3.0])
    )
    one = ak.ones_like(jets.constituents.pt)
    ledger = Ledger(np.full(2, 2.0), {"inputs": np.full(2, 2.0)})
    found = aggregated([(jets, Explanation(one, one[..., None], ("x",), ledger))], draws=2)
    assert found.images.outside == pytest.approx(0.75)


def test_maps_of_a_single_number_tell_nothing_of_what_was_learned():
    """Such maps have |cosine| 1 whatever the weights are."""
    sample = toy_jets(60, seed=1)
    tagger = wb.Tagger(network="mlp", observables=["mass"], epochs=1).fit(sample, seed=1)
    found = assess(tagger, sample, others=())
    assert np.isnan(found.randomisation.size.value).all()
    assert not found.blind
    assert {badge.check: badge.verdict for badge in found.badges}["Learned"] == DOUBTFUL


def test_the_error_of_a_weighted_mean_image_is_the_closed_form():
    random = np.random.default_rng(3)
    images, weight = random.exponential(size=(50, PIXELS, PIXELS)), random.uniform(0.5, 2, 50)
    sums = Sums()
    for part in (slice(0, 20), slice(20, 50)):
        sums.add(images[part], weight[part])
    average = np.average(images, axis=0, weights=weight)
    squares = ((weight[:, None, None] * (images - average)) ** 2).sum(0)
    np.testing.assert_allclose(sums.mean().mean, average)
    np.testing.assert_allclose(sums.mean().error, np.sqrt(squares) / weight.sum())


def test_signal_and_background_are_drawn_apart_from_one_another():
    """Both sides come sorted: drawn alike, they would rise and fall together and hide most of the error.

    300 draws know their spread to 4.1 %; five of these.
    """
    n, random = 400, np.random.default_rng(4)
    signal, background = np.sort(random.normal(1, 1, n)), np.sort(random.normal(0, 1, n))
    above = (signal[:, None] > background).astype(float)
    closed = np.hypot(above.mean(1).std(), above.mean(0).std()) / np.sqrt(n)
    label = np.repeat([True, False], n)
    found = area(np.concatenate([signal, background]), sides(label, ~label, draws=300))
    assert found.value == pytest.approx(above.mean())
    assert found.error == pytest.approx(closed, rel=0.21)


def test_the_error_of_a_similarity_is_the_spread_of_other_samples():
    """The spread of 40 samples is known to 11 % and a jackknife over ten parts to 24 %, their mean to 4 %; four of the former."""
    found = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        one = random.normal(size=(80, 3))
        found.append(similarity({"a": one}, {"b": one + random.normal(size=(80, 3))}, seed=seed))
    spread = np.std([s.value[0, 0] for s in found], ddof=1)
    assert np.mean([s.error[0, 0] for s in found]) == pytest.approx(spread, rel=0.48)
