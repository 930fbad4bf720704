"""Jets with planted truth: it is known which of their particles tell the class, so that a relevance map can be marked."""

import awkward as ak
import numpy as np

from ..data.jets import Jets, momenta, wrapped
from ..data.origin import Origin
from ..errors import SimulationError

CLASSES = ("electrons", "muons")
"""Classes of planted jets, named after what tells them apart."""

KINDS = ((211, 1.0), (-211, -1.0), (22, 0.0), (130, 0.0))
"""PDG id and charge of the particles that tell nothing: charged pions, photons, neutral kaons."""

WIDTH = 0.15
"""Spread of the particles around the jet axis in eta and phi."""


def planted_jets(
    n: int, seed: int, *, carriers: int = 2, against: int = 1, particles: float = 12.0, shuffled: bool = False
) -> Jets:
    """Returns jets whose class is told by a few known particles and by nothing else.

    A jet of the first class has `carriers` electrons and `against` muons, one of the second as many muons and electrons; and
    a random number of pions, photons and neutral kaons of the same distributions in both classes. Leptons are like any other
    particle in pT, in angle and in mass (zero for all), so that only their kind tells: most speak for the class and a few
    against it.

    Args:
        n: Number of jets; classes take turns.
        seed: The same seed gives the same jets.
        carriers: Leptons of the kind of the class per jet.
        against: Leptons of the other kind, fewer.
        particles: Mean number of the other particles; each jet has at least one.
        shuffled: Whether the labels are drawn anew, so that nothing tells them any more.

    Returns:
        Jets with the column "carrier", shape (jets, var), True for the leptons, which tell the class.

    Raises:
        SimulationError: no jets, no carriers or no other particles are asked for, or as many speak against the class.
    """
    if n < 1 or not 0 <= against < carriers or particles <= 0:
        msg = f"Found {n} jets with {carriers} carriers, {against} against them and {particles:g} other particles; give at least one jet, more carriers than against them, and a positive mean."
        raise SimulationError(msg)
    generator = np.random.default_rng(seed)
    label = np.arange(n) % len(CLASSES)
    counts = carriers + against + 1 + generator.poisson(particles, n)
    jet = np.repeat(np.arange(n), counts)
    pt = generator.exponential(size=len(jet)) ** 1.5 + 1e-3
    pt *= (generator.uniform(550, 650, n) / np.bincount(jet, pt, n))[jet]
    # Sorted before anything is planted: a carrier is of any rank with the same probability.
    order = np.lexsort((-pt, jet))
    rank = np.concatenate([generator.permutation(count) for count in counts])
    carrier = rank < carriers + against
    pid, charge = np.array(KINDS)[generator.integers(len(KINDS), size=len(jet))].T
    sign = generator.choice([-1.0, 1.0], size=len(jet))
    # Electrons are 11, muons 13: of the class of the jet, or the other one.
    lepton = np.where(rank < carriers, 11 + 2 * label[jet], 13 - 2 * label[jet])
    axis = generator.uniform(-1.5, 1.5, n), generator.uniform(-np.pi, np.pi, n)
    eta, phi = (centre[jet] + generator.normal(0, WIDTH, len(jet)) for centre in axis)
    fields = {
        "pt": pt[order],
        "eta": eta,
        "phi": wrapped(phi),
        "mass": np.zeros(len(jet)),
        "pid": np.where(carrier, -sign * lepton, pid).astype(np.int64),
        "charge": np.where(carrier, sign, charge),
    }
    settings = {
        "seed": seed,
        "carriers": carriers,
        "against": against,
        "particles": particles,
        "shuffled": shuffled,
    }
    return Jets.of(
        momenta(**{name: ak.unflatten(values, counts) for name, values in fields.items()}),
        label=generator.permutation(label) if shuffled else label,
        classes=CLASSES,
        columns={"carrier": ak.unflatten(carrier, counts)},
        origin=Origin("planted jets", kind="simulation", format="planted", settings=settings),
    )
