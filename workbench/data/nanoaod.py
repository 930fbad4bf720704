"""CMS NanoAOD and PFNano: flat ROOT tree `Events`, jets with their particle-flow candidates where stored."""

from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from ..errors import DataError
from .content import Content
from .events import Events
from .jets import momenta, summed
from .source import Place, finite, origin_of, reading, require, row_range

FORMAT = "NanoAOD"
COLLECTIONS = {
    "particles": "PFCands",
    "jets": "Jet",
    "fat_jets": "FatJet",
    "muons": "Muon",
    "electrons": "Electron",
    "photons": "Photon",
    "taus": "Tau",
    "gen_jets": "GenJet",
    "gen_fat_jets": "GenJetAK8",
    "gen_particles": "GenPart",
}
MISSING = ("MET", "PFMET", "PuppiMET")
CANDIDATES = {"jets": "JetPFCands", "fat_jets": "FatJetPFCands"}
RENAMED = {
    "pid": ("pdgId",),
    "charge": ("charge",),
    "d0": ("d0", "dxy"),
    "d0_error": ("d0Err", "dxyErr"),
    "dz": ("dz",),
    "dz_error": ("dzErr",),
    "weight": ("puppiWeight",),
    "mother": ("genPartIdxMother",),
}
KEPT = (
    "status",
    "statusFlags",
    "hadronFlavour",
    "partonFlavour",
    "jetId",
    "puId",
    "msoftdrop",
    "tau1",
    "tau2",
    "tau3",
    "tau4",
    "btagDeepFlavB",
    "particleNet_TvsQCD",
    "particleNet_WvsQCD",
    "particleNet_HbbvsQCD",
    "rawFactor",
    "pfRelIso04_all",
    "tightId",
)
LENGTHS = ("d0", "d0_error", "dz", "dz_error")


def is_one(content: Content) -> bool:
    """Returns True for a tree `Events` with flat branches of jets or muons."""
    return content.container == "ROOT" and any(
        content.has(f"Events/n{name}", f"Events/{name}_pt") for name in ("Jet", "FatJet", "Muon", "PFCands")
    )


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Events:
    """Returns events with those collections that the file has.

    Of a collection that the file has anything of, its count included, _pt, _eta and _phi must be there. Masses that are
    not stored are 0. NanoAOD keeps lengths in cm, here they are mm. "particles" are there in PFNano only; then "jets" and "fat_jets" have "constituents", with their momenta times the PUPPI weight where the uncorrected
    jet is nearer to that sum than to the plain one (the origin names these collections). The weight is genWeight; a file
    without it and without generator particles is data. "met" is the first of MET, PFMET and PuppiMET.

    Raises:
        DataError: a branch is missing, damaged file, values not finite.
    """
    path = Path(path)
    with reading(path, FORMAT), uproot.open(path) as file:
        tree = file["Events"]
        names = set(tree.keys())
        rows = row_range(path, tree.num_entries, start, stop, "events")
        collections = {
            ours: _records(path, tree, theirs, names, rows)
            for ours, theirs in COLLECTIONS.items()
            if f"n{theirs}" in names or any(name.startswith(f"{theirs}_") for name in names)
        }
        weighted = []
        for ours, links in CANDIDATES.items():
            if {f"{links}_jetIdx", f"{links}_pFCandsIdx"} <= names and "particles" in collections:
                found = _constituents(path, tree, links, collections[ours], collections["particles"], rows)
                found, is_weighted = _as_clustered(collections[ours], found)
                weighted += [ours] if is_weighted else []
                collections[ours] = ak.with_field(collections[ours], found, "constituents")
        if met := next((name for name in MISSING if f"{name}_pt" in names), None):
            p2 = {x: _values(tree, f"{met}_{x}", rows) for x in ("pt", "phi")}
            finite(Place(path, None, rows[0], "event"), p2)
            p2 = {x: ak.values_astype(values, np.float64) for x, values in p2.items()}
            collections["met"] = ak.zip(p2, with_name="Momentum2D")
        columns = {
            name: ak.to_numpy(_values(tree, name, rows))
            for name in ("run", "luminosityBlock", "event", "PV_npvs", "PV_npvsGood")
            if name in names
        }
        simulated = "genWeight" in names or "GenPart_pt" in names
        weight = None
        if "genWeight" in names:
            weight = ak.to_numpy(_values(tree, "genWeight", rows)).astype(np.float64)
        total = tree.num_entries
    kind = "simulation" if simulated else "data"
    return Events.of(
        collections,
        weight=weight,
        columns=columns,
        origin=origin_of(path, FORMAT, rows, total, kind=kind, times_puppi_weight=weighted),
    )


