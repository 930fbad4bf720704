"""A study of a sample that takes longer than a moment: begun by a button, followed while it runs, stopped when enough."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data.origin import fingerprint
from ..errors import WorkbenchError
from ..jobs.job import Job
from ..jobs.submit import everyone, submit_call
from ..state.run import RunState
from .errands import Errands
from .owner import owner
from .panes import line, say
from .text import duration, time_left

PARTLY = "Stopped; shown is the part that was done."
STARTING, FINDING, READING = "starting", "looking for", "reading"
NOT_BEGUN = "It could not be started; what went wrong stands at the top of the page."

KEY, NUMBER = "question", "number"
"""Under which names a job notes what it was asked, and for how many jets."""

LOST = ("failed", "died")
"""Ends of jobs that leave nothing to be found."""


@dataclass(frozen=True)
class Question:
    """What a study asks of a worker.

    Attributes:
        function: What is called.
        arguments: What it is given.
        named: What it is given by name.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from other questions, also on a page that was opened later."""
        asked = self.function.__module__, self.function.__qualname__, self.arguments, dict(self.named)
        return fingerprint([json.dumps(asked, sort_keys=True, default=_told)])


def _told(value: Any) -> str:
    """Returns what tells a sample, a tagger or numbers from others; of anything else, how it is written."""
    if isinstance(value, np.ndarray):
        return fingerprint([value])
    return getattr(value, "fingerprint", None) or repr(value)


class Study(pn.viewable.Viewer):
    """One study in a worker process: its button, how far it is, the time left, Stop, and how it ended.

    What was done before a stop is taken like a whole result; the old result stays until there is a new one. A page that is
    opened again finds what the same browser asked before, whether it still runs or is over.

    Args:
        label: Words of the button that begins it, "Measure the shares".
        question: Returns what is asked for so many jets, of what the page looks at; it may be called in another thread.
        take: Called in the session's own thread with what the job returned.
        number: The choice of how many jets; without one `question` is called with 0.
        errands: Of the session: with them jets are handed over and results read without stalling the page.
        urgent: True where one waits for it before the screen.
    """

    def __init__(
        self,
        label: str,
        question: Callable[[int], Question],
        take: Callable[[Any], None],
        *,
        number: pmui.Select | None = None,
        errands: Errands | None = None,
        urgent: bool = False,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.label, self.question, self.take, self.number = label, question, take, number
        self.errands, self.urgent, self.owner = errands, urgent, owner()
        self.run = RunState()
        self._starting = False
        self._why, self._unsought = "", False
        self.start = pmui.Button(label=label, color="primary", variant="outlined", size="small")
        self.stop = pmui.Button(
            label="Stop",
            description=f"Stop: {label}",
            color="error",
            variant="outlined",
            size="small",
            visible=False,
        )
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width", margin=(2, 6)
        )
        self.told = line(variant="caption")
        self.start.on_click(self.ask)
        self.stop.on_click(lambda _: self.run.stop())
        self.run.param.watch(self._follow, ["status", "done", "message"])

    @property
    def busy(self) -> bool:
        """True from the click until the job is over."""
        return self._starting or self.run.busy

    def require(self, why: str) -> None:
        """Says what is missing before it can begin; nothing is missing where `why` is empty.

        Called with whatever the page looks at next, so that what was asked of that before is looked for.
        """
        self._unsought = not why
        if why != self._why:
            self._why = why
            self._allow()
            if not self.busy:
                say(self.told, why)

    def ask(self, *events: Any) -> None:
        """Begins, unless it runs already or something is missing."""
        if self.busy or self._why:
            return
        self._starting = True
        self._allow()
        say(self.told, "Starting.")
        number = 0 if self.number is None else self.number.value
        self._do(STARTING, lambda: self._submitted(number), self._begun)

    def beat(self) -> None:
        """Takes over what the job has reported; called by the page's timer."""
        if self._starting and self.errands is not None and self._errand(STARTING) not in self.errands.waiting:
            # Its errand is over and gave no job.
            self._starting = False
            self._allow()
            say(self.told, NOT_BEGUN)
        # Once all that was sent for is there: what is asked may depend on it.
        if self._unsought and (self.errands is None or not self.errands.waiting):
            self._unsought = False
            self._find()
        self.run.drain()

    def _errand(self, what: str) -> str:
        return f"{what} “{self.label}”"

    def _submitted(self, number: int) -> Job:
        asked = self.question(number)
        note = {KEY: asked.key, NUMBER: number} if self.owner else {}
        return submit_call(
            asked.function,
            *asked.arguments,
            name=self.label,
            owner=self.owner,
            note=note,
            urgent=self.urgent,
            **asked.named,
        )

    def _begun(self, job: Job) -> None:
        self._starting = False
        self.run.follow(job)

    def _find(self) -> None:
        """Looks for what was asked before this page was opened."""
        if not self.owner or self.busy or self.run.job is not None:
            return
        ours = [job for job in everyone() if (job.owner, job.name) == (self.owner, self.label)]
        earlier = [job for job in ours if KEY in job.note and job.status not in LOST and not job.error]
        # What was stopped is a part: something whole goes before it.
        earlier.sort(key=lambda job: job.status == "stopped")

        def same() -> Job | None:
            key = cache(lambda number: self.question(number).key)
            # What cannot be asked now was not asked before.
            with suppress(Exception):
                return next((job for job in earlier if key(job.note[NUMBER]) == job.note[KEY]), None)
            return None

        if earlier:
            self._do(FINDING, same, self._found, quiet=True)

    def _found(self, job: Job | None) -> None:
        if job is None or self.busy or self.run.job is not None:
            return
        if self.number is not None:
            self.number.value = job.note[NUMBER]
        self.run.follow(job)

    def _do(
        self, what: str, work: Callable[[], Any], then: Callable[[Any], None], *, quiet: bool = False
    ) -> None:
        """Does what may take a moment; what cannot be done is said where the progress was."""

        def tried() -> Any:
            try:
                return work()
            except (WorkbenchError, OSError) as error:
                return error

        def taken(found: Any) -> None:
            if isinstance(found, WorkbenchError | OSError):
                self._fail(found)
            else:
                then(found)

        if self.errands is None:
            taken(tried())
        else:
            self.errands.send(self._errand(what), tried, taken, quiet=quiet)

    def _fail(self, error: Exception) -> None:
        self._starting = False
        self._allow()
        say(self.told, str(error))

    def _allow(self) -> None:
        self.start.disabled = self.busy or bool(self._why)

    def _follow(self, *events: Any) -> None:
        run = self.run
        self._allow()
        self.stop.visible = run.busy
        share = 100 * run.done / run.total if run.total else 0.0
        self.bar.param.update(
            visible=run.busy, value=round(share), variant="determinate" if run.total else "indeterminate"
        )
        far = f"{run.done:,.0f} of {run.total:,.0f} {run.unit}{time_left(run.remaining)}"
        say(
            self.told,
            far if run.status == "running" and run.total and "Stopping" not in run.message else run.message,
        )
        ended = any(event.name == "status" for event in events) and run.status in {"done", "stopped"}
        # A job that was stopped before it began has no part of a result, and its own sentence.
        if ended and run.job is not None and not run.job.error:
            job = run.job
            self._do(READING, job.result, lambda found: self._take(job, found))

    def _take(self, job: Job, found: Any) -> None:
        try:
            self.take(found)
        except WorkbenchError as error:
            self._fail(error)
            return
        say(self.told, PARTLY if job.status == "stopped" else f"Done in {duration(job.seconds)}.")

    def __panel__(self) -> pn.viewable.Viewable:
        buttons = pn.Row(self.start, self.stop, margin=0)
        return pn.Column(buttons, self.bar, self.told, sizing_mode="stretch_width", margin=0)
