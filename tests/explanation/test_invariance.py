"""What relevance must not depend on (how a network is written down), and what it must depend on (the class)."""

import copy
import threading

import awkward as ak
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import workbench as wb
from workbench.explanation.rules import RULES, Epsilon

from ..toys import toy_jets
from .every_rule import EVERY

VANISHING = {"0": RULES["0"], "epsilon to 0": Epsilon(1e-14)}
"""Rules that share out a linear map by its values alone, so that writing it in another way changes nothing."""


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def explained(network, x, rule, target=0):
    return wb.explain(network, x, target=target, rule=rule)


def normed():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).double()
    norm = network[1]
    with torch.no_grad():
        for tensor, low, high in (
            (norm.running_mean, -0.5, 0.5),
            (norm.running_var, 0.5, 1.5),
            (norm.weight, 0.5, 1.5),
            (norm.bias, -0.3, 0.3),
        ):
            tensor.uniform_(low, high)
    return network.eval()


def folded(network):
    """Returns the network with its batch norm in the linear layer before it."""
    first, norm, *others = copy.deepcopy(network)
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    with torch.no_grad():
        first.weight.mul_(scale[:, None])
        first.bias.copy_((first.bias - norm.running_mean) * scale + norm.bias)
    return nn.Sequential(first, *others)


@pytest.mark.parametrize("rule", VANISHING)
def test_a_batch_norm_may_be_folded_into_the_layer_before_it(rule):
    network, x = normed(), rows(8, 4)
    one = explained(network, x, VANISHING[rule])
    other = explained(folded(network), x, VANISHING[rule])
    np.testing.assert_allclose(one.relevance, other.relevance, atol=1e-10)
    kept = one.ledger.lines["biases"] + one.ledger.lines["batch norm"]
    np.testing.assert_allclose(kept, other.ledger.lines["biases"], atol=1e-10)


class Pairs(nn.Module):
    """Messages between all particles of a jet: from [x_i, x_j - x_i], or the same layer refolded for [x_i, x_j]."""

    def __init__(self, weight, *, refolded):
        super().__init__()
        own, other = weight.chunk(2, 1)
        self.refolded, self.last = refolded, nn.Linear(len(weight), 2).double()
        self.weight = nn.Parameter(torch.cat([own - other, other], 1) if refolded else weight)

    def forward(self, x):
        own = x[:, :, None].expand(-1, -1, x.shape[1], -1)
        other = x[:, None].expand_as(own)
        edges = torch.cat([own, other if self.refolded else other - own], -1)
        return self.last(F.linear(edges, self.weight).relu().amax(2).mean(1))


@pytest.mark.parametrize("rule", VANISHING)
def test_an_edge_layer_may_see_differences_or_both_ends(rule):
    torch.manual_seed(0)
    one = Pairs(rows(6, 8), refolded=False)
    other = Pairs(rows(6, 8), refolded=True)
    other.last = one.last
    x = rows(3, 5, 4)
    np.testing.assert_allclose(
        explained(one, x, VANISHING[rule]).features,
        explained(other, x, VANISHING[rule]).features,
        atol=1e-10,
    )


@pytest.mark.parametrize("rule", EVERY)
def test_a_module_used_twice_is_two_modules_with_equal_weights(rule):
    torch.manual_seed(0)
    first, shared, last = nn.Linear(4, 6).double(), nn.Linear(6, 6).double(), nn.Linear(6, 2).double()
    one = nn.Sequential(first, nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), last)
    other = nn.Sequential(
        first, nn.ReLU(), shared, nn.ReLU(), copy.deepcopy(shared), nn.ReLU(), copy.deepcopy(last)
    )
    # A rule that goes by depth sees three layers in the one and four in the other.
    chosen = EVERY[rule].otherwise if "gamma-" in rule else EVERY[rule]
    x = rows(5, 4)
    np.testing.assert_allclose(
        explained(one, x, chosen).relevance, explained(other, x, chosen).relevance, atol=1e-12
    )


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)).double()


@pytest.mark.parametrize("rule", EVERY)
def test_doubling_the_last_layer_doubles_everything(rule):
    network, x = small(), rows(6, 4)
    once = explained(network, x, EVERY[rule])
    with torch.no_grad():
        network[-1].weight.mul_(2)
        network[-1].bias.mul_(2)
    twice = explained(network, x, EVERY[rule])
    np.testing.assert_allclose(twice.relevance, 2 * once.relevance, atol=1e-12)
    for line, amount in once.ledger.lines.items():
        np.testing.assert_allclose(twice.ledger.lines[line], 2 * amount, atol=1e-12)


