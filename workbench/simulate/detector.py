"""A parametrised detector: tracks, calorimeter cells, and energy flow that counts nothing twice.

After Delphes (arXiv:1307.6346); `cards` says where the numbers come from. Not simulated: bending in the magnetic field,
conversions, nuclear interactions, fake tracks.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..data.events import Events
from ..errors import SimulationError
from .columns import Columns, by_event, flat, joined, kept, ragged

HADRON, ELECTRON, MUON = 0, 1, 2
MASSES = np.array([0.13957, 0.000511, 0.10566])
"""Mass hypotheses of tracks in GeV: pion, electron, muon (PDG)."""
TRACK_PID = np.array([211, -11, -13])
"""PDG id of a track of charge +1."""
UNSEEN = (12, 13, 14, 16)
"""Neutrinos and muons leave nothing in the calorimeters."""
DISPLACED = (310, 3122)
"""K0S and Lambda decay in flight: 30 % of their energy is seen by the electromagnetic calorimeter."""

Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Tracker:
    """Efficiencies and resolutions of tracks; species are charged hadron, electron, muon.

    Attributes:
        eta_edges: Upper |eta| of each efficiency region; beyond the last there are no tracks.
        pt_edges: Lower pT of each efficiency region in GeV; below the first there are no tracks.
        efficiency: Per species, per eta region, one value per pT region.
        resolution_edges: Upper |eta| of each resolution region.
        resolution: Per species, per eta region (a, b): sigma(pT)/pT = sqrt(a^2 + (b pT)^2), b in 1/GeV.
        phi: (a, b): sigma(phi) = sqrt(a^2 + b^2/(pT^2 sin theta)) in rad.
        cot_theta: (a, b): sigma(cot theta) = sqrt(a^2 + b^2/(pT^2 sin^3 theta)).
        d0: (a, b): sigma(d0) = sqrt(a^2 + b^2/(pT^2 sin theta)) in mm.
        dz: (a, b): sigma(dz) = sqrt(a^2 + b^2/(pT^2 sin^3 theta)) in mm.
    """

    eta_edges: tuple[float, ...]
    pt_edges: tuple[float, ...]
    efficiency: tuple[Table, Table, Table]
    resolution_edges: tuple[float, ...]
    resolution: tuple[Table, Table, Table]
    phi: tuple[float, float]
    cot_theta: tuple[float, float]
    d0: tuple[float, float]
    dz: tuple[float, float]

    def efficiencies(self, species: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """Returns the probability that a track is found, shape of `pt`."""
        region = np.searchsorted(self.eta_edges, np.abs(eta))
        step = np.searchsorted(self.pt_edges, pt)
        inside = (region < len(self.eta_edges)) & (step > 0)
        table = np.asarray(self.efficiency)
        found = table[species, np.minimum(region, len(self.eta_edges) - 1), np.maximum(step - 1, 0)]
        return np.where(inside, found, 0.0)

    def resolutions(self, species: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """Returns sigma(pT)/pT, shape of `pt`."""
        last = len(self.resolution_edges) - 1
        region = np.minimum(np.searchsorted(self.resolution_edges, np.abs(eta)), last)
        a, b = np.moveaxis(np.asarray(self.resolution)[species, region], -1, 0)
        return np.hypot(a, b * pt)

    def measure(self, particles: Columns, rng: np.random.Generator) -> Columns:
        """Returns the tracks of charged particles.

        Besides what is measured: `sigma`, the error of the energy in GeV, and `at_eta`, `at_phi`, where the particle enters
        the calorimeters. A track points there, not where its smeared angles do, or energy at the border of a cell would
        be counted twice.
        """
        charged = kept(particles, particles["charge"] != 0)
        species = _species(charged["pid"])
        found = rng.random(len(species)) < self.efficiencies(species, charged["pt"], charged["eta"])
        track, species = kept(charged, found), species[found]
        pt, eta = track["pt"], track["eta"]
        relative = self.resolutions(species, pt, eta)
        sin = 1 / np.cosh(eta)
        d0_error, dz_error = _sum(self.d0, pt, sin, 1), _sum(self.dz, pt, sin, 3)
        noise = rng.standard_normal((4, len(pt)))
        measured = {
            **track,
            "pt": _lognormal(pt, relative * pt, rng),
            "eta": np.arcsinh(np.sinh(eta) + noise[0] * _sum(self.cot_theta, pt, sin, 3)),
            "phi": _wrapped(track["phi"] + noise[1] * _sum(self.phi, pt, sin, 1)),
            "mass": MASSES[species],
            "pid": (TRACK_PID[species] * np.sign(track["charge"])).astype(np.int32),
            "d0": track["d0"] + noise[2] * d0_error,
            "d0_error": d0_error,
            "dz": track["dz"] + noise[3] * dz_error,
            "dz_error": dz_error,
        }
        return {**measured, "sigma": relative * _energy(measured), "at_eta": eta, "at_phi": track["phi"]}


@dataclass(frozen=True)
class Calorimeter:
    """Cells that add up what falls into them, and their resolution.

    Attributes:
        eta_edges: Edges of the rings in eta, ascending.
        phi_cells: Number of cells of each ring, one less than edges.
        resolution_edges: Upper |eta| of each resolution region; the last one also holds beyond.
        resolution: Per region (constant, stochastic, noise): sigma^2 = (c E)^2 + s^2 E + n^2 in GeV.
        energy_min: Smallest energy of a cell, and of a neutral excess, in GeV.
        significance_min: The same in units of its error.
        shape: Per resolution region (a, b, c): sigma is multiplied by a + b (|eta| - c)^2.
    """

    eta_edges: tuple[float, ...]
    phi_cells: tuple[int, ...]
    resolution_edges: tuple[float, ...]
    resolution: Table
    energy_min: float
    significance_min: float
    shape: Table = ()

    def cell(self, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Returns the number of the cell at each place, -1 outside."""
        ring = np.searchsorted(self.eta_edges, eta, side="right") - 1
        inside = (ring >= 0) & (ring < len(self.phi_cells))
        ring = np.where(inside, ring, 0)
        cells = np.asarray(self.phi_cells)
        turn = (phi + np.pi) / (2 * np.pi) % 1.0
        number = self._first()[ring] + np.minimum((turn * cells[ring]).astype(np.int64), cells[ring] - 1)
        return np.where(inside, number, -1)

    def borders(self, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns the lowest and highest eta, and phi in rad, of each cell."""
        first = self._first()
        ring = np.searchsorted(first, cell, side="right") - 1
        width = 2 * np.pi / np.asarray(self.phi_cells)[ring]
        edges = np.asarray(self.eta_edges)
        low = -np.pi + (cell - first[ring]) * width
        return edges[ring], edges[ring + 1], low, low + width

    def sigma(self, energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """Returns the error of an energy in GeV, shape of `energy`."""
        region = np.searchsorted(self.resolution_edges, np.abs(eta))
        region = np.minimum(region, len(self.resolution_edges) - 1)
        constant, stochastic, noise = np.moveaxis(np.asarray(self.resolution)[region], -1, 0)
        sigma = np.sqrt((constant * energy) ** 2 + stochastic**2 * energy + noise**2)
        if self.shape:
            a, b, c = np.moveaxis(np.asarray(self.shape)[region], -1, 0)
            sigma = sigma * (a + b * (np.abs(eta) - c) ** 2)
        return sigma

    def flow(
        self,
        particles: Columns,
        share: np.ndarray,
        tracks: Columns,
        claim: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Columns, Columns]:
        """Returns the neutral excess of each cell above its tracks, and the tracks with their energy improved.

        A cell's energy is the smeared sum of all that falls into it. What exceeds the energy of the tracks that point to it
        becomes a massless neutral object somewhere in the cell, if it is large and significant enough; where it is not, the
        tracks take the weighted mean of both measurements. `share` is the fraction of each particle's energy that is
        deposited here, `claim` the fraction of each track's energy that is expected here.
        """
        hit = self._keys(particles["eta"], particles["phi"], particles["event"], share)
        pointing = self._keys(tracks["at_eta"], tracks["at_phi"], tracks["event"], claim)
        keys, where = np.unique(np.concatenate([hit, pointing]), return_inverse=True)
        into, of = where[: len(hit)], where[len(hit) :]
        true = np.bincount(into, _energy(particles) * share, minlength=len(keys))
        track = np.bincount(of, _energy(tracks) * claim, minlength=len(keys))
        variance = np.bincount(of, (tracks["sigma"] * claim) ** 2, minlength=len(keys))
        eta_low, eta_high, phi_low, phi_high = self.borders(keys % self._total())
        eta = (eta_low + eta_high) / 2
        energy, sigma = self._energies(true, eta, rng)
        seen = (keys >= 0) & (energy > 0)
        excess = np.maximum(energy - track, 0.0)
        neutral = seen & self._significant(excess, np.hypot(sigma, np.sqrt(variance)))
        place = rng.random((2, len(keys)))
        towers = {
            "energy": excess,
            "eta": eta_low + place[0] * (eta_high - eta_low),
            "phi": _wrapped(phi_low + place[1] * (phi_high - phi_low)),
            "event": keys // self._total(),
        }
        shared = seen & ~neutral & (track > 0)
        factor = np.ones(len(keys))
        weight = variance[shared] / (variance[shared] + sigma[shared] ** 2)
        factor[shared] = 1 + weight * (energy[shared] / track[shared] - 1)
        return kept(towers, neutral), _rescaled(tracks, factor[of], claim)

    def _energies(
        self, true: np.ndarray, eta: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns what cells read for true energies, 0 where that is not significant, and the errors a reader assigns."""
        energy = _lognormal(true, self.sigma(true, eta), rng)
        sigma = self.sigma(energy, eta)
        return np.where(self._significant(energy, sigma), energy, 0.0), sigma

    def _significant(self, energy: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return (energy > self.energy_min) & (energy > self.significance_min * sigma)

    def _keys(self, eta: np.ndarray, phi: np.ndarray, event: np.ndarray, part: np.ndarray) -> np.ndarray:
        """Returns a number per event and cell, -1 for what leaves nothing here."""
        cell = self.cell(eta, phi)
        return np.where((cell >= 0) & (part > 0), event * self._total() + cell, -1)

    def _first(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.phi_cells)])[:-1]

    def _total(self) -> int:
        return sum(self.phi_cells)


