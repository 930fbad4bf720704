"""Calorimeter showers on a fixed geometry."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DataError
from .origin import Origin, fingerprint
from .rows import chosen


@dataclass(frozen=True)
class Geometry:
    """Cells of a cylindrical calorimeter around the shower axis.

    Attributes:
        particle: Incident particle, "electron", "photon", "pion".
        layers: Number of layers in depth.
        alpha_bins: Number of angular bins, the same in every layer.
        r_edges: Edges of the radial bins in mm, the same in every layer.
    """

    particle: str
    layers: int
    alpha_bins: int
    r_edges: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(layers, alpha, r)."""
        return self.layers, self.alpha_bins, len(self.r_edges) - 1


@dataclass(frozen=True)
class Showers:
    """A sample of showers.

    Attributes:
        energies: Deposited energy in GeV, shape (showers, layers, alpha, r).
        incident: Energy of the incident particle in GeV, shape (showers,).
        geometry: What the last three axes mean.
        origin: Where the sample came from.

    Raises:
        DataError: shapes do not fit, an energy is negative or not finite.
    """

    energies: np.ndarray
    incident: np.ndarray
    geometry: Geometry
    origin: Origin = field(default_factory=lambda: Origin("unnamed"))

    def __post_init__(self) -> None:
        if self.energies.shape != (len(self.incident), *self.geometry.shape):
            msg = (
                f"Energies of shape {self.energies.shape} do not fit {len(self.incident)} incident energies "
                f"and a geometry of (layers, alpha, r) = {self.geometry.shape}."
            )
            raise DataError(msg)
        for what, values in (("cell energies", self.energies), ("incident energies", self.incident)):
            if not np.isfinite(values).all() or (values < 0).any():
                msg = f"Some {what} are negative or not finite; energies are in GeV and at least 0."
                raise DataError(msg)

    def __len__(self) -> int:
        return len(self.incident)

    def __getitem__(self, keep: Any) -> "Showers":
        """Returns the showers that a slice, mask, index array or one integer keeps."""
        keep = chosen(keep, len(self), "shower")
        return replace(self, energies=self.energies[keep], incident=self.incident[keep])

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the contents (not the origin)."""
        return fingerprint([self.energies, self.incident])
