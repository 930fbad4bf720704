"""An engine small enough to be known by heart: the mean of a sample's jet pt, found by steps of one half."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.errors import TrainingError
from workbench.progress import Never, Outcome, Step, silent


@dataclass
class FittedMean:
    value: float
    draw: float
    outcome: Outcome
    device: str


@dataclass
class Mean:
    epochs: int = 10
    pause: float = 0.0

    def fit(self, jets, *, seed, report=silent, stop=None, device="cpu"):
        stop = stop or Never()
        value, target = 0.0, float(np.mean(jets.p4.pt))
        draw = np.random.default_rng(seed).normal()
        for epoch in range(1, self.epochs + 1):
            if stop.is_set():
                return FittedMean(value, draw, Outcome.STOPPED if epoch > 1 else Outcome.UNLEARNED, device)
            value += (target - value) / 2
            time.sleep(self.pause)
            scores = np.full((2, 2), float(epoch), dtype=np.float32)
            report(
                Step(
                    epoch,
                    self.epochs,
                    "epochs",
                    {"loss": abs(target - value)},
                    epoch,
                    True,
                    {"validation_scores": scores},
                )
            )
        return FittedMean(value, draw, Outcome.FINISHED, device)


def selected(jets, *, low, report, stop):
    return jets[jets.p4.pt > low]


def double(x, *, report, stop):
    return 2 * x


def refuse(*, report, stop):
    msg = "The class 'top' has no jets; give at least one."
    raise TrainingError(msg)


def stumble(*, report, stop):
    return {}["missing"]


def whoami(*, report, stop):
    return os.getpid(), os.nice(0)


def die(folder, *, report, stop):
    (Path(folder) / "pid").write_text(str(os.getpid()))
    report(Step(1, 2, "epochs"))
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


def meet(folder, me, other, *, report, stop):
    """Ends once the other one has begun, which it never does if they run one after the other."""
    (Path(folder) / me).touch()
    while not (Path(folder) / other).exists():
        if stop.is_set():
            return 0
        time.sleep(0.01)
    return os.getpid()


def halfway(*, report, stop):
    report(Step(1, 2, "epochs"))
    while not stop.is_set():
        time.sleep(0.01)


def stubborn(*, report, stop):
    """Does not look at the stop."""
    while True:
        time.sleep(0.01)


def hurried(steps, *, report, stop):
    for i in range(steps):
        report(Step(i, steps, "jets"))
    return steps


def loaded(*, report, stop):
    import sys

    return "torch" in sys.modules
