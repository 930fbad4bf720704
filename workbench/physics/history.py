"""The order in which the constituents of a jet merge, and what can be read off it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import awkward as ak
import numpy as np

from ..data.jets import Jets, wrapped
from ..errors import DataError, nearest
from .kinematics import Rectangle, rectangles

EXPONENTS = {"kt": 1, "cambridge": 0}
"""p of the generalised kT distance min(pt_i^2p, pt_j^2p) * (dy^2 + dphi^2)."""

Momenta = np.ndarray
"""(..., 7): px, py, pz, energy in GeV; pt in GeV, rapidity, azimuth in rad."""

Scheme = Callable[[Momenta, Momenta], Momenta]
"""How two momenta, the harder first, become one."""


def e_scheme(harder: Momenta, softer: Momenta) -> Momenta:
    """Returns the sum of two four-momenta, masses kept."""
    px, py, pz, energy = np.moveaxis(harder[..., :4] + softer[..., :4], -1, 0)
    pt = np.hypot(px, py)
    mass2 = np.maximum((energy - pz) * (energy + pz) - pt**2, 0.0)
    transverse_mass = np.sqrt(pt**2 + mass2)
    y = np.arcsinh(np.divide(pz, transverse_mass, out=np.zeros_like(pz), where=transverse_mass > 0))
    return np.stack([px, py, pz, energy, pt, y, np.arctan2(py, px)], axis=-1)


def winner_takes_all(harder: Momenta, softer: Momenta) -> Momenta:
    """Returns the direction of the harder with the scalar sum of both pt.

    Source: arXiv:1310.7584 (WTA recombination).
    """
    pt = harder[..., 4] + softer[..., 4]
    grown = np.divide(pt, harder[..., 4], out=np.ones_like(pt), where=harder[..., 4] > 0)
    return np.concatenate([harder[..., :4] * grown[..., None], pt[..., None], harder[..., 5:]], axis=-1)


@dataclass(frozen=True)
class Trees:
    """Clustering trees of some jets of like multiplicity.

    Nodes 0 to slots-1 are the constituents; merge s makes node slots + s. A jet of n constituents has n - 1 merges.

    Attributes:
        rows: Which jets these are, shape (rows,), longest first.
        counts: Number of constituents, shape (rows,).
        momenta: Momenta of all nodes, shape (rows, 2 slots - 1, 7) as in `Momenta`.
        harder: Node of larger pt that merge s takes, shape (rows, slots - 1); -1 where the jet has no merge s.
        softer: The other node.
        deltar: Distance of the two in rapidity and azimuth, shape (rows, slots - 1).
    """

    rows: np.ndarray
    counts: np.ndarray
    momenta: Momenta
    harder: np.ndarray
    softer: np.ndarray
    deltar: np.ndarray

    @property
    def slots(self) -> int:
        """Number of places for constituents."""
        return self.harder.shape[1] + 1

    def exclusive(self, n: int) -> np.ndarray:
        """Returns True for the nodes that are there when n are left, shape (rows, 2 slots - 1).

        A jet of fewer than n constituents shows all of them.
        """
        merges = np.maximum(self.counts - n, 0)[:, None]
        made = np.concatenate([np.full(self.slots, -1), np.arange(self.slots - 1)])
        used = np.full(self.momenta.shape[:2], self.slots)
        for s in range(self.slots - 1):
            row = np.flatnonzero(self.harder[:, s] >= 0)
            used[row, self.harder[row, s]] = s
            used[row, self.softer[row, s]] = s
        real = np.arange(self.slots) < self.counts[:, None]
        exists = np.concatenate([real, self.harder >= 0], axis=1)
        return exists & (made < merges) & (used >= merges)

    def descend(self, nodes: np.ndarray) -> np.ndarray:
        """Returns for each constituent the value of `nodes` at its nearest ancestor where it is not -1.

        Args:
            nodes: Whole numbers, shape (rows, 2 slots - 1), -1 for none.

        Returns:
            Whole numbers of shape (rows, slots); -1 where no ancestor has one.
        """
        value = nodes.copy()
        for s in reversed(range(self.slots - 1)):
            row = np.flatnonzero(self.harder[:, s] >= 0)
            for child in (self.harder[row, s], self.softer[row, s]):
                own = value[row, child]
                value[row, child] = np.where(own >= 0, own, value[row, self.slots + s])
        return value[:, : self.slots]

    def primary(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the merges met on the way from the whole jet down its harder branch, widest-angle end first.

        Each time: the rows that still have one, and the number of that merge in each.
        """
        row = np.flatnonzero(self.counts > 1)
        node = self.root()[row]
        while row.size:
            s = node - self.slots
            yield row, s
            node = self.harder[row, s]
            further = node >= self.slots
            row, node = row[further], node[further]

    def root(self) -> np.ndarray:
        """Returns the last node of each jet, shape (rows,); -1 for a jet without constituents."""
        return np.where(self.counts > 1, self.slots + self.counts - 2, self.counts - 1)


