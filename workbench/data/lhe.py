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
from .pdg import charges
from .source import from_cartesian, origin_of, ragged, reading, row_range

FORMAT = "Les Houches events"
INCOMING, OUTGOING, RESONANCE = -1, 1, 2


def is_one(content: Content) -> bool:
    """Returns True for a text with the tag LesHouchesEvents."""
    return "<LesHouchesEvents" in content.head


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events: "particles" (outgoing, neutrinos included), "resonances", "incoming" (pid, pz, energy).

    The weight is XWGTUP; further named weights are the column "weights", (events, names), named in the origin.

    Raises:
        DataError: damaged or truncated file, momenta not finite.
    Source: arXiv:hep-ph/0609017.
    """
    path = Path(path)
    with reading(path, FORMAT), opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("error")  # pylhe only warns of a file that is cut short
        content = pylhe.LHEFile.frombuffer(file)
        events = list(islice(content.events, start, stop))
        crosssection = float(sum(process.xSection for process in content.init.procInfo))
    complete = stop is not None and len(events) == stop - start
    rows = row_range(path, start + len(events), start, stop, "events")
    info = [event.eventinfo for event in events]
    columns = {
        "process": np.array([x.pid for x in info]),
        "scale": np.array([x.scale for x in info], dtype=np.float64),
        "alpha_s": np.array([x.aqcd for x in info], dtype=np.float64),
    }
    names = list(dict(events[0].weights))
    if names and all(list(event.weights) == names for event in events):
        columns["weights"] = np.array([list(event.weights.values()) for event in events], dtype=np.float64)
    return Events.of(
        _collections(path, events),
        weight=np.array([x.weight for x in info], dtype=np.float64),
        columns=columns,
        origin=origin_of(
            path,
            FORMAT,
            rows,
            None if complete else rows[1],
            cross_section_pb=crosssection,
            weight_names=names if "weights" in columns else [],
        ),
    )


def _collections(path: Path, events: list[pylhe.LHEEvent]) -> dict[str, ak.Array]:
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
    collections = {}
    for name, wanted in (("particles", OUTGOING), ("resonances", RESONANCE)):
        # A resonance made alone has no transverse momentum and so no finite eta: it is not a record of this kind.
        kept = (status == wanted) & ((values[:, 0] != 0) | (values[:, 1] != 0))
        px, py, pz, energy, pid, _ = values[kept].T
        kinds = np.rint(pid).astype(np.int64)
        p4 = from_cartesian(path, px, py, pz, energy)
        counts = np.bincount(event[kept], minlength=len(events))
        collections[name] = ragged(counts, **p4, pid=kinds, charge=charges(kinds))
    incoming = values[status == INCOMING]
    fields = {"pid": incoming[:, 4].astype(np.int64), "pz": incoming[:, 2], "energy": incoming[:, 3]}
    counts = np.bincount(event[status == INCOMING], minlength=len(events))
    collections["incoming"] = ak.unflatten(ak.zip(fields), counts)
    return collections
