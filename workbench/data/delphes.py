"""Delphes ROOT files: particles, tracks, towers, leptons and jets with their constituents."""

from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from .content import Content
from .events import Events
from .jets import momenta
from .pdg import PION, masses
from .source import Place, finite, origin_of, reading, require, row_range

FORMAT = "Delphes ROOT"
COLLECTIONS = {
    "tracks": "Track",
    "towers": "Tower",
    "jets": "Jet",
    "fat_jets": "FatJet",
    "gen_jets": "GenJet",
    "electrons": "Electron",
    "muons": "Muon",
    "photons": "Photon",
    "gen_particles": "Particle",
}
PARTICLES = (("ParticleFlowCandidate",), ("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron"), ("Tower",))
"""What a jet algorithm may cluster, best first: nothing in one line is measured twice."""
FIELDS = {
    "pid": "PID",
    "charge": "Charge",
    "d0": "D0",
    "d0_error": "ErrorD0",
    "dz": "DZ",
    "dz_error": "ErrorDZ",
    "vertex": "VertexIndex",
    "energy_em": "Eem",
    "energy_had": "Ehad",
    "flavour": "Flavor",
    "btag": "BTag",
    "tau_tag": "TauTag",
    "status": "Status",
    "mother": "M1",
}
NEUTRAL = {"EFlowPhoton": 22, "EFlowNeutralHadron": 130, "Tower": 0}
MASSES = {"Electron": 0.00051099895, "Muon": 0.1056583755, "Photon": 0.0}


