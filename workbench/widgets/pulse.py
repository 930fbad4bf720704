"""Whether the browser has drawn what it was sent."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from .panes import served

PATIENCE = 2.0
"""Seconds after which no answer is waited for: the browser may be gone, or there may be none."""


class Pulse(JSComponent):
    """What follows a mouse asks after every change, and makes the next one when the browser is ready for it.

    Without that, changes that come faster than they are drawn queue up, and the picture lags seconds behind the hand.
    """

    asked: int = param.Integer(0, doc="Number of the newest change.")
    drawn: int = param.Integer(0, doc="Number of the newest change that the browser has drawn.")

    _esm = Path(__file__).parent / "pulse.js"

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **parameters})
        self._asked_at = -PATIENCE
        self._next: Callable[[], Any] | None = None
        self.param.watch(self._go_on, "drawn")

    @property
    def ready(self) -> bool:
        """True when everything is drawn, or nobody answers."""
        return self.drawn >= self.asked or time.monotonic() > self._asked_at + PATIENCE

    def ask(self) -> None:
        """Asks to be told when the changes made so far are drawn."""
        self._asked_at = time.monotonic()
        self.asked += 1

    def then(self, do: Callable[[], Any]) -> None:
        """Does something once the changes made so far are drawn, of several only the last; at once where there is no page.

        What is looked at first is drawn first that way, and the rest a frame later.
        """
        self.ask()
        self._next = do
        if not served():
            self._do()

    def beat(self) -> None:
        """Does what waits for a browser that does not answer; called by the page's timer."""
        self._go_on()

    def _go_on(self, *events: Any) -> None:
        if self.ready:
            self._do()

    def _do(self) -> None:
        do, self._next = self._next, None
        if do is not None:
            with pn.io.hold():
                do()
