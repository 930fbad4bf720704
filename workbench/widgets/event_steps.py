"""Next and previous, a number to go to, an order, and play: how one walks through events."""

from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state.sample import counted, provenance
from ..state.walk import AS_GIVEN, Walk
from .frame import KINDS, UNSTATED, Chip

SMALL: dict[str, Any] = {"size": "small", "margin": (2, 4)}
PACE = 8
"""Beats of the page between two events while they are played."""


class EventSteps(pn.viewable.Viewer):
    """The controls of a Walk."""

    def __init__(self, walk: Walk, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.walk = walk
        self.previous = pmui.Button(label="Previous", variant="outlined", **SMALL)
        self.next = pmui.Button(label="Next", variant="outlined", **SMALL)
        self.play = pmui.Toggle(
            label="Play", variant="outlined", color="primary", sx={"textTransform": "none"}, **SMALL
        )
        self.number = pmui.IntInput(label="Number", value=0, start=0, format="0", width=120, **SMALL)
        self.order = pmui.Select(label="Order", options=[AS_GIVEN], value=AS_GIVEN, width=190, **SMALL)
        self.previous.on_click(partial(self._step, -1))
        self.next.on_click(partial(self._step, 1))
        self.number.param.watch(lambda event: self._go(event.new), "value")
        self.order.param.watch(lambda event: walk.param.update(by=event.new), "value")
        walk.param.watch(self._follow, ["sample", "position", "by"])
        self._beats = 0

    def beat(self) -> None:
        """Goes on while events are played; called by the page's timer."""
        self._beats = self._beats + 1 if self.play.value else 0
        if self._beats >= PACE:
            self._beats = 0
            self.walk.step(1)

    def _step(self, by: int, *events: Any) -> None:
        self.walk.step(by)

    def _go(self, number: int | None) -> None:
        if number is not None and self.walk.sample is not None and number != self.walk.position:
            self.walk.go(number)
            self._follow()

    def _follow(self, *events: Any) -> None:
        self.number.value = self.walk.position
        if self.order.options != self.walk.known:
            self.order.options = self.walk.known
        self.order.value = self.walk.by

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(
            self.previous,
            self.next,
            self.play,
            self.number,
            self.order,
            sizing_mode="stretch_width",
            align="center",
            margin=0,
            styles={"flex-wrap": "wrap", "align-items": "center"},
        )


class WalkChip(Chip):
    """Says the events or jets that are walked through: name, number, simulation or data; the card has their provenance."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        super().__init__("Where these events came from", self._text, self._card)
        walk.param.watch(self.renew, "sample")

    def _text(self) -> str:
        sample = self.walk.sample
        if sample is None:
            return "No events yet"
        kind = KINDS.get(sample.origin.kind, UNSTATED)
        return f"{sample.origin.name} · {counted(sample)} · {kind}"

    def _card(self) -> str:
        sample = self.walk.sample
        if sample is None:
            return "Choose events in step 1."
        return f"{provenance(sample)}\nFingerprint {sample.fingerprint}"
