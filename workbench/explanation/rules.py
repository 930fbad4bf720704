"""Relevance rules: how a linear layer shares the relevance of its outputs out among its inputs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
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
        name: Of the module that holds the weight, "" where it has none.
        depth: Its place among the layers as they are defined, 0 for the first and 1 for the last.
        first: True if it sees the inputs of the network themselves.
    """

    apply: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    inputs: Callable[[], Tensor]
    weight: Tensor
    bias: Tensor | None
    z: Tensor
    channels: int
    name: str = ""
    depth: float = 0.0
    first: bool = False


@dataclass(frozen=True)
class Passage:
    """How relevance goes back through one layer.

    Attributes:
        values: Linear functions of the layer's inputs through which it flows, attached to the graph, each shape as z.
        biases: The constant in each, shape (outputs,), or None.
        back: Called once, with the gradient of z; returns the gradient of each value, and what is passed on to none of
            them, any shape whose first axis is rows, or None.
        relevance: True if `back` returns the relevance of the value itself instead of its gradient.
    """

    values: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]
    back: Callable[[Tensor], tuple[tuple[Tensor, ...], Tensor | None]]
    relevance: bool = False


Side = Callable[[Tensor], Tensor]
"""Picks the positive or the negative part of a weight."""


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
        """Returns the way of the gradient times |z| / (|z| + epsilon); epsilon z / (|z| + epsilon) times it is absorbed.

        Everything happens on the way back and in one array, because memory and not arithmetic is what it costs.
        """
        z, channels = layer.z.detach(), layer.channels

        def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
            p = z.square()
            epsilon = p.mean(channels, keepdim=True).sqrt_().mul_(self.share).clamp_(min=smallest(z))
            torch.abs(z, out=p).add_(epsilon)
            torch.div(z, p, out=p).mul_(gradient)
            absorbed = p.sum(channels, keepdim=True).mul_(epsilon)
            return (p.copysign_(gradient),), absorbed

        return Passage((layer.z,), (layer.bias,), back)


def smallest(z: Tensor) -> float:
    """Returns what is added to a denominator that may be zero: lost beside any other, and no gradient overflows over it."""
    return torch.finfo(z.dtype).tiny ** 0.5


def raising(layer: Layer) -> tuple[Tensor, Tensor | None]:
    """Returns what raises each output, x+ w+ + x- w- and the positive biases, as value and bias."""
    return _half(layer, lambda weight: weight.clamp(min=0), lambda weight: weight.clamp(max=0))


def lowering(layer: Layer) -> tuple[Tensor, Tensor | None]:
    """Returns what lowers each output, x+ w- + x- w+ and the negative biases, as value and bias."""
    return _half(layer, lambda weight: weight.clamp(max=0), lambda weight: weight.clamp(min=0))


def _half(layer: Layer, with_positive: Side, with_negative: Side) -> tuple[Tensor, Tensor | None]:
    x, bias = layer.inputs(), None if layer.bias is None else with_positive(layer.bias)
    if not x.numel() or x.detach().min() >= 0:
        return layer.apply(x, with_positive(layer.weight), bias), bias
    value = layer.apply(x.clamp(min=0), with_positive(layer.weight), bias)
    return value + layer.apply(x.clamp(max=0), with_negative(layer.weight), None), bias


def quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Returns numerator / denominator, and 0 where the denominator is 0."""
    given = denominator != 0
    return torch.where(given, numerator / torch.where(given, denominator, 1.0), 0.0)


@dataclass(frozen=True)
class Gamma:
    """Rule gamma, signed: R_i = sum_j (x_i w_ij + gamma (x_i w_ij)^s) / (z_j + gamma sum_i (x_i w_ij)^s) R_j, s = sign z_j.

    What agrees with the sign of an output counts 1 + gamma times as much as what speaks against it; inputs and outputs may
    have either sign.

    Attributes:
        gamma: Weight of what agrees; 0 is rule 0, infinity is alpha-beta's positive part where z_j > 0.

    Source: arXiv:1604.00825 (conservation); Montavon et al., LNCS 11700 (2019) 193 (gamma for x >= 0).
    """

    gamma: float = 0.25
    absorbs: str = "absorbed by gamma"

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way back through the outputs z and m = kappa sum_i |x_i w_ij|, with kappa = gamma / (2 + gamma).

        Because (x w)^s is (x w + s |x w|) / 2, the rule is R_i = sum_j (x_i w_ij |z_j| + kappa |x_i w_ij| z_j) / (|z_j| + m_j)
        times R_j / z_j: one product with |w| more than rule 0, whatever the signs.
        """
        kappa = 1.0 if self.gamma == math.inf else self.gamma / (2 + self.gamma)
        bias = None if layer.bias is None else layer.bias.abs() * kappa
        sizes = layer.apply(_size(layer.inputs()), layer.weight.abs() * kappa, bias)
        z, m = layer.z.detach(), sizes.detach()

        def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], None]:
            size = z.abs()
            each = (size + m).clamp_(min=smallest(z))
            torch.div(gradient, each, out=each)
            return (size.mul_(each), each.mul_(z)), None

        return Passage((layer.z, sizes), (layer.bias, bias), back)


