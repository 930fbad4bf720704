"""What of an event display stands in its address."""

import re
from typing import Any

import param

from .address import VERSION, pairs_of, query_of, short, unknown
from .display import VIEWS

KEYS = ("v", "file", "event", "view", "display")
FILE = re.compile(r"(bundled|file):[^\0\\]{1,1000}")
"""A bundled sample by its name, or a file by its id below the configured folders; an upload has no address."""


class DisplayLink(param.Parameterized):
    """The file, the event, the view, cuts and colours. What an address says is checked piece by piece: the good pieces hold, every bad
    one leaves a sentence in `notices`.
    """

    file: str = param.String("", doc='"bundled:jets", "file:folder/name".')
    event: int = param.Integer(0, bounds=(0, None), doc="Index of the event or jet.")
    view: str = param.Selector(default=VIEWS[0], objects=list(VIEWS), doc="The view that is seen.")
    display: list[str] = param.List([], item_type=str, doc="Cuts and colours, see `DisplayState.to_link`.")
    notices: list[str] = param.List([], item_type=str, doc="What of the last address could not be used.")

    def write(self) -> str:
        """Returns the query part of the address, with "?"; defaults are left out."""
        pairs = [("file", self.file), ("event", str(self.event) if self.event else "")]
        pairs += [("view", self.view if self.view != VIEWS[0] else "")]
        pairs += [("display", text) for text in self.display]
        return query_of(pairs)

    def read(self, query: str) -> None:
        """Takes the query part of an address; what cannot be used is named in `notices`."""
        notices: list[str] = []
        values: dict[str, Any] = {"file": "", "event": 0, "view": VIEWS[0], "display": []}
        for key, text in pairs_of(query):
            if not text or (key == "v" and text == str(VERSION)):
                continue
            if key == "file" and FILE.fullmatch(text) and not text.startswith("file:/"):
                values["file"] = text
            elif key == "event" and re.fullmatch(r"\d{1,12}", text, re.ASCII):
                values["event"] = int(text)
            elif key == "view" and text in VIEWS:
                values["view"] = text
            elif key == "display":
                values["display"].append(text)
            elif key in KEYS:
                notices.append(f"The link's {key} {short(text)} cannot be used and was left out.")
            else:
                notices.append(unknown(key, KEYS))
        self.param.update(**values, notices=notices)
