"""Every error a user can cause, one class per room.

WorkbenchError
├── DataError         a file or array is not what it should be
├── SelectionError    a selection expression cannot be read
├── SimulationError   a process cannot be generated as asked
├── TrainingError     a fit cannot start or go on
├── StoreError        a saved model cannot be read or written
├── ExplanationError  a network cannot be explained honestly
└── JobError          background work could not be started or died

A message says what was found, what was expected and what to do, in one sentence.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class WorkbenchError(ValueError):
    """Base of all errors that this project raises on bad input."""


class DataError(WorkbenchError):
    """A file or array is not what it should be."""


class SelectionError(WorkbenchError):
    """A selection expression cannot be read."""


class SimulationError(WorkbenchError):
    """A process cannot be generated as asked."""


class TrainingError(WorkbenchError):
    """A fit cannot start or go on."""


class StoreError(WorkbenchError):
    """A saved model cannot be read or written."""


class ExplanationError(WorkbenchError):
    """A network cannot be explained honestly."""


class JobError(WorkbenchError):
    """Background work could not be started or died."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns a half-sentence that names the closest known name, or the known names if none is close."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"known are {shown}." if known else "there are none."
