"""Selections of jets and events that a user writes, such as `pt > 560 & abs(eta) < 1`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeVar

import awkward as ak
import numpy as np

from ..data.events import Events
from ..data.jets import Jets
from ..errors import SelectionError, WorkbenchError, nearest
from .expressions import Call, Comparison, Expression, Name, Node, Number, Text, parse
from .observables import OBSERVABLES, observables

Sample = TypeVar("Sample", Jets, Events)

KINEMATICS = ("pt", "eta", "phi", "mass", "energy", "rapidity", "px", "py", "pz")
"""Names that a selection of jets takes from their four-momenta: GeV and rad."""

PER_VALUE: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "min": np.minimum,
    "max": np.maximum,
}
"""Functions of one value, or of two and more for min and max."""

PER_LIST: Mapping[str, Callable[..., Any]] = {
    "count": ak.num,
    "sum": ak.sum,
    "min": ak.min,
    "max": ak.max,
    "any": ak.any,
    "all": ak.all,
}
"""Functions that make one value of the several of a list, such as max(muons.pt); nan for min and max of an empty list."""

ARITHMETIC = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power}
COMPARISONS = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
LOGIC = {"&": np.logical_and, "|": np.logical_or}


@dataclass(frozen=True)
class Passed:
    """Which entries of a sample a selection keeps.

    Attributes:
        keep: shape (jets,) or (events,).
        undefined: Where a compared value was not defined (nan, or the class not known); such comparisons, also `!=`,
            are False.
    """

    keep: np.ndarray
    undefined: np.ndarray


def select(sample: Sample, expression: str | Expression) -> Sample:
    """Returns the jets or events that a selection keeps, of the same type.

    Names for jets: pt, eta, phi, mass, energy (and rapidity, px, py, pz) of the four-momentum as the source states it,
    `label`, `weight`, `multiplicity`, columns, then observables, in this order; `constituents.pt` is a list per jet.
    For events: `label`, `weight`, columns and collections, fields after a dot (`met.pt`). `count, sum, min, max, any,
    all` make one value of a list (`any(muons.pt > 20)`). Backquotes hold a name with other characters. Units GeV, rad, mm.

    A comparison with an undefined value is False, its negation True; the origin's new step says how many there were.

    Raises:
        SelectionError: the expression cannot be read, a name or class is not in the sample, or the result is no
            single yes or no per entry.
    """
    if not isinstance(sample, Jets | Events):
        msg = f"A selection keeps jets or events; found {type(sample).__name__}, of which a mask or a slice keeps some."
        raise SelectionError(msg)
    expression = parse(expression) if isinstance(expression, str) else expression
    passed = evaluate(sample, expression)
    step = f"selected {expression.text}: {passed.keep.sum()} of {len(sample)}"
    undefined = int(passed.undefined.sum())
    if undefined:
        step += f" ({undefined} with an undefined value, which compares False)"
    kept = sample[passed.keep]
    return replace(kept, origin=sample.origin.then(step))


def evaluate(sample: Jets | Events, expression: Expression) -> Passed:
    """Returns which entries of the sample the selection keeps, and where it met an undefined value."""
    evaluator = _Evaluator(sample, expression)
    try:
        with np.errstate(all="ignore"):
            keep = evaluator.value(expression.root)
    except WorkbenchError:
        raise
    except ValueError as error:
        msg = f"{expression.text!r} joins lists of different lengths; make one value of each, as in max(muons.pt)."
        raise SelectionError(msg) from error
    if isinstance(keep, ak.Array) and keep.ndim > 1:
        msg = f"{expression.text!r} has several answers per entry; put any( ) or all( ) around it."
        raise SelectionError(msg)
    if not _is_logical(keep):
        msg = f"{expression.text!r} gives numbers, not yes or no; compare it, as in 'pt > 560'."
        raise SelectionError(msg)
    return Passed(np.broadcast_to(np.asarray(keep), len(sample)).copy(), evaluator.undefined)


def available(sample: Jets | Events) -> tuple[str, ...]:
    """Returns the names that a selection of this sample may use, sorted."""
    if isinstance(sample, Jets):
        flat = _flat_names({**sample.columns, "constituents": sample.constituents})
        names = {*KINEMATICS, "multiplicity", *OBSERVABLES, *flat}
    else:
        names = _flat_names({**sample.columns, **sample.collections})
    return tuple(sorted({*names, "label", "weight"}))


class _Evaluator:
    """Values of the nodes on one sample: floats, arrays of shape (entries,), or lists per entry."""

    def __init__(self, sample: Jets | Events, expression: Expression) -> None:
        self.sample = sample
        self.text = expression.text
        self.table = _table(sample, expression.names)
        self.undefined = np.zeros(len(sample), dtype=bool)

    def value(self, node: Node) -> Any:
        if isinstance(node, Number):
            return np.float64(node.value)
        if isinstance(node, Name):
            return self._named(node)
        if isinstance(node, Comparison):
            pairs = zip(node.signs, node.sides[:-1], node.sides[1:], strict=True)
            return reduce(np.logical_and, [self._compared(sign, *sides) for sign, *sides in pairs])
        if isinstance(node, Text):
            msg = (
                f"{node.value!r} (character {node.at}) is a text; write label == {node.value!r} for a class."
            )
            raise SelectionError(msg)
        if node.what in LOGIC or node.what == "~":
            sides = [self._logical(argument) for argument in node.arguments]
            return LOGIC[node.what](*sides) if node.what in LOGIC else np.logical_not(*sides)
        if node.what in ARITHMETIC:
            return ARITHMETIC[node.what](*(self._number(argument) for argument in node.arguments))
        return self._called(node)

    def _named(self, node: Name) -> Any:
        """The values of a name: one per entry as numpy, several per entry as awkward."""
        values = self._found(node)
        if fields := ak.fields(values):
            msg = f"{node.value!r} (character {node.at}) has the fields {', '.join(fields)}; write {node.value}.{fields[0]}."
            raise SelectionError(msg)
        if isinstance(values, np.ndarray) and values.ndim > 1:
            return ak.from_regular(ak.Array(values))
        if isinstance(values, ak.Array) and values.ndim > 1:
            return values
        if isinstance(values, ak.Array) and isinstance(ak.type(values).content, ak.types.OptionType):
            values = ak.fill_none(values, np.nan)
        values = np.asarray(values)
        if values.dtype.kind not in "biuf":
            msg = f"{node.value!r} (character {node.at}) holds no numbers ({values.dtype}) and cannot be compared."
            raise SelectionError(msg)
        return values if _is_logical(values) else values.astype(float)

    def _found(self, node: Name) -> Any:
        known = available(self.sample)
        if node.value not in known:
            of_class = f'for a class write label == "{node.value}".'
            hint = of_class if node.value in self.sample.classes else nearest(node.value, known)
            msg = f"There is no {node.value!r} (character {node.at}) in this sample; {hint}"
            raise SelectionError(msg)
        if node.value in self.table:
            return self.table[node.value]
        first, _, field = node.value.partition(".")
        return self.table[first][field]

    def _logical(self, node: Node) -> Any:
        value = self.value(node)
        if not _is_logical(value):
            what = repr(node.value) if isinstance(node, Name | Number) else "what stands"
            msg = (
                f"At character {node.at} of {self.text!r} {what} is a number where yes or no is needed; "
                "compare it, as in 'pt > 560'."
            )
            raise SelectionError(msg)
        return value

    def _number(self, node: Node) -> Any:
        value = self.value(node)
        if _is_logical(value):
            msg = (
                f"At character {node.at} of {self.text!r} stands yes or no where a number is needed; "
                "join conditions by & and |."
            )
            raise SelectionError(msg)
        return value

    def _called(self, node: Call) -> Any:
        if node.what not in PER_LIST or len(node.arguments) > 1:
            values = [self._number(argument) for argument in node.arguments]
            function = PER_VALUE[node.what]
            return reduce(function, values) if len(values) > 1 else function(*values)
        inner = node.arguments[0]
        whole = node.what == "count"  # may be asked of records, such as count(muons)
        values = self._found(inner) if whole and isinstance(inner, Name) else self.value(inner)
        if not isinstance(values, ak.Array) or values.ndim != 2:
            msg = f"{node.what} (character {node.at}) with one value needs one list per entry, such as constituents.pt."
            raise SelectionError(msg)
        if node.what in ("any", "all") and not _is_logical(values):
            msg = f"{node.what} (character {node.at}) needs a condition, as in any(constituents.pt > 20)."
            raise SelectionError(msg)
        reduced = PER_LIST[node.what](values, axis=1)
        return ak.to_numpy(ak.fill_none(reduced, np.nan) if node.what in ("min", "max") else reduced)

    def _compared(self, sign: str, left: Node, right: Node) -> Any:
        if isinstance(left, Text) or isinstance(right, Text):
            return self._class_compared(sign, left, right)
        values = [self.value(side) for side in (left, right)]
        unknown = [np.isnan(value) for value in values if not _is_logical(value)]
        compared = COMPARISONS[sign](*values)
        for missing in unknown:
            compared = np.logical_and(compared, np.logical_not(missing))
            flat = ak.any(missing, axis=1) if isinstance(missing, ak.Array) else missing
            self.undefined |= np.asarray(flat)
        return compared

    def _class_compared(self, sign: str, left: Node, right: Node) -> np.ndarray:
        text, other = (left, right) if isinstance(left, Text) else (right, left)
        label = self.sample.label
        if not (
            isinstance(other, Name)
            and other.value == "label"
            and isinstance(text, Text)
            and sign in ("==", "!=")
        ):
            msg = f"The text at character {text.at} of {self.text!r} can only be compared as label == or != a class."
            raise SelectionError(msg)
        if text.value not in self.sample.classes:
            msg = f"There is no class {text.value!r} (character {text.at}); {nearest(text.value, self.sample.classes)}"
            raise SelectionError(msg)
        known = np.asarray(label) >= 0
        self.undefined |= ~known
        same = np.asarray(label) == self.sample.classes.index(text.value)
        return known & (same if sign == "==" else ~same)


def _table(sample: Jets | Events, names: Sequence[str]) -> Mapping[str, Any]:
    """What a selection may use, by name; of what must be computed only what is named."""
    own = {"label": np.asarray(sample.label), "weight": sample.weight}
    if isinstance(sample, Events):
        return {**sample.columns, **sample.collections, **own}
    kinematics = {name: getattr(sample.p4, name) for name in KINEMATICS if name in names}
    own |= {"constituents": sample.constituents, "multiplicity": sample.counts, **kinematics}
    given = {**sample.columns, **own}
    return {**observables(sample, [n for n in names if n in OBSERVABLES and n not in given]), **given}


def _flat_names(table: Mapping[str, Any]) -> set[str]:
    return {
        f"{name}.{field}" if field else name
        for name, array in table.items()
        for field in ("", *ak.fields(array))
    }


def _is_logical(value: Any) -> bool:
    if isinstance(value, ak.Array):
        return not ak.fields(value) and str(value.type).endswith("bool")
    return np.asarray(value).dtype == np.bool_
