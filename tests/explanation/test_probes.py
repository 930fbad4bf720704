"""Linear probes and likeness of layers: planted linear layers, noise, exact invariances."""

from itertools import permutations

import numpy as np
import pytest
import torch

from workbench.engines.tagging import Tagger
from workbench.errors import ExplanationError
from workbench.explanation.probes import INPUTS, cka, hsic, layers, probe, probe_layers, similarity

from ..patience import After
from ..toys import toy_jets


@pytest.fixture(scope="module")
def jets():
    return toy_jets(80, seed=2)


@pytest.fixture(scope="module")
def pfn(jets):
    return Tagger(network="pfn", epochs=1, phi_sizes=[10, 6], f_sizes=[5]).fit(jets, seed=1)


@pytest.fixture(scope="module")
def particlenet(jets):
    return Tagger(network="particlenet-lite", epochs=1).fit(jets, seed=1)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def rotation(size, seed=0):
    return np.linalg.qr(normal(size, size, seed=seed))[0]


def test_what_a_planted_linear_net_keeps_is_read_off_exactly_and_what_it_drops_is_not():
    """x -> A x keeps x0 + x1 and x2: x2 has R² 1, x0 has 1/2, x3 has 0. 5 σ: one false alarm in 1.7 million."""
    x = normal(4000, 4)
    kept = np.stack([x[:, 0] + x[:, 1], 3 * x[:, 2]], axis=1)
    turned = kept @ rotation(2)
    targets = {"x2": x[:, 2], "x0": x[:, 0], "x3": x[:, 3]}
    found = probe({INPUTS: x, "first": kept, "second": turned}, targets, draws=100)
    np.testing.assert_allclose(found.r2[0], 1, atol=1e-9)
    for layer in (1, 2):
        assert found.r2[layer, 0] == pytest.approx(1, abs=1e-9)
        assert abs(found.r2[layer, 1] - 0.5) < 5 * found.error[layer, 1]
        assert abs(found.r2[layer, 2]) < 5 * max(found.error[layer, 2], 2 / 2000)
    # A rotation changes what the penalty holds down, which matters little with 2,000 jets.
    np.testing.assert_allclose(found.r2[1], found.r2[2], atol=1e-4)


def test_noise_on_a_target_takes_its_share_of_the_variance():
    """y = h·w + noise has R² = 1 / (1 + σ²)."""
    h, noise = normal(4000, 3), normal(4000, seed=1)
    y = h @ [1.0, 0.0, 0.0] + 0.5 * noise
    found = probe({"h": h}, {"y": y}, draws=100)
    assert abs(found.r2[0, 0] - 1 / 1.25) < 5 * found.error[0, 0]
    # The error of 1 - SSE/SST of n normal pairs is about 2 R (1 - R²) / √n, R² = 0.8; 100 draws know it to 7 %.
    assert found.error[0, 0] == pytest.approx(2 * np.sqrt(0.8) * 0.2 / np.sqrt(2000), rel=0.35)


def test_the_control_finds_nothing_even_in_a_layer_wider_than_the_sample():
    h = normal(300, 400)
    found = probe({"wide": h}, {"y": h[:, 0]}, draws=50)
    # A probe that learned noise from 150 jets would explain less than nothing; the penalty keeps it at the mean.
    assert abs(found.control[0, 0]) < 0.15
    assert found.jets.tolist() == [150]


def test_a_layer_that_says_the_same_of_all_jets_knows_nothing():
    found = probe({"dead": np.ones((100, 3))}, {"y": normal(100)}, draws=20)
    assert abs(found.r2[0, 0]) < 0.2


def test_jets_without_the_observable_or_without_weight_do_not_count():
    h = normal(400, 2)
    y = h @ [1.0, 2.0]
    y[::4] = np.nan
    found = probe({"h": h}, {"y": y}, draws=20)
    assert found.jets.tolist() == [150]
    assert found.r2[0, 0] == pytest.approx(1, abs=1e-9)
    spoilt = np.where(np.arange(400) % 2 == 0, 100 * normal(400, seed=5), h @ [1.0, 2.0])
    weighted = probe({"h": h}, {"y": spoilt}, (np.arange(400) % 2).astype(float), draws=20)
    assert weighted.r2[0, 0] == pytest.approx(1, abs=1e-9)


def test_a_probe_needs_jets_layers_and_observables():
    with pytest.raises(ExplanationError, match="defined for 5 jets"):
        probe({"h": normal(5, 1)}, {"y": normal(5)})
    with pytest.raises(ExplanationError, match="0 layers"):
        probe({}, {"y": normal(5)})


