"""How long work tells where it is, and how it is told to stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Outcome(Enum):
    """How a fit ended; the value is what the user reads."""

    FINISHED = "all epochs done"
    EARLY = "the validation loss no longer improved; the best epoch was kept"
    STOPPED = "stopped; the best epoch so far was kept"
    UNLEARNED = "stopped before the first epoch ended; nothing was learned yet"


@dataclass(frozen=True)
class Step:
    """One sign of life.

    Attributes:
        done: Work done so far, in `unit`.
        total: Work asked for, in `unit`.
        unit: "jets", "epochs", "events".
        metrics: Numbers to plot, by name: "loss", "validation_loss", "accuracy", "auc", "jets_per_second".
        epoch: Number of epochs completed; metrics of a finished epoch come once, with `final` True.
        final: True for the report that closes an epoch.
        extra: Arrays for live views at the end of an epoch: "validation_scores" (jets, classes), "validation_label".
    """

    done: float
    total: float
    unit: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    epoch: int = 0
    final: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


Report = Callable[[Step], None]


class Stop(Protocol):
    """Anything with `is_set`: threading.Event, distributed.Event, a test's counter."""

    def is_set(self) -> bool:
        """Returns True when the work should end at the next batch."""
        ...


class Never:
    """A stop that is never set."""

    def is_set(self) -> bool:
        """Returns False."""
        return False


def silent(step: Step) -> None:
    """Reports to nobody."""
