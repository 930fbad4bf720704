"""The registry of runs: every fit that was asked for, with what is needed to open, compare and repeat it."""

import getpass
import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..data import parquet
from ..data.events import Events
from ..data.jets import Jets
from ..errors import JobError, WorkbenchError
from ..progress import Step
from .curves import columns
from .folder import RunFolder, Samples, checked, runs_folder
from .index import Index
from .job import Job
from .recipe import Recipe
from .run import EPOCH, Run, results, run_of, tags_of, text_of
from .server import host_of, is_here, lives, this_server
from .work import Stored
from .workers import workers

LOOK = 0.5
"""Seconds between two looks at the jobs that run."""
AGAIN = 10.0
"""Seconds until what could not be written is tried again."""
BEAT = 30.0
"""Seconds between two signs that the server of a run lives."""
SILENT = 600.0
"""A run of another host whose server gave no sign for so many seconds died."""

ENDS = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED", "died": "FAILED"}
"""MLflow's word for each of our ends."""

TOLD = ("source", "selection")
"""What a page says of the sample besides its name."""

MADE_BY = ("hep-workbench", "torch", "numpy", "scikit-learn")
"""Packages whose versions are kept with a run."""

BURIED = "The server ended while this run went on; the best of {epochs} is kept, and it can be resumed."
LOST = "The server ended before this run had finished an epoch; nothing was learned, and it can be repeated."
UNKEPT = "{error} This run is kept until this server ends, and is written once that is possible."


@dataclass
class _Live:
    """A run of this process that is not yet written to its end.

    Attributes:
        job: The work.
        run: What was known when it began.
        data: What it learns from, until its fingerprint is known.
        validation: Fingerprint of the validation sample, if it has one of its own.
        created: Whether the list of runs has it.
        version: Of the job, as far as its steps are written.
        status: The status that is written.
        trouble: Why something could not be written, else "".
        beaten: When the last sign of life was given.
    """

    job: Job
    run: Run
    data: tuple[Any, Any] | None
    validation: str = ""
    created: bool = False
    version: int = 0
    status: str = ""
    trouble: str = ""
    beaten: float = 0.0


