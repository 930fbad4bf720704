"""HepMC 2 and 3 in text, plain, gzip or zstandard: the stable particles of generated events."""

import io
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyhepmc

from ..errors import DataError
from .content import Content, look, opened
from .events import Events
from .pdg import NEUTRINOS, charges
from .source import Place, check_range, from_cartesian, in_gev, origin_of, ragged, reading, row_range

FORMAT = "HepMC"
STABLE, HARD = (1,), (3, *range(21, 30))
"""Status codes of stable particles and of the hard process. Source: arXiv:1912.08005, Pythia 8 manual."""
END = b"END_EVENT_LISTING"
FIELDS = ("px", "py", "pz", "e", "pid")


def is_one(content: Content) -> bool:
    """Returns True for a text that starts as HepMC."""
    return "HepMC::Version" in content.head


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events: "particles" (stable and visible), "invisible" (neutrinos), "gen_particles" (hard process).

    Momenta are in GeV whatever the file's unit. Particles exactly along the beam have no finite eta; they are left
    out and counted in the origin. The weight is the first of the event.

    Raises:
        DataError: damaged or truncated file, energies that are negative or not finite.
    Source: arXiv:1912.08005.
    """
    path = Path(path)
    check_range(start, stop, "events")
    form = "HepMC3" if "HepMC::Asciiv3" in look(path).head else "HepMC2"
    chosen: dict[str, list[np.ndarray]] = {"particles": [], "invisible": [], "gen_particles": []}
    weight, number, scale, last = [], [], 1.0, (0, 0)
    with reading(path, FORMAT), opened(path) as file:
        watched = _Watched(file)
        with pyhepmc.io.HepMCFile(watched, format=form) as events:
            skipped = sum(1 for _ in islice(events, start))
            for event in islice(events, None if stop is None else stop - start):
                scale = in_gev(path, None, "MeV" if event.momentum_unit == pyhepmc.Units.MEV else "GeV")
                for name, momenta in _split(event, scale).items():
                    chosen[name].append(momenta)
                weight.append(event.weight() if event.weights else 1.0)
                number.append(event.event_number)
                last = (len(event.vertices), len(event.particles))
        complete = stop is not None and len(weight) == stop - start
        if not complete:
            watched.check(path, skipped + len(weight), last)
    rows = row_range(path, skipped + len(weight), start, stop, "events")
    total = None if complete else rows[1]
    dropped = {name: _drop_along_beam(parts) for name, parts in chosen.items()}
    origin = origin_of(
        path, FORMAT, rows, total, units="GeV" if scale == 1.0 else "MeV", dropped_along_beam=dropped
    )
    if not complete and END not in watched.tail:
        origin = origin.then(f"the file lacks {END.decode()}; its last event is whole")
    return Events.of(
        {name: _records(path, start, parts) for name, parts in chosen.items()},
        weight=np.array(weight),
        columns={"event": np.array(number)},
        origin=origin,
    )


def _split(event: Any, scale: float) -> dict[str, np.ndarray]:
    particles = event.numpy.particles
    status, pid = particles.status, particles.pid
    stable, invisible = np.isin(status, STABLE), np.isin(np.abs(pid), NEUTRINOS)
    values = np.stack([np.asarray(getattr(particles, name), dtype=np.float64) for name in FIELDS], axis=1)
    values[:, :4] *= scale
    masks = {
        "particles": stable & ~invisible,
        "invisible": stable & invisible,
        "gen_particles": np.isin(status, HARD),
    }
    return {name: values[mask] for name, mask in masks.items()}


def _drop_along_beam(parts: list[np.ndarray]) -> int:
    before = sum(len(part) for part in parts)
    parts[:] = [part[(part[:, 0] != 0) | (part[:, 1] != 0)] for part in parts]
    return before - sum(len(part) for part in parts)


def _records(path: Path, start: int, parts: list[np.ndarray]) -> Any:
    counts = np.array([len(part) for part in parts])
    px, py, pz, energy, pid = np.concatenate(parts).T
    kinds = np.rint(pid).astype(np.int64)
    p4 = from_cartesian(Place(path, counts, start, "event"), px, py, pz, energy)
    return ragged(counts, **p4, pid=kinds, charge=charges(kinds))


class _Watched(io.BufferedIOBase):
    """A stream that remembers its events and its end, since pyhepmc takes a damaged event for the end of the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.tail = b""
        self.event_line = b""
        self.started = 0

    def read1(self, size: int = -1, /) -> bytes:
        """Returns the next bytes; pyhepmc asks for them this way."""
        got = self.stream.read(size)
        seen = self.tail + got
        if (found := seen.rfind(b"\nE ")) >= 0:
            self.event_line = seen[found + 1 : found + 257]
        self.started += (self.tail[-2:] + got).count(b"\nE ")
        self.tail = seen[-256:]
        return got

    def check(self, path: Path, read: int, last: tuple[int, int]) -> None:
        """Raises DataError where the stream does not end with the events that were `read`, the `last` of this size."""
        while self.read1(1 << 20):
            pass
        if self.started > read or not self._ended(last):
            whole = read if self.started > read else max(read - 1, 0)
            before = f", or read what comes before with stop={whole}" if whole else ""
            msg = f"{path.name} is damaged or breaks off within event {whole}, counted from 0; fetch it again{before}."
            raise DataError(msg)

    def _ended(self, last: tuple[int, int]) -> bool:
        """Returns True where the listing is closed, or the last event has the vertices and particles it announces."""
        words = self.event_line.split(b"\n")[0].split()
        if END in self.tail:
            return True
        announced = (int(words[2]), int(words[3])) if len(words) in (4, 9) else (int(words[8]), last[1])
        return self.tail.endswith(b"\n") and announced == last
