"""One run as a page follows it."""

from typing import Any

import numpy as np
import param

from ..jobs.curves import extended
from ..jobs.job import OVER, Job
from ..progress import Step

SENTENCES = {
    "idle": "Nothing runs.",
    "queued": "Waiting for a worker.",
    "running": "Running.",
    "done": "Done.",
    "stopped": "Stopped.",
}


class RunState(param.Parameterized):
    """Follows a job by polling: the page's own timer calls `drain`, nobody pushes.

    Curves are columns, ready for a plot's source: `live` has a row per sign of life within an epoch, `epochs` one row per
    finished epoch. A metric that a row lacks is nan.
    """

    job: Job | None = param.ClassSelector(class_=Job, allow_None=True, doc="The job that is followed.")
    status: str = param.Selector(
        default="idle", objects=["idle", "queued", "running", *OVER], doc="Of the job."
    )
    message: str = param.String(SENTENCES["idle"], doc="One sentence for the user.")
    place: int = param.Integer(0, bounds=(0, None), doc="Place in the queue; 0 once it runs, 1 for the next.")
    done: float = param.Number(0.0, bounds=(0, None), doc="Work done so far, in `unit`.")
    total: float = param.Number(0.0, bounds=(0, None), doc="Work asked for, in `unit`.")
    unit: str = param.String("", doc='"jets", "epochs", "events".')
    epoch: int = param.Integer(0, bounds=(0, None), doc="Epochs completed.")
    live: dict[str, np.ndarray] = param.Dict(
        {}, doc="Columns with one row per sign of life: done, epoch, metrics."
    )
    epochs: dict[str, np.ndarray] = param.Dict(
        {}, doc="Columns with one row per finished epoch: epoch, metrics."
    )
    latest: dict[str, float] = param.Dict({}, doc="The newest value of every metric.")
    extra: dict[str, Any] = param.Dict({}, doc="Arrays of the newest finished epoch, by name.")

    def __init__(self, **parameters: Any) -> None:
        self._version = 0
        super().__init__(**parameters)
        if self.job is not None:
            self.follow(self.job)

    def follow(self, job: Job) -> None:
        """Follows another job from its first step on; a page that was reloaded finds all of it again."""
        self._version = -1
        self.param.update(
            job=job, status="queued", message=SENTENCES["queued"], done=0.0, total=0.0, unit="", epoch=0, place=0,
            live={}, epochs={}, latest={}, extra={},
        )  # fmt: skip
        self.drain()

    def drain(self) -> list[Step]:
        """Takes over what is new and returns the new steps; without news nothing changes and no watcher is called."""
        if self.job is None or self.job.version == self._version:
            return []
        self._version, status, steps = self.job.since(self._version)
        changes: dict[str, Any] = {
            "status": status,
            "message": self._sentence(status),
            "place": self.job.place,
        }
        if steps:
            last = steps[-1]
            extra = [step.extra for step in steps if step.extra]
            changes |= {
                "done": float(last.done), "total": float(last.total), "unit": last.unit, "epoch": last.epoch,
                "latest": {**self.latest, **{k: v for step in steps for k, v in step.metrics.items()}},
                "live": extended(self.live, steps, final=False),
                "epochs": extended(self.epochs, steps, final=True),
                "extra": dict(extra[-1]) if extra else self.extra,
            }  # fmt: skip
        self.param.update(**changes)
        return steps

    def stop(self) -> None:
        """Asks the job to end at its next batch."""
        if self.job is not None and not self.job.over:
            self.job.stop()
            self.message = "Stopping at the next batch."

    @property
    def busy(self) -> bool:
        """True while the job waits or runs."""
        return self.status in {"queued", "running"}

    @property
    def remaining(self) -> float:
        """Time left at the mean speed so far, in s; nan where it is not known."""
        return float("nan") if self.job is None else self.job.remaining

    def _sentence(self, status: str) -> str:
        job = self.job
        if job is None:
            return SENTENCES["idle"]
        if job.error:
            return job.error
        said = SENTENCES[status]
        if job.over and job.outcome is not None:
            said = job.outcome.value[:1].upper() + job.outcome.value[1:] + "."
        elif status == "queued" and job.place > 1:
            said = f"Waiting for a worker; {job.place - 1} before it."
        return f"{said} {job.remark}".strip()
