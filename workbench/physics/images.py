"""Jet images: a cloud of constituents is shifted, turned and mirrored, and only then put into pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import awkward as ak
import numpy as np

from ..data.jets import Jets
from ..errors import DataError
from .kinematics import fraction, wrapped


@dataclass(frozen=True)
class Cloud:
    """Constituents of all jets in one row, as the pixels will see them.

    Attributes:
        jet: Which jet each belongs to, shape (particles,).
        x: Pseudorapidity about the origin of the image, shape (particles,).
        y: Azimuth about it in rad, shape (particles,).
        pt: Transverse momentum in GeV, or a share of the jet's once normalised, shape (particles,).
        jets: Number of jets.
    """

    jet: np.ndarray
    x: np.ndarray
    y: np.ndarray
    pt: np.ndarray
    jets: int

    @classmethod
    def of(cls, jets: Jets) -> "Cloud":
        """Returns the constituents about the axis `jets.p4` in pseudorapidity and azimuth."""
        counts = jets.counts
        particles = jets.constituents
        x, y, pt = (ak.to_numpy(ak.flatten(particles[name], axis=1)) for name in ("eta", "phi", "pt"))
        axis_x, axis_y = (np.repeat(ak.to_numpy(jets.p4[name]), counts) for name in ("eta", "phi"))
        return cls(np.repeat(np.arange(len(jets)), counts), x - axis_x, wrapped(y - axis_y), pt, len(jets))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Returns the sum of `values` over each jet, shape (jets,)."""
        return np.bincount(self.jet, weights=values, minlength=self.jets)


Step = Callable[[Cloud], Cloud]


def centre(cloud: Cloud) -> Cloud:
    """Returns the cloud with each jet's pt-weighted centroid at the origin.

    A shift in pseudorapidity is a boost along the beam and leaves pt alone; the mass of a jet of massless
    constituents does not change either.
    """
    pt = cloud.total(cloud.pt)
    x, y = (np.nan_to_num(fraction(cloud.total(cloud.pt * v), pt))[cloud.jet] for v in (cloud.x, cloud.y))
    return replace(cloud, x=cloud.x - x, y=cloud.y - y)


def rotate(cloud: Cloud) -> Cloud:
    """Returns the cloud turned about the origin until each jet's principal axis is vertical (along azimuth).

    The principal axis is that of the pt-weighted second moments; a jet without a preferred direction is turned
    by an angle without meaning. Turning in this plane changes the jet's mass.
    """
    xx, yy, xy = (cloud.total(cloud.pt * v) for v in (cloud.x**2, cloud.y**2, cloud.x * cloud.y))
    angle = (np.pi / 2 - np.arctan2(2 * xy, xx - yy) / 2)[cloud.jet]
    cos, sin = np.cos(angle), np.sin(angle)
    return replace(cloud, x=cos * cloud.x - sin * cloud.y, y=sin * cloud.x + cos * cloud.y)


def flip(cloud: Cloud) -> Cloud:
    """Returns the cloud mirrored so that each jet has more pt at x > 0 than at x < 0, and likewise in y."""
    x, y = (
        np.where(cloud.total(cloud.pt * np.sign(v)) < 0, -1.0, 1.0)[cloud.jet] * v for v in (cloud.x, cloud.y)
    )
    return replace(cloud, x=x, y=y)


def normalise(cloud: Cloud) -> Cloud:
    """Returns the cloud with pt as a share of the scalar sum of the jet's pt, before anything is left out."""
    return replace(cloud, pt=np.nan_to_num(fraction(cloud.pt, cloud.total(cloud.pt)[cloud.jet])))


STEPS: tuple[Step, ...] = (centre, rotate, flip, normalise)
"""What is usually done, in the usual order."""


def prepared(jets: Jets, steps: Sequence[Step] = STEPS) -> Cloud:
    """Returns the constituents after the steps, in order."""
    cloud = Cloud.of(jets)
    for step in steps:
        cloud = step(cloud)
    return cloud


def jet_images(
    jets: Jets, *, pixels: int = 40, extent: float = 0.8, steps: Sequence[Step] = STEPS
) -> np.ndarray:
    """Returns one image per jet, float32 of shape (jets, pixels, pixels): [jet, azimuth, pseudorapidity], both growing.

    The frame is -extent to extent in both. What falls outside is not in the image: `outside` says how much it is.
    Values are GeV, or shares of the jet's pt if `normalise` is among the steps.

    Args:
        jets: Jets.
        pixels: Number of pixels along each side.
        extent: Half the side of the frame, pseudorapidity and rad.
        steps: What is done to the constituents first; () keeps them about the jet's axis.

    Raises:
        DataError: no pixels or no extent.
    """
    return pixelate(prepared(jets, steps), pixels=pixels, extent=extent)


def pixelate(cloud: Cloud, *, pixels: int = 40, extent: float = 0.8) -> np.ndarray:
    """Returns the images of a cloud as it is; see `jet_images`."""
    if pixels < 1 or not extent > 0:
        msg = f"An image of {pixels} pixels and half-width {extent} was asked for; both must be positive."
        raise DataError(msg)
    images = np.zeros((cloud.jets, pixels, pixels), dtype=np.float32)
    bounds = np.searchsorted(cloud.jet, np.arange(0, cloud.jets + PORTION, PORTION))
    for portion, (start, stop) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        part = slice(start, stop)
        inside = _inside(cloud.x[part], cloud.y[part], extent)
        column, row = (
            ((v[part][inside] + extent) * (pixels / (2 * extent))).astype(np.int64)
            for v in (cloud.x, cloud.y)
        )
        # A value a rounding error below the upper edge may be scaled onto it.
        np.minimum(column, pixels - 1, out=column)
        np.minimum(row, pixels - 1, out=row)
        target = images[portion * PORTION : (portion + 1) * PORTION]
        place = ((cloud.jet[part][inside] - portion * PORTION) * pixels + row) * pixels + column
        target[:] = np.bincount(place, weights=cloud.pt[part][inside], minlength=target.size).reshape(
            target.shape
        )
    return images


PORTION = 1024
"""Jets put into pixels at once, so that what is in double precision stays small."""


def outside(jets: Jets, *, extent: float = 0.8, steps: Sequence[Step] = STEPS) -> np.ndarray:
    """Returns the share of each jet's pt that a frame of this extent does not show, shape (jets,); nan without pt."""
    cloud = prepared(jets, steps)
    lost = cloud.total(cloud.pt * ~_inside(cloud.x, cloud.y, extent))
    return fraction(lost, cloud.total(cloud.pt))


def average_image(images: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Returns the (weighted) mean image, shape (pixels, pixels).

    Args:
        images: Shape (jets, pixels, pixels).
        weight: Shape (jets,), may be negative; equal weights if not given.

    Raises:
        DataError: no images, or weights whose sum is not positive.
    """
    weight = np.ones(len(images)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not weight.sum() > 0:
        msg = f"{len(images)} images with weights of sum {weight.sum():g} have no average; choose jets of positive total weight."
        raise DataError(msg)
    return np.tensordot(weight / weight.sum(), images, axes=1)


def _inside(x: np.ndarray, y: np.ndarray, extent: float) -> np.ndarray:
    return (x >= -extent) & (x < extent) & (y >= -extent) & (y < extent)
