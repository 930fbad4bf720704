"""Flavour-tagging HDF5: structured `jets` beside padded `tracks` or `consts` with a `valid` flag."""

from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .frame import pieces
from .jets import Jets, momenta
from .pdg import PION
from .source import finite, in_gev, origin_of, ragged, reading, require, row_range, wrapped

FORMAT = "flavour-tagging HDF5"
LISTS = ("consts", "constituents", "tracks", "flow", "flows", "tracks_loose")
FLAVOURS = {0: "light", 4: "charm", 5: "bottom", 15: "tau"}
"""Classes by HadronConeExclTruthLabelID or flavour_label, where the file does not name them."""
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
    relative to the jet. Charged tracks are pions, constituents without mass or energy massless. A jet without phi
    lies at 0. Units are `units`; else MeV where a jet has pt above 14000 in the first 100,000 jets, GeV where none is above 7000;
    else the caller is asked. Impact parameters in mm: d0, and dz = z0SinTheta / sin(theta).

    Raises:
        DataError: a field is missing, the units are not clear, damaged file, values not finite.
    """
    path = Path(path)
    with reading(path, FORMAT), h5py.File(path) as file:
        jets = file["jets"]
        require(path, jets.dtype.names or (), ["pt", "eta"], "jet field")
        rows = row_range(path, len(jets), start, stop, "jets")
        lists = next(name for name in LISTS if name in file)
        scale, stated = _units(path, jets, units)
        jet = jets[slice(*rows)]
        given = jet.dtype.names or ()
        eta, phi = (jet[x].astype(np.float64) if x in given else np.zeros(len(jet)) for x in ("eta", "phi"))
        parts = [
            _chunk(
                path, file[lists][a:b], eta[a - rows[0] : b - rows[0]], phi[a - rows[0] : b - rows[0]], scale
            )
            for a, b in pieces(*rows, ROWS_AT_ONCE)
        ]
        label, classes = _labels(path, jet, jets.attrs)
        total = len(jets)
    counts = np.concatenate([part[0] for part in parts])
    fields = {name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]}
    finite(path, fields)
    mass = jet["mass"] * scale if "mass" in given else np.zeros(len(jet))
    origin = origin_of(path, FORMAT, rows, total, units=stated, constituents=lists)
    if "phi" not in given:
        origin = origin.then("the jets' phi is not in the file; every jet lies at 0")
    return Jets.of(
        ragged(counts, **fields),
        p4=momenta(
            pt=jet["pt"].astype(np.float64) * scale, eta=eta, phi=wrapped(phi), mass=np.asarray(mass, float)
        ),
        label=label,
        classes=classes,
        columns={
            name: np.ascontiguousarray(jet[name])
            for name in given
            if name not in ("pt", "eta", "phi", "mass")
        },
        origin=origin,
    )


def _list_in(content: Content) -> str | None:
    return next((name for name in LISTS if content.has(f"{name}.valid")), None)


def _units(path: Path, jets: h5py.Dataset, units: str | None) -> tuple[float, str]:
    hardest = float(jets[:100_000]["pt"].max())
    default = "MeV" if hardest > 2 * HARDEST_JET else "GeV" if hardest < HARDEST_JET else None
    return in_gev(path, units, default, f" (its hardest jet has pt = {hardest:g})"), units or str(default)


def _chunk(
    path: Path, lists: np.ndarray, jet_eta: np.ndarray, jet_phi: np.ndarray, scale: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    names = lists.dtype.names or ()
    valid = lists["valid"].astype(bool)
    counts = valid.sum(axis=1)
    chosen = {
        name: lists[name][valid].astype(np.float64) for name in names if lists[name].dtype.kind in "fiub"
    }
    if "eta" not in names:
        require(path, names, ["deta", "dphi"], "track field")
    eta = chosen["eta"] if "eta" in names else np.repeat(jet_eta, counts) + chosen["deta"]
    phi = chosen["phi"] if "phi" in names else np.repeat(jet_phi, counts) + chosen["dphi"]
    fields = {
        "pt": _pt(path, chosen, eta) * scale,
        "eta": eta,
        "phi": wrapped(phi),
        "mass": np.zeros_like(eta),
    }
    if "mass" in names:
        fields["mass"] = chosen["mass"] * scale
    elif "qOverP" in names:
        fields["mass"] = np.full_like(eta, PION)
    if "qOverP" in names or "charge" in names:
        fields["charge"] = np.sign(chosen["charge" if "charge" in names else "qOverP"]).astype(np.int64)
    for ours, theirs, factor in (
        ("d0", "d0", 1.0),
        ("d0_error", "d0Uncertainty", 1.0),
        ("dz", "z0SinTheta", np.cosh(eta)),
        ("dz_error", "z0SinThetaUncertainty", np.cosh(eta)),
    ):
        if theirs in names:
            fields[ours] = chosen[theirs] * factor
    return counts, fields


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
