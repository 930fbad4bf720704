"""The user's own module: what goes in, which score is meant, and its relevance however the module lays out its rows."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.explanation import Explanation, Ledger
from ..data.origin import fingerprint
from ..engines.weights import as_array, network_fingerprint
from ..errors import ExplanationError
from ..progress import Report, Step, Stop
from .closing import CLOSED, OPEN_BOOKS, require_closed, settings_of, versions
from .lrp import doubled, followed, frozen
from .propagation import Books, UnknownRowsError
from .rules import Rule, rule_named

Tensors = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
"""Inputs of a module: one tensor, several in order, or several by name."""

Target = int | tuple[int, int] | Tensor | Callable[[Any], Tensor] | None
"""Which score: an output, the difference of two, weights of the outputs, or a function of what the module returns."""

FIRST_JETS = 16
"""Jets explained first, to learn how much memory the module takes."""

VALUES_AT_ONCE = 3 * 2**18
"""Size of the largest tensor on the way through the module: what stays in a cache is not fetched again for every step."""

OTHER_SCORE = 1e-2
"""Scores that differ by more, alone and in company, belong to a module that looks at the other jets."""


@dataclass(frozen=True)
class Inputs:
    """Inputs of a module; axis 0 of each counts jets.

    Attributes:
        names: Of the inputs, for people; as the module's `forward` calls them where that can be seen.
        tensors: The inputs.
        by_name: Whether the module is called with names.
    """

    names: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    by_name: bool

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, jets: slice | Tensor) -> "Inputs":
        return replace(self, tensors=tuple(tensor[jets] for tensor in self.tensors))

    @property
    def leaves(self) -> tuple[Tensor, ...]:
        """Inputs of floating point, which relevance flows back to."""
        return tuple(tensor for tensor in self.tensors if tensor.is_floating_point())

    @property
    def leaf_names(self) -> tuple[str, ...]:
        """Names of the leaves."""
        return tuple(
            n for n, tensor in zip(self.names, self.tensors, strict=True) if tensor.is_floating_point()
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """Name of each leaf's line in the ledger."""
        return ("inputs",) if len(self.leaves) == 1 else tuple(f"inputs {name}" for name in self.leaf_names)

    def like(self, network: nn.Module) -> "Inputs":
        """Returns the inputs on the device and, floating ones, in the precision of a network."""
        like = next((p for p in network.parameters() if p.is_floating_point()), None)
        if like is None:
            return self
        return replace(
            self,
            tensors=tuple(t.to(like) if t.is_floating_point() else t.to(like.device) for t in self.tensors),
        )

    def passed_to(self, network: nn.Module, leaves: Sequence[Tensor]) -> Any:
        """Returns what the network makes of these leaves and the other inputs."""
        given = iter(leaves)
        values = [next(given) if tensor.is_floating_point() else tensor for tensor in self.tensors]
        return network(**dict(zip(self.names, values, strict=True))) if self.by_name else network(*values)


def inputs_of(module: nn.Module, tensors: Tensors) -> Inputs:
    """Returns the inputs of a module, checked.

    Raises:
        ExplanationError: not tensors, no jets, different numbers of jets, no floating input, or a value that is not finite.
    """
    by_name = isinstance(tensors, Mapping)
    given = tuple(tensors.values()) if isinstance(tensors, Mapping) else tensors
    given = given if isinstance(given, tuple) else (given,)
    strange = [type(value).__name__ for value in given if not isinstance(value, Tensor)]
    if strange or not given:
        msg = f"Expected a tensor, a tuple of tensors or a dict of tensors for the module, found {', '.join(strange) or 'none'}."
        raise ExplanationError(msg)
    names = tuple(tensors) if isinstance(tensors, Mapping) else _names(module, len(given))
    jets = {name: len(t) if t.dim() else None for name, t in zip(names, given, strict=True)}
    if len(set(jets.values())) > 1 or None in jets.values():
        found = ", ".join(f"{count} in {name!r}" for name, count in jets.items())
        msg = f"Axis 0 of every input counts jets; found {found}."
        raise ExplanationError(msg)
    inputs = Inputs(names, tuple(t.detach() for t in given), by_name)
    if not len(inputs):
        msg = "There are no jets to explain; give at least one."
        raise ExplanationError(msg)
    if not inputs.leaves:
        msg = "None of the inputs is of floating point, so relevance has nowhere to go; give what follows the embedding."
        raise ExplanationError(msg)
    for name, leaf in zip(inputs.leaf_names, inputs.leaves, strict=True):
        wrong = (~torch.isfinite(leaf)).nonzero()
        if len(wrong):
            msg = f"The input {name!r} of jet {int(wrong[0, 0])} is not a finite number; drop or repair the jet."
            raise ExplanationError(msg)
    return inputs