@dataclass(frozen=True)
class Detector:
    """A tracker, an electromagnetic and a hadronic calorimeter; `Detector()` has the numbers of `ATLAS`.

    Attributes:
        name: What the user calls it.
        tracker: Efficiencies and resolutions of tracks.
        ecal: Electromagnetic calorimeter: electrons and photons.
        hcal: Hadronic calorimeter: hadrons.
    """

    name: str = "ATLAS"
    tracker: Tracker = Tracker(
        eta_edges=(1.5, 2.5),
        pt_edges=(0.1, 1.0, 100.0),
        efficiency=(
            ((0.70, 0.95, 0.95), (0.60, 0.85, 0.85)),
            ((0.73, 0.95, 0.99), (0.50, 0.83, 0.90)),
            ((0.75, 0.99, 0.99), (0.70, 0.98, 0.98)),
        ),
        resolution_edges=(0.5, 1.5, 2.5),
        resolution=(
            ((0.06, 1.3e-3), (0.10, 1.7e-3), (0.25, 3.1e-3)),
            ((0.03, 1.3e-3), (0.05, 1.7e-3), (0.15, 3.1e-3)),
            ((0.01, 1.0e-4), (0.015, 1.5e-4), (0.025, 3.5e-4)),
        ),
        phi=(0.075e-3, 1.8e-3),
        cot_theta=(0.70e-3, 2.0e-3),
        d0=(0.011, 0.073),
        dz=(0.087, 0.115),
    )
    ecal: Calorimeter = Calorimeter(
        eta_edges=(
            *(-5, -4.7, -4.525, -4.35, -4.175, -4, -3.825, -3.65, -3.475, -3.3, -3.125),
            *np.round(np.arange(-170, 171) * 0.0174, 4).tolist(),
            *(3.125, 3.3, 3.475, 3.65, 3.825, 4, 4.175, 4.35, 4.525, 4.7, 5),
        ),
        phi_cells=(*[36] * 11, *[360] * 340, *[36] * 11),
        resolution_edges=(3.2, 4.9),
        resolution=((0.0017, 0.101, 0.0), (0.035, 0.285, 0.0)),
        energy_min=0.5,
        significance_min=2.0,
    )
    hcal: Calorimeter = Calorimeter(
        eta_edges=(
            *(-4.9, -4.7, -4.5, -4.3, -4.1, -3.9, -3.7, -3.5, -3.3, -3, -2.8, -2.6),
            *np.round(np.arange(-25, 26) * 0.1, 1).tolist(),
            *(2.6, 2.8, 3, 3.3, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9),
        ),
        phi_cells=(*[18] * 11, *[36] * 52, *[18] * 11),
        resolution_edges=(1.7, 3.2, 4.9),
        resolution=((0.0302, 0.5205, 1.59), (0.05, 0.706, 0.0), (0.0942, 1.0, 0.0)),
        energy_min=1.0,
        significance_min=2.0,
    )

    def measure(self, events: Events, *, seed: int) -> Events:
        """Returns the events as this detector sees them.

        Args:
            events: With a collection "particles" that has pid and charge, and d0 and dz in mm (0 where absent).
            seed: Of the random numbers; the caller's generators are untouched.

        Returns:
            The same events, "particles" replaced by energy-flow objects: tracks (pid +-211, +-11, +-13; d0, dz and their
            errors) and neutral excesses (pid 22 electromagnetic, 130 hadronic; d0, dz and errors 0, vertex -1), hardest first.

        Raises:
            SimulationError: the particles lack pid or charge.
        """
        particles = flat(events["particles"])
        missing = [name for name in ("pid", "charge") if name not in particles]
        if missing:
            msg = f"A detector needs to know what hits it; the particles lack {' and '.join(missing)}."
            raise SimulationError(msg)
        zero = np.zeros(len(particles["pt"]))
        particles = {"d0": zero, "dz": zero, **particles}
        seen = self.respond(particles, np.random.default_rng(seed))
        seen = ragged(seen, len(events))
        return replace(
            events,
            collections={**events.collections, "particles": seen},
            origin=events.origin.then(f"measured by the {self.name} detector"),
        )

    def respond(self, particles: Columns, rng: np.random.Generator) -> Columns:
        """Returns what `measure` does, on flat columns, by event and hardest first."""
        tracks = self.tracker.measure(particles, rng)
        light, heavy = _shares(particles["pid"])
        track_light, track_heavy = _shares(tracks["pid"])
        photons, tracks = self.ecal.flow(particles, light, tracks, track_light, rng)
        neutrals, tracks = self.hcal.flow(particles, heavy, tracks, track_heavy, rng)
        tracks = {
            name: column for name, column in tracks.items() if name not in ("sigma", "at_eta", "at_phi")
        }
        seen = joined([tracks, _neutral(photons, 22, tracks), _neutral(neutrals, 130, tracks)])
        seen = kept(seen, np.argsort(-seen["pt"], kind="stable"))
        return by_event(seen)


