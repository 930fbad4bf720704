"""What of an event display stands in its address."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from ..errors import nearest
from .display import VIEWS
from .link import LONGEST, VERSION

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
        pairs = [("v", str(VERSION)), ("file", self.file)]
        pairs += [("event", str(self.event) if self.event else "")]
        pairs += [("view", self.view if self.view != VIEWS[0] else "")]
        pairs += [("display", text) for text in self.display]
        return "?" + urlencode([pair for pair in pairs if pair[1]])

    def read(self, query: str) -> None:
        """Takes the query part of an address; what cannot be used is named in `notices`."""
        notices: list[str] = []
        values: dict[str, Any] = {"file": "", "event": 0, "view": VIEWS[0], "display": []}
        for key, text in parse_qsl(query[:LONGEST].lstrip("?")):
            if key == "v" and text == str(VERSION):
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
                notices.append(f"The link's {key} {_short(text)} cannot be used and was left out.")
            else:
                notices.append(
                    f"The link says {_short(key)}, which this page does not know; {nearest(key, KEYS)}"
                )
        self.param.update(**values, notices=notices)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
