"""What an event display draws: one jet, or one event, as plain arrays in GeV, rad and m."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from ..data.events import Events
from ..data.jets import MOMENTUM, Jets, wrapped
from ..data.origin import Origin
from ..data.pdg import MASS, PION, charges
from ..errors import DataError
from ..physics.clustering import cluster
from .detectors import detector

KINDS = ("charged hadron", "neutral hadron", "photon", "electron", "muon", "unknown", "tau")
"""What a particle is, by the number in the column "kind"."""

CHARGED, NEUTRAL, PHOTON, ELECTRON, MUON, UNKNOWN, TAU = range(7)

MASSES = {CHARGED: PION, ELECTRON: MASS[11], MUON: MASS[13], TAU: 1.77693}
"""In GeV, by kind; 0 for the others. Source of that of the tau: PDG 2024."""

CORNERS = tuple(f"{axis}{corner}" for corner in range(8) for axis in "xyz")
COLUMNS = {
    "particles": ("pt", "eta", "phi", "charge", "kind", "x", "y", "z", "relevance", "jet"),
    "towers": ("energy", "eta", "phi", "width_eta", "width_phi", "layer"),
    "cells": ("energy", "layer", *CORNERS),
    "jets": ("pt", "eta", "phi", "mass", "radius"),
    "points": ("track", "x", "y", "z"),
}
"""Columns of each array of a scene. Energies in GeV, lengths in m, angles in rad, charge in e (nan where not known), relevance in
units of the score (nan where there is none), jet = row of "jets" (-1 for none), layer 0 ECAL, 1 HCAL, 2 not said, track = row of
"particles"."""

MAY_BE_NAN = {"charge", "relevance"}
METRE = 1e-3
ETA_MAX = 10.0
"""Beyond this a particle flies along the beam and has no place in the picture."""

RADIUS, PT_MIN = 0.4, 20.0
"""Jets of events that have none of their own: anti-kT, pT in GeV."""

SAME = 0.03
"""Distance within which a lepton of a file is one of its particles of the same charge."""

STEPS = 17
"""Points along a track that a file gives by its two ends."""

PRESETS = (
    ("CMS event display", "CMS-like"),
    ("NanoAOD", "CMS-like"),
    ("JetClass", "CMS-like"),
    ("Delphes", "Delphes card"),
    ("LHC Olympics", "Delphes card"),
    ("top-tagging", "ATLAS-like"),
    ("flavour-tagging", "ATLAS-like"),
)
"""Detector of a format, by the beginning of its name."""

RADII = (("top-tagging", 0.8), ("JetClass", 0.8), ("JetNet", 0.4), ("quark/gluon", 0.4), ("flavour", 0.4))
"""Jet radius of a format that does not write it into its files, by the beginning of its name. Sources: arXiv:1902.09914,
arXiv:2202.03772, arXiv:2106.11535, arXiv:1810.05165, ATL-PHYS-PUB-2017-013."""


@dataclass(frozen=True)
class Scene:
    """What an event display draws.

    Attributes:
        header: Plain JSON values: "title", "caption", "units", "field" in T, "missing" (what the sample lacks and how that is
            drawn, in words), "detector" (name of a preset), "radius" of the jets or None, "met" = [pt, phi] or None.
        arrays: float32 arrays (rows, columns) of the names and columns in `COLUMNS`; those not given are empty.

    Raises:
        DataError: an array has an unknown name or the wrong width, or a value that is not finite where it must be.
    """

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.arrays) - set(COLUMNS)):
            msg = f"A scene has no {', '.join(unknown)}; it has {', '.join(COLUMNS)}."
            raise DataError(msg)
        for name, columns in COLUMNS.items():
            rows = self.arrays.get(name, np.zeros((0, len(columns))))
            if rows.ndim != 2 or rows.shape[1] != len(columns):
                msg = f"{name} of a scene need {len(columns)} columns ({', '.join(columns[:6])}, …); found shape {rows.shape}."
                raise DataError(msg)
            firm = [i for i, column in enumerate(columns) if column not in MAY_BE_NAN]
            if not np.isfinite(rows[:, firm]).all():
                msg = f"{name} of a scene have values that are not finite; drop those rows and say so in the header."
                raise DataError(msg)
            self.arrays[name] = np.ascontiguousarray(rows, dtype=np.float32)

    def column(self, array: str, column: str) -> np.ndarray:
        """Returns one column of an array by its name, shape (rows,)."""
        return self.arrays[array][:, COLUMNS[array].index(column)]


def empty_scene() -> Scene:
    """Returns a scene with nothing in it."""
    return Scene(_header("", "", "none", []), {})


def scene_of_jet(jets: Jets, index: int, relevance: np.ndarray | None = None) -> Scene:
    """Returns one jet, and beside it the other jets of its event where the sample has them.

    Args:
        jets: The sample; jets of one event share `event_index` and lie one after the other.
        index: Row of the jet, which becomes the first of the scene.
        relevance: Of each of its constituents, in units of the score.

    Raises:
        DataError: there is no such jet, or not one relevance per constituent.
    """
    _check(index, len(jets), "jet")
    rows = [index, *(row for row in _event_mates(jets, index) if row != index)]
    told: list[str] = []
    parts = [_particles(jets.constituents[row], told) for row in rows]
    if relevance is not None:
        if len(relevance) != len(parts[0]):
            msg = f"Relevance of {len(relevance)} particles was given for a jet of {len(parts[0])}; give one per particle."
            raise DataError(msg)
        parts[0][:, 8] = relevance
    for number, part in enumerate(parts):
        part[:, 9] = number
    particles, _ = _finite(np.concatenate(parts), COLUMNS["particles"], "particles", told)
    axes = _momenta(jets.p4[np.array(rows)])
    radius = _radius(jets.origin)
    if radius is None:
        widest = float(_distance(particles[particles[:, 9] == 0], axes[0]).max(initial=0.0))
        told.append("radius: not stated; the circle just holds all particles")
    held = radius if radius is not None else max(widest, 0.01)
    found = np.column_stack([axes, np.full(len(axes), held)])
    told += ["missing energy: a jet sample has none"]
    if str(jets.origin.settings.get("phi", "")).startswith("not in the file"):
        told.append("phi: not in the file; the jet lies at 0")
    mates = f", with {len(rows) - 1} more of its event" if len(rows) > 1 else ""
    caption = f"{jets.origin.name}{mates}, {_kind(jets.origin)}"
    header = _header(f"Jet {index:,} of {len(jets):,}", caption, _preset(jets.origin), told, radius=radius)
    return Scene({**header, "jet": index}, {"particles": particles, "jets": found})


def scene_of_event(events: Events, index: int) -> Scene:
    """Returns one event with all that its file has: tracks or particles, calorimeter, jets, leptons, missing energy.

    Raises:
        DataError: there is no such event.
    """
    _check(index, len(events), "event")
    one = events[index]
    told: list[str] = []
    given = {name: array[0] for name, array in one.collections.items()}
    particles, points = _all_particles(given, told)
    jets, radius = _jets(one, given, told)
    particles[:, 9] = _nearest_jet(particles, jets)
    arrays = {"particles": particles, "points": points, "jets": jets}
    arrays |= {"towers": _towers(given, told), "cells": _cells(given, told)}
    if not len(arrays["towers"]) and not len(arrays["cells"]):
        told.append("calorimeter: the file has neither towers nor cells")
    numbers = {name: one.columns[name][0] for name in ("run", "event") if name in one.columns}
    which = ", ".join(f"{name} {int(number)}" for name, number in numbers.items())
    caption = ", ".join(part for part in (events.origin.name, which, _kind(events.origin)) if part)
    title = f"Event {index:,} of {len(events):,}"
    met = _met(given, told)
    header = _header(title, caption, _preset(events.origin), told, radius=radius, met=met)
    return Scene({**header, **{name: int(number) for name, number in numbers.items()}}, arrays)


def momentum_of(scene: Scene, array: str, row: int) -> np.ndarray:
    """Returns pt, eta, phi, mass of one object of "jets" or "particles", in GeV and rad, shape (4,).

    A particle has the mass of its kind: of the pion where it is a charged hadron, none where it is neutral or unknown.
    """
    values = scene.arrays[array][row].astype(np.float64)
    if array == "jets":
        return values[:4]
    return np.array([*values[:3], MASSES.get(int(values[4]), 0.0)])


def _check(index: int, length: int, what: str) -> None:
    if not 0 <= index < length:
        msg = f"There is no {what} {index}; the sample has {length:,}, counted from 0."
        raise DataError(msg)


def _header(
    title: str,
    caption: str,
    preset: str,
    told: list[str],
    *,
    radius: float | None = None,
    met: list[float] | None = None,
) -> dict[str, Any]:
    return {
        "title": title,
        "caption": caption,
        "units": {"energy": "GeV", "length": "m"},
        "field": detector(preset).field,
        "missing": list(dict.fromkeys(told)),
        "detector": preset,
        "radius": radius,
        "met": met,
    }


def _kind(origin: Origin) -> str:
    return {"simulation": "simulation", "data": "data"}.get(origin.kind, "origin not stated")


def _of_format(origin: Origin, table: Sequence[tuple[str, Any]]) -> Any:
    return next((x for name, x in table if origin.format.lower().startswith(name.lower())), None)


def _preset(origin: Origin) -> str:
    name = origin.settings.get("detector")
    simulated = {"ATLAS": "ATLAS-like", "CMS": "CMS-like"}.get(name) if isinstance(name, str) else None
    return simulated or _of_format(origin, PRESETS) or "none"


def _radius(origin: Origin) -> float | None:
    stated = origin.settings.get("radius")
    return float(stated) if isinstance(stated, int | float) else _of_format(origin, RADII)


def _event_mates(jets: Jets, index: int) -> range:
    """Returns the rows around `index` that are of its event."""
    if "event_index" not in jets.columns:
        return range(index, index + 1)
    event = np.asarray(jets.columns["event_index"])
    first, last = index, index + 1
    while first > 0 and event[first - 1] == event[index]:
        first -= 1
    while last < len(event) and event[last] == event[index]:
        last += 1
    return range(first, last)


def _momenta(records: ak.Array) -> np.ndarray:
    pt, eta, phi, mass = (np.asarray(records[name], dtype=np.float64) for name in MOMENTUM)
    return np.column_stack([pt, eta, _angle(phi), mass])


def _angle(phi: ak.Array | np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # what is not finite stays so, and is left out and counted later
        return wrapped(np.asarray(phi, dtype=np.float64))


def _distance(particles: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.hypot(particles[:, 1] - axis[1], wrapped(particles[:, 2] - axis[2]))


def _finite(
    rows: np.ndarray, columns: Sequence[str], what: str, told: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows that have a place in the picture and which they are; says how many have none."""
    firm = [i for i, column in enumerate(columns) if column not in MAY_BE_NAN]
    good = np.isfinite(rows[:, firm]).all(axis=1)
    if not good.all():
        told.append(
            f"{what}: {(~good).sum()} of {len(rows)} have values that are not finite and are left out"
        )
    inside = np.ones(len(rows), dtype=bool)
    if "eta" in columns:
        inside = ~good | (np.abs(rows[:, columns.index("eta")]) <= ETA_MAX)
        if not inside.all():
            told.append(
                f"{what}: {(~inside).sum()} of {len(rows)} fly along the beam (|eta| > {ETA_MAX:g}) and are left out"
            )
    return rows[good & inside], np.flatnonzero(good & inside)


