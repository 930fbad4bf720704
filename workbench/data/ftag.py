"""Flavour-tagging HDF5: structured `jets` beside padded `tracks` or `consts` with a `valid` flag."""

from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .frame import pieces
from .jets import MOMENTUM, Jets, momenta, wrapped
from .pdg import PION
from .source import (
    Place,
    finite,
    in_gev,
    mass_from_energy,
    origin_of,
    ragged,
    reading,
    require,
    row_range,
)

FORMAT = "flavour-tagging HDF5"
LISTS = ("consts", "constituents", "tracks", "flow", "flows", "tracks_loose")
FLAVOURS = {0: "light", 4: "charm", 5: "bottom", 15: "tau"}
"""Classes by HadronConeExclTruthLabelID or flavour_label, where the file does not name them."""
WEIGHT = "mcEventWeight"
ROWS_AT_ONCE = 8192
HARDEST_JET = 7000.0
"""No jet of the LHC has more pt in GeV, and no jet of interest has less in MeV."""


def is_one(content: Content) -> bool:
    """Returns True for jets with pt and eta beside lists with valid."""
    return (
        content.container == "HDF5" and content.has("jets.pt", "jets.eta") and _list_in(content) is not None
    )


def read(path: str | Path, *, start: int = 0, stop: int | None = None, units: str | None = None) -> Jets:
    """Returns jets with those tracks or constituents that are valid.

    Momenta come from pt, or for tracks from qOverP and eta; the direction from eta and phi, or from deta and dphi
    relative to the jet. Masses come from mass or energy; without either, tracks are pions and constituents massless. A jet
    without phi lies at 0, one without mass and energy is massless, and the origin says so. Units are `units`; else MeV where a
    jet has pt above 14000 in the first 100,000 jets, GeV where none is above 7000; else the caller is asked. Impact
    parameters in mm: d0, and dz = z0SinTheta / sin(theta). The weight is mcEventWeight.

    Raises:
        DataError: a field is missing, the units are not clear, damaged file, values not finite.
    """
    path = Path(path)
    with reading(path, FORMAT), h5py.File(path) as file:
        require(path, file, ["jets"], "dataset")
        jets, lists = file["jets"], _lists(path, file)
        require(path, jets.dtype.names or (), ["pt", "eta"], "jet field")
        if len(lists) != len(jets):
            msg = f"{path.name} has {len(jets)} jets and lists of {len(lists)}; expected as many of each."
            raise DataError(msg)
        total = len(jets)
        rows = row_range(path, total, start, stop, "jets")
        scale, stated = _units(path, jets, units)
        jet = jets[slice(*rows)]
        p4 = _four_momentum(Place(path, None, rows[0]), jet, scale)
        axis = np.stack([p4["eta"], p4["phi"]])
        parts = [
            _chunk(path, a, lists[a:b], axis[:, a - rows[0] : b - rows[0]], scale)
            for a, b in pieces(*rows, ROWS_AT_ONCE)
        ]
        label, classes = _labels(path, jet, jets.attrs)
        origin = origin_of(path, FORMAT, rows, total, units=stated, constituents=lists.name.strip("/"))
    given = jet.dtype.names or ()
    for missing in [name for name in ("phi", "mass") if name not in given]:
        if missing == "phi" or "energy" not in given:
            origin = origin.then(f"the jets' {missing} is not in the file; every jet has 0")
    fields = {name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]}
    return Jets.of(
        ragged(np.concatenate([part[0] for part in parts]), **fields),
        p4=momenta(**p4),
        label=label,
        classes=classes,
        weight=jet[WEIGHT] if WEIGHT in given else None,
        columns={name: np.ascontiguousarray(jet[name]) for name in given if name not in MOMENTUM},
        origin=origin,
    )


def _four_momentum(place: Place, jet: np.ndarray, scale: float) -> dict[str, np.ndarray]:
    given = jet.dtype.names or ()
    p4 = {name: jet[name].astype(np.float64) for name in MOMENTUM if name in given}
    p4 = {"phi": np.zeros(len(jet))} | p4 | {"pt": p4["pt"] * scale}
    finite(place, p4)
    if "mass" in given:
        p4["mass"] = p4["mass"] * scale
    elif "energy" in given:
        momentum = p4["pt"] * np.cosh(p4["eta"])
        p4["mass"] = mass_from_energy(place, jet["energy"].astype(np.float64) * scale, momentum)
    else:
        p4["mass"] = np.zeros(len(jet))
    return p4 | {"phi": wrapped(p4["phi"])}


