"""Runs whose truth is planted: jobs moved by hand, and scripts that serve for a while."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from workbench.jobs.job import Answer, Job
from workbench.jobs.recipe import Recipe

ROOT = Path(__file__).parents[2]
MARKUP = "<img src=x onerror=alert(1)>"
RECIPE = Recipe("tagger", {"network": "mlp", "epochs": 3, "hidden_sizes": [8, 4], "learning_rate": 0.003})
NOTE = {"sample": "toys", "source": 'wb.load("1")', "selection": "pt > 560 & abs(eta) < 1", "held": [1, 2]}
LOSSES = (0.7, 0.5, 0.6)
"""The second epoch is the best."""


def epoch(folder, number, loss):
    """The message that closes an epoch, whose arrays know its number."""
    file = folder / f"extra-{number}.npz"
    signal = np.array([0.9, 0.8, 0.3, 0.6, 0.2, 0.1]) / number
    np.savez(file, validation_scores=np.stack([1 - signal, signal], 1), validation_label=[1, 1, 1, 0, 0, 0])
    step = {
        "done": float(number), "total": 3.0, "unit": "epochs", "epoch": number, "final": True,
        "metrics": {"loss": loss + 0.1, "validation_loss": loss, "auc": 8 / 9, "accuracy": number / 8},
    }  # fmt: skip
    return {"kind": "step", "step": step, "extra": str(file)}


def within(done):
    step = {
        "done": done, "total": 3.0, "unit": "epochs", "epoch": int(done), "final": False,
        "metrics": {"loss": 1.0, "jets_per_second": 100.0},
    }  # fmt: skip
    return {"kind": "step", "step": step, "extra": ""}


def recorded(registry, sample, *, name=MARKUP, losses=LOSSES, answer=None, **options):
    """A job that was recorded from its beginning to its end, the run written."""
    job = Job(name, note=NOTE)
    registry.record(job, RECIPE, sample, seed=7, **options)
    job.hand_over()
    job.receive({"kind": "began"})
    for number, loss in enumerate(losses, start=1):
        job.receive(within(number - 0.5))
        job.receive(epoch(job.folder, number, loss))
    job.finish(answer or Answer(card={"parameters": 42}))
    assert registry.flush(60)
    return job


def script(tmp_path, text, **environment):
    """What a server process of its own said; `environment` is added to ours."""
    file = tmp_path / "server.py"
    file.write_text(text)
    return subprocess.run(
        [sys.executable, "-W", "error", str(file)], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
