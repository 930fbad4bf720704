"""Networks wired by hand: their relevance is known to the last digit."""

import awkward as ak
import numpy as np
import pytest
import torch

import workbench as wb
from workbench.explanation.planted import Attended, KindSum, PairCount, planted_tagger
from workbench.explanation.rules import RULES
from workbench.simulate.planted import planted_jets

JETS = planted_jets(60, seed=1)
SHARES = 1e-5
"""Largest error of a share that is accepted."""


def kinds(seed=3, jets=6, particles=9):
    """pT in the column of the particle's kind, one of three."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(3, (jets, particles), generator=generator)
    pt = torch.rand(jets, particles, generator=generator).double() * 100
    return torch.nn.functional.one_hot(kind, 3) * pt[..., None]


@pytest.mark.parametrize("rule", ["0", "gamma", "z+", "alpha1beta0"])
@pytest.mark.parametrize("mean", [False, True])
def test_the_share_of_a_particle_is_its_pt_times_the_weight_of_its_kind(mean, rule):
    network, x = KindSum((1.0, 0.5, 0.0), mean=mean), kinds()
    found = wb.explain(network.double(), x, rule=rule).relevance
    score = network(x)[:, None].numpy()
    np.testing.assert_allclose(found / score, network.truth(x).numpy() / score, atol=SHARES)


def test_vetoes_have_negative_relevance():
    network, x = KindSum((1.0, -2.0, 0.0)).double(), kinds()
    explanation = wb.explain(network, x, rule="0")
    np.testing.assert_allclose(explanation.relevance, network.truth(x), atol=SHARES)
    assert (explanation.relevance[x[..., 1].numpy() > 0] < 0).all()
    assert explanation.ledger.closes(1e-12).all()


def test_a_particle_has_as_many_pairs_as_partners_and_the_bias_takes_one_off_per_pair():
    generator = torch.Generator().manual_seed(2)
    x = (torch.rand(8, 7, 1, generator=generator) > 0.5).double()
    network = PairCount().double()
    explanation = wb.explain(network, x, rule="0")
    np.testing.assert_allclose(explanation.relevance, network.truth(x), atol=SHARES)
    np.testing.assert_allclose(explanation.ledger.lines["inputs"], 2 * explanation.ledger.score, atol=1e-9)
    np.testing.assert_allclose(explanation.ledger.lines["biases"], -explanation.ledger.score, atol=1e-9)


def test_what_only_steers_attention_gets_nothing_when_attention_is_taken_as_given_and_something_otherwise():
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(5, 6, 2, generator=generator).double()
    network = Attended()
    given = wb.explain(network, x, rule="0", attention="cp")
    np.testing.assert_allclose(given.relevance, network.truth(x), atol=SHARES)
    assert (given.features[..., 0] == 0).all()
    through = wb.explain(network, x, rule="0", attention="attnlrp")
    assert np.abs(through.relevance - network.truth(x).numpy()).max() > 0.01


@pytest.mark.parametrize("bias", [0.0, 0.7])
@pytest.mark.parametrize("rule", ["0", "z+", "gamma"])
def test_the_planted_tagger_gives_each_lepton_its_weight_and_the_rest_nothing(rule, bias):
    explanation = wb.explain(planted_tagger(1.5, bias), JETS, rule=rule)
    pid = abs(JETS.constituents.pid)
    np.testing.assert_allclose(
        ak.ravel(explanation.relevance), ak.ravel(1.5 * (pid == 13) - 1.5 * (pid == 11)), atol=SHARES
    )
    np.testing.assert_allclose(explanation.ledger.lines["biases"], bias, atol=1e-6)


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.startswith(("w2", "flat", "box"))])
def test_no_rule_that_looks_at_the_inputs_gives_a_pion_anything(rule):
    explanation = wb.explain(planted_tagger(), JETS, rule=rule)
    assert ak.all(explanation.relevance[~JETS.columns["carrier"]] == 0)


def test_the_planted_tagger_is_always_right_and_can_be_saved(tmp_path):
    tagger = planted_tagger()
    assert (np.asarray(tagger.score(JETS)).argmax(1) == np.asarray(JETS.label)).all()
    again = wb.open(tagger.save(tmp_path / "planted.safetensors"))
    np.testing.assert_array_equal(again.logits(JETS), tagger.logits(JETS))
