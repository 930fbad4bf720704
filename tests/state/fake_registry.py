"""A registry of runs in memory, with the interface of the real one and runs whose truth is planted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from workbench.errors import JobError
from workbench.jobs.run import Run

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARKUP = "<img src=x onerror=alert(1)>"
JETS = {"name": "jets", "fingerprint": "0123456789abcdef", "n": 4000, "source": "", "selection": ""}
IDS = [f"{i:016x}" for i in range(100)]


class FakeJob:
    """A job of this server, moved by hand."""

    def __init__(self, run_id, status="running", place=0):
        self.id, self.status, self.place = run_id, status, place
        self.version, self.steps, self.remaining = 1, [], float("nan")
        self.owner, self.stopped = "", False

    @property
    def over(self):
        return self.status not in {"queued", "running"}

    def since(self, version):
        return self.version, self.status, [step for at, step in self.steps if at > version]

    def tell(self, step):
        self.version += 1
        self.steps.append((self.version, step))

    def end(self, status="done"):
        self.version += 1
        self.status = status

    def stop(self):
        self.stopped = True
        self.end("stopped")


class FakeRegistry:
    """Runs in a dictionary; deleted ones in another."""

    def __init__(self, runs=()):
        self.kept = {run.id: run for run in runs}
        self.bin, self.stored, self.learned, self.jobs = {}, {}, {}, []
        self.error, self.unread = "", 0

    def runs(self):
        self._fail()
        return list(self.kept.values())

    def rename(self, run_id, name):
        self._fail()
        self.kept[run_id] = replace(self.kept[run_id], name=name)

    def delete(self, run_id):
        self._fail()
        self.bin[run_id] = self.kept.pop(run_id)

    def restore(self, run_id):
        self._fail()
        self.kept[run_id] = self.bin.pop(run_id)

    def curves(self, run_id):
        self._fail()
        return self.learned.get(run_id, {})

    def scores(self, run_id):
        self._fail()
        return self.stored.get(run_id, {})

    def submit_again(self, run_id, *, owner="", name=""):
        self._fail()
        old = self.kept[run_id]
        return self._begin(old)

    def resume(self, run_id, *, owner="", name=""):
        self._fail()
        return self._begin(self.kept[run_id])

    def _begin(self, old):
        new = replace(old, id=IDS[50 + len(self.jobs)], status="running", name=f"{old.name} again")
        self.kept = {new.id: new, **self.kept}
        self.jobs.append(FakeJob(new.id))
        return self.jobs[-1]

    def finish(self, job, scores=None):
        """Ends a job; its run gets the scores of the run it repeats, or others."""
        job.end()
        run = self.kept[job.id]
        self.kept[job.id] = replace(run, status="done")
        self.stored[job.id] = scores
        return self.kept[job.id]

    def export(self, run_id, path):
        self._fail()
        Path(path).write_bytes(json.dumps(self.kept[run_id].parameters).encode())
        return Path(path)

    def _fail(self):
        if self.error:
            raise JobError(self.error)


def planted(
    i,
    *,
    name="",
    network="mlp",
    status="done",
    seed=1,
    auc=0.9,
    hours=0,
    sample=None,
    file=None,
    versions=None,
    **parameters,
):
    """A run that says of itself what it is told."""
    metrics = {
        "auc": auc,
        "auc_error": 0.004,
        "rejection_50": 40.0 + i,
        "rejection_30": 100.0,
        "seconds": 10.0 + i,
    }
    return Run(
        id=IDS[i], name=name or f"run {i}", status=status, kind="tagger", network=network,
        parameters=parameters, metrics=metrics if status in {"done", "stopped"} else {},
        sample=sample or JETS, seed=seed, began=NOON - timedelta(hours=hours), seconds=10.0 + i, user="ada",
        file=file, versions=versions or {},
    )  # fmt: skip


def scores(seed, n=3000, shift=1.5):
    """Scores of jets every second of which is signal: shape (n, 2); the same seed has the same jets."""
    label = np.arange(n) % 2
    odds = np.exp(np.random.default_rng(seed).normal(size=n) + shift * label)
    top = odds / (1 + odds)
    return {"validation_scores": np.stack([1 - top, top], axis=1), "validation_label": label}


def learned(epochs=5, best=3):
    """Curves with one row per epoch, the lowest validation loss in epoch `best`."""
    epoch = np.arange(1, epochs + 1.0)
    return {
        "epochs": {
            "epoch": epoch,
            "loss": 1 / epoch,
            "validation_loss": 0.3 + 0.1 * np.abs(epoch - best),
            "auc": 0.9 - 0.01 * np.abs(epoch - best),
        }
    }


def registry():
    """Two runs that differ in learning_rate and epochs only, trees, a dead one, one with markup in its name."""
    made = FakeRegistry([
        planted(0, epochs=5, learning_rate=0.001, batch_size=256),
        planted(1, epochs=8, learning_rate=0.002, batch_size=256, hours=1),
        planted(2, network="trees", auc=0.95, hours=2, iterations=50),
        planted(3, status="died", hours=3),
        planted(4, name=MARKUP, hours=4, seed=2, auc=0.85),
    ])  # fmt: skip
    for i in (0, 1, 2, 4):
        made.stored[IDS[i]] = scores(i, shift=1.5 - 0.1 * i)
        made.learned[IDS[i]] = learned()
    return made
