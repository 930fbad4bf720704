"""Layer-wise relevance propagation through the true network."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ExplanationError
from .attention import ATTENTION
from .propagation import Books, Handler, Propagation, UnknownRowsError, is_data
from .recurrent import RECURRENT
from .rules import Rule
from .steps import STEPS

HANDLERS: Mapping[str, Handler] = MappingProxyType({**STEPS, **ATTENTION, **RECURRENT})
"""How relevance passes each function of torch, by its plain name."""


@dataclass(frozen=True)
class Flow:
    """What flowed back.

    Attributes:
        relevance: Of each input value, shape (rows, features), in units of the score.
        score: Shape (jets,), float64.
        lines: Ledger lines, each of shape (jets,), float64.
        widest: Number of values of the largest tensor on the way, a measure of the memory it took.
        recorded: Relevance of inner tensors by name, if it was asked for: edges, shape (edges,); heads, shape (jets, heads,
            steps, features); layers (the outputs of named modules), in their shapes without the last axis.
        edges: Per name of edges the particles (i, j) of each, shapes (edges,).
    """

    relevance: Tensor
    score: Tensor
    lines: Mapping[str, Tensor]
    widest: int
    recorded: Mapping[str, Tensor] = field(default_factory=dict)
    edges: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


def frozen(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode that shares the weights and cannot change the network.

    Raises:
        ExplanationError: the network is scripted or compiled, so that its functions cannot be seen.
    """
    for module in network.modules():
        compiled = hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        if isinstance(module, torch.jit.ScriptModule | torch.jit.ScriptFunction) or compiled:
            msg = f"The network holds a scripted or compiled part ({type(module).__name__}), which hides its steps; give the plain module."
            raise ExplanationError(msg)
    attributes = (value for module in network.modules() for value in vars(module).values())
    shared: dict[int, Any] = {id(value): value.detach() for value in attributes if isinstance(value, Tensor)}
    shared |= {id(p): p.detach() for p in network.parameters()}
    shared |= {id(b): b.detach().clone() for b in network.buffers()}
    return copy.deepcopy(network, shared).eval()


def doubled(network: nn.Module) -> Callable[[], nn.Module]:
    """Returns what gives the `frozen` network in double precision; the copy is made when it is first asked for."""
    return cache(lambda: frozen(network).double())


def followed(
    score: Callable[[Sequence[Tensor]], Tensor],
    network: nn.Module,
    leaves: Sequence[Tensor],
    books: Books,
    rule: Rule,
    attention: str = "attnlrp",
) -> tuple[list[Tensor], Tensor]:
    """Returns the relevance of each leaf, in its shape, and the score, shape (jets,) float64; the rest stands in the books.

    Args:
        score: Returns the score of every jet from the leaves; all that happens in it is followed.
        network: The `frozen` network whose weights `score` uses.
        leaves: Inputs, floating point; relevance flows back to them.
        books: Empty books of these jets.
        rule: How linear layers share relevance out.
        attention: How it passes a softmax: "attnlrp", or "cp", which takes attention weights as given.

    Raises:
        ExplanationError: the score does not depend on the leaves.
        UnknownRowsError: rows of an inner tensor cannot be told apart by jet.
    """
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    with torch.enable_grad():
        inputs = [leaf.clone() for leaf in leaves]
        mode = Propagation(rule, books, HANDLERS, _places(network), inputs, attention)
        with mode, _recording(network, mode):
            found = score(inputs)
        if not found.requires_grad:
            msg = "The score does not depend on the inputs by anything that can be differentiated."
            raise ExplanationError(msg)
        found = found.double()
        gradients = torch.autograd.grad(found.sum(), leaves, allow_unused=True)
    relevance = []
    for leaf, given, gradient in zip(leaves, inputs, gradients, strict=True):
        flown = torch.zeros_like(leaf) if gradient is None else leaf.detach() * gradient
        beside = books.beside.get(given.data_ptr())
        relevance.append(flown if beside is None else flown + beside)
    return relevance, found.detach()


