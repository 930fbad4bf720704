"""Relevance through torch networks: the books, the closed forms, and what must not happen."""

import random
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench.errors import ExplanationError
from workbench.explanation.lrp import frozen, joined, propagate
from workbench.explanation.rules import RULES, AlphaBeta, Box, Composite, Epsilon, Gamma, Given, rule_named
from workbench.models.deepsets import ParticleFlowNetwork
from workbench.models.edge import edge_linear, plain_edge_linear
from workbench.models.mlp import MLP
from workbench.models.particlenet import ParticleNet, lite
from workbench.models.segments import neighbours, segment_mean, segment_sum

COUNTS = torch.tensor([5, 1, 0, 9, 2, 12])
OWNER = torch.arange(len(COUNTS)).repeat_interleave(COUNTS)
SEED = torch.tensor([-1.0, 1.0])


# The inputs of these tests are standard normal; the box must hold them all.
WIDE = Composite((("first", Box(-50.0, 50.0)),), Epsilon())
ALL_RULES = {
    **{name: rule for name, rule in RULES.items() if "box" not in name},
    "alpha3beta2": AlphaBeta(3.0),
    "box": WIDE,
}


class Around(nn.Module):
    """Linear, something in between, Linear."""

    def __init__(self, between, hidden=6, features=4):
        super().__init__()
        self.first, self.last, self.between = nn.Linear(features, 6), nn.Linear(hidden, 2), between

    def forward(self, x, counts=None):
        return self.last(self.between(self.first(x)))


class OnJets(nn.Module):
    """A function of particles, pooled to jets by `pool`, then a linear layer."""

    def __init__(self, particles, pool, features=4):
        super().__init__()
        self.particles, self.pool = particles, pool
        self.last = nn.Linear(features, 2)

    def forward(self, x, counts):
        return self.last(self.pool(self.particles(x), counts))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = x.view(-1, 3, 2).repeat(1, 1, 2)
        weights = (self.q(x) @ self.k(x).transpose(1, 2) / 2).softmax(-1)
        return (weights @ self.v(x)).mean(1)


class Edges(nn.Module):
    """One edge convolution without bias or norm, the largest or mean message, residual."""

    def __init__(self, layer=edge_linear):
        super().__init__()
        self.weight, self.layer = nn.Parameter(torch.randn(4, 8)), layer
        self.next = nn.Linear(4, 4, bias=False)

    def forward(self, x, counts):
        i, j = neighbours(x[:, :2], counts, 3)
        messages = self.next(self.layer(x, i, j, self.weight).relu()).relu()
        reached = torch.zeros_like(x).scatter_reduce(0, i[:, None].expand(-1, 4), messages, "amax")
        return segment_sum(x + reached, counts)


class EdgeNetwork(nn.Module):
    def __init__(self, layer=edge_linear, bias=True):
        super().__init__()
        self.edges, self.last = Edges(layer), nn.Linear(4, 2, bias=bias)

    def forward(self, x, counts):
        return self.last(self.edges(x, counts))


def between(function, hidden=6):
    module = nn.Module()
    module.forward = function
    return Around(module, hidden)


def in_place(h):
    h = h * 2
    h += h.relu()
    return F.relu(h, inplace=True)


def written(h):
    out = h.new_zeros(len(h), 6)
    out[:, :4] = h[:, 2:]
    return out


