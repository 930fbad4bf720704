"""Mean images of relevance: where in the centred, turned and mirrored jet the evidence lies."""

from dataclasses import dataclass, replace

import awkward as ak
import hist
import numpy as np

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..physics.bootstrap import Estimate
from ..physics.images import Average, Cloud, centre, difference, flip, pixelate, prepared, rotate
from ..physics.partitions import Axis, histogram
from .tabular import Tabular

PIXELS, EXTENT = 32, 0.8
"""Pixels along each side, and half the side of the frame (pseudorapidity and rad)."""

STEPS = (centre, rotate, flip)
"""What is done to each jet first, by its pT."""


@dataclass(frozen=True)
class RelevanceImages(Tabular):
    """The mean image of relevance in each group of jets.

    Attributes:
        means: By group, mean relevance per jet in each pixel in log-odds, [azimuth, pseudorapidity], with its standard error.
        extent: Half the side of the frame, pseudorapidity and rad.
        outside: Share of |relevance| beyond the frame, in all jets.
    """

    means: dict[str, Average]
    extent: float
    outside: float

    def difference(self, first: str, second: str) -> np.ndarray:
        """Returns first minus second in standard errors, shape (pixels, pixels); nan where neither has anything.

        The two groups share no jet.
        """
        return difference(self.means[first], self.means[second])

    def histogram(self, group: str) -> hist.Hist:
        """Returns a mean image as a `hist` histogram with variances, axes azimuth and pseudorapidity."""
        mean = self.means[group]
        return histogram(_axes(self.extent, len(mean.mean)), Estimate(mean.mean.ravel(), mean.error.ravel()))

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per group and pixel: "group", "jets", "dphi" and "deta" of its centre, "mean" and "error"."""
        rows = []
        for group, found in self.means.items():
            pixels = len(found.mean)
            centres = (np.arange(pixels) + 0.5) / pixels * 2 * self.extent - self.extent
            phi, eta = np.meshgrid(centres, centres, indexing="ij")
            rows.append(
                {
                    "group": np.full(phi.size, group, dtype=object),
                    "jets": np.full(phi.size, found.jets),
                    "dphi": phi.ravel(),
                    "deta": eta.ravel(),
                    "mean": found.mean.ravel(),
                    "error": found.error.ravel(),
                }
            )
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]} if rows else {}


def relevance_images(jets: Jets, explanation: Explanation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the images, (jets, PIXELS, PIXELS), and |relevance| beyond the frame and of the whole jet, (jets,).

    Each jet is centred, turned and mirrored by its pT as jet images are; its relevance goes along.
    """
    cloud = prepared(Cloud.of(jets), STEPS)
    relevance = ak.to_numpy(ak.flatten(explanation.relevance, axis=1)).astype(np.float32)
    signed, absolute = replace(cloud, pt=relevance), replace(cloud, pt=np.abs(relevance))
    images, shown = (pixelate(c, pixels=PIXELS, extent=EXTENT) for c in (signed, absolute))
    whole = cloud.total(absolute.pt)
    return images, whole - shown.sum(axis=(1, 2)), whole


class Sums:
    """Sums from which the mean image and its error follow, filled portion by portion."""

    def __init__(self) -> None:
        self.jets, self.weights = 0, np.zeros(2)
        self.images = np.zeros((3, PIXELS, PIXELS))

    def add(self, images: np.ndarray, weight: np.ndarray) -> None:
        """Takes more images, shape (jets, PIXELS, PIXELS), in."""
        self.jets += len(images)
        self.weights += weight.sum(), (weight**2).sum()
        powers = ((weight, images), (weight**2, images), (weight**2, images**2))
        self.images += [np.tensordot(factor, image, axes=1) for factor, image in powers]

    def mean(self) -> Average:
        """Returns the weighted mean and its standard error: the root of sum w^2 (x - mean)^2 / (sum w)^2; nan of a single jet."""
        total, squares = self.weights
        mean = self.images[0] / total
        variance = self.images[2] - 2 * mean * self.images[1] + mean**2 * squares
        error = np.sqrt(np.maximum(variance, 0)) / abs(total)
        return Average(mean, error if self.jets > 1 else np.full_like(error, np.nan), self.jets)


def _axes(extent: float, pixels: int) -> tuple[Axis, Axis]:
    edges = tuple(float(edge) for edge in np.linspace(-extent, extent, pixels + 1))
    return Axis("Δφ", "rad", edges), Axis("Δη", "", edges)
