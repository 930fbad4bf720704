"""Every rule on trained networks of every family: what must hold to the last digits, whatever was learned."""

import copy
import random
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import torch

import workbench as wb
from workbench.models import particlenet
from workbench.models.edge import plain_edge_linear

from ..toys import toy_jets
from .every_rule import EVERY

SETTINGS = {
    "mlp": {"observables": ["mass", "multiplicity", "girth"], "epochs": 2},
    "pfn": {"epochs": 3},
    "particlenet-lite": {"epochs": 2},
    "particlenet": {"epochs": 1, "batch_size": 16},
}
FAMILIES = ("bundled", *SETTINGS)
PARTICLES = [name for name in FAMILIES if name != "mlp"]
EDGES = ["bundled", "particlenet-lite", "particlenet"]
TOYS = toy_jets(6, seed=2)


def cases(names):
    """Returns networks with every rule; most of those of the largest, which is a longer smaller one, are slow."""
    quick = ("0", "epsilon", "gamma")
    return [
        pytest.param(
            name, rule, marks=[pytest.mark.slow] if name == "particlenet" and rule not in quick else []
        )
        for name in names
        for rule in EVERY
    ]


@pytest.fixture(scope="module")
def taggers():
    known = {}

    def fitted(name):
        if name not in known:
            sample = toy_jets(60 if name == "particlenet" else 200, seed=1)
            known[name] = (
                wb.open(wb.bundled("tagger"))
                if name == "bundled"
                else wb.Tagger(network=name, **SETTINGS[name]).fit(sample, seed=1)
            )
        return known[name]

    return fitted


@pytest.fixture(scope="module")
def jets():
    """Returns per network jets that it knows, among them one of a single particle and one without."""
    sample = wb.load(wb.bundled("jets"))[:6]

    def of(name):
        given = sample if name == "bundled" else TOYS
        if name == "mlp":
            return given
        kept = [n if i not in (2, 4) else (1 if i == 2 else 0) for i, n in enumerate(given.counts)]
        place = ak.local_index(given.constituents, axis=1)
        return replace(given, constituents=given.constituents[place < np.array(kept)[:, None]])

    return of


def double(fitted):
    return replace(fitted, network=copy.deepcopy(fitted.network).double())


def flat(explanation):
    return np.asarray(ak.flatten(explanation.features, axis=None))


def gradient_times_input(fitted, jets):
    batch = fitted.inputs(jets)
    network = copy.deepcopy(fitted.network).double()
    leaf = batch.x.double().requires_grad_()
    logits = network(leaf) if batch.counts is None else network(leaf, batch.counts)
    (gradient,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), leaf)
    return (leaf * gradient).detach().numpy().reshape(-1)


@pytest.mark.parametrize(("name", "rule"), cases(FAMILIES))
def test_the_score_is_the_networks_own(taggers, jets, name, rule):
    fitted, sample = taggers(name), jets(name)
    logits = np.asarray(fitted.logits(sample))
    score = wb.explain(fitted, sample, rule=EVERY[rule]).ledger.score
    # Logits are sums of some hundred numbers of single precision, and the score is their difference.
    scale = np.maximum(1.0, np.abs(logits).sum(axis=1))
    assert (np.abs(score - (logits[:, 1] - logits[:, 0])) <= 1e-6 * scale).all()


@pytest.mark.parametrize(("name", "rule"), cases(FAMILIES))
def test_every_line_together_is_the_score(taggers, jets, name, rule):
    fitted, sample = taggers(name), jets(name)
    assert wb.explain(fitted, sample, rule=EVERY[rule]).ledger.closes(1e-6).all()
    ledger = wb.explain(double(fitted), sample, rule=EVERY[rule]).ledger
    assert ledger.closes(1e-12).all(), ledger.rest


