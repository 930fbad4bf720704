"""What happens in the worker: read the data, do the work, report, see the stop, leave the result."""

import math
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from distributed import get_worker

from ..data import explanation_file, parquet
from ..data.events import Events
from ..data.explanation import Explanation
from ..data.jets import Jets
from ..errors import DataError, WorkbenchError
from ..progress import Step
from .folder import RunFolder
from .job import SAMPLE, Answer, Job

TOPIC = "workbench"
"""Under which messages travel; each carries the token of its job."""
LOOK = 0.05
"""Seconds between two looks for the stop."""
KEEP = 1.0
"""Seconds between two times that the best so far is written."""
DIED = "The worker process died while {name} ran (killed, or out of memory); submit it again, the next job gets a new worker."
UNSEEN = "The worker on {host} does not see the folder {folder}; set WORKBENCH_RUNS to a folder that this computer and the workers of WORKBENCH_SCHEDULER share."


@dataclass(frozen=True)
class Stored:
    """A sample or a saved model that travels as the name of its file."""

    file: str


@dataclass(frozen=True)
class Ask:
    """What a worker is asked to do: call `function` with these arguments, and with report=, stop=, keep= where it takes them.

    Attributes:
        name: What the job is called.
        token: What its messages are told by.
        folder: Where what travels lies.
        function: What is called.
        args: Positional arguments.
        kwargs: Named arguments.
        model: Where the best so far is kept; "" if it is not.
    """

    name: str
    token: str
    folder: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    model: str = ""


