"""What an explanation is: relevance, and the ledger that shows where the rest of the score went."""

from collections.abc import Mapping, Sequence
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


def concatenate(parts: Sequence[Explanation]) -> Explanation:
    """Returns one explanation of several that were made alike, in order; a ledger line that a part lacks is zero there.

    How it was made is taken from the first.

    Raises:
        ExplanationError: none is given, or they tell of different features.
    """
    if len({part.feature_names for part in parts}) != 1:
        msg = f"{len(parts)} explanations of different features cannot become one; give some of one network."
        raise ExplanationError(msg)
    names = dict.fromkeys(name for part in parts for name in part.ledger.lines)
    lines = {
        name: np.concatenate([p.ledger.lines.get(name, np.zeros_like(p.ledger.score)) for p in parts])
        for name in names
    }
    shared = [name for name in parts[0].recorded if all(name in part.recorded for part in parts)]
    return Explanation(
        _joined([part.relevance for part in parts]),
        _joined([part.features for part in parts]),
        parts[0].feature_names,
        Ledger(np.concatenate([part.ledger.score for part in parts]), lines),
        {name: _joined([part.recorded[name] for part in parts]) for name in shared},
        parts[0].how,
    )


def _joined(arrays: Sequence[Any]) -> Any:
    plain = all(isinstance(array, np.ndarray) for array in arrays)
    return np.concatenate(arrays) if plain else ak.concatenate(arrays)