@pytest.mark.parametrize(("name", "rule"), cases(EDGES))
def test_edges_and_shortcut_are_all_that_reaches_a_block(taggers, jets, name, rule):
    fitted, sample = taggers(name), jets(name)
    recorded = wb.explain(fitted, sample, rule=EVERY[rule], record=True).recorded
    blocks = [key.removeprefix("edges ") for key in recorded if key.startswith("edges ")]
    assert len(blocks) == len(fitted.network.blocks)
    for block in blocks:
        edges = ak.sum(recorded[f"edges {block}"].relevance, axis=1)
        shortcut = ak.sum(recorded[f"blocks.{block}.shortcut"], axis=1)
        reached = ak.sum(recorded[f"blocks.{block}"], axis=1)
        np.testing.assert_allclose(edges + shortcut, reached, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_rule_0_is_gradient_times_input(taggers, jets, name):
    fitted, sample = double(taggers(name)), jets(name)
    found = flat(wb.explain(fitted, sample, rule="0"))
    np.testing.assert_allclose(found, gradient_times_input(fitted, sample), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("name", "rule"), cases(EDGES))
def test_the_factorised_edge_layer_is_the_plain_one(taggers, jets, name, rule, monkeypatch):
    fitted, sample = double(taggers(name)), jets(name)
    factorised = wb.explain(fitted, sample, rule=EVERY[rule])
    monkeypatch.setattr(particlenet, "edge_linear", plain_edge_linear)
    plain = wb.explain(fitted, sample, rule=EVERY[rule])
    scale = np.abs(flat(plain)).max()
    np.testing.assert_allclose(flat(factorised), flat(plain), atol=1e-9 * max(1.0, scale))
    for line, amount in factorised.ledger.lines.items():
        other = plain.ledger.lines[line]
        np.testing.assert_allclose(amount, other, atol=1e-9 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize(("name", "rule"), cases(PARTICLES))
def test_the_order_of_particles_and_the_company_have_no_influence(taggers, jets, name, rule):
    fitted, sample = double(taggers(name)), jets(name)
    whole = wb.explain(fitted, sample, rule=EVERY[rule])
    turned = replace(sample, constituents=sample.constituents[:, ::-1])
    back = wb.explain(fitted, turned, rule=EVERY[rule])
    scale = max(1.0, np.abs(flat(whole)).max())
    np.testing.assert_allclose(
        ak.flatten(back.relevance[:, ::-1]), ak.flatten(whole.relevance), atol=1e-9 * scale
    )
    alone = wb.explain(fitted, sample[3:4], rule=EVERY[rule])
    np.testing.assert_allclose(alone.relevance[0], whole.relevance[3], atol=1e-9 * scale)


@pytest.mark.parametrize(("name", "rule"), cases(FAMILIES))
def test_relevance_is_linear_in_the_last_layer(taggers, jets, name, rule):
    fitted, sample = double(taggers(name)), jets(name)
    once = wb.explain(fitted, sample, rule=EVERY[rule])
    forth = wb.explain(fitted, sample, rule=EVERY[rule], seed=(fitted.classes[1],))
    back = wb.explain(fitted, sample, rule=EVERY[rule], seed=(fitted.classes[0],))
    scale = max(1.0, np.abs(flat(forth)).max())
    np.testing.assert_allclose(flat(once), flat(forth) - flat(back), atol=1e-9 * scale)
    twice = copy.deepcopy(fitted.network)
    last = [module for module in twice.modules() if isinstance(module, torch.nn.Linear)][-1]
    with torch.no_grad():
        last.weight.mul_(2)
        last.bias.mul_(2)
    doubled = wb.explain(replace(fitted, network=twice), sample, rule=EVERY[rule])
    np.testing.assert_allclose(flat(doubled), 2 * flat(once), atol=1e-9 * scale)


@pytest.mark.parametrize("name", FAMILIES)
def test_explaining_leaves_no_trace(taggers, jets, name):
    network, sample = taggers(name).network, jets(name)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    state, other = torch.get_rng_state(), random.getstate()
    gradients = [(p.requires_grad, p.grad) for p in network.parameters()]
    for rule in EVERY.values():
        wb.explain(taggers(name), sample, rule=rule, record=True)
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert [(p.requires_grad, p.grad) for p in network.parameters()] == gradients
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == other
