"""Particles of an event made into jets, and jets into subjets (FastJet, arXiv:1111.6097)."""

import awkward as ak
import fastjet
import numpy as np

from ..data.events import Events
from ..data.jets import MOMENTUM, Jets, momenta, wrapped
from ..errors import DataError, nearest

ALGORITHMS = {
    "antikt": fastjet.antikt_algorithm,
    "kt": fastjet.kt_algorithm,
    "cambridge": fastjet.cambridge_algorithm,
}
"""Sequential recombination by generalised kT with exponent -1, 1 and 0 (Cambridge/Aachen)."""


def cluster(
    events: Events,
    *,
    collection: str = "particles",
    radius: float = 0.8,
    algorithm: str = "antikt",
    pt_min: float = 20.0,
    eta_max: float | None = None,
    leading: int | None = None,
) -> Jets:
    """Returns the inclusive jets of all events, event by event, hardest first within each.

    Distances are in rapidity and azimuth, four-momenta are added with their masses (E scheme). Constituents keep
    every field they had. A jet takes label, weight and columns of its event; the column "event_index" says which
    row of `events` that is.

    Args:
        events: Events with the collection to cluster; an event without particles gives no jet.
        collection: Its name.
        radius: Jet radius R.
        algorithm: "antikt", "kt" or "cambridge".
        pt_min: Lowest transverse momentum of a jet in GeV.
        eta_max: Largest |pseudorapidity| of a jet's axis; None for no limit.
        leading: Keep at most so many jets per event, the hardest after the other cuts; None for all.

    Raises:
        DataError: no such collection or algorithm, a radius that is not positive, particles that are not momenta.

    Source: arXiv:0802.1189 (anti-kT).
    """
    found = _inclusive(
        _particles(collection, events[collection]), _definition(algorithm, radius), pt_min, eta_max, leading
    )
    most = "" if leading is None else f", at most {leading} per event"
    inside = "" if eta_max is None else f", |eta| < {eta_max:g}"
    step = f"clustered {collection}: {algorithm} R={radius:g}, pt > {pt_min:g} GeV{inside}{most}"
    return _carried(found, events, "event_index", step)


def recluster(jets: Jets, *, radius: float, algorithm: str = "kt", pt_min: float = 0.0) -> Jets:
    """Returns the subjets of all jets as jets of their own, jet by jet, hardest first within each.

    Distances are in rapidity and azimuth, masses kept (E scheme). A subjet takes label, weight and columns of its
    jet; the column "jet_index" says which row of `jets` that is.

    Args:
        jets: Jets; what counts is their constituents.
        radius: Radius of the subjets.
        algorithm: "antikt", "kt" or "cambridge".
        pt_min: Lowest transverse momentum of a subjet in GeV.

    Raises:
        DataError: no such algorithm or a radius that is not positive.
    """
    found = _inclusive(
        _particles("constituents", jets.constituents), _definition(algorithm, radius), pt_min, None, None
    )
    step = f"reclustered: {algorithm} R={radius:g}, pt > {pt_min:g} GeV"
    return _carried(found, jets, "jet_index", step)


def momenta_of(cartesian: ak.Array) -> ak.Array:
    """Returns Momentum4D records in pt, eta, phi, mass of records in px, py, pz, E, same shape."""
    counts = ak.num(cartesian)
    px, py, pz, energy = (ak.to_numpy(ak.flatten(cartesian[name])) for name in ("px", "py", "pz", "E"))
    pt = np.hypot(px, py)
    eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pz), where=pt > 0))
    # E^2 - p^2 of a light jet may come out a rounding error below zero.
    mass = np.sqrt(np.maximum((energy - pz) * (energy + pz) - pt**2, 0.0))
    return ak.unflatten(momenta(pt=pt, eta=eta, phi=wrapped(np.arctan2(py, px)), mass=mass), counts)


def _inclusive(
    particles: ak.Array,
    definition: fastjet.JetDefinition,
    pt_min: float,
    eta_max: float | None,
    leading: int | None,
) -> tuple[ak.Array, ak.Array, np.ndarray]:
    """Returns constituents (jets, var), four-momenta (jets,) and the list each jet comes from (jets,)."""
    sequence = fastjet.ClusterSequence(_cartesian(particles), definition)
    found = momenta_of(sequence.inclusive_jets(pt_min))
    members = sequence.constituent_index(pt_min)
    if eta_max is not None:
        kept = abs(found.eta) < eta_max
        found, members = found[kept], members[kept]
    hardest = ak.argsort(found.pt, axis=1, ascending=False, stable=True)[:, :leading]
    found, members = found[hardest], members[hardest]
    owner = np.repeat(np.arange(len(particles)), ak.to_numpy(ak.num(found)))
    return _gathered(particles, ak.flatten(members, axis=1), owner), ak.flatten(found, axis=1), owner


def _carried(
    found: tuple[ak.Array, ak.Array, np.ndarray], source: Events | Jets, index: str, step: str
) -> Jets:
    """Returns what was found as jets with label, weight and columns of the row of `source` each comes from."""
    constituents, p4, row = found
    lasting = source.lasting if isinstance(source, Jets) else source.columns
    return Jets.of(
        constituents,
        p4=p4,
        label=np.asarray(source.label)[row],
        classes=source.classes,
        weight=np.asarray(source.weight)[row],
        columns={**{name: column[row] for name, column in lasting.items()}, index: row},
        origin=source.origin.then(f"{step}: {len(row)} from {len(source)}"),
    )


def _particles(name: str, particles: ak.Array) -> ak.Array:
    missing = [field for field in MOMENTUM if field not in ak.fields(particles)]
    if missing:
        msg = f"{name!r} cannot be clustered: it lacks {', '.join(missing)}; particles need pt, eta, phi and mass."
        raise DataError(msg)
    return ak.with_name(ak.to_packed(particles), "Momentum4D")


def _definition(algorithm: str, radius: float) -> fastjet.JetDefinition:
    if algorithm not in ALGORITHMS:
        msg = f"There is no jet algorithm {algorithm!r}; {nearest(algorithm, ALGORITHMS)}"
        raise DataError(msg)
    if not radius > 0:
        msg = f"A jet radius of {radius} was asked for; it must be positive."
        raise DataError(msg)
    return fastjet.JetDefinition(ALGORITHMS[algorithm], float(radius))


def _cartesian(particles: ak.Array) -> ak.Array:
    flat = ak.flatten(particles, axis=1)
    pt, eta, phi, mass = (ak.to_numpy(flat[name]).astype(np.float64) for name in MOMENTUM)
    pz = pt * np.sinh(eta)
    fields = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pz, "E": np.sqrt(pt**2 + pz**2 + mass**2)}
    return ak.unflatten(ak.zip(fields, with_name="Momentum4D"), ak.num(particles))


def _gathered(particles: ak.Array, members: ak.Array, event: np.ndarray) -> ak.Array:
    """Returns the constituents (jets, var) that `members` names by their place within each jet's event."""
    counts = ak.num(members)
    first = np.concatenate([[0], np.cumsum(ak.to_numpy(ak.num(particles)))])
    place = ak.to_numpy(ak.flatten(members)) + np.repeat(first[event], ak.to_numpy(counts))
    return ak.unflatten(ak.flatten(particles, axis=1)[place], counts)
