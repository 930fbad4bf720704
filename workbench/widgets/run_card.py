"""One run: what it is, and what can be done with it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..engines.archive import Archive, read
from ..jobs.job import Job
from ..jobs.registry import Registry
from ..jobs.run import Run
from ..state.runs import RunsState, metric
from ..views.comparison import LETTERS
from . import export
from .errands import Errands
from .panes import fill, fold, line, pane, row, say
from .run_table import status
from .table import table, table_pane
from .text import duration, with_error

MODEL, ONNX = "Model (.safetensors)", "Network (ONNX)"
METRICS_CSV, METRICS_PARQUET = "Metrics (CSV)", "Metrics (Parquet)"
ENDINGS = {MODEL: "safetensors", ONNX: "onnx", METRICS_CSV: "csv", METRICS_PARQUET: "parquet"}
"""What a run is exported as, and the ending of the file."""
REPEATED, RESUMED = "repeated", "resumed"
"""What a run's note calls the run that it repeats, or goes on with."""

STATE = ("last/", "optimizer/")
"""What a file has beside the fitted model: what a fit goes on from."""

HELP = (
    "Reproduce fits again with the same data and seed and compares the weights; Resume goes on from the last epoch that was "
    "kept, as a new run; what is deleted can be taken back."
)


def verdict(first: Run, again: Run) -> str:
    """Returns whether a repeated run came out the same, in one sentence: the weights of both files are compared.

    Raises:
        StoreError: one of the files cannot be read.
    """
    if first.file is None or again.file is None:
        return "Whether it came out the same is not known: one of the two has no model."
    one, other = (_weights(read(run.file)) for run in (first, again) if run.file is not None)
    differing = [name for name in one.keys() | other.keys() if not _equal(one.get(name), other.get(name))]
    if not differing:
        return (
            f"Identical to {first.name}: all {len(one)} arrays of its model are the same to the last digit."
        )
    made = [
        f"{what} {here} and {there}"
        for what, here, there in (
            ("device", first.device, again.device),
            *((f"{x} version", v, again.versions.get(x)) for x, v in first.versions.items()),
        )
        if here != there
    ]
    why = f" They were made with different {', '.join(made)}." if made else ""
    shift = metric(again, "auc") - metric(first, "auc")
    area = f"; the area under the ROC curve changed by {shift:+.2g}" if np.isfinite(shift) else ""
    return f"Not identical to {first.name}: {len(differing)} of {len(one)} arrays of the model differ{area}.{why}"


def _weights(archive: Archive) -> dict[str, np.ndarray]:
    return {name: array for name, array in archive.arrays.items() if not name.startswith(STATE)}


def _equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
        return False
    return one.tobytes() == other.tobytes()


def metrics_table(registry: Registry, run: Run) -> pd.DataFrame:
    """Returns the metrics of every epoch, a row each."""
    epochs = registry.curves(run.id).get("epochs", {})
    return pd.DataFrame({name: np.asarray(column) for name, column in epochs.items()})


