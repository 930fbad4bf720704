"""How relevance passes recurrent layers: written out step by step, gates take none.

Source: arXiv:1706.07206 (the signal of a gated product gets all of its relevance, the gate none).
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ExplanationError
from .propagation import Handler, Propagation
from .rules import Layer
from .steps import booked

State = tuple[Tensor, ...]
Cell = Callable[[Propagation, Tensor, State, Sequence[Tensor | None]], State]


def _together(
    mode: Propagation, x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor | None, c: Tensor | None
) -> Tensor:
    """Returns w x + u h + b + c as the one layer that it is."""
    both, bias = torch.cat([x, h], 1), None if b is None or c is None else b + c
    weight = torch.cat([w, u], 1)

    def apply(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(rows, weight, bias)

    return mode.layer(Layer(apply, lambda: both, weight, bias, apply(both, weight, bias), -1, *mode.place(w)))


def _lstm(mode: Propagation, x: Tensor, state: State, weights: Sequence[Tensor | None]) -> State:
    h, c = state
    w, u, b, d = weights
    assert w is not None
    assert u is not None
    i, f, g, o = _together(mode, x, h, w, u, b, d).chunk(4, 1)
    new = mode.identity("tanh", g, g.tanh())
    c = f.sigmoid().detach() * c + i.sigmoid().detach() * new
    return o.sigmoid().detach() * mode.identity("tanh", c, c.tanh()), c


def _gru(mode: Propagation, x: Tensor, state: State, weights: Sequence[Tensor | None]) -> State:
    (h,), (w, u, b, d) = state, weights
    assert w is not None
    assert u is not None
    w_gates, w_new = w.split([2 * h.shape[1], h.shape[1]])
    u_gates, u_new = u.split([2 * h.shape[1], h.shape[1]])
    b_parts = (None, None) if b is None else b.split([2 * h.shape[1], h.shape[1]])
    d_parts = (None, None) if d is None else d.split([2 * h.shape[1], h.shape[1]])
    bias = None if b_parts[0] is None or d_parts[0] is None else b_parts[0] + d_parts[0]
    with torch.no_grad():
        reset, keep = (F.linear(x, w_gates, bias) + F.linear(h, u_gates)).sigmoid().chunk(2, 1)
    # reset * (u h + d) is the layer with each row of u, and d, scaled by the reset of that row: a product with a gate.
    given = mode.layer(_plain(mode, x, w_new, b_parts[1]))
    recalled = mode.layer(_plain(mode, h, u_new, d_parts[1]))
    if h.requires_grad:
        z = given + reset * recalled
    else:
        z = booked(mode, torch.add, (given, reset * recalled), {}, "biases")
    new = mode.identity("tanh", z, z.tanh())
    return ((1 - keep) * new + keep * h,)


def _plain(mode: Propagation, x: Tensor, weight: Tensor, bias: Tensor | None) -> Layer:
    return Layer(F.linear, lambda: x, weight, bias, F.linear(x, weight, bias), -1, *mode.place(weight))


def _simple(activation: str) -> Cell:
    def cell(mode: Propagation, x: Tensor, state: State, weights: Sequence[Tensor | None]) -> State:
        w, u, b, d = weights
        assert w is not None
        assert u is not None
        z = _together(mode, x, state[0], w, u, b, d)
        return (mode.identity("tanh", z, z.tanh()) if activation == "tanh" else z.relu(),)

    return cell


def _unrolled(cell: Cell, states: int) -> Handler:
    def handler(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
        x, initial, flat, biased, layers, _, _, both_ways, batch_first = args
        initial = (initial,) if isinstance(initial, Tensor) else initial
        rows = x.unbind(1) if batch_first else x.unbind(0)
        ways, size = 2 if both_ways else 1, 4 if biased else 2
        last: list[State] = []
        for layer in range(layers):
            sides = []
            for way in range(ways):
                at = layer * ways + way
                weights = [*flat[at * size : (at + 1) * size], *[None] * (4 - size)]
                state = tuple(s[at] for s in initial)
                out = []
                for row in rows[:: -1 if way else 1]:
                    state = cell(mode, row, state, weights)
                    out.append(state[0])
                sides.append(out[:: -1 if way else 1])
                last.append(state)
            rows = [torch.cat(parts, 1) for parts in zip(*sides, strict=True)]
        ends = tuple(torch.stack([state[n] for state in last]) for n in range(states))
        return torch.stack(rows, 1 if batch_first else 0), *ends

    return handler


def _packed(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    msg = "Packed sequences cannot be followed; give padded ones to the recurrent layer, or one length at a time."
    raise ExplanationError(msg)


RECURRENT: Mapping[str, Handler] = MappingProxyType(
    {
        "lstm": _unrolled(_lstm, 2),
        "gru": _unrolled(_gru, 1),
        "rnn_tanh": _unrolled(_simple("tanh"), 1),
        "rnn_relu": _unrolled(_simple("relu"), 1),
        "_pack_padded_sequence": _packed,
    }
)
