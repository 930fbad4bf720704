"""Hands work to the worker processes."""

import atexit
from collections.abc import Callable, Mapping
from typing import Any

from ..data.events import Events
from ..data.jets import Jets
from .job import Job
from .recipe import recipe_of
from .registry import registry
from .workers import workers

FLUSH = 10
"""Seconds that the end of this process waits for the registry."""


def submit(
    engine: Any,
    data: Any,
    *,
    seed: int,
    device: str = "cpu",
    name: str = "",
    owner: str = "",
    note: Mapping[str, Any] | None = None,
    register: bool = True,
    **options: Any,
) -> Job:
    """Returns at once with the job that fits `engine` to `data` in a worker process.

    A fit is registered as a run, whether a page or a script asks for it: it can be found, opened, compared and repeated
    later. Engines that are not of this project, and simulations, which their provenance card repeats, are not registered.

    Args:
        engine: Anything with `fit(data, *, seed, report, stop, device)`: a `Tagger`, or a `Recipe` where the
            asking process must not import torch.
        data: Jets or events; they travel as a file.
        seed: Seed of the fit; the same seed gives the result of the same fit in this process.
        device: "cpu", "cuda", "cuda:1", "mps" or "auto".
        name: What the job and its run are called; default the network.
        owner: A token of whoever asks, by which a page finds its jobs again.
        note: For the run: "sample", "source" and "selection" say what the data is; anything else is kept as it is.
        register: False leaves no trace of the fit.
        options: Further arguments of `fit` (validation=, resume=).
    """
    recipe = recipe_of(engine)
    if register and recipe is not None and isinstance(data, Jets | Events):
        return registry().submit(
            recipe, data, seed=seed, device=device, name=name, owner=owner, note=note, **options
        )
    called = name or getattr(engine, "kind", type(engine).__name__.lower())
    job = Job(called, owner=owner, note=note, within=workers().exchange)
    return _begin(job, engine.fit, data, seed=seed, device=device, **options)


def submit_call(
    function: Callable[..., Any],
    *args: Any,
    name: str = "",
    owner: str = "",
    note: Mapping[str, Any] | None = None,
    urgent: bool = False,
    **kwargs: Any,
) -> Job:
    """Returns at once with the job that calls `function(*args, **kwargs)` in a worker process.

    Jobs begin in the order they were asked for, as many at once as there are workers. Samples among the arguments travel
    as files.

    Args:
        function: Anything the worker can import or that carries its own code; report= and stop= are given where it
            takes them.
        args: Positional arguments.
        name: What the job is called on a page; default the name of the function.
        owner: A token of whoever asks.
        note: What whoever asks writes down of it.
        urgent: True for what somebody waits for before a screen: it goes before fits, and gets a worker more where fits
            hold them all.
        kwargs: Named arguments.
    """
    called = name or getattr(function, "__qualname__", type(function).__name__)
    job = Job(called, owner=owner, note=note, urgent=urgent, within=workers().exchange)
    return _begin(job, function, *args, **kwargs)


def find(identity: str) -> Job | None:
    """Returns the job of this id if it waits or runs in this process or ended recently, else None."""
    return next((job for job in everyone() if job.id == identity), None)


def everyone() -> list[Job]:
    """Returns all jobs of this process, newest first, those that ended recently too."""
    return workers().jobs


def warm() -> None:
    """Starts the workers and opens the list of runs in the background, so that the first job need not wait for them."""
    workers().warm()
    registry().warm()


@atexit.register
def close() -> None:
    """Ends the workers and all jobs and writes their ends to the registry; they start again when next needed."""
    workers().close()
    registry().flush(FLUSH)


def _begin(job: Job, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Job:
    workers().begin(job, function, args, kwargs)
    return job
