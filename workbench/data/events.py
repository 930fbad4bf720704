"""Collisions: named collections of objects per event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import awkward as ak
import numpy as np
import vector

from ..errors import DataError, nearest
from .classes import ClassArray, labels
from .origin import Origin, fingerprint
from .rows import chosen

vector.register_awkward()


@dataclass(frozen=True)
class Events:
    """A sample of events.

    Attributes:
        collections: Per name an array whose first axis is events: ragged Momentum4D records ("particles", "jets",
            "muons", "tracks", "towers", "gen_jets"), one record ("met" with pt and phi) or plain columns.
            "particles" is what a jet algorithm may cluster: pt, eta, phi, mass and where known pid, charge, d0, dz.
            Units GeV, rad, mm.
        label: Index into `classes`, shape (events,), carries the names (`label == "top"`); -1 where unknown.
        classes: Names of the classes.
        weight: Event weight, shape (events,); may be negative.
        columns: One number or record per event ("run", "event", "scale", "resonant_mass").
        origin: Where the sample came from.

    Raises:
        DataError: lengths differ, a label is out of range or a weight is not finite.
    """

    collections: Mapping[str, ak.Array]
    label: ClassArray | np.ndarray
    classes: tuple[str, ...]
    weight: np.ndarray
    columns: Mapping[str, ak.Array | np.ndarray] = field(default_factory=dict)
    origin: Origin = field(default_factory=lambda: Origin("unnamed"))

    def __post_init__(self) -> None:
        lengths = {
            "labels": len(self.label),
            "weights": len(self.weight),
            **{
                f"entries of {name!r}": len(array)
                for name, array in {**self.collections, **self.columns}.items()
            },
        }
        if len(set(lengths.values())) > 1:
            msg = f"Every collection needs one entry per event; found {', '.join(f'{n} {w}' for w, n in lengths.items())}."
            raise DataError(msg)
        object.__setattr__(self, "label", labels(self.label, self.classes))
        if not np.isfinite(np.asarray(self.weight, dtype=float)).all():
            msg = f"{np.sum(~np.isfinite(self.weight))} of {len(self)} weights are not finite; drop or repair them."
            raise DataError(msg)

    @classmethod
    def of(
        cls,
        collections: Mapping[str, ak.Array],
        *,
        label: np.ndarray | Sequence[int] | None = None,
        classes: Sequence[str] = (),
        weight: np.ndarray | None = None,
        columns: Mapping[str, Any] | None = None,
        origin: Origin | None = None,
    ) -> "Events":
        """Builds events; labels not given are unknown (-1), weights not given are one."""
        if not collections and not columns:
            msg = "Events need at least one collection or column."
            raise DataError(msg)
        n = len(next(iter({**collections, **(columns or {})}.values())))
        return cls(
            dict(collections),
            label=np.full(n, -1) if label is None else np.asarray(label, dtype=np.int64),
            classes=tuple(classes),
            weight=np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64),
            columns=dict(columns or {}),
            origin=origin or Origin("unnamed"),
        )

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, keep: Any) -> Any:
        """Returns a collection (by name) or the events that a slice, mask, index array or one integer keeps."""
        if isinstance(keep, str):
            if keep not in self.collections:
                msg = f"These events have no {keep!r}; {nearest(keep, self.collections)}"
                raise DataError(msg)
            return self.collections[keep]
        keep = chosen(keep, len(self), "event")
        return replace(
            self,
            collections={name: array[keep] for name, array in self.collections.items()},
            label=self.label[keep],
            weight=self.weight[keep],
            columns={name: column[keep] for name, column in self.columns.items()},
        )

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the contents (not the origin)."""
        parts: list[Any] = [self.label, self.weight, *self.classes]
        for name, array in {**self.collections, **self.columns}.items():
            parts += [name, array]
        return fingerprint(parts)
