"""Pythia 8 in this process, batch by batch, as flat columns (arXiv:2203.11601)."""

from dataclasses import dataclass, field

import awkward as ak
import numpy as np
import pythia8mc

from ..errors import SimulationError
from .columns import Columns, kept

INVISIBLE = (12, 14, 16)
COMMON = (
    "Print:quiet = on",
    "Print:verbosity = 0",
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 10.",
)
"""Particles with c tau above 10 mm are stable, as the LHC experiments define the particle level."""


@dataclass(frozen=True)
class Generated:
    """One batch of events.

    Attributes:
        events: Number of events.
        particles: Visible stable particles: pt, eta, phi, mass (GeV, rad), pid, charge, true d0 and dz (mm), event.
        record: The whole event record: pid, status, mother (index into these columns), pt, eta, phi, mass, event.
        pt_hat: Transverse momentum of the hard scattering in GeV, shape (events,).
        weight: Event weight, shape (events,).
    """

    events: int
    particles: Columns
    record: Columns
    pt_hat: np.ndarray
    weight: np.ndarray


@dataclass
class Generator:
    """One initialised Pythia.

    Attributes:
        settings: Pythia settings, one per line.
        seed: Between 1 and 900,000,000.

    Raises:
        SimulationError: Pythia refuses a setting or cannot start.
    """

    settings: tuple[str, ...]
    seed: int
    pythia: pythia8mc.Pythia = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.pythia = pythia8mc.Pythia("", False)
        lines = (*self.settings, *COMMON, "Random:setSeed = on", f"Random:seed = {self.seed}")
        for line in lines:
            if not self.pythia.readString(line):
                msg = f"Pythia does not know the setting {line!r}; look it up in its manual."
                raise SimulationError(msg)
        if not self.pythia.init():
            msg = f"Pythia could not start with {'; '.join(self.settings)}; widen the pT window or choose another tune."
            raise SimulationError(msg)

    def batch(self, events: int) -> Generated:
        """Returns the next `events` events (fewer where Pythia gave an event up)."""
        made = self.pythia.nextBatch(events)
        record = self._record(made)
        final = (record["status"] > 0) & ~np.isin(np.abs(record["pid"]), INVISIBLE)
        particles = self._particles(kept(record, final), made, final)
        return Generated(
            len(made),
            particles,
            record,
            np.sqrt(ak.to_numpy(made.info.pT2Hat)),
            ak.to_numpy(made.info.weights[:, 0]),
        )

    def cross_section(self) -> tuple[float, float]:
        """Returns the cross-section of the generated phase space and its error in mb."""
        info = self.pythia.infoPython()
        return info.sigmaGen(), info.sigmaErr()

    def _record(self, made: ak.Array) -> Columns:
        counts = ak.to_numpy(ak.num(made.prt))
        entries = ak.flatten(made.prt)
        px, py, pz = (ak.to_numpy(entries.p[name]) for name in ("px", "py", "pz"))
        pt = np.hypot(px, py)
        event = np.repeat(np.arange(len(counts)), counts)
        first = np.concatenate([[0], np.cumsum(counts)])[:-1]
        return {
            "pid": ak.to_numpy(entries.id),
            "status": ak.to_numpy(entries.status),
            "mother": ak.to_numpy(entries.mother1) + first[event],
            "pt": pt,
            "eta": np.arcsinh(np.divide(pz, pt, out=np.full_like(pz, np.inf), where=pt > 0)),
            "phi": np.arctan2(py, px),
            # A virtual parton's mass is negative in the record; only final particles are ever used with theirs.
            "mass": ak.to_numpy(entries.m),
            "event": event,
        }

    def _particles(self, final: Columns, made: ak.Array, keep: np.ndarray) -> Columns:
        vertex = ak.flatten(made.prt.vProd)[keep]
        x, y, z = (ak.to_numpy(ak.fill_none(vertex[name], 0.0)) for name in ("px", "py", "pz"))
        cos, sin = np.cos(final["phi"]), np.sin(final["phi"])
        return {
            "pt": final["pt"],
            "eta": final["eta"],
            "phi": final["phi"],
            "mass": np.maximum(final["mass"], 0.0),
            "pid": final["pid"],
            "charge": self._charges(final["pid"]),
            "d0": y * cos - x * sin,
            "dz": z - (x * cos + y * sin) * np.sinh(final["eta"]),
            "event": final["event"],
        }

    def _charges(self, pid: np.ndarray) -> np.ndarray:
        kinds, which = np.unique(pid, return_inverse=True)
        table = np.array([self.pythia.particleData.charge(int(kind)) for kind in kinds])
        return np.round(table[which]).astype(np.int8)
