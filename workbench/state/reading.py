"""A file becomes the sample of a page: some of its rows, in pieces, with progress and a way to stop."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data import hepmc, lhe, parquet
from ..data.events import Events
from ..data.formats import read, recognise
from ..data.jets import Jets
from ..data.origin import Origin
from ..data.showers import Showers
from ..data.source import GEV, check_range
from ..errors import DataError
from ..loading import jets_of, together
from ..progress import Never, Report, Step, Stop, silent

LIMITS: dict[str, type] = {"start": int, "stop": int, "radius": float, "pt_min": float}
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
ROWS = 200_000
"""Rows of a file that are read unless more are asked for."""
STREAMS = (hepmc.FORMAT, lhe.FORMAT)
"""Formats that are read from their begin to find a row."""
COUNTED = ("dropped", "particles_without")
"""How the settings of an origin begin that count rows or particles left out."""
PIECE = 25_000
"""Rows that are read at once: between two pieces the reading tells where it is and can be stopped."""


@dataclass(frozen=True)
class Wanted:
    """Which rows of a file are read, and how.

    Attributes:
        start: First row (jet or event).
        stop: One past the last.
        units: "GeV" or "MeV" where the format leaves it open.
        radius: Radius of jets made from events; None for the usual 0.8.
        pt_min: Smallest pT of jets made from events in GeV; None for the usual.
    """

    start: int = 0
    stop: int = ROWS
    units: str | None = None
    radius: float | None = None
    pt_min: float | None = None

    @property
    def suffix(self) -> str:
        """What a link adds to the file's id, such as "|stop=500|units=MeV"; empty where all is as usual."""
        usual = Wanted()
        said = {name: getattr(self, name) for name in LIMITS if getattr(self, name) != getattr(usual, name)}
        return "".join(f"|{name}={value}" for name, value in said.items()) + (
            f"|units={self.units}" if self.units else ""
        )

    @classmethod
    def read(cls, id: str) -> tuple[str, "Wanted"]:
        """Returns the id of the file and what is wanted of it, of an id with its suffix.

        Raises:
            DataError: a part of the suffix cannot be read.
        """
        file, *parts = id.split("|")
        values: dict[str, Any] = {}
        for part in parts:
            name, _, text = part.partition("=")
            if name == "units" and text in GEV:
                values[name] = text
            elif name in LIMITS and (LIMITS[name] is float or text.isdigit()) and NUMBER.fullmatch(text):
                values[name] = LIMITS[name](text)
            else:
                msg = f"The link's {part[:60]!r} is not one of {', '.join(LIMITS)} with a number or units with GeV or MeV."
                raise DataError(msg)
        return file, cls(**values)

    @property
    def cuts(self) -> dict[str, Any]:
        """What jets made from events have to pass."""
        return {k: v for k, v in (("radius", self.radius), ("pt_min", self.pt_min)) if v is not None}


@dataclass(frozen=True)
class Opened:
    """What came out of a file.

    Attributes:
        jets: The jets.
        events: The events they were made from; None for a file of jets.
        format: Name of the file's format.
        total: Rows in the file; None where the format does not say.
        sentence: What was read of how much, for the user.
        source: Python expression that gives the jets again.
    """

    jets: Jets
    events: Events | None
    format: str
    total: int | None
    sentence: str
    source: str


def open_file(
    path: Path,
    wanted: Wanted,
    *,
    name: str = "",
    written: str = "",
    report: Report = silent,
    stop: Stop | None = None,
) -> Opened:
    """Returns the jets of a file.

    Args:
        path: The file.
        wanted: Which of its rows.
        name: What the user calls it; default its own name.
        written: The path as it stands in a line of Python; empty for none.
        report: Told after each piece, in rows.
        stop: Set to end early: what was read is kept and the origin says so.

    Raises:
        DataError: unknown format, damaged file, units that the format leaves open, no jets to be made.
    """
    try:
        known = recognise(path)
        sample, total, stopped = read_rows(path, known.name, wanted, report, stop or Never())
        jets = jets_of(sample, **wanted.cuts) if isinstance(sample, Events) else sample
    except DataError as error:
        raise DataError(str(error).replace(path.name, name or path.name)) from error
    if name:
        jets = replace(jets, origin=replace(jets.origin, name=name))
    what = "events" if isinstance(sample, Events) else "jets"
    if len(jets) == 0:
        msg = f"No jet was found in {len(sample):,} {what} of {name or path.name}; read more rows or lower the smallest pT."
        raise DataError(msg)
    last = wanted.start + len(sample)
    return Opened(
        jets,
        sample if isinstance(sample, Events) else None,
        known.name,
        total,
        sentence_of(wanted.start, last, what, total, stopped),
        source_of(written, wanted, last, as_jets=what == "events") if written else "",
    )


