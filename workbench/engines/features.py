"""From jets to the numbers a network is given, and the fixed or fitted scales that bring them near one.

Nothing is clipped and nothing is cut away: the hundredth particle of a jet is an input like the first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from ..data.jets import Jets
from ..errors import DataError, nearest
from ..physics.kinematics import relative
from ..physics.observables import observables
from .batch import Batch, of_jets, of_particles


@dataclass(frozen=True)
class Feature:
    """One number per particle.

    Attributes:
        label: What a plot calls it.
        needs: Field of the constituents that it is made from, beyond the four momentum ("" if none).
        value: Function of (constituents, constituents relative to the jet), both flat, shape (particles,).
        shift: What is subtracted, ...
        scale: ... and what the rest is multiplied by.
    """

    label: str
    needs: str
    value: Callable[[ak.Array, ak.Array], Any]
    shift: float = 0.0
    scale: float = 1.0


def _is(*codes: int) -> Callable[[ak.Array, ak.Array], Any]:
    return lambda c, r: np.isin(np.abs(ak.to_numpy(c.pid)), codes)


def _hadron(charged: bool) -> Callable[[ak.Array, ak.Array], Any]:
    return lambda c, r: (np.abs(ak.to_numpy(c.pid)) > 100) & ((ak.to_numpy(c.charge) != 0) == charged)


FEATURES: Mapping[str, Feature] = {
    "deta": Feature("Δη", "", lambda c, r: r.deta),
    "dphi": Feature("Δφ", "", lambda c, r: r.dphi),
    "log_pt": Feature("log pT", "", lambda c, r: np.log(c.pt), 1.7, 0.7),
    "log_energy": Feature("log E", "", lambda c, r: np.log(c.energy), 2.0, 0.7),
    "log_pt_fraction": Feature("log pT/pT(jet)", "", lambda c, r: np.log(r.pt_fraction), -4.7, 0.7),
    "log_energy_fraction": Feature("log E/E(jet)", "", lambda c, r: np.log(r.energy_fraction), -4.7, 0.7),
    "deltar": Feature("ΔR", "", lambda c, r: r.deltar, 0.2, 4.0),
    "charge": Feature("charge", "charge", lambda c, r: c.charge),
    "charged_hadron": Feature("charged hadron", "pid", _hadron(charged=True)),
    "neutral_hadron": Feature("neutral hadron", "pid", _hadron(charged=False)),
    "photon": Feature("photon", "pid", _is(22)),
    "electron": Feature("electron", "pid", _is(11)),
    "muon": Feature("muon", "pid", _is(13)),
    "d0": Feature("tanh d0/mm", "d0", lambda c, r: np.tanh(c.d0)),
    "dz": Feature("tanh dz/mm", "dz", lambda c, r: np.tanh(c.dz)),
}
"""Features of a particle by name; shifts and scales are those in common use for jets of hundreds of GeV."""

KINEMATIC = ("deta", "dphi", "log_pt", "log_energy", "log_pt_fraction", "log_energy_fraction", "deltar")
"""The seven that need only momenta. The first two are the coordinates in which ParticleNet finds neighbours."""


@dataclass(frozen=True)
class ParticleInputs:
    """Turns jets into particle features with fixed scales.

    Attributes:
        names: Features, from `FEATURES`; deta and dphi come first, named or not.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in FEATURES]
        if unknown:
            msg = f"There is no particle feature {unknown[0]!r}; {nearest(unknown[0], FEATURES)}"
            raise DataError(msg)
        object.__setattr__(self, "names", tuple(dict.fromkeys(("deta", "dphi", *self.names))))

    def __call__(self, jets: Jets) -> Batch:
        """Returns the features, shape (particles, features), float32.

        Raises:
            DataError: the constituents lack a field, or a feature is not finite (a particle of zero pt has no logarithm).
        """
        constituents = ak.flatten(jets.constituents, axis=1)
        seen = ak.flatten(relative(jets), axis=1)
        columns = {}
        for name in self.names:
            feature = FEATURES[name]
            needed = {feature.needs, "charge"} if name.endswith("hadron") else {feature.needs}
            missing = sorted(needed - {"", *ak.fields(constituents)})
            if missing:
                msg = f"The feature {name!r} needs the constituents' {missing[0]!r}, which this sample lacks; take it off the list of features."
                raise DataError(msg)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = ak.to_numpy(ak.Array(feature.value(constituents, seen))).astype(np.float64)
            if not np.isfinite(values).all():
                msg = f"{np.sum(~np.isfinite(values))} particles have no finite {name!r} (zero pt, or a jet without momentum); drop them first."
                raise DataError(msg)
            columns[name] = (values - feature.shift) * feature.scale
        return of_particles(columns, jets.counts)

    def header(self) -> dict[str, Any]:
        """Returns JSON values that rebuild it."""
        return {"of": "particles", "names": list(self.names)}


