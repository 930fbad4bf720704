import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench.models.deepsets import ParticleFlowNetwork
from workbench.models.mlp import MLP
from workbench.models.norm import RowNorm
from workbench.models.particlenet import ParticleNet, lite

ON_PARTICLES = {"pfn": ParticleFlowNetwork, "particlenet": ParticleNet, "particlenet-lite": lite}
COUNTS = torch.tensor([5, 1, 0, 30, 12])


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield


def lived_in(network):
    """The network in eval mode with batch norms as if it had been trained."""
    for module in network.modules():
        if isinstance(module, RowNorm):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, std=0.2)
    return network.eval()


def test_particlenet_has_as_many_parameters_as_published():
    assert parameters(ParticleNet(7, 2)) == 366_160


def test_numbers_of_parameters_follow_from_the_layer_sizes():
    phi = 7 * 100 + 100 + 100 * 100 + 100 + 100 * 256 + 256
    f = 256 * 100 + 100 + 2 * (100 * 100 + 100) + 100 * 2 + 2
    assert parameters(ParticleFlowNetwork(7, 2)) == phi + f
    blocks = [(7, 32), (32, 64)]
    convolutions = sum(2 * a * b + 2 * b * b + 6 * b + a * b + 2 * b for a, b in blocks)
    assert parameters(lite(7, 2)) == 2 * 7 + convolutions + 64 * 128 + 128 + 128 * 2 + 2
    assert parameters(MLP(8, 3, hidden=(5,))) == 8 * 5 + 5 + 5 * 3 + 3


@pytest.mark.parametrize("name", ON_PARTICLES)
def test_the_order_of_particles_has_no_influence(name):
    network = lived_in(ON_PARTICLES[name](7, 3))
    x = torch.randn(int(COUNTS.sum()), 7)
    shuffled = torch.cat([jet[torch.randperm(len(jet))] for jet in x.split(COUNTS.tolist())])
    assert torch.allclose(network(x, COUNTS), network(shuffled, COUNTS), atol=1e-5)


@pytest.mark.parametrize("name", ON_PARTICLES)
def test_a_jet_has_the_same_logits_alone_and_in_company(name):
    network = lived_in(ON_PARTICLES[name](7, 3))
    x = torch.randn(int(COUNTS.sum()), 7)
    together = network(x, COUNTS)
    alone = [network(jet, COUNTS[n : n + 1]) for n, jet in enumerate(x.split(COUNTS.tolist()))]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("name", ON_PARTICLES)
def test_jets_of_one_particle_and_of_none_can_be_trained_on(name):
    network = ON_PARTICLES[name](7, 2).train()
    x = torch.randn(2, 7)
    loss = F.cross_entropy(network(x, torch.tensor([1, 0, 1])), torch.tensor([0, 1, 0]))
    loss.backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(g).all() for g in gradients)


def test_batch_norm_runs_over_real_particles_only():
    network = ParticleNet(7, 2).train()
    x, counts = torch.randn(1000, 7) * 2 + 3, torch.tensor([10, 990])
    network(x, counts)
    assert torch.allclose(network.norm.running_mean, 0.1 * x.mean(0), atol=1e-5)


def plain_edge_convolution(block, points, x):
    """One edge convolution on one jet by its definition: sorted distances, [x_i, x_j - x_i], mean, shortcut."""
    outputs = []
    for i in range(len(x)):
        distance = (points - points[i]).square().sum(1)
        distance[i] = torch.inf
        nearest = distance.argsort()[: min(block.k, len(x) - 1)]
        edges = torch.cat([x[i].expand(len(nearest), -1), x[nearest] - x[i]], dim=1)
        for weight, norm in zip(
            [block.first.weight, *(m.weight for m in block.rest)], block.norms, strict=True
        ):
            z = edges @ weight.T
            z = (z - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
            edges = z.clamp(min=0)
        outputs.append((block.shortcut(x[i : i + 1])[0] + edges.mean(0)).clamp(min=0))
    return torch.stack(outputs)


def test_particlenet_equals_its_definition_particle_by_particle():
    network = lived_in(ParticleNet(4, 2, blocks=((3, (5, 6, 7)), (4, (8, 8))), hidden=9)).double()
    x = torch.randn(11, 4, dtype=torch.float64)
    points, h = x[:, :2], network.norm(x)
    for block in network.blocks:
        h = plain_edge_convolution(block, points, h)
        points = h
    expected = network.output(network.hidden(h.mean(0)))
    assert torch.allclose(network(x, torch.tensor([11]))[0], expected, atol=1e-12)


def test_particlenet_equals_that_of_weaver_with_the_same_weights():
    pytest.importorskip("weaver.nn.model.ParticleNet", reason="weaver-core is not installed (extra: bench)")
    from benchmarks.particlenet import NETWORKS, copy_weights, ours, padded, weavers

    for blocks, hidden in NETWORKS.values():
        theirs = weavers(blocks, hidden, trim=False).double()
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.3)
                nn.init.uniform_(module.running_var, 0.5, 2)
        network = ours(blocks, hidden).double()
        copy_weights(theirs, network)
        # More particles than neighbours in every jet, because weaver counts padded slots as neighbours otherwise.
        counts = torch.tensor([18, 25, 40])
        x = torch.randn(int(counts.sum()), 7, dtype=torch.float64)
        expected = theirs.eval()(*padded(x, counts, 48))
        assert expected.std() > 1e-3
        assert torch.allclose(network.eval()(x, counts), expected, atol=1e-10)