def needs_units(message: str) -> bool:
    """Tells whether a sentence of a reader asks for the energy unit."""
    return "does not say its energy unit" in message


def read_rows(
    path: Path, format: str, wanted: Wanted, report: Report, stop: Stop
) -> tuple[Jets | Events, int | None, bool]:
    """Returns the rows, how many the file has (None if its format does not say), and whether the reading was stopped.

    Raises:
        DataError: damaged file, showers, or units that the format leaves open.
    """
    check_range(wanted.start, wanted.stop, "rows")
    parts: list[Jets | Events] = []
    at, end, total = wanted.start, wanted.stop, None
    while at < end and not (parts and stop.is_set()):
        # A stream would be read from its begin for each piece.
        piece = end if format in STREAMS else min(at + PIECE, end)
        part = read(path, start=at, stop=piece, units=wanted.units)
        if isinstance(part, Showers):
            msg = f"{path.name} holds calorimeter showers, not jets; read it with workbench.load."
            raise DataError(msg)
        parts.append(part)
        total = _total(part, format)
        end = min(end, piece if total is None else total)
        at = min(piece, end)
        report(Step(at - wanted.start, end - wanted.start, "rows"))
    whole = parts[0] if len(parts) == 1 else together([*parts])
    assert isinstance(whole, Jets | Events)
    origin = _merged([part.origin for part in parts], (wanted.start, at))
    return replace(whole, origin=origin), total, at < end


def _total(part: Jets | Events, format: str) -> int | None:
    if format != parquet.FORMAT:
        total = part.origin.settings.get("rows_in_file")
        return total if isinstance(total, int) else None
    # What was stored may itself have been part of a file: only the last step is about this one.
    said = re.fullmatch(r"read rows \d+ to \d+ of (\d+)", (part.origin.steps or ("",))[-1])
    return int(said[1]) if said else len(part)


def _merged(origins: list[Origin], rows: tuple[int, int]) -> Origin:
    """Returns one origin for the pieces of one file; what was counted in each piece is added up."""
    first = origins[0]
    if len(origins) == 1:
        return first
    settings = dict(first.settings)
    if "rows_in_file" in settings:
        settings["rows"] = list(rows)
    for name in [name for name in settings if name.startswith(COUNTED)]:
        settings[name] = _added([origin.settings.get(name) for origin in origins])
    steps = [step for step in first.steps if not step.startswith("read rows")]
    read_rows = [f"read rows {rows[0]} to {rows[1]}"] if len(steps) < len(first.steps) else []
    return replace(first, settings=settings, steps=(*steps, *read_rows))


def _added(values: list[Any]) -> Any:
    if all(isinstance(value, int) for value in values):
        return sum(values)
    if all(isinstance(value, dict) for value in values):
        return {name: _added([value.get(name, 0) for value in values]) for name in values[0]}
    return values[0]


def sentence_of(first: int, last: int, what: str, total: int | None, stopped: bool) -> str:
    """Returns what was read of how much, for the user."""
    rows = (
        f"{last - first:,} {what} were read" if not first else f"The {what} {first:,} to {last:,} were read"
    )
    if total is None:
        return f"{rows}; this format does not say how many the file holds."
    if last - first >= total:
        return f"All {total:,} {what} of the file were read."
    return f"{rows} of {total:,} in the file{', because you stopped' if stopped else ''}."


def source_of(written: str, wanted: Wanted, last: int, *, as_jets: bool) -> str:
    """Returns the call of `wb.load` that gives these rows, or the jets made of them; text of a user is quoted."""
    said: dict[str, Any] = {"kind": "jets"} if as_jets else {}
    said |= {"start": wanted.start} if wanted.start else {}
    said |= {"stop": last}
    said |= {"units": wanted.units} if wanted.units else {}
    said |= wanted.cuts if as_jets else {}
    return f"wb.load({', '.join([repr(written), *(f'{k}={v!r}' for k, v in said.items())])})"
