"""JetClass (ROOT, tree `tree`) and JetClass-II (Parquet): the same columns in two containers."""

from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import uproot

from ..errors import DataError
from .content import Content, look
from .jets import Jets, momenta
from .source import (
    Place,
    finite,
    from_cartesian,
    mass_from_energy,
    origin_of,
    ragged,
    reading,
    require,
    row_range,
)

FORMAT = "JetClass"
FLAGS = ("isElectron", "isMuon", "isPhoton", "isChargedHadron", "isNeutralHadron")
DISPLACEMENTS = {"d0": "d0val", "d0_error": "d0err", "dz": "dzval", "dz_error": "dzerr"}
FOUR_MOMENTUM = ("px", "py", "pz", "energy")
PARTS = ("Res2P", "Res34P", "QCD")
FIRST_LABEL = (0, 15, 161, 188)
"""Labels 0-14, 15-160 and 161-187 of JetClass-II are its three parts. Source: arXiv:2405.12972."""


def is_one(content: Content) -> bool:
    """Returns True for part_* and jet_* columns in a tree or a Parquet table."""
    return content.has("part_px", "jet_pt") or content.has("tree/part_px", "tree/jet_pt")


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Jets:
    """Returns jets with constituents of known kind, charge and impact parameters (mm).

    Constituents are made of part_px, part_py, part_pz and part_energy, so their eta is the true one; part_deta of the
    file is (eta - jet_eta)*sign(jet_eta) and is not kept. `p4` is the jet that the file states. pid is what the flags
    tell: 11, 13, 22, 211, 130, with the sign of the charge. Classes are the label_* columns, or the three parts of
    JetClass-II with the fine label in the column "jet_label". Generator particles are the column "truth".

    Raises:
        DataError: a branch is missing, a jet has several labels, a value is not finite.
    Source: arXiv:2202.03772 (JetClass), arXiv:2405.12972 (JetClass-II).
    """
    path = Path(path)
    with reading(path, FORMAT):
        table, rows, total = _table(path, start, stop)
        label, classes = _labels(path, table, rows[0])
        return Jets.of(
            _constituents(path, table, rows[0]),
            p4=_jet(Place(path, None, rows[0]), table),
            label=label,
            classes=classes,
            columns=_columns(table),
            origin=origin_of(path, FORMAT, rows, total),
        )


def _table(path: Path, start: int, stop: int | None) -> tuple[ak.Array, tuple[int, int], int]:
    needed = [f"part_{x}" for x in (*FOUR_MOMENTUM, "charge", *FLAGS)]
    needed += ["jet_pt", "jet_eta", "jet_phi", "jet_energy"]
    if look(path).container == "ROOT":
        with uproot.open(path) as file:
            tree = file["tree"]
            require(path, tree.keys(), needed)
            rows = row_range(path, tree.num_entries, start, stop, "jets")
            return tree.arrays(entry_start=rows[0], entry_stop=rows[1]), rows, tree.num_entries
    with pq.ParquetFile(path) as file:
        require(path, file.schema_arrow.names, needed, "column")
        total = file.metadata.num_rows
        rows = row_range(path, total, start, stop, "jets")
        ends = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
        groups = [i for i in range(file.num_row_groups) if ends[i] < rows[1] and ends[i + 1] > rows[0]]
        first = int(ends[groups[0]])
        table = file.read_row_groups(groups).slice(rows[0] - first, rows[1] - rows[0])
        return ak.from_arrow(table.replace_schema_metadata(None)), rows, total


def _constituents(path: Path, table: ak.Array, first: int) -> ak.Array:
    counts = ak.to_numpy(ak.num(table["part_px"]))
    flat = {
        name: ak.to_numpy(ak.flatten(table[f"part_{name}"]))
        for name in (*FOUR_MOMENTUM, "charge", *FLAGS, *DISPLACEMENTS.values())
        if f"part_{name}" in table.fields
    }
    charge = np.rint(flat["charge"]).astype(np.int64)
    electron, muon, photon, charged, neutral = (flat[flag].astype(bool) for flag in FLAGS)
    pid = np.select(
        [electron, muon, photon, charged, neutral], [-11 * charge, -13 * charge, 22, 211 * charge, 130], 0
    )
    extra = {ours: flat[theirs] for ours, theirs in DISPLACEMENTS.items() if theirs in flat}
    place = Place(path, counts, first)
    finite(place, extra)
    p4 = from_cartesian(place, *(flat[x] for x in FOUR_MOMENTUM))
    return ragged(counts, **p4, pid=pid, charge=charge, **extra)


def _jet(place: Place, table: ak.Array) -> ak.Array:
    pt, eta, phi, energy = (
        ak.to_numpy(table[f"jet_{x}"]).astype(np.float64) for x in ("pt", "eta", "phi", "energy")
    )
    return momenta(pt=pt, eta=eta, phi=phi, mass=mass_from_energy(place, energy, pt * np.cosh(eta)))


def _labels(path: Path, table: ak.Array, first: int) -> tuple[np.ndarray, tuple[str, ...]]:
    hot = [name for name in table.fields if name.startswith("label_")]
    if hot:
        flags = np.stack([ak.to_numpy(table[name]) != 0 for name in hot], axis=1)
        several = np.flatnonzero(flags.sum(axis=1) > 1)
        if several.size:
            msg = f"{several.size} jets of {path.name} have more than one label (first: jet {first + several[0]}); one is expected."
            raise DataError(msg)
        label = np.where(flags.any(axis=1), flags.argmax(axis=1), -1)
        return label, tuple(name.removeprefix("label_") for name in hot)
    if "jet_label" not in table.fields:
        return np.full(len(table), -1), ()
    fine = ak.to_numpy(table["jet_label"])
    if not ((fine >= FIRST_LABEL[0]) & (fine < FIRST_LABEL[-1])).all():
        msg = f"jet_label of {path.name} must lie in 0 to 187; found {fine.min()} to {fine.max()}."
        raise DataError(msg)
    return np.searchsorted(FIRST_LABEL, fine, side="right") - 1, PARTS


def _columns(table: ak.Array) -> dict[str, ak.Array | np.ndarray]:
    columns: dict[str, ak.Array | np.ndarray] = {}
    truth = [f"aux_genpart_{x}" for x in ("pt", "eta", "phi", "mass")]
    if set(truth) <= set(table.fields) and table["aux_genpart_pt"].ndim == 2:
        names = [name for name in table.fields if name.startswith("aux_genpart_")]
        columns["truth"] = momenta(**{name.removeprefix("aux_genpart_"): table[name] for name in names})
    for name in table.fields:
        if not name.startswith(("part_", "label_")) and not (
            "truth" in columns and name.startswith("aux_genpart_")
        ):
            columns[name] = ak.to_numpy(table[name]) if table[name].ndim == 1 else table[name]
    return columns