def _particles(records: ak.Array, told: list[str]) -> np.ndarray:
    """Returns the rows of "particles" of the records of one jet or event, not finite ones too."""
    known = ak.fields(records)
    rows = np.full((len(records), len(COLUMNS["particles"])), np.nan)
    rows[:, 0], rows[:, 1] = np.asarray(records["pt"]), np.asarray(records["eta"])
    rows[:, 2] = _angle(records["phi"])
    pid = np.asarray(records["pid"]) if "pid" in known else None
    if "charge" in known:
        rows[:, 3] = np.asarray(records["charge"])
    elif pid is not None:
        rows[:, 3] = charges(pid)
    elif len(rows):
        told.append("charge: not known; all particles are drawn straight")
    rows[:, 4] = _kinds(rows[:, 3], pid)
    if pid is None and len(rows):
        told.append(
            "kind: not known"
            if "charge" not in known
            else "kind: only the charge is known; what is neutral is drawn as a neutral hadron"
        )
    rows[:, 5:8] = _vertices(records, rows[:, 2], told)
    rows[:, 9] = -1
    return rows


def _kinds(charge: np.ndarray, pid: np.ndarray | None) -> np.ndarray:
    kind = np.full(len(charge), UNKNOWN)
    kind[charge == 0] = NEUTRAL
    kind[np.abs(charge) > 0] = CHARGED
    if pid is None:
        return kind
    code = np.abs(pid)
    # Quarks, gluons and neutrinos are no particles that a detector sees; CMS writes 1 and 2 for its forward calorimeter.
    bare = ((code <= 6) & (charge % 1 != 0)) | np.isin(code, (0, 12, 14, 16, 21))
    kind[bare] = UNKNOWN
    kind[(code == 2) & (charge == 0)] = PHOTON
    for number, what in ((22, PHOTON), (11, ELECTRON), (13, MUON), (15, TAU)):
        kind[code == number] = what
    return kind


