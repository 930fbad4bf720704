"""Do maps depend on the network and on the class? Measured where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation.planted import planted_tagger
from workbench.explanation.randomisation import SAME, alike, class_sensitivity, layers, randomisation
from workbench.simulate.planted import planted_jets

from ..apps.browser import needs_tagger
from ..patience import After
from ..toys import toy_jets

JETS = planted_jets(40, seed=1)
TAGGER = planted_tagger()
LIMIT = 0.9
"""Largest mean |cosine| of the maps of two classes under a rule that tells them apart."""


class Deep(nn.Module):
    """A CNN of six layers on images, with three classes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        sizes = (1, 8, 16, 16, 32)
        self.body = nn.Sequential(
            *(
                part
                for a, b in zip(sizes, sizes[1:], strict=False)
                for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())
            )
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 3)
        )

    def forward(self, x):
        return self.head(self.body(x))


def labelled(n, seed):
    """Images of three classes, of which each is brighter in a corner of its own."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 3
    found = torch.rand(n, 1, 16, 16, generator=generator) ** 4
    corners = ((slice(0, 6), slice(0, 6)), (slice(0, 6), slice(10, 16)), (slice(10, 16), slice(0, 6)))
    for i, k in enumerate(label.tolist()):
        found[(i, 0, *corners[k])] += 0.4 * torch.rand(6, 6, generator=generator)
    return found, label


@pytest.fixture(scope="module")
def images():
    return labelled(20, seed=2)[0]


@pytest.fixture(scope="module", params=["before training", "trained"])
def deep(request):
    network = Deep()
    if request.param == "trained":
        seen, label = labelled(150, seed=3)
        optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
        for _ in range(40):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(seen), label).backward()
            optimiser.step()
        unseen, label = labelled(150, seed=4)
        assert (network(unseen).argmax(1) == label).float().mean() > 0.9
    return network.eval()


def cosines(network, images, rule):
    """Mean |cosine| of the maps of class 0 and 1, and of class 0 with the last layer drawn anew."""
    maps = [wb.explain(network, images, target=target, rule=rule) for target in (0, 1)]
    again = Deep()
    again.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.manual_seed(5)
        again.head[-1].weight.normal_(0, float(network.head[-1].weight.std()))
    flat = [
        np.asarray(e.features).reshape(len(images), -1)
        for e in (*maps, wb.explain(again, images, target=0, rule=rule))
    ]
    unit = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in flat]
    return np.abs((unit[0] * unit[1]).sum(1)).mean(), np.abs((unit[0] * unit[2]).sum(1)).mean()


@pytest.mark.parametrize("rule", ["epsilon", "gamma"])
def test_epsilon_and_gamma_tell_the_classes_of_a_deep_network_apart(deep, images, rule):
    found = cosines(deep, images, rule)
    assert max(found) < LIMIT, found


def test_z_plus_cannot_tell_them_apart(images):
    found = cosines(Deep(), images, "z+")
    assert min(found) > 0.98, found


def test_z_plus_tells_the_classes_apart_far_worse_than_epsilon(deep, images):
    """Training leaves a trace in z⁺ too: the cosine of its two maps falls from 0.99 to 0.83, that of ε is 0.33."""
    assert cosines(deep, images, "z+")[0] > 2 * cosines(deep, images, "epsilon")[0]


def test_the_planted_tagger_gives_the_classes_maps_without_anything_in_common():
    """Muons speak for the one logit and electrons for the other."""
    assert class_sensitivity(TAGGER, JETS, rule="0").cosine.value == pytest.approx(0, abs=1e-6)
    # Jets of one kind of lepton alone: one of the two maps is zero everywhere and has no direction.
    assert np.isnan(
        class_sensitivity(TAGGER, planted_jets(20, seed=1, against=0), rule="0").cosine.value
    ).all()


def test_maps_of_the_same_class_are_the_same_and_doubling_changes_no_cosine():
    one = wb.explain(TAGGER, JETS, rule="0")
    np.testing.assert_allclose(alike(one, one), 1, atol=1e-9)
    np.testing.assert_allclose(alike(one, replace(one, features=-2 * one.features)), -1, atol=1e-9)
    with pytest.raises(ExplanationError, match="different jets"):
        alike(one, one[:3])


def test_a_network_whose_weights_are_gone_has_another_map_and_one_that_keeps_them_the_same():
    sample = toy_jets(80, seed=1)
    tagger = wb.Tagger(network="particlenet-lite", epochs=1).fit(sample, seed=1)
    before = {name: tensor.clone() for name, tensor in tagger.network.state_dict().items()}
    found = randomisation(tagger, sample[:30], rule="epsilon", repeats=2)
    assert found.layers == tuple(layers(tagger.network))
    assert found.layers[0] == "output"
    assert found.size.value[-1] < 0.5
    assert not found.blind
    for name, tensor in tagger.network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_map_that_looks_at_the_inputs_and_not_at_the_weights_is_found_out():
    """Rule "flat" shares evenly among the inputs of the first layer: with one jet's particles alike, all maps are."""
    found = randomisation(planted_tagger(), JETS, rule="flat-epsilon", repeats=2)
    assert found.size.value[0] > SAME


@needs_tagger
def test_on_the_bundled_tagger_z_plus_is_blind_and_epsilon_is_not():
    jets, tagger = wb.load(wb.bundled("jets"))[::150][:30], wb.open(wb.bundled("tagger"))
    heads = {
        rule: randomisation(tagger, jets, rule=rule, repeats=2, last=2) for rule in ("epsilon", "gamma", "z+")
    }
    assert {rule: found.blind for rule, found in heads.items()} == {
        "epsilon": False,
        "gamma": False,
        "z+": True,
    }
    # The two logits mirror one another: the maps are opposite, which is no fault.
    assert class_sensitivity(tagger, jets).cosine.value[0] < -SAME
    assert not class_sensitivity(tagger, jets).blind


def test_trees_have_no_layers_to_forget():
    sample = toy_jets(60, seed=1)
    tagger = wb.Tagger(network="trees", observables=["mass", "girth"], iterations=3).fit(sample, seed=1)
    with pytest.raises(ExplanationError, match="no layers"):
        randomisation(tagger, sample)


def test_a_stop_is_told():
    with pytest.raises(ExplanationError, match="Stopped"):
        randomisation(TAGGER, JETS, stop=After(0))


def test_a_single_logit_can_be_asked_for():
    score = wb.explain(TAGGER, JETS, seed=("muons",), rule="0")
    np.testing.assert_allclose(score.ledger.score, np.asarray(TAGGER.logits(JETS))[:, 1], atol=1e-6)
    assert score.how["seed"] == "muons alone"


def test_a_matrix_of_a_single_number_can_be_drawn_anew():
    sample = toy_jets(60, seed=1)
    engine = wb.Tagger(network="mlp", observables=["mass"], hidden_sizes=[1, 1], epochs=1)
    found = randomisation(engine.fit(sample, seed=1), sample, repeats=1)
    # Of a single input maps are the same, opposite, or zero.
    known = found.size.value[np.isfinite(found.size.value)]
    np.testing.assert_allclose(known, 1.0)
