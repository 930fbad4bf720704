"""What if the jet were another: its particles dropped, added, moved and split, as pure functions of jets.

Every edit acts on all jets that it is given, usually one, and returns them with their constituents hardest first. A particle
is named by its place in its jet, a subjet by its rank among the exclusive ones. The jets' stated four-momenta take the change
of their constituents' sum (`axis="follows"`), so that nothing edited is nothing changed, or stay (`axis="kept"`).

In words particles are counted from 1, as people do. Columns of the source do not hold of an edited jet and are left behind, but for `CAME_FROM`, the place that each constituent
had before the first edit, -1 where an edit made it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np

from ..data.jets import MOMENTUM, Jets, momenta, summed, wrapped
from ..data.pdg import PION, charges, masses
from ..errors import DataError, nearest
from ..physics.substructure import subjets

AXES = ("follows", "kept")
"""What becomes of the four-momentum that is stated of a jet."""

CAME_FROM = "came_from"
PHOTON, CHARGED_PION = 22, 211

SPECIES = {
    "photon": 22,
    "charged hadron": 211,
    "neutral hadron": 130,
    "electron": 11,
    "muon": 13,
}
"""What a particle can be made, and its PDG id."""

Columns = dict[str, np.ndarray]
"""Fields of the constituents of all jets, flat, and "jet", which each belongs to."""

Number = float | np.ndarray
"""One for all jets, or one per jet."""


@dataclass(frozen=True)
class Argument:
    """A number that an edit takes.

    Attributes:
        label: What it is called, with its unit.
        low: Least value.
        high: Largest value that a slider gives.
        start: Where a slider begins.
        step: Of a slider.
    """

    label: str
    low: float
    high: float
    start: float
    step: float


def drop(jets: Jets, particle: int | np.ndarray, *, axis: str = "follows") -> Jets:
    """Returns the jets without one particle.

    Args:
        jets: Jets.
        particle: Its place, one for all jets or one per jet.
        axis: One of `AXES`.

    Raises:
        DataError: a jet has no such particle.
    """
    columns, rows = _columns(jets), _rows(jets, particle)
    keep = np.ones(len(columns["jet"]), dtype=bool)
    keep[rows] = False
    step = f"dropped {_ranked(particle)}"
    return _rebuilt(jets, {name: values[keep] for name, values in columns.items()}, axis, step)


def add(
    jets: Jets,
    pt: Number,
    deta: Number,
    dphi: Number,
    pid: int = CHARGED_PION,
    *,
    axis: str = "follows",
) -> Jets:
    """Returns the jets with one particle more, from the primary vertex, its mass and charge those of its kind.

    Args:
        jets: Jets.
        pt: Its transverse momentum in GeV, above 0.
        deta: Pseudorapidity from the jet's axis.
        dphi: Azimuth from the jet's axis in rad.
        pid: PDG id.
        axis: One of `AXES`.

    Raises:
        DataError: a pT that is not positive, or a place that is not finite.
    """
    n = len(jets)
    pt, deta, dphi = (np.broadcast_to(np.asarray(x, dtype=float), n) for x in (pt, deta, dphi))
    if not (pt > 0).all() or not np.isfinite([pt, deta, dphi]).all():
        msg = f"A particle of {_said(pt)} GeV was asked for; it needs a positive pT and a finite place."
        raise DataError(msg)
    columns = _columns(jets)
    new: Columns = {
        "jet": np.arange(n),
        "pt": pt,
        "eta": ak.to_numpy(jets.p4.eta) + deta,
        "phi": wrapped(ak.to_numpy(jets.p4.phi) + dphi),
        **_kind(pid, n),
    }
    step = f"added {_said(pt)} GeV of type {pid}"
    return _rebuilt(jets, _with(columns, new), axis, step)


def rescale(jets: Jets, particle: int | np.ndarray, factor: float, *, axis: str = "follows") -> Jets:
    """Returns the jets with the four-momentum of one particle times a factor; 0 drops it.

    Args:
        jets: Jets.
        particle: Its place, one for all jets or one per jet.
        factor: 0 or more.
        axis: One of `AXES`.

    Raises:
        DataError: a negative factor, or a jet without such a particle.
    """
    if not 0 <= factor < np.inf:
        msg = f"A momentum times {factor} was asked for; the factor must be 0 or more."
        raise DataError(msg)
    if factor == 0:
        return drop(jets, particle, axis=axis)
    columns, rows = _columns(jets), _rows(jets, particle)
    columns["pt"][rows] *= factor
    columns["mass"][rows] *= factor
    return _rebuilt(jets, columns, axis, f"{_ranked(particle)} times {factor:g}")


def shift(jets: Jets, particle: int | np.ndarray, deta: float, dphi: float, *, axis: str = "follows") -> Jets:
    """Returns the jets with one particle moved by (deta, dphi rad), its pT and mass kept.

    Raises:
        DataError: a jet without such a particle, or a way that is not finite.
    """
    return _moved(jets, _rows(jets, particle), deta, dphi, axis, f"moved {_ranked(particle)}")


def rotate(
    jets: Jets, angle: float, particle: int | np.ndarray | None = None, *, axis: str = "follows"
) -> Jets:
    """Returns the jets turned around their axes in the plane of pseudorapidity and azimuth, pT and masses kept.

    Args:
        jets: Jets.
        angle: In rad, from eta towards phi.
        particle: Turns only this one; None for all.
        axis: One of `AXES`.

    Raises:
        DataError: a jet without such a particle, or an angle that is not finite.
    """
    if not np.isfinite(angle):
        msg = f"A turn by {angle} rad was asked for; give a finite angle."
        raise DataError(msg)
    columns = _columns(jets)
    rows = slice(None) if particle is None else _rows(jets, particle)
    eta, phi = (ak.to_numpy(getattr(jets.p4, name))[columns["jet"][rows]] for name in ("eta", "phi"))
    deta, dphi = columns["eta"][rows] - eta, wrapped(columns["phi"][rows] - phi)
    columns["eta"][rows] = eta + np.cos(angle) * deta - np.sin(angle) * dphi
    columns["phi"][rows] = wrapped(phi + np.sin(angle) * deta + np.cos(angle) * dphi)
    what = "the jet" if particle is None else f"{_ranked(particle)}"
    return _rebuilt(jets, columns, axis, f"turned {what} by {angle:g} rad")


def split(
    jets: Jets,
    particle: int | np.ndarray,
    share: float = 0.5,
    angle: float = 0.0,
    azimuth: Number = 0.0,
    pid: int = PHOTON,
    *,
    axis: str = "follows",
) -> Jets:
    """Returns the jets with one particle split in two, which share its momentum and lie around its place.

    The first takes 1 - share of pT and mass and stays what it was; the second takes the rest, as a neutral `pid`, so that
    charge is conserved. They are `angle` apart, with the pT-weighted middle where the particle was: at angle 0 the sum of the
    four-momenta is exactly that of the particle.

    Args:
        jets: Jets.
        particle: Its place, one for all jets or one per jet.
        share: Momentum fraction of the second, between 0 and 1.
        angle: Their distance in (eta, phi), 0 or more.
        azimuth: Direction from the first to the second in the plane of (eta, phi), in rad.
        pid: PDG id of the second, of a neutral particle.
        axis: One of `AXES`.

    Raises:
        DataError: a share outside (0, 1), a negative angle, a charged second, or a jet without such a particle.
    """
    if not 0 < share < 1 or not 0 <= angle < np.inf or not np.isfinite(azimuth).all():
        msg = f"A split with share {share} at angle {angle} was asked for; the share lies between 0 and 1, the angle from 0."
        raise DataError(msg)
    if charges(np.array([pid]))[0]:
        msg = f"The second of a split pair was asked to be of type {pid}, which is charged; take a neutral one (22, 130)."
        raise DataError(msg)
    columns, rows = _columns(jets), _rows(jets, particle)
    way = np.stack([np.cos(azimuth), np.sin(azimuth)]) * angle
    second = {name: values[rows].copy() for name, values in columns.items()}
    second |= {name: np.full(len(rows), value) for name, value in _identity(pid, columns).items()}
    second[CAME_FROM] = np.full(len(rows), -1)
    for part, fraction, along in ((columns, 1 - share, -share), (second, share, 1 - share)):
        at: Any = rows if part is columns else slice(None)
        part["pt"][at] *= fraction
        part["mass"][at] *= fraction
        part["eta"][at] += along * way[0]
        part["phi"][at] = wrapped(part["phi"][at] + along * way[1])
    step = f"split {_ranked(particle)}: share {share:g}, angle {angle:g}"
    return _rebuilt(jets, _with(columns, second), axis, step)


def retype(jets: Jets, particle: int | np.ndarray, pid: int, *, axis: str = "follows") -> Jets:
    """Returns the jets with one particle made another kind: type, charge and mass change, pT and direction stay.

    Args:
        jets: Jets.
        particle: Its place, one for all jets or one per jet.
        pid: PDG id that it becomes.
        axis: One of `AXES`.

    Raises:
        DataError: the sample does not say what its particles are, or a jet has no such particle.
    """
    columns, rows = _columns(jets), _rows(jets, particle)
    identity = _identity(pid, columns)
    if not identity:
        msg = "These jets do not say what their particles are (no pid, no charge), so no type can be changed; take another sample."
        raise DataError(msg)
    for name, value in identity.items():
        columns[name][rows] = value
    columns["mass"][rows] = masses(np.array([pid]), PION)
    return _rebuilt(jets, columns, axis, f"{_ranked(particle)} made type {pid}")


def move_subjet(
    jets: Jets,
    subjet: int,
    of: int,
    deta: float,
    dphi: float,
    algorithm: str = "kt",
    *,
    axis: str = "follows",
) -> Jets:
    """Returns the jets with one of their `of` exclusive subjets moved by (deta, dphi rad), pT and masses kept.

    Args:
        jets: Jets.
        subjet: Its rank, 0 the hardest.
        of: Number of subjets.
        deta: Way in pseudorapidity.
        dphi: Way in azimuth, rad.
        algorithm: "kt" or "cambridge".
        axis: One of `AXES`.

    Raises:
        DataError: a jet has fewer subjets, or a way that is not finite.
    """
    rows = np.flatnonzero(_members(jets, subjet, of, algorithm))
    return _moved(jets, rows, deta, dphi, axis, f"moved subjet {subjet + 1} of {of}")


def delete_subjet(jets: Jets, subjet: int, of: int, algorithm: str = "kt", *, axis: str = "follows") -> Jets:
    """Returns the jets without one of their `of` exclusive subjets.

    Args:
        jets: Jets.
        subjet: Its rank, 0 the hardest.
        of: Number of subjets.
        algorithm: "kt" or "cambridge".
        axis: One of `AXES`.

    Raises:
        DataError: a jet has fewer subjets.
    """
    keep, columns = ~_members(jets, subjet, of, algorithm), _columns(jets)
    step = f"deleted subjet {subjet + 1} of {of} ({algorithm})"
    return _rebuilt(jets, {name: values[keep] for name, values in columns.items()}, axis, step)


def radiate(
    jets: Jets,
    particles: int = 10,
    share: float = 1e-3,
    radius: float = 0.8,
    seed: int = 1,
    pid: int = PHOTON,
    *,
    axis: str = "follows",
) -> Jets:
    """Returns the jets with soft particles more, spread evenly over a disc around their axes.

    Args:
        jets: Jets.
        particles: Number of them, from 1.
        share: pT of each as a share of the jet's stated pT, above 0.
        radius: Of the disc in (eta, phi).
        seed: Draws their places; the same places for any share.
        pid: Their PDG id.
        axis: One of `AXES`.

    Raises:
        DataError: no particles, a share or radius that is not positive, or a jet without momentum.
    """
    if particles < 1 or not share > 0 or not radius > 0:
        msg = f"{particles} particles of share {share} within {radius} were asked for; all three must be above 0."
        raise DataError(msg)
    generator = np.random.default_rng(seed)
    distance = radius * np.sqrt(generator.uniform(size=(particles, len(jets))))
    angle = generator.uniform(0, 2 * np.pi, (particles, len(jets)))
    columns, n = _columns(jets), len(jets)
    pt, eta, phi = (ak.to_numpy(getattr(jets.p4, name)) for name in ("pt", "eta", "phi"))
    if not (pt > 0).all():
        msg = "A jet has no momentum that soft radiation could be a share of; add a particle instead."
        raise DataError(msg)
    new: Columns = {
        "jet": np.tile(np.arange(n), particles),
        "pt": np.tile(share * pt, particles),
        "eta": (eta + distance * np.cos(angle)).ravel(),
        "phi": wrapped((phi + distance * np.sin(angle)).ravel()),
        **_kind(pid, particles * n),
    }
    return _rebuilt(jets, _with(columns, new), axis, f"added {particles} soft particles of share {share:g}")


PARTICLE = Argument("Particle", 0, np.inf, 0, 1)
_WAY = (Argument("Δη", -1, 1, 0.1, 0.01), Argument("Δφ [rad]", -1, 1, 0.0, 0.01))
_SUBJET = (Argument("Subjet", 0, 9, 0, 1), Argument("Number of subjets", 1, 10, 3, 1))
_TYPE = Argument("Type", -np.inf, np.inf, PHOTON, 1)
_SHARE = Argument("pT share", 0.01, 0.99, 0.5, 0.01)

EDITS: Mapping[str, tuple[Callable[..., Jets], tuple[Argument, ...]]] = {
    "drop": (drop, (PARTICLE,)),
    "rescale": (rescale, (PARTICLE, Argument("Factor", 0, 4, 0.5, 0.01))),
    "shift": (shift, (PARTICLE, *_WAY)),
    "split": (
        split,
        (
            PARTICLE,
            _SHARE,
            Argument("Angle", 0, 0.8, 0.0, 0.005),
            Argument("Azimuth [rad]", -3.14, 3.14, 0.0, 0.01),
        ),
    ),
    "retype": (retype, (PARTICLE, _TYPE)),
    "add": (add, (Argument("pT [GeV]", 0.1, 300, 20, 0.1), *_WAY, _TYPE)),
    "radiate": (
        radiate,
        (Argument("Particles", 1, 300, 10, 1), Argument("pT share of each", 1e-4, 0.02, 1e-3, 1e-4)),
    ),
    "rotate": (rotate, (Argument("Angle [rad]", -3.14, 3.14, 0.5, 0.01),)),
    "move": (move_subjet, (*_SUBJET, *_WAY)),
    "delete": (delete_subjet, _SUBJET),
}
"""The edits by the names that a history keeps, with the numbers that each takes, in order."""

WHOLE = frozenset({"Particle", "Type", "Subjet", "Number of subjets", "Particles"})
"""Arguments that are whole numbers."""


def edited(jets: Jets, edits: Iterable[Sequence[Any]], *, axis: str = "follows") -> Jets:
    """Returns the jets after several edits, one after the other.

    Args:
        jets: Jets.
        edits: For each its name, from `EDITS`, and then its numbers, in order: ("rescale", 0, 1.5).
        axis: One of `AXES`.

    Raises:
        DataError: no such edit, a number that is missing or not one, or an edit that cannot be done.
    """
    for name, *values in edits:
        if name not in EDITS:
            msg = f"There is no edit {name!r}; {nearest(str(name), EDITS)}"
            raise DataError(msg)
        function, arguments = EDITS[name]
        jets = function(jets, *_numbers(name, values, arguments), axis=axis)
    return jets


def _numbers(name: str, values: Sequence[Any], arguments: Sequence[Argument]) -> list[float]:
    numeric = all(isinstance(x, int | float) and np.isfinite(x) for x in values)
    if len(values) != len(arguments) or not numeric:
        wanted = ", ".join(argument.label for argument in arguments)
        msg = f"The edit {name!r} was given {list(values)}; it takes the numbers {wanted}."
        raise DataError(msg)
    return [int(x) if a.label in WHOLE else float(x) for x, a in zip(values, arguments, strict=True)]


def _columns(jets: Jets) -> Columns:
    """Returns copies of the constituents' fields, flat, with their jet and the place they came from."""
    flat = ak.flatten(jets.constituents, axis=1)
    columns = {name: np.array(ak.to_numpy(flat[name])) for name in ak.fields(flat)}
    for name in MOMENTUM:
        columns[name] = columns[name].astype(np.float64)
    columns["jet"] = np.repeat(np.arange(len(jets)), jets.counts)
    known = jets.columns.get(CAME_FROM)
    places = ak.local_index(jets.constituents.pt) if known is None else known
    columns[CAME_FROM] = np.array(ak.to_numpy(ak.flatten(places)), dtype=np.int64)
    return columns


