"""What is inside a jet: grooming, prongs and correlations among the constituents.

Angles are in rapidity and azimuth with massive constituents, as FastJet has them, unless a function says otherwise.
"""

from collections.abc import Sequence
from dataclasses import replace

import awkward as ak
import numpy as np

from ..data.jets import Jets, summed, wrapped
from ..errors import DataError
from .history import Scheme, Trees, trees, winner_takes_all
from .kinematics import fraction, rapidity, rectangles


def soft_drop(jets: Jets, *, z_cut: float = 0.1, beta: float = 0.0, radius: float = 0.8) -> Jets:
    """Returns the jets without what soft drop removes; beta = 0 is the modified mass-drop tagger.

    The constituents are reclustered with Cambridge/Aachen (E scheme, massive, rapidity and azimuth) and the softer
    branch is dropped until min(pt1, pt2) / (pt1 + pt2) > z_cut * (deltar / radius)^beta. A jet that never gets there
    keeps its hardest branch's last particle. `p4` is the sum of what is left, whatever the source called the jet.
    Further columns: "sd_z" and "sd_deltar" of the branching that stopped it, nan where none did.

    Args:
        jets: Jets to groom.
        z_cut: Momentum fraction below which a branch is soft.
        beta: How much softer a branch may be at small angle.
        radius: Jet radius R0.

    Raises:
        DataError: a radius that is not positive, or a z_cut that no branching or every one passes.

    Source: arXiv:1402.2657, eq. (1.1); arXiv:1307.0007 for beta = 0.
    """
    _positive("radius", radius)
    if not 0 <= z_cut < 0.5:
        msg = f"A z_cut of {z_cut} was asked for; the softer branch has between 0 and 0.5 of the pt, so must z_cut."
        raise DataError(msg)
    keep = np.zeros(int(jets.counts.sum()), dtype=bool)
    columns = {name: np.full(len(jets), np.nan) for name in ("sd_z", "sd_deltar")}
    first = np.cumsum(jets.counts) - jets.counts
    for tree in trees(jets, "cambridge"):
        node, z, deltar = _dropped(tree, z_cut, beta, radius)
        columns["sd_z"][tree.rows], columns["sd_deltar"][tree.rows] = z, deltar
        nodes = np.full(tree.momenta.shape[:2], -1)
        row = np.flatnonzero(node >= 0)
        nodes[row, node[row]] = 1
        row, slot = np.nonzero(tree.descend(nodes) >= 0)
        keep[first[tree.rows[row]] + slot] = True
    constituents = jets.constituents[ak.unflatten(keep, jets.counts)]
    step = f"soft drop z_cut={z_cut:g}, beta={beta:g}, R={radius:g}: {keep.sum()} of {keep.size} constituents"
    return replace(
        jets,
        constituents=constituents,
        p4=summed(constituents),
        columns={**jets.lasting, **columns},
        origin=jets.origin.then(step),
    )


