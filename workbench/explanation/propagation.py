"""What watches the forward pass, and the books of it.

A `TorchFunctionMode` sees every function of torch. Values are never changed; what a rule changes is the way the gradient
takes, so that gradient times activation is relevance at every tensor and residuals, gathers, pooling and shared modules
are right without a special case. What a step keeps for itself (biases, shifts, what a rule absorbs) is entered, jet by
jet, in the ledger while the gradient passes.

Source: arXiv:2402.05602 (rules as modified gradients), arXiv:1604.00825 (layer-wise relevance propagation).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
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

MARK = "workbench_sees_inputs"
"""Attribute of tensors that are inputs of the network, moved about or scaled."""

ON_ZEROS = "on inputs that are zero"
"""Line for relevance that a rule gives by weights alone to values that are zero, between inputs and first layer."""

_HOMOGENEOUS, _JOINING = frozenset(HOMOGENEOUS.split()), frozenset(JOINING.split())


Handler = Callable[["Propagation", Callable, tuple, dict[str, Any]], Any]
"""Calls a function with the gradient that the rules ask for."""

OTHERWISE = "otherwise"


class UnknownRowsError(Exception):
    """The rows of a tensor cannot be told apart by jet; one jet at a time they can."""


class Books:
    """The ledger while relevance flows.

    Args:
        owner: Index of the jet that each row of the input belongs to, shape (rows,).
        jets: Number of jets.
        record: Whether to keep the relevance of edges, heads and layers.
    """

    def __init__(self, owner: Tensor, jets: int, *, record: bool = False) -> None:
        self.lines: dict[str, Tensor] = {}
        self.beside: dict[int, Tensor] = {}
        self.record = record
        self.recorded: dict[str, Tensor] = {}
        self.edges: dict[str, tuple[Tensor, Tensor]] = {}
        self.widest = 0
        self.jets = jets
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
        if self.jets == 1:
            return torch.zeros(rows if tensor.dim() else 1, dtype=torch.int64, device=self._device)
        owner = self._owners.get(rows) if tensor.dim() else None
        if owner is None:
            raise UnknownRowsError
        return owner

    def enter(self, line: str, owner: Tensor, amounts: Tensor) -> None:
        """Adds amounts, whose first axis is rows, to a line."""
        rows = (amounts.flatten(1).sum(1) if amounts.dim() > 1 else amounts.reshape(-1)).double()
        total = self.lines.setdefault(line, rows.new_zeros(self.jets))
        total.index_add_(0, owner, rows)

    def lay_beside(self, leaf: Tensor, relevance: Tensor) -> None:
        """Adds relevance of inputs that are zero, which no gradient can carry."""
        before = self.beside.get(leaf.data_ptr())
        relevance = relevance.reshape(leaf.shape)
        self.beside[leaf.data_ptr()] = relevance if before is None else before + relevance


class Routed(torch.autograd.Function):
    """A value whose gradient goes where `share` sends it, one gradient per path."""

    @staticmethod
    def forward(
        ctx: Any, share: Callable[[Tensor], Sequence[Tensor]], value: Tensor, *paths: Tensor
    ) -> Tensor:
        """Returns the value."""
        ctx.share = share
        return value.detach()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        """Returns what `share` makes of the gradient."""
        return None, None, *ctx.share(gradient)


class Propagation(TorchFunctionMode):
    """While active, makes gradient times activation the relevance under `rule` and keeps the books.

    Args:
        rule: How linear layers share relevance out.
        books: Where to enter what does not reach the inputs.
        handlers: Per name of a function how relevance passes it; `OTHERWISE` names that of all others.
        weights: Address of each of the network's weights, to recognise x @ W as a layer, with the name of its module and
            its depth.
        leaves: The inputs of the network.
        attention: How relevance passes a softmax: "attnlrp" or "cp".
    """

    def __init__(
        self,
        rule: Rule,
        books: Books,
        handlers: Mapping[str, Handler],
        weights: Mapping[int, tuple[str, float]] = MappingProxyType({}),
        leaves: Sequence[Tensor] = (),
        attention: str = "attnlrp",
    ) -> None:
        super().__init__()
        self.rule, self.books, self.handlers, self.weights = rule, books, handlers, weights
        self.leaves, self.attention = leaves, attention
        self.met_edges: tuple[Tensor, Tensor] | None = None
        for leaf in leaves:
            setattr(leaf, MARK, True)

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls `func`, with the gradient that the rules ask for where data passes through it."""
        kwargs = dict(kwargs or {})
        if not torch.is_grad_enabled() or not (holds_data(args) or holds_data(kwargs.values())):
            return func(*args, **kwargs)
        name, in_place = plain_name(func)
        if name in _HOMOGENEOUS or (name in _JOINING and _joins_data_only(name, args, kwargs)):
            return marked(self._rows_followed(name, args, func(*args, **kwargs)), args)
        if name in ("mul", "div") and not holds_data((*args[1:], *kwargs.values())):
            return marked(func(*args, **kwargs), args)
        if in_place:
            msg = (
                f"The network changes data in place by {func.__name__!r}, which leaves no trace to follow; "
                "write it as a function that returns its result."
            )
            raise ExplanationError(msg)
        return self.handlers.get(name, self.handlers[OTHERWISE])(self, func, args, kwargs)

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
        owner, books, line, channels = self.books.owner(layer.z), self.books, rule.absorbs, layer.channels
        x = passage.values[0].detach() if passage.relevance else None
        biases, back = passage.biases, passage.back

        def share(gradient: Tensor) -> Sequence[Tensor]:
            passed, absorbed = back(gradient)
            if absorbed is not None:
                books.enter(line, owner, absorbed)
            if x is not None:
                return [self._carried(x, passed[0])]
            for bias, through in zip(biases, passed, strict=True):
                if bias is not None:
                    books.enter("biases", owner, _per_row(through, channels) @ bias)
            return passed

        return Routed.apply(share, layer.z, *passage.values)

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
            books.enter(line, owner, _per_row(gradient, 1) @ shift)
            return [gradient * scale]

        return Routed.apply(share, y, x)

    def identity(self, line: str, x: Tensor, y: Tensor) -> Tensor:
        """Returns y = g(x), element by element, with the gradient y / x; what arises at x = 0 is entered in `line`."""
        owner, books = self.books.owner(y), self.books
        given = x.detach() != 0
        factor = torch.where(given, y.detach() / torch.where(given, x.detach(), 1.0), 0.0)
        arisen = torch.where(given, 0.0, y.detach())

        def share(gradient: Tensor) -> list[Tensor]:
            books.enter(line, owner, arisen * gradient)
            return [gradient * factor]

        return Routed.apply(share, y, x)

    def recorded(self, name: str, tensor: Tensor, *, summed: bool = False) -> Tensor:
        """Returns the tensor; if the books record, its relevance is kept under `name`, summed over the last axis or in its shape."""
        books, value = self.books, tensor.detach()
        if not books.record:
            return tensor

        def share(gradient: Tensor) -> list[Tensor]:
            relevance = value * gradient
            books.recorded[name] = relevance.sum(-1) if summed else relevance
            return [gradient]

        return Routed.apply(share, tensor, tensor)

    def counted(self, line: str, tensor: Tensor, sign: float) -> Tensor:
        """Returns the tensor; its relevance, times `sign`, is entered in `line`."""
        owner, books, amount = self.books.owner(tensor), self.books, tensor.detach().clone() * sign

        def share(gradient: Tensor) -> list[Tensor]:
            books.enter(line, owner, torch.where(gradient == 0, 0.0, amount * gradient))
            return [gradient]

        return Routed.apply(share, tensor, tensor)