def _names(module: nn.Module, n: int) -> tuple[str, ...]:
    ordered = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in inspect.signature(module.forward).parameters.values() if p.kind in ordered]
    return tuple(names[:n] if len(names) >= n else (str(number) for number in range(n)))


@dataclass(frozen=True)
class Score:
    """The score that is explained, taken from what a module returns."""

    target: Target

    def __call__(self, output: Any, jets: int) -> Tensor:
        """Returns the score, shape (jets,).

        Raises:
            ExplanationError: the output does not fit the jets or the target.
        """
        target = self.target
        if callable(target) and not isinstance(target, Tensor):
            score = target(output)
            return self._fitting(score, jets, "The target's function returned", "one score per jet")
        if not isinstance(output, Tensor):
            msg = f"The module returns {type(output).__name__}; give target=function, which takes the scores from it."
            raise ExplanationError(msg)
        if jets == 1 and (output.dim() == 0 or len(output) != 1):
            output = output[None]
        if output.dim() == 0 or len(output) != jets:
            self._fitting(output, jets, "The module returned", "one row per jet")
        if output.dim() == 1:
            output = output[:, None]
        if isinstance(target, Tensor):
            return self._weighted(output, target)
        if output.dim() != 2:
            msg = (
                f"The module returns {_size(output)} per jet; give target=function, or weights of that shape."
            )
            raise ExplanationError(msg)
        if target is None:
            return self._only(output)
        if isinstance(target, int):
            return output[:, self._index(target, output.shape[1])]
        one, other = (self._index(index, output.shape[1]) for index in target)
        return output[:, one] - output[:, other]

    def _fitting(self, score: Any, jets: int, who: str, expected: str) -> Tensor:
        if isinstance(score, Tensor) and jets == 1 and score.dim() == 0:
            return score[None]
        if not isinstance(score, Tensor) or score.shape != (jets,):
            found = f"shape {tuple(score.shape)}" if isinstance(score, Tensor) else type(score).__name__
            msg = f"{who} {found}; expected {expected}, {jets} here."
            raise ExplanationError(msg)
        return score

    def _weighted(self, output: Tensor, weights: Tensor) -> Tensor:
        if weights.shape != output.shape[1:]:
            msg = f"The target weighs {tuple(weights.shape)} outputs, and the module returns {_size(output)}."
            raise ExplanationError(msg)
        given = weights.detach().to(device=output.device, dtype=output.dtype)
        return (output * given).flatten(1).sum(1)

    def _only(self, output: Tensor) -> Tensor:
        if output.shape[1] != 1:
            msg = (
                f"The module has {output.shape[1]} outputs; say which score is meant: target=0 for the first, target=(1, 0) for a "
                "difference, a tensor of weights, or a function of the outputs."
            )
            raise ExplanationError(msg)
        return output[:, 0]

    def _index(self, index: int, outputs: int) -> int:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < outputs:
            msg = f"The target is {index!r}, and the module has outputs 0 to {outputs - 1}."
            raise ExplanationError(msg)
        return index

    @property
    def words(self) -> str:
        """The score in words."""
        target = self.target
        if target is None:
            return "output"
        if isinstance(target, int):
            return f"output {target}"
        if isinstance(target, Tensor):
            return f"outputs weighted by {target.tolist()}"
        if isinstance(target, tuple):
            return f"output {target[0]} - output {target[1]}"
        return str(getattr(target, "__name__", type(target).__name__))


def score_of(target: Target) -> Score:
    """Returns the score that a target names.

    Raises:
        ExplanationError: it is no target.
    """
    target = int(target) if isinstance(target, np.integer) else target
    known = target is None or isinstance(target, int | Tensor) or callable(target)
    if isinstance(target, bool) or not (known or (isinstance(target, tuple) and len(target) == 2)):
        msg = f"The target is {target!r}; give an output's number, a pair of numbers, a tensor of weights or a function."
        raise ExplanationError(msg)
    if isinstance(target, tuple) and target[0] == target[1]:
        msg = f"The score output {target[0]} - output {target[1]} is zero; name two different outputs."
        raise ExplanationError(msg)
    return Score(target)


