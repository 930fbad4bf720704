"""CMS event-display files (.ig): real collisions with tracks, calorimeter hits, jets, muons and missing energy."""

import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from ..errors import DataError
from .content import Content
from .events import Events
from .jets import wrapped
from .pdg import MASS, PION
from .source import origin_of, ragged, reading, require, row_range

FORMAT = "CMS event display (.ig)"
ECAL = ("EBRecHits", "EERecHits", "ESRecHits")
HCAL = ("HBRecHits", "HERecHits", "HFRecHits", "HORecHits")
THRESHOLD = {"EBRecHits": 0.3, "EERecHits": 0.3, "HBRecHits": 0.7, "HERecHits": 0.7, "HFRecHits": 0.7}
"""Energy in GeV above which a hit is a particle to cluster; the preshower and the outer HCAL are left out."""
LEPTONS = {
    "muons": ("GlobalMuons", MASS[13]),
    "tracker_muons": ("TrackerMuons", MASS[13]),
    "standalone_muons": ("StandaloneMuons", MASS[13]),
    "electrons": ("GsfElectrons", MASS[11]),
}
CORNERS = tuple(f"{side}_{i}" for side in ("front", "back") for i in range(1, 5))
METRE = 1000.0
MEASURED = ("energy", "pt", "et", "eta", "phi")
"""Columns without which an object has no momentum."""
MARK = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[()]|,\s*(?=[\])}])|\b(?:nan|inf|None|True|False)\b',
    re.IGNORECASE,
)
SPELLED = {
    "(": "[",
    ")": "]",
    ",": "",
    "n": "NaN",
    "i": "Infinity",
    "no": "null",
    "tr": "true",
    "fa": "false",
}