class RunCard(pn.viewable.Viewer):
    """The run that is looked at, by name, with its actions; what was deleted can be taken back."""

    def __init__(
        self,
        state: RunsState,
        registry: Callable[[], Registry],
        jobs: Callable[[], list[Job]],
        errands: Errands,
        changed: Callable[[], None],
        owner: str = "",
        **parameters: Any,
    ) -> None:
        """Takes what gives the registry, the jobs of this server, and what asks the registry for its list again."""
        super().__init__(**parameters)
        self.state, self.registry, self.jobs, self.errands = state, registry, jobs, errands
        self.changed, self.owner = changed, owner
        self.verdicts: dict[str, str] = {}
        self.which = pmui.Select(label="Run", options={}, size="small", sizing_mode="stretch_width")
        self.name_field = pmui.TextInput(
            label="Name", max_length=250, size="small", sizing_mode="stretch_width"
        )
        self.told, self.message, self.same = line(), line(), line(styles={"font-weight": "600"})
        self.details = table_pane()
        self._make_buttons()
        self.gone = line()
        self.undo = pmui.Button(label="Undo", size="small", variant="outlined")
        self.bin = pn.Row(sizing_mode="stretch_width", margin=0)
        self.below = pn.Column(sizing_mode="stretch_width", margin=0)
        self.nobody = line("Click a run in the table to look at it.")
        self.delivery = export.Delivery(lambda sentence: say(self.message, sentence))
        self._busy = False
        self._watch()
        self._show()

    def _make_buttons(self) -> None:
        # Without a description: its tooltip would take the place of the button's name for who cannot see.
        def button(label: str, **options: Any) -> pmui.Button:
            look = {"size": "small", "variant": "outlined", "margin": 4, "sizing_mode": "stretch_width"}
            return pmui.Button(label=label, **{**look, **options})

        self.open = button("Open on the jets page", variant="contained")
        self.reproduce, self.resume = button("Reproduce"), button("Resume")
        self.stop, self.delete = button("Stop", color="error"), button("Delete", color="error")
        self.format = pmui.Select(
            label="Export as",
            options=list(ENDINGS),
            size="small",
            width=210,
            margin=4,
        )
        self.export = button("Export", sizing_mode="fixed", width=100)

    def _watch(self) -> None:
        self.which.param.watch(self._look, "value")
        self.name_field.param.watch(self._rename, "value")
        for button, act in (
            (self.reproduce, self._reproduce),
            (self.resume, self._resume),
            (self.stop, self._stop),
            (self.delete, self._delete),
            (self.export, self._export),
            (self.undo, self._restore),
        ):
            button.on_click(act)
        self.state.param.watch(self._show, ["current", "chosen", "runs", "progress"])
        self.state.param.watch(self._show_bin, "deleted")

    @property
    def run(self) -> Run | None:
        """The run that is looked at."""
        return self.state.find(self.state.current)

    def _look(self, event: Any) -> None:
        if not self._busy and event.new:
            self.state.current = event.new

    def _show(self, *events: Any) -> None:
        run = self.run
        if run is None:
            self.below[:] = [self.nobody]
            return
        self._busy = True
        self.which.param.update(options=_lettered(self.state.compared), value=run.id)
        if any(event.name in {"current", "runs"} for event in events) or not events:
            self.name_field.value = run.name
        self._busy = False
        say(self.told, self._sentence(run))
        self.details.object = table((), _facts(run))
        self._allow(run)
        self._judge(run)
        if self.nobody in self.below:
            fill(self.below, self._layout())

    def _sentence(self, run: Run) -> str:
        area = with_error(metric(run, "auc"), metric(run, "auc_error"))
        good = f" AUC {area}." if np.isfinite(metric(run, "auc")) else ""
        message = run.message[:1].upper() + run.message[1:]
        ended = f" {message.rstrip('.')}." if message else ""
        return f"{status(run, self.state.progress.get(run.id, ''))}.{good}{ended}"

    def _allow(self, run: Run) -> None:
        over = run.status not in {"queued", "running"}
        self.open.param.update(href=f"jets?v=1&network=run:{run.id}", disabled=run.file is None)
        self.reproduce.disabled = not over
        self.resume.disabled = run.status not in {"stopped", "died"} or run.file is None
        self.stop.disabled = self._job(run) is None
        self.delete.disabled = not over
        self.export.disabled = not over

    def _job(self, run: Run) -> Job | None:
        return next((job for job in self.jobs() if job.id == run.id and not job.over), None)

    def _rename(self, event: Any) -> None:
        run, name = self.run, str(event.new).strip()
        if self._busy or run is None or name == run.name:
            return
        if not name:
            say(self.message, "A run needs a name; the old one was kept.")
            self.name_field.value = run.name
            return
        self._do(
            f"renaming {_called(run.name, run.id)}",
            lambda: self.registry().rename(run.id, name),
            f"Renamed to {name}.",
        )

    def _reproduce(self, *events: Any) -> None:
        if run := self.run:
            name, owner = f"{run.name} (again)", self.owner
            self.errands.send(
                f"reproducing {_called(run.name, run.id)}",
                lambda: self.registry().submit_again(run.id, owner=owner, name=name),
                lambda job: self._begun(
                    job, f"{run.name} is fitted again; when it is over the weights are compared."
                ),
            )

    def _resume(self, *events: Any) -> None:
        if run := self.run:
            name, owner = f"{run.name} (resumed)", self.owner
            self.errands.send(
                f"resuming {_called(run.name, run.id)}",
                lambda: self.registry().resume(run.id, owner=owner, name=name),
                lambda job: self._begun(job, f"{run.name} goes on as a new run."),
            )

    def _begun(self, job: Job, sentence: str) -> None:
        self.state.awaited = job.id
        say(self.message, sentence)
        self.changed()

    def _stop(self, *events: Any) -> None:
        run = self.run
        if run is not None and (job := self._job(run)) is not None:
            job.stop()
            say(self.message, f"{run.name} ends at its next batch; the best epoch so far is kept.")

    def _delete(self, *events: Any) -> None:
        if run := self.run:
            self.errands.send(
                f"deleting {_called(run.name, run.id)}",
                lambda: self.registry().delete(run.id),
                lambda _: self._deleted(run),
            )

    def _deleted(self, run: Run) -> None:
        self.state.deleted = [*self.state.deleted, (run.id, run.name)]
        say(self.message, "")
        self.changed()

    def _restore(self, *events: Any) -> None:
        if self.state.deleted:
            run_id, name = self.state.deleted[-1]
            self.state.deleted = self.state.deleted[:-1]
            self._do(
                f"restoring {_called(name, run_id)}",
                lambda: self.registry().restore(run_id),
                f"{name} is back.",
            )

    def _show_bin(self, *events: Any) -> None:
        gone = self.state.deleted
        say(self.gone, f"{gone[-1][1]} is in the bin." if gone else "")
        self.bin[:] = [self.gone, self.undo] if gone else []

    def _export(self, *events: Any) -> None:
        run, wanted = self.run, self.format.value
        if run is None:
            return
        ending = ENDINGS[wanted]
        name = f"{export.file_name(run.name)}.{ending}"
        self.errands.send(
            f"exporting {_called(run.name, run.id)}",
            lambda: self._content(run, wanted),
            lambda content: self.delivery.ask(
                "save", content=content, type=export.TYPES.get(ending, "application/octet-stream"), name=name
            ),
        )

    def _content(self, run: Run, wanted: str) -> bytes:
        if wanted in (METRICS_CSV, METRICS_PARQUET):
            write = export.csv if wanted == METRICS_CSV else export.parquet
            return write(metrics_table(self.registry(), run))
        with TemporaryDirectory() as folder:
            if wanted == ONNX:
                path = self.registry().open(run.id).to_onnx(Path(folder) / "network.onnx")
            else:
                path = self.registry().export(run.id, Path(folder) / "model.safetensors")
            return path.read_bytes()

    def _do(self, kind: str, work: Callable[[], Any], sentence: str) -> None:
        def then(result: Any) -> None:
            say(self.message, sentence)
            self.changed()

        self.errands.send(kind, work, then)

    def _judge(self, run: Run) -> None:
        """Says whether a run that repeats another came out the same."""
        first = self.state.find(str(run.note.get(REPEATED, "")))
        if first is None or run.status != "done":
            say(self.same, "")
        elif run.id in self.verdicts:
            say(self.same, self.verdicts[run.id])
        else:
            self.verdicts[run.id] = ""
            self.errands.send(
                f"comparing the weights of {_called(run.name, run.id)}",
                lambda: verdict(first, run),
                lambda found: self._judged(run, found),
            )

    def _judged(self, run: Run, found: str) -> None:
        self.verdicts[run.id] = found
        if self.run is not None and self.run.id == run.id:
            say(self.same, found)

    def _layout(self) -> list[Any]:
        return [
            row([self.which, self.name_field], width=250, most=2),
            self.told,
            self.same,
            row([self.open, self.reproduce, self.resume, self.stop, self.delete], width=110, most=5),
            line(HELP, variant="caption"),
            pn.Row(self.format, self.export, margin=0),
            fold("How it was made", self.details),
        ]

    def __panel__(self) -> pn.viewable.Viewable:
        return pane("One run", self.below, self.message, self.bin, self.delivery.place, name="run")


def _lettered(runs: list[Run]) -> dict[str, str]:
    return {f"{letter}  {run.name}": run.id for letter, run in zip(LETTERS, runs, strict=False)}


def _facts(run: Run) -> list[tuple[str, str]]:
    """What is known of how a run was made, one row each."""
    sample = run.sample
    said = {
        "Network": run.network,
        "Settings other than the default": ", ".join(f"{k} {v}" for k, v in run.parameters.items()) or "none",
        "Sample": f"{sample.get('name', '')}, {int(sample.get('n', 0)):,} jets",
        "Selection": str(sample.get("selection", "")),
        "Fingerprint": str(sample.get("fingerprint", "")),
        "Seed": str(run.seed),
        "Began": run.began.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z"),
        "Took": duration(run.seconds),
        "By": run.user,
        "On": run.device,
        "With": ", ".join(f"{k} {v}" for k, v in run.versions.items()),
        "Id": run.id,
    }
    return [(name, value) for name, value in said.items() if value]


def _called(name: str, identity: str) -> str:
    """Tells runs of one name apart where it must be one of them."""
    return f"{name} ({identity})"
