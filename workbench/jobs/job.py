"""One piece of background work, as the process that asked for it sees it."""

import secrets
import shutil
import tempfile
import threading
import time
import weakref
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import errors
from ..errors import JobError
from ..progress import Outcome, Step
from .folder import RunFolder, Samples

OVER = ("done", "stopped", "failed", "died")
"""The statuses that do not change any more."""

SAMPLE = "workbench.data.parquet:read"
"""What reads jets and events that a job made."""


@dataclass(frozen=True)
class Answer:
    """What comes back from the worker: a value, a file that holds it, or a failure.

    Attributes:
        value: The result itself, where it is small and plain.
        file: The file that holds the result, else "".
        reader: "module:name" of the function that reads `file`.
        outcome: How a fit ended, where the result says so.
        card: What the result says of itself (JSON values).
        stopped: True if the work saw the stop and ended for it.
        failure: Class name, sentence and traceback of what went wrong.
        died: True if an earlier attempt at this work took its worker with it.
    """

    value: Any = None
    file: str = ""
    reader: str = ""
    outcome: Outcome | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    stopped: bool = False
    failure: tuple[str, str, str] | None = None
    died: bool = False


class News(NamedTuple):
    """What changed since a version: the version now, the status now, the steps in between."""

    version: int
    status: str
    steps: list[Step]


