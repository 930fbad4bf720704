"""Toy jets with a planted truth and a toy tagger, for tests that need them but no physics."""

from types import SimpleNamespace

import awkward as ak
import numpy as np

from workbench.data.classes import ClassArray
from workbench.data.jets import Jets, momenta
from workbench.data.origin import Origin
from workbench.progress import Outcome


def toy_jets(n, seed, classes=("QCD", "top"), *, mean_constituents=12):
    """Returns n jets; class c is made of c + 1 prongs, 0.35 from the jet axis each (one prong lies on it).

    The truth stands in the columns: "prong" (jets, var) names the prong of each constituent. Labels alternate, all
    jets have pt near 600 GeV, 3 constituents or more, and fields charge, d0, dz (mm) that know nothing of the class.
    """
    generator = np.random.default_rng(seed)
    label = np.arange(n) % len(classes)
    prongs = label + 1
    counts = 3 + generator.poisson(mean_constituents, n)
    jet = np.repeat(np.arange(n), counts)
    total = len(jet)
    prong = generator.integers(0, prongs[jet])
    angle = 2 * np.pi * (prong / prongs[jet] + generator.uniform(size=n)[jet])
    distance = np.where(prongs[jet] == 1, 0.0, 0.35)
    share = generator.exponential(size=total) ** 2 + 1e-3
    share /= np.bincount(jet, share, n)[jet]
    pt = share * generator.uniform(550, 650, n)[jet]
    axis_eta, axis_phi = generator.uniform(-1.5, 1.5, n), generator.uniform(-np.pi, np.pi, n)
    eta = axis_eta[jet] + distance * np.cos(angle) + generator.normal(0, 0.05, total)
    phi = axis_phi[jet] + distance * np.sin(angle) + generator.normal(0, 0.05, total)
    fields = {
        "pt": pt,
        "eta": eta,
        "phi": (phi + np.pi) % (2 * np.pi) - np.pi,
        "mass": np.full(total, 0.13957),
        "charge": generator.integers(-1, 2, total).astype(float),
        "d0": generator.normal(0, 0.02, total),
        "dz": generator.normal(0, 0.05, total),
        "prong": prong,
    }
    order = np.lexsort((-pt, jet))
    constituents = momenta(**{name: ak.unflatten(column[order], counts) for name, column in fields.items()})
    return Jets.of(
        constituents[[name for name in fields if name != "prong"]],
        label=label,
        classes=classes,
        columns={"prong": constituents.prong},
        origin=Origin("toys", kind="simulation", format="toy", settings={"seed": seed}),
    )


class MassCut:
    """Stands in for a fitted tagger: the heavier, the more top; a known score without any training."""

    classes = ("QCD", "top")
    parameters = 1
    seed = 7
    outcome = Outcome.FINISHED
    engine = SimpleNamespace(network="mass cut")

    def score(self, jets, *, stop=None):
        top = 1 / (1 + np.exp(-(np.asarray(jets.p4.mass) - 90) / 20))
        return ClassArray(np.stack([1 - top, top], axis=1), self.classes)
