"""Masses and charges of the particles that live long enough to reach a detector."""

import numpy as np

MASS = {
    11: 0.00051099895,
    13: 0.1056583755,
    22: 0.0,
    130: 0.497611,
    211: 0.13957039,
    310: 0.497611,
    321: 0.493677,
    2112: 0.93956542,
    2212: 0.93827209,
    3112: 1.197449,
    3122: 1.115683,
    3222: 1.18937,
    3312: 1.32171,
    3322: 1.31486,
    3334: 1.67245,
}
"""In GeV, by |PDG id|. Source: PDG 2024."""

CHARGE = {11: -1, 13: -1, 211: 1, 321: 1, 2212: 1, 3112: -1, 3222: 1, 3312: -1, 3334: -1}
"""In units of e, of the particle (not the antiparticle), by |PDG id|; neutral where not listed."""

NEUTRINOS = (12, 14, 16)
PION = MASS[211]


def masses(pid: np.ndarray, unknown: float) -> np.ndarray:
    """Returns the mass of each particle in GeV, `unknown` for those not listed; neutrinos are massless."""
    kinds, which = np.unique(pid, return_inverse=True)
    known = MASS | dict.fromkeys(NEUTRINOS, 0.0)
    return np.array([known.get(abs(int(kind)), unknown) for kind in kinds])[which]


def charges(pid: np.ndarray) -> np.ndarray:
    """Returns the charge of each particle in units of e; 0 for those not listed."""
    kinds, which = np.unique(pid, return_inverse=True)
    values = [np.sign(kind) * CHARGE.get(abs(int(kind)), 0) for kind in kinds]
    return np.array(values, dtype=np.int64)[which]
