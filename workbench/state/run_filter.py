"""Expressions that choose among runs, such as `auc > 0.98 & network == "particlenet"`: the grammar of selections."""

from collections.abc import Callable, Collection, Mapping
from functools import reduce
from math import exp, isnan, log, nan, sqrt
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv

from ..errors import SelectionError, nearest
from ..physics.expressions import Call, Comparison, Expression, Name, Node, Number, Text, parse

Value = float | str | bool

FUNCTIONS: Mapping[str, Callable[..., float]] = {"abs": abs, "sqrt": sqrt, "log": log, "exp": exp}
SEVERAL: Mapping[str, Callable[..., float]] = {"min": min, "max": max}
ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": truediv,
    "**": pow,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "==": eq,
    "!=": ne,
}


class RunFilter:
    """An expression that has been read, and checked against the names that runs have.

    A comparison with something that a run does not have is False, its negation True, as in selections of jets.
    """

    def __init__(self, text: str, known: Collection[str]) -> None:
        """Reads `text`; the names it uses must be in `known`.

        Raises:
            SelectionError: it cannot be read, or uses a name that no run has.
        """
        self.expression: Expression = parse(text)
        for name in self.expression.names:
            if name not in known:
                msg = f"No run has {name!r}; {nearest(name, known)}"
                raise SelectionError(msg)

    def passes(self, values: Mapping[str, Value]) -> bool:
        """Returns whether a run with these values is kept.

        Raises:
            SelectionError: the expression makes no yes or no of them, or compares a text with a number.
        """
        found = self._value(self.expression.root, values)
        if not isinstance(found, bool):
            msg = f"{self.expression.text!r} gives no yes or no; compare it, as in 'auc > 0.98'."
            raise SelectionError(msg)
        return found

    def _value(self, node: Node, values: Mapping[str, Value]) -> Value:
        if isinstance(node, Number | Text):
            return node.value
        if isinstance(node, Name):
            return values.get(node.value, nan)
        if isinstance(node, Comparison):
            sides = [self._value(side, values) for side in node.sides]
            pairs = zip(node.signs, sides[:-1], sides[1:], strict=True)
            return all(self._compared(*pair) for pair in pairs)
        arguments = [self._value(argument, values) for argument in node.arguments]
        return self._called(node, arguments)

    def _called(self, node: Call, arguments: list[Value]) -> Value:
        if node.what in ("&", "|", "~"):
            if not all(isinstance(argument, bool) for argument in arguments):
                msg = f"{node.what} (character {node.at}) joins comparisons, as in 'auc > 0.98 & seed == 1'."
                raise SelectionError(msg)
            return not arguments[0] if node.what == "~" else (all if node.what == "&" else any)(arguments)
        numbers = [self._number(argument, node) for argument in arguments]
        try:
            if node.what in SEVERAL:
                return SEVERAL[node.what](numbers)
            if node.what in FUNCTIONS:
                return FUNCTIONS[node.what](*numbers)
            if node.what in ARITHMETIC:
                value = reduce(ARITHMETIC[node.what], numbers)
                return float(value) if isinstance(value, float | int) else nan
        except (ValueError, ArithmeticError):
            return nan
        msg = f"{node.what} (character {node.at}) makes one value of a list; a run has no lists."
        raise SelectionError(msg)

    def _number(self, value: Value, node: Call) -> float:
        if isinstance(value, str | bool):
            msg = f"{node.what} (character {node.at}) needs numbers and was given {value!r}."
            raise SelectionError(msg)
        return value

    def _compared(self, sign: str, left: Value, right: Value) -> bool:
        if any(isinstance(side, float) and isnan(side) for side in (left, right)):
            return False
        if isinstance(left, str) and isinstance(right, str) and sign in ("==", "!="):
            return (left == right) == (sign == "==")
        if isinstance(left, str) or isinstance(right, str):
            msg = f"{left!r} {sign} {right!r} cannot be compared; texts are compared with == or != to texts, numbers with numbers."
            raise SelectionError(msg)
        return COMPARISONS[sign](left, right)
