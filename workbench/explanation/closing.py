"""When books are closed, and how an explanation was made."""

from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from ..data.explanation import Ledger
from ..errors import ExplanationError
from .rules import Composite, Rule

CLOSED = 1e-6
"""Books whose rest is below this share of the ledger are closed."""

OPEN_BOOKS = 1e-3
"""A rest above this share of the ledger means that a step was not seen; nothing is returned then."""


def require_closed(ledger: Ledger) -> None:
    """Checks that a step was not missed.

    Raises:
        ExplanationError: the books of a jet do not close.
    """
    open_books = np.flatnonzero(~ledger.closes(OPEN_BOOKS))
    if open_books.size:
        msg = (
            f"The books of {open_books.size} of {len(ledger.score)} jets do not close (first: jet {open_books[0]}, rest "
            f"{ledger.rest[open_books[0]]:.2g} of a score of {ledger.score[open_books[0]]:.2g}): the network holds a step that "
            "cannot be followed, such as a custom autograd function; write it with torch's own functions."
        )
        raise ExplanationError(msg)


def settings_of(rule: Rule) -> dict[str, Any]:
    """Returns the numbers of a rule; of a composite those of each of its rules, by where it holds."""
    if isinstance(rule, Composite):
        parts = {str(where): settings_of(part) for where, part in rule.parts}
        return {**parts, "otherwise": settings_of(rule.otherwise)}
    return {name: value for name, value in vars(rule).items() if name != "absorbs"}


def versions() -> dict[str, str]:
    """Returns the versions that an explanation was made with."""
    return {name: _version(name) for name in ("hep-workbench", "torch", "numpy")}


@cache
def _version(name: str) -> str:
    return version(name)  # Reads a file each time.
