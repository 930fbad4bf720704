"""CaloChallenge: HDF5 with incident_energies and showers in MeV, cells described by an XML file."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np

from ..errors import DataError
from .content import Content
from .showers import Geometry, Showers
from .source import in_gev, origin_of, reading, require, row_range

FORMAT = "CaloChallenge HDF5"
PUBLISHED: Mapping[int, Geometry] = {
    6480: Geometry("electron", 45, 16, tuple(round(4.65 * i, 3) for i in range(10))),
    40500: Geometry("electron", 45, 50, tuple(round(2.325 * i, 3) for i in range(19))),
}
"""Data sets 2 and 3 by number of cells. Source: arXiv:2410.21611, binning_dataset_2.xml and binning_dataset_3.xml."""


def is_one(content: Content) -> bool:
    """Returns True for incident_energies beside showers."""
    return content.container == "HDF5" and content.has("incident_energies", "showers")


def read(
    path: str | Path,
    *,
    start: int = 0,
    stop: int | None = None,
    units: str | None = None,
    geometry: Geometry | str | Path | None = None,
) -> Showers:
    """Returns showers in GeV on (layers, alpha, r).

    Args:
        path: The file.
        start: First shower.
        stop: One past the last shower.
        units: Energy unit of the file; MeV by definition of the format.
        geometry: What the cells are, or the XML file that says it; by default data set 2 or 3, by number of cells.

    Raises:
        DataError: cells do not fit the geometry, energies negative or not finite, damaged file.
    Source: arXiv:2410.21611.
    """
    path = Path(path)
    scale = in_gev(path, units, "MeV")
    with reading(path, FORMAT), h5py.File(path) as file:
        require(path, file, ["incident_energies", "showers"], "dataset")
        total, cells = file["showers"].shape[0], int(np.prod(file["showers"].shape[1:]))
        rows = row_range(path, total, start, stop, "showers")
        cells_are = _geometry(path, geometry, cells)
        energies = file["showers"][slice(*rows)].reshape(-1, *cells_are.shape)
        incident = file["incident_energies"][slice(*rows)].reshape(-1)
        unread = sorted(set(file) - {"incident_energies", "showers"})
    for what, values in (("cell energies", energies), ("incident energies", incident)):
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)).reshape(len(values), -1).all(axis=1))
        if bad.size:
            msg = f"{bad.size} of {len(values)} showers in {path.name} have {what} that are negative or not finite (first: shower {bad[0] + rows[0]}); repair or drop them."
            raise DataError(msg)
    origin = origin_of(path, FORMAT, rows, total, units=units or "MeV", not_read=unread)
    return Showers(energies * np.float32(scale), incident.astype(np.float64) * scale, cells_are, origin)


def geometry_from(path: str | Path) -> Geometry:
    """Returns the geometry that a binning XML of the challenge describes.

    Raises:
        DataError: not such a file, or its layers have different bins (data set 1), which a regular array cannot hold.
    """
    path = Path(path)
    with reading(path, "binning XML"):
        particle = ElementTree.parse(path).getroot().find("Bin")
        layers = particle.findall("Layer") if particle is not None else []
        name = particle.attrib["name"] if particle is not None else ""
        bins = {
            (
                tuple(float(edge) for edge in layer.attrib["r_edges"].split(",")),
                int(layer.attrib["n_bin_alpha"]),
            )
            for layer in layers
        }
    if not bins:
        msg = f"{path.name} has no <Bin> with <Layer> elements; give a binning XML of the CaloChallenge."
        raise DataError(msg)
    if len(bins) > 1:
        msg = f"The layers of {path.name} have {len(bins)} different binnings; only geometries with equal layers are read (data sets 2 and 3)."
        raise DataError(msg)
    edges, alpha = bins.pop()
    return Geometry(name, len(layers), alpha, edges)


def _geometry(path: Path, given: Geometry | str | Path | None, cells: int) -> Geometry:
    if given is None:
        if cells not in PUBLISHED:
            msg = f"{path.name} has {cells} cells, not 6480 or 40500 of data sets 2 and 3; say geometry= with the binning XML."
            raise DataError(msg)
        return PUBLISHED[cells]
    geometry = given if isinstance(given, Geometry) else geometry_from(given)
    if int(np.prod(geometry.shape)) != cells:
        msg = f"{path.name} has {cells} cells per shower, the geometry {geometry.shape} has {np.prod(geometry.shape)}; give the XML of this data set."
        raise DataError(msg)
    return geometry