ROWS = {
    "linear": lambda: nn.Linear(4, 2),
    "mlp": lambda: MLP(4, 2),
    "residual": lambda: between(lambda h: h + h.relu()),
    "concatenation": lambda: between(lambda h: torch.cat([h, h.relu()], 1), 12),
    "concatenation with ones": lambda: between(lambda h: torch.cat([h, torch.ones_like(h)], 1), 12),
    "shift": lambda: between(lambda h: (h - 1.7) * 0.7 + torch.ones(6)),
    "named operands": lambda: between(lambda h: torch.add(torch.mul(h, other=2.0), other=1.5)),
    "reflected": lambda: between(lambda h: 2.0 - h + 1 / (1 + h * h)),
    "in place": lambda: between(in_place),
    "written": lambda: between(written),
    "batch norm": lambda: Around(nn.BatchNorm1d(6)),
    "layer norm": lambda: Around(nn.LayerNorm(6)),
    "layer norm, plain": lambda: Around(nn.LayerNorm(6, elementwise_affine=False)),
    "leaky relu": lambda: Around(nn.LeakyReLU(0.1)),
    "relu in place": lambda: Around(nn.ReLU(inplace=True)),
    "dropout": lambda: Around(nn.Dropout(0.5)),
    "gelu": lambda: Around(nn.GELU()),
    "tanh": lambda: Around(nn.Tanh()),
    "sigmoid": lambda: Around(nn.Sigmoid()),
    "softmax": lambda: Around(nn.Softmax(dim=1)),
    "clamp": lambda: between(lambda h: h.clamp(-0.3, 0.3)),
    "masked": lambda: between(lambda h: torch.where(h > 0, h, -0.5).masked_fill(h > 1, 0.7)),
    "largest": lambda: between(lambda h: h.max(1, keepdim=True).values.expand(-1, 6)),
    "unknown": lambda: between(lambda h: torch.special.erf(h) + torch.cos(h)),
    "product": lambda: between(lambda h: h * h.roll(1, 1)),
    "quotient": lambda: between(lambda h: h / (1 + h.abs())),
    "power": lambda: between(lambda h: h**2 - (h**3).abs().sqrt()),
    "attention": lambda: Around(Attention(), 4),
    "conv1d": lambda: between(
        lambda h: F.conv1d(h[:, None], h.new_ones(2, 1, 3), h.new_ones(2)).flatten(1), 8
    ),
}
PARTICLES = {
    "pfn": lambda: ParticleFlowNetwork(4, 2, phi=(16, 8), f=(16,)),
    "particlenet": lambda: ParticleNet(4, 2, blocks=((3, (8, 8)), (3, (8, 16)))),
    "particlenet-lite": lambda: lite(4, 2),
    "sum": lambda: OnJets(nn.Linear(4, 4), segment_sum),
    "mean": lambda: OnJets(nn.Linear(4, 4), segment_mean),
    "edges": EdgeNetwork,
    "plain edges": lambda: EdgeNetwork(plain_edge_linear),
}
NETWORKS = {**ROWS, **PARTICLES}


def built(name, dtype=torch.float32):
    torch.manual_seed(0)
    network = NETWORKS[name]()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.uniform_(-0.4, 0.9)
    return network.to(dtype).eval()


