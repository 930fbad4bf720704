"""Where constituents are: around their jet's axis, in rapidity, and in rectangles of like length."""

from collections.abc import Iterator
from dataclasses import dataclass

import awkward as ak
import numpy as np

from ..data.jets import MOMENTUM, Jets, wrapped


def rapidity(pt: np.ndarray, eta: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Returns the rapidity y of momenta in pt (GeV), eta, mass (GeV), same shape; 0 where pt and mass are both 0."""
    transverse_mass = np.hypot(pt, mass)
    pz = pt * np.sinh(eta)
    return np.arcsinh(np.divide(pz, transverse_mass, out=np.zeros_like(pz), where=transverse_mass > 0))


def fraction(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Returns part / whole, same shape; nan where the whole is 0."""
    missing = np.full(np.shape(whole), np.nan, dtype=np.result_type(part, whole, np.float32))
    return np.divide(part, whole, out=missing, where=whole != 0)


def relative(jets: Jets) -> ak.Array:
    """Returns every constituent as its jet sees it, records of shape (jets, var), in the order of the constituents.

    The axis is `jets.p4`, which is what the source calls the jet and need not be the sum of the constituents.

    Fields:
        deta: Pseudorapidity minus that of the axis.
        dphi: Azimuth minus that of the axis, in (-pi, pi] rad.
        deltar: sqrt(deta^2 + dphi^2).
        pt_fraction: pt over the pt of the axis; nan where the axis has none.
        energy_fraction: Energy over the energy of the axis; nan where the axis has none.
    """
    counts = jets.counts
    particles = ak.flatten(jets.constituents, axis=1)
    axis = {
        name: np.repeat(ak.to_numpy(getattr(jets.p4, name)), counts)
        for name in ("pt", "eta", "phi", "energy")
    }
    deta = ak.to_numpy(particles.eta) - axis["eta"]
    dphi = wrapped(ak.to_numpy(particles.phi) - axis["phi"])
    fields = {
        "deta": deta,
        "dphi": dphi,
        "deltar": np.hypot(deta, dphi),
        "pt_fraction": fraction(ak.to_numpy(particles.pt), axis["pt"]),
        "energy_fraction": fraction(ak.to_numpy(particles.energy), axis["energy"]),
    }
    return ak.unflatten(ak.zip(fields), counts)


@dataclass(frozen=True)
class Rectangle:
    """Constituents of some jets of like multiplicity, padded at the end with particles of no momentum.

    Attributes:
        rows: Which jets these are, shape (rows,), longest first.
        real: True where a particle is, shape (rows, slots).
        pt: Transverse momentum in GeV, shape (rows, slots).
        rapidity: Rapidity (not pseudorapidity: masses count), shape (rows, slots).
        phi: Azimuth in rad, shape (rows, slots).
        mass: Mass in GeV, shape (rows, slots).
    """

    rows: np.ndarray
    real: np.ndarray
    pt: np.ndarray
    rapidity: np.ndarray
    phi: np.ndarray
    mass: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of particles of each row, shape (rows,)."""
        return self.real.sum(axis=1)


def like_length(counts: np.ndarray, pairs: int = 2_000_000) -> Iterator[np.ndarray]:
    """Yields indices of jets of like multiplicity, longest first, until all have come; padding then wastes little.

    Args:
        counts: Multiplicities, shape (jets,).
        pairs: Most pairs of slots, len(indices) * longest^2, in one portion; a single longer jet still comes.
    """
    order = np.argsort(counts, kind="stable")[::-1]
    descending = -counts[order]
    start = 0
    while start < len(order):
        longest = max(1, -int(descending[start]))
        # Below three quarters of the longest, padding costs more than another portion does.
        shorter = int(np.searchsorted(descending, -0.75 * longest, side="right"))
        stop = start + min(max(1, pairs // longest**2), max(shorter - start, 64))
        yield order[start:stop]
        start = stop


def padded(values: np.ndarray, counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the flat `values` of the lists `rows` as a rectangle, shape (rows, longest of them), zero at the end.

    Args:
        values: Values of all lists one after the other, shape (sum of counts,).
        counts: Length of each list, shape (lists,).
        rows: Which lists.
    """
    slots = np.arange(counts[rows].max(initial=0))
    real = slots < counts[rows][:, None]
    first = np.cumsum(counts) - counts
    rectangle = np.zeros(real.shape, dtype=values.dtype)
    rectangle[real] = values[(first[rows][:, None] + slots)[real]]
    return rectangle


def rectangles(jets: Jets) -> Iterator[Rectangle]:
    """Yields the constituents of all jets in rectangles of like length, longest first; jets without any come too."""
    counts = jets.counts
    particles = ak.flatten(jets.constituents, axis=1)
    pt, eta, phi, mass = (ak.to_numpy(particles[name]).astype(np.float64) for name in MOMENTUM)
    y, phi = rapidity(pt, eta, mass), wrapped(phi)
    for rows in like_length(counts):
        columns = (padded(values, counts, rows) for values in (pt, y, phi, mass))
        real = np.arange(counts[rows].max(initial=0)) < counts[rows][:, None]
        yield Rectangle(rows, real, *columns)
