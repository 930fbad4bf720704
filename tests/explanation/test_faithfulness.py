"""Curves and numbers of faithfulness, where the answer is known by hand."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation.faithfulness import DeletionCurves, deletion_curves, infidelity
from workbench.explanation.planted import planted_tagger
from workbench.simulate.planted import planted_jets

from ..toys import toy_jets

JETS = planted_jets(200, seed=1, against=0)
TAGGER = planted_tagger(2.0)
TRUE = wb.explain(TAGGER, JETS, rule="0")
GENERATOR = np.random.default_rng(1)
NOISE = replace(
    TRUE, relevance=ak.unflatten(GENERATOR.normal(size=int(JETS.counts.sum())), ak.num(TRUE.relevance))
)


def test_the_curves_of_a_known_network_are_those_worked_out_by_hand():
    jet = planted_jets(1, seed=3, against=0, particles=30.0)
    tagger = planted_tagger(2.0)
    n = int(jet.counts[0])
    gone = np.array([0, 1, 2, n - 2, n - 1, n])
    curves = deletion_curves(tagger, jet, wb.explain(tagger, jet, rule="0"), fractions=gone / n)
    # Two leptons of weight 2: the most relevant two go first, or last.
    np.testing.assert_allclose(curves.scores["most"][0], [4, 2, 0, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(curves.scores["least"][0], [4, 4, 4, 4, 2, 0], atol=1e-5)
    np.testing.assert_allclose(curves.deletion("most").value, [0, -2, -4, -4, -4, -4], atol=1e-5)
    # Put in first are those that are taken away last.
    np.testing.assert_allclose(curves.insertion("most").value, [0, 2, 4, 4, 4, 4], atol=1e-5)
    np.testing.assert_allclose(curves.insertion("least").value, [0, 0, 0, 0, 2, 4], atol=1e-5)


def test_what_is_put_in_was_measured_and_lies_on_no_line_between_steps():
    curves = deletion_curves(TAGGER, JETS, NOISE)
    for order, opposite in (("most", "least"), ("least", "most"), ("random", "random")):
        put_in = curves.scores[opposite][:, ::-1]
        expected = (put_in - put_in[:, :1]).mean(0)
        np.testing.assert_allclose(curves.insertion(order).value, expected, atol=1e-9)


def test_a_map_of_zeros_borrows_no_order_from_the_jet():
    """The leptons come first in these jets. Either gap is off zero by more than four standard errors once in 16,000."""
    first = ak.argsort(np.abs(TRUE.relevance), axis=1, ascending=False)
    jets = replace(JETS, constituents=JETS.constituents[first], columns={})
    gaps = deletion_curves(TAGGER, jets, replace(TRUE, relevance=TRUE.relevance * 0), shuffles=4).gaps
    for gap in gaps.values():
        assert abs(gap.value) < 4 * gap.error


def test_the_random_curve_is_the_straight_line_of_a_sum_over_particles():
    """Each point is off by more than five standard errors once in 1.7 million."""
    curves = deletion_curves(TAGGER, JETS, TRUE, fractions=(0, 0.25, 0.5, 0.75, 1))
    found = curves.deletion("random")
    # Of two carriers the mean number left is twice the share of particles left, and that is a whole number of particles.
    left = 1 - np.rint(curves.fractions * JETS.counts[:, None]) / JETS.counts[:, None]
    expected = (-4 * (1 - left)).mean(0)
    assert (np.abs(found.value - expected) <= 5 * found.error + 1e-5).all()


def test_the_true_map_beats_chance_and_a_map_of_noise_does_not():
    """The noise is off zero by more than four standard errors once in 16,000."""
    true, noise = (deletion_curves(TAGGER, JETS, e, shuffles=4).gaps for e in (TRUE, NOISE))
    for side in ("most", "least"):
        assert true[side].value > 20 * true[side].error
        assert abs(noise[side].value) < 4 * noise[side].error


def test_the_error_of_a_gap_is_that_of_a_mean_over_jets():
    curves = deletion_curves(TAGGER, JETS, NOISE)
    per_jet = np.trapezoid(curves.scores["random"] - curves.scores["most"], curves.fractions, axis=1)
    closed = per_jet.std(ddof=1) / np.sqrt(len(per_jet))
    # 300 draws know an error to 4 %; five of these.
    assert curves.gaps["most"].error == pytest.approx(closed, rel=0.2)


def test_neighbours_are_found_again_when_a_particle_is_gone():
    sample = toy_jets(60, seed=1)
    tagger = wb.Tagger(network="particlenet-lite", epochs=1).fit(sample, seed=1)
    jet = sample[:1]
    curves = deletion_curves(tagger, jet, wb.explain(tagger, jet), fractions=(0, 0.5, 1))
    logits = np.asarray(tagger.logits(jet))[0]
    sign = 1.0 if logits[1] >= logits[0] else -1.0
    relevance = np.asarray(wb.explain(tagger, jet).relevance[0]) * sign
    left = np.sort(np.argsort(-relevance, kind="stable")[round(0.5 * len(relevance)) :])
    half = replace(jet, constituents=jet.constituents[:, left], columns={})
    logits = np.asarray(tagger.logits(half))[0]
    assert curves.scores["most"][0, 1] == pytest.approx(sign * (logits[1] - logits[0]), abs=1e-5)


def test_a_map_that_tells_every_loss_has_no_infidelity_and_one_of_zeros_has_one():
    zeros = replace(TRUE, relevance=TRUE.relevance * 0)
    double = replace(TRUE, relevance=TRUE.relevance * 2)
    assert infidelity(TAGGER, JETS, TRUE).value == pytest.approx(0, abs=1e-9)
    assert infidelity(TAGGER, JETS, zeros).value == pytest.approx(1, abs=1e-9)
    assert infidelity(TAGGER, JETS, double).value == pytest.approx(1, abs=1e-5)


def test_jets_count_in_infidelity_by_what_they_lose():
    """All particles go at once: jets of two leptons lose 4, those of one lose 2, and the map is right on the former alone."""
    lepton = ak.argmax(np.abs(TRUE.relevance), axis=1)
    even = np.arange(len(JETS)) % 2 == 0
    kept = (ak.local_index(JETS.constituents.pt) != lepton) | even
    jets = replace(JETS, constituents=JETS.constituents[kept], columns={})
    found = wb.explain(TAGGER, jets, rule="0")
    half = replace(found, relevance=found.relevance * even)
    assert infidelity(TAGGER, jets, half, share=1.0).value == pytest.approx(2**2 / (2**2 + 4**2))


def test_weights_count_in_curves_and_errors():
    weight = np.where(np.arange(len(JETS)) % 2, 1.0, 0.0)
    some = replace(JETS, weight=weight)
    whole = deletion_curves(TAGGER, some, NOISE)
    half = DeletionCurves(whole.fractions, {k: v[1::2] for k, v in whole.scores.items()}, np.ones(100))
    np.testing.assert_allclose(whole.deletion("most").value, half.deletion("most").value, atol=1e-6)


def test_jets_without_particles_are_left_out_and_a_jet_of_one_is_measured():
    few = replace(
        JETS,
        constituents=JETS.constituents[ak.local_index(JETS.constituents.pt) < np.arange(len(JETS)) % 3],
        columns={},
    )[:9]
    curves = deletion_curves(TAGGER, few, wb.explain(TAGGER, few))
    assert len(curves.scores["most"]) == 6
    np.testing.assert_allclose(curves.scores["most"][:, -1], 0, atol=1e-6)


@pytest.mark.parametrize(
    ("give", "sentence"),
    [
        ({"fractions": (0.5, 1)}, "rising numbers from 0 to 1"),
        ({"fractions": (0, 0.6, 0.5, 1)}, "rising numbers from 0 to 1"),
        ({"jets": JETS[:50]}, "explain these jets"),
        (
            {"jets": replace(JETS, constituents=JETS.constituents[:, :0], columns={}), "empty": True},
            "No jet has a particle",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(give, sentence):
    jets = give.pop("jets", JETS)
    explanation = replace(TRUE, relevance=TRUE.relevance[:, :0]) if give.pop("empty", False) else TRUE
    with pytest.raises(ExplanationError, match=sentence):
        deletion_curves(TAGGER, jets, explanation, **give)


def test_a_tagger_on_observables_has_no_particle_to_take_away():
    sample = toy_jets(60, seed=1)
    tagger = wb.Tagger(network="mlp", observables=["mass", "girth"], epochs=1).fit(sample, seed=1)
    with pytest.raises(ExplanationError, match="observables of the whole jet"):
        infidelity(tagger, sample, wb.explain(tagger, sample))
