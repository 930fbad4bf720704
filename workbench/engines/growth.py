"""How the growing of trees reports, and when it ends."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..progress import Outcome, Report, Step, Stop
from .metrics import cross_entropy, evaluation
from .training import Sample
from .trees import Halt, Trees


@dataclass
class Growth:
    """Watches trees grow: books their validation loss, reports, and ends the growing.

    Attributes:
        classes: Names of the classes.
        training: What the trees learn from.
        validation: What decides how many of them are kept.
        report: Told after each iteration.
        stop: Looked at after each iteration; the one just grown is then forgotten.
        iterations: Most iterations.
        patience: Iterations without a better validation loss before the growing ends.
        history: Metrics of each iteration.
        stopped: True if `stop` ended the growing.
    """

    classes: tuple[str, ...]
    training: Sample
    validation: Sample
    report: Report
    stop: Stop
    iterations: int
    patience: int
    history: list[Mapping[str, float]] = field(default_factory=list)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.start = time.monotonic()
        self.outputs = 1 if len(self.classes) == 2 else len(self.classes)
        self.raw: dict[str, np.ndarray] = {}
        self.evaluate = evaluation(self.classes)

    def best(self) -> int:
        """Number of iterations up to the best validation loss."""
        losses = [row["validation_loss"] for row in self.history]
        return int(np.argmin(losses)) + 1 if losses else 0

    def outcome(self) -> Outcome:
        """How the growing ended."""
        if self.stopped:
            return Outcome.STOPPED if self.history else Outcome.UNLEARNED
        return Outcome.FINISHED if len(self.history) == self.iterations else Outcome.EARLY

    def after_each(self, trees: Trees) -> None:
        """Books the trees of one more iteration; raises `Halt` to end."""
        if self.stop.is_set():
            self.stopped = True
            raise Halt
        loss, _ = self._loss("training", self.training, trees)
        validation_loss, logits = self._loss("validation", self.validation, trees)
        metrics, extra = self.evaluate(logits, self.validation)
        speed = len(self.training) * (len(self.history) + 1) / (time.monotonic() - self.start)
        self.history.append(
            {"loss": loss, "jets_per_second": speed, "validation_loss": validation_loss, **metrics}
        )
        self.tell(self.history[-1], extra)
        if len(self.history) - self.best() >= self.patience:
            raise Halt

    def tell(self, metrics: Mapping[str, float], extra: Mapping[str, Any] | None) -> None:
        """Reports how far the growing is; `extra` closes an iteration."""
        done = len(self.history)
        self.report(Step(done, self.iterations, "iterations", metrics, done, extra is not None, extra or {}))

    def _loss(self, name: str, sample: Sample, trees: Trees) -> tuple[float, Tensor]:
        added = trees.raw(sample.batch.x.numpy())
        self.raw[name] = self.raw[name] + added - trees.baseline if name in self.raw else added
        raw = self.raw[name]
        logits = torch.from_numpy(np.concatenate([0 * raw, raw], axis=1) if self.outputs == 1 else raw)
        losses = cross_entropy(logits, sample.label) * sample.weight
        return float(losses.sum()) / len(sample), logits