def _dropped(
    tree: Trees, z_cut: float, beta: float, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the node that is left of each row (-1 for no constituents), and z and deltar of where it stopped."""
    node = tree.root()
    z_stop, deltar_stop = (np.full(len(node), np.nan) for _ in range(2))
    for row, s in tree.primary():
        going = np.isnan(z_stop[row])
        row, s = row[going], s[going]
        pt = tree.momenta[row, tree.harder[row, s], 4], tree.momenta[row, tree.softer[row, s], 4]
        z = np.nan_to_num(fraction(np.minimum(*pt), pt[0] + pt[1]))
        with np.errstate(divide="ignore"):  # of a negative beta: nothing passes at no angle
            stops = z > z_cut * (tree.deltar[row, s] / radius) ** beta
        z_stop[row[stops]], deltar_stop[row[stops]] = z[stops], tree.deltar[row, s][stops]
        node[row[~stops]] = tree.harder[row, s][~stops]
    return node, z_stop, deltar_stop


def subjets(jets: Jets, n: int, *, algorithm: str = "kt") -> ak.Array:
    """Returns to which of its n exclusive subjets each constituent belongs, shape (jets, var), 0 the hardest.

    The constituents are reclustered (E scheme, massive, rapidity and azimuth) until n are left; a jet of fewer
    constituents has as many subjets as constituents. `jets.constituents[subjets(jets, 2) == 0]` is the hardest one.

    Args:
        jets: Jets.
        n: Number of subjets, at least 1.
        algorithm: "kt" or "cambridge".

    Raises:
        DataError: n below 1 or no such algorithm.
    """
    _counted(n)
    first = np.cumsum(jets.counts) - jets.counts
    owner = np.zeros(int(jets.counts.sum()), dtype=np.int64)
    for tree in trees(jets, algorithm):
        there = tree.exclusive(n)
        order = np.argsort(np.where(there, -tree.momenta[..., 4], np.inf), axis=1, kind="stable")
        rank = np.argsort(order, axis=1)
        member = tree.descend(np.where(there, rank, -1))
        row, slot = np.nonzero(member >= 0)
        owner[first[tree.rows[row]] + slot] = member[row, slot]
    return ak.unflatten(owner, jets.counts)


def n_subjettiness(
    jets: Jets,
    n: int,
    *,
    beta: float = 1.0,
    radius: float = 0.8,
    scheme: Scheme = winner_takes_all,
) -> np.ndarray:
    """Returns tau_n = sum_i pt_i min_a deltar(i, a)^beta / sum_i pt_i radius^beta, shape (jets,), no unit.

    Axes: the n exclusive kT subjets of the constituents, by default with winner-takes-all recombination, not
    minimised further. Rapidity and azimuth. 0 for a jet of at most n constituents, nan for one without any.

    Args:
        jets: Jets.
        n: Number of axes, at least 1.
        beta: Angular exponent.
        radius: Jet radius R0 (cancels in ratios).
        scheme: `winner_takes_all` or `e_scheme` of `history`.

    Source: arXiv:1011.2268; axes arXiv:1401.2158.
    """
    return n_subjettinesses(jets, (n,), beta=beta, radius=radius, scheme=scheme)[:, 0]


def n_subjettinesses(
    jets: Jets,
    ns: Sequence[int],
    *,
    beta: float = 1.0,
    radius: float = 0.8,
    scheme: Scheme = winner_takes_all,
) -> np.ndarray:
    """Returns tau_n for several n from one clustering, shape (jets, len(ns)); see `n_subjettiness`."""
    for n in ns:
        _counted(n)
    _positive("radius", radius)
    tau = np.full((len(jets), len(ns)), np.nan)
    for tree in trees(jets, "kt", scheme):
        pt, y, phi = (tree.momenta[:, : tree.slots, k] for k in (4, 5, 6))
        for column, n in enumerate(ns):
            nearest2 = np.full(pt.shape, np.inf)
            for axis_y, axis_phi in _axes(tree, n):
                nearest2 = np.minimum(nearest2, (y - axis_y) ** 2 + wrapped(phi - axis_phi) ** 2)
            nearest2[pt == 0] = 0.0
            tau[tree.rows, column] = fraction((pt * nearest2 ** (beta / 2)).sum(1), pt.sum(1) * radius**beta)
    return tau


def _axes(tree: Trees, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns rapidity and azimuth, shape (rows, 1), of each of n axes; infinitely far where there are fewer."""
    there = tree.exclusive(n)
    nodes = np.argsort(~there, axis=1, kind="stable")[:, :n]
    found = np.take_along_axis(there, nodes, axis=1)
    y, phi = (np.take_along_axis(tree.momenta[..., k], nodes, axis=1) for k in (5, 6))
    y = np.where(found, y, np.inf)
    return [(y[:, [a]], phi[:, [a]]) for a in range(nodes.shape[1])]


def energy_correlators(jets: Jets, *, beta: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns e2 and e3, each of shape (jets,), no unit.

    e2 = sum_{i<j} z_i z_j deltar_ij^beta, e3 = sum_{i<j<k} z_i z_j z_k (deltar_ij deltar_jk deltar_ki)^beta with
    z = pt over the scalar sum of the constituents' pt. No axis; rapidity and azimuth; e2 of one particle and e3 of
    two are 0, both are nan for a jet without constituents.

    Source: arXiv:1305.0007, in the normalisation of arXiv:1409.6298.
    """
    e2, e3 = (np.full(len(jets), np.nan) for _ in range(2))
    for particles in rectangles(jets):
        z = fraction(particles.pt, np.broadcast_to(particles.pt.sum(1, keepdims=True), particles.pt.shape))
        root = np.sqrt(z)
        apart = np.abs(particles.phi[:, :, None] - particles.phi[:, None, :])
        apart = np.minimum(apart, 2 * np.pi - apart)
        apart = (particles.rapidity[:, :, None] - particles.rapidity[:, None, :]) ** 2 + apart**2
        # sqrt(z_i) deltar_ij^beta sqrt(z_j) is symmetric and without diagonal: its square and cube have e2 and e3 as traces.
        weighted = apart ** (beta / 2) * root[:, :, None] * root[:, None, :]
        weighted[:, np.arange(z.shape[1]), np.arange(z.shape[1])] = 0.0
        e2[particles.rows] = (weighted * root[:, :, None] * root[:, None, :]).sum((1, 2)) / 2
        e3[particles.rows] = ((weighted @ weighted) * weighted).sum((1, 2)) / 6
        empty = particles.rows[particles.counts == 0]
        e2[empty] = e3[empty] = np.nan
    return e2, e3


def c2(jets: Jets, *, beta: float = 1.0) -> np.ndarray:
    """Returns C2 = e3 / e2^2, shape (jets,); nan where e2 is 0. See `energy_correlators`.

    Source: arXiv:1305.0007 with N = 2.
    """
    e2, e3 = energy_correlators(jets, beta=beta)
    return fraction(e3, e2**2)


def d2(jets: Jets, *, beta: float = 1.0) -> np.ndarray:
    """Returns D2 = e3 / e2^3, shape (jets,); nan where e2 is 0. See `energy_correlators`.

    Source: arXiv:1409.6298.
    """
    e2, e3 = energy_correlators(jets, beta=beta)
    return fraction(e3, e2**3)


def girth(jets: Jets) -> np.ndarray:
    """Returns sum_i pt_i deltar(i, jet) / sum_i pt_i, shape (jets,), rad; nan for a jet without constituents.

    The axis is `jets.p4`; rapidity (massive jet and constituents) and azimuth.

    Source: arXiv:1106.3076.
    """
    counts = jets.counts
    particles = ak.flatten(jets.constituents, axis=1)
    y = rapidity(*(ak.to_numpy(particles[name]) for name in ("pt", "eta", "mass")))
    axis = rapidity(*(ak.to_numpy(jets.p4[name]) for name in ("pt", "eta", "mass")))
    dphi = wrapped(ak.to_numpy(particles.phi) - np.repeat(ak.to_numpy(jets.p4.phi), counts))
    pt = ak.to_numpy(particles.pt)
    return fraction(_sums(pt * np.hypot(y - np.repeat(axis, counts), dphi), counts), _sums(pt, counts))


def pt_dispersion(jets: Jets) -> np.ndarray:
    """Returns sqrt(sum_i pt_i^2) / sum_i pt_i, shape (jets,); 1 for one particle, nan for none. No axis, no angle.

    Source: CMS-PAS-JME-13-002.
    """
    pt = ak.to_numpy(ak.flatten(jets.constituents.pt, axis=1))
    return fraction(np.sqrt(_sums(pt**2, jets.counts)), _sums(pt, jets.counts))


def multiplicity(jets: Jets) -> np.ndarray:
    """Returns the number of constituents, shape (jets,); neither infrared nor collinear safe."""
    return jets.counts.astype(np.float64)


def _sums(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.bincount(np.repeat(np.arange(len(counts)), counts), weights=values, minlength=len(counts))


def _counted(n: int) -> None:
    if n < 1:
        msg = f"{n} subjets or axes were asked for; ask for at least 1."
        raise DataError(msg)


def _positive(what: str, value: float) -> None:
    if not value > 0:
        msg = f"A {what} of {value} was asked for; it must be positive."
        raise DataError(msg)
