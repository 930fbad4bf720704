"""Chunks made side by side in processes of their own."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue, SimpleQueue
from threading import Thread

from ..errors import SimulationError
from ..progress import Stop
from .chunk import Part, Tally, Task, made

Message = Part | Tally | SimulationError
ROOT = Path(__file__).resolve().parents[2]


def distribute(tasks: list[Task], cores: int | None, stop: Stop) -> Iterator[tuple[int, Part | Tally]]:
    """Yields (number of the task, part or tally) as they come, until all is done or `stop` is set.

    Args:
        tasks: Chunks, each with its own seed, so that the result does not depend on who makes which.
        cores: Number of processes; None for as many as this process may use. One core works in this process.
        stop: Looked at between parts and every tenth of a second.

    Raises:
        SimulationError: no cores, a chunk cannot be made, or a worker died.
    """
    if cores is not None and cores < 1:
        msg = f"Simulation on {cores} cores was asked for; give one or more, or None for all."
        raise SimulationError(msg)
    cores = min(cores or _available(), len(tasks))
    if cores <= 1:
        yield from _here(tasks, stop)
    else:
        yield from _beside(tasks, cores, stop)


def _here(tasks: list[Task], stop: Stop) -> Iterator[tuple[int, Part | Tally]]:
    for number, task in enumerate(tasks):
        for message in made(task):
            yield number, message
            if stop.is_set():
                return


def _beside(tasks: list[Task], cores: int, stop: Stop) -> Iterator[tuple[int, Part | Tally]]:
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(len(tasks)):
        waiting.put(number)
    arrived: Queue[tuple[int, Message]] = Queue()
    workers = [_started() for _ in range(cores)]
    threads = [
        Thread(target=_attend, args=(worker, tasks, waiting, arrived), daemon=True) for worker in workers
    ]
    try:
        for thread in threads:
            thread.start()
        open_tasks = len(tasks)
        while open_tasks and not stop.is_set():
            try:
                number, message = arrived.get(timeout=0.1)
            except Empty:
                continue
            if isinstance(message, SimulationError):
                raise message
            open_tasks -= isinstance(message, Tally)
            yield number, message
    finally:
        for worker in workers:
            worker.kill()
        for thread in threads:
            thread.join()
        for worker in workers:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    pipe.close()


def _started() -> "subprocess.Popen[bytes]":
    # The worker finds this package even where it is not installed; one thread each, or they fight for the cores.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "workbench.simulate.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )


def _attend(
    worker: "subprocess.Popen[bytes]",
    tasks: list[Task],
    waiting: "SimpleQueue[int]",
    arrived: "Queue[tuple[int, Message]]",
) -> None:
    """Hands waiting tasks to one worker and its messages on, until none wait or the worker is gone."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    while True:
        try:
            number = waiting.get_nowait()
        except Empty:
            return
        try:
            pickle.dump(tasks[number], worker.stdin)
            worker.stdin.flush()
            message: Message | None = None
            while not isinstance(message, Tally | SimulationError):
                message = pickle.load(worker.stdout)
                arrived.put((number, message))
        except (EOFError, OSError, pickle.UnpicklingError):
            code = worker.wait()
            msg = f"A simulation process ended with code {code}; its messages are on the standard error, try fewer cores if memory ran out."
            arrived.put((number, SimulationError(msg)))
            return


def _available() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