def _species(pid: np.ndarray) -> np.ndarray:
    kind = np.abs(pid)
    return np.where(kind == 11, ELECTRON, np.where(kind == 13, MUON, HADRON))


def _shares(pid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fractions of the energy left in the electromagnetic and in the hadronic calorimeter."""
    kind = np.abs(pid)
    light = np.where(np.isin(kind, (11, 22)), 1.0, np.where(np.isin(kind, DISPLACED), 0.3, 0.0))
    return light, np.where(np.isin(kind, UNSEEN), 0.0, 1.0 - light)


def _sum(terms: tuple[float, float], pt: np.ndarray, sin: np.ndarray, power: int) -> np.ndarray:
    return np.hypot(terms[0], terms[1] / (pt * np.sqrt(sin**power)))


def _energy(columns: Columns) -> np.ndarray:
    return np.hypot(columns["pt"] * np.cosh(columns["eta"]), columns["mass"])


def _lognormal(mean: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns positive numbers of that mean and standard deviation; 0 where the mean is."""
    positive = mean > 0
    b = np.sqrt(np.log1p(np.divide(sigma, mean, out=np.zeros_like(sigma), where=positive) ** 2))
    noise = rng.standard_normal(len(mean))
    return np.where(positive, mean * np.exp(b * noise - b**2 / 2), 0.0)


def _rescaled(tracks: Columns, factor: np.ndarray, claim: np.ndarray) -> Columns:
    scale = np.where(claim > 0, factor, 1.0)
    return {**tracks, "pt": tracks["pt"] * scale, "sigma": tracks["sigma"] * scale}


def _neutral(towers: Columns, pid: int, like: Columns) -> Columns:
    size = len(towers["energy"])
    known = {
        "pt": towers["energy"] / np.cosh(towers["eta"]),
        "eta": towers["eta"],
        "phi": towers["phi"],
        "event": towers["event"],
        "pid": np.full(size, pid, dtype=np.int32),
        # A cell sums all collisions; none of them is its own.
        "vertex": np.full(size, -1, dtype=np.int16),
    }
    return {name: known.get(name, np.zeros(size, dtype=column.dtype)) for name, column in like.items()}


def _wrapped(phi: np.ndarray) -> np.ndarray:
    return np.pi - (np.pi - phi) % (2 * np.pi)