def _size(output: Tensor) -> str:
    return " x ".join(str(size) for size in output.shape[1:])


class RegularBooks(Books):
    """Books that take a tensor of n times as many rows as jets for n rows of each jet in turn, as `flatten` makes them.

    Where that is wrong, amounts are entered for other jets, whose books then do not close.
    """

    def owner(self, tensor: Tensor) -> Tensor:
        """Returns the jet of each row of a tensor.

        Raises:
            UnknownRowsError: its number of rows is no multiple of the number of jets.
        """
        try:
            return super().owner(tensor)
        except UnknownRowsError:
            each, left = divmod(len(tensor) if tensor.dim() else 0, self.jets)
            if not each or left:
                raise
            return torch.arange(self.jets, device=tensor.device).repeat_interleave(each)


@dataclass(frozen=True)
class Found:
    """What flowed back to the leaves of some jets; `recorded` by name, axis 0 counts jets."""

    relevance: tuple[Tensor, ...]
    ledger: Ledger
    widest: int
    recorded: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Way:
    """How a module is explained."""

    score: Score
    rule: Rule
    attention: str
    record: bool

    def found(self, single: nn.Module, double: Callable[[], nn.Module], inputs: Inputs) -> Found:
        """Returns what flows back; in double precision where single precision leaves a rest."""
        if self.record:
            return self._closed(double(), inputs)
        found = self._closed(single, inputs)
        left = torch.from_numpy(~found.ledger.closes(CLOSED)).nonzero()[:, 0]
        if not len(left) or found.relevance[0].dtype == torch.float64:
            return found
        try:
            again = self._closed(double(), inputs[left])
        except RuntimeError:  # The module makes single-precision numbers of its own: what there is has to do.
            return found
        score = found.ledger.score[left.numpy()]
        same = np.abs(again.ledger.score - score) <= OPEN_BOOKS * 0.1 * np.maximum(1.0, np.abs(score))
        return _with_jets(found, left, again) if same.all() else found

    def _closed(self, network: nn.Module, inputs: Inputs) -> Found:
        """Returns what flows back through all jets together, or one by one where they cannot be told apart."""
        inputs = inputs.like(network)
        try:
            found = self._together(network, inputs)
        except UnknownRowsError:
            return self._apart(network, inputs)
        return found if found.ledger.closes(OPEN_BOOKS).all() else self._apart(network, inputs)

    def _together(self, network: nn.Module, inputs: Inputs) -> Found:
        jets = len(inputs)
        books = RegularBooks(torch.arange(jets, device=inputs.tensors[0].device), jets, record=self.record)

        def score(leaves: Sequence[Tensor]) -> Tensor:
            return self.score(inputs.passed_to(network, leaves), jets)

        relevance, scores = followed(score, network, inputs.leaves, books, self.rule, self.attention)
        sums = [values.double().reshape(jets, -1).sum(1) for values in relevance]
        lines = dict(zip(inputs.lines, sums, strict=True)) | {"biases": torch.zeros_like(scores)}
        ledger = Ledger(as_array(scores), {n: as_array(line) for n, line in (lines | books.lines).items()})
        recorded = {name: as_array(values) for name, values in books.recorded.items()}
        if jets == 1:
            recorded = {
                name: values if len(values) == 1 else values[None] for name, values in recorded.items()
            }
        recorded = {name: values for name, values in recorded.items() if len(values) == jets}
        return Found(tuple(values.cpu() for values in relevance), ledger, books.widest, recorded)

    def _apart(self, network: nn.Module, inputs: Inputs) -> Found:
        try:
            found = joined([self._together(network, inputs[jet : jet + 1]) for jet in range(len(inputs))])
        except RuntimeError as error:
            msg = (
                "The rows of the module's tensors cannot be told apart by jet, and it cannot be given one jet alone "
                f"({str(error).splitlines()[0]}); give jets of equal length, or keep one row per jet on axis 0."
            )
            raise ExplanationError(msg) from error
        with torch.no_grad():
            scores = as_array(self.score(inputs.passed_to(network, inputs.leaves), len(inputs)))
        if (np.abs(scores - found.ledger.score) > OTHER_SCORE * np.maximum(1.0, np.abs(scores))).any():
            msg = (
                "The score of a jet depends on the other jets that are given with it, so it cannot be explained jet by jet; "
                "take out what compares jets, such as a norm over axis 0."
            )
            raise ExplanationError(msg)
        return found


