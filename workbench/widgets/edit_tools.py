"""The tools that edit a jet: for each edit its sliders and its button."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..explanation.edits import EDITS, SPECIES, WHOLE, Argument
from .panes import line, row

GROUPS = {
    "The picked particle": ("drop", "rescale", "shift", "split", "retype"),
    "The whole jet": ("add", "radiate", "rotate"),
    "A subjet (exclusive kT)": ("move", "delete"),
}
"""Edits by what they act on."""

BUTTONS = {
    "drop": "Drop",
    "rescale": "Rescale",
    "shift": "Shift",
    "split": "Split in two",
    "retype": "Change type",
    "add": "Add a particle",
    "radiate": "Add soft radiation",
    "rotate": "Rotate",
    "move": "Move the subjet",
    "delete": "Delete the subjet",
}

OF = {"shift": ", shift", "add": ", new", "move": ", way", "split": ", split", "retype": " to be"}
"""What tells sliders of one name apart."""

WIDE = 158
"""Of the column of buttons, in screen units."""

BLOCK = {"border-top": "1px solid rgba(128, 128, 128, 0.25)", "padding": "4px 0"}

SHARED = ("Subjet", "Number of subjets")
"""Arguments with one slider for all edits that take them."""


class EditTools(pn.viewable.Viewer):
    """Sliders and buttons of all edits.

    Args:
        do: Called with the name of an edit and its numbers, without the picked particle, when its button is clicked.
        moved: Called likewise when one of its sliders is moved.
    """

    def __init__(self, do: Callable[..., None], moved: Callable[..., None], **parameters: Any) -> None:
        super().__init__(**parameters)
        self.do, self.moved = do, moved
        self.sliders: dict[tuple[str, str], Any] = {}
        self.buttons = {name: self._button(name) for name in EDITS}
        for name, (_, arguments) in EDITS.items():
            for argument in arguments:
                self._slider(name, argument)

    def numbers(self, name: str) -> list[float]:
        """Returns what the sliders of an edit say, in its order, without the picked particle."""
        wanted = [argument.label for argument in EDITS[name][1] if argument.label != "Particle"]
        found = [self.sliders[_key(name, label)].value for label in wanted]
        return [value - 1 if label == "Subjet" else value for label, value in zip(wanted, found, strict=True)]

    def allow(self, particles: int) -> None:
        """Greys the edits that a jet of so many particles does not have."""
        for name in (*GROUPS["The picked particle"], *GROUPS["A subjet (exclusive kT)"]):
            self.buttons[name].disabled = particles == 0

    def _button(self, name: str) -> pmui.Button:
        button = pmui.Button(label=BUTTONS[name], variant="outlined", size="small", margin=(2, 4))
        button.on_click(lambda _: self.do(name, *self.numbers(name)))
        return button

    def _slider(self, name: str, argument: Argument) -> None:
        key = _key(name, argument.label)
        if argument.label == "Particle" or key in self.sliders:
            return
        made = _widget(argument, argument.label + ("" if key[0] == "" else OF.get(name, "")))
        made.param.watch(partial(self._moved, name), "value")
        self.sliders[key] = made

    def _moved(self, name: str, *events: Any) -> None:
        self.moved(name, *self.numbers(name))

    def _tool(self, name: str) -> pn.Row:
        keys = [(name, argument.label) for argument in EDITS[name][1]]
        sliders = [self.sliders[key] for key in keys if key in self.sliders]
        button = pn.Column(self.buttons[name], width=WIDE, margin=0)
        beside = pn.Column(*sliders, sizing_mode="stretch_width", margin=0)
        return pn.Row(button, beside, sizing_mode="stretch_width", margin=0, styles=BLOCK)

    def _group(self, title: str) -> pn.Column:
        shared = [self.sliders["", label] for label in SHARED] if "subjet" in title else []
        tools = [self._tool(name) for name in GROUPS[title]]
        heading = line(title, variant="subtitle2")
        return pn.Column(heading, *shared, *tools, sizing_mode="stretch_width", margin=(0, 6))

    def __panel__(self) -> pn.viewable.Viewable:
        return row([self._group(title) for title in GROUPS], width=280, most=3)


def _key(name: str, label: str) -> tuple[str, str]:
    return ("" if label in SHARED else name, label)


def _widget(argument: Argument, label: str) -> Any:
    """Returns the widget of one number: a choice of kinds for a type, else a slider."""
    if argument.label == "Type":
        return pmui.Select(
            label=label,
            options=dict(SPECIES),
            value=int(argument.start),
            size="small",
            sizing_mode="stretch_width",
        )
    # Subjets are counted from 1 on the screen.
    by = 1 if argument.label == "Subjet" else 0
    whole = argument.label in WHOLE
    number = int if whole else float
    digits = {} if whole else {"format": f"0.{'0' * max(1, -int(np.floor(np.log10(argument.step))))}"}
    return (pmui.IntSlider if whole else pmui.FloatSlider)(
        label=label,
        start=number(argument.low) + by,
        end=number(argument.high) + by,
        value=number(argument.start) + by,
        step=number(argument.step),
        size="small",
        sizing_mode="stretch_width",
        margin=(0, 12),
        **digits,
    )
