"""Minimum-bias collisions overlaid on hard ones."""

from dataclasses import dataclass

import numpy as np

from .columns import Columns, by_event, joined
from .generator import Generator

SPREAD = 53.0
"""Standard deviation of the collision point along the beam in mm (Delphes cards `delphes_card_CMS_PileUp.tcl` and `CMS_PhaseII_200PU_v03.tcl`)."""
POOL = 400
"""Minimum-bias events of one chunk; each use turns the event by a random azimuth."""


@dataclass(frozen=True)
class Pileup:
    """A pool of inelastic collisions.

    Attributes:
        particles: As in `Generated`.
        first: First row of each event, and the end, shape (events + 1,).
    """

    particles: Columns
    first: np.ndarray

    @classmethod
    def generated(cls, energy: float, tune: tuple[str, ...], seed: int) -> "Pileup":
        """Returns a fresh pool: inelastic proton-proton collisions at `energy` GeV, multiple interactions on."""
        settings = (*tune, "SoftQCD:inelastic = on", f"Beams:eCM = {energy}")
        made = Generator(settings, seed).batch(POOL)
        counts = np.bincount(made.particles["event"], minlength=made.events)
        return cls(made.particles, np.concatenate([[0], np.cumsum(counts)]))

    def overlay(
        self, hard: Columns, events: int, mean: float, rng: np.random.Generator
    ) -> tuple[Columns, np.ndarray]:
        """Returns the particles of all vertices with their `vertex` (0 = hard), and the number of others per event.

        The number is Poisson distributed with the given mean; dz is measured from the hard vertex.
        """
        number = rng.poisson(mean, events)
        host = np.repeat(np.arange(events), number)
        start = np.concatenate([[0], np.cumsum(number)])[:-1]
        vertex = np.arange(len(host)) - start[host] + 1
        pick = rng.integers(len(self.first) - 1, size=len(host))
        turn = rng.uniform(-np.pi, np.pi, len(host))
        shift = rng.normal(0.0, SPREAD, len(host)) - rng.normal(0.0, SPREAD, events)[host]
        sizes = np.diff(self.first)[pick]
        use = np.repeat(np.arange(len(host)), sizes)
        begin = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        rows = self.first[pick][use] + np.arange(len(use)) - begin[use]
        soft = {name: column[rows] for name, column in self.particles.items()}
        soft["phi"] = np.pi - (np.pi - soft["phi"] - turn[use]) % (2 * np.pi)
        soft["dz"] = soft["dz"] + shift[use]
        soft["event"] = host[use]
        soft["vertex"] = vertex[use].astype(np.int16)
        all_hard = {**hard, "vertex": np.zeros(len(hard["pt"]), dtype=np.int16)}
        return by_event(joined([all_hard, soft])), number
