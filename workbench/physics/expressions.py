"""Expressions such as `pt > 560 & abs(eta) < 1`: read by a parser of our own, never run as Python.

expression := and ("|" and)*            also "or", "||"
and        := not ("&" not)*            also "and", "&&"; binds weaker than comparisons
not        := "~" not | comparison      also "not", "!"
comparison := sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)*     chains: 0.5 < tau21 < 0.8
sum        := product (("+" | "-") product)*
product    := sign (("*" | "/") sign)*
sign       := ("-" | "+") sign | power
power      := atom ("**" sign)?
atom       := number | text | name | function "(" expression ("," expression)* ")" | "(" expression ")"
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ..errors import SelectionError, nearest

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = ("abs", "sqrt", "log", "exp", "min", "max")
"""Functions of one value, or of two and more for min and max."""

REDUCTIONS = ("count", "sum", "min", "max", "any", "all")
"""Functions that make one value of a list."""

SPELLINGS = {"and": "&", "or": "|", "not": "~", "&&": "&", "||": "|", "!": "~"}

LONGEST = 2000
"""Characters that an expression may have."""

MOST_WORDS = 250
"""Words and signs that an expression may have."""

DEEPEST = 40
"""Levels to which parentheses, signs and powers may nest."""

TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | `(?P<quoted>[^`]+)`
    | "(?P<text>[^"]*)" | '(?P<text2>[^']*)'
    | (?P<sign>\*\*|<=|>=|==|!=|&&|\|\||[-+*/<>&|~!(),])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One word of an expression: its kind (number, name, text, sign, end), its text and its character, from 1."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float
    at: int


@dataclass(frozen=True)
class Text:
    """The name of a class, in quotes."""

    value: str
    at: int


@dataclass(frozen=True)
class Name:
    """A quantity of the sample."""

    value: str
    at: int


@dataclass(frozen=True)
class Call:
    """A function or an operator with its arguments."""

    what: str
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True)
class Comparison:
    """A chain of comparisons, a < b <= c."""

    signs: tuple[str, ...]
    sides: tuple["Node", ...]
    at: int


Node = Number | Text | Name | Call | Comparison


@dataclass(frozen=True)
class Expression:
    """A selection that has been read.

    Attributes:
        text: As the user wrote it.
        root: The tree.
    """

    text: str
    root: Node

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities it uses, each once, in order."""
        return tuple(dict.fromkeys(_names(self.root)))


def parse(expression: str) -> Expression:
    """Reads a selection such as `pt > 560 & abs(eta) < 1` or `label == "top"`.

    Raises:
        SelectionError: it cannot be read; names the character, counted from 1, and what was expected there.
    """
    return Expression(expression, _Parser(expression).expression())


class _Parser:
    """Recursive descent; one method per line of the grammar."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            msg = f"The selection has {len(text)} characters; at most {LONGEST} are read."
            raise SelectionError(msg)
        self.text = text
        self.tokens = _tokens(text)
        if len(self.tokens) > MOST_WORDS:
            msg = f"The selection has {len(self.tokens)} words and signs; at most {MOST_WORDS} are read, so select in steps."
            raise SelectionError(msg)
        self.position = 0
        self.depth = 0

    def expression(self) -> Node:
        if self._next.kind == "end":
            msg = "The selection is empty; write one such as 'pt > 560 & abs(eta) < 1'."
            raise SelectionError(msg)
        root = self._or()
        if self._next.kind != "end":
            self._refuse("an operator or the end")
        return root

    @property
    def _next(self) -> Token:
        return self.tokens[self.position]

    def _take(self, *signs: str) -> Token | None:
        """The next token if it is one of these signs; moves on."""
        token = self._next
        if token.kind != "sign" or token.text not in signs:
            return None
        self.position += 1
        return token

    def _refuse(self, expected: str) -> NoReturn:
        token = self._next
        found = "The selection ends" if token.kind == "end" else f"Found {token.text!r}"
        msg = f"{found} at character {token.at} of {self.text!r}, where {expected} was expected."
        raise SelectionError(msg)

    def _left_to_right(self, operand: Callable[[], Node], *signs: str) -> Node:
        node = operand()
        while token := self._take(*signs):
            node = Call(token.text, (node, operand()), token.at)
        return node

    def _or(self) -> Node:
        return self._left_to_right(self._and, "|")

    def _and(self) -> Node:
        return self._left_to_right(self._not, "&")

    def _not(self) -> Node:
        if token := self._take("~"):
            return Call("~", (self._deeper(self._not),), token.at)
        return self._comparison()

    def _comparison(self) -> Node:
        sides, signs = [self._sum()], []
        at = self._next.at
        while token := self._take(*COMPARISONS):
            signs.append(token.text)
            sides.append(self._sum())
        return Comparison(tuple(signs), tuple(sides), at) if signs else sides[0]

    def _sum(self) -> Node:
        return self._left_to_right(self._product, "+", "-")

    def _product(self) -> Node:
        return self._left_to_right(self._sign, "*", "/")

    def _sign(self) -> Node:
        if token := self._take("-", "+"):
            inner = self._deeper(self._sign)
            return Call("-", (Number(0.0, token.at), inner), token.at) if token.text == "-" else inner
        return self._power()

    def _power(self) -> Node:
        base = self._atom()
        if token := self._take("**"):
            return Call("**", (base, self._deeper(self._sign)), token.at)
        return base

    def _atom(self) -> Node:
        token = self._next
        if self._take("("):
            inner = self._deeper(self._or)
            self._close()
            return inner
        if token.kind not in ("number", "name", "text", "quoted"):
            self._refuse("a number, a name or '('")
        self.position += 1
        if token.kind == "number":
            return Number(float(token.text), token.at)
        if token.kind == "text":
            return Text(token.text, token.at)
        if token.kind == "name" and self._take("("):
            return self._call(token)
        return Name(token.text, token.at)

    def _call(self, name: Token) -> Node:
        known = {*FUNCTIONS, *REDUCTIONS}
        if name.text not in known:
            msg = f"There is no function {name.text!r} (character {name.at}); {nearest(name.text, known)}"
            raise SelectionError(msg)
        arguments = [self._deeper(self._or)]
        while self._take(","):
            arguments.append(self._deeper(self._or))
        self._close()
        if len(arguments) > 1 and name.text not in ("min", "max"):
            msg = f"{name.text} (character {name.at}) takes one value; found {len(arguments)}."
            raise SelectionError(msg)
        return Call(name.text, tuple(arguments), name.at)

    def _close(self) -> None:
        if not self._take(")"):
            self._refuse("')'")

    def _deeper(self, inner: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            msg = f"The selection nests deeper than {DEEPEST} levels at character {self._next.at}; write it flatter."
            raise SelectionError(msg)
        node = inner()
        self.depth -= 1
        return node


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            hint = "for equality write ==" if text[at] == "=" else "see the grammar of selections"
            msg = f"Character {at + 1} of {text!r}, {text[at]!r}, has no meaning here; {hint}."
            raise SelectionError(msg)
        kind = str(match.lastgroup)
        word = match[kind]
        at = match.start(kind) + 1
        if kind in ("name", "sign") and word in SPELLINGS:
            kind, word = "sign", SPELLINGS[word]
        tokens.append(Token("text" if kind == "text2" else kind, word, at))
        position = match.end()
    return [*tokens, Token("end", "", end + 1)]


def _names(node: Node) -> list[str]:
    if isinstance(node, Name):
        return [node.value]
    below = node.arguments if isinstance(node, Call) else node.sides if isinstance(node, Comparison) else ()
    return [name for child in below for name in _names(child)]
