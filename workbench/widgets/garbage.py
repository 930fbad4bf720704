"""When the server looks for garbage: not while modules are imported, and soon after a page is left."""

import asyncio
import ctypes
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bokeh.document import Document

LATER = 1.0
"""Seconds after the end of a session: until then what ends it still holds the page."""


class Garbage:
    """Tells Python's collector what stays, and when pages go.

    What modules make stays: looking through it again and again takes a third of the time of an import, and half a second each
    time later on. A page that is open while modules are imported is taken to stay with them until no page is open.
    """

    def __init__(self) -> None:
        self._open, self._pending = 0, False
        self._changing = threading.Lock()

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Modules are imported inside."""
        with self._changing:
            gc.disable()
            try:
                yield
            finally:
                gc.freeze()
                gc.enable()

    def came(self, document: Document) -> None:
        """Takes up a page that is being opened."""
        self._open += 1
        document.on_session_destroyed(self.left)

    def left(self, session_context: Any) -> None:
        """Throws away a page that was left, and everything of it, a little later."""
        self._open -= 1
        self._collect_later()

    def collect(self) -> None:
        """Throws away what nobody uses any more; a little later while modules are imported."""
        self._pending = False
        if not self._changing.acquire(blocking=False):
            self._collect_later()
            return
        try:
            alone = not self._open
            if alone:
                gc.unfreeze()
            gc.collect()
            if alone:
                gc.freeze()
                _give_back()
        finally:
            self._changing.release()

    def _collect_later(self) -> None:
        if not self._pending:
            self._pending = True
            asyncio.get_running_loop().call_later(LATER, self.collect)


def _give_back() -> None:
    """Hands the system the memory that is free; where the C library has no such call it stays with the server."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


GARBAGE = Garbage()
"""Of this process, as the collector is."""