def is_one(content: Content) -> bool:
    """Returns True for a tree `Delphes`."""
    return content.container == "ROOT" and content.has("Delphes")


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events with those collections that the file has; GeV, mm.

    "particles" are the particle-flow candidates, else E-flow tracks, photons and neutral hadrons, else towers. A track
    without mass has that of its PDG id, or of the pion; what a calorimeter sees is massless; what has no pt is left out and
    counted in the origin. Among "gen_particles" those along the beam have pt 0 and the eta that Delphes gives them, 999.9. Jets have "constituents"
    (fields as "particles") where all of their references lead to particles in the file. Towers carry the edges of
    their cell.

    Raises:
        DataError: a branch is missing, damaged file, values not finite.
    Source: arXiv:1307.6346.
    """
    path = Path(path)
    with reading(path, FORMAT), uproot.open(path) as file:
        tree = file["Delphes"]
        branches = {branch.name: branch for branch in reversed(tree.branches)}
        rows = row_range(path, tree.num_entries, start, stop, "events")
        source = next((line for line in PARTICLES if set(line) <= set(branches)), ())
        require(path, branches, ["Event", *(source or PARTICLES[1][:1])])
        read = {
            name: _records(path, branches[name], rows)
            for name in {*COLLECTIONS.values(), *source} & set(branches)
        }
        particles = ak.concatenate([_as_particles(read[name]) for name in source], axis=1)
        moving = particles.pt > 0
        without = int(ak.sum(~moving))
        particles = particles[moving]
        collections = {"particles": particles} | {
            ours: read[theirs] for ours, theirs in COLLECTIONS.items() if theirs in read
        }
        origin = origin_of(
            path, FORMAT, rows, tree.num_entries, particles_from=list(source), particles_without_pt=without
        )
        for name, pool in (("jets", "particles"), ("fat_jets", "particles"), ("gen_jets", "gen_particles")):
            if name in collections and pool in collections:
                found = _constituents(branches[COLLECTIONS[name]], collections[pool], rows)
                if found is None:
                    origin = origin.then(f"the references of {name} lead out of {pool}: no constituents")
                else:
                    collections[name] = ak.with_field(collections[name], found, "constituents")
        if "MissingET" in branches:
            collections["met"] = _met(branches["MissingET"], rows)
        weight, columns = _event(branches["Event"], rows)
    return Events.of(
        {name: array if name == "met" else _without_id(array) for name, array in collections.items()},
        weight=weight,
        columns=columns,
        origin=origin,
    )


def _values(branch: uproot.TBranch, name: str, rows: tuple[int, int]) -> ak.Array:
    return branch[f"{branch.name}.{name}"].array(entry_start=rows[0], entry_stop=rows[1])


def _names(branch: uproot.TBranch) -> set[str]:
    return {name.split(".", 1)[1].split("[")[0] for name in branch.keys() if "." in name}  # noqa: SIM118


def _records(path: Path, branch: uproot.TBranch, rows: tuple[int, int]) -> ak.Array:
    names = _names(branch)
    pt = "PT" if "PT" in names else "ET"
    require(path, names, [pt, "Eta", "Phi"], f"{branch.name} field")
    fields = {ours: _values(branch, theirs, rows) for ours, theirs in FIELDS.items() if theirs in names}
    fields["unique"] = _values(branch, "fUniqueID", rows)
    if "Edges" in names:
        edges = _values(branch, "Edges[4]", rows)
        for i, edge in enumerate(("eta_low", "eta_high", "phi_low", "phi_high")):
            fields[edge] = edges[..., i]
    p4 = {
        ours: _values(branch, theirs, rows) for ours, theirs in (("pt", pt), ("eta", "Eta"), ("phi", "Phi"))
    }
    p4 = {name: ak.values_astype(value, np.float64) for name, value in p4.items()}
    if "Mass" in names:
        p4["mass"] = ak.values_astype(_values(branch, "Mass", rows), np.float64)
    elif branch.name in MASSES or branch.name in NEUTRAL:
        p4["mass"] = ak.full_like(p4["pt"], MASSES.get(branch.name, 0.0))
    else:
        known = masses(ak.to_numpy(ak.flatten(fields["pid"])), unknown=PION) if "pid" in fields else PION
        p4["mass"] = ak.unflatten(ak.to_numpy(ak.flatten(p4["pt"])) * 0 + known, ak.num(p4["pt"]))
    if branch.name in NEUTRAL:
        fields["pid"] = ak.values_astype(ak.full_like(p4["pt"], NEUTRAL[branch.name]), np.int64)
        fields["charge"] = ak.values_astype(ak.zeros_like(p4["pt"]), np.int64)
    place = Place(path, ak.to_numpy(ak.num(p4["pt"])), rows[0], "event")
    finite(place, {f"{branch.name}.{name}": ak.flatten(values) for name, values in p4.items()})
    return momenta(**p4, **fields)


def _as_particles(records: ak.Array) -> ak.Array:
    fields = {name: records[name] for name in ("pt", "eta", "phi", "mass", "unique")}
    for name in ("pid", "charge"):
        fields[name] = ak.values_astype(records[name], np.int64)
    for name in ("d0", "d0_error", "dz", "dz_error"):
        given = records[name] if name in ak.fields(records) else ak.zeros_like(records["pt"])
        fields[name] = ak.values_astype(given, np.float64)
    return momenta(**fields)


def _constituents(branch: uproot.TBranch, pool: ak.Array, rows: tuple[int, int]) -> ak.Array | None:
    if "Constituents" not in _names(branch):
        return None
    refs = _values(branch, "Constituents", rows)["refs"]
    per_jet, per_event = ak.num(refs, axis=2), ak.num(refs, axis=1)
    event = np.repeat(np.arange(len(refs)), ak.to_numpy(ak.sum(per_jet, axis=1)))
    wanted = _key(event, ak.to_numpy(ak.flatten(refs, axis=None)))
    flat = ak.flatten(pool)
    keys = _key(np.repeat(np.arange(len(pool)), ak.to_numpy(ak.num(pool))), ak.to_numpy(flat["unique"]))
    order = np.argsort(keys)
    where = np.searchsorted(keys[order], wanted)
    if len(keys) == 0 or (keys[order][np.minimum(where, len(keys) - 1)] != wanted).any():
        return None
    found = ak.unflatten(flat[order[where]], ak.to_numpy(ak.flatten(per_jet)))
    return ak.unflatten(_without_id(found), ak.to_numpy(per_event))


def _key(event: np.ndarray, unique: np.ndarray) -> np.ndarray:
    # ROOT keeps the number of an object in the low 24 bits; what lies above is the process.
    return event.astype(np.int64) << 24 | (unique.astype(np.int64) & 0xFFFFFF)


def _without_id(records: ak.Array) -> ak.Array:
    fields = [name for name in ak.fields(records) if name != "unique"]
    return ak.with_name(records[fields], "Momentum4D")


def _met(branch: uproot.TBranch, rows: tuple[int, int]) -> ak.Array:
    pt, phi = (ak.to_numpy(_values(branch, name, rows)[:, 0]).astype(np.float64) for name in ("MET", "Phi"))
    return ak.zip({"pt": pt, "phi": phi}, with_name="Momentum2D")


def _event(branch: uproot.TBranch, rows: tuple[int, int]) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    names = _names(branch)
    wanted = {"event": "Number", "cross_section": "CrossSection", "scale": "Scale", "process": "ProcessID"}
    columns = {
        ours: ak.to_numpy(_values(branch, theirs, rows)[:, 0])
        for ours, theirs in wanted.items()
        if theirs in names
    }
    weight = (
        ak.to_numpy(_values(branch, "Weight", rows)[:, 0]).astype(np.float64) if "Weight" in names else None
    )
    return weight, columns
