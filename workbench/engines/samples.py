"""From labelled jets to what is learned from and what is set aside."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..data.classes import ClassArray
from ..data.jets import Jets
from ..errors import TrainingError, nearest
from .batch import Batch
from .training import Sample


def labelled(batch: Batch, jets: Jets, scale: float) -> Sample:
    """Returns the inputs with the jets' labels and weights, the latter divided by `scale`."""
    label = torch.from_numpy(np.array(jets.label, dtype=np.int64))
    return Sample(batch, label, torch.from_numpy((jets.weight / scale).astype(np.float32)))


def check(jets: Jets, what: str) -> None:
    """Raises TrainingError if a tagger cannot learn from (or be judged by) these jets.

    Args:
        jets: The sample.
        what: What it is for, "training" or "validation".
    """
    if not isinstance(jets, Jets):
        msg = f"The {what} sample is of {type(jets).__name__}; a tagger learns from Jets, which wb.load makes of a file with jets."
        raise TrainingError(msg)
    if len(jets) == 0:
        msg = f"The {what} sample has no jets; give labelled jets of two or more classes."
        raise TrainingError(msg)
    unknown = int(np.sum(np.asarray(jets.label) < 0))
    if unknown:
        msg = f"{unknown} of {len(jets)} {what} jets have no label; select those that have one (jets[jets.label >= 0])."
        raise TrainingError(msg)
    if len(jets.classes) < 2:
        msg = f"The {what} sample has the classes {jets.classes}; a tagger needs two or more."
        raise TrainingError(msg)
    for name in jets.classes:
        if not jets.is_class(name).any():
            msg = f"The {what} sample has no jets of class {name!r}; add some or build the sample without that class."
            raise TrainingError(msg)
        if (total := jets.weight[jets.is_class(name)].sum()) <= 0:
            msg = f"The weights of the {what} jets of class {name!r} sum to {total:g}, expected more than 0; give more jets or other weights."
            raise TrainingError(msg)


def split(jets: Jets, fraction: float, seed: int) -> tuple[Jets, Jets]:
    """Returns (training, validation) jets, the same share of every class set aside at random.

    Raises:
        TrainingError: a class of one jet, or one whose weights in a part do not sum to a positive number.
    """
    generator = np.random.default_rng(seed)
    held = np.zeros(len(jets), dtype=bool)
    for name in jets.classes:
        members = np.flatnonzero(jets.is_class(name))
        if len(members) < 2:
            msg = f"Class {name!r} has one jet; at least two are needed, one to learn from and one to validate with."
            raise TrainingError(msg)
        aside = min(len(members) - 1, max(1, round(fraction * len(members))))
        held[generator.permutation(members)[:aside]] = True
    for part, what in ((~held, "training"), (held, "validation")):
        check(jets[part], what)
    return jets[~held], jets[held]


def same_classes(jets: Jets, classes: Sequence[str]) -> Jets:
    """Returns the validation jets with labels in the order of the training classes."""
    check(jets, "validation")
    for name in jets.classes:
        if name not in classes:
            msg = f"The validation sample has a class {name!r} that the training sample lacks; {nearest(name, classes)}"
            raise TrainingError(msg)
    for name in classes:
        if name not in jets.classes:
            msg = f"The validation sample has no jets of class {name!r}; add some, or leave validation= out."
            raise TrainingError(msg)
    order = np.array([list(classes).index(name) for name in jets.classes])
    return replace(jets, label=ClassArray(order[np.asarray(jets.label)], classes), classes=tuple(classes))