def _rows(jets: Jets, particle: int | np.ndarray) -> np.ndarray:
    """Returns the flat places of one particle of every jet, shape (jets,)."""
    place = np.broadcast_to(np.asarray(particle, dtype=np.int64), len(jets))
    counts = jets.counts
    bad = np.flatnonzero((place < 0) | (place >= counts))
    if bad.size:
        msg = f"There is no particle {place[bad[0]]}: the jet has {counts[bad[0]]}, counted from 0; take one of them."
        raise DataError(msg)
    return np.cumsum(counts) - counts + place


def _members(jets: Jets, subjet: int, of: int, algorithm: str) -> np.ndarray:
    """Returns True for the particles of a subjet, flat."""
    found = subjets(jets, of, algorithm=algorithm)
    fewest = min(of, int(jets.counts.min(initial=of)))
    if not 0 <= subjet < fewest:
        msg = f"There is no subjet {subjet}: the jet has {fewest}, counted from 0; take one of them."
        raise DataError(msg)
    return np.asarray(ak.to_numpy(ak.flatten(found)) == subjet)


def _moved(jets: Jets, rows: np.ndarray, deta: float, dphi: float, axis: str, step: str) -> Jets:
    if not np.isfinite([deta, dphi]).all():
        msg = f"A way of ({deta}, {dphi}) was asked for; give finite numbers."
        raise DataError(msg)
    columns = _columns(jets)
    columns["eta"][rows] += deta
    columns["phi"][rows] = wrapped(columns["phi"][rows] + dphi)
    return _rebuilt(jets, columns, axis, f"{step} by ({deta:g}, {dphi:g})")


