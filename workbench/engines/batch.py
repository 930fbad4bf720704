"""What a network sees: all particles (or jets) of a sample in one tensor, and how many belong to each jet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Inputs of a network, in the layout of awkward's own buffers.

    Attributes:
        x: Particles of all jets, one after the other, shape (particles, features); or, without `counts`, one row per
            jet, shape (jets, features).
        counts: Particles per jet, shape (jets,), int64; None where a jet is one row.
        names: Names of the features.
    """

    x: Tensor
    counts: Tensor | None
    names: tuple[str, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the network is called with: `network(*batch.inputs)`."""
        return (self.x,) if self.counts is None else (self.x, self.counts)

    def __len__(self) -> int:
        return len(self.x if self.counts is None else self.counts)

    def __getitem__(self, jets: Tensor) -> "Batch":
        """Returns the jets of an index tensor, shape (chosen,), in its order."""
        if self.counts is None:
            return replace(self, x=self.x[jets])
        counts = self.counts[jets]
        ends = counts.cumsum(0)
        starts = self.counts.cumsum(0)[jets] - self.counts[jets]
        rows = torch.arange(int(counts.sum())) + torch.repeat_interleave(starts - ends + counts, counts)
        return replace(self, x=self.x.index_select(0, rows), counts=counts)

    def to(self, device: torch.device | str) -> "Batch":
        """Returns the batch on another device."""
        counts = None if self.counts is None else self.counts.to(device)
        return replace(self, x=self.x.to(device), counts=counts)

    def cut(self, jets: int) -> list["Batch"]:
        """Returns the first `jets` jets and the others, without those of the two that are empty."""
        numbers = torch.arange(len(self))
        return [self[part] for part in (numbers[:jets], numbers[jets:]) if len(part)]

    def portions(self, rows: int) -> Iterator["Batch"]:
        """Yields the jets in order, about `rows` rows of x at a time and at least one jet; views, not copies."""
        if self.counts is None:
            for x in self.x.split(rows):
                yield replace(self, x=x)
            return
        ends = self.counts.cumsum(0).numpy()
        first, row = 0, 0
        while first < len(self):
            last = max(first + 1, int(np.searchsorted(ends, row + rows, side="right")))
            yield replace(self, x=self.x[row : ends[last - 1]], counts=self.counts[first:last])
            first, row = last, int(ends[last - 1])

    def ragged(self, values: Tensor) -> ak.Array | np.ndarray:
        """Returns values that have one row per row of x as the user sees them: (jets, var, ...) or (jets, ...)."""
        array = values.detach().cpu().numpy()
        return array if self.counts is None else ak.unflatten(array, self.counts.cpu().numpy())


def of_particles(columns: dict[str, np.ndarray], counts: np.ndarray) -> Batch:
    """Returns the batch of flat feature columns, each (particles,), of jets with `counts` particles."""
    return Batch(_matrix(columns, np.float32), torch.from_numpy(counts.astype(np.int64)), tuple(columns))


def of_jets(columns: dict[str, np.ndarray], dtype: Any = np.float32) -> Batch:
    """Returns the batch of columns with one value per jet, each (jets,)."""
    return Batch(_matrix(columns, dtype), None, tuple(columns))


def _matrix(columns: dict[str, np.ndarray], dtype: Any) -> Tensor:
    return torch.from_numpy(np.stack([np.asarray(c, dtype=dtype) for c in columns.values()], axis=1))