class Registry:
    """Runs in a folder, listed in MLflow's tracking store.

    Only the process that serves the pages writes it; workers leave their results as files. Every fit is written by one
    thread, so `submit` returns at once. Several servers may share a folder: each writes the runs it was asked for, sees
    those of the others, and marks as died what a server left that is gone. What cannot be written (a full disk) is said
    with the run, kept in memory and tried again.

    Attributes:
        unread: Entries of the list that could not be read the last time it was.

    Args:
        folder: Where the files are; default `WORKBENCH_RUNS`, else the user's data folder.
        uri: MLflow's tracking address; default `MLFLOW_TRACKING_URI`, else a SQLite file in the folder.
    """

    def __init__(self, folder: Path | None = None, uri: str | None = None) -> None:
        self.folder = folder or runs_folder()
        self.uri = os.environ.get("MLFLOW_TRACKING_URI", "") if uri is None else uri
        self.samples = Samples(self.folder / "samples")
        self.unread = 0
        self._live: dict[str, _Live] = {}
        self._index: Index | None = None
        self._opening = threading.Lock()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(
        self, recipe: Recipe, data: Jets | Events, *, seed: int, device: str = "cpu", name: str = "",
        owner: str = "", note: Mapping[str, Any] | None = None, **options: Any,
    ) -> Job:  # fmt: skip
        """Returns at once with the job that fits what `recipe` describes, registered as a run of the job's id.

        Args:
            recipe: Kind and parameters of the engine.
            data: What it learns from; kept once by its fingerprint, so that the run can be repeated.
            seed: Seed of the fit.
            device: Where to fit.
            name: What the run is called; default the network.
            owner: A token of whoever asks.
            note: "sample", "source" and "selection" say what the data is; anything else is kept as it is.
            options: Further arguments of `fit` (validation=, resume=).
        """
        job = Job(name or _network(recipe) or recipe.kind, owner=owner, note=note, within=workers().exchange)
        held = options.get("validation")
        self.record(job, recipe, data, seed=seed, device=device, validation=held)
        try:
            workers().begin(job, recipe.fit, (data,), {"seed": seed, "device": device, **options})
        except Exception as error:
            job.fail("failed", f"{job.name} could not be begun: {error}")
            raise
        return job

    def warm(self) -> None:
        """Opens the list of runs in the background: making a new one takes seconds, in which a fit would stand nowhere."""
        threading.Thread(target=self._open_quietly, name="workbench-registry-open", daemon=True).start()

    def _open_quietly(self) -> None:
        # What is wrong with it is said with the first run.
        with suppress(WorkbenchError, OSError):
            self._list()

    def record(
        self, job: Job, recipe: Recipe, data: Jets | Events, *, seed: int, device: str = "cpu",
        validation: Any = None,
    ) -> None:  # fmt: skip
        """Writes down what a job does from now on, as a run of the job's id; the work itself is begun elsewhere."""
        job.home, job.samples = self.files(job.id), self.samples
        run = _run(job, recipe, seed, device, data)
        with self._changed:
            self._live[job.id] = _Live(job, run, (data, validation))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="workbench-registry", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def runs(self) -> list[Run]:
        """Returns all runs that are not in the trash, newest first; reading them may take a second the first time.

        Raises:
            JobError: the list of runs cannot be read; the runs of this process are in `live`.
        """
        live = {run.id: run for run in self.live()}
        listed = self._listed()
        others = [self._explained(run) for run in listed if run.id not in live]
        return sorted([*live.values(), *others], key=lambda run: run.began, reverse=True)

    def live(self) -> list[Run]:
        """Returns the runs of this process that are not written to their end, without reading anything."""
        with self._changed:
            return [self._now(live) for live in self._live.values()]

    def trash(self) -> list[Run]:
        """Returns the runs that were deleted and can be restored, newest first."""
        return self._listed(deleted=True)

    def run(self, identity: str) -> Run:
        """Returns one run, also one in the trash.

        Raises:
            JobError: there is none of this name.
        """
        identity = checked(identity)
        for runs in (self.live, self.runs, self.trash):
            for run in runs():
                if run.id == identity:
                    return run
        msg = f"There is no run {identity}; choose one of the list."
        raise JobError(msg)

    def rename(self, identity: str, name: str) -> None:
        """Gives a run another name; any text will do, pages show it as text."""
        with self._changed:
            if live := self._live.get(checked(identity)):
                live.run = replace(live.run, name=name)
                if not live.created:
                    return
        self._list().rename(identity, name)

    def delete(self, identity: str) -> None:
        """Moves a run to the trash; `restore` takes it out again.

        Raises:
            JobError: it is not over; stop it first.
        """
        if self.run(identity).status in {"queued", "running"}:
            msg = "This run is not over; stop it before you delete it."
            raise JobError(msg)
        self._list().delete(identity)

    def restore(self, identity: str) -> None:
        """Takes a run out of the trash."""
        self._list().restore(checked(identity))

    def empty_trash(self) -> None:
        """Deletes the files of all runs in the trash for good; what is listed of them stays with MLflow."""
        for run in self.trash():
            shutil.rmtree(self.files(run.id).folder, ignore_errors=True)

    def curves(self, identity: str) -> dict[str, dict[str, np.ndarray]]:
        """Returns the columns of the curves as a `RunState` has them: "live" within epochs, "epochs" at their ends."""
        steps = self.files(identity).read_steps()
        if steps:
            return columns(steps)
        run = self.run(identity)
        points = {name: self._list().curve(identity, EPOCH + name) for name in run.metrics}
        number = {epoch for curve in points.values() for epoch, _ in curve}
        steps = [
            Step(
                n,
                n,
                "epochs",
                {k: dict(curve)[n] for k, curve in points.items() if n in dict(curve)},
                n,
                True,
            )
            for n in sorted(number)
        ]
        return columns(steps)

    def scores(self, identity: str) -> dict[str, np.ndarray]:
        """Returns "validation_scores" (jets, classes) and "validation_label" of the best epoch, none if not kept."""
        return self.files(identity).read_arrays()

    def open(self, identity: str, epoch: int | None = None) -> Any:
        """Returns the fitted object; of a run that died the best so far.

        Args:
            identity: Of the run.
            epoch: One of `epochs`, for the network as it was after it.

        Raises:
            JobError: there is no model of this run, or none of that epoch.
        """
        model = self._model(identity)
        if epoch is not None:
            model = self.files(identity).epoch(epoch)
            if not model.exists():
                kept = ", ".join(map(str, self.epochs(identity))) or "none"
                msg = f"The network after epoch {epoch} was not kept; there are those after: {kept}."
                raise JobError(msg)
        return import_module("workbench.engines.store").open(model)

    def epochs(self, identity: str) -> list[int]:
        """Returns the epochs whose networks were kept: 1, 2, 4, 8 and so on; none of trees."""
        return self.files(identity).epochs

    def recipe(self, identity: str) -> Recipe:
        """Returns the kind of engine and the parameters of a run."""
        run = self.run(identity)
        return Recipe(run.kind, run.parameters)

    def submit_again(self, identity: str, *, owner: str = "", name: str = "") -> Job:
        """Fits once more with the same data, seed and parameters; on the same machine the weights are the same.

        Raises:
            JobError: the sample was not kept.
        """
        return self._repeat(self.run(identity), owner, name, {})

    def resume(self, identity: str, *, owner: str = "", name: str = "") -> Job:
        """Goes on with a run that was stopped or died, as a new run.

        Raises:
            JobError: there is no model to go on from, or the sample was not kept.
        """
        model = Stored(str(self._model(identity)))
        return self._repeat(self.run(identity), owner, name, {"resume": model})

    def export(self, identity: str, path: str | Path) -> Path:
        """Copies the model of a run to `path` (.safetensors) and returns it.

        Raises:
            JobError: there is no model, or it cannot be written there.
        """
        path = Path(path)
        if path.suffix != ".safetensors":
            msg = f"Models are exported as .safetensors; found {path.name!r}, so name it {path.stem + '.safetensors'!r}."
            raise JobError(msg)
        try:
            return Path(shutil.copyfile(self._model(identity), path))
        except OSError as error:
            msg = f"The model could not be written to {path.name} ({error.strerror}); choose another place."
            raise JobError(msg) from error

    def files(self, identity: str) -> RunFolder:
        """Returns the files of a run."""
        return RunFolder(self.folder / checked(identity))

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all that ended is written, at most `timeout` seconds, and returns whether it is."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(live.job.over and not live.trouble for live in self._live.values()), timeout
            )

    def _listed(self, *, deleted: bool = False) -> list[Run]:
        """Returns the runs of the list; what is no run of ours, as somebody else wrote it, is counted in `unread`."""
        found, unread = [], 0
        for entry in self._list().entries(deleted=deleted):
            try:
                found.append(run_of(entry, self.files(entry.id).model))
            except (JobError, ValueError, OverflowError):
                unread += 1
        if not deleted:
            self.unread = unread
        return found

    def _list(self) -> Index:
        with self._opening:
            if self._index is None:
                self._index = Index(self.folder, self.uri)
            return self._index

    def _explained(self, run: Run) -> Run:
        """Returns a run of the list; one that another server goes on with says so, one whose server is gone died."""
        if run.over or run.server == this_server():
            return run
        if lives(run.server) if is_here(run.server) else self.files(run.id).silence < SILENT:
            return replace(run, message=f"It runs in another server, on {host_of(run.server)}.")
        epochs = sum(step.final for step in self.files(run.id).read_steps())
        said = BURIED.format(epochs=f"{epochs} epochs" if epochs != 1 else "1 epoch") if run.file else LOST
        # A list that cannot be written still says what it knows.
        with suppress(JobError):
            self._list().log(run.id, [], {"status": "died", "message": said})
            self._list().end(run.id, ENDS["died"])
        return replace(run, status="died", message=said)

    def _model(self, identity: str) -> Path:
        file = self.files(identity).model
        if not file.exists():
            msg = f"The run {self.run(identity).name!r} has no model in {self.folder}; train it again."
            raise JobError(msg)
        return file

    def _repeat(self, run: Run, owner: str, name: str, options: dict[str, Any]) -> Job:
        data = self._sample(run, str(run.sample.get("fingerprint", "")))
        if held := str(run.sample.get("validation", "")):
            options["validation"] = self._sample(run, held)
        data_told = {"sample": run.sample.get("name", ""), **{k: run.sample.get(k, "") for k in TOLD}}
        how = "resumed" if "resume" in options else "repeated"
        note: dict[str, Any] = {**run.note, **data_told, how: run.id}
        return self.submit(
            Recipe(run.kind, run.parameters), data, seed=run.seed, device=run.device,
            name=name or run.name, owner=owner, note=note, **options,
        )  # fmt: skip

    def _sample(self, run: Run, fingerprint: str) -> Jets | Events:
        if not fingerprint or not self.samples.size(fingerprint):
            msg = f"The sample of {run.name!r} ({run.sample.get('name', '')}) was not kept in {self.folder}; load it again and train with seed {run.seed}."
            raise JobError(msg)
        return parquet.read(self.samples.file(fingerprint))

    def _now(self, live: _Live) -> Run:
        """Returns a run of this process as it is at this moment."""
        job = live.job
        latest = {k: float(v) for step in job.steps[-2:] for k, v in step.metrics.items()}
        metrics = _metrics(job) if job.over else {**latest, "seconds": job.seconds}
        message = live.trouble or job.error or job.remark or (job.outcome.value if job.outcome else "")
        file = self.files(job.id).model
        return replace(
            live.run, status=job.status, seconds=job.seconds, metrics=metrics,
            message=message, file=file if file.exists() else job.file,
        )  # fmt: skip

    def _write(self) -> None:
        """Writes what the jobs report until there are none; the body of the registry's thread."""
        while True:
            with self._changed:
                lives = list(self._live.values())
                if not lives:
                    self._thread = None
                    return
            for live in lives:
                self._advance(live)
            with self._changed:
                self._live = {k: live for k, live in self._live.items() if live.status not in ENDS}
                self._changed.notify_all()
                waiting = [live for live in self._live.values() if not live.trouble]
                if self._live:
                    self._changed.wait(LOOK if waiting else AGAIN)

    def _advance(self, live: _Live) -> None:
        """Writes what is new of one run; what fails is said and tried again."""
        try:
            if not live.created:
                self._create(live)
            self._append(live)
            if live.job.over and live.status != live.job.status:
                self._end(live)
            live.trouble = ""
        except WorkbenchError as error:
            live.trouble = UNKEPT.format(error=error)
        except OSError as error:
            said = f"The run could not be written to {self.folder} ({error.strerror or error}); free space."
            live.trouble = UNKEPT.format(error=said)
        except Exception as error:  # noqa: BLE001 - the border: one run that cannot be written must not end those of all
            said = f"The run could not be written ({type(error).__name__}: {error})."
            live.trouble = UNKEPT.format(error=said)

    def _create(self, live: _Live) -> None:
        data, validation = live.data or (None, None)
        sample = {**live.run.sample, "fingerprint": data.fingerprint if data is not None else ""}
        if isinstance(validation, Jets | Events):
            sample["validation"] = validation.fingerprint
        parameters = {name: text_of(value) for name, value in live.run.parameters.items()}
        with self._changed:
            live.run = replace(live.run, sample=sample)
            run = live.run
        self._list().create(run.id, run.name, parameters, tags_of(run))
        with self._changed:
            live.created, live.data = True, None
            name = live.run.name
        # It may have been renamed while it was entered under its old name.
        if name != run.name:
            self._list().rename(run.id, name)

    def _append(self, live: _Live) -> None:
        files, news = self.files(live.run.id), live.job.since(live.version)
        if time.monotonic() - live.beaten > BEAT:
            files.beat()
            live.beaten = time.monotonic()
        if news.version == live.version:
            return
        files.add_steps(news.steps)
        points = [
            (EPOCH + name, value, step.epoch)
            for step in news.steps
            if step.final
            for name, value in step.metrics.items()
        ]
        status = "running" if live.job.over else live.job.status
        if points or status != live.status:
            self._list().log(live.run.id, points, {"status": status})
        live.version, live.status = news.version, status

    def _end(self, live: _Live) -> None:
        job, files = live.job, self.files(live.run.id)
        status = job.status
        files.write_steps(job.steps)
        if job.file is not None and job.file.suffix == files.model.suffix:
            files.take_model(job.file)
        best = job.best
        if best is not None and best.extra:
            files.write_arrays(best.extra)
        points = [(name, value, best.epoch if best else 0) for name, value in _metrics(job).items()]
        message = job.error or job.remark or (job.outcome.value if job.outcome else "")
        self._list().log(job.id, points, {"status": status, "message": message})
        self._list().end(job.id, ENDS[status])
        live.status = status


