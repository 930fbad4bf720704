"""Signs of life as columns, ready for a plot's source."""

from collections.abc import Iterable, Mapping

import numpy as np

from ..progress import Step


def columns(steps: Iterable[Step]) -> dict[str, dict[str, np.ndarray]]:
    """Returns "live" with a row per sign of life within an epoch and "epochs" with one per finished epoch."""
    steps = list(steps)
    return {"live": extended({}, steps, final=False), "epochs": extended({}, steps, final=True)}


def extended(
    before: Mapping[str, np.ndarray], steps: Iterable[Step], *, final: bool
) -> dict[str, np.ndarray]:
    """Returns columns with a row more for each step that closes an epoch, or that does not; what a row lacks is nan."""
    rows: list[dict[str, float]] = [
        {**({} if final else {"done": step.done}), "epoch": step.epoch, **step.metrics}
        for step in steps
        if step.final == final
    ]
    if not rows:
        return dict(before)
    n = len(next(iter(before.values()))) if before else 0
    names = dict.fromkeys((*before, *(name for row in rows for name in row)))
    old = {name: before.get(name, np.full(n, np.nan)) for name in names}
    return {name: np.append(old[name], [row.get(name, np.nan) for row in rows]) for name in names}
