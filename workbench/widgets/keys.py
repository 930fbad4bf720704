"""The keys of a page: caught in the browser when no field has the focus, told to who watches."""

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

KEYS = {
    "ArrowRight": "next jet of the selection",
    "ArrowLeft": "previous jet of the selection",
    "/": "write a selection",
    "n": "next event",
    "p": "previous event",
    "1": "3D",
    "2": "η–φ",
    "3": "x–y",
    "4": "r–z",
    "+": "higher pT cut",
    "-": "lower pT cut",
    "?": "this list",
}
"""What each key does where it does something; a page watches those it has a use for."""

SIGNS = {"ArrowRight": "→", "ArrowLeft": "←"}


class Keys(JSComponent):
    """Watch `pressed` and read `key`.

    frame.keys.param.watch(lambda event: step(frame.keys.key), "pressed")
    """

    key: str = param.String("", doc="The key that was pressed last, named as browsers do.")
    pressed: bool = param.Event(doc="A key was pressed.")
    known: list[str] = param.List([*KEYS, "ArrowUp", "ArrowDown"], item_type=str, doc="Keys that are caught.")

    _rename = {"key": None, "pressed": None}
    _esm = Path(__file__).parent / "keys.js"

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **parameters})

    def press(self, key: str) -> None:
        """Does what a press of this key does."""
        self.key = key
        self.pressed = True

    def _handle_msg(self, message: Any) -> None:
        if message.get("key") in self.known:
            self.press(message["key"])
