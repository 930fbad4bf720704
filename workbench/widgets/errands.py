"""Work that would stall a page: done in a thread of the session, taken up by the session's own thread."""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import panel as pn
import param
from threadpoolctl import ThreadpoolController

from ..errors import WorkbenchError


def public(name: str) -> Any:
    """Returns a public name of the package; what it needs (torch) is imported now and not when the page is painted."""
    return getattr(import_module("workbench"), name)


class OneCore:
    """Keeps linear algebra to one core while at least one block is inside; the last to leave gives the others back.

    That limit is of the whole process: two threads that each set and restore it could leave it at one core for good.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._changing = threading.Lock()
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._changing:
            if not self._inside:
                self._limit = ThreadpoolController().select(user_api="blas").limit(limits=1)
            self._inside += 1

    def __exit__(self, *failure: object) -> None:
        with self._changing:
            self._inside -= 1
            if not self._inside and self._limit is not None:
                self._limit.restore_original_limits()
                self._limit = None


ONE_CORE = OneCore()
"""Of this process, as the limit is."""


def alone(work: Callable[[], Any]) -> Any:
    """Returns what `work` returns, done on one core.

    With more, the page and a fit on the same cores wait for one another at every step: scoring was 25 times slower.
    """
    # OpenMP's limit is of each thread alone.
    with ONE_CORE, ThreadpoolController().select(user_api="openmp").limit(limits=1):
        return work()


BEHIND = 10
"""Niceness of the thread that does what can wait: what is drawn meanwhile, here and in a browser of this machine, comes first."""


def stand_back() -> None:
    """Lets this thread, and what it starts, work when nobody else does; without effect where threads have no such rank."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)


class Errands(param.Parameterized):
    """A session's errands, one after the other; those of a kind in `express` or `behind` have a thread of their own.

    What is in `express` waits for no other; what is `behind` takes long and stands back behind all else, so that it must start no
    thread and no process that others use.

    `send` may be called anywhere in the session; results are taken up in `collect`, which the page calls from its own
    thread ten times a second, so that no other thread touches a document. A newer errand of a kind replaces an
    older one: of ten jets clicked in a row only the last is explained.
    """

    doing = param.String(default="", doc="What is being done, for the bar on top.")
    error = param.String(default="", doc="A sentence per errand that failed, until one of its kind succeeds.")

    def __init__(self, express: Collection[str] = (), behind: Collection[str] = ()) -> None:
        super().__init__()
        self.express, self.behind = express, behind
        self._usual = ThreadPoolExecutor(1, thread_name_prefix="errands")
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="behind", initializer=stand_back)
        self._quick = ThreadPoolExecutor(1, thread_name_prefix="express")
        self._failed: dict[str, str] = {}
        self._sent: dict[str, tuple[Future, Callable[[Any], None], threading.Event]] = {}
        self._quiet: set[str] = set()
        self._took: dict[str, float] = {}

    def send(
        self,
        kind: str,
        work: Callable[..., Any],
        then: Callable[[Any], None],
        *,
        quiet: bool = False,
        patience: float = 0.0,
        stops: bool = False,
    ) -> None:
        """Does `work` in a thread, later calls `then` with what it returned; `kind` is the user's word for it.

        Errands on different things have different kinds, also where the things have one name: put an id into it.
        A `quiet` errand is one that nobody waits for: it is not said to be done. What is done within `patience` seconds
        is taken up before this returns, so that it is drawn together with what asked for it, once; after one of its kind
        that took longer nobody waits. What `stops` is given an event that is set once nobody wants what it returns.
        """
        self.drop(kind)
        quick, self._took[kind], began = self._took.get(kind, 0.0) <= patience, math.inf, time.monotonic()
        special = self._quick if kind in self.express else self._behind if kind in self.behind else None
        thread = special or self._usual
        unwanted = threading.Event()
        future = thread.submit(alone, partial(work, unwanted) if stops else work)
        self._sent[kind] = future, then, unwanted
        (self._quiet.add if quiet else self._quiet.discard)(kind)
        future.add_done_callback(lambda _: self._took.update({kind: time.monotonic() - began}))
        if patience and quick and wait([future], patience).done:
            self._take_up(kind)
            self.error = " ".join(self._failed.values())
        self._say()

    def drop(self, kind: str) -> None:
        """Forgets an errand that is no longer wanted; begun work that does not stop ends by itself and is not taken up."""
        if kind in self._sent:
            future, _, unwanted = self._sent.pop(kind)
            unwanted.set()
            future.cancel()
            self._say()

    @property
    def waiting(self) -> frozenset[str]:
        """Kinds of the errands that are not taken up yet, said or not."""
        return frozenset(self._sent)

    def collect(self) -> None:
        """Takes up what is finished; an error becomes a sentence."""
        for kind, sent in list(self._sent.items()):
            # What an errand before it took up may have sent a newer one of this kind.
            if sent[0].done() and self._sent.get(kind) is sent:
                self._take_up(kind)
        self.error = " ".join(self._failed.values())
        self._say()

    @pn.io.hold()
    def _take_up(self, kind: str) -> None:
        future, then, _ = self._sent.pop(kind)
        failure = future.exception()
        self._failed.pop(kind, None)
        if failure is None:
            try:
                then(future.result())
            except (WorkbenchError, OSError) as error:
                failure = error
        if isinstance(failure, WorkbenchError | OSError):
            self._failed[kind] = str(failure)
        elif failure is not None:
            self._failed[kind] = f"{kind} failed: {type(failure).__name__}: {failure}"

    def _say(self) -> None:
        said = [kind for kind in self._sent if kind not in self._quiet]
        self.doing = said[-1] if said else ""

    def close(self, *session: Any) -> None:
        """Drops what was not begun, stops what can be stopped and ends the threads; fits as a callback of a session that ends."""
        for _, _, unwanted in self._sent.values():
            unwanted.set()
        for thread in (self._usual, self._quick, self._behind):
            thread.shutdown(wait=False, cancel_futures=True)
