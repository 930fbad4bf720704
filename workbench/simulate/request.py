"""What is asked of the simulation, cut into chunks, and the chunks put together again."""

import dataclasses
import json
from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np

from ..data.origin import Origin
from ..errors import SimulationError
from ..progress import Report, Step, Stop
from .cards import described
from .chunk import Part, Setup, Tally, Task, concatenated, empty
from .columns import by_event, kept
from .distribution import distribute
from .processes import Process, process_named

CHUNK = 500
"""Jets or events of one chunk; each chunk has a seed and a Pythia of its own."""


@dataclasses.dataclass(frozen=True)
class Request:
    """So many jets, or events where `clustered` is False, of these processes from this seed."""

    setup: Setup
    processes: tuple[Process, ...]
    number: int
    seed: int
    clustered: bool

    @classmethod
    def of(
        cls, setup: Setup, names: str | Sequence[str], number: int, seed: int, *, clustered: bool
    ) -> "Request":
        """Returns a request that can be met.

        Raises:
            SimulationError: an unknown process, fewer jets than processes, or a number that is none.
        """
        names = [names] if isinstance(names, str) else names
        processes = tuple(process_named(name) for name in dict.fromkeys(names))
        for what, value in (("number of jets", number), ("seed", seed)):
            if not isinstance(value, int | np.integer) or value < 0:
                msg = f"A {what} is a whole number from 0; found {value!r}."
                raise SimulationError(msg)
        if not processes or number < len(processes):
            msg = f"{number} jets of {len(processes)} processes were asked for; name at least one process and ask for one jet of each."
            raise SimulationError(msg)
        return cls(setup, processes, int(number), int(seed), clustered)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the processes."""
        return tuple(process.name for process in self.processes)

    def tasks(self) -> list[Task]:
        """Returns chunks of all processes in turn, so that a stopped run has some of each."""
        share, rest = divmod(self.number, len(self.processes))
        left = [share + (i < rest) for i in range(len(self.processes))]
        wanted = []
        while any(left):
            for i, process in enumerate(self.processes):
                size = min(left[i], CHUNK)
                left[i] -= size
                wanted += [(process, size)] if size else []
        seeds = self._seeds(len(wanted))[1:]
        return [
            Task(self.setup, process, size, seed, self.clustered)
            for (process, size), seed in zip(wanted, seeds, strict=True)
        ]

    def made(self, cores: int | None, report: Report, stop: Stop) -> tuple[Part, np.ndarray, Origin]:
        """Returns the rows in random order, the number of the process of each, and where they come from.

        Raises:
            SimulationError: Pythia refuses, no jet passes, or a worker died.
        """
        tasks = self.tasks()
        parts: list[list[Part]] = [[] for _ in tasks]
        tallies: dict[int, Tally] = {}
        begin, done, unit = monotonic(), 0, "jets" if self.clustered else "events"
        report(Step(0, self.number, unit))
        for number, message in distribute(tasks, cores, stop):
            if isinstance(message, Tally):
                tallies[number] = message
                continue
            parts[number].append(message)
            done += len(message)
            rate = done / max(monotonic() - begin, 1e-9)
            report(Step(done, self.number, unit, {f"{unit}_per_second": rate}))
        label = np.repeat(
            [self.processes.index(task.process) for task in tasks],
            [sum(map(len, of_task)) for of_task in parts],
        )
        whole = concatenated([part for of_task in parts for part in of_task] or [empty(tasks[0])])
        order = np.random.default_rng(self._seeds(0)[0]).permutation(len(whole))
        origin = self._origin(_summary(self.processes, tasks, tallies))
        if done < self.number:
            origin = origin.then(f"stopped after {done} of {self.number} {unit}")
        return _ordered(whole, order), label[order].astype(np.int64), origin

    def _seeds(self, chunks: int) -> list[np.random.SeedSequence]:
        """Returns the seed of the order, and one for each chunk."""
        return np.random.SeedSequence(self.seed).spawn(1 + chunks)

    def _origin(self, summary: dict[str, Any]) -> Origin:
        setup = self.setup
        settings = {
            **{field.name: getattr(setup, field.name) for field in dataclasses.fields(Setup)},
            "detector": described(setup.detector),
            "n": self.number,
            "seed": self.seed,
            "algorithm": "anti-kT, leading jet of an event",
            "pt_hat": [setup.pt[0] * (1 - setup.margin), setup.pt[1] * (1 + setup.margin)],
            "pythia": {process.name: list(setup.pythia(process)) for process in self.processes},
            "processes": summary,
        }
        return Origin(
            f"{' + '.join(self.classes)}, Pythia 8",
            kind="simulation",
            format="Pythia 8",
            settings=json.loads(json.dumps(settings)),
        )


def _summary(
    processes: Sequence[Process], tasks: list[Task], tallies: dict[int, Tally]
) -> dict[str, dict[str, Any]]:
    """Returns per process the cross-section, averaged over its finished chunks with their events as weights."""
    summary = {}
    for process in processes:
        finished = [tally for number, tally in tallies.items() if tasks[number].process == process]
        events = np.array([tally.events for tally in finished], dtype=float)
        total = events.sum()
        errors = np.array([tally.error for tally in finished])
        summary[process.name] = {
            "source": process.source,
            "cross_section_mb": float(events @ [tally.cross_section for tally in finished] / total)
            if finished
            else None,
            "cross_section_error_mb": float(np.linalg.norm(events * errors) / total) if finished else None,
            "events": int(total),
            "passed": sum(tally.passed for tally in finished),
        }
    return summary


def _ordered(part: Part, order: np.ndarray) -> Part:
    place = np.argsort(order)
    collections = {}
    for name, columns in part.collections.items():
        collections[name] = by_event({**columns, "event": place[columns["event"]]})
    return Part(kept(part.rows, order), collections)