def inputs(name, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    if name in PARTICLES:
        return torch.randn(int(COUNTS.sum()), 4, generator=generator, dtype=torch.float64).to(dtype), COUNTS
    return torch.randn(6, 4, generator=generator, dtype=torch.float64).to(dtype), None


def score(network, x, counts):
    with torch.no_grad():
        logits = network(x) if counts is None else network(x, counts)
    return logits @ SEED.to(x.dtype)


def explained(network, x, counts, rule="epsilon", seed=SEED):
    return propagate(frozen(network), x, counts, seed.to(x.dtype), ALL_RULES[rule])


def per_jet(flow, counts):
    rows = flow.relevance.double().sum(1)
    return rows if counts is None else rows.new_zeros(len(counts)).index_add_(0, OWNER, rows)


def gradient_times_input(network, x, counts):
    leaf = x.clone().requires_grad_()
    logits = network(leaf) if counts is None else network(leaf, counts)
    (gradient,) = torch.autograd.grad((logits @ SEED.to(x.dtype)).sum(), leaf)
    return x * gradient


@pytest.mark.parametrize("rule", ALL_RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_explained_score_is_the_networks_own(name, rule):
    network, (x, counts) = built(name), inputs(name)
    # Layer norm is written out, which may round differently in the last of 24 bits; 1e-5 is hundreds of those.
    np.testing.assert_allclose(
        explained(network, x, counts, rule).score, score(network, x, counts), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("rule", ALL_RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_line_together_is_the_score(name, rule, dtype, tolerance):
    network, (x, counts) = built(name, dtype), inputs(name, dtype)
    flow = explained(network, x, counts, rule)
    lines = [per_jet(flow, counts), *flow.lines.values()]
    # Rounding goes with the sizes of what is added up, and that is the relevance of every single input.
    sizes = per_jet(replace(flow, relevance=flow.relevance.abs()), counts)
    scale = (sizes + sum(line.abs() for line in lines)).clamp(min=1)
    assert ((flow.score - sum(lines)).abs() <= tolerance * scale).all(), flow.lines


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("batch norm", "batch norm"),
        ("layer norm", "layer norm"),
        ("sigmoid", "sigmoid"),
        ("softmax", "absorbed by softmax"),
        ("unknown", "special erf"),
        ("clamp", "clamp"),
        ("shift", "sub"),
        ("concatenation with ones", "cat"),
        ("mlp", "absorbed by epsilon"),
        ("mlp", "biases"),
    ],
)
def test_what_is_no_input_has_a_line_of_its_own(name, line):
    network, (x, counts) = built(name), inputs(name)
    assert explained(network, x, counts).lines[line].abs().max() > 1e-3


class Pixels(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 4, 3, bias=False), nn.Linear(36, 2, bias=False)

    def forward(self, x):
        return self.last(F.max_pool2d(self.conv(x.view(-1, 1, 8, 8)).relu(), 2).flatten(1))


@pytest.mark.parametrize("name", ["mlp", "pfn", "edges", "image"])
def test_rule_0_is_gradient_times_input_on_relu_networks_without_bias(name):
    network = Pixels() if name == "image" else built(name, torch.float64)
    x, counts = (torch.randn(5, 64), None) if name == "image" else inputs(name, torch.float64)
    for module in network.modules():
        if getattr(module, "bias", None) is not None:
            module.bias = None
    flow = explained(network, x, counts, "0")
    np.testing.assert_allclose(flow.relevance, gradient_times_input(network, x, counts), atol=1e-6)
    np.testing.assert_allclose(
        flow.relevance.sum(1) if counts is None else per_jet(flow, counts),
        score(network, x, counts),
        atol=1e-5,
    )


def two_layers(first, bias, last):
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor(first))
        network[0].bias.copy_(torch.tensor(bias))
        network[1].weight.copy_(torch.tensor([last]))
    return network


def test_epsilon_by_hand():
    # z = (-1 + 1 + 1, 3 + 4) = (1, 7), rms 5, epsilon 0.5: factors 1/1.5 and 7/7.5. y = 3 - 7 = -4, epsilon 0.4: 1/1.1.
    network = two_layers([[-1.0, 0.5], [3.0, 2.0]], [1.0, 0.0], [3.0, -1.0])
    flow = explained(network, torch.tensor([[1.0, 2.0]]).double(), None, seed=torch.ones(1))
    first, second = (-3 / 1.5 - 3 * 7 / 7.5) / 1.1, 2 * (0.5 * 3 / 1.5 - 2 * 7 / 7.5) / 1.1
    np.testing.assert_allclose(flow.relevance, [[first, second]], rtol=1e-12)
    np.testing.assert_allclose(flow.lines["biases"], [3 / 1.5 / 1.1], rtol=1e-12)
    np.testing.assert_allclose(flow.lines["absorbed by epsilon"], [-4 - first - second - 2 / 1.1], rtol=1e-12)


def layer(weight, bias=None):
    """One linear layer of one output in front of a weight of one, so that R_j = z."""
    network = nn.Sequential(nn.Linear(len(weight), 1, bias=bias is not None)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([weight]))
        if bias is not None:
            network[0].bias.fill_(bias)
    return network


# x w of each input, with x = (2, -1, 3): raising parts and lowering parts by hand.
GOLDEN = {
    # xw = (2, 2, -3), bias 1: z = 2, z+ = 5 of which 1 bias, z- = -3.
    "gamma, z > 0": (
        Gamma(0.5),
        [1.0, -2.0, -1.0],
        1.0,
        [3 * 2 / 4.5, 3 * 2 / 4.5, -3 * 2 / 4.5],
        1.5 * 2 / 4.5,
    ),
    # xw = (2, 2, -6): z = -2, what agrees with it is -6: z + 0.5 * -6 = -5.
    "gamma, z < 0": (Gamma(0.5), [1.0, -2.0, -2.0], None, [2 * 2 / 5, 2 * 2 / 5, -9 * 2 / 5], 0.0),
    "alpha 2, beta 1": (
        AlphaBeta(2.0),
        [1.0, -2.0, -1.0],
        1.0,
        [2 * 2 / 5 * 2, 2 * 2 / 5 * 2, -2.0],
        2 * 2 / 5,
    ),
    "z+": (AlphaBeta(1.0), [1.0, -2.0, -1.0], 1.0, [2 / 5 * 2, 2 / 5 * 2, 0.0], 2 / 5),
    # Nothing lowers: beta's share of R = 4 has nowhere to go, so the ledger takes back -4 of 8.
    "alpha 2, nothing lowers": (AlphaBeta(2.0), [1.0, -2.0, 0.0], None, [4.0, 4.0, 0.0], 0.0),
    # Nothing raises: all of z+'s relevance is absorbed.
    "z+, nothing raises": (AlphaBeta(1.0), [-1.0, 2.0, -1.0], None, [0.0, 0.0, 0.0], 0.0),
    "w2": (Given("w2"), [1.0, -2.0, -1.0], 1.0, [2 / 6, 4 * 2 / 6, 2 / 6], 0.0),
    "flat": (Given("flat"), [1.0, -2.0, -1.0], 1.0, [2 / 3, 2 / 3, 2 / 3], 0.0),
    # x w - low w+ - high w- with the box (-1, 4): (2 + 1, 2 + 8, -3 + 4), together 14.
    "box": (Box(-1.0, 4.0), [1.0, -2.0, -1.0], 1.0, [3 * 2 / 14, 10 * 2 / 14, 2 / 14], 0.0),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_rules_by_hand(name):
    rule, weight, bias, expected, biases = GOLDEN[name]
    x = torch.tensor([[2.0, -1.0, 3.0]]).double()
    flow = propagate(frozen(layer(weight, bias)), x, None, torch.ones(1).double(), rule)
    np.testing.assert_allclose(flow.relevance, [expected], rtol=1e-12)
    np.testing.assert_allclose(flow.lines.get("biases", torch.zeros(1)), [biases], atol=1e-12)
    np.testing.assert_allclose(
        flow.lines.get(rule.absorbs, torch.zeros(1)), flow.score - sum(expected) - biases, atol=1e-12
    )


@pytest.mark.parametrize("rule", [Given("w2"), Given("flat"), Box(-1.0, 4.0)])
def test_inputs_that_are_zero_get_what_the_weights_give_them(rule):
    x, near = torch.tensor([[2.0, 0.0, 3.0]]).double(), torch.tensor([[2.0, 1e-9, 3.0]]).double()
    network = frozen(nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Flatten(), layer([1.0, -2.0, -1.0])))
    at, beside = (propagate(network, v, None, torch.ones(1).double(), rule) for v in (x, near))
    assert at.relevance[0, 1].abs() > 0.1
    np.testing.assert_allclose(at.relevance, beside.relevance, atol=1e-7)
    assert "on inputs that are zero" not in at.lines


def test_an_input_outside_the_box_is_refused():
    with pytest.raises(
        ExplanationError, match="Inputs from -1 to 3 were found where the box goes from 0 to 1"
    ):
        propagate(
            frozen(layer([1.0, 1.0, 1.0])),
            torch.tensor([[2.0, -1.0, 3.0]]).double(),
            None,
            torch.ones(1),
            Box(),
        )


def test_a_composite_takes_the_first_rule_that_fits():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)).double()
    x = torch.randn(3, 4).double()
    by_name = Composite((("0", Given("flat")), ("2", Gamma(1.0))), Epsilon())
    by_depth = Composite((("first", Given("flat")), (0.6, Gamma(1.0))), Epsilon())
    one, other = (propagate(frozen(network), x, None, SEED.double(), rule) for rule in (by_name, by_depth))
    np.testing.assert_array_equal(one.relevance, other.relevance)
    assert {"absorbed by flat", "absorbed by epsilon"} <= set(one.lines)
    # Rule flat gives every input the same.
    np.testing.assert_allclose(one.relevance, one.relevance[:, :1].expand(-1, 4), rtol=1e-12)


