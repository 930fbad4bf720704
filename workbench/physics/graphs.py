"""Nearest neighbours among the constituents of a jet, as graph networks see them."""

import awkward as ak
import numpy as np

from ..data.jets import wrapped
from ..errors import DataError
from .kinematics import like_length, padded


def knn(points: ak.Array, k: int) -> ak.Array:
    """Returns for each point the places of its k nearest others in the same list, shape (lists, var, min(k, n-1)).

    Nearest first, in pseudorapidity and azimuth (which closes on itself); of equally far points the first comes first.

    Args:
        points: Records with eta and phi in rad, shape (lists, var): `jets.constituents`, tracks of an event.
        k: Number of neighbours, at least 1.

    Raises:
        DataError: k below 1.
    """
    if k < 1:
        msg = f"{k} neighbours were asked for; ask for at least 1."
        raise DataError(msg)
    counts = ak.to_numpy(ak.num(points))
    wanted = np.repeat(np.clip(counts - 1, 0, k), counts)
    eta, phi = (ak.to_numpy(ak.flatten(points[name])).astype(np.float64) for name in ("eta", "phi"))
    phi = wrapped(phi)
    neighbours = np.zeros((int(counts.sum()), k), dtype=np.int64)
    first = np.cumsum(counts) - counts
    for rows in like_length(counts):
        near = _nearest(padded(eta, counts, rows), padded(phi, counts, rows), counts[rows], k)
        row, slot = np.nonzero(np.arange(near.shape[1]) < counts[rows][:, None])
        neighbours[first[rows[row]] + slot, : near.shape[2]] = near[row, slot]
    listed = neighbours[np.arange(k) < wanted[:, None]]
    return ak.unflatten(ak.unflatten(listed, wanted), counts)


def edges(points: ak.Array, k: int) -> ak.Array:
    """Returns the edges that `knn` makes, records of shape (lists, edges).

    Fields:
        source: Place of the point that looks.
        target: Place of the neighbour that it sees.
    """
    near = knn(points, k)
    source, target = ak.broadcast_arrays(ak.local_index(points.eta), near)
    return ak.zip({"source": ak.flatten(source, axis=2), "target": ak.flatten(target, axis=2)})


def _nearest(eta: np.ndarray, phi: np.ndarray, counts: np.ndarray, k: int) -> np.ndarray:
    """Returns places of neighbours, shape (rows, slots, at most k); meaningless beyond a row's counts - 1."""
    slots = eta.shape[1]
    dphi = np.abs(phi[:, :, None] - phi[:, None, :])
    distance = (eta[:, :, None] - eta[:, None, :]) ** 2 + np.minimum(dphi, 2 * np.pi - dphi) ** 2
    distance[:, np.arange(slots), np.arange(slots)] = np.inf
    absent = np.arange(slots) >= counts[:, None]
    distance[np.broadcast_to(absent[:, None, :], distance.shape)] = np.inf
    return np.argsort(distance, axis=2, kind="stable")[:, :, :k]