def _values(tree: uproot.TTree, name: str, rows: tuple[int, int]) -> ak.Array:
    return tree[name].array(entry_start=rows[0], entry_stop=rows[1])


def _records(path: Path, tree: uproot.TTree, source: str, names: set[str], rows: tuple[int, int]) -> ak.Array:
    require(path, names, [f"{source}_{x}" for x in ("pt", "eta", "phi")])
    p4 = {x: ak.values_astype(_values(tree, f"{source}_{x}", rows), np.float64) for x in ("pt", "eta", "phi")}
    mass = f"{source}_mass"
    p4["mass"] = ak.values_astype(_values(tree, mass, rows), np.float64) if mass in names else p4["pt"] * 0.0
    place = Place(path, ak.to_numpy(ak.num(p4["pt"])), rows[0], "event")
    finite(place, {f"{source}_{name}": ak.flatten(values) for name, values in p4.items()})
    fields = {}
    for ours, candidates in RENAMED.items():
        theirs = next((name for name in candidates if f"{source}_{name}" in names), None)
        if theirs is not None:
            values = _values(tree, f"{source}_{theirs}", rows)
            fields[ours] = values * 10.0 if ours in LENGTHS else values
    for name in KEPT:
        if f"{source}_{name}" in names:
            fields[name] = _values(tree, f"{source}_{name}", rows)
    return momenta(**p4, **fields)


def _constituents(
    path: Path, tree: uproot.TTree, links: str, jets: ak.Array, particles: ak.Array, rows: tuple[int, int]
) -> ak.Array:
    jet, particle = (_values(tree, f"{links}_{x}", rows) for x in ("jetIdx", "pFCandsIdx"))
    if ak.any(jet >= ak.num(jets)) or ak.any(particle < 0):
        msg = f"{links} of {path.name} point at jets or candidates that are not in their event; make the file again."
        raise DataError(msg)
    jet, particle = jet[jet >= 0], particle[jet >= 0]  # -1: a candidate of a jet too soft to be stored
    order = ak.argsort(jet, axis=1, stable=True)
    found = ak.flatten(particles[particle[order]])
    per_event = ak.to_numpy(ak.num(jets))
    first = np.cumsum(per_event) - per_event
    numbers = ak.to_numpy(ak.flatten(jet)) + np.repeat(first, ak.to_numpy(ak.num(jet)))
    counts = np.bincount(numbers, minlength=per_event.sum())
    return ak.unflatten(ak.unflatten(found, counts), per_event)


def _as_clustered(jets: ak.Array, constituents: ak.Array) -> tuple[ak.Array, bool]:
    if (
        "weight" not in ak.fields(constituents)
        or "rawFactor" not in ak.fields(jets)
        or ak.count(jets.pt) == 0
    ):
        return constituents, False
    fields = {name: constituents[name] for name in ak.fields(constituents)}
    fields |= {name: fields[name] * fields["weight"] for name in ("pt", "mass")}
    weighted = momenta(**fields)
    raw = ak.to_numpy(ak.flatten(jets.pt * (1 - jets.rawFactor)))
    plain_off, weighted_off = (
        np.median(np.abs(ak.to_numpy(summed(ak.flatten(given)).pt) / raw - 1))
        for given in (constituents, weighted)
    )
    return (weighted, True) if weighted_off < plain_off else (constituents, False)
