"""The books of many jets: how much of the score the inputs, the biases and the constants make on average."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.explanation import Ledger
from ..physics.bootstrap import Estimate
from .shares import Groups
from .tabular import Tabular

SCORE = "score"


@dataclass(frozen=True)
class MeanLedger(Tabular):
    """The mean of every line of the ledger in several groups of jets, with errors by bootstrap over jets.

    Attributes:
        groups: Names of the groups.
        lines: Names of the lines; the last, "score", is the sum of the others but for rounding.
        amount: Mean per jet in units of the score, shape (groups, lines).
    """

    groups: tuple[str, ...]
    lines: tuple[str, ...]
    amount: Estimate

    def of(self, group: str) -> Estimate:
        """Returns the mean of each line in one group, shape (lines,)."""
        return self.amount[self.groups.index(group)]

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per group and line."""
        return {
            "group": np.repeat(np.array(self.groups, dtype=object), len(self.lines)),
            "line": np.tile(np.array(self.lines, dtype=object), len(self.groups)),
            **self.amount.columns("amount"),
        }


def mean_ledger(parts: Sequence[Ledger], groups: Groups) -> MeanLedger:
    """Returns the mean of the ledgers of portions of a sample; a line that a portion lacks is zero there."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.lines))
    rows = [
        np.stack([*(part.lines.get(name, np.zeros(len(part.score))) for name in names), part.score], axis=1)
        for part in parts
    ]
    table = np.concatenate(rows).astype(np.float64)
    found = [draws.ratio(table[mask], np.ones(int(mask.sum()))) for mask, draws in groups.values()]
    amount = Estimate(np.stack([e.value for e in found]), np.stack([e.error for e in found]))
    return MeanLedger(tuple(groups), (*names, SCORE), amount)