def _identity(pid: int, columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns what the sample says of a particle of this kind, as far as it says it."""
    said = {"pid": float(pid), "charge": float(charges(np.array([pid]))[0])}
    return {name: value for name, value in said.items() if name in columns}


def _kind(pid: int, n: int) -> Columns:
    """Returns mass, type, charge and descent of n new particles."""
    kind = np.full(n, pid)
    return {
        "mass": masses(kind, PION),
        "pid": kind,
        "charge": charges(kind),
        CAME_FROM: np.full(n, -1),
        "weight": np.ones(n),
    }


def _with(columns: Columns, new: Mapping[str, np.ndarray]) -> Columns:
    """Returns the particles and new ones behind them; errors of measurement are the sample's usual ones, the rest is 0."""
    n = len(new["jet"])
    joined = {}
    for name, values in columns.items():
        usual = np.median(values) if name.endswith("_error") and len(values) else 0
        more = new.get(name, np.full(n, usual))
        joined[name] = np.concatenate([values, np.asarray(more).astype(values.dtype)])
    return joined


def _rebuilt(jets: Jets, columns: Columns, axis: str, step: str) -> Jets:
    """Returns jets of these particles, hardest first."""
    if axis not in AXES:
        msg = f"There is no way {axis!r} to treat the jet's four-momentum; {nearest(str(axis), AXES)}"
        raise DataError(msg)
    order = np.lexsort((-columns["pt"], columns["jet"]))
    counts = np.bincount(columns["jet"], minlength=len(jets))
    listed = {name: ak.unflatten(values[order], counts) for name, values in columns.items()}
    came_from = listed.pop(CAME_FROM)
    del listed["jet"]
    constituents = momenta(**listed)
    p4 = jets.p4 if axis == "kept" else _followed(jets, constituents)
    return replace(
        jets,
        constituents=constituents,
        p4=p4,
        columns={CAME_FROM: came_from},
        origin=jets.origin.then(step),
    )


def _followed(jets: Jets, constituents: ak.Array) -> ak.Array:
    """Returns the stated four-momenta plus what the constituents' sum has changed by; zero where none are left.

    Where energy and momentum as stated, less what was taken away, leave a mass squared below zero, the mass is zero.
    """
    p4 = _double(jets.p4)
    before, after = (summed(_double(particles)) for particles in (jets.constituents, constituents))
    px, py, pz, energy = (
        ak.to_numpy(getattr(p4, c)) + ak.to_numpy(getattr(after, c)) - ak.to_numpy(getattr(before, c))
        for c in ("px", "py", "pz", "energy")
    )
    some = ak.to_numpy(ak.num(constituents)) > 0
    pt = np.hypot(px, py)
    eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pz), where=pt > 0))
    mass = np.sqrt(np.maximum((energy - pz) * (energy + pz) - pt**2, 0.0))
    fields = {"pt": pt, "eta": eta, "phi": np.arctan2(py, px), "mass": mass}
    return momenta(**{name: np.where(some, values, 0.0) for name, values in fields.items()})


def _double(records: ak.Array) -> ak.Array:
    """Returns momenta in double precision: the mass of a jet is a small difference of large numbers."""
    return momenta(**{name: ak.values_astype(records[name], np.float64) for name in MOMENTUM})


def _said(value: Any) -> str:
    """Returns a number in words, or that there is one per jet."""
    values = np.unique(np.asarray(value))
    return f"{values[0]:g}" if len(values) == 1 else "chosen jet by jet"


def _ranked(particle: int | np.ndarray) -> str:
    """Returns which particle it is in words: people count from 1, the hardest."""
    return f"particle {_said(np.asarray(particle) + 1)}"
