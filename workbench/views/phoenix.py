"""Events for Phoenix, the event display of the HEP Software Foundation: its JSON format, in mm and MeV.

Source: HSF/phoenix, guides/developers/event_data_format.md; units as its Runge-Kutta propagator takes them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.events import Events
from . import helix
from .detectors import detector
from .event import ELECTRON, KINDS, MUON, PHOTON, Scene, scene_of_event

MM, MEV = 1000.0, 1000.0
CONE = 0.4
LAYERS = ("ECAL", "HCAL", "Calorimeter")
ELEMENTARY = {ELECTRON: 11, MUON: 13}


def phoenix(events: Events | Scene | Sequence[Scene]) -> dict[str, Any]:
    """Returns events as Phoenix reads them, ready for `json.dumps`.

    Every track has its positions, because Phoenix itself bends tracks in a field of 2 T; a charged one also has its
    perigee parameters [d0, z0, phi, theta, q/p] with respect to the origin.
    """
    if isinstance(events, Events):
        events = [scene_of_event(events, i) for i in range(len(events))]
    scenes = [events] if isinstance(events, Scene) else list(events)
    return {f"{i}: {scene.header['title']}": _event(scene, i) for i, scene in enumerate(scenes)}


def perigee(particles: np.ndarray, field: float) -> np.ndarray:
    """Returns d0 and z0 in mm, phi and theta in rad, q/p in 1/MeV at the point nearest to the z axis, shape (rows, 5).

    d0 is positive where the origin lies to the right of the track: x = -d0 sin(phi), y = d0 cos(phi). Rows of unknown
    charge are taken as straight, with q/p = 0.

    Args:
        particles: Rows of a scene's "particles".
        field: Along z in T.
    """
    rows = np.asarray(particles, dtype=np.float64)
    pt, eta, phi, charge = rows[:, 0], rows[:, 1], rows[:, 2], np.nan_to_num(rows[:, 3])
    x, y, z = rows[:, 5:8].T
    k = np.sign(charge * field) / helix.radius(pt, charge, field)
    bent = k != 0
    turn = np.where(bent, k, 1.0)
    # The centre of the circle lies at 1/k to the right of the direction; seen from there the perigee is towards the origin.
    centre_x, centre_y = x + np.sin(phi) / turn, y - np.cos(phi) / turn
    sign = np.sign(turn)
    angle = np.arctan2(sign * centre_x, -sign * centre_y)
    at = np.where(bent, angle, phi)
    towards = np.where(bent, np.mod(at - phi + np.pi, 2 * np.pi) - np.pi, 0.0)
    ahead = np.where(bent, towards / turn, x * np.cos(phi) + y * np.sin(phi))
    d0 = np.where(
        bent,
        1 / turn - sign * np.hypot(centre_x, centre_y),
        -x * np.sin(phi) + y * np.cos(phi),
    )
    z0 = z - ahead * np.sinh(eta)
    theta = 2 * np.arctan(np.exp(-eta))
    return np.column_stack([MM * d0, MM * z0, at, theta, charge / (MEV * pt * np.cosh(eta))])


def _event(scene: Scene, number: int) -> dict[str, Any]:
    header = scene.header
    found: dict[str, Any] = {
        "event number": header.get("event", number),
        "run number": header.get("run", 0),
        "time": header["caption"],
        "Tracks": _tracks(scene),
        "Jets": {"Jets": _jets(scene)},
        "CaloClusters": _clusters(scene),
        "IrregularCaloCells": _cells(scene),
        **_compound(scene),
    }
    if header.get("met"):
        pt, phi = header["met"]
        momentum = {"etx": MEV * pt * float(np.cos(phi)), "ety": MEV * pt * float(np.sin(phi))}
        found["MissingEnergy"] = {"Missing pT": [momentum]}
    return {name: value for name, value in found.items() if value not in ({}, {"Jets": []})}


def _name(kind: int) -> str:
    return f"{KINDS[kind][0].upper()}{KINDS[kind][1:]}s" if KINDS[kind] != "unknown" else "Unknown kind"


def _tracks(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    """Returns one collection of tracks per kind of particle; photons are no tracks, Phoenix draws them itself."""
    particles = scene.arrays["particles"]
    field, barrel = float(scene.header["field"]), detector(scene.header["detector"]).calorimeter
    lines = helix.paths(particles, field, barrel)
    points = scene.arrays["points"]
    parameters = perigee(particles, field)
    found: dict[str, list[dict[str, Any]]] = {}
    for row, particle in enumerate(particles):
        kind = int(particle[4])
        if kind == PHOTON:
            continue
        own = points[points[:, 0] == row, 1:]
        path = own if len(own) > 1 else lines[row]
        # Phoenix bends a track of fewer than three points by itself.
        path = path if len(path) > 2 else np.vstack([path[0], path.mean(axis=0), path[-1]])
        track: dict[str, Any] = {
            "pos": _numbers(MM * path),
            "pT": _number(MEV * particle[0]),
            "eta": _number(particle[1]),
            "phi": _number(particle[2]),
        }
        if particle[3] != 0 and np.isfinite(particle[3]):
            d0, z0, *_ = parameters[row]
            track |= {"dparams": [float(x) for x in parameters[row]], "d0": float(d0), "z0": float(z0)}
            track["charge"] = _number(particle[3])
        if np.isfinite(particle[8]):
            track["relevance"] = _number(particle[8])
        found.setdefault(_name(kind), []).append(track)
    return found


def _jets(scene: Scene) -> list[dict[str, Any]]:
    found = []
    for pt, eta, phi, mass, radius in np.asarray(scene.arrays["jets"], dtype=np.float64):
        energy = float(np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2))
        jet = {"eta": float(eta), "phi": float(phi), "energy": MEV * energy, "et": MEV * float(pt)}
        found.append(jet | {"coneR": float(radius) or CONE, "mass": MEV * float(mass)})
    return found


def _clusters(scene: Scene) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {}
    for energy, eta, phi, _, _, layer in np.asarray(scene.arrays["towers"], dtype=np.float64):
        cluster = {"energy": MEV * float(energy), "eta": float(eta), "phi": float(phi)}
        found.setdefault(LAYERS[int(layer)], []).append(cluster)
    return found


def _cells(scene: Scene) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in scene.arrays["cells"]:
        if row[0] > 0:
            cell = {
                "energy": _number(MEV * row[0]),
                "layer": int(row[1]),
                "vtx": _numbers(MM * row[2:]),
                "color": [0, 158, 115] if row[1] == 0 else [86, 180, 233],
                "opacity": 0.6,
            }
            found.setdefault(LAYERS[int(row[1])], []).append(cell)
    return found


def _compound(scene: Scene) -> dict[str, Any]:
    """Returns muons and electrons, which name their tracks, and photons."""
    found: dict[str, Any] = {}
    particles = np.asarray(scene.arrays["particles"], dtype=np.float64)
    for kind, group in ((MUON, "Muons"), (ELECTRON, "Electrons"), (PHOTON, "Photons")):
        rows = particles[particles[:, 4] == kind]
        made = []
        for number, (pt, eta, phi, charge) in enumerate(rows[:, :4]):
            one = {"energy": MEV * pt * np.cosh(eta), "pt": MEV * pt, "eta": eta, "phi": phi}
            one = {name: float(value) for name, value in one.items()}
            if kind != PHOTON:
                one["LinkedTracks"] = [f"{_name(kind)}:{number}"]
                if np.isfinite(charge) and charge != 0:
                    one["pdgId"] = int(-charge * ELEMENTARY[kind])
            made.append(one)
        if made:
            found[group] = {group: made}
    return found


def _number(value: Any) -> float:
    # Seven digits are all that the scene's numbers have.
    return float(f"{float(value):.7g}")


def _numbers(values: np.ndarray) -> list[Any]:
    return [[_number(x) for x in v] if np.ndim(v) else _number(v) for v in values]