def trees(jets: Jets, algorithm: str = "cambridge", scheme: Scheme = e_scheme) -> list[Trees]:
    """Returns the clustering trees of all jets, each constituent taken in, whatever its distance (no beam, R infinite).

    Args:
        jets: Jets; what counts is their constituents.
        algorithm: "cambridge" or "kt", distances in rapidity and azimuth.
        scheme: How two momenta become one: `e_scheme` or `winner_takes_all`.

    Raises:
        DataError: no such algorithm.
    """
    if algorithm not in EXPONENTS:
        msg = f"There is no clustering algorithm {algorithm!r}; {nearest(algorithm, EXPONENTS)}"
        raise DataError(msg)
    return [_merged(rectangle, EXPONENTS[algorithm], scheme) for rectangle in rectangles(jets)]


def history(jets: Jets, algorithm: str = "cambridge") -> ak.Array:
    """Returns how each jet was put together, records of shape (jets, merges), first merge first (E scheme).

    A jet of n constituents has n - 1 merges; its nodes 0 to n-1 are the constituents and merge s makes node n + s.

    Fields:
        harder, softer: The two nodes that merge, by pt.
        deltar: Their distance in rapidity and azimuth.
        pt, rapidity, phi, energy: The node that is made, GeV and rad.
    """
    merges = np.maximum(jets.counts - 1, 0)
    first = np.cumsum(merges) - merges
    names = ("harder", "softer", "deltar", "energy", "pt", "rapidity", "phi")
    columns = {name: np.zeros(merges.sum(), np.int64 if name.endswith("er") else float) for name in names}
    for tree in trees(jets, algorithm):
        row, s = np.nonzero(tree.harder >= 0)
        place = first[tree.rows[row]] + s
        for name in ("harder", "softer"):
            node = getattr(tree, name)[row, s]
            columns[name][place] = np.where(node < tree.slots, node, node - tree.slots + tree.counts[row])
        columns["deltar"][place] = tree.deltar[row, s]
        for k, name in enumerate(names[3:], start=3):
            columns[name][place] = tree.momenta[row, tree.slots + s, k]
    return ak.unflatten(ak.zip(columns), merges)


def _merged(particles: Rectangle, exponent: int, scheme: Scheme) -> Trees:
    merging = _Merging(particles, exponent)
    shape = (len(particles.rows), max(0, particles.real.shape[1] - 1))
    harder, softer = np.full(shape, -1), np.full(shape, -1)
    deltar = np.zeros(shape)
    for s in range(shape[1]):
        active = int(np.searchsorted(-particles.counts, -(s + 1), side="left"))
        harder[:active, s], softer[:active, s], deltar[:active, s] = merging.step(active, s, scheme)
    return Trees(particles.rows, particles.counts, merging.nodes, harder, softer, deltar)