def test_the_estimate_of_hsic_is_the_sum_over_different_jets():
    """Unbiased: the mean over ordered quadruples of different jets of K_ij (L_ij + L_qr - 2 L_iq), arXiv:2010.15327."""
    one, other = (a @ a.T for a in (normal(7, 3), normal(7, 2, seed=1)))
    terms = [
        one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q]) for i, j, q, r in permutations(range(7), 4)
    ]
    assert hsic(one, other) == pytest.approx(np.mean(terms), rel=1e-10)


def test_a_net_is_like_its_own_orthogonal_transform():
    h = normal(200, 12)
    assert cka(h, 3.7 * h @ rotation(12) + 5.0) == pytest.approx(1, abs=1e-12)


def test_other_linear_transforms_are_not_alike():
    h = normal(200, 12)
    assert cka(h, h * np.geomspace(1, 100, 12)) < 0.9


@pytest.mark.parametrize("widths", [(5, 5), (40, 10)])
def test_independent_noise_is_not_alike(widths):
    """For independent normal layers CKA has mean 0 and error √2/n: 5 σ, one false alarm in 1.7 million."""
    n = 400
    found = cka(normal(n, widths[0], seed=1), normal(n, widths[1], seed=2))
    assert abs(found) < 5 * np.sqrt(2) / n


def test_half_shared_activations_have_half_the_likeness():
    """k shared of 2k independent normal activations each: HSIC ∝ k, own ∝ 2k, so CKA = 1/2."""
    shared, own, other = (normal(1000, 8, seed=seed) for seed in (1, 2, 3))
    found = similarity({"a": np.hstack([shared, own])}, {"b": np.hstack([shared, other])})
    assert abs(found.value[0, 0] - 0.5) < 5 * found.error[0, 0]
    assert 0 < found.error[0, 0] < 0.05


def test_likeness_is_symmetric_and_needs_the_same_jets():
    one = {"a": normal(60, 3), "b": normal(60, 4, seed=1)}
    found = similarity(one, one)
    np.testing.assert_allclose(found.value, found.value.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(found.value), 1)
    np.testing.assert_allclose(np.diag(found.error), 0, atol=1e-12)
    with pytest.raises(ExplanationError, match="same jets for all"):
        similarity(one, {"a": normal(61, 3)})


def test_the_layers_of_a_pfn_are_what_its_parts_compute(jets, pfn):
    found = layers(pfn, jets)
    assert list(found) == [INPUTS, "phi.1", "phi", "f.hidden", "f"]
    batch = pfn.inputs(jets)
    with torch.no_grad():
        particles = pfn.network.phi(batch.x).numpy()
        logits = pfn.network(*batch.inputs).numpy()
    ends = np.cumsum(batch.counts.numpy())
    means = [part.mean(0) for part in np.split(particles, ends[:-1])]
    np.testing.assert_allclose(found["phi"], means, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found["f"], logits, rtol=1e-4, atol=1e-6)


def test_edges_have_no_layer_and_portions_make_no_difference(jets, particlenet):
    found = layers(particlenet, jets)
    assert [name for name in found if "shortcut" not in name] == [
        INPUTS,
        "norm",
        "blocks.0",
        "blocks.1",
        "hidden",
        "output",
    ]
    alone = layers(particlenet, jets[3:4])
    for name, values in alone.items():
        np.testing.assert_allclose(values[0], found[name][3], rtol=1e-3, atol=1e-5)


def test_looking_leaves_the_network_as_it_was(jets, pfn):
    before = {name: value.clone() for name, value in pfn.network.state_dict().items()}
    layers(pfn, jets)
    assert all(torch.equal(value, before[name]) for name, value in pfn.network.state_dict().items())
    assert not any(module._forward_hooks for module in pfn.network.modules())


def test_trees_have_no_layers(jets):
    trees = Tagger(network="trees", iterations=2, observables=["mass"]).fit(jets, seed=1)
    with pytest.raises(ExplanationError, match="no layers"):
        layers(trees, jets)


def test_a_stop_keeps_the_jets_so_far(jets, pfn):
    many = jets[np.arange(400) % 80]
    assert len(layers(pfn, many, stop=After(0))[INPUTS]) == 256


def test_probes_and_likeness_of_a_tagger_survive_parquet(jets, pfn, tmp_path):
    import pandas as pd

    probes, alike = probe_layers(pfn, jets, ("mass", "multiplicity"), draws=20)
    again = pd.read_parquet(probes.to_parquet(tmp_path / "probes.parquet"))
    assert len(again) == len(probes.layers) * 2
    np.testing.assert_array_equal(again["r2"], probes.r2.ravel())
    assert len(pd.read_parquet(alike.to_parquet(tmp_path / "cka.parquet"))) == len(probes.layers) ** 2
