"""Relevance rules: how a linear layer shares the relevance of its outputs out among its inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from ..errors import ExplanationError, nearest


@dataclass(frozen=True)
class Layer:
    """A linear layer as it was met on the way forward.

    Attributes:
        apply: The layer as a function of inputs, weight and bias (None for none).
        inputs: Returns what it was applied to; an edge layer gathers [x_i, x_j - x_i] only if a rule asks.
        weight: Its weight.
        bias: Its bias, shape (outputs,), or None.
        z: Its outputs, attached to the graph.
        channels: Axis of `z` that counts the outputs of one row.
    """

    apply: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    inputs: Callable[[], Tensor]
    weight: Tensor
    bias: Tensor | None
    z: Tensor
    channels: int


@dataclass(frozen=True)
class Part:
    """One linear expression through which relevance flows: its gradient, less what is withheld, times its inputs.

    Attributes:
        value: The expression, a linear function of the layer's inputs plus `bias`, attached to the graph; shape as z.
        bias: Its constant, shape (outputs,), or None.
        withheld: Share of its gradient that is not passed on, detached, shape as z; None for nothing.
    """

    value: Tensor
    bias: Tensor | None
    withheld: Tensor | None = None


class Rule(Protocol):
    """A rule: R_i = sum over parts k, outputs j of x_i dP_kj/dx_i (1 - u_kj) R_j / z_j, with values P that withhold u.

    Gamma is one part with the weights w + gamma w+ and 1 - u = z / P; alpha-beta is two.
    """

    @property
    def absorbs(self) -> str:
        """Name of the ledger line for what the parts do not pass on."""
        ...

    def __call__(self, layer: Layer) -> tuple[Part, ...]:
        """Returns the parts of a layer."""
        ...


@dataclass(frozen=True)
class Zero:
    """Rule 0: R_i = sum_j x_i w_ij / z_j R_j; gradient times input for a network of linear layers, ReLUs and pooling.

    Source: arXiv:1604.00825 (basic rule of layer-wise relevance propagation).
    """

    absorbs: str = "absorbed by rule 0"

    def __call__(self, layer: Layer) -> tuple[Part, ...]:
        """Returns the layer itself."""
        return (Part(layer.z, layer.bias),)


@dataclass(frozen=True)
class Epsilon:
    """Rule epsilon: R_i = sum_j x_i w_ij / (z_j + epsilon sign z_j) R_j, with sign 0 = +1.

    Weak outputs, where contributions cancel, pass little relevance on; the ledger shows what they absorb.

    Attributes:
        share: epsilon in units of the root mean square of the outputs of the same row, so that a jet's relevance
            does not depend on its company.

    Source: arXiv:1604.00825 (epsilon rule).
    """

    share: float = 0.1
    absorbs: str = "absorbed by epsilon"

    def __call__(self, layer: Layer) -> tuple[Part, ...]:
        """Returns the layer itself, which withholds epsilon / (|z| + epsilon)."""
        z = layer.z.detach()
        rms = torch.linalg.vector_norm(z, dim=layer.channels, keepdim=True) / z.shape[layer.channels] ** 0.5
        epsilon = (self.share * rms).clamp_(min=torch.finfo(z.dtype).tiny)
        withheld = z.abs().add_(epsilon)
        return (Part(layer.z, layer.bias, torch.div(epsilon, withheld, out=withheld)),)


RULES: Mapping[str, Rule] = MappingProxyType({"0": Zero(), "epsilon": Epsilon()})


def rule_named(name: str) -> Rule:
    """Returns the rule of that name.

    Raises:
        ExplanationError: there is no such rule.
    """
    if name not in RULES:
        msg = f"There is no rule {name!r}; {nearest(name, RULES)}"
        raise ExplanationError(msg)
    return RULES[name]