def test_gamma_is_rule_0_at_0_and_z_plus_at_infinity():
    network = nn.Sequential(nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Linear(6, 2, bias=False)).double()
    x = torch.rand(3, 4).double()

    def relevance(rule):
        return propagate(frozen(network), x, None, torch.tensor([0.0, 1.0]).double(), rule).relevance

    np.testing.assert_allclose(relevance(Gamma(0.0)), relevance(rule_named("0")), atol=1e-12)
    with torch.no_grad():
        network[2].weight.abs_()
    np.testing.assert_allclose(relevance(Gamma(1e9)), relevance(AlphaBeta(1.0)), atol=1e-7)


@pytest.mark.parametrize("rule", ["0", "epsilon", "gamma", "z+", "alpha2beta1"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_that_are_zero_pass_nothing_on_and_break_nothing(rule, dtype):
    # The weights behind the zeros are large: what they make of the smallest epsilon must not overflow.
    network = two_layers([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0], [3e9, -1e9]).to(dtype)
    flow = explained(network, torch.zeros(1, 2).to(dtype), None, rule, seed=torch.ones(1))
    assert flow.relevance.tolist() == [[0.0, 0.0]]
    assert all(amount.tolist() == [0.0] for amount in flow.lines.values())


def test_contributions_that_cancel_pass_nothing_on():
    network = two_layers([[1.0, -1.0], [2.0, -2.0]], [0.0, 0.0], [3.0, -1.0])
    flow = explained(network, torch.ones(1, 2).double(), None, seed=torch.ones(1))
    assert flow.relevance.tolist() == [[0.0, 0.0]]
    assert flow.lines["absorbed by epsilon"].tolist() == [0.0]


@pytest.mark.parametrize("rule", ALL_RULES)
def test_the_factorised_edge_layer_is_one_layer_under_every_rule(rule):
    torch.manual_seed(3)
    network, plain = EdgeNetwork().double(), EdgeNetwork(plain_edge_linear).double()
    plain.load_state_dict(network.state_dict())
    x, counts = inputs("edges", torch.float64)
    one, other = explained(network, x, counts, rule), explained(plain, x, counts, rule)
    np.testing.assert_allclose(one.relevance, other.relevance, atol=1e-12)
    for line, amount in one.lines.items():
        np.testing.assert_allclose(amount, other.lines[line], atol=1e-12)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_layer_written_in_another_way_is_the_same_layer(rule):
    linear = nn.Linear(4, 5).double()

    class Convolved(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = linear.weight, linear.bias

        def forward(self, x):
            return F.conv1d(x[:, :, None], self.weight[:, :, None], self.bias)[:, :, 0][:, :2]

    class Multiplied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(linear.weight.detach().t().contiguous())

        def forward(self, x):
            return (x @ self.weight)[:, :2]

    class Plain(nn.Module):
        def __init__(self, bias):
            super().__init__()
            self.weight, self.bias = linear.weight, linear.bias if bias else None

        def forward(self, x):
            return F.linear(x, self.weight, self.bias)[:, :2]

    x, _ = inputs("mlp", torch.float64)
    for network, bias in ((Convolved(), True), (Multiplied(), False)):
        one, other = explained(network, x, None, rule), explained(Plain(bias), x, None, rule)
        np.testing.assert_allclose(one.relevance, other.relevance, atol=1e-12)


class PlantedSum(nn.Module):
    """Adds pt of charged particles and takes off twice the pt of muons: features are pt, charged, muon."""

    def __init__(self, pool):
        super().__init__()
        self.phi, self.pool, self.last = nn.Linear(3, 2), pool, nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            # relu(pt - 1000 (1 - flag)): the pt where the flag is up, nothing where it is not.
            self.phi.weight.copy_(torch.tensor([[1.0, 1000.0, 0.0], [1.0, 0.0, 1000.0]]))
            self.phi.bias.fill_(-1000.0)
            self.last.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))

    def forward(self, x, counts):
        return self.last(self.pool(self.phi(x).relu(), counts))


@pytest.mark.parametrize("pool", [segment_sum, segment_mean])
def test_planted_shares_come_out_exactly(pool):
    generator = torch.Generator().manual_seed(5)
    pt = torch.rand(len(OWNER), generator=generator).double() * 100
    charged, muon = (torch.rand(2, len(OWNER), generator=generator) > 0.5).double()
    flow = explained(PlantedSum(pool).double(), torch.stack([pt, charged, muon], 1), COUNTS, "0")
    share = (charged * pt - 2 * muon * pt) / (COUNTS[OWNER] if pool is segment_mean else 1)
    size = COUNTS[OWNER] if pool is segment_mean else 1
    # The flag and the bias cancel where the flag is up: pt itself carries the share, the flag what the bias takes.
    np.testing.assert_allclose(flow.relevance[:, 0], share, atol=1e-9)
    np.testing.assert_allclose(flow.relevance[:, 1], charged * 1000 / size, atol=1e-9)
    np.testing.assert_allclose(per_jet(flow, COUNTS) + flow.lines["biases"], flow.score, atol=1e-9)


class PlantedEdges(nn.Module):
    """Score: the sum over edges of relu(x_j - x_i)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))

    def forward(self, x, counts):
        i, j = neighbours(x[:, :1], counts, 2)
        total = segment_sum(
            x.new_zeros(len(x), 1).index_add(0, i, edge_linear(x, i, j, self.weight).relu()), counts
        )
        return torch.cat([torch.zeros_like(total), total], 1)


def test_planted_edges_give_to_both_ends_what_they_carry():
    x = torch.randn(len(OWNER), 2, generator=torch.Generator().manual_seed(6)).double()
    i, j = neighbours(x[:, :1], COUNTS, 2)
    up = (x[j, 1] > x[i, 1]).double()
    expected = torch.zeros(len(x)).double().index_add_(0, j, up * x[j, 1]).index_add_(0, i, -up * x[i, 1])
    flow = explained(PlantedEdges().double(), x, COUNTS, "0")
    np.testing.assert_allclose(flow.relevance[:, 1], expected, atol=1e-12)
    np.testing.assert_array_equal(flow.relevance[:, 0], np.zeros(len(x)))


@pytest.mark.parametrize("rule", ["0", "epsilon"])
@pytest.mark.parametrize("name", PARTICLES)
def test_a_jets_relevance_is_the_same_alone_and_in_company(name, rule):
    network, (x, counts) = built(name, torch.float64), inputs(name, torch.float64)
    together = explained(network, x, counts, rule)
    alone = joined([explained(network, x[n == OWNER], counts[n : n + 1], rule) for n in range(len(counts))])
    np.testing.assert_allclose(alone.relevance, together.relevance, atol=1e-12)
    for line, amount in together.lines.items():
        np.testing.assert_allclose(alone.lines[line], amount, atol=1e-12)


@pytest.mark.parametrize("name", PARTICLES)
def test_the_order_of_particles_has_no_influence(name):
    network, (x, counts) = built(name, torch.float64), inputs(name, torch.float64)
    order = torch.cat([(n == OWNER).nonzero()[:, 0].flip(0) for n in range(len(counts))])
    np.testing.assert_allclose(
        explained(network, x[order], counts).relevance,
        explained(network, x, counts).relevance[order],
        atol=1e-10,
    )


@pytest.mark.parametrize("name", ["mlp", "pfn", "particlenet"])
def test_relevance_is_linear_in_the_seed(name):
    network, (x, counts) = built(name, torch.float64), inputs(name, torch.float64)
    first, second = (explained(network, x, counts, seed=s).relevance for s in torch.eye(2))
    np.testing.assert_allclose(explained(network, x, counts).relevance, second - first, atol=1e-12)


def test_a_feature_that_nothing_reads_has_no_relevance():
    network, (x, counts) = built("pfn"), inputs("pfn")
    with torch.no_grad():
        network.phi[0].weight[:, 2] = 0
    assert (explained(network, x, counts).relevance[:, 2] == 0).all()


def test_jets_in_as_many_rows_as_there_are_jets_are_told_apart():
    network, x = built("pfn", torch.float64), torch.randn(3, 4).double()
    counts = torch.tensor([2, 0, 1])
    flow = explained(network, x, counts)
    alone = explained(network, x[:2], torch.tensor([2]))
    np.testing.assert_allclose(flow.relevance[:2], alone.relevance, atol=1e-12)
    np.testing.assert_allclose(flow.lines["biases"][0], alone.lines["biases"][0], atol=1e-12)


def test_explaining_leaves_no_trace():
    network, (x, counts) = built("particlenet").train(), inputs("particlenet")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state, generator = torch.get_rng_state(), random.getstate()
    explained(network, x, counts)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.training
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())
    assert not x.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == generator


def test_two_threads_with_two_rules_do_what_one_does():
    network, (x, counts) = built("particlenet"), inputs("particlenet")
    alone = {rule: explained(network, x, counts, rule).relevance for rule in ("0", "epsilon")}
    wrong = []

    def work(rule):
        for _ in range(10):
            if not torch.equal(explained(network, x, counts, rule).relevance, alone[rule]):
                wrong.append(rule)

    threads = [threading.Thread(target=work, args=(rule,)) for rule in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_scripted_or_compiled_network_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted, compiled = torch.jit.script(MLP(4, 2)), MLP(4, 2)
        compiled.compile(backend="eager")
    with pytest.raises(ExplanationError, match="scripted or compiled"):
        frozen(scripted)
    with pytest.raises(ExplanationError, match="scripted or compiled"):
        frozen(nn.Sequential(compiled))


@pytest.mark.parametrize("change", [lambda h: h.add_(1.0), lambda h: h.exp_(), lambda h: h.mul_(h.relu())])
def test_changes_in_place_that_leave_no_trace_are_refused(change):
    with pytest.raises(ExplanationError, match="in place"):
        explained(between(lambda h: change(h.clone())), *inputs("mlp"))


def test_a_norm_that_looks_at_the_other_jets_is_refused():
    with pytest.raises(ExplanationError, match="company"):
        explained(Around(nn.BatchNorm1d(6, track_running_stats=False)), *inputs("mlp"))


def test_a_network_that_ignores_its_input_is_refused():
    with pytest.raises(ExplanationError, match="does not depend"):
        explained(between(lambda h: h.detach()), *inputs("mlp"))