class Job:
    """Work that runs in a worker process; every method may be called from any thread.

    Pages poll: `version` grows with every change and `since` returns what is new, so nothing is pushed to a page.

    Attributes:
        id: 16 hexadecimal digits; the name of its run in the registry, if it is registered.
        name: What it is called on a page.
        owner: A token of whoever asked, so that a page lists its own jobs; "" for a script.
        note: What the page that asked wrote down.
        asked: When it was asked for.
        urgent: True if it goes before the fits that wait.
        folder: Where what travels to the worker and back lies, as long as the job is kept.
        home: The folder of its run if it is registered, else None.
        samples: Where the samples of registered runs are kept, else None.
        left: Called when it leaves the queue without having begun.
    """

    def __init__(
        self,
        name: str,
        *,
        owner: str = "",
        note: Mapping[str, Any] | None = None,
        urgent: bool = False,
        within: Path | None = None,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.name, self.owner, self.urgent = name, owner, urgent
        self.note = dict(note or {})
        self.asked = datetime.now(UTC)
        self.folder = Path(tempfile.mkdtemp(prefix="workbench-job-", dir=within))
        self.token = self.folder.name
        self.home: RunFolder | None = None
        self.samples: Samples | None = None
        self.left: Callable[[], None] = lambda: None
        self._changed = threading.Condition()
        self._status = "queued"
        self._handed_over = False
        self._acknowledged = False
        self._version = 0
        self._at: list[int] = []
        self._steps: list[Step] = []
        self._best: Step | None = None
        self._place = 1
        self._remarks: dict[str, str] = {}
        self._answer: Answer | None = None
        self._error = self._trace = ""
        self._began: float | None = None
        self._ended: float | None = None
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def __repr__(self) -> str:
        return f"<Job {self.name}: {self._status}, {len(self._steps)} steps>"

    @property
    def status(self) -> str:
        """One of "queued", "running", "done", "stopped", "failed", "died"."""
        return self._status

    @property
    def place(self) -> int:
        """Its place in the queue: 0 once it runs, 1 for the next."""
        return 0 if self._status != "queued" else self._place

    @property
    def remark(self) -> str:
        """What went wrong beside the work itself (its sample could not be kept), else ""."""
        return " ".join(self._remarks.values())

    @property
    def best(self) -> Step | None:
        """The epoch with the lowest validation loss (without one the newest), with its arrays; None before the first ends."""
        return self._best

    @property
    def remaining(self) -> float:
        """Time left at the mean speed so far, in s; nan where it is not known."""
        last = self._steps[-1] if self._steps else None
        if last is None or self._status != "running" or not 0 < last.done <= last.total:
            return float("nan")
        return self.seconds * (last.total - last.done) / last.done

    @property
    def over(self) -> bool:
        """True when the status does not change any more."""
        return self._status in OVER

    @property
    def version(self) -> int:
        """A number that grows with every change of status or progress."""
        return self._version

    @property
    def steps(self) -> list[Step]:
        """All signs of life so far, oldest first; only the newest `extra` is kept."""
        with self._changed:
            return list(self._steps)

    def since(self, version: int) -> News:
        """Returns version, status and the steps that came after `version`, all of one moment."""
        with self._changed:
            return News(self._version, self._status, self._steps[bisect_right(self._at, version) :])

    @property
    def seconds(self) -> float:
        """Time spent in the worker so far, in s; 0 before it began."""
        if self._began is None:
            return 0.0
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    @property
    def acknowledged(self) -> bool:
        """True once the worker has said that it saw the stop."""
        return self._acknowledged

    @property
    def error(self) -> str:
        """One sentence for the user if the job failed or died, else ""."""
        return self._error

    @property
    def trace(self) -> str:
        """The worker's traceback if the job failed, for a log; not for a page."""
        return self._trace

    @property
    def outcome(self) -> Outcome | None:
        """How the fit ended, where the result says so."""
        return self._answer.outcome if self._answer else None

    @property
    def card(self) -> Mapping[str, Any]:
        """What the result says of itself, such as its number of parameters."""
        return self._answer.card if self._answer else {}

    @property
    def file(self) -> Path | None:
        """The file that holds the result (a saved model, a sample), as long as the job is kept."""
        return Path(self._answer.file) if self._answer and self._answer.file else None

    @property
    def opens(self) -> bool:
        """True once it has made a fit or a sample; what else there is (numbers, an explanation) belongs to who asked."""
        answer = self._answer
        return answer is not None and (answer.outcome is not None or answer.reader == SAMPLE)

    def stop(self) -> None:
        """Asks the work to end at its next batch and returns at once; queued work never begins."""
        with self._changed:
            if self.over:
                return
            if self._handed_over:
                (self.folder / "stop").touch()
                return
            self._end("stopped", "The job was stopped before it began.")
        self.left()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the job is over, at most `timeout` seconds, and returns whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.over, timeout)

    def result(self, timeout: float | None = None) -> Any:
        """Returns what the work returned, waiting at most `timeout` seconds; a stopped fit returns its best so far.

        Raises:
            TimeoutError: it is not over yet.
            WorkbenchError: the work failed; the class is the one raised in the worker where it is one of ours.
        """
        if not self.wait(timeout):
            msg = f"{self.name} is {self.status} after {timeout:g} s; wait longer or stop it."
            raise TimeoutError(msg)
        answer = self._answer
        if answer is None or answer.failure:
            kind = getattr(errors, answer.failure[0], JobError) if answer and answer.failure else JobError
            raise kind(self._error)
        if not answer.file:
            return answer.value
        module, name = answer.reader.split(":")
        return getattr(import_module(module), name)(answer.file)

    def hand_over(self) -> bool:
        """Marks that the worker gets the job now; returns False if it was stopped before."""
        with self._changed:
            self._handed_over = not self.over
            return self._handed_over

    def move(self, place: int) -> None:
        """Tells a waiting job its place in the queue."""
        with self._changed:
            if self._status == "queued" and place != self._place:
                self._place = place
                self._change()

    def note_down(self, about: str, remark: str) -> None:
        """Takes a sentence on what went wrong beside the work, instead of an earlier one about the same thing."""
        with self._changed:
            self._remarks[about] = remark
            self._change()

    def receive(self, message: Mapping[str, Any]) -> None:
        """Takes one message of the worker: "began", "stop", "remark" or "step"."""
        with self._changed:
            if self.over:
                return
            if message["kind"] == "began":
                self._status, self._began = "running", time.monotonic()
            elif message["kind"] == "stop":
                self._acknowledged = True
            elif message["kind"] == "remark":
                self._remarks["model"] = message["remark"]
            else:
                self._append(Step(**message["step"], extra=self._extra(message["extra"])))
            self._change()

    def finish(self, answer: Answer) -> None:
        """Takes what came back."""
        with self._changed:
            if self.over:
                return
            self._answer = answer
            if answer.file:
                self._remarks.pop("model", None)
            if answer.failure:
                self._trace = answer.failure[2]
                self._end("died" if answer.died else "failed", answer.failure[1])
            else:
                self._end("stopped" if answer.stopped else "done")

    def fail(self, status: str, sentence: str) -> None:
        """Ends a job that brought no answer."""
        with self._changed:
            if not self.over:
                self._end(status, sentence)

    def _append(self, step: Step) -> None:
        if step.extra and self._steps:
            self._steps = [replace(old, extra={}) if old.extra else old for old in self._steps]
        self._steps.append(step)
        self._at.append(self._version + 1)
        if step.final and (self._best is None or _loss(step) < _loss(self._best)):
            self._best = step

    def _extra(self, file: str) -> dict[str, np.ndarray]:
        if not file:
            return {}
        with np.load(file, allow_pickle=False) as arrays:
            extra = dict(arrays)
        Path(file).unlink()
        return extra

    def _end(self, status: str, error: str = "") -> None:
        self._status, self._error, self._ended = status, error, time.monotonic()
        self._change()

    def _change(self) -> None:
        self._version += 1
        self._changed.notify_all()


def _loss(step: Step) -> float:
    return step.metrics.get("validation_loss", -step.epoch)
