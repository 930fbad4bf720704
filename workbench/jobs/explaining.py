"""Explains a large sample in the background, in parts over the workers of this computer or of a cluster."""

from pathlib import Path
from typing import Any

import numpy as np

from ..data.explanation import Explanation, concatenate
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError, WorkbenchError
from ..explanation.store import explained
from .folder import runs_folder
from .job import Job
from .submit import submit_call
from .workers import parallel

FOLDER = "explanations"
"""Below the folder of the runs, where explanations are kept unless another folder is given."""


class Explaining:
    """The jobs that explain the parts of one sample, seen as one piece of work; every method may be called from any thread.

    Attributes:
        jobs: One per part, in the order of the jets.
        total: Number of jets.
    """

    def __init__(self, jobs: tuple[Job, ...], total: int) -> None:
        self.jobs, self.total = jobs, total
        self._stopped = False

    @property
    def done(self) -> int:
        """Jets that are explained, those that were known included."""
        return int(sum(job.steps[-1].done for job in self.jobs if job.steps))

    @property
    def over(self) -> bool:
        """True once no part waits or runs."""
        return all(job.over for job in self.jobs)

    @property
    def error(self) -> str:
        """One sentence if a part failed or died, else ""."""
        failed = (job.error for job in self.jobs if job.status in ("failed", "died"))
        return "" if self._stopped else next(failed, "")

    @property
    def remaining(self) -> float:
        """Time left at the mean speed so far, in s; nan where it is not known."""
        seconds = max((job.seconds for job in self.jobs), default=0.0)
        return seconds * (self.total - self.done) / self.done if self.done else float("nan")

    def stop(self) -> None:
        """Asks every part to end at its next portion; what is explained is kept, and the same call goes on from there."""
        self._stopped = True
        for job in self.jobs:
            job.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until all parts are over, at most `timeout` seconds for each, and returns whether they are."""
        for job in self.jobs:
            job.wait(timeout)
        return self.over

    def result(self, timeout: float | None = None) -> Explanation:
        """Returns the explanation of all jets, or after a stop of the leading jets that every part up to there has.

        Raises:
            TimeoutError: it is not over yet.
            WorkbenchError: a part failed, or nothing was explained before the stop.
        """
        found = []
        for job in self.jobs:
            try:
                found.append(job.result(timeout))
            except WorkbenchError:
                if not self._stopped:
                    raise
                break
            if job.status == "stopped":
                break
        if not found:
            msg = "The explanation was stopped before the first jet was explained; start it again."
            raise ExplanationError(msg)
        return concatenate(found)


def submit_explanation(
    fitted: FittedTagger,
    jets: Jets,
    *,
    folder: Path | None = None,
    parts: int = 0,
    owner: str = "",
    **how: Any,
) -> Explaining:
    """Returns at once with the work that explains jets, one part per worker; what is known already is not done again.

    Args:
        fitted: A fitted tagger.
        jets: Jets, as many as you like.
        folder: Where explanations are kept, seen by all workers; default "explanations" in `WORKBENCH_RUNS`.
        parts: Number of parts; by default as many as jobs may run at once.
        owner: A token of whoever asks.
        how: rule, seed, method, attention and background of `explain`.

    Raises:
        ExplanationError: there are no jets.
    """
    if not len(jets):
        msg = "There are no jets to explain; give at least one."
        raise ExplanationError(msg)
    where = str(folder or runs_folder() / FOLDER)
    edges = np.linspace(0, len(jets), min(parts or parallel(), len(jets)) + 1).astype(int)
    jobs = tuple(
        submit_call(
            explained,
            fitted,
            jets[first:last],
            where,
            name=f"explanation of jets {first} to {last}",
            owner=owner,
            **how,
        )
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    )
    return Explaining(jobs, len(jets))
