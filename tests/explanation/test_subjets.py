"""Leaving one subjet out: closed forms for known scores, any tagger, the books, and jets of few particles."""

from dataclasses import replace
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
from torch import nn

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation import subjets as room
from workbench.explanation.subjets import without_each_subjet
from workbench.physics.substructure import subjets

from ..toys import toy_jets

JETS = toy_jets(9, seed=2)
METHOD = "leave one subjet out"


class Momentum:
    """A score that is the scalar sum of pT plus 2: every subjet has to lose its own."""

    classes = ("QCD", "top")

    def logits(self, jets):
        total = np.asarray(ak.sum(jets.constituents.pt, axis=1)) + 2.0
        return np.stack([np.zeros(len(jets)), total], axis=1)


class Prongs(Momentum):
    """Logit 1 with particles in all of three prongs and else 0: each prong alone loses the whole."""

    def logits(self, jets):
        angles = [np.unique(np.round(ak.to_numpy(phi), 1)).size for phi in jets.constituents.phi]
        return np.stack([np.zeros(len(jets)), np.greater_equal(angles, 3)], axis=1).astype(float)


@pytest.fixture(scope="module")
def taggers():
    sample = toy_jets(150, seed=1)
    return {
        "pfn": wb.Tagger(network="pfn", epochs=1).fit(sample, seed=1),
        "particlenet-lite": wb.Tagger(network="particlenet-lite", epochs=1).fit(sample, seed=1),
        "trees": wb.Tagger(network="trees", observables=["mass", "tau21"], iterations=3).fit(sample, seed=1),
    }


def test_a_score_that_adds_up_is_shared_out_as_it_adds_up():
    explanation = without_each_subjet(Momentum(), JETS)
    np.testing.assert_allclose(ak.flatten(explanation.relevance), ak.flatten(JETS.constituents.pt))
    np.testing.assert_allclose(explanation.ledger.lines["baseline"], 2.0)
    np.testing.assert_allclose(explanation.ledger.lines["not shared out"], 0.0, atol=1e-9)
    member = subjets(JETS, 3)
    for rank in range(3):
        mine = ak.sum(JETS.constituents.pt[member == rank], axis=1)
        np.testing.assert_allclose(explanation.recorded["subjets"][:, rank], mine)


def test_what_needs_all_prongs_is_lost_with_each_and_the_books_say_that_it_is_no_sum():
    jet = JETS[1:2]
    phi = ak.Array([np.arange(jet.counts[0]) % 3 * 0.4])
    constituents = ak.with_field(ak.with_field(jet.constituents, phi, "phi"), ak.zeros_like(phi), "eta")
    explanation = without_each_subjet(Prongs(), replace(jet, constituents=constituents))
    assert explanation.recorded["subjets"].tolist() == [[1.0, 1.0, 1.0]]
    assert explanation.ledger.lines["not shared out"][0] == -2.0
    assert explanation.ledger.closes(1e-12).all()


@pytest.mark.parametrize("name", ["pfn", "particlenet-lite", "trees"])
def test_any_tagger_is_explained_and_its_graph_is_made_again(taggers, name):
    fitted = taggers[name]
    explanation = wb.explain(fitted, JETS, method=METHOD)
    logits = np.asarray(fitted.logits(JETS))
    np.testing.assert_allclose(explanation.ledger.score, logits[:, 1] - logits[:, 0], atol=1e-5)
    rest = replace(JETS, constituents=JETS.constituents[subjets(JETS, 3) != 1])
    less = np.asarray(fitted.logits(rest))
    lost = explanation.ledger.score - (less[:, 1] - less[:, 0])
    np.testing.assert_allclose(explanation.recorded["subjets"][:, 1], lost, atol=1e-5)
    np.testing.assert_allclose(
        ak.sum(explanation.relevance, axis=1), explanation.ledger.lines["inputs"], atol=1e-9
    )
    assert ak.num(explanation.relevance).tolist() == JETS.counts.tolist()
    assert explanation.how["method"] == METHOD
    assert explanation.how["settings"] == {"subjets": 3, "algorithm": "kt"}
    assert {"network", "sample", "seed", "versions"} <= set(explanation.how)


def test_a_jet_of_one_particle_loses_all_of_it_and_an_empty_jet_nothing():
    few = replace(
        JETS[:2], constituents=ak.concatenate([JETS.constituents[:1, :1], JETS.constituents[1:2, :0]])
    )
    explanation = without_each_subjet(Momentum(), few)
    first = float(JETS.constituents.pt[0, 0])
    np.testing.assert_allclose(explanation.recorded["subjets"], [[first, 0, 0], [0, 0, 0]])
    assert ak.num(explanation.relevance).tolist() == [1, 0]
    np.testing.assert_allclose(explanation.ledger.lines["not shared out"], 0.0, atol=1e-9)


def test_portions_change_nothing_and_a_stop_leaves_what_was_done(monkeypatch):
    whole = without_each_subjet(Momentum(), JETS)
    monkeypatch.setattr(room, "JETS_AT_ONCE", 4)
    steps = []
    parts = without_each_subjet(Momentum(), JETS, report=steps.append)
    np.testing.assert_array_equal(ak.flatten(parts.relevance), ak.flatten(whole.relevance))
    stop = SimpleNamespace(is_set=lambda: len(steps) > 3)
    assert len(without_each_subjet(Momentum(), JETS, report=steps.append, stop=stop)) == 4
    with pytest.raises(ExplanationError, match="stopped before the first jet"):
        without_each_subjet(Momentum(), JETS, stop=stop)


def test_a_module_has_no_subjets():
    with pytest.raises(ExplanationError, match="do not say which subjet"):
        wb.explain(nn.Linear(3, 1), SimpleNamespace(), method=METHOD)