def asked(job: Job, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Ask:
    """Returns what the worker gets for a job; samples are written to files."""
    return Ask(
        job.name,
        job.token,
        str(job.folder),
        function,
        tuple(stored(value, job, f"{i}") for i, value in enumerate(args)),
        {name: stored(value, job, name) for name, value in kwargs.items()},
        "" if job.home is None else str(job.home.model),
    )


def stored(value: Any, job: Job, name: str) -> Any:
    """Returns `value`, or a reference to its file if it is a sample; that of a registered run is kept with the runs."""
    if not isinstance(value, Jets | Events):
        return value
    if job.samples is not None:
        try:
            return Stored(str(job.samples.keep(value)))
        except DataError as error:
            job.note_down("sample", f"The sample could not be kept, so this run cannot be repeated: {error}")
    path = job.folder / f"{name}.parquet"
    parquet.write(value, path)
    return Stored(str(path))


def fetched(value: Any) -> Any:
    """Returns `value`, read from its file if it is a reference."""
    if not isinstance(value, Stored):
        return value
    if value.file.endswith(".safetensors"):
        return import_module("workbench.engines.store").open(value.file)
    return parquet.read(value.file)


class Reporter:
    """Sends steps home; arrays travel as files."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._worker = get_worker()
        self._files = 0

    def __call__(self, step: Step) -> None:
        """Sends one sign of life."""
        plain = {
            **asdict(replace(step, extra={})),
            "metrics": {name: float(v) for name, v in step.metrics.items()},
        }
        del plain["extra"]
        self.send(kind="step", step=plain, extra=self._write(step.extra))

    def send(self, **message: Any) -> None:
        """Sends one message to whoever asked."""
        self._worker.log_event(TOPIC, {"token": self._ask.token, **message})

    def _write(self, extra: Mapping[str, Any]) -> str:
        if not extra:
            return ""
        self._files += 1
        file = Path(self._ask.folder) / f"extra-{self._files}.npz"
        np.savez(file, allow_pickle=False, **{name: np.asarray(array) for name, array in extra.items()})
        return str(file)


class Keeper:
    """Writes the best so far to the folder of the run, so that a fit whose server or worker dies has something to show.

    The network as it was after epochs 1, 2, 4, 8, … is written beside it, so that one can look at how it learned.
    """

    def __init__(self, file: str, report: Reporter) -> None:
        self._file, self._folder = Path(file), RunFolder(Path(file).parent)
        self._report = report
        self._kept = -math.inf

    def __call__(self, fitted: Any) -> None:
        """Writes a fitted object unless one was written a moment ago; a full disk is told and does not end the fit."""
        if time.monotonic() - self._kept >= KEEP:
            self._write("The best so far", lambda: fitted.save(self._file))
            self._kept = time.monotonic()
        epoch = fitted.state.epoch if getattr(fitted, "state", None) is not None else 0
        if epoch > 0 and epoch & (epoch - 1) == 0:
            self._write(
                f"The network after epoch {epoch}", lambda: fitted.latest().save(self._folder.epoch(epoch))
            )

    def _write(self, what: str, save: Callable[[], Any]) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            save()
        except (WorkbenchError, OSError) as error:
            self._report.send(kind="remark", remark=f"{what} could not be kept: {error}")


class FileStop:
    """Is set once a file appears; a thread looks for it, so that asking costs nothing and is acknowledged between batches."""

    def __init__(self, file: Path, acknowledge: Callable[[], None]) -> None:
        self.seen = False
        self._file = file
        self._acknowledge = acknowledge
        self._set = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="workbench-stop", daemon=True)

    def is_set(self) -> bool:
        """Returns True when the work should end."""
        self.seen = self.seen or self._set.is_set()
        return self._set.is_set()

    def __enter__(self) -> "FileStop":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            if self._file.exists():
                self._set.set()
                self._acknowledge()
                return


def perform(ask: Ask) -> Answer:
    """Returns the answer of one job; whatever the work raises becomes a sentence."""
    folder = Path(ask.folder)
    if not folder.is_dir():
        sentence = UNSEEN.format(host=socket.gethostname(), folder=folder)
        return Answer(failure=("JobError", sentence, ""))
    if (folder / "began").exists():
        # A scheduler with other settings than ours gives the work of a killed worker to the next one.
        return Answer(failure=("JobError", DIED.format(name=ask.name), ""), died=True)
    (folder / "began").touch()
    report = Reporter(ask)
    report.send(kind="began")
    try:
        with FileStop(folder / "stop", lambda: report.send(kind="stop")) as stop:
            offered: dict[str, Any] = {"report": report, "stop": stop}
            if ask.model:
                offered["keep"] = Keeper(ask.model, report)
            value = ask.function(
                *map(fetched, ask.args),
                **{name: fetched(value) for name, value in ask.kwargs.items()},
                **_wanted(ask.function, **offered),
            )
        return replace(_answer(value, folder), stopped=stop.seen)
    except WorkbenchError as error:
        return Answer(failure=(type(error).__name__, str(error), traceback.format_exc()))
    except Exception as error:  # noqa: BLE001 - the border: any error of the work is told, none ends the worker
        sentence = f"{type(error).__name__}: {error}"
        return Answer(failure=("JobError", sentence, traceback.format_exc()))


def _wanted(function: Callable[..., Any], **offered: Any) -> dict[str, Any]:
    parameters = signature(function).parameters
    any_name = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return {name: value for name, value in offered.items() if any_name or name in parameters}


def _answer(value: Any, folder: Path) -> Answer:
    answer = Answer(outcome=getattr(value, "outcome", None), card=getattr(value, "card", {}))
    if isinstance(value, Jets | Events):
        parquet.write(value, folder / "result.parquet")
        return replace(answer, file=str(folder / "result.parquet"), reader=SAMPLE)
    if isinstance(value, Explanation):
        explanation_file.write(value, folder / "result.parquet")
        reader = "workbench.data.explanation_file:read"
        return replace(answer, file=str(folder / "result.parquet"), reader=reader)
    if hasattr(value, "save"):
        file = folder / "result.safetensors"
        value.save(file)
        return replace(answer, file=str(file), reader="workbench.engines.store:open")
    return replace(answer, value=value)
