"""The jobs of whoever looks at the page: how far they are, stop, open."""

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..jobs.job import Job
from ..jobs.submit import everyone
from .frame import ON_HEADER
from .panes import line, say
from .text import duration, time_left

SHOWN = 8
"""Jobs in the list, newest first."""

NOTHING = (
    "Nothing runs. Fits and simulations that you start are listed here, also after a reload of the page."
)
WORDS = {
    "queued": "waits",
    "running": "runs",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
    "died": "died",
}


def share(job: Job) -> float:
    """Returns how much of the work is done, from 0 to 1."""
    last = job.steps[-1] if job.steps else None
    return min(last.done / last.total, 1.0) if last is not None and last.total > 0 else 0.0


def sentence(job: Job) -> str:
    """Returns what a job does, or how it ended, in one sentence."""
    if job.error:
        return job.error
    if job.status == "queued":
        return "Waits: it is next." if job.place <= 1 else f"Waits: {job.place - 1} before it."
    if job.status == "running":
        return f"{share(job):.0%} done{time_left(job.remaining)}. {job.remark}".strip()
    ended = job.outcome.value if job.outcome is not None else WORDS[job.status]
    return f"{ended[:1].upper()}{ended[1:]}, after {duration(job.seconds)}. {job.remark}".strip()


class JobRow:
    """One job: its name, bar, sentence and what can be done with it."""

    def __init__(self, job: Job, opens: Callable[[Job], None] | None) -> None:
        self.job = job
        self.told = line(sentence(job), variant="caption", margin=(0, 6))
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width", margin=(2, 6)
        )
        self.stop = pmui.Button(
            label="Stop",
            description=f"Stop {job.name}",
            color="error",
            variant="text",
            size="small",
            margin=0,
        )
        self.open = pmui.Button(label="Open", variant="text", size="small", margin=0, visible=False)
        self.stop.on_click(lambda _: job.stop())
        if opens is None:
            self.open.href = f"jets?v=1&network=run:{job.id}"
        else:
            self.open.on_click(lambda _: opens(job))
        name = line(job.name, variant="subtitle2")
        head = pn.Row(name, self.stop, self.open, sizing_mode="stretch_width", margin=0)
        self.view = pn.Column(head, self.bar, self.told, sizing_mode="stretch_width", margin=(4, 0))
        self.renew()

    def renew(self) -> None:
        """Says anew how far the job is."""
        job = self.job
        say(self.told, sentence(job))
        self.bar.param.update(visible=job.status == "running", value=round(100 * share(job)))
        self.stop.visible = not job.over
        self.open.visible = job.over and job.opens


class JobsTray(pn.viewable.Viewer):
    """A button in the header that says what runs; a click lists the jobs. The page's timer calls `beat`.

    Args:
        owner: Whose jobs are listed, see `owner.owner`.
        opens: Opens what a finished job made; without it, a link to the jets page does.
    """

    def __init__(self, owner: str, opens: Callable[[Job], None] | None = None, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.owner, self.opens = owner, opens
        self.rows: dict[str, JobRow] = {}
        self.list = pn.Column(line(NOTHING), width=340, margin=8)
        self.popup = pmui.Popup(self.list, open=False)
        self.button = pmui.Button(
            label="Jobs", variant="text", size="small", sx=ON_HEADER, attached=[self.popup], margin=(0, 4)
        )
        self.button.on_click(self._open)
        self.beat()

    @property
    def jobs(self) -> list[Job]:
        """The jobs of this owner, newest first."""
        return [job for job in everyone() if job.owner == self.owner][:SHOWN]

    def beat(self) -> None:
        """Takes over what is new of the jobs; without news nothing changes."""
        jobs = self.jobs
        if [job.id for job in jobs] != list(self.rows):
            self.rows = {job.id: self.rows.get(job.id) or JobRow(job, self._opener) for job in jobs}
            self.list[:] = [row.view for row in self.rows.values()] or [line(NOTHING)]
        for row in self.rows.values():
            row.renew()
        self.button.label = label(jobs)

    def _open(self, *events: Any) -> None:
        self.popup.open = not self.popup.open

    @property
    def _opener(self) -> Callable[[Job], None] | None:
        return None if self.opens is None else self._open_job

    def _open_job(self, job: Job) -> None:
        self.popup.open = False
        if self.opens is not None:
            self.opens(job)

    def __panel__(self) -> pn.viewable.Viewable:
        return self.button


def label(jobs: list[Job]) -> str:
    """Returns the words of the button: what runs and how far it is."""
    running = [job for job in jobs if job.status == "running"]
    waiting = sum(job.status == "queued" for job in jobs)
    if not running and not waiting:
        return "Jobs"
    far = f", {sum(map(share, running)) / len(running):.0%}" if running else ""
    queue = f", {waiting} waiting" if waiting else ""
    return f"Jobs: {len(running)} running{far}{queue}"
