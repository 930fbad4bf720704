"""JetNet: HDF5 with the 30 or 150 hardest particles relative to the jet axis."""

import re
from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .frame import pieces
from .jets import Jets, momenta, wrapped
from .source import Place, finite, origin_of, ragged, reading, require, row_range

FORMAT = "JetNet HDF5"
CLASSES = {"g": "gluon", "q": "light quark", "t": "top", "w": "W", "z": "Z"}
ROWS_AT_ONCE = 16384


def is_one(content: Content) -> bool:
    """Returns True for particle_features beside jet_features."""
    return content.container == "HDF5" and content.has("particle_features", "jet_features")


def read(path: str | Path, *, start: int = 0, stop: int | None = None, class_name: str | None = None) -> Jets:
    """Returns jets; pt = ptrel * jet pt, eta = etarel + jet eta, phi = phirel since the jet's phi is not in the file.

    Particles are massless, as the set defines them. A file holds one class and does not say which: it is
    `class_name`, or what the published file names g, q, t, w, z (with or without 150) stand for, else unknown.

    Raises:
        DataError: wrong shapes, damaged file, values not finite, negative pt.
    Source: arXiv:2106.11535, Zenodo 6975118.
    """
    path = Path(path)
    with reading(path, FORMAT), h5py.File(path) as file:
        require(path, file, ["particle_features", "jet_features"], "dataset")
        particles, jets = file["particle_features"], file["jet_features"]
        if particles.ndim != 3 or particles.shape[2] not in (3, 4) or jets.shape[1:] not in ((3,), (4,)):
            msg = f"{path.name} has shapes {particles.shape} and {jets.shape}; expected (jets, particles, 4) and (jets, 4)."
            raise DataError(msg)
        if len(particles) != len(jets):
            msg = f"{path.name} has particles of {len(particles)} jets and features of {len(jets)}; expected as many of each."
            raise DataError(msg)
        rows = row_range(path, len(particles), start, stop, "jets")
        jet = jets[slice(*rows)].astype(np.float64)
        parts = [_chunk(particles[a:b]) for a, b in pieces(*rows, ROWS_AT_ONCE)]
        total = len(particles)
    counts = np.concatenate([part[0] for part in parts])
    eta_rel, phi_rel, pt_rel = np.concatenate([part[1] for part in parts]).T[:3]
    finite(Place(path, counts, rows[0]), {"etarel": eta_rel, "phirel": phi_rel, "ptrel": pt_rel})
    pt, eta, mass = (np.repeat(jet[:, i], counts) for i in (0, 1, 2))
    fields = {"pt": pt_rel * pt, "eta": eta_rel + eta, "phi": wrapped(phi_rel), "mass": np.zeros_like(mass)}
    name = class_name or _class_of(path)
    return Jets.of(
        ragged(counts, **fields),
        p4=momenta(pt=jet[:, 0], eta=jet[:, 1], phi=np.zeros(len(jet)), mass=jet[:, 2]),
        label=np.full(len(jet), 0 if name else -1),
        classes=(name,) if name else (),
        origin=origin_of(
            path,
            FORMAT,
            rows,
            total,
            phi="not in the file; every jet lies at 0",
            class_from="the caller" if class_name else "the file name" if name else "nowhere; unknown",
        ),
    )


def _chunk(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    real = ~(values[..., 3] <= 0.5) if values.shape[2] == 4 else values[..., 2] != 0
    return real.sum(axis=1), values[real].astype(np.float64)


def _class_of(path: Path) -> str | None:
    match = re.fullmatch(r"([gqtwz])(30|150)?", path.name.split(".")[0])
    return CLASSES[match[1]] if match else None
