"""What an explanation is: relevance, and the ledger that shows where the rest of the score went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np

from ..errors import ExplanationError
from .rows import chosen


@dataclass(frozen=True)
class Ledger:
    """The books of an explanation: every line in units of the score, one value per jet.

    Attributes:
        score: The explained score, shape (jets,).
        lines: Per source ("inputs", "biases", "constants", "absorbed by epsilon") its amount, shape (jets,).
    """

    score: np.ndarray
    lines: Mapping[str, np.ndarray]

    @property
    def rest(self) -> np.ndarray:
        """What no line accounts for, shape (jets,): score minus the sum of the lines."""
        return self.score - sum(self.lines.values(), np.zeros_like(self.score))

    @property
    def scale(self) -> np.ndarray:
        """What the rest is measured against, shape (jets,): max(1, sum of |lines|)."""
        return np.maximum(1.0, sum((np.abs(line) for line in self.lines.values()), np.zeros_like(self.score)))

    def closes(self, tolerance: float = 1e-6) -> np.ndarray:
        """Returns True where |rest| <= tolerance * max(1, sum of |lines|), shape (jets,)."""
        return np.abs(self.rest) <= tolerance * self.scale

    def __getitem__(self, keep: Any) -> "Ledger":
        return Ledger(self.score[keep], {name: line[keep] for name, line in self.lines.items()})


@dataclass(frozen=True)
class Explanation:
    """Where a score came from.

    Attributes:
        relevance: Per particle (jets, var), or per observable (jets, observables); in units of the score, signed.
        features: The same split by input feature, (jets, var, features); equal to `relevance` where the inputs
            are observables.
        feature_names: Names of the last axis of `features`.
        ledger: Where the score went; its "inputs" line is the sum of the relevance.
        recorded: Relevance of inner tensors by name, where it was asked for. "edges 0", "edges 1", ...: per block records of
            (jets, var) with i, j (particles of the jet) and relevance; edges and the shortcut beside them
            ("blocks.0.shortcut") are all that reaches the block. Names of layers: (jets,) or (jets, var).
        how: How it was made: method, rule, seed of the backward pass ("top - QCD"), fingerprints of network and
            sample, versions (JSON values).
    """

    relevance: ak.Array | np.ndarray
    features: ak.Array | np.ndarray
    feature_names: tuple[str, ...]
    ledger: Ledger
    recorded: Mapping[str, Any] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.relevance) == len(self.features) == len(self.ledger.score):
            msg = (
                f"{len(self.relevance)} relevance maps, {len(self.features)} feature maps and "
                f"{len(self.ledger.score)} scores differ."
            )
            raise ExplanationError(msg)

    def __len__(self) -> int:
        return len(self.ledger.score)

    def __repr__(self) -> str:
        lines = ", ".join(self.ledger.lines)
        return f"Explanation({len(self):,} jets, {self.how.get('seed', 'score')} = {lines}; {self.how.get('method', '')})"

    def __getitem__(self, keep: Any) -> "Explanation":
        """Returns the explanation of the jets that a slice, mask, index array or one integer keeps."""
        keep = chosen(keep, len(self), "jet")
        return Explanation(
            self.relevance[keep],
            self.features[keep],
            self.feature_names,
            self.ledger[keep],
            {name: relevance[keep] for name, relevance in self.recorded.items()},
            self.how,
        )
