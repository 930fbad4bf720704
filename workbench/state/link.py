"""What of a page stands in its address, so that a link opens the same view."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import param

from ..errors import WorkbenchError, nearest
from ..physics.observables import OBSERVABLES
from .address import query_of, short, unknown, versioned
from .binned import MOST
from .sample import SampleState
from .selection import SelectionState

LATER = ("score", "loss", "margin", "uncertainty", "unusual")
"""Columns that a sample gets from a tagger, or when they are first asked for."""
NAMES = (
    "sample",
    "beside",
    "network",
    "rule",
    "method",
    "attention",
    "signal",
    "background",
    "opposed",
    "view",
    "edits",
)
"""What an address names by a word; each may have a list of the words there are, or something that checks one."""
LISTS = {"class": "classes", "show": "shown", "tab": "tabs", "display": "display", "choose": "choices"}
"""What an address may name several of, and the parameter that holds them."""
KEYS = ("v", "select", "range", "bins", "order", "jet", *LISTS, *NAMES)

Known = Mapping[str, Sequence[str] | Callable[[str], None]]
"""Per name the words there are, or a function that raises a sentence for a word that cannot be used."""


class LinkState(param.Parameterized):
    """The part of a view that a link carries: samples, selection, open jet, network, rule, way of drawing.

    What an address says is checked piece by piece: the good pieces hold, every bad one leaves a sentence in `notices`.
    """

    sample: str = param.String("", doc='Id of the sample: a bundled name, "file:…".')
    beside: str = param.String("", doc="Id of the second sample.")
    expression: str = param.String("", doc="Selection expression.")
    classes: list[str] = param.List([], item_type=str, doc="Classes shown; empty is all.")
    ranges: dict[str, tuple[float, float]] = param.Dict({}, doc="Brushed range per column.")
    bins: dict[str, tuple[int, float, float]] = param.Dict(
        {}, doc="Number and ends of the bins per histogram, where they are not the usual."
    )
    by: str = param.String("", doc="Column that orders the jets.")
    descending: bool = param.Boolean(True, doc="Largest first.")
    jet: int | None = param.Integer(None, allow_None=True, bounds=(0, None), doc="Index of the open jet.")
    network: str = param.String("", doc='The tagger: "bundled" or "run:…".')
    rule: str = param.String("", doc="Rule of the explanation.")
    method: str = param.String("", doc="Method of the explanation.")
    attention: str = param.String("", doc="How relevance passes attention.")
    signal: str = param.String("", doc="Class that the explained score speaks for.")
    background: str = param.String("", doc="Class that it speaks against.")
    opposed: str = param.String("", doc="What else than that class it speaks against.")
    view: str = param.String("", doc="How the event display shows the jet.")
    edits: str = param.String("", doc="What was done to the open jet, see `EditHistory.to_text`.")
    shown: list[str] = param.List([], item_type=str, doc="Distributions that are shown; empty is as usual.")
    tabs: list[str] = param.List([], item_type=str, doc="Open tabs that are not the first of theirs.")
    display: list[str] = param.List([], item_type=str, doc="Cuts and colours, see `DisplayState.to_link`.")
    choices: list[str] = param.List([], item_type=str, doc="What is chosen in studies, see `Choices`.")
    notices: list[str] = param.List(
        [], item_type=str, doc="What of the last address could not be used, and why."
    )

    def __init__(self, known: Known | None = None, **parameters: Any) -> None:
        """Takes what `NAMES` may be; what is not given is not checked."""
        self._known = dict(known or {})
        self._waiting: dict[str, tuple[float, float]] = {}
        self._order: tuple[str, bool] | None = None
        super().__init__(**parameters)

    def write(self) -> str:
        """Returns the query part of the address, with "?"; defaults are left out."""
        pairs: list[tuple[str, str]] = [
            ("sample", self.sample),
            ("beside", self.beside),
            ("select", self.expression),
        ]
        pairs += [("class", name) for name in self.classes]
        pairs += [("range", f"{name}:{low!r}:{high!r}") for name, (low, high) in self.ranges.items()]
        pairs += [("bins", f"{name}:{n}:{low!r}:{high!r}") for name, (n, low, high) in self.bins.items()]
        pairs += [("order", f"{'-' if self.descending else ''}{self.by}" if self.by else "")]
        pairs += [("jet", "" if self.jet is None else str(self.jet))]
        pairs += [(name, getattr(self, name)) for name in NAMES if name not in {"sample", "beside"}]
        pairs += [
            (key, text) for key in ("show", "tab", "display", "choose") for text in getattr(self, LISTS[key])
        ]
        return query_of(pairs)

    def read(self, query: str) -> None:
        """Takes the query part of an address; what cannot be used is named in `notices`."""
        pairs, notices = versioned(query)
        values: dict[str, Any] = {**{name: [] for name in LISTS.values()}, "ranges": {}, "bins": {}}
        for key, text in pairs:
            try:
                self._take(key, text, values)
            except ValueError as error:
                notices.append(str(error))
        defaults = {name: self.param[name].default for name in self.param if name not in {"name", "notices"}}
        self.param.update(**{**defaults, **values, "notices": notices})

    def capture(
        self, sample: SampleState, selection: SelectionState, beside: SampleState | None = None
    ) -> None:
        """Takes the view from the page's states; what still waits for its column stays in it."""
        by, descending = self._order or (selection.by, selection.descending)
        self.param.update(
            sample=sample.id,
            beside=beside.id if beside is not None else "",
            expression=sample.expression,
            classes=list(selection.classes),
            ranges={**self._waiting, **selection.ranges},
            by=by,
            descending=descending if by else True,
            jet=selection.current,
        )

    def apply(self, sample: SampleState, selection: SelectionState) -> None:
        """Puts the view onto a page whose sample is loaded; what the sample does not have is named in `notices`.

        Ranges and an order of columns that are still being made (observables, scores) wait for `resume`.
        """
        notices = list(self.notices)
        if self.expression and not sample.choose(self.expression):
            notices.append(sample.notice)
        known = sample.jets.classes if sample.jets is not None else ()
        selection.show(*(name for name in self.classes if name in known))
        self._waiting = {n: span for n, span in self.ranges.items() if _to_come(sample, n)}
        self._order = (self.by, self.descending) if _to_come(sample, self.by) else None
        steps: list[Callable[[], None]] = [
            partial(selection.show, name) for name in self.classes if name not in known
        ]
        steps += [
            partial(selection.brush, name, *span)
            for name, span in self.ranges.items()
            if name not in self._waiting
        ]
        steps += [partial(selection.order, self.by, descending=self.descending)] if not self._order else []
        steps += [partial(selection.pick, self.jet)] if self.jet is not None else []
        for step in steps:
            try:
                step()
            except WorkbenchError as error:
                notices.append(str(error))
        self.notices = notices

    def resume(self, sample: SampleState, selection: SelectionState) -> None:
        """Brushes and orders by what has become known since; to be called when the sample has new columns."""
        for name in [name for name in self._waiting if name in sample.known]:
            selection.brush(name, *self._waiting.pop(name))
        if self._order is not None and self._order[0] in sample.known:
            by, descending = self._order
            self._order = None
            selection.order(by, descending=descending)

    def forget(self) -> None:
        """Gives up what still waits: another sample was chosen."""
        self._waiting, self._order = {}, None

    def _take(self, key: str, text: str, values: dict[str, Any]) -> None:
        if key not in KEYS:
            raise ValueError(unknown(key, KEYS))
        if key in NAMES:
            values[key] = self._name(key, text)
        elif key == "select":
            values["expression"] = text
        elif key in LISTS:
            values[LISTS[key]].append(self._name(key, text))
        elif key == "range":
            values["ranges"].update([_range(text)])
        elif key == "bins":
            values["bins"].update([_bins(text)])
        elif key == "order":
            values |= {"by": text.removeprefix("-"), "descending": text.startswith("-")}
        elif key == "jet":
            values["jet"] = _index(text)

    def _name(self, key: str, text: str) -> str:
        known = self._known.get(key)
        if callable(known):
            known(text)
        elif known is not None and text not in known:
            msg = f"There is no {key} {short(text)}; {nearest(text, known)}"
            raise ValueError(msg)
        return text


def _to_come(sample: SampleState, name: str) -> bool:
    """Tells whether a column is one that the page is still going to make."""
    return name not in sample.known and (name in OBSERVABLES or name in LATER)


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, span = text.partition(":")
    try:
        low, high = (float(number) for number in span.split(":"))
    except ValueError:
        low = high = math.nan
    if not name or not low <= high:
        msg = f"The link's range {short(text)} is not column:low:high with low <= high; it was left out."
        raise ValueError(msg)
    return name, (low, high)


def _bins(text: str) -> tuple[str, tuple[int, float, float]]:
    name, _, rest = text.partition(":")
    number, _, span = rest.partition(":")
    try:
        n, (low, high) = int(number), (float(end) for end in span.split(":"))
    except ValueError:
        n, low, high = 0, math.nan, math.nan
    if not name or not 1 <= n <= MOST or not -math.inf < low < high < math.inf:
        msg = f"The link's bins {short(text)} are not column:number:low:high with 1 to {MOST} bins and low < high; they were left out."
        raise ValueError(msg)
    return name, (n, low, high)


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        msg = f"The link's jet {short(text)} is not a whole number from 0; no jet is open."
        raise ValueError(msg)
    return int(text)
