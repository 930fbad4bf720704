"""What every classifier is measured by while it learns."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from ..data.classes import ClassArray
from ..physics.roc import roc
from .training import Sample


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Returns the cross-entropy of each jet, shape (jets,), of logits (jets, classes) and labels (jets,)."""
    return F.cross_entropy(logits.float(), label, reduction="none")


def evaluation(
    classes: tuple[str, ...],
) -> Callable[[Tensor, Sample], tuple[Mapping[str, float], Mapping[str, Any]]]:
    """Returns what computes an epoch's metrics and live arrays from logits and the validation sample.

    Metrics are the accuracy and the area under the ROC curve; with more than two classes the mean of the areas of each class
    against all others.
    """

    def evaluate(logits: Tensor, sample: Sample) -> tuple[Mapping[str, float], Mapping[str, Any]]:
        label, weight = sample.label.numpy(), sample.weight.numpy().astype(np.float64)
        scores = softmax(logits.double().numpy())
        signals = range(1, 2) if len(classes) == 2 else range(len(classes))
        curves = [
            roc(label, scores, signal=s, background=[b for b in range(len(classes)) if b != s], weight=weight)
            for s in signals
        ]
        metrics = {"accuracy": curves[0].accuracy, "auc": float(np.mean([curve.auc for curve in curves]))}
        extra = {
            "validation_scores": ClassArray(scores, classes),
            "validation_label": ClassArray(label, classes),
        }
        return metrics, extra

    return evaluate


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns probabilities, shape (jets, classes), of logits of that shape."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return odds / odds.sum(axis=1, keepdims=True)
