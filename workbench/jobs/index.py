"""The list of runs in MLflow's tracking store; MLflow is imported when the list is first opened."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import JobError

EXPERIMENT = "workbench"
"""Name of the experiment that holds our runs; others in the same store are left alone."""

TAG = "workbench."
"""What our tags begin with."""

OURS = TAG + "id"
"""The tag that names a run of ours."""

WAIT = 30
"""Seconds a writer waits for another server that writes to the same file."""

LARGEST = 1e308
"""MLflow stores infinity as the largest number."""

LONGEST = 250
"""Characters of a run's name that MLflow keeps."""

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_TRUNCATE_LONG_VALUES": "true",
}
"""Settings of MLflow unless the environment has its own: it reports to nobody and gives up soon on a server that is away."""


@dataclass(frozen=True)
class Entry:
    """What the list says of one run.

    Attributes:
        id: Our name of the run.
        name: What the user calls it.
        parameters: Texts by name.
        metrics: Newest value by name.
        tags: Ours, without their common beginning.
        began: Seconds since 1970.
    """

    id: str
    name: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    began: float


class Index:
    """Runs in the tracking store at `uri`, or in a SQLite file in `folder`.

    Several servers may use one file: it is in SQLite's write-ahead mode, so readers never wait and a writer waits for
    its turn; the file itself is made by whoever comes first while the others wait.

    Args:
        folder: The folder of runs.
        uri: MLflow's tracking address; "" for the file.
    """

    def __init__(self, folder: Path, uri: str = "") -> None:
        self.folder = folder
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._entities = import_module("mlflow.entities")
            tracking = import_module("mlflow.tracking")
            for name in ("mlflow.store.db.utils", "alembic"):
                logging.getLogger(name).setLevel(logging.WARNING)
            with self._alone():
                self._client = tracking.MlflowClient(tracking_uri=uri or self._file())
                self._experiment = self._found()
        except Exception as error:
            raise _told(error, uri or str(folder)) from error
        self._where = uri or str(folder)

    def create(
        self, identity: str, name: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Begins a run."""
        with self._telling():
            ours = {OURS: identity, **{TAG + key: value for key, value in tags.items()}}
            run = self._client.create_run(self._experiment, tags=ours, run_name=name[:LONGEST])
            self._keys[identity] = run.info.run_id
            pairs = [self._entities.Param(key, value) for key, value in parameters.items()]
            self._client.log_batch(run.info.run_id, params=pairs)

    def log(self, identity: str, metrics: Sequence[tuple[str, float, int]], tags: Mapping[str, str]) -> None:
        """Adds metrics (name, value, epoch) and tags in one go."""
        with self._telling():
            now = int(time.time() * 1000)
            points = [self._entities.Metric(name, float(value), now, epoch) for name, value, epoch in metrics]
            named = [self._entities.RunTag(TAG + key, value) for key, value in tags.items()]
            for start in range(0, max(1, len(points)), 900):
                portion = points[start : start + 900]
                self._client.log_batch(self._key(identity), metrics=portion, tags=[] if start else named)

    def end(self, identity: str, status: str) -> None:
        """Ends a run with one of MLflow's own statuses."""
        with self._telling():
            self._client.set_terminated(self._key(identity), status)

    def rename(self, identity: str, name: str) -> None:
        """Gives a run another name."""
        with self._telling():
            self._client.update_run(self._key(identity), name=name[:LONGEST])

    def delete(self, identity: str) -> None:
        """Moves a run to the trash."""
        with self._telling():
            self._client.delete_run(self._key(identity))

    def restore(self, identity: str) -> None:
        """Takes a run out of the trash."""
        with self._telling():
            self._client.restore_run(self._key(identity))

    def curve(self, identity: str, name: str) -> list[tuple[int, float]]:
        """Returns (epoch, value) of a metric, oldest first."""
        with self._telling():
            history = self._client.get_metric_history(self._key(identity), name)
            return sorted((point.step, point.value) for point in history)

    def entries(self, *, deleted: bool = False) -> list[Entry]:
        """Returns our runs, newest first; those in the trash if `deleted`."""
        views = self._entities.ViewType
        view = views.DELETED_ONLY if deleted else views.ACTIVE_ONLY
        with self._telling():
            return [self._entry(run) for run in self._search(view)]

    def _search(self, view: Any, filter_string: str = "") -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], filter_string, view, 1000, ["start_time DESC"], page_token=token
            )
            yield from (run for run in page if OURS in run.data.tags)
            token = page.token
            if not token:
                return

    def _entry(self, run: Any) -> Entry:
        identity = run.data.tags[OURS]
        self._keys[identity] = run.info.run_id
        metrics = {
            name: float("inf") if value > LARGEST else value for name, value in run.data.metrics.items()
        }
        tags = {key.removeprefix(TAG): value for key, value in run.data.tags.items() if key.startswith(TAG)}
        return Entry(
            identity, run.info.run_name or "", run.data.params, metrics, tags, run.info.start_time / 1000
        )

    def _key(self, identity: str) -> str:
        if identity not in self._keys:
            found = list(self._search(self._entities.ViewType.ALL, f"tags.`{OURS}` = '{identity}'"))
            if not found:
                msg = f"There is no run {identity} in {self._where}; choose one of the list."
                raise JobError(msg)
            self._keys[identity] = found[0].info.run_id
        return self._keys[identity]

    def _file(self) -> str:
        path = self.folder / "registry.db"
        with closing(sqlite3.connect(path, timeout=WAIT)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        return f"sqlite:///{path}?timeout={WAIT}"

    def _found(self) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return str(experiment.experiment_id)
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=self.folder.as_uri()))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Runs its body while no other process does; the lock goes with the process that holds it."""
        with closing(sqlite3.connect(self.folder / "lock.db", timeout=4 * WAIT)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Serialises the calls of several threads, and says what went wrong in a sentence."""
        try:
            with self._lock:
                yield
        except JobError:
            raise
        except Exception as error:
            raise _told(error, self._where) from error


def _told(error: Exception, where: str) -> JobError:
    said = str(error)
    if "disk is full" in said or "No space left" in said or "disk I/O error" in said:
        return JobError(f"The disk that holds the runs ({where}) is full; free space and try again.")
    if "readonly" in said or "Permission denied" in said or "unable to open" in said:
        return JobError(f"The runs in {where} cannot be written; set WORKBENCH_RUNS to a folder of your own.")
    reason = said.strip().splitlines()[0][:200] if said.strip() else type(error).__name__
    return JobError(
        f"The list of runs in {where} did not answer ({reason}); see that it is there and try again."
    )
