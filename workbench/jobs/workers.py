"""The local worker: started when first needed, given one job at a time, closed with the process that asked."""

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from distributed import Client, Security
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from ..errors import JobError, WorkbenchError
from .job import Job
from .work import TOPIC, Ask, perform, stored

START = 60
"""Seconds a worker may take to start; 3 are usual, more on a busy machine."""
END = 5
"""Seconds they may take to end by themselves."""
DIED = "The worker process died while {name} ran (killed, or out of memory); submit it again, the next job gets a new worker."


class LocalWorkers:
    """A queue of jobs and the one process that works through them.

    One thread takes the jobs in order, starts the processes if they do not run, and waits for each answer. Traffic
    stays on 127.0.0.1 and is encrypted with keys made for this start.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.RLock()
        self._start = threading.RLock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._client: Client | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._jobs: list[Job] = []
        atexit.register(self.close)

    def begin(
        self, job: Job, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Puts a job at the end of the queue."""
        with self._lock:
            self._jobs = [*self._jobs, job]
            self._then(lambda: self._run(job, function, args, kwargs))

    def warm(self) -> None:
        """Starts the processes in the background."""
        self._then(self._connected_quietly)

    def close(self) -> None:
        """Stops all jobs and ends thread and processes; what is asked for later starts them again."""
        with self._lock:
            thread, self._thread = self._thread, None
            queue, self._queue = self._queue, SimpleQueue()
            jobs, self._jobs = self._jobs, []
            for job in jobs:
                job.stop()
                job.fail("stopped", f"{job.name} was ended with the worker.")
            queue.put(None)
        if self._process is not None:
            _end(self._process)
        self._disconnect()
        if thread is not None:
            thread.join(START)

    def _then(self, do: Callable[[], None]) -> None:
        with self._lock:
            self._queue.put(do)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._take, args=(self._queue,), name="workbench-jobs", daemon=True
                )
                self._thread.start()

    @staticmethod
    def _take(queue: "SimpleQueue[Callable[[], None] | None]") -> None:
        while (do := queue.get()) is not None:
            do()

    def _run(
        self, job: Job, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        try:
            if job.over:
                return
            client = self._connected()
            ask = Ask(
                job.token,
                str(job.folder),
                function,
                tuple(stored(value, job.folder, f"{i}") for i, value in enumerate(args)),
                {name: stored(value, job.folder, name) for name, value in kwargs.items()},
            )
            if job.hand_over():
                job.finish(client.submit(perform, ask, key=job.token, pure=False).result())
        except (KilledWorker, FutureCancelledError, OSError):
            job.fail("died", DIED.format(name=job.name))
            if threading.current_thread() is self._thread:
                self._disconnect()
        except WorkbenchError as error:
            job.fail("failed", str(error))
        except Exception as error:  # noqa: BLE001 - the border: whatever stops a job is told, the queue goes on
            job.fail("failed", f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._jobs = [other for other in self._jobs if other is not job]

    def _receive(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        for job in self._jobs:
            if job.token == message["token"]:
                job.receive(message)

    def _connected_quietly(self) -> None:
        try:
            self._connected()
        except JobError:
            self._disconnect()

    def _connected(self) -> Client:
        with self._start:
            if self._client is None or not self._alive(self._client):
                self._disconnect()
                self._connect()
            return self._client

    def _alive(self, client: Client) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        with suppress(OSError):
            return bool(client.nthreads())
        return False

    def _connect(self) -> None:
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        security = Security.temporary()
        fields = {name: getattr(security, name) for name in security.__slots__ if name.startswith("tls_")}
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-worker-", ignore_cleanup_errors=True)
        ask = {"security": {**fields, "require_encryption": True}, "folder": self._folder.name}
        log = Path(self._folder.name) / "log.txt"
        self._process = _launch(log)
        address = _asked(self._process, json.dumps(ask))
        if not address:
            said = log.read_text().strip().splitlines()
            msg = (
                f"The worker process did not start ({said[-1] if said else 'it said nothing'}); submit again."
            )
            raise JobError(msg)
        self._client = Client(address, security=security, set_as_default=False, timeout=START)
        self._client.subscribe_topic(TOPIC, self._receive)
        try:
            self._client.wait_for_workers(1, timeout=START)
        except TimeoutError:
            msg = f"The worker did not come up within {START} s; close other programs and submit again."
            raise JobError(msg) from None

    def _disconnect(self) -> None:
        with self._start:
            client, self._client = self._client, None
            process, self._process = self._process, None
            folder, self._folder = self._folder, None
            if client is not None:
                client.close(timeout=END)
            if process is not None:
                _end(process)
                with suppress(BrokenPipeError), process:
                    pass
            if folder is not None:
                folder.cleanup()


def _launch(log: Path) -> "subprocess.Popen[str]":
    with log.open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "workbench.jobs.local_cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )


def _asked(process: "subprocess.Popen[str]", line: str) -> str:
    assert process.stdin
    assert process.stdout
    with suppress(BrokenPipeError):
        process.stdin.write(line + "\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def _end(process: "subprocess.Popen[str]") -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END)
            return


@cache
def local_workers() -> LocalWorkers:
    """Returns the one local worker of this process."""
    return LocalWorkers()
