"""Jets whose every particle is known."""

import awkward as ak
import numpy as np

from workbench.data import Jets
from workbench.data.jets import momenta, wrapped


def jets_of(*clouds, **more):
    """Returns jets of the given particles, each (pt, eta, phi) or (pt, eta, phi, mass)."""
    rows = np.array([(*p, 0.0)[:4] for cloud in clouds for p in cloud], dtype=float).reshape(-1, 4)
    particles = momenta(**dict(zip(("pt", "eta", "phi", "mass"), rows.T, strict=True)))
    return Jets.of(ak.unflatten(particles, [len(cloud) for cloud in clouds]), **more)


def random_jets(n, *, seed, mean=30, mass=0.14):
    """Returns jets about random axes, all azimuths crossed; every jet has at least three particles."""
    rng = np.random.default_rng(seed)
    counts = 3 + rng.poisson(mean, n)
    total = counts.sum()
    eta, phi = (np.repeat(rng.uniform(-a, a, n), counts) + rng.normal(0, 0.25, total) for a in (2.0, np.pi))
    particles = momenta(
        pt=rng.exponential(10, total) + 0.1, eta=eta, phi=wrapped(phi), mass=np.full(total, mass)
    )
    return Jets.of(
        ak.unflatten(particles, counts),
        label=rng.integers(0, 2, n),
        classes=("QCD", "top"),
        weight=rng.normal(1, 1, n),
        columns={"truth": rng.normal(size=n)},
    )


def shuffled(jets, *, seed):
    """Returns the same jets with their particles in another order."""
    rng = np.random.default_rng(seed)
    order = ak.argsort(ak.unflatten(rng.random(jets.counts.sum()), jets.counts))
    return Jets(
        jets.constituents[order], jets.p4, jets.label, jets.classes, jets.weight, jets.columns, jets.origin
    )


def turned(jets, turns=1):
    """Returns the same jets with every azimuth of a particle given so many turns later."""
    c = jets.constituents
    later = ak.with_field(c, c.phi + turns * 2 * np.pi, "phi")
    return Jets(later, jets.p4, jets.label, jets.classes, jets.weight, jets.columns, jets.origin)


def split_collinearly(jets, *, share=0.3):
    """Returns the jets with every particle replaced by two massless ones in exactly its direction."""
    c = jets.constituents
    halves = [momenta(pt=c.pt * part, eta=c.eta, phi=c.phi, mass=c.mass * 0) for part in (share, 1 - share)]
    return Jets.of(ak.concatenate(halves, axis=1), p4=jets.p4)


def cartesian(jets):
    """Returns the constituents as FastJet wants them."""
    c = jets.constituents
    return ak.zip({"px": c.px, "py": c.py, "pz": c.pz, "E": c.energy}, with_name="Momentum4D")
