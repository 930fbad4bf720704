"""The queue of jobs and those who work through it."""

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from ..errors import JobError, WorkbenchError
from .cluster import START, Cluster, LocalProcesses, Site
from .job import Job
from .work import DIED, asked, perform

MOST = 2
"""Worker processes of this computer unless WORKBENCH_WORKERS says otherwise; each is given one job at a time."""
AT_SITE = 8
"""Jobs that a site's scheduler is given at a time unless WORKBENCH_WORKERS says otherwise."""
RECENT = 50
"""Jobs of pages that are kept after their end."""


@dataclass(frozen=True, eq=False)
class _Task:
    job: Job
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Workers:
    """A queue of jobs, and one lane per worker that takes them in order; urgent ones go before the others.

    Where fits hold every lane, an urgent job gets a worker more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Task] = []
        self._running: list[_Task] = []
        self._lanes: list[threading.Thread] = []
        self._open = object()
        self._cluster: Cluster | None = None
        self._recent: deque[Job] = deque(maxlen=RECENT)
        self._known: weakref.WeakSet[Job] = weakref.WeakSet()

    @property
    def exchange(self) -> Path | None:
        """The folder that this process and the workers share; None for that of temporary files."""
        return self._there().exchange

    @property
    def jobs(self) -> list[Job]:
        """All jobs that wait or run, and recent ones, newest first."""
        with self._changed:
            return sorted(self._known, key=lambda job: job.asked, reverse=True)

    def begin(
        self, job: Job, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Puts a job at the end of the queue, an urgent one before those that are not."""
        task = _Task(job, function, args, kwargs)
        job.left = self._moved
        with self._changed:
            self._known.add(job)
            if job.owner or job.home is not None:
                self._recent.append(job)
            before = sum(t.job.urgent for t in self._waiting) if job.urgent else len(self._waiting)
            self._waiting.insert(before, task)
            self._open_lanes()
            if job.urgent and len(self._running) >= len(self._lanes) and len(self._lanes) <= parallel():
                self._open_lanes(spare=self._there().grow())
            self._moved()

    def warm(self) -> None:
        """Starts the workers in the background."""
        threading.Thread(target=self._start_quietly, name="workbench-warm", daemon=True).start()

    def close(self) -> None:
        """Stops all jobs and ends the workers; what is asked for later starts them again."""
        with self._changed:
            lanes, self._lanes = self._lanes, []
            tasks, self._waiting = [*self._running, *self._waiting], []
            cluster, self._cluster = self._cluster, None
            self._open = object()
            self._recent.clear()
            self._changed.notify_all()
        for task in tasks:
            task.job.stop()
            task.job.fail("stopped", f"{task.job.name} was ended with the worker.")
        if cluster is not None:
            cluster.close()
        for lane in lanes:
            lane.join(START)

    def _there(self) -> Cluster:
        with self._changed:
            if self._cluster is None:
                address = os.environ.get("WORKBENCH_SCHEDULER", "")
                self._cluster = (
                    Site(address, self._receive) if address else LocalProcesses(parallel(), self._receive)
                )
            return self._cluster

    def _open_lanes(self, *, spare: bool = False) -> None:
        """Sees that there is a lane per worker, and one more for urgent jobs alone if `spare`."""
        wanted = max(len(self._lanes), parallel()) + spare
        while len(self._lanes) < wanted:
            lane = threading.Thread(
                target=self._take, args=(self._open, spare), name="workbench-jobs", daemon=True
            )
            self._lanes.append(lane)
            lane.start()

    def _take(self, opened: object, spare: bool) -> None:
        """Works through the queue until it is closed; the body of a lane."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next(spare) is not None or self._open is not opened)
                task = self._next(spare)
                if self._open is not opened or task is None:
                    return
                self._waiting.remove(task)
                self._running.append(task)
                self._moved()
            self._run(task)
            with self._changed:
                self._running = [other for other in self._running if other is not task]
            del task

    def _next(self, spare: bool) -> _Task | None:
        return next((task for task in self._waiting if task.job.urgent or not spare), None)

    def _run(self, task: _Task) -> None:
        job = task.job
        try:
            if job.over:
                return
            with self._there().lease() as (client, workers):
                ask = asked(job, task.function, task.args, task.kwargs)
                if job.hand_over():
                    future = client.submit(perform, ask, key=job.token, pure=False, workers=workers)
                    job.finish(future.result())
        except (KilledWorker, FutureCancelledError, OSError):
            job.fail("died", DIED.format(name=job.name))
        except WorkbenchError as error:
            job.fail("failed", str(error))
        except Exception as error:  # noqa: BLE001 - the border: whatever stops a job is told, the queue goes on
            job.fail("failed", f"{type(error).__name__}: {error}")

    def _moved(self) -> None:
        """Tells everyone who waits the new place."""
        with self._changed:
            self._waiting = [task for task in self._waiting if not task.job.over]
            for place, task in enumerate(self._waiting, start=1):
                task.job.move(place)
            self._changed.notify_all()

    def _receive(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        for task in self._running:
            if task.job.token == message["token"]:
                task.job.receive(message)

    def _start_quietly(self) -> None:
        try:
            self._there().start()
        except JobError:
            return


def parallel() -> int:
    """Returns how many jobs may run at once."""
    said = os.environ.get("WORKBENCH_WORKERS", "")
    if not said:
        return AT_SITE if os.environ.get("WORKBENCH_SCHEDULER") else max(1, min(MOST, os.cpu_count() or 1))
    if not said.isdigit() or int(said) < 1:
        msg = f"WORKBENCH_WORKERS is {said!r}; give a whole number from 1, the jobs that may run at once."
        raise JobError(msg)
    return int(said)


@cache
def workers() -> Workers:
    """Returns the workers of this process."""
    return Workers()
