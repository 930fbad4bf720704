"""One run as the registry knows it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..data.classes import ClassArray
from ..errors import WorkbenchError
from ..physics.roc import roc
from ..progress import Step
from .index import Entry

EPOCH = "epoch/"
"""What the metrics of single epochs begin with in the list of runs; those without it are of the best epoch."""


@dataclass(frozen=True)
class Run:
    """What is known of a run.

    Attributes:
        id: 16 hexadecimal digits.
        name: What the user calls it; shown as text only.
        status: "queued", "running", "done", "stopped", "failed", "died".
        kind: "tagger".
        network: Which network, "" where the kind has none.
        parameters: Those of the engine that differ from the default.
        metrics: Of the best epoch: auc, auc_error, accuracy, rejection_30, rejection_50, loss, ...; seconds.
        sample: What it learned from: name, fingerprint, n, classes, source (Python that gives it again), selection;
            weighted where not all of its weights are one.
        seed: Seed of the fit.
        began: When it was asked for, with time zone.
        seconds: Time spent in the worker.
        user: Who asked.
        message: One sentence on how it ended or what is amiss, else "".
        file: The fitted model, of a run that died the best so far; None if there is none.
        device: Where it was fitted.
        versions: Versions of what made it, by name.
        note: What the page that asked wrote down besides.
        server: Host and process that asked.
    """

    id: str
    name: str
    status: str
    kind: str
    network: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    sample: dict[str, Any]
    seed: int
    began: datetime
    seconds: float
    user: str = ""
    message: str = ""
    file: Path | None = None
    device: str = "cpu"
    versions: dict[str, str] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)
    server: str = ""

    @property
    def over(self) -> bool:
        """True when the status does not change any more."""
        return self.status not in {"queued", "running"}


def tags_of(run: Run, validation: str = "") -> dict[str, str]:
    """Returns what the list of runs keeps besides parameters and metrics."""
    return {
        "status": run.status,
        "kind": run.kind,
        "network": run.network,
        "seed": str(run.seed),
        "device": run.device,
        "user": run.user,
        "server": run.server,
        "message": run.message,
        "validation": validation,
        "began": run.began.isoformat(),
        **{f"sample.{key}": text_of(value) for key, value in run.sample.items()},
        **{f"version.{key}": value for key, value in run.versions.items()},
        **{f"note.{key}": text_of(value) for key, value in run.note.items()},
    }


def run_of(entry: Entry, file: Path) -> Run:
    """Returns the run of an entry of the list, whose model is in `file` if it is there."""
    tags = entry.tags
    epochs = {k.removeprefix(EPOCH): v for k, v in entry.metrics.items() if k.startswith(EPOCH)}
    best = {k: v for k, v in entry.metrics.items() if not k.startswith(EPOCH)}
    began = datetime.fromtimestamp(entry.began, UTC)
    with suppress(ValueError, KeyError):
        began = datetime.fromisoformat(tags["began"])
    return Run(
        id=entry.id,
        name=entry.name,
        status=tags.get("status", "died"),
        kind=tags.get("kind", ""),
        network=tags.get("network", ""),
        parameters={name: value_of(text) for name, text in entry.parameters.items()},
        metrics={**epochs, **best},
        sample={name: value_of(text) for name, text in _part(tags, "sample.").items()},
        seed=int(tags.get("seed", "0")),
        began=began,
        seconds=best.get("seconds", 0.0),
        user=tags.get("user", ""),
        message=tags.get("message", ""),
        file=file if file.exists() else None,
        device=tags.get("device", "cpu"),
        versions=_part(tags, "version."),
        note={name: value_of(text) for name, text in _part(tags, "note.").items()},
        server=tags.get("server", ""),
    )


def text_of(value: Any) -> str:
    """Returns a JSON value as text; a text stays as it is unless it could be read as another value."""
    if isinstance(value, str) and value_of(value) == value:
        return value
    return json.dumps(value, default=str)


def value_of(text: str) -> Any:
    """Returns the value of which `text_of` made the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def results(step: Step | None) -> dict[str, float]:
    """Returns the metrics of the best epoch, with errors and rejections where its scores are known."""
    if step is None:
        return {}
    found = {name: float(value) for name, value in step.metrics.items()}
    scores, label = step.extra.get("validation_scores"), step.extra.get("validation_label")
    if scores is not None and label is not None and np.ndim(scores) == 2 and np.shape(scores)[1] == 2:
        with suppress(WorkbenchError):
            names = ("0", "1")
            curve = roc(
                ClassArray(np.asarray(label), names),
                ClassArray(np.asarray(scores), names),
                signal="1",
                background="0",
            )
            found["auc_error"] = float(curve.auc_error)
            for percent in (30, 50):
                rejection = curve.rejection(percent / 100)
                found[f"rejection_{percent}"] = float(rejection.value)
                found[f"rejection_{percent}_error"] = float(rejection.error)
    return found


def _part(tags: Mapping[str, str], start: str) -> dict[str, str]:
    return {name.removeprefix(start): value for name, value in tags.items() if name.startswith(start)}
