"""Layer-wise relevance propagation through the true network, and the books of it.

A `TorchFunctionMode` watches the forward pass. Values are never changed; what a rule changes is the way the gradient
takes, so that gradient times activation is relevance at every tensor and residuals, gathers, pooling and shared modules
are right without a special case. What a step keeps for itself (biases, shifts, what a rule absorbs) is entered, jet by
jet, in the ledger while the gradient passes.

Source: arXiv:2402.05602 (rules as modified gradients), arXiv:1604.00825 (layer-wise relevance propagation).
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import ExplanationError
from .rules import Composite, Layer, Rule

HOMOGENEOUS = """
    __get__ len size dim numel new_zeros relu leaky_relu prelu abs absolute neg negative positive sum nansum mean amax amin
    median topk sort cumsum norm vector_norm linalg_vector_norm chunk split tensor_split unbind index_select gather
    take_along_dim select narrow masked_select repeat repeat_interleave expand expand_as broadcast_to reshape reshape_as view
    view_as flatten unflatten ravel squeeze unsqueeze transpose t permute movedim moveaxis swapaxes contiguous clone to type
    type_as float double half bfloat16 roll flip tril triu unfold segment_reduce max_pool1d max_pool2d max_pool3d avg_pool1d
    avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    adaptive_max_pool3d dropout dropout1d dropout2d dropout3d detach requires_grad getitem
"""
"""Functions of degree one in their data: gradient times input shares them out exactly."""

JOINING = """
    add sub where cat concat concatenate stack hstack vstack max min maximum minimum fmax fmin
    index_add scatter_add scatter_reduce index_copy index_reduce setitem
