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
class Passage:
    """How relevance goes back through one layer.

    Attributes:
        values: Linear functions of the layer's inputs through which it flows, attached to the graph, each shape as z.
        biases: The constant in each, shape (outputs,), or None.
        back: Called once, with the gradient of z; returns the gradient of each value, and what is passed on to none of
            them, any shape whose first axis is rows, or None.
    """

    values: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]
    back: Callable[[Tensor], tuple[tuple[Tensor, ...], Tensor | None]]


class Rule(Protocol):
    """A rule: x_i times the gradient that its passage hands to x_i is the relevance R_i of input i."""

    @property
    def absorbs(self) -> str:
        """Name of the ledger line for what the passage passes on to nobody."""
        ...

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way back through a layer."""
        ...


@dataclass(frozen=True)
class Zero:
    """Rule 0: R_i = sum_j x_i w_ij / z_j R_j; gradient times input for a network of linear layers, ReLUs and pooling.

    Source: arXiv:1604.00825 (basic rule of layer-wise relevance propagation).
    """

    absorbs: str = "absorbed by rule 0"

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way of the gradient itself."""
        return Passage((layer.z,), (layer.bias,), lambda gradient: ((gradient,), None))


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

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way of the gradient times |p|, with p = z / (|z| + epsilon); epsilon p times the gradient is absorbed.

        Everything happens in the one array that holds p, because memory and not arithmetic is what it costs.
        """
        z = layer.z.detach()
        rms = torch.linalg.vector_norm(z, dim=layer.channels, keepdim=True) / z.shape[layer.channels] ** 0.5
        epsilon = (self.share * rms).clamp_(min=torch.finfo(z.dtype).tiny)
        p = z.abs().add_(epsilon)
        torch.div(z, p, out=p)

        def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
            product = p.mul_(gradient)
            absorbed = product.sum(layer.channels, keepdim=True) * epsilon
            return (product.copysign_(gradient),), absorbed

        return Passage((layer.z,), (layer.bias,), back)


def weighted(layer: Layer, *parts: tuple[Tensor, Tensor | None, Tensor]) -> Passage:
    """Returns the passage through parts (value, bias, factor): the gradient of each value is that of z times its factor.

    Gamma is one part, with the weights w + gamma w+ and the factor z / value; alpha-beta is two.
    """
    factors = [factor.detach() for _, _, factor in parts]
    kept = layer.z.detach() - sum(value.detach() * factor.detach() for value, _, factor in parts)

    def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        return tuple(gradient * factor for factor in factors), kept * gradient

    return Passage(tuple(value for value, _, _ in parts), tuple(bias for _, bias, _ in parts), back)


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
