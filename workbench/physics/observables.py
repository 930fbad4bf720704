"""The observables of a jet, by name: one number per jet, with label, unit and range."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import awkward as ak
import numpy as np

from ..data.jets import Jets
from ..errors import DataError, nearest
from . import substructure
from .kinematics import fraction


class Measured:
    """A sample on which several observables are read off: what they share is computed once, and only if asked for."""

    def __init__(self, jets: Jets) -> None:
        self.jets = jets

    def p4(self, name: str) -> np.ndarray:
        """Returns a component of the four-momentum that the source states, shape (jets,)."""
        return ak.to_numpy(getattr(self.jets.p4, name))

    @cached_property
    def groomed(self) -> Jets:
        """The jets after soft drop with z_cut = 0.1, beta = 0."""
        return substructure.soft_drop(self.jets)

    @cached_property
    def tau(self) -> np.ndarray:
        """tau_1, tau_2, tau_3 with beta = 1 and winner-takes-all kT axes, shape (jets, 3)."""
        return substructure.n_subjettinesses(self.jets, (1, 2, 3))

    @cached_property
    def correlators(self) -> tuple[np.ndarray, np.ndarray]:
        """e2 and e3 with beta = 1, each of shape (jets,)."""
        return substructure.energy_correlators(self.jets)


@dataclass(frozen=True)
class Observable:
    """One number per jet.

    Attributes:
        name: What it is called in expressions and columns.
        label: What stands at an axis, without unit.
        unit: "GeV", "rad" or "".
        function: Takes the sample, returns shape (jets,); nan where it is not defined.
        bins: Usual binning: number, lowest, highest.
        about: What it is, with every choice made.
    """

    name: str
    label: str
    unit: str
    function: Callable[[Measured], np.ndarray]
    bins: tuple[int, float, float]
    about: str


_TAU = "winner-takes-all kT axes, beta = 1, R0 = 0.8, rapidity and azimuth"
_ECF = "beta = 1, z = pT over the constituents' scalar sum, rapidity and azimuth"
_SD = "soft drop z_cut = 0.1, beta = 0 (modified mass drop), Cambridge/Aachen, massive constituents"

_TABLE = (
    Observable("pt", "pT", "GeV", lambda m: m.p4("pt"), (50, 0, 1000), "of the jet as its source states it"),
    Observable(
        "eta", "η", "", lambda m: m.p4("eta"), (50, -2.5, 2.5), "of the jet's axis; 0 without momentum"
    ),
    Observable("phi", "φ", "rad", lambda m: m.p4("phi"), (50, -np.pi, np.pi), "of the jet's axis"),
    Observable("energy", "energy", "GeV", lambda m: m.p4("energy"), (50, 0, 2000), "of the jet"),
    Observable("mass", "mass", "GeV", lambda m: m.p4("mass"), (50, 0, 250), "of the jet, ungroomed"),
    Observable(
        "sd_mass",
        "soft-drop mass",
        "GeV",
        lambda m: ak.to_numpy(m.groomed.p4.mass),
        (50, 0, 250),
        f"after {_SD}",
    ),
    Observable(
        "sd_z",
        "soft-drop z",
        "",
        lambda m: np.asarray(m.groomed.columns["sd_z"]),
        (50, 0, 0.5),
        f"momentum sharing where {_SD} stopped; nan where nothing passed",
    ),
    Observable(
        "sd_deltar",
        "soft-drop ΔR",
        "",
        lambda m: np.asarray(m.groomed.columns["sd_deltar"]),
        (50, 0, 1.0),
        f"opening angle where {_SD} stopped; nan where nothing passed",
    ),
    Observable(
        "multiplicity",
        "constituents",
        "",
        lambda m: substructure.multiplicity(m.jets),
        (60, -0.5, 119.5),
        "number of constituents",
    ),
    Observable("tau1", "τ1", "", lambda m: m.tau[:, 0], (50, 0, 0.6), f"{_TAU}; nan without constituents"),
    Observable("tau2", "τ2", "", lambda m: m.tau[:, 1], (50, 0, 0.4), f"{_TAU}; nan without constituents"),
    Observable("tau3", "τ3", "", lambda m: m.tau[:, 2], (50, 0, 0.3), f"{_TAU}; nan without constituents"),
    Observable(
        "tau21",
        "τ2/τ1",
        "",
        lambda m: fraction(m.tau[:, 1], m.tau[:, 0]),
        (50, 0, 1),
        f"{_TAU}; nan where tau1 is 0 (fewer than two constituents)",
    ),
    Observable(
        "tau32",
        "τ3/τ2",
        "",
        lambda m: fraction(m.tau[:, 2], m.tau[:, 1]),
        (50, 0, 1),
        f"{_TAU}; nan where tau2 is 0 (fewer than three constituents)",
    ),
    Observable(
        "e2", "e2", "", lambda m: m.correlators[0], (50, 0, 0.3), f"two-point energy correlator, {_ECF}"
    ),
    Observable(
        "e3", "e3", "", lambda m: m.correlators[1], (50, 0, 0.02), f"three-point energy correlator, {_ECF}"
    ),
    Observable(
        "c2",
        "C2",
        "",
        lambda m: fraction(m.correlators[1], m.correlators[0] ** 2),
        (50, 0, 0.6),
        f"e3 / e2^2, {_ECF}; nan where e2 is 0",
    ),
    Observable(
        "d2",
        "D2",
        "",
        lambda m: fraction(m.correlators[1], m.correlators[0] ** 3),
        (50, 0, 10),
        f"e3 / e2^3, {_ECF}; nan where e2 is 0",
    ),
    Observable(
        "girth",
        "girth",
        "rad",
        lambda m: substructure.girth(m.jets),
        (50, 0, 0.6),
        "pT-weighted mean distance from the jet's axis, rapidity and azimuth; nan without constituents",
    ),
    Observable(
        "pt_dispersion",
        "pT dispersion",
        "",
        lambda m: substructure.pt_dispersion(m.jets),
        (50, 0, 1),
        "sqrt(sum pT^2) / sum pT; nan without constituents",
    ),
)

OBSERVABLES = {observable.name: observable for observable in _TABLE}
"""Every observable by its name."""


def observables(jets: Jets, names: Sequence[str] = tuple(OBSERVABLES)) -> dict[str, np.ndarray]:
    """Returns the observables asked for, by name, each float64 of shape (jets,); nan only where `about` says so.

    Raises:
        DataError: a name is not known.
    """
    for name in names:
        if name not in OBSERVABLES:
            msg = f"There is no observable {name!r}; {nearest(name, OBSERVABLES)}"
            raise DataError(msg)
    measured = Measured(jets)
    return {name: np.asarray(OBSERVABLES[name].function(measured), dtype=np.float64) for name in names}