"""
"""The same of functions of several operands, where none of these is a constant other than zero."""

IDENTITY = "gelu silu elu selu celu mish hardswish tanh softsign sqrt square pow"
"""Functions of one number: relevance passes through unchanged where the input is not zero."""

ON_ZEROS = "on inputs that are zero"
"""Line for relevance that a rule gives by weights alone to values that are zero, between inputs and first layer."""

_HOMOGENEOUS, _JOINING = frozenset(HOMOGENEOUS.split()), frozenset(JOINING.split())


class UnknownRowsError(Exception):
    """The rows of a tensor cannot be told apart by jet; one jet at a time they can."""


class Books:
    """The ledger while relevance flows.

    Args:
        owner: Index of the jet that each row of the input belongs to, shape (rows,).
        jets: Number of jets.
    """

    def __init__(self, owner: Tensor, jets: int) -> None:
        self.lines: dict[str, Tensor] = {}
        self.beside: dict[int, Tensor] = {}
        self.widest = 0
        self._jets = jets
        self._device = owner.device
        self._owners: dict[int, Tensor | None] = {}
        self.know(owner)
        self.know(torch.arange(jets, device=owner.device))

    def know(self, owner: Tensor) -> None:
        """Notes that tensors with as many rows belong to these jets; two layouts of one length are told apart by nothing."""
        known = self._owners.get(len(owner), owner)
        agreed = known is not None and torch.equal(known, owner)
        self._owners[len(owner)] = owner if agreed else None

    def owner(self, tensor: Tensor) -> Tensor:
        """Returns the jet of each row of a tensor.

        Raises:
            UnknownRowsError: its number of rows fits no layout, or two.
        """
        rows = len(tensor) if tensor.dim() else 0
        self.widest = max(self.widest, tensor.numel())
        if self._jets == 1:
            return torch.zeros(rows if tensor.dim() else 1, dtype=torch.int64, device=self._device)
        owner = self._owners.get(rows) if tensor.dim() else None
        if owner is None:
            raise UnknownRowsError
        return owner

    def enter(self, line: str, owner: Tensor, amounts: Tensor) -> None:
        """Adds amounts, whose first axis is rows, to a line."""
        rows = (amounts.flatten(1).sum(1) if amounts.dim() > 1 else amounts.reshape(-1)).double()
        total = self.lines.setdefault(line, rows.new_zeros(self._jets))
        total.index_add_(0, owner, rows)

    def lay_beside(self, leaf: Tensor, relevance: Tensor) -> None:
        """Adds relevance of inputs that are zero, which no gradient can carry."""
        before = self.beside.get(leaf.data_ptr())
        relevance = relevance.reshape(leaf.shape)
        self.beside[leaf.data_ptr()] = relevance if before is None else before + relevance


class _Routed(torch.autograd.Function):
    """A value whose gradient goes where `share` sends it, one gradient per path."""

    @staticmethod
    def forward(
        ctx: Any, share: Callable[[Tensor], Sequence[Tensor]], value: Tensor, *paths: Tensor
    ) -> Tensor:
        ctx.share = share
        return value.detach()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        return None, None, *ctx.share(gradient)


class Propagation(TorchFunctionMode):
    """While active, makes gradient times activation the relevance under `rule` and keeps the books.

    Args:
        rule: How linear layers share relevance out.
        books: Where to enter what does not reach the inputs.
        weights: Address of each of the network's weights, to recognise x @ W as a layer, with the name of its module and
            its depth.
        leaves: The inputs of the network.
    """

    def __init__(
        self,
        rule: Rule,
        books: Books,
        weights: Mapping[int, tuple[str, float]] = MappingProxyType({}),
        leaves: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.rule, self.books, self.weights, self.leaves = rule, books, weights, leaves
        for leaf in leaves:
            leaf.sees_inputs = True  # type: ignore[attr-defined]

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls `func`, with the gradient that the rules ask for where data passes through it."""
        kwargs = dict(kwargs or {})
        if not torch.is_grad_enabled() or not (_holds_data(args) or _holds_data(kwargs.values())):
            return func(*args, **kwargs)
        name, in_place = _plain_name(func)
        if name in _HOMOGENEOUS or (name in _JOINING and _joins_data_only(name, args, kwargs)):
            return _marked(self._rows_followed(name, args, func(*args, **kwargs)), args)
        if name in ("mul", "div") and not _holds_data((*args[1:], *kwargs.values())):
            return _marked(func(*args, **kwargs), args)
        if in_place:
            msg = (
                f"The network changes data in place by {func.__name__!r}, which leaves no trace to follow; "
                "write it as a function that returns its result."
            )
            raise ExplanationError(msg)
        return HANDLERS.get(name, booked)(self, func, args, kwargs)

    def _rows_followed(self, name: str, args: tuple, result: Any) -> Any:
        """Notes which jets the rows of `result` belong to where rows were picked by index."""
        pick = _picked_rows(name, args)
        if pick is not None:
            with torch.no_grad():
                self.books.know(self.books.owner(args[0])[pick])
        return result

    def is_weight(self, tensor: Tensor) -> bool:
        """Returns whether a tensor is one of the network's weights or a view of one."""
        return tensor.untyped_storage().data_ptr() in self.weights

    def place(self, weight: Tensor) -> tuple[str, float]:
        """Returns the name of the module that holds a weight and its depth, 0 to 1."""
        return self.weights.get(weight.untyped_storage().data_ptr(), ("", 0.0))

    def layer(self, layer: Layer) -> Tensor:
        """Returns the outputs of a linear layer with the gradient of the rule."""
        rule = self.rule.of(layer) if isinstance(self.rule, Composite) else self.rule
        passage = rule(layer)
        owner, books, line = self.books.owner(layer.z), self.books, rule.absorbs

        def share(gradient: Tensor) -> Sequence[Tensor]:
            passed, absorbed = passage.back(gradient)
            if absorbed is not None:
                books.enter(line, owner, absorbed)
            if passage.relevance:
                return [self._carried(passage.values[0].detach(), passed[0])]
            for bias, through in zip(passage.biases, passed, strict=True):
                if bias is not None:
                    books.enter("biases", owner, through.movedim(layer.channels, -1) @ bias)
            return passed

        return _Routed.apply(share, layer.z, *passage.values)

    def _carried(self, x: Tensor, relevance: Tensor) -> Tensor:
        """Returns the gradient that carries this relevance of x; what x = 0 cannot carry is laid beside the inputs or entered."""
        given = x != 0
        rest = torch.where(given, 0.0, relevance)
        leaf = next((leaf for leaf in self.leaves if _is_view(x, leaf)), None)
        if leaf is not None:
            self.books.lay_beside(leaf, rest)
        elif bool(rest.any()):
            self.books.enter(ON_ZEROS, self.books.owner(x), rest)
        return torch.where(given, relevance / torch.where(given, x, 1.0), 0.0)

    def scaled(self, line: str, x: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns y = x scale + shift, per channel of axis 1; the shift is entered in `line`."""
        owner, books = self.books.owner(y), self.books
        scale = scale.reshape(-1, *[1] * (x.dim() - 2))

        def share(gradient: Tensor) -> list[Tensor]:
            books.enter(line, owner, gradient.movedim(1, -1) @ shift)
            return [gradient * scale]

        return _Routed.apply(share, y, x)

    def identity(self, line: str, x: Tensor, y: Tensor) -> Tensor:
        """Returns y = g(x), element by element, with the gradient y / x; what arises at x = 0 is entered in `line`."""
        owner, books = self.books.owner(y), self.books
        given = x.detach() != 0
        factor = torch.where(given, y.detach() / torch.where(given, x.detach(), 1.0), 0.0)
        arisen = torch.where(given, 0.0, y.detach())

        def share(gradient: Tensor) -> list[Tensor]:
            books.enter(line, owner, arisen * gradient)
            return [gradient * factor]

        return _Routed.apply(share, y, x)

    def counted(self, line: str, tensor: Tensor, sign: float) -> Tensor:
        """Returns the tensor; its relevance, times `sign`, is entered in `line`."""
        owner, books, amount = self.books.owner(tensor), self.books, tensor.detach().clone() * sign

        def share(gradient: Tensor) -> list[Tensor]:
            books.enter(line, owner, torch.where(gradient == 0, 0.0, amount * gradient))
            return [gradient]

        return _Routed.apply(share, tensor, tensor)


def _is_view(x: Tensor, leaf: Tensor) -> bool:
    return x.data_ptr() == leaf.data_ptr() and x.numel() == leaf.numel() and x.is_contiguous()


def _sees_inputs(values: Any) -> bool:
    return all(hasattr(tensor, "sees_inputs") for tensor in _tensors(values) if _is_data(tensor))


def _marked(result: Any, args: Any) -> Any:
    """Notes on tensors that are inputs of the network, moved about or scaled, that they are."""
    if _sees_inputs(args):
        for tensor in _tensors(result):
            tensor.sees_inputs = True  # type: ignore[attr-defined]
    return result


def _is_data(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _holds_data(values: Iterable[Any]) -> bool:
    """Returns whether a data tensor is among the values or in a list or tuple among them."""
    for value in values:
        kind = type(value)
        if (kind is Tensor and value.requires_grad) or (
            (kind is list or kind is tuple) and _holds_data(value)
        ):
            return True
    return False


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


def _replaced(values: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Returns the same nest of tuples, lists and dicts with every data tensor changed."""
    if isinstance(values, Tensor):
        return change(values) if _is_data(values) else values
    if isinstance(values, dict):
        return {name: _replaced(value, change) for name, value in values.items()}
    if isinstance(values, list | tuple):
        members = [_replaced(value, change) for value in values]
        return type(values)(*members) if hasattr(values, "_fields") else type(values)(members)
    return values


def _plain_name(func: Callable) -> tuple[str, bool]:
    """Returns the name of what `func` computes ("add" for __radd__, add_ and torch.add) and whether it does so in place."""
    name = func.__name__
    if name.startswith("__") and name != "__get__":
        name = name.strip("_")
        in_place = name in ("iadd", "isub", "imul", "itruediv", "idiv", "ipow", "imatmul", "setitem")
        if name in REFLECTED:
            return REFLECTED[name], False
        return (name.removeprefix("i") if in_place else name).replace("truediv", "div"), in_place
    return name.removesuffix("_"), name.endswith("_") and not name.startswith("_")


REFLECTED = {
    "radd": "add",
    "rmul": "mul",
    "rsub": "sub",
    "rdiv": "reflected div",
    "rtruediv": "reflected div",
}


def _joins_data_only(name: str, args: tuple, kwargs: Mapping[str, Any]) -> bool:
    """Returns whether every operand is data or zero."""
    if "other" in kwargs:
        args = (*args, kwargs["other"])
    operands = args[2:] if name == "setitem" else args
    numbers = (
        [n for n in operands if isinstance(n, float | int)]
        if name in ("add", "sub", "where", "setitem")
        else []
    )
    constants = (t for t in _tensors(operands) if t.is_floating_point() and not _is_data(t))
    target = [args[0]] if name == "setitem" and not _is_data(args[0]) else []
    return not any(numbers) and not any(bool(t.any()) for t in chain(constants, target))


def _picked_rows(name: str, args: tuple) -> Tensor | slice | None:
    """Returns the index along the first axis that a look-up uses, None where there is none to follow."""
    if name == "index_select" and args[1] == 0:
        return args[2]
    if name == "getitem":
        key = args[1][0] if isinstance(args[1], tuple) and args[1] else args[1]
        if isinstance(key, Tensor) and key.dtype == torch.bool:
            return key if key.dim() == 1 else None
        if isinstance(key, Tensor) and key.dim():
            return key.reshape(len(key), -1)[:, 0] if key.numel() else None
        if isinstance(key, slice) and key != slice(None):
            return key
    return None


def booked(
    mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any], line: str | None = None
) -> Any:
    """Returns func(...) with its natural gradient; what it gives beyond what it takes is entered under its name."""
    result = func(*args, **kwargs)
    if not _holds_data((result,)) and not _is_data(result):
        return result
    name = line or _plain_name(func)[0].replace("_", " ")
    args, kwargs = _replaced((args, kwargs), lambda tensor: mode.counted(name, tensor, -1.0))
    return _replaced(func(*args, **kwargs), lambda tensor: mode.counted(name, tensor, 1.0))


