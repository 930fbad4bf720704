"""Files in their published layouts, written by the libraries that others write them with."""

import awkward as ak
import h5py
import numpy as np
import pandas as pd
import uproot


def four_momenta(counts, seed=0):
    """Returns massless px, py, pz, E of hardest-first particles, one (particles, 4) float32 array per jet."""
    rng = np.random.default_rng(seed)
    jets = []
    for count in counts:
        pt = np.sort(rng.exponential(30, count) + 1)[::-1]
        eta, phi = rng.normal(0.3, 0.2, count), rng.normal(2.9, 0.2, count)
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        jets.append(np.stack([np.sqrt(px**2 + py**2 + pz**2), px, py, pz], axis=1).astype(np.float32))
    return jets


def top_tagging(path, jets, labels, layout, slots=200, **changes):
    """Writes the pandas frame of the top-tagging reference set with PyTables and blosc."""
    values = np.zeros((len(jets), slots, 4), np.float32)
    for row, jet in zip(values, jets, strict=True):
        row[: len(jet)] = jet
    names = [f"{c}_{i}" for i in range(slots) for c in ("E", "PX", "PY", "PZ")]
    frame = pd.DataFrame(values.reshape(len(jets), -1), columns=names)
    truth = pd.DataFrame(
        np.ones((len(jets), 4), np.float32) * 7, columns=["truthE", "truthPX", "truthPY", "truthPZ"]
    )
    flags = pd.DataFrame({"ttv": np.arange(len(jets)), "is_signal_new": np.asarray(labels)})
    frame = pd.concat([frame, truth, flags], axis=1).rename(columns=changes)
    frame.to_hdf(path, key="table", format=layout, complib="blosc", complevel=5)


def jetclass_arrays(jets, seed=0):
    """Returns the branches of JetClass for the jets, part_deta signed as published."""
    rng = np.random.default_rng(seed)
    counts = [len(jet) for jet in jets]
    flat = np.concatenate(jets).astype(np.float64)
    energy, px, py, pz = flat.T
    total = np.array([jet.astype(np.float64).sum(axis=0) for jet in jets])
    jet_pt = np.hypot(total[:, 1], total[:, 2])
    jet_eta, jet_phi = np.arcsinh(total[:, 3] / jet_pt), np.arctan2(total[:, 2], total[:, 1])
    kind = rng.integers(0, 5, len(flat))
    charge = np.where((kind == 2) | (kind == 4), 0, rng.choice([-1, 1], len(flat)))
    eta = np.arcsinh(pz / np.hypot(px, py))
    part = {"px": px, "py": py, "pz": pz, "energy": energy, "charge": charge.astype(np.float32)}
    part["deta"] = (eta - np.repeat(jet_eta, counts)) * np.repeat(np.sign(jet_eta), counts)
    part["dphi"] = np.mod(np.arctan2(py, px) - np.repeat(jet_phi, counts) + np.pi, 2 * np.pi) - np.pi
    for i, flag in enumerate(("isElectron", "isMuon", "isPhoton", "isChargedHadron", "isNeutralHadron")):
        part[flag] = kind == i
    for name in ("d0val", "d0err", "dzval", "dzerr"):
        part[name] = rng.normal(size=len(flat))
    jet = {"pt": jet_pt, "eta": jet_eta, "phi": jet_phi, "energy": total[:, 0]}
    jet |= {"nparticles": np.array(counts), "sdmass": rng.random(len(jets)), "tau1": rng.random(len(jets))}
    return {
        **{f"part_{name}": ragged(values, counts) for name, values in part.items()},
        **{f"jet_{name}": values.astype(np.float32) for name, values in jet.items()},
    }


def ragged(values, counts):
    return ak.unflatten(np.asarray(values), counts)


def root(path, tree, arrays):
    """Writes a ROOT tree with uproot."""
    with uproot.recreate(path) as file:
        file.mktree(
            tree, {name: getattr(values, "type", None) or values.dtype for name, values in arrays.items()}
        )
        file[tree].extend(arrays)


def nanoaod(path, **changes):
    """Writes two events of PFNano: three jets, their candidates and muons, with NanoAOD's counters and links.

    `changes` are new names of fields, such as Jet={"pt": "et"}.
    """
    candidates = {"pt": [[30.0, 20.0, 9.0, 1.0], [40.0]], "eta": [[0.1, 0.2, -1.0, 2.0], [0.5]]}
    candidates |= {"phi": [[1.0, 1.1, -2.0, 0.0], [3.0]], "pdgId": [[211, 22, -13, 130], [22]]}
    collections = {
        "Jet": {"pt": [[50.0, 9.0], [40.0]], "eta": [[0.14, -1.0], [0.5]], "phi": [[1.04, -2.0], [3.0]]},
        "Muon": {"pt": [[9.0], []], "eta": [[-1.0], []], "phi": [[-2.0], []], "dxy": [[0.1], []]},
        "PFCands": candidates,
        "JetPFCands": {"jetIdx": [[0, 0, 1], [0]], "pFCandsIdx": [[0, 1, 2], [0]]},
    }
    arrays = {}
    for name, fields in collections.items():
        names = changes.get(name, {})
        arrays[name] = ak.zip({names.get(field, field): ak.Array(values) for field, values in fields.items()})
    root(path, "Events", {**arrays, "run": np.array([1, 1]), "genWeight": np.array([1.0, -1.0])})


def ftag(path, *, jets=20, lists="consts", scale=1000.0, seed=0, phi=True):
    """Writes structured jets and padded constituents with h5py; momenta in GeV times `scale`."""
    rng = np.random.default_rng(seed)
    fields = [("pt", "f4"), ("eta", "f4"), ("mass", "f4"), ("HadronConeExclTruthLabelID", "i4")]
    jet = np.zeros(jets, [*fields, *([("phi", "f4")] if phi else [])])
    jet["pt"], jet["eta"] = rng.uniform(20, 200, jets) * scale, rng.normal(size=jets)
    jet["HadronConeExclTruthLabelID"] = rng.choice([0, 4, 5, 15], jets)
    if phi:
        jet["phi"] = rng.uniform(-3, 3, jets)
    names = [("pt", "f4"), ("deta", "f4"), ("dphi", "f4"), ("charge", "i4"), ("valid", "?")]
    parts = np.zeros((jets, 12), names)
    parts["pt"] = rng.uniform(1, 20, (jets, 12)) * scale
    parts["deta"], parts["dphi"] = rng.normal(0, 0.1, (2, jets, 12))
    parts["charge"] = rng.choice([-1, 0, 1], (jets, 12))
    parts["valid"] = rng.random((jets, 12)) < 0.5
    parts["pt"][~parts["valid"]] = np.nan
    with h5py.File(path, "w") as file:
        file["jets"], file[lists] = jet, parts
    return jet, parts
