"""Which quark, gluon or resonance a jet came from."""

from dataclasses import dataclass

import numpy as np

from .columns import Columns, kept
from .processes import Process

OUTGOING = 23
"""|status| of the outgoing partons of the hard scattering and of resonance decays in Pythia's record."""
GENERATIONS = 200
"""More recoil copies of one resonance than any shower makes."""


@dataclass(frozen=True)
class Truth:
    """What a process's jets may have come from.

    Attributes:
        sources: Resonances (last copy before the decay) or outgoing partons: pid, pt, eta, phi, mass, event.
        quarks: Their decay quarks, or the partons themselves: pt, eta, phi, pid, event, and `source`, the row of `sources`.
    """

    sources: Columns
    quarks: Columns


def truth(record: Columns, process: Process) -> Truth:
    """Returns what the jets of these events may have come from."""
    outgoing = (np.abs(record["status"]) == OUTGOING) & ((np.abs(record["pid"]) <= 5) | (record["pid"] == 21))
    rows = np.flatnonzero(outgoing)
    ancestor = _ancestor(record, rows, process.resonance) if process.resonance else rows
    rows, ancestor = rows[ancestor >= 0], ancestor[ancestor >= 0]
    sources, which = np.unique(ancestor, return_inverse=True)
    fields = ("pid", "pt", "eta", "phi", "mass", "event")
    return Truth(
        {name: record[name][sources] for name in fields},
        {**{name: record[name][rows] for name in fields}, "source": which},
    )


def match(
    found: Truth, process: Process, event: np.ndarray, eta: np.ndarray, phi: np.ndarray, within: float
) -> tuple[np.ndarray, Columns]:
    """Returns which jets are matched, shape (jets,), and what each came from.

    At most one jet per event. The source is the nearest one to the jet axis in (eta, phi). A resonance jet is matched
    when the resonance and all its quarks lie nearer than `within`; a parton jet when the nearest outgoing parton does and
    has the flavour asked for; a process that asks for neither is always matched.

    Args:
        found: Sources and quarks of the batch.
        process: What was generated.
        event: Event of each jet, ascending.
        eta: Pseudorapidity of each jet.
        phi: Azimuth of each jet in rad.
        within: Largest distance from the axis.

    Returns:
        A mask, and columns pid, pt, eta, phi, mass of the source, `distance` from source to axis, `spread` = largest distance
        from one of its quarks to the axis; where an event has no source pid is 0 and the rest nan.
    """
    jet_of = np.full(1 + max(event.max(initial=-1), found.sources["event"].max(initial=-1)), -1)
    jet_of[event] = np.arange(len(event))
    distance = _distance(found.sources, jet_of, eta, phi)
    spread = np.zeros(len(distance))
    np.maximum.at(spread, found.quarks["source"], _distance(found.quarks, jet_of, eta, phi))
    nearest = np.full(len(event), -1)
    # Farthest first, so that the nearest is written last.
    order = np.argsort(-distance, kind="stable")
    order = order[np.isfinite(distance[order])]
    nearest[jet_of[found.sources["event"][order]]] = order
    columns = _of_nearest(found.sources, distance, spread, nearest)
    if process.resonance:
        return (columns["distance"] < within) & (columns["spread"] < within), columns
    if process.partons:
        flavour = np.isin(np.abs(columns["pid"]), process.partons)
        return flavour & (columns["distance"] < within), columns
    return np.ones(len(event), dtype=bool), columns


def _of_nearest(sources: Columns, distance: np.ndarray, spread: np.ndarray, nearest: np.ndarray) -> Columns:
    has = nearest >= 0
    values = {name: sources[name] for name in ("pt", "eta", "phi", "mass")}
    values |= {"distance": distance, "spread": spread}
    columns: Columns = {"pid": np.zeros(len(nearest), dtype=np.int32)}
    columns["pid"][has] = sources["pid"][nearest[has]]
    for name, value in values.items():
        columns[name] = np.full(len(nearest), np.nan)
        columns[name][has] = value[nearest[has]]
    return columns


def _ancestor(record: Columns, rows: np.ndarray, resonance: int) -> np.ndarray:
    """Returns the row of the first ancestor of that kind, -1 where there is none."""
    above = record["mother"][rows]
    for _ in range(GENERATIONS):
        climbing = (np.abs(record["pid"][above]) != resonance) & (record["mother"][above] != above)
        # The incoming partons of the hard scattering (status -21) end the way up.
        climbing &= record["status"][above] != -21
        if not climbing.any():
            break
        above = np.where(climbing, record["mother"][above], above)
    return np.where(np.abs(record["pid"][above]) == resonance, above, -1)


def _distance(columns: Columns, jet_of: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Returns the distance of each entry from the jet of its event, inf where that has none."""
    jet = jet_of[columns["event"]]
    has = jet >= 0
    result = np.full(len(jet), np.inf)
    near = kept(columns, has)
    dphi = (near["phi"] - phi[jet[has]] + np.pi) % (2 * np.pi) - np.pi
    result[has] = np.hypot(near["eta"] - eta[jet[has]], dphi)
    return result
