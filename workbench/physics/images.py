"""Jet images: a cloud of constituents is shifted, turned and mirrored, and only then put into pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import awkward as ak
import numpy as np

from ..data.jets import Jets, wrapped
from ..errors import DataError
from .kinematics import fraction


@dataclass(frozen=True)
class Cloud:
    """Constituents of jets, one jet after the other, in single precision, as the pixels will see them.

    Attributes:
        counts: Number of constituents of each jet, shape (jets,).
        x: Pseudorapidity about the origin of the image, shape (particles,).
        y: Azimuth about it in rad, shape (particles,).
        pt: Transverse momentum in GeV, or a share of the jet's once normalised, shape (particles,).
    """

    counts: np.ndarray
    x: np.ndarray
    y: np.ndarray
    pt: np.ndarray

    @classmethod
    def of(cls, jets: Jets) -> "Cloud":
        """Returns the constituents about the axis `jets.p4` in pseudorapidity and azimuth."""
        return next(clouds(jets, len(jets)), cls(jets.counts, *np.zeros((3, 0), np.float32)))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Returns the sum of `values` (particles,) over each jet, shape (jets,)."""
        sums = np.zeros(len(self.counts), dtype=values.dtype)
        filled = self.counts > 0
        if filled.any():
            sums[filled] = np.add.reduceat(values, (np.cumsum(self.counts) - self.counts)[filled])
        return sums

    @property
    def one_over_pt(self) -> np.ndarray:
        """One over the scalar sum of each jet's pt, shape (jets,); 0 for a jet without any."""
        pt = self.total(self.pt)
        return np.divide(1, pt, out=np.zeros_like(pt), where=pt > 0)

    def each(self, values: np.ndarray) -> np.ndarray:
        """Returns `values` (jets,) given to each constituent, shape (particles,)."""
        return np.repeat(values, self.counts)


def clouds(jets: Jets, portion: int) -> Iterator[Cloud]:
    """Yields the constituents about the axes of at most `portion` jets at a time, in order."""
    counts = jets.counts
    first = np.concatenate([[0], np.cumsum(counts)])
    eta, phi, pt = (ak.to_numpy(ak.flatten(jets.constituents[name], axis=1)) for name in ("eta", "phi", "pt"))
    axis_eta, axis_phi = (ak.to_numpy(jets.p4[name]) for name in ("eta", "phi"))
    for start in range(0, len(jets), max(1, portion)):
        these = slice(start, start + portion)
        own = slice(first[start], first[min(start + portion, len(jets))])
        x = eta[own] - np.repeat(axis_eta[these], counts[these])
        y = wrapped((phi[own] - np.repeat(axis_phi[these], counts[these])).astype(np.float32))
        yield Cloud(counts[these], x.astype(np.float32), y, pt[own].astype(np.float32))


Step = Callable[[Cloud], Cloud]


def centre(cloud: Cloud) -> Cloud:
    """Returns the cloud with each jet's pt-weighted centroid at the origin.

    A shift in pseudorapidity is a boost along the beam and leaves pt alone; the mass of a jet of massless
    constituents does not change either.
    """
    share = cloud.pt * cloud.each(cloud.one_over_pt)
    x, y = (cloud.total(share * v) for v in (cloud.x, cloud.y))
    return replace(cloud, x=cloud.x - cloud.each(x), y=cloud.y - cloud.each(y))


def rotate(cloud: Cloud) -> Cloud:
    """Returns the cloud turned about the origin until each jet's principal axis is vertical (along azimuth).

    The principal axis is that of the pt-weighted second moments; a jet without a preferred direction is turned
    by an angle without meaning. Turning in this plane changes the jet's mass.
    """
    xx, yy, xy = (
        cloud.total(cloud.pt * a * b) for a, b in ((cloud.x, cloud.x), (cloud.y, cloud.y), (cloud.x, cloud.y))
    )
    angle = np.pi / 2 - np.arctan2(2 * xy, xx - yy) / 2
    cos, sin = cloud.each(np.cos(angle)), cloud.each(np.sin(angle))
    return replace(cloud, x=cos * cloud.x - sin * cloud.y, y=sin * cloud.x + cos * cloud.y)


def flip(cloud: Cloud) -> Cloud:
    """Returns the cloud mirrored so that each jet has more pt at x > 0 than at x < 0, and likewise in y."""
    x, y = (
        cloud.each(np.where(cloud.total(np.copysign(cloud.pt, v)) < 0, np.float32(-1), np.float32(1))) * v
        for v in (cloud.x, cloud.y)
    )
    return replace(cloud, x=x, y=y)


