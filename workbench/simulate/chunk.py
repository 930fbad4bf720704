"""One chunk of a simulation: some jets or events of one process, made from one seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import awkward as ak
import numpy as np

from ..data.events import Events
from ..errors import SimulationError
from ..physics.clustering import cluster
from .columns import Columns, flat, joined, kept, ragged
from .detector import Detector
from .generator import Generated, Generator
from .matching import match, truth
from .pileup import Pileup
from .processes import TUNES, Process

BATCH = 400
"""Largest number of events held at once; with pile-up so many fewer that they hold about as many particles."""
PATIENCE = 20_000
"""Events without one accepted jet after which a request is given up."""


@dataclass(frozen=True)
class Setup:
    """Everything that makes the jets what they are; the fields are described in `JetSimulation`."""

    energy: float
    pt: tuple[float, float]
    eta_max: float
    radius: float
    tune: str
    multiple_interactions: bool
    pileup: float
    detector: Detector | None
    matching: float
    margin: float

    def pythia(self, process: Process) -> tuple[str, ...]:
        """Returns the Pythia settings."""
        return (
            *TUNES[self.tune],
            *process.settings,
            f"Beams:eCM = {self.energy}",
            f"PartonLevel:MPI = {'on' if self.multiple_interactions else 'off'}",
            f"PhaseSpace:pTHatMin = {self.pt[0] * (1 - self.margin)}",
            f"PhaseSpace:pTHatMax = {self.pt[1] * (1 + self.margin)}",
        )


@dataclass(frozen=True)
class Task:
    """A chunk to make: `number` jets of `process`, or events where `clustered` is False."""

    setup: Setup
    process: Process
    number: int
    seed: np.random.SeedSequence
    clustered: bool = True


@dataclass(frozen=True)
class Part:
    """Some rows of a chunk.

    Attributes:
        rows: Columns of one entry per jet or event.
        collections: Columns of one entry per particle, by name; "event" is the row.
    """

    rows: Columns
    collections: dict[str, Columns]

    def __len__(self) -> int:
        return len(self.rows["weight"])

    def first(self, number: int) -> "Part":
        """Returns the first rows."""
        return Part(
            {name: column[:number] for name, column in self.rows.items()},
            {name: kept(c, c["event"] < number) for name, c in self.collections.items()},
        )


@dataclass(frozen=True)
class Tally:
    """What a finished chunk says of its process: cross-section and its error in mb, events made, jets that passed."""

    cross_section: float
    error: float
    events: int
    passed: int


def made(task: Task) -> Iterator[Part | Tally]:
    """Yields the parts of a chunk as they are made, and last its tally.

    Raises:
        SimulationError: Pythia cannot start, or no jet passes.
    """
    setup = task.setup
    seeds = [int(word) % 900_000_000 + 1 for word in task.seed.generate_state(2)]
    rng = np.random.default_rng(task.seed.spawn(1)[0])
    generator = Generator(setup.pythia(task.process), seeds[0])
    pool = Pileup.generated(setup.energy, TUNES[setup.tune], seeds[1]) if setup.pileup else None
    most = int(np.ceil(BATCH / (1 + setup.pileup / 2)))
    asked = events = passed = sent = 0
    while sent < task.number:
        share = passed / events if passed else 0.3
        size = int(np.clip(1.1 * (task.number - sent) / share, min(20, most), most))
        batch = generator.batch(size)
        part = _jets(batch, task, pool, rng) if task.clustered else _events(batch, task, pool, rng)
        asked += size
        events += batch.events
        passed += len(part)
        if asked >= PATIENCE and not passed:
            msg = (
                f"None of {asked} {task.process.name} events had a jet of {setup.pt[0]:g} to {setup.pt[1]:g} GeV within "
                f"|eta| < {setup.eta_max:g} that matched; widen the pT window, the radius or the matching."
            )
            raise SimulationError(msg)
        part = part.first(task.number - sent)
        sent += len(part)
        yield part
    yield Tally(*generator.cross_section(), events, passed)


def _seen(
    batch: Generated, setup: Setup, pool: Pileup | None, rng: np.random.Generator
) -> tuple[Columns, Columns]:
    """Returns what can be clustered, and the columns of the events."""
    particles = batch.particles
    rows = {"weight": batch.weight, "pt_hat": batch.pt_hat}
    if pool is not None:
        particles, rows["pileup"] = pool.overlay(particles, batch.events, setup.pileup, rng)
    if setup.detector is not None:
        particles = setup.detector.respond(particles, rng)
    return particles, rows


def _events(batch: Generated, task: Task, pool: Pileup | None, rng: np.random.Generator) -> Part:
    particles, rows = _seen(batch, task.setup, pool, rng)
    found = truth(batch.record, task.process)
    quarks = {name: found.quarks[name] for name in ("pt", "eta", "phi", "mass", "pid", "event")}
    quarks["mass"] = np.maximum(quarks["mass"], 0.0)
    collections = {"particles": particles, "partons": quarks}
    if task.setup.detector is not None:
        collections["gen_particles"] = batch.particles
    return Part(rows, collections)


def _jets(batch: Generated, task: Task, pool: Pileup | None, rng: np.random.Generator) -> Part:
    """Returns the leading jet of each event where it passes."""
    setup = task.setup
    particles, rows = _seen(batch, setup, pool, rng)
    events = Events.of(
        {"particles": ragged(particles, batch.events)},
        weight=rows.pop("weight"),
        columns=rows,
    )
    jets = cluster(events, radius=setup.radius, pt_min=setup.pt[0], leading=1)
    pt, eta, phi, mass = (ak.to_numpy(jets.p4[name]) for name in ("pt", "eta", "phi", "mass"))
    event = np.asarray(jets.columns["event_index"])
    within = setup.matching * setup.radius
    matched, source = match(truth(batch.record, task.process), task.process, event, eta, phi, within)
    passed = np.flatnonzero(matched & (pt < setup.pt[1]) & (np.abs(eta) < setup.eta_max))
    columns = {
        "weight": np.asarray(jets.weight),
        **{
            f"jet_{name}": value
            for name, value in zip(("pt", "eta", "phi", "mass"), (pt, eta, phi, mass), strict=True)
        },
        **{f"truth_{name}": value for name, value in source.items()},
        **{name: np.asarray(jets.columns[name]) for name in rows},
    }
    return Part(kept(columns, passed), {"constituents": flat(jets.constituents[passed])})


def empty(task: Task) -> Part:
    """Returns a part without rows that has the columns a chunk of `task` would have."""
    generator = Generator(task.setup.pythia(task.process), 1)
    batch = generator.batch(1)
    rng = np.random.default_rng(0)
    pool = Pileup(batch.particles, np.array([0, len(batch.particles["pt"])])) if task.setup.pileup else None
    return (_jets if task.clustered else _events)(batch, task, pool, rng).first(0)


def concatenated(parts: list[Part]) -> Part:
    """Returns the rows of all parts, in order."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Part(
        joined([part.rows for part in parts]),
        {
            name: joined(
                [
                    {**part.collections[name], "event": part.collections[name]["event"] + start}
                    for part, start in zip(parts, starts[:-1], strict=True)
                ]
            )
            for name in parts[0].collections
        },
    )