def _network(recipe: Recipe) -> str:
    return str(recipe.parameters.get("network", "particlenet-lite" if recipe.kind == "tagger" else ""))


def _metrics(job: Job) -> dict[str, float]:
    size = {"parameters": float(job.card["parameters"])} if "parameters" in job.card else {}
    return {**results(job.best), **size, "seconds": job.seconds}


def _run(job: Job, recipe: Recipe, seed: int, device: str, data: Jets | Events) -> Run:
    told: dict[str, Any] = {key: job.note.get(key, "") for key in TOLD}
    if isinstance(data, Jets) and bool(np.any(np.asarray(data.weight) != 1)):
        told["weighted"] = True
    return Run(
        id=job.id,
        name=job.name,
        status="queued",
        kind=recipe.kind,
        network=_network(recipe),
        parameters=dict(recipe.parameters),
        metrics={},
        sample={"name": job.note.get("sample", ""), "n": len(data), "classes": list(data.classes), **told},
        seed=int(seed),
        began=job.asked,
        seconds=0.0,
        user=_user(),
        device=device,
        versions=dict(_versions()),
        note={k: v for k, v in job.note.items() if k not in {"sample", *TOLD}},
        server=this_server(),
    )  # fmt: skip


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return ""


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for name in MADE_BY:
        with suppress(PackageNotFoundError):
            found.append((name, version(name)))
    return tuple(found)


@cache
def registry() -> Registry:
    """Returns the registry of this process."""
    return Registry()