def is_one(content: Content) -> bool:
    """Returns True for a zip of event texts."""
    return content.container == "zip" and any(name.startswith("Events/Run_") for name in content.names)


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events; GeV, mm. What a collection lacks in a file, it lacks here.

    "tracks" (pions, with position, momentum direction and where the display ends them), "ecal" and "hcal" (energy, which may be negative, eta, phi,
    time, eight corners of the cell, and `part`: index into the names in the origin), "jets" (massless, pt is the
    transverse energy), "muons", "tracker_muons", "standalone_muons", "electrons", "photons", "met", "vertices".
    "particles" are the calorimeter hits above a threshold, massless: what a calorimeter jet is made of.

    Raises:
        DataError: not such a file, a text that is not a literal.
    Source: ispy-webgl, CMS open data.
    """
    path = Path(path)
    with reading(path, FORMAT), zipfile.ZipFile(path) as archive:
        members = [
            name for name in archive.namelist() if name.startswith("Events/") and not name.endswith("/")
        ]
        rows = row_range(path, len(members), start, stop, "events")
        events = [_Event(path, name, archive.read(name)) for name in members[slice(*rows)]]
        columns = {
            name: np.array([event["Event", name][0] for event in events])
            for name in ("run", "event", "ls", "bx")
        }
        collections = {
            "particles": _particles(events),
            "tracks": _tracks(events),
            "ecal": _hits(events, ECAL),
            "hcal": _hits(events, HCAL),
            "jets": _massless(events, "PFJets", "et"),
            "photons": _massless(events, "Photons", "et"),
            "vertices": _vertices(events),
            "met": _met(events),
        } | {name: _leptons(events, source, mass) for name, (source, mass) in LEPTONS.items()}
    kept = {name: array for name, array in collections.items() if array is not None}
    return Events.of(
        kept,
        columns=columns,
        origin=origin_of(
            path,
            FORMAT,
            rows,
            len(members),
            kind="data" if (columns["run"] > 1).all() else "simulation",
            parts={"ecal": list(ECAL), "hcal": list(HCAL)},
            particles_above_gev=THRESHOLD,
        ),
    )


class _Event:
    """One event text: rows of values per collection, names of their columns beside."""

    def __init__(self, path: Path, member: str, text: bytes) -> None:
        try:
            content = json.loads(MARK.sub(_spelled, text.decode("utf-8")))
            types, collections = content["Types"], content["Collections"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            msg = f"{member} in {path.name} is not an event text ({error}); the file is damaged."
            raise DataError(msg) from error
        self.path, self.member = path, member
        self.rows: dict[str, list[list[Any]]] = {}
        self.columns: dict[str, list[str]] = {}
        for versioned, rows in collections.items():
            name = versioned.rsplit("_V", 1)[0]
            if rows or name not in self.rows:
                self.rows[name] = rows
                self.columns[name] = [column for column, _ in types[versioned]]
        self.associations: dict[str, list[Any]] = content.get("Associations", {})

    def count(self, name: str) -> int:
        """Returns the number of entries of a collection, 0 where there is none."""
        return len(self.rows.get(name, ()))

    def __getitem__(self, key: tuple[str, str]) -> np.ndarray:
        """Returns a column of a collection, shape (entries,) or (entries, 3)."""
        name, column = key
        if not self.count(name):
            return np.zeros(0)
        require(self.path, self.columns[name], [column], f"{name} column")
        index = self.columns[name].index(column)
        values = np.array([row[index] for row in self.rows[name]])
        if column in MEASURED and not np.isfinite(np.asarray(values, dtype=np.float64)).all():
            msg = f"{self.member} in {self.path.name} has a {column} of {name} that is not a finite number; repair or drop the event."
            raise DataError(msg)
        return values


def _spelled(mark: re.Match[str]) -> str:
    text = mark.group()
    if text[0] == '"':
        return text
    if text[0] == "'":
        return json.dumps(text[1:-1])
    lower = text.lower()
    return SPELLED.get(lower[:2], SPELLED.get(lower[0], ""))


def _counts(events: list[_Event], *names: str) -> np.ndarray:
    return np.array([sum(event.count(name) for name in names) for event in events])


def _column(events: list[_Event], names: Iterable[str], column: str, width: int = 0) -> np.ndarray:
    shape = (-1, width) if width else (-1,)
    parts = [event[name, column].reshape(shape) for event in events for name in names if event.count(name)]
    return np.concatenate(parts or [np.zeros((0, width) if width else 0)]).astype(np.float64)


def _lists(events: list[_Event], names: Iterable[str], **fields: np.ndarray) -> ak.Array:
    return ak.unflatten(ak.zip(fields, depth_limit=1), _counts(events, *names))


def _hits(events: list[_Event], names: tuple[str, ...]) -> ak.Array:
    fields = {column: _column(events, names, column) for column in ("energy", "eta", "phi", "time")}
    part = [np.full(event.count(name), i) for event in events for i, name in enumerate(names)]
    fields["part"] = np.concatenate(part).astype(np.int64)
    fields["corners"] = np.stack([_column(events, names, corner, 3) for corner in CORNERS], axis=1) * METRE
    return _lists(events, names, **fields)


def _particles(events: list[_Event]) -> ak.Array:
    hits = {x: _column(events, THRESHOLD, x) for x in ("energy", "eta", "phi")}
    limits = [np.full(event.count(name), limit) for event in events for name, limit in THRESHOLD.items()]
    number = np.repeat(np.arange(len(events)), _counts(events, *THRESHOLD))
    loud = hits["energy"] > np.concatenate(limits)
    pt = hits["energy"] / np.cosh(hits["eta"])
    return ragged(
        np.bincount(number[loud], minlength=len(events)),
        pt=pt[loud],
        eta=hits["eta"][loud],
        phi=wrapped(hits["phi"][loud]),
        mass=np.zeros(int(loud.sum())),
    )


def _tracks(events: list[_Event]) -> ak.Array:
    names = ("Tracks",)
    pt, eta, phi, charge = (_column(events, names, x) for x in ("pt", "eta", "phi", "charge"))
    fields = {"pt": pt, "eta": eta, "phi": wrapped(phi), "mass": np.full_like(pt, PION)}
    fields |= {"charge": charge.astype(np.int64), "pid": (211 * charge).astype(np.int64)}
    fields["position"] = _column(events, names, "pos", 3) * METRE
    fields["direction"] = _column(events, names, "dir", 3)
    ends = [_ends(event) for event in events]
    for i, name in enumerate(("outer_position", "outer_direction")):
        fields[name] = np.concatenate([end[i] for end in ends])
    fields["outer_position"] = fields["outer_position"] * METRE
    return ak.unflatten(ak.zip(fields, with_name="Momentum4D", depth_limit=1), _counts(events, *names))


def _ends(event: _Event) -> tuple[np.ndarray, np.ndarray]:
    # A track without an end in the file has nan there.
    position, direction = (np.full((event.count("Tracks"), 3), np.nan) for _ in range(2))
    links = next((x for name, x in event.associations.items() if name.startswith("TrackExtras")), [])
    if links:
        track, extra = np.array([[link[0][1], link[1][1]] for link in links]).T
        position[track] = event["Extras", "pos_2"][extra]
        direction[track] = event["Extras", "dir_2"][extra]
    return position, direction


def _massless(events: list[_Event], name: str, pt: str) -> ak.Array:
    values, eta, phi = (_column(events, (name,), x) for x in (pt, "eta", "phi"))
    return ragged(_counts(events, name), pt=values, eta=eta, phi=wrapped(phi), mass=np.zeros_like(values))


def _leptons(events: list[_Event], name: str, mass: float) -> ak.Array:
    pt, eta, phi, charge = (_column(events, (name,), x) for x in ("pt", "eta", "phi", "charge"))
    fields = {"pt": pt, "eta": eta, "phi": wrapped(phi), "mass": np.full_like(pt, mass)}
    return ragged(_counts(events, name), **fields, charge=charge.astype(np.int64))


def _vertices(events: list[_Event]) -> ak.Array:
    names = ("Vertices",)
    fields = {
        x: _column(events, names, y) for x, y in (("valid", "isValid"), ("fake", "isFake"), ("ndof", "ndof"))
    }
    fields["position"] = _column(events, names, "pos", 3) * METRE
    errors = [_column(events, names, f"{axis}Error") for axis in "xyz"]
    fields["position_error"] = np.stack(errors, axis=1) * METRE
    return _lists(events, names, **fields)


def _met(events: list[_Event]) -> ak.Array | None:
    if (_counts(events, "PFMETs") != 1).any():
        return None
    pt, phi = (_column(events, ("PFMETs",), x) for x in ("pt", "phi"))
    return ak.zip({"pt": pt, "phi": wrapped(phi)}, with_name="Momentum2D")