class _Merging:
    """Jets of one rectangle on their way to one node each: rows with something left to merge are always the first.

    Keeps, per slot, its nearest neighbour, so that a merge costs about as much as one row of the distances.
    """

    def __init__(self, particles: Rectangle, exponent: int) -> None:
        rows, slots = particles.real.shape
        self.exponent = exponent
        self.slots = slots
        self.nodes = np.zeros((rows, max(2 * slots - 1, 0), 7))
        self.nodes[:, :slots] = _seven(particles)
        self.node = np.broadcast_to(np.arange(slots), (rows, slots)).copy()
        self.y, self.phi = particles.rapidity.copy(), particles.phi.copy()
        self.scale = self._scaled(particles.pt)
        self.dead = ~particles.real
        self.distance = self._between(self.y[:, :, None], self.phi[:, :, None], self.scale[:, :, None], rows)
        self.distance[self.dead] = np.inf
        self.distance[:, np.arange(slots), np.arange(slots)] = np.inf
        self.near = self.distance.argmin(axis=2) if slots else np.zeros((rows, 0), int)
        self.best = self.distance.min(axis=2, initial=np.inf)

    def step(self, active: int, s: int, scheme: Scheme) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Merges the closest two of each of the first `active` rows into node slots + s; returns who and how far."""
        row = np.arange(active)
        keep = self.best[:active].argmin(axis=1)
        drop = self.near[row, keep]
        pair = self.node[row, keep], self.node[row, drop]
        swap = self.nodes[row, pair[0], 4] < self.nodes[row, pair[1], 4]
        harder, softer = np.where(swap, pair[::-1], pair)
        one, other = self.nodes[row, harder], self.nodes[row, softer]
        apart = np.hypot(one[:, 5] - other[:, 5], wrapped(one[:, 6] - other[:, 6]))
        made = scheme(one, other)
        self.nodes[row, self.slots + s] = made
        self.node[row, keep] = self.slots + s
        self.y[row, keep], self.phi[row, keep] = made[:, 5], made[:, 6]
        self.scale[row, keep] = self._scaled(made[:, 4])
        self.dead[row, drop] = True
        self._refresh(row, keep, drop)
        return harder, softer, apart

    def _refresh(self, row: np.ndarray, keep: np.ndarray, drop: np.ndarray) -> None:
        """Brings distances and nearest neighbours up to date after `drop` went into `keep`."""
        active = len(row)
        at = self.y[row, keep][:, None], self.phi[row, keep][:, None], self.scale[row, keep][:, None]
        new = self._between(*at, active)
        new[row, keep] = np.inf
        self.distance[row, keep] = new
        self.distance[row, :, keep] = new
        self.distance[row, :, drop] = np.inf
        near, best = self.near[:active], self.best[:active]
        # The one that stays was nearest to the one that went, so it is among those that look again.
        lost = (near == keep[:, None]) | (near == drop[:, None])
        best[row, drop] = np.inf
        closer = new < best
        near[closer] = np.broadcast_to(keep[:, None], near.shape)[closer]
        best[closer] = new[closer]
        stale = np.nonzero(lost & ~closer & ~self.dead[:active])
        again = self.distance[stale]
        near[stale], best[stale] = again.argmin(axis=1), again.min(axis=1)

    def _between(self, y: np.ndarray, phi: np.ndarray, scale: np.ndarray, active: int) -> np.ndarray:
        """Returns distances from one slot per row (rows, slots), or from all (rows, slots, slots), to all slots."""
        others = (slice(active), None) if y.ndim == 3 else (slice(active),)
        apart = np.abs(phi - self.phi[others])
        apart = np.minimum(apart, 2 * np.pi - apart)
        distance = (y - self.y[others]) ** 2 + apart**2
        if self.exponent:
            distance *= np.minimum(scale, self.scale[others])
        return np.where(self.dead[others], np.inf, distance)

    def _scaled(self, pt: np.ndarray) -> np.ndarray:
        return pt ** (2 * self.exponent)


def _seven(particles: Rectangle) -> Momenta:
    transverse_mass = np.hypot(particles.pt, particles.mass)
    return np.stack(
        [
            particles.pt * np.cos(particles.phi),
            particles.pt * np.sin(particles.phi),
            transverse_mass * np.sinh(particles.rapidity),
            transverse_mass * np.cosh(particles.rapidity),
            particles.pt,
            particles.rapidity,
            particles.phi,
        ],
        axis=-1,
    )
