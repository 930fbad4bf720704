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

THIRDS = {
    1: -1,
    2: 2,
    3: -1,
    4: 2,
    5: -1,
    6: 2,
    7: -1,
    8: 2,
    11: -3,
    13: -3,
    15: -3,
    17: -3,
    24: 3,
    34: 3,
    37: 3,
}
"""Charge of quarks, leptons and bosons in thirds of e, by PDG id; neutral where not listed."""

NEUTRINOS = (12, 14, 16)
PION = MASS[211]


def masses(pid: np.ndarray, unknown: float) -> np.ndarray:
    """Returns the mass of each particle in GeV, `unknown` for those not listed; neutrinos are massless."""
    kinds, which = np.unique(pid, return_inverse=True)
    known = MASS | dict.fromkeys(NEUTRINOS, 0.0)
    return np.array([known.get(abs(int(kind)), unknown) for kind in kinds])[which]


def charges(pid: np.ndarray) -> np.ndarray:
    """Returns the charge of each particle in units of e, float64: from its quarks where it is a hadron.

    Source: PDG 2024, review 45 (Monte Carlo particle numbering scheme).
    """
    kinds, which = np.unique(pid, return_inverse=True)
    return np.array([np.sign(kind) * _thirds(abs(int(kind))) / 3 for kind in kinds], dtype=np.float64)[which]


def _thirds(code: int) -> int:
    if code >= 1_000_000_000:  # a nucleus, 10LZZZAAAI
        return 3 * (code // 10_000 % 1000)
    first, second, third = (code // 10**digit % 10 for digit in (3, 2, 1))
    if second == 0:
        return THIRDS.get(code % 10_000, 0)
    if first:
        return sum(THIRDS.get(quark, 0) for quark in (first, second, third))
    # A meson is positive as its heavier quark is up-type, or the antiquark of a heavier down-type one.
    return (THIRDS.get(second, 0) - THIRDS.get(third, 0)) * (1 if second % 2 == 0 else -1)