def _per_row(gradient: Tensor, channels: int) -> Tensor:
    """Returns the gradient of each row's outputs, summed over places, shape (rows, outputs)."""
    if gradient.dim() < 3:
        return gradient
    return gradient.flatten(2).sum(2) if channels == 1 else gradient.flatten(1, -2).sum(1)


def _is_view(x: Tensor, leaf: Tensor) -> bool:
    return x.data_ptr() == leaf.data_ptr() and x.numel() == leaf.numel() and x.is_contiguous()


def sees_inputs(values: Any) -> bool:
    """Returns whether all data among the values is input of the network, moved about or scaled."""
    return all(hasattr(tensor, MARK) for tensor in tensors(values) if is_data(tensor))


def marked(result: Any, args: Any) -> Any:
    """Notes on tensors that are inputs of the network, moved about or scaled, that they are."""
    if sees_inputs(args):
        for tensor in tensors(result):
            setattr(tensor, MARK, True)
    return result


def is_data(value: Any) -> bool:
    """Returns whether a value is a tensor that depends on the inputs."""
    return isinstance(value, Tensor) and value.requires_grad


def holds_data(values: Iterable[Any]) -> bool:
    """Returns whether a data tensor is among the values or in a list or tuple among them."""
    for value in values:
        kind = type(value)
        if (kind is Tensor and value.requires_grad) or (
            (kind is list or kind is tuple) and holds_data(value)
        ):
            return True
    return False


def tensors(values: Any) -> Iterator[Tensor]:
    """Yields the tensors in a nest of tuples, lists and dicts."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from tensors(value)
    elif isinstance(values, dict):
        yield from tensors(list(values.values()))


def replaced(values: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Returns the same nest of tuples, lists and dicts with every data tensor changed."""
    if isinstance(values, Tensor):
        return change(values) if is_data(values) else values
    if isinstance(values, dict):
        return {name: replaced(value, change) for name, value in values.items()}
    if isinstance(values, list | tuple):
        members = [replaced(value, change) for value in values]
        return type(values)(*members) if hasattr(values, "_fields") else type(values)(members)
    return values


def plain_name(func: Callable) -> tuple[str, bool]:
    """Returns the name of what `func` computes ("add" for __radd__, add_ and torch.add) and whether it does so in place."""
    name = func.__name__
    if name == "__get__":
        return name, False
    if name.startswith("__"):
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
    constants = (t for t in tensors(operands) if t.is_floating_point() and not is_data(t))
    target = [args[0]] if name == "setitem" and not is_data(args[0]) else []
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
