"""Les Houches event files, plain, gzip or zstandard: the partons of the hard process."""

import warnings
from itertools import islice
from pathlib import Path

import awkward as ak
import numpy as np
import pylhe

from ..errors import DataError
from .content import Content, opened
from .events import Events
from .pdg import NEUTRINOS, charges
from .source import Place, check_range, from_cartesian, origin_of, ragged, reading, row_range

FORMAT = "Les Houches events"
INCOMING, OUTGOING, RESONANCE = -1, 1, 2


def is_one(content: Content) -> bool:
    """Returns True for a text with the tag LesHouchesEvents."""
    return "<LesHouchesEvents" in content.head


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events: "particles" (outgoing), "invisible" (outgoing neutrinos), "resonances", "incoming" (pid, pz, energy).

    Outgoing particles and resonances exactly along the beam have no finite eta; they are left out and counted in the
    origin. The weight is XWGTUP; further named weights are the column "weights", (events, names), named in the origin.

    Raises:
        DataError: damaged or truncated file, energies that are negative or not finite.
    Source: arXiv:hep-ph/0609017.
    """
    path = Path(path)
    check_range(start, stop, "events")
    with reading(path, FORMAT), opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("error")  # pylhe only warns of a file that is cut short
        content = pylhe.LHEFile.frombuffer(file)
        skipped = sum(1 for _ in islice(content.events, start))
        events = list(islice(content.events, None if stop is None else stop - start))
        crosssection = float(sum(process.xSection for process in content.init.procInfo))
    complete = stop is not None and len(events) == stop - start
    rows = row_range(path, skipped + len(events), start, stop, "events")
    collections, dropped = _collections(path, rows[0], events)
    weights, names = _weights(events)
    origin = origin_of(
        path,
        FORMAT,
        rows,
        None if complete else rows[1],
        cross_section_pb=crosssection,
        weight_names=names,
        dropped_along_beam=dropped,
    )
    if weights is None and any(event.weights for event in events):
        origin = origin.then("the events have weights of different names, which are left out")
    info = [event.eventinfo for event in events]
    columns = {
        "process": np.array([x.pid for x in info]),
        "scale": np.array([x.scale for x in info], dtype=np.float64),
        "alpha_s": np.array([x.aqcd for x in info], dtype=np.float64),
    }
    return Events.of(
        collections,
        weight=np.array([x.weight for x in info], dtype=np.float64),
        columns=columns if weights is None else {**columns, "weights": weights},
        origin=origin,
    )


def _weights(events: list[pylhe.LHEEvent]) -> tuple[np.ndarray | None, list[str]]:
    names = list(dict(events[0].weights))
    if not names or any(list(event.weights) != names for event in events):
        return None, []
    return np.array([list(event.weights.values()) for event in events], dtype=np.float64), names


def _collections(
    path: Path, first: int, events: list[pylhe.LHEEvent]
) -> tuple[dict[str, ak.Array], dict[str, int]]:
    values = np.array(
        [(p.px, p.py, p.pz, p.e, p.id, p.status) for event in events for p in event.particles],
        dtype=np.float64,
    ).reshape(-1, 6)
    event = np.repeat(np.arange(len(events)), [len(x.particles) for x in events])
    status = values[:, 5].astype(int)
    unknown = np.setdiff1d(status, (INCOMING, OUTGOING, RESONANCE, -2, 3, -9))
    if unknown.size:
        msg = f"{path.name} has particles of status {unknown.tolist()}; the Les Houches accord knows -9, -2, -1, 1, 2, 3."
        raise DataError(msg)
    across = (values[:, 0] != 0) | (values[:, 1] != 0)
    invisible = np.isin(np.abs(values[:, 4]), NEUTRINOS)
    collections, dropped = {}, {}
    for name, wanted in (
        ("particles", (status == OUTGOING) & ~invisible),
        ("invisible", (status == OUTGOING) & invisible),
        ("resonances", status == RESONANCE),
    ):
        kept = wanted & across
        dropped[name] = int((wanted & ~across).sum())
        px, py, pz, energy, pid, _ = values[kept].T
        kinds = np.rint(pid).astype(np.int64)
        counts = np.bincount(event[kept], minlength=len(events))
        p4 = from_cartesian(Place(path, counts, first, "event"), px, py, pz, energy)
        collections[name] = ragged(counts, **p4, pid=kinds, charge=charges(kinds))
    incoming = values[status == INCOMING]
    fields = {"pid": incoming[:, 4].astype(np.int64), "pz": incoming[:, 2], "energy": incoming[:, 3]}
    counts = np.bincount(event[status == INCOMING], minlength=len(events))
    collections["incoming"] = ak.unflatten(ak.zip(fields), counts)
    return collections, dropped