def _lists(path: Path, file: h5py.File) -> h5py.Dataset:
    given = [name for name in LISTS if name in file]
    require(path, file, given or LISTS[:1], "dataset")
    name = next((name for name in given if "valid" in (file[name].dtype.names or ())), given[0])
    require(path, file[name].dtype.names or (), ["valid"], "track field")
    return file[name]


def _list_in(content: Content) -> str | None:
    return next((name for name in LISTS if content.has(f"{name}.valid")), None)


def _units(path: Path, jets: h5py.Dataset, units: str | None) -> tuple[float, str]:
    hardest = float(np.nanmax(jets.fields("pt")[:100_000], initial=0.0))
    default = "MeV" if hardest > 2 * HARDEST_JET else "GeV" if hardest < HARDEST_JET else None
    return in_gev(path, units, default, f" (its hardest jet has pt = {hardest:g})"), units or str(default)


def _chunk(
    path: Path, first: int, lists: np.ndarray, axis: np.ndarray, scale: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    names = lists.dtype.names or ()
    valid = lists["valid"].astype(bool)
    counts = valid.sum(axis=1)
    place = Place(path, counts, first)
    chosen = {
        name: lists[name][valid].astype(np.float64) for name in names if lists[name].dtype.kind in "fiub"
    }
    for absolute, relative in (("eta", "deta"), ("phi", "dphi")):
        if absolute not in names:
            require(path, names, [relative], "track field")
    jet_eta, jet_phi = np.repeat(axis, counts, axis=1)
    eta = chosen["eta"] if "eta" in names else jet_eta + chosen["deta"]
    phi = chosen["phi"] if "phi" in names else jet_phi + chosen["dphi"]
    pt = _pt(path, chosen, eta) * scale
    fields = {
        "pt": pt,
        "eta": eta,
        "phi": wrapped(phi),
        "mass": _mass(place, chosen, pt * np.cosh(eta), scale),
    }
    if "qOverP" in names or "charge" in names:
        charge = chosen["charge" if "charge" in names else "qOverP"]
        finite(place, {"charge": charge})
        fields["charge"] = np.sign(charge).astype(np.int64)
    for ours, theirs, factor in (
        ("d0", "d0", 1.0),
        ("d0_error", "d0Uncertainty", 1.0),
        ("dz", "z0SinTheta", np.cosh(eta)),
        ("dz_error", "z0SinThetaUncertainty", np.cosh(eta)),
    ):
        if theirs in names:
            fields[ours] = chosen[theirs] * factor
    finite(place, fields)
    return counts, fields


def _mass(place: Place, chosen: dict[str, np.ndarray], momentum: np.ndarray, scale: float) -> np.ndarray:
    if "mass" in chosen:
        return chosen["mass"] * scale
    if "energy" in chosen:
        return mass_from_energy(place, chosen["energy"] * scale, momentum)
    return np.full_like(momentum, PION if "qOverP" in chosen else 0.0)


def _pt(path: Path, chosen: dict[str, np.ndarray], eta: np.ndarray) -> np.ndarray:
    if "pt" in chosen:
        return chosen["pt"]
    require(path, chosen, ["qOverP"], "track field")
    if (chosen["qOverP"] == 0).any():
        msg = f"{(chosen['qOverP'] == 0).sum()} valid tracks of {path.name} have qOverP = 0, an infinite momentum; mark them as not valid."
        raise DataError(msg)
    return 1.0 / (np.abs(chosen["qOverP"]) * np.cosh(eta))


def _labels(
    path: Path, jet: np.ndarray, attributes: h5py.AttributeManager
) -> tuple[np.ndarray, tuple[str, ...]]:
    names = jet.dtype.names or ()
    if "flavour_label" in attributes and "flavour_label" in names:
        classes = tuple(x.decode() if isinstance(x, bytes) else str(x) for x in attributes["flavour_label"])
        return jet["flavour_label"].astype(np.int64), classes
    source = next((x for x in ("HadronConeExclTruthLabelID", "flavour_label") if x in names), None)
    if source is None:
        return np.full(len(jet), -1), ()
    values = jet[source].astype(np.int64)
    unknown = np.setdiff1d(values, [*FLAVOURS])
    if unknown.size:
        msg = f"{source} of {path.name} holds {unknown[:5].tolist()}; known are {', '.join(f'{k} ({v})' for k, v in FLAVOURS.items())}."
        raise DataError(msg)
    return np.searchsorted([*FLAVOURS], values), tuple(FLAVOURS.values())
