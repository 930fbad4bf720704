"""The primary Lund plane: what a jet emits while it is followed down its harder branch."""

import awkward as ak
import numpy as np

from ..data.jets import Jets, wrapped
from .history import trees
from .kinematics import fraction

FIELDS = ("delta", "kt", "z", "kappa", "psi", "ln_inverse_delta", "ln_kt")


def primary_lund_plane(jets: Jets) -> ak.Array:
    """Returns the emissions of each jet, records of shape (jets, emissions), from the first (widest angles) on.

    The constituents are reclustered with Cambridge/Aachen (E scheme, massive, rapidity y and azimuth); at each step
    back, a is the branch of larger pt, which is followed, and b the emission. A jet of one constituent has none.

    Fields:
        delta: Distance of a and b in y and phi.
        kt: pt_b * delta in GeV.
        z: pt_b / (pt_a + pt_b).
        kappa: z * delta.
        psi: atan2(y_b - y_a, phi_b - phi_a) in rad.
        ln_inverse_delta, ln_kt: Natural logarithms of 1/delta and of kt in GeV; inf and -inf where delta is 0.

    Source: arXiv:1807.04758, section 2.
    """
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for tree in trees(jets, "cambridge"):
        for row, s in tree.primary():
            a, b = (tree.momenta[row, node[row, s]] for node in (tree.harder, tree.softer))
            found.append((tree.rows[row], _emission(a, b, tree.deltar[row, s])))
    if not found:
        empty = ak.zip({name: np.zeros(0) for name in FIELDS})
        return ak.unflatten(empty, np.zeros(len(jets), dtype=np.int64))
    jet = np.concatenate([part[0] for part in found])
    # Emissions of one jet were found in order, which a stable sort keeps.
    values = np.concatenate([part[1] for part in found], axis=1)[:, np.argsort(jet, kind="stable")]
    counts = np.bincount(jet, minlength=len(jets))
    return ak.unflatten(ak.zip(dict(zip(FIELDS, values, strict=True))), counts)


def _emission(a: np.ndarray, b: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Returns the fields of emissions b off a, shape (fields, emissions)."""
    kt, z = b[:, 4] * delta, np.nan_to_num(fraction(b[:, 4], a[:, 4] + b[:, 4]))
    psi = np.arctan2(b[:, 5] - a[:, 5], wrapped(b[:, 6] - a[:, 6]))
    with np.errstate(divide="ignore"):
        return np.stack([delta, kt, z, z * delta, psi, -np.log(delta), np.log(kt)])