def _linear(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
    x, weight, bias = given.pop("input"), given.pop("weight"), given.pop("bias", None)
    if not _is_data(x) or _is_data(weight):
        return booked(mode, func, args, kwargs)

    def apply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return func(x, weight, bias, *args[3:], **given)

    channels = 1 if func.__name__.startswith("conv") else -1
    name, depth = mode.place(weight)
    first = _sees_inputs((x,))
    return mode.layer(
        Layer(apply, lambda: x, weight, bias, apply(x, weight, bias), channels, name, depth, first)
    )


def _edge_linear(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    x, i, j, weight, *rest = args
    bias = rest[0] if rest else kwargs.get("bias")
    mode.books.know(mode.books.owner(x)[i])

    def inputs() -> Tensor:
        own = x.index_select(0, i)
        return torch.cat([own, x.index_select(0, j) - own], dim=1)

    z, place = func(x, i, j, weight, bias), mode.place(weight)
    return mode.layer(Layer(F.linear, inputs, weight, bias, z, -1, *place, _sees_inputs((x,))))


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
    return _marked(mode.scaled("batch norm", given["input"], y, scale, shift), (given["input"],))


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


def _product(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A product of two data tensors gives half of its relevance to each; x @ W with a weight is a layer."""
    data = [tensor for tensor in _tensors(args) if _is_data(tensor)]
    if len(data) > 2 or kwargs:
        return booked(mode, func, args, kwargs)
    if len(data) == 2:
        return func(*_replaced(args, lambda tensor: tensor * 0.5 + (tensor * 0.5).detach()))
    x, weight = args[:2]
    if (
        func.__name__ != "einsum"
        and isinstance(weight, Tensor)
        and mode.is_weight(weight)
        and weight.dim() == 2
    ):
        return _linear(mode, F.linear, (x, weight.t()), {})
    return func(*args)


def _quotient(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A quotient of two data tensors gives all of its relevance to the numerator."""
    return func(args[0], args[1].detach(), **kwargs)


def _reciprocal(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    return func(args[0].detach(), *args[1:], **kwargs)


def _element_wise(mode: Propagation, func: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    if len(args) > 1 and _is_data(args[1]) or not args:
        return booked(mode, func, args, kwargs)
    kwargs.pop("inplace", None)
    return mode.identity(_plain_name(func)[0], args[0], func(*args, **kwargs))


HANDLERS: Mapping[str, Callable[[Propagation, Callable, tuple, dict[str, Any]], Any]] = {
    "linear": _linear,
    "row_linear": _linear,
    "conv1d": _linear,
    "conv2d": _linear,
    "conv3d": _linear,
    "edge_linear": _edge_linear,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "div": _quotient,
    "reflected div": _reciprocal,
    **dict.fromkeys(("mul", "matmul", "mm", "bmm", "einsum", "inner", "outer", "dot"), _product),
    **dict.fromkeys(IDENTITY.split(), _element_wise),
}


@dataclass(frozen=True)
class Flow:
    """What flowed back.

    Attributes:
        relevance: Of each input value, shape (rows, features), in units of the score.
        score: Shape (jets,), float64.
        lines: Ledger lines, each of shape (jets,), float64.
        widest: Number of values of the largest tensor on the way, a measure of the memory it took.
    """

    relevance: Tensor
    score: Tensor
    lines: Mapping[str, Tensor]
    widest: int


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
    shared: dict[int, Any] = {id(p): p.detach() for p in network.parameters()}
    shared |= {id(b): b.detach().clone() for b in network.buffers()}
    return copy.deepcopy(network, shared).eval()


def propagate(network: nn.Module, x: Tensor, counts: Tensor | None, seed: Tensor, rule: Rule) -> Flow:
    """Returns the relevance of the inputs of a `frozen` network, and the books.

    Args:
        network: Called as network(x, counts), or network(x) where counts is None; returns logits (jets, classes).
        x: Inputs of all jets, shape (rows, features).
        counts: Rows of each jet, shape (jets,); None for one row per jet.
        seed: The score is logits @ seed, shape (classes,).
        rule: How linear layers share relevance out.
    """
    jets = len(x) if counts is None else len(counts)
    numbers = torch.arange(jets, device=x.device)
    books = Books(numbers if counts is None else numbers.repeat_interleave(counts), jets)
    leaf = x.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            inputs = leaf.clone()
            with Propagation(rule, books, _addresses(network), [inputs]):
                logits = network(inputs) if counts is None else network(inputs, counts)
            if not logits.requires_grad:
                msg = "The logits do not depend on the inputs by anything that can be differentiated."
                raise ExplanationError(msg)
            score = logits.double() @ seed.double()
            (gradient,) = torch.autograd.grad(score.sum(), leaf)
    except UnknownRowsError:
        return _one_by_one(network, x, counts, seed, rule)
    relevance = leaf.detach() * gradient
    for beside in books.beside.values():
        relevance = relevance + beside
    return Flow(relevance, score.detach(), books.lines, books.widest)


def _one_by_one(network: nn.Module, x: Tensor, counts: Tensor | None, seed: Tensor, rule: Rule) -> Flow:
    sizes = [1] * len(x) if counts is None else counts.tolist()
    flows = [
        propagate(network, rows, None if counts is None else counts[jet : jet + 1], seed, rule)
        for jet, rows in enumerate(x.split(sizes))
    ]
    return joined(flows)


def joined(flows: Sequence[Flow]) -> Flow:
    """Returns one flow of several, in order; a line that a flow lacks is zero there."""
    names = dict.fromkeys(name for flow in flows for name in flow.lines)
    return Flow(
        torch.cat([flow.relevance for flow in flows]),
        torch.cat([flow.score for flow in flows]),
        {
            name: torch.cat([flow.lines.get(name, torch.zeros_like(flow.score)) for flow in flows])
            for name in names
        },
        max(flow.widest for flow in flows),
    )


def _addresses(network: nn.Module) -> dict[int, tuple[str, float]]:
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
