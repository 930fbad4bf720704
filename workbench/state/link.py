"""What of a page stands in its address, so that a link opens the same view."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from ..errors import WorkbenchError, nearest
from .sample import SampleState
from .selection import SelectionState

VERSION = 1
LONGEST = 4000
"""Characters of an address that are read; what is longer is not from us."""
KEYS = ("v", "sample", "select", "class", "range", "order", "jet", "network", "rule")


class LinkState(param.Parameterized):
    """The part of a view that a link carries: sample, selection, open jet, network, rule.

    What an address says is checked piece by piece: the good pieces hold, every bad one leaves a sentence in `notices`.
    """

    sample: str = param.String("", doc="Name of the sample.")
    expression: str = param.String("", doc="Selection expression.")
    classes: list[str] = param.List([], item_type=str, doc="Classes shown; empty is all.")
    ranges: dict[str, tuple[float, float]] = param.Dict({}, doc="Brushed range per column.")
    by: str = param.String("", doc="Column that orders the jets.")
    descending: bool = param.Boolean(True, doc="Largest first.")
    jet: int | None = param.Integer(None, allow_None=True, bounds=(0, None), doc="Index of the open jet.")
    network: str = param.String("", doc="Name of the network.")
    rule: str = param.String("", doc="Rule of the explanation.")
    notices: list[str] = param.List(
        [], item_type=str, doc="What of the last address could not be used, and why."
    )

    def __init__(self, known: Mapping[str, Sequence[str]] | None = None, **parameters: Any) -> None:
        """Takes the names that exist, for "sample", "network" and "rule"; what is not given is not checked."""
        self._known = dict(known or {})
        super().__init__(**parameters)

    def write(self) -> str:
        """Returns the query part of the address, with "?"; defaults are left out."""
        pairs: list[tuple[str, str]] = [("v", str(VERSION))]
        pairs += [("sample", self.sample), ("select", self.expression)]
        pairs += [("class", name) for name in self.classes]
        pairs += [("range", f"{name}:{low!r}:{high!r}") for name, (low, high) in self.ranges.items()]
        pairs += [("order", f"{'-' if self.descending else ''}{self.by}" if self.by else "")]
        pairs += [("jet", "" if self.jet is None else str(self.jet))]
        pairs += [("network", self.network), ("rule", self.rule)]
        return "?" + urlencode([pair for pair in pairs if pair[1]])

    def read(self, query: str) -> None:
        """Takes the query part of an address; what cannot be used is named in `notices`."""
        notices: list[str] = []
        pairs = parse_qsl(query[:LONGEST].lstrip("?"), keep_blank_values=True)
        if len(query) > LONGEST:
            notices.append(f"The link is longer than {LONGEST} characters; the rest was not read.")
        said = dict(pairs)
        if pairs and said.get("v") != str(VERSION):
            found = f"version {said['v']}" if "v" in said else "no version"
            notices.append(f"The link has {found} and this page reads version {VERSION}; it was not used.")
            pairs = []
        values: dict[str, Any] = {"classes": [], "ranges": {}}
        for key, text in pairs:
            try:
                self._take(key, text, values)
            except ValueError as error:
                notices.append(str(error))
        defaults = {name: self.param[name].default for name in self.param if name not in {"name", "notices"}}
        self.param.update(**{**defaults, **values, "notices": notices})

    def capture(self, sample: SampleState, selection: SelectionState) -> None:
        """Takes the view from the page's states."""
        self.param.update(
            sample=sample.name,
            expression=sample.expression,
            classes=list(selection.classes),
            ranges=dict(selection.ranges),
            by=selection.by,
            descending=selection.descending,
            jet=selection.current,
        )

    def apply(self, sample: SampleState, selection: SelectionState) -> None:
        """Puts the view onto a page whose sample is loaded; what the sample does not have is named in `notices`."""
        notices = list(self.notices)
        if self.expression and not sample.choose(self.expression):
            notices.append(sample.notice)
        known = sample.jets.classes if sample.jets is not None else ()
        selection.show(*(name for name in self.classes if name in known))
        steps: list[Callable[[], None]] = [
            partial(selection.show, name) for name in self.classes if name not in known
        ]
        steps += [partial(selection.brush, name, *span) for name, span in self.ranges.items()]
        steps += [partial(selection.order, self.by, descending=self.descending)]
        steps += [partial(selection.pick, self.jet)] if self.jet is not None else []
        for step in steps:
            try:
                step()
            except WorkbenchError as error:
                notices.append(str(error))
        self.notices = notices

    def _take(self, key: str, text: str, values: dict[str, Any]) -> None:
        if key not in KEYS:
            msg = f"The link says {_short(key)}, which this page does not know; {nearest(key, KEYS)}"
            raise ValueError(msg)
        if key in {"sample", "network", "rule"}:
            values[key] = self._name(key, text)
        elif key == "select":
            values["expression"] = text
        elif key == "class":
            values["classes"].append(text)
        elif key == "range":
            values["ranges"].update([_range(text)])
        elif key == "order":
            values |= {"by": text.removeprefix("-"), "descending": text.startswith("-")}
        elif key == "jet":
            values["jet"] = _index(text)

    def _name(self, key: str, text: str) -> str:
        known = self._known.get(key)
        if known is not None and text not in known:
            msg = f"There is no {key} {_short(text)}; {nearest(text, known)}"
            raise ValueError(msg)
        return text


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, span = text.partition(":")
    try:
        low, high = (float(number) for number in span.split(":"))
    except ValueError:
        low = high = math.nan
    if not name or not low <= high:
        msg = f"The link's range {_short(text)} is not column:low:high with low <= high; it was left out."
        raise ValueError(msg)
    return name, (low, high)


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        msg = f"The link's jet {_short(text)} is not a whole number from 0; no jet is open."
        raise ValueError(msg)
    return int(text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
