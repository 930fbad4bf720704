"""Where the workers are: processes of this computer, or a site's own."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from distributed import Client, Security

from ..errors import JobError
from .folder import runs_folder
from .work import TOPIC

START = 60
"""Seconds a worker may take to start; 3 are usual, more on a busy machine."""
END = 5
"""Seconds they may take to end by themselves."""
PATIENCE = 10
"""Seconds a site's scheduler may take to answer."""
AWAY = "The scheduler {address} (WORKBENCH_SCHEDULER) did not answer ({reason}); see that it runs, or unset the variable to work on this computer."

CLOSED = "The workers were ended; submit again."

Receive = Callable[[tuple[float, Mapping[str, Any]]], None]


class Cluster(Protocol):
    """Workers that can be reached."""

    @property
    def exchange(self) -> Path | None:
        """The folder that this process and the workers share; None for that of temporary files."""
        ...

    @contextmanager
    def lease(self) -> Iterator[tuple[Client, list[str] | None]]:
        """Gives a client and the worker that the body may use alone; None where the scheduler chooses it."""
        ...

    def grow(self) -> bool:
        """Adds a worker; returns False where that cannot be done from here."""
        ...

    def start(self) -> None:
        """Sees that the workers are there."""
        ...

    def close(self) -> None:
        """Ends what was started; who still asks for a worker gets a JobError."""
        ...


class LocalProcesses:
    """Worker processes of this computer, each started when first needed; they end with this process.

    Traffic stays on 127.0.0.1 and is encrypted with keys made for this start.

    Args:
        workers: How many at most.
        receive: Called with every message of a worker.
    """

    exchange: Path | None = None

    def __init__(self, workers: int, receive: Receive) -> None:
        self.workers = workers
        self._receive = receive
        self._start = threading.RLock()
        self._freed = threading.Condition()
        self._leased: set[str] = set()
        self._started = 0
        self._closed = False
        self._process: subprocess.Popen[str] | None = None
        self._client: Client | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @contextmanager
    def lease(self) -> Iterator[tuple[Client, list[str] | None]]:
        """Gives a client and a worker that nobody else uses; waits while a killed one is replaced."""
        client, address = self._choose()
        try:
            yield client, [address]
        finally:
            with self._freed:
                self._leased.discard(address)
                self._freed.notify_all()

    def grow(self) -> bool:
        """Allows a worker more; it is started when it is needed."""
        with self._start:
            self.workers += 1
        return True

    def start(self) -> None:
        """Starts the processes if they do not run."""
        self._connected()

    def close(self) -> None:
        """Ends the processes; who still waits for one gets a JobError."""
        self._closed = True
        if self._process is not None:
            _end(self._process)
        self._disconnect()

    def _choose(self) -> tuple[Client, str]:
        end = time.monotonic() + START
        while time.monotonic() < end:
            client = self._connected()
            found: list[str] = []
            # The timeout is for a scheduler that dies at this moment; without it the question waits for its return.
            with suppress(OSError):
                found = [*client.sync(client.scheduler.ncores, callback_timeout=END)]
            with self._freed:
                for address in found:
                    if address not in self._leased:
                        self._leased.add(address)
                        return client, address
                busy = len(self._leased)
            self._add(busy)
            with self._freed:
                self._freed.wait(0.05)
        msg = f"No worker came up within {START} s; close other programs and submit again."
        raise JobError(msg)

    def _add(self, busy: int) -> None:
        """Starts one worker more if all that were started are busy and there may be more."""
        with self._start:
            if busy < self._started or self._started >= self.workers or self._process is None:
                return
            assert self._process.stdin
            self._started += 1
            with suppress(OSError):
                self._process.stdin.write(f"{self._started}\n")
                self._process.stdin.flush()

    def _connected(self) -> Client:
        with self._start:
            if self._closed:
                # A lane that still waited for a worker would start one that nobody ends.
                raise JobError(CLOSED)
            if self._client is None or not self._alive(self._client):
                self._disconnect()
                self._connect()
            return self._client

    def _alive(self, client: Client) -> bool:
        return self._process is not None and self._process.poll() is None and client.status == "running"

    def _connect(self) -> None:
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        security = Security.temporary()
        fields = {name: getattr(security, name) for name in security.__slots__ if name.startswith("tls_")}
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-worker-", ignore_cleanup_errors=True)
        ask = {
            "security": {**fields, "require_encryption": True},
            "folder": self._folder.name,
        }
        self._started = 1
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


class Site:
    """The workers of a scheduler that somebody else started; keys and timeouts are those of Dask's own configuration.

    Samples and results travel through the folder of runs, which the workers must see under the same path.

    Args:
        address: Of the scheduler, "tls://host:8786".
        receive: Called with every message of a worker.
    """

    def __init__(self, address: str, receive: Receive) -> None:
        self.address = address
        self._receive = receive
        self._start = threading.Lock()
        self._client: Client | None = None
        self._closed = False

    @property
    def exchange(self) -> Path:
        """The folder that this process and the workers share."""
        folder = runs_folder() / "exchange"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def lease(self) -> Iterator[tuple[Client, list[str] | None]]:
        """Gives a client; the scheduler chooses the worker."""
        yield self._connected(), None

    def grow(self) -> bool:
        """Returns False: a site adds its workers itself."""
        return False

    def start(self) -> None:
        """Connects to the scheduler."""
        self._connected()

    def close(self) -> None:
        """Leaves the scheduler; it goes on without us."""
        with self._start:
            self._closed = True
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=END)

    def _connected(self) -> Client:
        with self._start:
            if self._closed:
                raise JobError(CLOSED)
            if self._client is not None and self._client.status == "running":
                return self._client
            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
            try:
                client = Client(self.address, set_as_default=False, timeout=PATIENCE)
            except (OSError, TimeoutError, ValueError) as error:
                reason = str(error).strip().splitlines()[0][:120] if str(error) else type(error).__name__
                raise JobError(AWAY.format(address=self.address, reason=reason)) from error
            client.subscribe_topic(TOPIC, self._receive)
            self._client = client
            return client


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