def normalise(cloud: Cloud) -> Cloud:
    """Returns the cloud with pt as a share of the scalar sum of the jet's pt, before anything is left out."""
    return replace(cloud, pt=cloud.pt * cloud.each(cloud.one_over_pt))


STEPS: tuple[Step, ...] = (centre, rotate, flip, normalise)
"""What is usually done, in the usual order."""


PORTION = 1024
"""Jets put into pixels at once: few enough for the processor's cache."""


def prepared(cloud: Cloud, steps: Sequence[Step] = STEPS) -> Cloud:
    """Returns the cloud after the steps, in order."""
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
    _framed(pixels, extent)
    images = np.zeros((len(jets), pixels, pixels), dtype=np.float32)
    for start, cloud in zip(range(0, len(jets), PORTION), clouds(jets, PORTION), strict=True):
        _fill(images[start : start + PORTION], prepared(cloud, steps), extent)
    return images


def pixelate(cloud: Cloud, *, pixels: int = 40, extent: float = 0.8) -> np.ndarray:
    """Returns the images of a cloud as it is; see `jet_images`."""
    _framed(pixels, extent)
    images = np.zeros((len(cloud.counts), pixels, pixels), dtype=np.float32)
    _fill(images, cloud, extent)
    return images


def outside(jets: Jets, *, extent: float = 0.8, steps: Sequence[Step] = STEPS) -> np.ndarray:
    """Returns the share of each jet's pt that a frame of this extent does not show, shape (jets,); nan without pt."""
    cloud = prepared(Cloud.of(jets), steps)
    return fraction(cloud.total(cloud.pt * ~_inside(*_placed(cloud, extent))), cloud.total(cloud.pt))


@dataclass(frozen=True)
class Average:
    """The mean image of some jets.

    Attributes:
        mean: Shape (pixels, pixels), as `jet_images` gives them.
        error: Its standard error, of that shape.
        jets: How many jets it is of.
    """

    mean: np.ndarray
    error: np.ndarray
    jets: int


def average(jets: Jets, *, pixels: int = 40, extent: float = 0.8, steps: Sequence[Step] = STEPS) -> Average:
    """Returns the mean image of the jets, with their weights, and its standard error; see `jet_images`.

    The images are made and forgotten portion by portion, so that any number of jets fits into memory.

    Raises:
        DataError: no jets, or weights whose sum is not positive.
    """
    if not jets.weight.sum() > 0:
        msg = f"{len(jets)} jets with weights of sum {jets.weight.sum():g} have no mean image; choose jets of positive total weight."
        raise DataError(msg)
    weight = np.asarray(jets.weight, dtype=np.float64) / jets.weight.sum()
    sums = np.zeros((3, pixels, pixels))
    for start in range(0, len(jets), PORTION):
        these = slice(start, start + PORTION)
        images, w = jet_images(jets[these], pixels=pixels, extent=extent, steps=steps), weight[these]
        powers = ((w, images), (w**2, images), (w**2, images**2))
        sums += [np.tensordot(factor, image, axes=1) for factor, image in powers]
    mean, once, twice = sums
    variance = np.maximum(twice - 2 * mean * once + mean**2 * np.sum(weight**2), 0)
    return Average(mean, np.sqrt(variance), len(jets))


def difference(first: Average, second: Average) -> np.ndarray:
    """Returns first minus second in standard errors of the difference, shape (pixels, pixels); nan where neither has anything."""
    error = np.hypot(first.error, second.error)
    filled = error > 0
    return np.divide(first.mean - second.mean, error, out=np.full_like(error, np.nan), where=filled)


def _framed(pixels: int, extent: float) -> None:
    if pixels < 1 or not extent > 0:
        msg = f"An image of {pixels} pixels and half-width {extent} was asked for; both must be positive."
        raise DataError(msg)


def _placed(cloud: Cloud, extent: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns x and y in units of the frame, 0 at its lower and 1 at its upper edge."""
    scale = 0.5 / extent
    return cloud.x * scale + 0.5, cloud.y * scale + 0.5


def _inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x >= 0) & (x < 1) & (y >= 0) & (y < 1)


def _fill(images: np.ndarray, cloud: Cloud, extent: float) -> None:
    """Adds the cloud's pt to images of zeros, shape (jets, pixels, pixels)."""
    pixels = images.shape[1]
    x, y = _placed(cloud, extent)
    shown = _inside(x, y)
    # A float below 1 times a whole number, rounded, stays below that number: no pixel beyond the last.
    frame = shown * np.float32(pixels)
    column, row = (x * frame).astype(np.int32), (y * frame).astype(np.int32)
    place = cloud.each(np.arange(0, images.size, pixels * pixels)) + (row * np.int32(pixels) + column)
    np.add.at(images.reshape(-1), place, cloud.pt * shown)