@dataclass(frozen=True)
class ObservableInputs:
    """Turns jets into observables, (value - mean) / deviation.

    Attributes:
        names: Observables, from `physics.observables`.
        mean: What is subtracted, shape (observables,).
        deviation: What the rest is divided by, shape (observables,).
        fill: True if an undefined observable (tau21 of one particle) becomes 0, that is the training mean;
            False if it stays nan, which trees can use.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    fill: bool

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) < len(self.names):
            msg = f"The observables are {', '.join(self.names) or 'none'}; give at least one, and each once."
            raise DataError(msg)

    @classmethod
    def plain(cls, names: Sequence[str]) -> "ObservableInputs":
        """Returns inputs that leave the values as they are."""
        return cls(tuple(names), (0.0,) * len(names), (1.0,) * len(names), fill=False)

    @classmethod
    def fitted(cls, jets: Jets, names: Sequence[str]) -> "ObservableInputs":
        """Returns inputs scaled to mean 0 and deviation 1 on `jets` (unweighted, undefined values left out).

        One that is the same number for all jets is only shifted.

        Raises:
            DataError: an observable that is defined for no jet, none at all, or one that is named twice.
        """
        mean, deviation = [], []
        found = observables(jets, list(cls.plain(names).names))
        for name, values in found.items():
            defined = values[np.isfinite(values)]
            if not defined.size:
                msg = f"The observable {name!r} is defined for none of the {len(jets)} jets; take it off the list."
                raise DataError(msg)
            mean.append(float(defined.mean()))
            # The deviation of equal numbers is their rounding and not always zero.
            spread = float(defined.std())
            deviation.append(spread if spread > 1e-12 * np.abs(defined).max() else 1.0)
        return cls(tuple(names), tuple(mean), tuple(deviation), fill=True)

    def __call__(self, jets: Jets) -> Batch:
        """Returns the observables, shape (jets, observables), float32 if `fill` and else float64."""
        columns = {}
        values = observables(jets, list(self.names))
        for name, mean, deviation in zip(self.names, self.mean, self.deviation, strict=True):
            column = (np.asarray(values[name], dtype=np.float64) - mean) / deviation
            columns[name] = np.where(np.isfinite(column), column, 0.0) if self.fill else column
        return of_jets(columns, np.float32 if self.fill else np.float64)

    def header(self) -> dict[str, Any]:
        """Returns JSON values that rebuild it."""
        return {
            "of": "observables",
            "names": list(self.names),
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "fill": self.fill,
        }


def inputs_from(header: Mapping[str, Any]) -> ParticleInputs | ObservableInputs:
    """Rebuilds inputs from their header."""
    if header["of"] == "particles":
        return ParticleInputs(tuple(header["names"]))
    return ObservableInputs(
        tuple(header["names"]), tuple(header["mean"]), tuple(header["deviation"]), bool(header["fill"])
    )
