"""How relevance passes attention: by AttnLRP, or with the attention weights taken as given (CP)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ExplanationError
from .propagation import Handler, Propagation
from .steps import booked, linear, product

ABSORBED = "absorbed by softmax"


def _softmax(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """AttnLRP takes the natural gradient and books what the softmax absorbs; CP lets nothing through.

    Source: arXiv:2402.05602, proposition 3.1; arXiv:2202.07304 (conservative propagation).
    """
    if mode.attention == "cp":
        return func(*args, **kwargs).detach()
    return booked(mode, func, args, kwargs, ABSORBED)


def _attended(
    mode: Propagation, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor]:
    """Returns softmax(q k^T scale + mask) v and the attention weights, both (..., queries, ...)."""
    logits = product(mode, torch.matmul, (q, k.transpose(-1, -2)), {}) * scale
    if mask is not None:
        closed = ~mask if mask.dtype == torch.bool else mask.detach() == -torch.inf
        if mask.dtype != torch.bool:
            bias = torch.where(closed, 0.0, mask)
            logits = (
                logits + bias
                if mask.requires_grad
                else booked(mode, torch.add, (logits, bias), {}, "attention bias")
            )
        logits = torch.where(closed, -torch.inf, logits)
    weights = _softmax(mode, torch.softmax, (logits, -1), {})
    return product(mode, torch.matmul, (weights, v), {}), weights


def _scaled_dot_product(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    given = dict(zip(names, args, strict=False)) | kwargs
    q, k, v, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
    if given.get("enable_gqa"):
        groups = q.shape[-3] // k.shape[-3]
        k, v = k.repeat_interleave(groups, -3), v.repeat_interleave(groups, -3)
    if given.get("is_causal"):
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    return _attended(mode, q, k, v, mask, given.get("scale") or q.shape[-1] ** -0.5)[0]


NAMES = [
    "query",
    "key",
    "value",
    "embed_dim_to_check",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
    "out_proj_bias",
    "training",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "use_separate_proj_weight",
    "q_proj_weight",
    "k_proj_weight",
    "v_proj_weight",
    "static_k",
    "static_v",
    "average_attn_weights",
    "is_causal",
]
"""Arguments of torch's multi-head attention, in order."""


def _multi_head(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Multi-head attention, written out step by step; each head's relevance is recorded."""
    given = dict(zip(NAMES, args, strict=False)) | kwargs
    if any(given.get(name) is not None for name in ("bias_k", "bias_v", "static_k", "static_v")) or given.get(
        "add_zero_attn"
    ):
        msg = "Attention with added keys (bias_k, bias_v, add_zero_attn, static keys) cannot be followed; write it out."
        raise ExplanationError(msg)
    batched = given["query"].dim() == 3
    rows = [t.transpose(0, 1) if batched else t[None] for t in (given["query"], given["key"], given["value"])]
    q, k, v = _projected(mode, given, rows)
    heads = given["num_heads"]
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
    mask = _mask(given, len(q), heads)
    if given.get("is_causal") and mask is None:
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    values, weights = _attended(mode, q, k, v, mask, q.shape[-1] ** -0.5)
    place = mode.place(given["out_proj_weight"])[0].removesuffix(".out_proj")
    values = mode.recorded(f"heads of {place or 'attention'}", values)
    out = linear(
        mode,
        F.linear,
        (values.transpose(1, 2).flatten(2), given["out_proj_weight"], given["out_proj_bias"]),
        {},
    )
    shown = weights.detach().mean(1) if given.get("average_attn_weights", True) else weights.detach()
    shown = shown if batched else shown[0]
    return out.transpose(0, 1) if batched else out[0], shown if given.get("need_weights", True) else None


def _projected(mode: Propagation, given: Mapping[str, Any], rows: list[Tensor]) -> list[Tensor]:
    if given.get("use_separate_proj_weight"):
        matrices = [given[f"{name}_proj_weight"] for name in "qkv"]
    else:
        matrices = list(given["in_proj_weight"].chunk(3))
    biases = given["in_proj_bias"].chunk(3) if given.get("in_proj_bias") is not None else (None,) * 3
    return [linear(mode, F.linear, (x, w, b), {}) for x, w, b in zip(rows, matrices, biases, strict=True)]


def _mask(given: Mapping[str, Any], batch: int, heads: int) -> Tensor | None:
    """Returns what is added to the logits, or True where attention is open, shape (batch or 1, heads or 1, queries, keys)."""
    mask, padding = given.get("attn_mask"), given.get("key_padding_mask")
    if mask is not None:
        mask = ~mask if mask.dtype == torch.bool else mask
        mask = mask.unflatten(0, (batch, heads)) if mask.dim() == 3 else mask[None, None]
    if padding is None:
        return mask
    padding = (~padding if padding.dtype == torch.bool else padding).reshape(batch, 1, 1, -1)
    if mask is None or (mask.dtype == padding.dtype == torch.bool):
        return padding if mask is None else mask & padding
    as_number = [t if t.dtype != torch.bool else torch.where(t, 0.0, -torch.inf) for t in (mask, padding)]
    return as_number[0] + as_number[1]


ATTENTION: Mapping[str, Handler] = MappingProxyType(
    {
        "softmax": _softmax,
        "scaled_dot_product_attention": _scaled_dot_product,
        "multi_head_attention_forward": _multi_head,
    }
)