def _size(x: Tensor) -> Tensor:
    """Returns |x|, and x itself where nothing is negative, which spares the way back."""
    return x if not x.numel() or x.detach().min() >= 0 else x.abs()


@dataclass(frozen=True)
class AlphaBeta:
    """Rule alpha-beta: R_i = sum_j (alpha (x_i w_ij)+ / z_j+ - beta (x_i w_ij)- / z_j-) R_j with alpha - beta = 1.

    Where nothing raises (lowers) an output, that part of its relevance has nowhere to go and is entered as absorbed.

    Attributes:
        alpha: Weight of what raises an output; beta is alpha - 1. With alpha = 1 this is rule z+.

    Raises:
        ExplanationError: alpha is below 1.

    Source: arXiv:1604.00825; PLoS ONE 10 (2015) e0130140, equation 60.
    """

    alpha: float = 2.0
    absorbs: str = "absorbed by alpha-beta"

    def __post_init__(self) -> None:
        if not self.alpha >= 1:
            msg = f"alpha is {self.alpha:g}; it is at least 1, because beta = alpha - 1 is not negative."
            raise ExplanationError(msg)

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way back through what raises and, unless beta is 0, what lowers the outputs."""
        z, sides = layer.z.detach(), [(raising(layer), self.alpha)]
        if self.alpha > 1:
            sides.append((lowering(layer), 1 - self.alpha))
        values, biases = zip(*(side for side, _ in sides), strict=True)
        factors = [quotient(z, value.detach()).mul_(weight) for (value, _), weight in sides]
        lost = [weight * ((value.detach() == 0) * z) for (value, _), weight in sides]
        kept = sum(lost[1:], lost[0])

        def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor | None]:
            absorbed = kept * gradient if bool(kept.any()) else None
            return tuple(factor.mul_(gradient) for factor in factors), absorbed

        return Passage(values, biases, back)


@dataclass(frozen=True)
class Given:
    """Rules that share out by weights alone, for the layer that sees the inputs: R_i = sum_j v_ij / (sum_i v_ij) R_j.

    Attributes:
        name: "w2", v = w^2, for inputs without bounds; "flat", v = 1, "where does it look".

    Source: arXiv:1512.02479 (w2); arXiv:1902.10178 (flat).
    """

    name: str = "w2"

    @property
    def absorbs(self) -> str:
        """Name of the ledger line."""
        return f"absorbed by {self.name}"

    def __call__(self, layer: Layer) -> Passage:
        """Returns the relevance that each input gets, as a gradient."""
        x = layer.inputs()
        weight = layer.weight.square() if self.name == "w2" else torch.ones_like(layer.weight)
        ones = torch.ones_like(x, requires_grad=True)
        with torch.enable_grad():
            total = layer.apply(ones, weight, None)
        return handed(layer, x, (ones,), total)


@dataclass(frozen=True)
class Box:
    """Rule zB for inputs between bounds: R_i = sum_j (x_i w_ij - low w_ij+ - high w_ij-) / (sum of these) R_j.

    For pixels that are at least 0 and at most 1; not for standardised features, which have no bounds.

    Attributes:
        low: Smallest value an input can have.
        high: Largest value an input can have.

    Raises:
        ExplanationError: low is not below high, or an input lies outside.

    Source: arXiv:1512.02479.
    """

    low: float = 0.0
    high: float = 1.0
    absorbs: str = "absorbed by box"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            msg = f"The box goes from {self.low:g} to {self.high:g}; give the smaller number first."
            raise ExplanationError(msg)

    def __call__(self, layer: Layer) -> Passage:
        """Returns the relevance that each input gets, as a gradient."""
        x = layer.inputs()
        smallest, largest = float(x.detach().min()), float(x.detach().max())
        if smallest < self.low or largest > self.high:
            msg = (
                f"Inputs from {smallest:.3g} to {largest:.3g} were found where the box goes from {self.low:g} to "
                f"{self.high:g}; widen it, or take rule w2, which needs no bounds."
            )
            raise ExplanationError(msg)
        leaves = tuple(
            t.detach().clone().requires_grad_()
            for t in (x, torch.full_like(x, self.low), torch.full_like(x, self.high))
        )
        with torch.enable_grad():
            total = layer.apply(leaves[0], layer.weight, None)
            total = total - layer.apply(leaves[1], layer.weight.clamp(min=0), None)
            total = total - layer.apply(leaves[2], layer.weight.clamp(max=0), None)
        return handed(layer, x, leaves, total)


def handed(layer: Layer, x: Tensor, leaves: Sequence[Tensor], total: Tensor) -> Passage:
    """Returns the passage that shares R_j by the parts of `total`, a linear function of `leaves` shaped as x, among the x.

    Relevance per input does not have the form x times gradient here: where x is zero it is handed over as it is.
    """
    z = layer.z.detach()
    factor = quotient(z, total.detach())
    kept = torch.where(total.detach() != 0, 0.0, z)

    def back(gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        gradients = torch.autograd.grad(total, leaves, factor * gradient)
        parts = [leaf.detach() * part for leaf, part in zip(leaves, gradients, strict=True)]
        return (sum(parts[1:], parts[0]),), kept * gradient

    return Passage((x,), (None,), back, relevance=True)


@dataclass(frozen=True)
class Composite:
    """Different rules for different layers: the first that fits.

    Attributes:
        parts: Pairs of where and rule. Where is "first" (the layers that see the inputs), a pattern of layer names such as
            "blocks.0.*", or a number: layers whose depth (0 for the first, 1 for the last as they are defined) is below it.
        otherwise: Rule of the other layers.
    """

    parts: tuple[tuple[str | float, Rule], ...]
    otherwise: Rule

    @property
    def absorbs(self) -> str:
        """Names of all lines; `of` tells which rule, and so which line, a layer has."""
        return ", ".join(
            dict.fromkeys(rule.absorbs for rule in (*(r for _, r in self.parts), self.otherwise))
        )

    def of(self, layer: Layer) -> Rule:
        """Returns the rule of a layer."""
        for where, rule in self.parts:
            if where == "first" and layer.first:
                return rule
            if isinstance(where, str) and fnmatchcase(layer.name, where):
                return rule
            if not isinstance(where, str) and layer.depth < where:
                return rule
        return self.otherwise

    def __call__(self, layer: Layer) -> Passage:
        """Returns the way back by the rule of this layer."""
        return self.of(layer)(layer)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "epsilon": Epsilon(),
        "0": Zero(),
        "gamma": Gamma(),
        "gamma-epsilon": Composite(((0.5, Gamma()),), Epsilon()),
        "z+": AlphaBeta(1.0, "absorbed by z+"),
        "alpha1beta0": AlphaBeta(1.0),
        "alpha2beta1": AlphaBeta(2.0),
        "w2-epsilon": Composite((("first", Given("w2")),), Epsilon()),
        "flat-epsilon": Composite((("first", Given("flat")),), Epsilon()),
        "box-epsilon": Composite((("first", Box()),), Epsilon()),
        "box-gamma-epsilon": Composite((("first", Box()), (0.5, Gamma())), Epsilon()),
    }
)
"""Rules by name. Rules w2, flat and box are for the layers that see the inputs; another one goes on from there."""


def rule_named(name: str | Rule) -> Rule:
    """Returns the rule of that name; a rule is returned as it is.

    Raises:
        ExplanationError: there is no such rule.
    """
    if not isinstance(name, str):
        return name
    if name not in RULES:
        msg = f"There is no rule {name!r}; {nearest(name, RULES)}"
        raise ExplanationError(msg)
    return RULES[name]
