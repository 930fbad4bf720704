"""Energy in the calorimeter, by direction: what towers and cells of a scene say together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .event import COLUMNS, Scene


@dataclass(frozen=True)
class Deposits:
    """Energy in GeV, direction, and layer (0 ECAL, 1 HCAL, 2 not said), all of shape (deposits,)."""

    energy: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    layer: np.ndarray

    @property
    def transverse(self) -> np.ndarray:
        """Energy across the beam in GeV, shape (deposits,)."""
        return np.asarray(self.energy / np.cosh(self.eta))


def deposits(
    scene: Scene,
    *,
    energy_min: float = 0.0,
    eta_max: float = 10.0,
    layers: Sequence[str] = ("towers", "cells"),
) -> Deposits:
    """Returns the deposits that pass the cuts; a cell counts where its middle is, as seen from the origin."""
    towers = scene.arrays["towers"][:, (0, 1, 2, 5)].astype(np.float64)
    cells = scene.arrays["cells"].astype(np.float64)
    x, y, z = cells[:, 2 : len(COLUMNS["cells"])].reshape(-1, 8, 3).mean(axis=1).T
    across = np.hypot(x, y)
    eta = np.arcsinh(np.divide(z, across, out=np.zeros_like(z), where=across > 0))
    from_cells = np.column_stack([cells[:, 0], eta, np.arctan2(y, x), cells[:, 1]])
    parts = [
        rows for name, rows in (("towers", towers), ("cells", from_cells)) if name in layers and len(rows)
    ]
    found = np.concatenate(parts) if parts else np.zeros((0, 4))
    found = found[(found[:, 0] >= energy_min) & (found[:, 0] > 0) & (np.abs(found[:, 1]) <= eta_max)]
    return Deposits(*found.T)


def lengths(energy: np.ndarray, scale: str, longest: float) -> np.ndarray:
    """Returns how long bars of these energies are drawn, same shape; the largest is `longest`.

    Args:
        energy: Not negative.
        scale: "linear", "sqrt" or "log" (of 1 + energy/GeV).
        longest: In m.
    """
    drawn = {"linear": energy, "sqrt": np.sqrt(energy), "log": np.log1p(energy)}[scale]
    return np.asarray(longest * drawn / max(float(np.max(drawn, initial=0.0)), 1e-9))
