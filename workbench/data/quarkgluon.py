"""The quark/gluon sets of EnergyFlow: npz with pt, rapidity, phi and PDG id of each particle."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import DataError
from .content import Content
from .frame import pieces
from .jets import Jets, wrapped
from .pdg import charges, masses
from .source import Place, finite, origin_of, ragged, reading, require, row_range

FORMAT = "quark/gluon npz"
CLASSES = ("gluon", "quark")
ROWS_AT_ONCE = 4096


def is_one(content: Content) -> bool:
    """Returns True for an npz archive with X and y."""
    return content.container == "zip" and content.has("X.npy", "y.npy")


def read(path: str | Path, *, start: int = 0, stop: int | None = None) -> Jets:
    """Returns jets with labels 0 = gluon, 1 = quark.

    The file stores rapidity y. Pseudorapidity follows from the mass of the PDG id: sinh(eta) = (mT/pt) sinh(y); a
    particle of an id without a mass here is taken as massless, and the origin counts them.

    Raises:
        DataError: X has not the shape (jets, particles, 4), damaged file, values not finite, labels besides 0 and 1.
    Source: Zenodo 3164691.
    """
    path = Path(path)
    with reading(path, FORMAT), zipfile.ZipFile(path) as archive:
        require(path, archive.namelist(), ["X.npy", "y.npy"], "array")
        with _array(archive, "X.npy") as (shape, dtype, stream):
            if len(shape) != 3 or shape[2] != 4:
                msg = (
                    f"X in {path.name} has shape {shape}; expected (jets, particles, 4) with pt, y, phi, pid."
                )
                raise DataError(msg)
            rows = row_range(path, shape[0], start, stop, "jets")
            stream.seek(rows[0] * dtype.itemsize * shape[1] * 4, 1)
            parts = [_chunk(stream, dtype, b - a, shape[1]) for a, b in pieces(*rows, ROWS_AT_ONCE)]
        with _array(archive, "y.npy") as (_, label_type, stream):
            stream.seek(rows[0] * label_type.itemsize, 1)
            label = np.frombuffer(stream.read((rows[1] - rows[0]) * label_type.itemsize), label_type)
    counts = np.concatenate([part[0] for part in parts])
    pt, y, phi, pid = np.concatenate([part[1] for part in parts]).T
    if len(label) != len(counts) or not np.isin(label, (0, 1)).all():
        msg = f"y in {path.name} must be 0 or 1 for each jet; found {len(label)} values such as {np.unique(label)[:5].tolist()}."
        raise DataError(msg)
    finite(Place(path, counts, rows[0]), {"pt": pt, "rapidity": y, "phi": phi, "pid": pid})
    fields, massless = _fields(pt, y, phi, np.rint(pid).astype(np.int64))
    return Jets.of(
        ragged(counts, **fields),
        label=label.astype(np.int64),
        classes=CLASSES,
        origin=origin_of(path, FORMAT, rows, shape[0], particles_taken_as_massless=massless),
    )


@contextmanager
def _array(
    archive: zipfile.ZipFile, member: str
) -> Iterator[tuple[tuple[int, ...], np.dtype[Any], IO[bytes]]]:
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = header(stream)
        if dtype.hasobject or fortran:
            msg = f"{member} holds Python objects or columns first; store plain numbers, rows first."
            raise DataError(msg)
        yield shape, dtype, stream


def _chunk(stream: IO[bytes], dtype: np.dtype[Any], jets: int, slots: int) -> tuple[np.ndarray, np.ndarray]:
    wanted = jets * slots * 4 * dtype.itemsize
    content = stream.read(wanted)
    if len(content) < wanted:
        msg = "the array ends early"
        raise EOFError(msg)
    values = np.frombuffer(content, dtype).reshape(jets, slots, 4)
    real = values[..., 0] != 0
    return real.sum(axis=1), values[real].astype(np.float64)


def _fields(
    pt: np.ndarray, y: np.ndarray, phi: np.ndarray, pid: np.ndarray
) -> tuple[dict[str, np.ndarray], int]:
    mass = masses(pid, unknown=np.nan)
    massless = np.isnan(mass)
    mass[massless] = 0.0
    eta = np.arcsinh(np.hypot(pt, mass) / pt * np.sinh(y))
    fields = {"pt": pt, "eta": eta, "phi": wrapped(phi), "mass": mass, "pid": pid, "charge": charges(pid)}
    return fields, int(massless.sum())
