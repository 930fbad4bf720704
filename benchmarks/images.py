"""Jet images here against EnergyFlow's pixelate: the same particles, centred, put into pixels and normalised.

    python -m benchmarks.images [--jets 20000] [--repeats 10]

Needs energyflow (`pip install .[bench]`). EnergyFlow takes one array (pt, y, phi) per jet, here
it is `Jets` as a file gives them (packed awkward records); both lie ready before the clock starts. Both then do the same: pt-weighted centroid, pixels, sum to one.
EnergyFlow centres to whole pixels, so images are first compared on jets centred beforehand, where both must agree; frames
that lose pt are normalised by EnergyFlow after and here before the loss, which the comparison undoes. Best of the
repeats, in turns. Rotation and flip, which EnergyFlow does not have, are timed besides.
"""

import argparse
import time
from dataclasses import replace

import awkward as ak
import numpy as np
from energyflow.utils.image_utils import pixelate as energyflow_pixelate

from workbench.data.jets import Jets, momenta
from workbench.physics.images import STEPS, Cloud, centre, jet_images, normalise, pixelate, prepared

PIXELS, EXTENT = 33, 0.4


def sample(n, seed):
    """Returns jets with multiplicities as those of 550-650 GeV (mean 50, width 18) and particles about the axis."""
    generator = np.random.default_rng(seed)
    counts = np.clip(generator.gamma((50 / 18) ** 2, 18**2 / 50, n).round(), 2, 150).astype(np.int64)
    total = counts.sum()
    eta, phi = generator.normal(0, 0.15, (2, total))
    constituents = momenta(pt=generator.exponential(10, total), eta=eta, phi=phi, mass=np.zeros(total))
    jets = Jets.of(ak.unflatten(constituents, counts))
    return replace(jets, constituents=ak.to_packed(jets.constituents))


def clouds(x, y, pt, counts):
    """Returns EnergyFlow's layout: one array (particles, 3) of pt, rapidity, azimuth per jet."""
    return np.split(np.stack([pt, x, y], axis=1), np.cumsum(counts)[:-1])


def check(jets):
    """Raises unless both give the same images of jets that are centred already."""
    cloud = prepared(Cloud.of(jets), (centre,))
    ours = pixelate(cloud, pixels=PIXELS, extent=EXTENT)
    ours = ours / ours.sum((1, 2), keepdims=True)
    theirs = np.stack(
        [
            energyflow_pixelate(jet, npix=PIXELS, img_width=2 * EXTENT)[..., 0]
            for jet in clouds(cloud.x, cloud.y, cloud.pt, jets.counts)
        ]
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jets", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    jets = sample(options.jets, seed=1)
    check(jets[:500])
    c = ak.flatten(jets.constituents)
    arrays = clouds(*(ak.to_numpy(c[name]) for name in ("eta", "phi", "pt")), jets.counts)
    works = {
        "energyflow.pixelate": lambda: [
            energyflow_pixelate(jet, npix=PIXELS, img_width=2 * EXTENT)
            for jet in arrays[: options.jets // 10]
        ],
        "jet_images": lambda: jet_images(jets, pixels=PIXELS, extent=EXTENT, steps=(centre, normalise)),
        "jet_images, all steps": lambda: jet_images(jets, pixels=PIXELS, extent=EXTENT, steps=STEPS),
    }
    rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(options.repeats)]
    best = {name: min(walls[name] for walls in rounds) for name in works}
    best["energyflow.pixelate"] *= options.jets / (options.jets // 10)
    print(f"{options.jets} jets, {jets.counts.mean():.0f} constituents each, {PIXELS} x {PIXELS} pixels")
    for name, wall in best.items():
        ratio = best["energyflow.pixelate"] / wall
        print(f"{name:24s} {1e6 * wall / options.jets:8.1f} us per jet {ratio:8.1f} times energyflow")


if __name__ == "__main__":
    main()
