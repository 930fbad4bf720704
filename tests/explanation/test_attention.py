"""Attention and recurrent layers: the same outputs, closed books, and what each way of passing a softmax means."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench.errors import ExplanationError
from workbench.explanation.lrp import frozen, propagate
from workbench.explanation.rules import RULES

SEED = torch.tensor([-1.0, 1.0]).double()
RULES_TRIED = ("0", "epsilon", "gamma", "alpha2beta1")


class Sequences(nn.Module):
    """Rows of 24 numbers as 6 steps of 4; `body` makes features of each step, the mean goes to the output."""

    def __init__(self, body, features=8):
        super().__init__()
        self.body, self.first, self.last = body, nn.Linear(4, 8), nn.Linear(features, 2)

    def forward(self, x):
        return self.last(self.body(self.first(x.view(-1, 6, 4))).mean(1))


class SelfAttention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, **options)

    def forward(self, x):
        return x + self.attention(x, x, x, need_weights=False)[0]


class Padded(SelfAttention):
    def forward(self, x):
        hidden = torch.zeros(len(x), 6, dtype=torch.bool)
        hidden[:, 4:] = True
        return self.attention(x, x, x, key_padding_mask=hidden)[0][:, :4]


class WithPairs(SelfAttention):
    """Pairwise features that enter attention logits alone, as in the particle transformer."""

    def forward(self, x):
        pairs = (x[:, :, None, :2] - x[:, None, :, :2]).square().sum(-1)
        return self.attention(x, x, x, attn_mask=pairs.repeat_interleave(2, 0), need_weights=False)[0]


class Explicit(nn.Module):
    """The same as SelfAttention, written with matrix products."""

    def __init__(self, module):
        super().__init__()
        self.attention = module.attention

    def forward(self, x):
        a = self.attention
        q, k, v = (
            (x @ w.t() + b).unflatten(-1, (2, 4)).transpose(1, 2)
            for w, b in zip(a.in_proj_weight.chunk(3), a.in_proj_bias.chunk(3), strict=True)
        )
        values = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + a.out_proj(values)


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


BODIES = {
    "attention": SelfAttention,
    "attention without bias": lambda: SelfAttention(bias=False),
    "padded": Padded,
    "pairs": WithPairs,
    "causal": lambda: Causal(),
    "encoder": lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
    "encoder, norm first": lambda: nn.TransformerEncoderLayer(
        8, 2, 16, activation="gelu", norm_first=True, batch_first=True
    ),
    "lstm": lambda: Recurrent(nn.LSTM(8, 8, batch_first=True)),
    "lstm, two layers, both ways": lambda: Recurrent(
        nn.LSTM(8, 4, num_layers=2, bidirectional=True, batch_first=True)
    ),
    "lstm without bias": lambda: Recurrent(nn.LSTM(8, 8, bias=False, batch_first=True)),
    "gru": lambda: Recurrent(nn.GRU(8, 8, batch_first=True)),
    "rnn": lambda: Recurrent(nn.RNN(8, 8, batch_first=True)),
    "rnn, relu": lambda: Recurrent(nn.RNN(8, 8, nonlinearity="relu", batch_first=True)),
}


class Causal(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x.roll(1, 2), x, is_causal=True)


def built(name, dtype=torch.float64):
    torch.manual_seed(0)
    network = Sequences(BODIES[name]())
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.uniform_(-0.4, 0.9)
    return network.to(dtype).eval()


def rows(n=5, dtype=torch.float64):
    return torch.randn(n, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def explained(network, x, rule="epsilon", attention="attnlrp"):
    return propagate(frozen(network), x, None, SEED, RULES[rule], attention)


@pytest.mark.parametrize("attention", ["attnlrp", "cp"])
@pytest.mark.parametrize("rule", RULES_TRIED)
@pytest.mark.parametrize("name", BODIES)
def test_the_score_is_the_networks_own_and_every_line_together_is_the_score(name, rule, attention):
    network, x = built(name), rows()
    flow = explained(network, x, rule, attention)
    with torch.no_grad():
        np.testing.assert_allclose(flow.score, network(x) @ SEED, rtol=1e-12, atol=1e-12)
    lines = [flow.relevance.sum(1), *flow.lines.values()]
    scale = flow.relevance.abs().sum(1) + sum(line.abs() for line in lines) + 1
    assert ((flow.score - sum(lines)).abs() <= 1e-12 * scale).all(), flow.lines


def test_the_particle_transformers_pairs_get_relevance_by_attnlrp_and_none_by_cp():
    # The two features that pairs are made of enter nothing else when the weights that read them are zero.
    network = built("pairs")
    with torch.no_grad():
        network.body.attention.in_proj_weight[:, :2] = 0
        network.first.weight.zero_()
        network.first.weight[:4] = torch.eye(4)
        network.first.bias.zero_()
    x = rows()
    seen = explained(network, x, "0").relevance.view(-1, 6, 4)[..., :2].abs().sum()
    unseen = explained(network, x, "0", "cp").relevance.view(-1, 6, 4)[..., :2].abs().max()
    assert seen > 1e-3
    assert unseen == 0.0


def test_cp_absorbs_nothing_in_a_softmax_and_attnlrp_says_how_much():
    network, x = built("attention"), rows()
    assert "absorbed by softmax" not in explained(network, x, "0", "cp").lines
    assert explained(network, x, "0").lines["absorbed by softmax"].abs().max() > 1e-6


@pytest.mark.parametrize("rule", RULES_TRIED)
def test_multi_head_attention_is_attention_written_out(rule):
    network = built("attention")
    plain = Sequences(Explicit(network.body)).double().eval()
    plain.first, plain.last = network.first, network.last
    x = rows()
    # The written-out form adds the bias of q, k and v outside of the layer, so that is the only way it may differ.
    with torch.no_grad():
        network.body.attention.in_proj_bias.zero_()
    np.testing.assert_allclose(
        explained(network, x, rule).relevance, explained(plain, x, rule).relevance, atol=1e-12
    )


def test_the_relevance_of_heads_adds_up_to_what_flows_into_their_projection():
    network, x = built("attention"), rows()
    with torch.no_grad():
        network.body.attention.out_proj.bias.zero_()
    flow = propagate(frozen(network), x, None, SEED, RULES["0"], record=True)
    heads = flow.recorded["heads of body.attention"]
    leaf = network.first(x.view(-1, 6, 4)).detach().requires_grad_()
    residual = (leaf * torch.autograd.grad((network.last(leaf.mean(1)) @ SEED).sum(), leaf)[0]).sum((1, 2))
    biases = (network.last.bias @ SEED).detach()
    assert heads.shape == (5, 2, 6, 4)
    np.testing.assert_allclose(heads.sum((1, 2, 3)) + residual.detach() + biases, flow.score, atol=1e-12)


def test_a_jet_is_the_same_alone_and_in_company():
    for name in ("attention", "encoder", "lstm"):
        network, x = built(name), rows()
        alone = torch.cat([explained(network, row[None]).relevance for row in x])
        np.testing.assert_allclose(alone, explained(network, x).relevance, atol=1e-12)


class OneStep(nn.Module):
    """h = sigmoid(o) tanh(sigmoid(i) tanh(g)) with gates that see feature 0 alone and a signal that sees feature 1 alone."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.LSTM(2, 3, bias=False, batch_first=True), nn.Linear(3, 2)
        with torch.no_grad():
            self.layer.weight_ih_l0.copy_(
                torch.tensor([[0.3, 0.0]] * 6 + [[0.0, 0.7]] * 3 + [[0.3, 0.0]] * 3)
            )

    def forward(self, x):
        return self.last(self.layer(x[:, None])[0][:, 0])


def test_a_gate_takes_nothing_and_the_signal_all():
    torch.manual_seed(0)
    flow = explained(OneStep().double(), rows()[:, :2], "0")
    assert flow.relevance[:, 0].abs().max() == 0.0
    np.testing.assert_allclose(flow.relevance[:, 1] + flow.lines["biases"], flow.score, atol=1e-12)


class PackedSteps(Recurrent):
    def forward(self, x):
        lengths = torch.full((len(x),), 6)
        return self.layer(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1][0].transpose(
            0, 1
        )


def test_packed_sequences_and_added_keys_are_refused():
    torch.manual_seed(0)
    packed = Sequences(PackedSteps(nn.LSTM(8, 8, batch_first=True))).double().eval()
    with pytest.raises(ExplanationError, match="Packed"):
        explained(packed, rows())
    added = Sequences(SelfAttention(add_zero_attn=True)).double().eval()
    with pytest.raises(ExplanationError, match="added keys"):
        explained(added, rows())
