"""Hands work to the worker process."""

from collections.abc import Callable
from typing import Any

from .job import Job
from .workers import local_workers


def submit(engine: Any, data: Any, *, seed: int, device: str = "cpu", **options: Any) -> Job:
    """Returns at once with the job that fits `engine` to `data` in a worker process.

    Args:
        engine: Anything with `fit(data, *, seed, report, stop, device)`: a `Tagger`, or a `Recipe` where the
            asking process must not import torch.
        data: Jets or events; they travel as a file.
        seed: Seed of the fit; the same seed gives the result of the same fit in this process.
        device: "cpu", "cuda", "cuda:1", "mps" or "auto".
        options: Further arguments of `fit` (validation=, resume=), and name=, what the job is called on a page.
    """
    options = {"name": getattr(engine, "kind", type(engine).__name__.lower()), **options}
    return submit_call(engine.fit, data, seed=seed, device=device, **options)


def submit_call(function: Callable[..., Any], *args: Any, name: str = "", **kwargs: Any) -> Job:
    """Returns at once with the job that calls `function(*args, **kwargs)` in a worker process.

    Jobs run one after the other in the order they were asked for. Samples among the arguments travel as files.

    Args:
        function: Anything the worker can import or that carries its own code; report= and stop= are given where it
            takes them.
        args: Positional arguments.
        name: What the job is called on a page; default the name of the function.
        kwargs: Named arguments.
    """
    job = Job(name or getattr(function, "__qualname__", type(function).__name__))
    local_workers().begin(job, function, args, kwargs)
    return job


def warm() -> None:
    """Starts the worker in the background, so that the first job need not wait for it."""
    local_workers().warm()


def close() -> None:
    """Ends the worker and all jobs; it starts again when next needed."""
    local_workers().close()
