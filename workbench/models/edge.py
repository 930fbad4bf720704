"""The first layer of an edge convolution, factorised over particles."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function


def edge_linear(x: Tensor, i: Tensor, j: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns W [x_i, x_j - x_i] + b for every edge, shape (edges, out).

    Computed as (W1 - W2) x_i + W2 x_j + b, so that both products are taken once per particle and not once per edge.
    An active `TorchFunctionMode` sees this function as one layer, because a relevance rule applied to the two
    products one by one is another rule.

    Args:
        x: Particles, shape (particles, features).
        i: Particle that an edge belongs to, shape (edges,), int64.
        j: Its neighbour, shape (edges,), int64.
        weight: W = [W1, W2] over [x_i, x_j - x_i], shape (out, 2 * features).
        bias: b, shape (out,).

    Source: arXiv:1902.08570 (edge convolution); the factorisation is algebra.
    """
    inputs = (x, weight) if bias is None else (x, weight, bias)
    if has_torch_function(inputs):
        return handle_torch_function(edge_linear, inputs, x, i, j, weight, bias)
    own, difference = weight.chunk(2, dim=1)
    edges = F.linear(x, own - difference, bias).index_select(0, i)
    return edges.add_(F.linear(x, difference).index_select(0, j))


def plain_edge_linear(x: Tensor, i: Tensor, j: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns the same as `edge_linear` by the definition: one linear layer on [x_i, x_j - x_i]."""
    own = x.index_select(0, i)
    return F.linear(torch.cat([own, x.index_select(0, j) - own], dim=1), weight, bias)
