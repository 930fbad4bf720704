"""Particles of many events side by side, flat, as the steps of the simulation hand them on."""

from typing import TypeAlias

import awkward as ak
import numpy as np

from ..data.jets import momenta

Columns: TypeAlias = dict[str, np.ndarray]
"""One array per field, all of equal length; "event" says which event an entry belongs to, ascending."""


def kept(columns: Columns, keep: np.ndarray) -> Columns:
    """Returns the entries that a mask or an index array keeps."""
    return {name: column[keep] for name, column in columns.items()}


def joined(parts: list[Columns]) -> Columns:
    """Returns the entries of all parts, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def by_event(columns: Columns) -> Columns:
    """Returns the entries ordered by event; within an event the order stays."""
    return kept(columns, np.argsort(columns["event"], kind="stable"))


def ragged(columns: Columns, events: int) -> ak.Array:
    """Returns Momentum4D records of shape (events, var) with all fields but "event"."""
    counts = np.bincount(columns["event"], minlength=events)
    return ak.unflatten(momenta(**{name: c for name, c in columns.items() if name != "event"}), counts)


def flat(records: ak.Array) -> Columns:
    """Returns the fields of records of shape (events, var), and "event"."""
    counts = ak.to_numpy(ak.num(records))
    entries = ak.flatten(records, axis=1)
    return {
        **{name: ak.to_numpy(entries[name]) for name in ak.fields(records)},
        "event": np.repeat(np.arange(len(counts)), counts),
    }