def _vertices(records: ak.Array, phi: np.ndarray, told: list[str]) -> np.ndarray:
    """Returns where each particle starts in m: its position, or its point nearest to the beam, or the origin."""
    known = ak.fields(records)
    if "position" in known:
        return np.asarray(records["position"], dtype=np.float64).reshape(-1, 3) * METRE
    if not {"d0", "dz"} <= set(known):
        if len(phi):
            told.append("vertex: not known; all particles start at the origin")
        return np.zeros((len(phi), 3))
    d0, dz = (np.asarray(records[name], dtype=np.float64) * METRE for name in ("d0", "dz"))
    found = np.column_stack([-d0 * np.sin(phi), d0 * np.cos(phi), dz])
    without = ~np.isfinite(found).all(axis=1)
    if without.any():
        told.append(f"vertex: {without.sum()} of {len(phi)} particles have none and start at the origin")
        found[without] = 0.0
    return found


def _all_particles(given: dict[str, ak.Array], told: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns "particles" and "points" of an event."""
    # In an event display "particles" are the calorimeter hits, which are drawn as cells.
    hits = "ecal" in given or "hcal" in given
    source = "tracks" if hits or "particles" not in given else "particles"
    if source in given:
        rows = _particles(given[source], told)
        rows, kept = _finite(rows, COLUMNS["particles"], source, told)
        points = _points(given[source][kept])
    else:
        told.append("particles: the file has neither particles nor tracks, only what is listed")
        rows, points = np.zeros((0, len(COLUMNS["particles"]))), np.zeros((0, 4))
    for name, kind in (("muons", MUON), ("electrons", ELECTRON), ("photons", PHOTON), ("taus", TAU)):
        if name in given and not (name == "taus" and len(rows)):
            own: list[str] = []
            more = _particles(given[name], own)
            more[:, 4] = kind
            rows = _identified(rows, _finite(more, COLUMNS["particles"], name, told)[0], kind)
    return rows, points


def _identified(rows: np.ndarray, leptons: np.ndarray, kind: int) -> np.ndarray:
    """Returns the particles where those that a file also lists as leptons or photons are of that kind, and the other ones added."""
    charge = np.zeros(len(leptons)) if kind == PHOTON else leptons[:, 3]
    for lepton, sign in zip(leptons, charge, strict=True):
        alike = (rows[:, 3] == sign) | (np.isnan(rows[:, 3]) & np.isnan(sign))
        near = np.where(alike, _distance(rows, lepton), np.inf)
        if len(near) and near.min() < SAME:
            rows[near.argmin(), 4] = kind
        else:
            rows = np.vstack([rows, [*lepton[:3], sign, *lepton[4:]]])
    return rows


def _points(tracks: ak.Array) -> np.ndarray:
    """Returns points along the tracks that have both ends: the cubic through both positions and directions."""
    if not {"position", "direction", "outer_position", "outer_direction"} <= set(ak.fields(tracks)):
        return np.zeros((0, 4))
    start, end = (np.asarray(tracks[name]).reshape(-1, 3) * METRE for name in ("position", "outer_position"))
    leave, arrive = (np.asarray(tracks[name]).reshape(-1, 3) for name in ("direction", "outer_direction"))
    whole = np.flatnonzero(np.isfinite(np.hstack([start, end, leave, arrive])).all(axis=1))
    start, end, leave, arrive = (x[whole] for x in (start, end, leave, arrive))
    length = np.linalg.norm(end - start, axis=1, keepdims=True)
    # Bezier's points lie a third of the way along the tangents, for an arc that is nearly straight.
    leave, arrive = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (leave, arrive))
    control = (start, start + leave * length / 3, end - arrive * length / 3, end)
    t = np.linspace(0, 1, STEPS)
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    line = sum(
        point[:, None, :] * weight[None, :, None] for point, weight in zip(control, weights, strict=True)
    )
    return np.column_stack([np.repeat(whole, STEPS), np.asarray(line).reshape(-1, 3)])


def _jets(one: Events, given: dict[str, ak.Array], told: list[str]) -> tuple[np.ndarray, float | None]:
    """Returns the jets of an event and their radius, clustered here where the file has none."""
    name = next((x for x in ("jets", "fat_jets") if x in given), None)
    if name is None and "particles" in given and "ecal" not in given:
        pool = one["particles"]
        fine = np.isfinite(_momenta(pool[0])).all(axis=1) & (np.abs(np.asarray(pool[0]["eta"])) <= ETA_MAX)
        clean = Events.of({"particles": pool[:, fine]})
        axes = _momenta(cluster(clean, radius=RADIUS, pt_min=PT_MIN).p4)
        radius = RADIUS
        told.append(f"jets: the file has none; made here by anti-kT, R = {radius:g}, pT > {PT_MIN:g} GeV")
        return np.column_stack([axes, np.full(len(axes), radius)]), radius
    if name is None:
        told.append("jets: the file has none")
        return np.zeros((0, 5)), None
    stated = {"CMS event display": 0.5, "NanoAOD": 0.8 if name == "fat_jets" else 0.4}
    radius = _of_format(one.origin, tuple(stated.items()))
    if radius is None:
        told.append("radius: not stated; jets are drawn with 0.4")
    axes = _momenta(given[name])
    rows = np.column_stack([axes, np.full(len(axes), radius or RADIUS)])
    return _finite(rows, COLUMNS["jets"], "jets", told)[0], radius


def _nearest_jet(particles: np.ndarray, jets: np.ndarray) -> np.ndarray:
    if not len(jets):
        return np.full(len(particles), -1.0)
    distance = np.column_stack([_distance(particles, jet) for jet in jets])
    near = distance.argmin(axis=1)
    return np.where(distance.min(axis=1, initial=np.inf) < jets[near, 4], near, -1)


def _towers(given: dict[str, ak.Array], told: list[str]) -> np.ndarray:
    if "towers" not in given:
        return np.zeros((0, 6))
    towers = given["towers"]
    known = ak.fields(towers)
    pt, eta, phi, _ = _momenta(towers).T
    with np.errstate(over="ignore"):
        energy = pt * np.cosh(eta)
    if {"eta_low", "eta_high", "phi_low", "phi_high"} <= set(known):
        low_eta, high_eta, low_phi, high_phi = (
            np.asarray(towers[name]) for name in ("eta_low", "eta_high", "phi_low", "phi_high")
        )
        width, height = high_eta - low_eta, high_phi - low_phi
    else:
        width = height = np.full(len(pt), 0.1)
        told.append("towers: their size is not stated; drawn 0.1 by 0.1")
    if {"energy_em", "energy_had"} <= set(known):
        em, had = (np.asarray(towers[name], dtype=np.float64) for name in ("energy_em", "energy_had"))
        share = np.divide(em, em + had, out=np.zeros_like(em), where=em + had > 0)
        parts = [(energy * share, 0), (energy * (1 - share), 1)]
    else:
        parts = [(energy, 2)]
    rows = [np.column_stack([e, eta, phi, width, height, np.full(len(e), layer)]) for e, layer in parts]
    found, _ = _finite(np.concatenate(rows), COLUMNS["towers"], "towers", told)
    return found[found[:, 0] != 0]


def _cells(given: dict[str, ak.Array], told: list[str]) -> np.ndarray:
    rows = [np.zeros((0, 26))]
    for layer, name in enumerate(("ecal", "hcal")):
        if name in given and len(given[name]):
            energy = np.asarray(given[name]["energy"], dtype=np.float64)
            corners = np.asarray(given[name]["corners"], dtype=np.float64).reshape(len(energy), 24) * METRE
            rows.append(np.column_stack([energy, np.full(len(energy), layer), corners]))
    return _finite(np.concatenate(rows), COLUMNS["cells"], "cells", told)[0]


def _met(given: dict[str, Any], told: list[str]) -> list[float] | None:
    if "met" in given:
        pt, phi = float(given["met"]["pt"]), float(given["met"]["phi"])
        if np.isfinite([pt, phi]).all():
            return [pt, float(wrapped(np.array([phi]))[0])]
        told.append("missing energy: its value is not finite")
        return None
    if "invisible" in given:
        unseen = given["invisible"]
        x, y = (float(ak.sum(getattr(unseen, axis))) for axis in ("px", "py"))
        told.append("missing energy: the file has none; it is the sum of the neutrinos")
        return [float(np.hypot(x, y)), float(np.arctan2(y, x))]
    told.append("missing energy: not in the file")
    return None
