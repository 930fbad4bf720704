"""Other ways to explain: what they share out and what they do not, on jets of unequal length."""

import random
import sys
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation.explain import METHODS

from ..toys import toy_jets

OTHERS = [name for name in METHODS if name not in ("lrp", "leave one subjet out")]
BASED = [name for name in OTHERS if name != "leave one out"]
JETS = toy_jets(7, seed=2)
SETTINGS = {
    "mlp": {"observables": ["mass", "multiplicity", "girth"], "epochs": 2},
    "pfn": {"epochs": 2},
    "particlenet-lite": {"epochs": 1},
}


# An MLP sees observables and no particles that could be left out.
PAIRS = [(name, method) for name in SETTINGS for method in OTHERS if (name, method) != ("mlp", OTHERS[-1])]


class Linear(nn.Module):
    """Adds up w x over particles: every method has to give each particle w (x - baseline)."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, features))

    def forward(self, x, counts):
        owner = torch.arange(len(counts)).repeat_interleave(counts)
        total = x.new_zeros(len(counts)).index_add(0, owner, x @ self.weight)
        return torch.stack([torch.zeros_like(total), total + 0.25], 1)


@pytest.fixture(scope="module")
def taggers():
    known = {}

    def fitted(name):
        if name not in known:
            known[name] = wb.Tagger(network=name, **SETTINGS[name]).fit(toy_jets(200, seed=1), seed=1)
        return known[name]

    return fitted


def linear(taggers):
    fitted = taggers("pfn")
    return replace(fitted, network=Linear(fitted.inputs(JETS).x.shape[1]))


@pytest.mark.parametrize("method", OTHERS)
def test_a_linear_score_is_shared_out_exactly_by_every_method(taggers, method):
    fitted = linear(taggers)
    explanation = wb.explain(fitted, JETS, method=method)
    batch = fitted.inputs(JETS)
    expected = ak.unflatten((batch.x @ fitted.network.weight).detach().numpy(), JETS.counts)
    np.testing.assert_allclose(ak.flatten(explanation.relevance), ak.flatten(expected), atol=2e-5)
    np.testing.assert_allclose(explanation.ledger.lines["baseline"], 0.25, atol=1e-6)
    np.testing.assert_allclose(explanation.ledger.lines["not shared out"], 0.0, atol=1e-4)
    assert explanation.ledger.closes(1e-12).all()


@pytest.mark.parametrize(("name", "method"), PAIRS)
def test_the_books_show_what_a_method_does_not_share_out(taggers, name, method):
    fitted = taggers(name)
    explanation = wb.explain(fitted, JETS, method=method)
    logits = np.asarray(fitted.logits(JETS))
    assert list(explanation.ledger.lines) == ["inputs", "baseline", "not shared out"]
    assert explanation.ledger.closes(1e-12).all()
    np.testing.assert_allclose(explanation.ledger.score, logits[:, 1] - logits[:, 0], atol=1e-4)
    np.testing.assert_allclose(
        ak.sum(explanation.relevance, axis=1), explanation.ledger.lines["inputs"], atol=1e-4
    )
    if name != "mlp":
        assert ak.num(explanation.relevance).tolist() == JETS.counts.tolist()
    assert explanation.how["method"] == method


@pytest.mark.parametrize(
    ("name", "method", "tolerance"),
    [
        # 50 points of the path leave a few per mille of a piecewise linear function; Shapley values telescope exactly.
        ("mlp", "integrated gradients", 1e-2),
        ("pfn", "integrated gradients", 1e-2),
        ("mlp", "deeplift", 1e-4),
        ("pfn", "deeplift", 1e-4),
        ("mlp", "shapley sampling", 1e-4),
        ("pfn", "shapley sampling", 1e-4),
        ("particlenet-lite", "shapley sampling", 1e-4),
    ],
)
def test_methods_that_promise_completeness_keep_it_on_jets_of_unequal_length(
    taggers, name, method, tolerance
):
    assert len(set(JETS.counts.tolist())) > 2
    ledger = wb.explain(taggers(name), JETS, method=method).ledger
    shared = np.abs(ledger.score - ledger.lines["baseline"])
    assert (np.abs(ledger.lines["not shared out"]) <= tolerance * np.maximum(1.0, shared)).all()


@pytest.mark.parametrize("method", OTHERS)
def test_a_jet_is_explained_the_same_alone_and_in_company(taggers, method):
    together = wb.explain(taggers("pfn"), JETS, method=method)
    alone = wb.explain(taggers("pfn"), JETS[3:4], method=method)
    np.testing.assert_allclose(alone.relevance[0], together.relevance[3], atol=1e-5)


def test_leaving_one_out_is_the_score_without_it(taggers):
    fitted = taggers("particlenet-lite")
    explanation = wb.explain(fitted, JETS, method="leave one out")
    batch = fitted.inputs(JETS[2])
    for particle in (0, 2):
        kept = torch.arange(len(batch.x)) != particle
        with torch.no_grad():
            full, less = (
                fitted.network(x, torch.tensor([len(x)]))[0] @ torch.tensor([-1.0, 1.0])
                for x in (batch.x, batch.x[kept])
            )
        np.testing.assert_allclose(explanation.relevance[2][particle], full - less, atol=1e-5)


def test_a_jet_without_particles_is_all_baseline(taggers):
    one = JETS[:2]
    empty = replace(one, constituents=one.constituents[:, :0])
    for method in OTHERS:
        ledger = wb.explain(taggers("pfn"), empty, method=method).ledger
        np.testing.assert_allclose(ledger.lines["baseline"], ledger.score, atol=1e-6)


def test_the_background_stands_for_absence(taggers):
    fitted, background = linear(taggers), toy_jets(20, seed=5)
    explanation = wb.explain(fitted, JETS, method="integrated gradients", background=background)
    mean = fitted.inputs(background).x.mean(0)
    expected = ((fitted.inputs(JETS).x - mean) @ fitted.network.weight).detach()
    np.testing.assert_allclose(ak.flatten(explanation.relevance), expected, atol=2e-5)
    assert explanation.how["background"] == background.fingerprint


@pytest.mark.parametrize("method", OTHERS)
def test_explaining_leaves_no_trace(taggers, method):
    network, state, other = taggers("pfn").network, torch.get_rng_state(), random.getstate()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    gradients = [None if p.grad is None else p.grad.clone() for p in network.parameters()]
    first = wb.explain(taggers("pfn"), JETS, method=method)
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == other
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in network.modules())
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert (parameter.grad is None and gradient is None) or torch.equal(parameter.grad, gradient)
    again = wb.explain(taggers("pfn"), JETS, method=method)
    np.testing.assert_array_equal(ak.flatten(again.relevance), ak.flatten(first.relevance))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi, self.act, self.last = nn.Linear(3, 8), nn.ReLU(), nn.Linear(10, 2)

    def forward(self, particles, jet, mask):
        given = self.act(self.phi(particles)) * mask[..., None]
        return self.last(torch.cat([given.sum(1), jet], 1))


def two_inputs(n=5):
    generator = torch.Generator().manual_seed(3)
    mask = torch.rand(n, 6, generator=generator) > 0.3
    return torch.randn(n, 6, 3, generator=generator), torch.randn(n, 2, generator=generator), mask


@pytest.mark.parametrize("method", OTHERS)
def test_modules_of_the_users_own_are_explained_too(method):
    torch.manual_seed(0)
    inputs = two_inputs()
    explanation = wb.explain(Two(), inputs, target=(1, 0), method=method)
    assert explanation.ledger.closes(1e-12).all()
    assert explanation.relevance.shape == (5, 6)
    assert list(explanation.ledger.lines)[:2] == ["inputs particles", "inputs jet"]
    np.testing.assert_allclose(
        explanation.relevance.sum(1), explanation.ledger.lines["inputs particles"], atol=1e-5
    )
    np.testing.assert_allclose(explanation.relevance[~inputs[2].numpy()], 0.0, atol=1e-6)
    if method not in ("occlusion", "leave one out"):
        lost = np.abs(explanation.ledger.lines["not shared out"])
        assert (lost < (1e-2 if method == "integrated gradients" else 1e-5)).all()


@pytest.mark.parametrize("method", BASED)
def test_an_image_keeps_its_pixels_and_patches_share_evenly(method):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(400, 1, bias=False))
    x = torch.rand(2, 1, 20, 20)
    explanation = wb.explain(network, x, method=method)
    assert explanation.features.shape == (2, 1, 20, 20)
    np.testing.assert_allclose(explanation.ledger.lines["not shared out"], 0.0, atol=1e-5)
    np.testing.assert_allclose(
        explanation.features[:, 0], x[:, 0] * network[1].weight.detach().reshape(20, 20), atol=1e-6
    )


def test_a_baseline_of_a_modules_own_is_taken():
    torch.manual_seed(0)
    network, x = nn.Linear(4, 1, bias=False), torch.randn(3, 4)
    for background in (torch.ones(1, 4), torch.ones(3, 4)):
        explanation = wb.explain(network, x, method="deeplift", background=background)
        expected = ((x - 1) * network.weight).detach()
        np.testing.assert_allclose(explanation.relevance, expected, atol=1e-6)


def test_what_a_method_cannot_do_is_named(taggers):
    trees = wb.Tagger(network="trees", observables=["mass"], iterations=3).fit(toy_jets(50, seed=1), seed=1)
    with pytest.raises(ExplanationError, match="exact Shapley values"):
        wb.explain(trees, JETS, method="occlusion")
    with pytest.raises(ExplanationError, match="sees observables and no particles"):
        wb.explain(taggers("mlp"), JETS, method="leave one out")
    with pytest.raises(ExplanationError, match="named by its classes"):
        wb.explain(taggers("mlp"), JETS, target=1)
    with pytest.raises(ExplanationError, match="no axis of particles"):
        wb.explain(nn.Linear(4, 1), torch.ones(3, 4), method="leave one out")
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    with pytest.raises(ExplanationError, match="cannot be given 3 particles where it had 4"):
        wb.explain(fixed, torch.ones(2, 4, 3), method="leave one out")
    relu = nn.ReLU()
    twice = nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 4), relu, nn.Linear(4, 1))
    with pytest.raises(ExplanationError, match="one is used twice"):
        wb.explain(twice, torch.ones(2, 4), method="deeplift")
    with pytest.raises(ExplanationError, match="The background has shapes"):
        wb.explain(nn.Linear(4, 1), torch.ones(3, 4), method="deeplift", background=torch.ones(2, 4))


def test_captum_is_imported_when_it_is_asked_for():
    assert "captum" not in vars(sys.modules["workbench.explanation.explain"])
