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
from workbench.explanation.planted import planted_tagger
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