def joined(parts: Sequence[Found]) -> Found:
    """Returns one of several, in order; a line that a part lacks is zero there."""
    names = dict.fromkeys(name for part in parts for name in part.ledger.lines)
    lines = {
        name: np.concatenate(
            [part.ledger.lines.get(name, np.zeros_like(part.ledger.score)) for part in parts]
        )
        for name in names
    }
    ledger = Ledger(np.concatenate([part.ledger.score for part in parts]), lines)
    kept = [
        name
        for name, values in parts[0].recorded.items()
        if all(name in p.recorded and p.recorded[name].shape[1:] == values.shape[1:] for p in parts)
    ]
    return Found(
        tuple(torch.cat(leaf) for leaf in zip(*(part.relevance for part in parts), strict=True)),
        ledger,
        max(part.widest // max(1, len(part.ledger.score)) for part in parts) * len(ledger.score),
        {name: np.concatenate([part.recorded[name] for part in parts]) for name in kept},
    )


def _with_jets(found: Found, jets: Tensor, other: Found) -> Found:
    """Returns what was found with these jets replaced by those of another."""
    relevance = tuple(values.clone() for values in found.relevance)
    for values, new in zip(relevance, other.relevance, strict=True):
        values[jets] = new.to(values)
    score, at = found.ledger.score.copy(), jets.numpy()
    score[at] = other.ledger.score
    lines = {name: line.copy() for name, line in found.ledger.lines.items()}
    for name, line in other.ledger.lines.items():
        lines.setdefault(name, np.zeros_like(score))[at] = line
    return Found(relevance, Ledger(score, lines), found.widest, found.recorded)


def explain_module(
    module: nn.Module,
    tensors: Tensors,
    *,
    target: Target,
    rule: str | Rule,
    attention: str,
    record: bool,
    report: Report,
    stop: Stop,
) -> Explanation:
    """Returns the relevance of every input value of a module for the score of every jet; see `explain`."""
    single, double = frozen(module), doubled(module)
    if any(p.dtype in (torch.float16, torch.bfloat16) for p in single.parameters()):
        single = single.float()  # The same weights; half precision has no digits left to keep books with.
    inputs, chosen = inputs_of(module, tensors), rule_named(rule)
    way = Way(score_of(target), chosen, attention, record)
    parts = list(_parts(way, single, double, inputs, report, stop))
    if not parts:
        msg = "The explanation was stopped before the first jet was explained; start it again."
        raise ExplanationError(msg)
    how = {
        "method": "layer-wise relevance propagation",
        "rule": rule if isinstance(rule, str) else "own",
        "settings": settings_of(chosen),
        "attention": attention,
        **how_of(module, inputs, way.score),
    }
    return _explanation(inputs, joined(parts), how)


def how_of(module: nn.Module, inputs: Inputs, score: Score) -> dict[str, Any]:
    """Returns what an explanation by any method was made of."""
    return {
        "seed": score.words,
        "sample": fingerprint(as_array(tensor) for tensor in inputs.tensors),
        "network": network_fingerprint(module),
        "versions": versions(),
    }


def _parts(
    way: Way,
    single: nn.Module,
    double: Callable[[], nn.Module],
    inputs: Inputs,
    report: Report,
    stop: Stop,
) -> Iterator[Found]:
    """Yields what was found for portions of the jets, in order."""
    done, step = 0, FIRST_JETS
    while done < len(inputs) and not stop.is_set():
        part = inputs[done : done + step]
        found = way.found(single, double, part)
        done += len(part)
        step = max(1, int(VALUES_AT_ONCE * len(part) / max(1, found.widest)))
        left = len(inputs) - done
        step = math.ceil(left / max(1, math.ceil(left / step)))
        yield found
        report(Step(done=done, total=len(inputs), unit="jets"))


def _explanation(inputs: Inputs, found: Found, how: dict[str, Any]) -> Explanation:
    require_closed(found.ledger)
    first, *others = (values.numpy() for values in found.relevance)
    features = first[:, None] if first.ndim == 1 else first
    relevance = features.sum(axis=-1) if features.ndim > 2 else features
    beside = {f"input {name}": values for name, values in zip(inputs.leaf_names[1:], others, strict=True)}
    names = tuple(str(number) for number in range(features.shape[-1]))
    return Explanation(relevance, features, names, found.ledger, {**beside, **found.recorded}, how)
