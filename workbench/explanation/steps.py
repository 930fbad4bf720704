"""How relevance passes each kind of step of a network."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ExplanationError
from .propagation import (
    OTHERWISE,
    Handler,
    Propagation,
    holds_data,
    is_data,
    marked,
    plain_name,
    replaced,
    sees_inputs,
    tensors,
)
from .rules import Layer

IDENTITY = "gelu silu elu selu celu mish hardswish tanh softsign sqrt square pow"
"""Functions of one number: relevance passes through unchanged where the input is not zero."""


def booked(
    mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any], line: str | None = None
) -> Any:
    """Returns func(...) with its natural gradient; what it gives beyond what it takes is entered under its name."""
    result = func(*args, **kwargs)
    if not holds_data((result,)) and not is_data(result):
        return result
    name = line or plain_name(func)[0].replace("_", " ")
    args, kwargs = replaced((args, kwargs), lambda tensor: mode.counted(name, tensor, -1.0))
    return replaced(func(*args, **kwargs), lambda tensor: mode.counted(name, tensor, 1.0))


def linear(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A linear or convolution layer, by the rule."""
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
    x, weight, bias = given.pop("input"), given.pop("weight"), given.pop("bias", None)
    if not is_data(x) or is_data(weight):
        return booked(mode, func, args, kwargs)

    def apply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return func(x, weight, bias, *args[3:], **given)

    channels = 1 if func.__name__.startswith("conv") else -1
    name, depth = mode.place(weight)
    first = sees_inputs((x,))
    return mode.layer(
        Layer(apply, lambda: x, weight, bias, apply(x, weight, bias), channels, name, depth, first)
    )


def _edge_linear(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    x, i, j, weight, *rest = args
    bias = rest[0] if rest else kwargs.get("bias")
    mode.books.know(mode.books.owner(x)[i])
    mode.met_edges = (i, j)

    def inputs() -> Tensor:
        own = x.index_select(0, i)
        return torch.cat([own, x.index_select(0, j) - own], dim=1)

    z, place = func(x, i, j, weight, bias), mode.place(weight)
    return mode.layer(Layer(F.linear, inputs, weight, bias, z, -1, *place, sees_inputs((x,))))


def _edge_mean(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The mean over neighbours; the relevance of each edge, summed over its features, is recorded."""
    x, i, particles = args
    if not mode.books.record or mode.met_edges is None or len(mode.met_edges[0]) != len(i):
        return func(x, i, particles)
    name = f"edges {len(mode.books.edges)}"
    mode.books.edges[name] = mode.met_edges
    return func(mode.recorded(name, x, summed=True), i, particles)


def _batch_norm(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
    given = dict(zip(names, args, strict=False)) | kwargs
    if given.get("training"):
        msg = "A batch normalisation without running statistics makes a jet's score depend on its company; it cannot be explained."
        raise ExplanationError(msg)
    scale = torch.rsqrt(given["running_var"] + given.get("eps", 1e-5))
    if given.get("weight") is not None:
        scale = scale * given["weight"]
    shift = -given["running_mean"] * scale
    if given.get("bias") is not None:
        shift = shift + given["bias"]
    with torch.no_grad():
        y = func(*args, **kwargs)
    return marked(mode.scaled("batch norm", given["input"], y, scale, shift), (given["input"],))


def _layer_norm(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    given = dict(zip(("input", "normalized_shape", "weight", "bias", "eps"), args, strict=False)) | kwargs
    x, axes = given["input"], tuple(range(-len(given["normalized_shape"]), 0))
    centred = x - x.mean(axes, keepdim=True)
    y = centred * torch.rsqrt(centred.square().mean(axes, keepdim=True) + given.get("eps", 1e-5)).detach()
    if given.get("weight") is not None:
        y = y * given["weight"]
    if given.get("bias") is None:
        return y
    return booked(mode, torch.add, (y, given["bias"]), {}, "layer norm")


def product(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A product of two data tensors gives half of its relevance to each; x @ W with a weight is a layer."""
    data = [tensor for tensor in tensors(args) if is_data(tensor)]
    if len(data) > 2 or kwargs:
        return booked(mode, func, args, kwargs)
    if len(data) == 2:
        return func(*replaced(args, lambda tensor: tensor * 0.5 + (tensor * 0.5).detach()))
    x, weight = args[:2]
    if (
        func.__name__ != "einsum"
        and isinstance(weight, Tensor)
        and mode.is_weight(weight)
        and weight.dim() == 2
    ):
        return linear(mode, F.linear, (x, weight.t()), {})
    return func(*args)


def _quotient(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A quotient of two data tensors gives all of its relevance to the numerator."""
    return func(args[0], args[1].detach(), **kwargs)


def _reciprocal(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    return func(args[0].detach(), *args[1:], **kwargs)


def _element_wise(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    if len(args) > 1 and is_data(args[1]) or not args:
        return booked(mode, func, args, kwargs)
    kwargs.pop("inplace", None)
    return mode.identity(plain_name(func)[0], args[0], func(*args, **kwargs))


STEPS: Mapping[str, Handler] = MappingProxyType(
    {
        "linear": linear,
        "row_linear": linear,
        "conv1d": linear,
        "conv2d": linear,
        "conv3d": linear,
        "edge_linear": _edge_linear,
        "edge_mean": _edge_mean,
        "batch_norm": _batch_norm,
        "layer_norm": _layer_norm,
        "div": _quotient,
        "reflected div": _reciprocal,
        **dict.fromkeys(("mul", "matmul", "mm", "bmm", "einsum", "inner", "outer", "dot"), product),
        **dict.fromkeys(IDENTITY.split(), _element_wise),
        OTHERWISE: booked,
    }
)