@contextmanager
def _recording(network: nn.Module, mode: Propagation) -> Iterator[None]:
    """Records, if the books do, the outputs of the named modules of a network: its layers."""
    if not mode.books.record:
        yield
        return

    def keep(name: str) -> Callable[..., Any]:
        return lambda module, inputs, output: (
            mode.recorded(name, output, summed=True)
            if isinstance(output, Tensor) and is_data(output)
            else output
        )

    hooks = [module.register_forward_hook(keep(name)) for name, module in network.named_modules() if name]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def propagate(
    network: nn.Module,
    x: Tensor,
    counts: Tensor | None,
    seed: Tensor,
    rule: Rule,
    attention: str = "attnlrp",
    *,
    record: bool = False,
) -> Flow:
    """Returns the relevance of the inputs of a `frozen` network, and the books.

    Args:
        network: Called as network(x, counts), or network(x) where counts is None; returns logits (jets, classes).
        x: Inputs of all jets, shape (rows, features).
        counts: Rows of each jet, shape (jets,); None for one row per jet.
        seed: The score is logits @ seed, shape (classes,).
        rule: How linear layers share relevance out.
        attention: As in `followed`.
        record: Whether to keep the relevance of edges, heads and layers; rows of different jets must be told apart.
    """
    jets = len(x) if counts is None else len(counts)
    numbers = torch.arange(jets, device=x.device)
    books = Books(numbers if counts is None else numbers.repeat_interleave(counts), jets, record=record)

    def score(leaves: Sequence[Tensor]) -> Tensor:
        logits = network(*leaves) if counts is None else network(*leaves, counts)
        return logits.double() @ seed.to(logits.device, torch.float64)

    try:
        (relevance,), found = followed(score, network, [x], books, rule, attention)
    except UnknownRowsError:
        if record:
            raise
        return _one_by_one(network, x, counts, seed, rule, attention)
    return Flow(relevance, found, books.lines, books.widest, books.recorded, books.edges)


def _one_by_one(
    network: nn.Module, x: Tensor, counts: Tensor | None, seed: Tensor, rule: Rule, attention: str
) -> Flow:
    sizes = [1] * len(x) if counts is None else counts.tolist()
    flows = [
        propagate(network, rows, None if counts is None else counts[jet : jet + 1], seed, rule, attention)
        for jet, rows in enumerate(x.split(sizes))
    ]
    return joined(flows)


def joined(flows: Sequence[Flow]) -> Flow:
    """Returns one flow of several, in order; a line that a flow lacks is zero there."""
    names = dict.fromkeys(name for flow in flows for name in flow.lines)
    rows = np.cumsum([0, *(len(flow.relevance) for flow in flows)]).tolist()
    return Flow(
        torch.cat([flow.relevance for flow in flows]),
        torch.cat([flow.score for flow in flows]),
        {
            name: torch.cat([flow.lines.get(name, torch.zeros_like(flow.score)) for flow in flows])
            for name in names
        },
        max(flow.widest for flow in flows),
        {name: torch.cat([flow.recorded[name] for flow in flows]) for name in flows[0].recorded},
        {
            name: (
                torch.cat([flow.edges[name][0] + row for flow, row in zip(flows, rows, strict=False)]),
                torch.cat([flow.edges[name][1] + row for flow, row in zip(flows, rows, strict=False)]),
            )
            for name in flows[0].edges
        },
    )


def _places(network: nn.Module) -> dict[int, tuple[str, float]]:
    """Returns per address of a parameter the name of its module and its depth among those that hold matrices."""
    held = [
        (name, p)
        for name, module in network.named_modules()
        for p in module.__dict__.get("_parameters", {}).values()
        if p is not None
    ]
    names = list(dict.fromkeys(name for name, parameter in held if parameter.dim() > 1))
    depth = {name: place / max(1, len(names) - 1) for place, name in enumerate(names)}
    return {p.untyped_storage().data_ptr(): (name, depth.get(name, 0.0)) for name, p in reversed(held)}