@pytest.mark.parametrize("rule", EVERY)
def test_the_relevance_of_a_difference_is_the_difference_of_relevances(rule):
    network, x = small(), rows(6, 4)
    one, other = (explained(network, x, EVERY[rule], target) for target in (0, 2))
    both = explained(network, x, EVERY[rule], (0, 2))
    weighted = explained(network, x, EVERY[rule], torch.tensor([1.0, 0.0, -1.0]))
    np.testing.assert_allclose(both.relevance, one.relevance - other.relevance, atol=1e-12)
    np.testing.assert_allclose(weighted.relevance, both.relevance, atol=1e-12)
    for line, amount in both.ledger.lines.items():
        expected = one.ledger.lines[line] - other.ledger.lines[line]
        np.testing.assert_allclose(amount, expected, atol=1e-12)


CLASSES = 4


def images(n, seed):
    """Returns noisy images with one bright bar; its direction is the class."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.rand(n, 1, 16, 16, generator=generator)
    label = torch.arange(n) % CLASSES
    places = torch.randint(2, 9, (n, 2), generator=generator)
    steps = torch.arange(6)
    directions = torch.tensor([[0, 1], [1, 0], [1, 1], [1, -1]])
    for image, direction, (row, column) in zip(x[:, 0], directions[label], places, strict=True):
        first = column + 5 if direction[1] < 0 else column
        image[row + steps * direction[0], first + steps * direction[1]] += 1.0
    return x, label


@pytest.fixture(scope="module")
def convolutions():
    """Returns a network of six layers that tells the directions, and images that it has not seen."""
    torch.manual_seed(0)
    layers = []
    for inputs, outputs in ((1, 8), (8, 8), (8, 16), (16, 16)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if inputs == 8 else []
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, CLASSES))
    x, label = images(800, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(6):
        for at in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            F.cross_entropy(network(x[at]), label[at]).backward()
            optimizer.step()
    return network.eval(), images(40, 2)


def likeness(one, other):
    """Returns the mean |cosine| of the maps of the same jets."""
    flat = (torch.from_numpy(e.features).flatten(1) for e in (one, other))
    return float(F.cosine_similarity(*flat).abs().mean())


def test_the_network_has_learned_its_classes(convolutions):
    network, (x, label) = convolutions
    assert (network(x).argmax(1) == label).float().mean() > 0.9


@pytest.mark.parametrize("rule", ["z+", "alpha1beta0"])
def test_z_plus_cannot_tell_one_class_from_another(convolutions, rule):
    network, (x, _) = convolutions
    assert likeness(explained(network, x, rule, 0), explained(network, x, rule, 1)) > 0.95


@pytest.mark.parametrize("rule", ["0", "epsilon", "gamma", "gamma-epsilon"])
def test_the_other_rules_can(convolutions, rule):
    network, (x, _) = convolutions
    assert likeness(explained(network, x, rule, 0), explained(network, x, rule, 1)) < 0.9


@pytest.mark.parametrize("rule", ["epsilon", "gamma"])
def test_a_last_layer_drawn_anew_changes_the_map(convolutions, rule):
    network, (x, _) = convolutions
    anew = copy.deepcopy(network)
    torch.manual_seed(5)
    anew[-1].reset_parameters()
    assert likeness(explained(network, x, rule), explained(anew, x, rule)) < 0.9
    assert likeness(explained(network, x, "z+"), explained(anew, x, "z+")) > 0.9


def test_threads_with_every_rule_on_one_tagger_do_what_one_thread_does():
    jets = toy_jets(60, seed=1)
    fitted = wb.Tagger(network="particlenet-lite", epochs=1).fit(jets, seed=1)
    chosen = ("0", "epsilon", "gamma", "alpha2beta1", "z+", "w2-epsilon")
    alone = {rule: wb.explain(fitted, jets[:8], rule=rule) for rule in chosen}
    wrong, done = [], []

    def work(rule):
        for _ in range(4):
            found = wb.explain(fitted, jets[:8], rule=rule)
            same = ak.array_equal(found.features, alone[rule].features)
            lines = alone[rule].ledger.lines
            same &= all(np.array_equal(found.ledger.lines[line], lines[line]) for line in lines)
            (done if same else wrong).append(rule)

    threads = [threading.Thread(target=work, args=(rule,)) for rule in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(done) == 4 * len(chosen)
