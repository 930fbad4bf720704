"""How relevance is shared among particle types, ranks, angles, subjets, cells of the Lund plane or input features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import hist
import numpy as np

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..errors import ExplanationError, nearest
from ..physics.bootstrap import Bootstrap, Estimate
from ..physics.partitions import PARTITIONS, Axis, Sorted, histogram, lacking, tabulated
from .tabular import Tabular

FEATURE = "feature"
"""Name of the shares of the input features (of the observables, where these are the inputs)."""

Groups = Mapping[str, tuple[np.ndarray, Bootstrap]]
"""Groups of jets by name: a mask of shape (jets,), and the draws of the jets that it keeps."""

QUANTITIES = {
    "signed": "net share of relevance",
    "absolute": "share of relevance",
    "amount": "mean relevance per jet [log-odds]",
    "mean": "mean relevance of a particle [log-odds]",
    "particles": "share of particles",
    "momentum": "share of pT",
    "cumulative": "cumulative share of relevance",
}
"""Fields of `Shares` in words."""


@dataclass(frozen=True)
class Table:
    """Sums over the particles of each jet that lie in each bin, each of shape (jets, bins + 1); the last bin is elsewhere.

    Attributes:
        signed: Of the relevance.
        absolute: Of its magnitude.
        particles: Of ones.
        momentum: Of pT in GeV.
    """

    signed: np.ndarray
    absolute: np.ndarray
    particles: np.ndarray
    momentum: np.ndarray


@dataclass(frozen=True)
class Shares(Tabular):
    """Shares of relevance in the bins of one way to sort particles, for several groups of jets.

    Every share is a ratio of sums over jets, weights respected; errors are those of a bootstrap over jets. Shape
    (groups, bins), two axes as one with the first slowest.

    Attributes:
        name: Of the way to sort: a name of `PARTITIONS`, or "feature".
        axes: Its axes.
        groups: Names of the groups.
        jets: Number of jets of each, shape (groups,).
        signed: Sum of relevance over the sum of |relevance| of all particles: evidence for minus evidence against.
        absolute: Sum of |relevance| over the sum of |relevance| of all particles; with `elsewhere` they add up to 1.
        amount: Sum of relevance in the bin per jet, in units of the score; what two classes differ by in it separates them.
        mean: Mean relevance of a particle in the bin, in units of the score.
        particles: Share of the particles, which |relevance| would follow if all counted the same.
        momentum: Share of the pT.
        cumulative: `absolute` added up from the first bin on; None where the bins have no order.
        elsewhere: Share of |relevance| that lies in no bin, shape (groups,).
    """

    name: str
    axes: tuple[Axis, ...]
    groups: tuple[str, ...]
    jets: np.ndarray
    signed: Estimate
    absolute: Estimate
    amount: Estimate
    mean: Estimate
    particles: Estimate
    momentum: Estimate
    cumulative: Estimate | None
    elsewhere: Estimate

    def of(self, group: str, quantity: str = "absolute") -> Estimate:
        """Returns a quantity of one group, shape (bins,).

        Raises:
            ExplanationError: no such group or quantity.
        """
        found = getattr(self, quantity) if quantity in QUANTITIES else None
        if found is None:
            msg = f"There is no quantity {quantity!r} of {self.name!r}; {nearest(quantity, QUANTITIES)}"
            raise ExplanationError(msg)
        if group not in self.groups:
            msg = f"There is no group {group!r}; {nearest(group, self.groups)}"
            raise ExplanationError(msg)
        return found[self.groups.index(group)]  # type: ignore[no-any-return]

    def difference(self, first: str, second: str, quantity: str = "absolute") -> Estimate:
        """Returns first minus second for two groups that share no jet."""
        return self.of(first, quantity).minus(self.of(second, quantity))

    def histogram(self, group: str, quantity: str = "absolute") -> hist.Hist:
        """Returns a quantity of one group as a `hist` histogram with variances."""
        return histogram(self.axes, self.of(group, quantity))

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per group and bin: "group", "jets", "bin" (in words), and value and error of each quantity."""
        words = [axis.words for axis in self.axes]
        bins = words[0] if len(words) == 1 else tuple(f"{a}; {b}" for a in words[0] for b in words[1])
        rows: dict[str, np.ndarray] = {
            "group": np.repeat(np.array(self.groups, dtype=object), len(bins)),
            "jets": np.repeat(self.jets, len(bins)),
            "bin": np.tile(np.array(bins, dtype=object), len(self.groups)),
        }
        for quantity in QUANTITIES:
            found: Estimate | None = getattr(self, quantity)
            if found is not None:
                rows |= found.columns(quantity)
        return rows


def possible(jets: Jets) -> dict[str, str]:
    """Returns the ways to sort these particles that cannot be taken, and the field that is missing for each."""
    return {name: field for name, way in PARTITIONS.items() if (field := lacking(way, jets))}


def tables(jets: Jets, explanation: Explanation) -> dict[str, Table]:
    """Returns the sums per jet and bin for every possible way to sort, and for the input features."""
    found = {FEATURE: _features(explanation)}
    if not of_particles(explanation):
        return found
    relevance = ak.to_numpy(ak.flatten(explanation.relevance, axis=1)).astype(np.float64)
    pt = ak.to_numpy(ak.flatten(jets.constituents.pt, axis=1)).astype(np.float64)
    values = (relevance, np.abs(relevance), np.ones(len(pt)), pt)
    ways, sample = possible(jets), Sorted(jets)
    for name, way in PARTITIONS.items():
        if name not in ways:
            place = way.sort(sample)
            found[name] = Table(*(tabulated(place, each, jets.counts, way.bins) for each in values))
    return found


def of_particles(explanation: Explanation) -> bool:
    """Returns True where relevance is that of particles, False where it is that of observables."""
    return isinstance(explanation.relevance, ak.Array)


def _features(explanation: Explanation) -> Table:
    features = explanation.features
    jets = len(explanation)
    if of_particles(explanation):
        signed, absolute = (
            ak.to_numpy(ak.sum(part, axis=1)).reshape(jets, -1).astype(np.float64)
            for part in (features, np.abs(features))
        )
    else:
        signed, absolute = np.asarray(features, dtype=np.float64), np.abs(np.asarray(features, float))
    ones = np.ones_like(signed)
    parts = (np.pad(part, ((0, 0), (0, 1))) for part in (signed, absolute, ones, ones))
    return Table(*parts)


def shares(name: str, axes: tuple[Axis, ...], table: Table, groups: Groups) -> Shares:
    """Returns the shares of each group."""
    ordered = name in PARTITIONS and PARTITIONS[name].ordered
    parts: dict[str, list[Estimate]] = {quantity: [] for quantity in (*QUANTITIES, "elsewhere")}
    for mask, draws in groups.values():
        signed, absolute, size, momentum = (
            part[mask] for part in (table.signed, table.absolute, table.particles, table.momentum)
        )
        total, jets = absolute.sum(1), np.ones(len(signed))
        parts["signed"].append(draws.ratio(signed[:, :-1], total))
        parts["absolute"].append(draws.ratio(absolute[:, :-1], total))
        parts["amount"].append(draws.ratio(signed[:, :-1], jets))
        parts["mean"].append(draws.ratio(signed[:, :-1], size[:, :-1]))
        parts["particles"].append(draws.ratio(size[:, :-1], size.sum(1)))
        parts["momentum"].append(draws.ratio(momentum[:, :-1], momentum.sum(1)))
        parts["elsewhere"].append(draws.ratio(absolute[:, -1:], total)[0])
        if ordered:
            parts["cumulative"].append(draws.ratio(absolute[:, :-1], total, running=True))
    number = np.array([int(mask.sum()) for mask, _ in groups.values()])
    made: dict[str, Any] = {quantity: _stacked(found) for quantity, found in parts.items() if found}
    return Shares(name, axes, tuple(groups), number, **{"cumulative": None, **made})


def _stacked(found: list[Estimate]) -> Estimate:
    return Estimate(np.stack([e.value for e in found]), np.stack([e.error for e in found]))
