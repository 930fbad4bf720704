"""Ways to sort the particles of a jet: by type, rank, angle, momentum, charge, subjet, place in the Lund plane."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import awkward as ak
import hist
import numpy as np

from ..data.jets import Jets
from .bootstrap import Estimate
from .history import trees
from .kinematics import relative
from .substructure import subjets

ELSEWHERE = -1
"""Bin of a particle that lies in none."""

SUBJETS = 3
"""Subjets into which a jet is taken apart: as many as a top quark has prongs."""

RANKS = 40
"""Particles, from the hardest on, that have a bin of their own."""


@dataclass(frozen=True)
class Axis:
    """Bins with edges, or bins with names.

    Attributes:
        label: What stands at it, without unit.
        unit: "GeV", "rad" or "".
        edges: Edges, shape (bins + 1,); empty where the bins have names.
        names: Names of the bins; empty where they have edges.
    """

    label: str
    unit: str = ""
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names) or len(self.edges) - 1

    def place(self, values: np.ndarray) -> np.ndarray:
        """Returns the bin of each value, the last edge included; `ELSEWHERE` for values outside and undefined ones."""
        edges = np.asarray(self.edges)
        found = np.searchsorted(edges, values, side="right") - 1
        found = np.where(values == edges[-1], len(self) - 1, found)
        return np.where((values >= edges[0]) & (values <= edges[-1]), found, ELSEWHERE)

    @property
    def words(self) -> tuple[str, ...]:
        """Each bin in words: its name, or "from to"."""
        pairs = zip(self.edges[:-1], self.edges[1:], strict=True)
        return self.names or tuple(f"{low:.4g} to {high:.4g}" for low, high in pairs)

    def as_hist(self) -> Any:
        """Returns the axis of a `hist` histogram."""
        label = f"{self.label} [{self.unit}]" if self.unit else self.label
        if self.names:
            return hist.axis.StrCategory(list(self.names), label=label, overflow=False)
        return hist.axis.Variable(list(self.edges), label=label)


def histogram(axes: tuple[Axis, ...], estimate: Estimate) -> hist.Hist:
    """Returns flat bins, first axis slowest, as a `hist` histogram of values and variances (squared errors)."""
    kinds: list[Any] = [axis.as_hist() for axis in axes]
    made = hist.Hist(*kinds, storage=hist.storage.Weight())
    view: Any = made.view()
    shape = tuple(len(axis) for axis in axes)
    view.value = estimate.value.reshape(shape)
    view.variance = estimate.error.reshape(shape) ** 2
    return made


@dataclass(frozen=True)
class Partition:
    """One way to sort particles.

    Attributes:
        name: What it is called.
        axes: Its one or two axes; the bin is counted with the first axis slowest.
        needs: Fields of the constituents beyond the four momentum.
        sort: Returns the bin of every particle, one jet after the other, shape (particles,).
        about: What it is, with every choice made.
        ordered: Whether shares may be added up along it.
    """

    name: str
    axes: tuple[Axis, ...]
    sort: Callable[["Sorted"], np.ndarray]
    about: str
    needs: tuple[str, ...] = ()
    ordered: bool = False

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(np.prod([len(axis) for axis in self.axes]))


class Sorted:
    """A sample whose particles are sorted in several ways: what they share is computed once."""

    def __init__(self, jets: Jets) -> None:
        self.jets = jets

    @cached_property
    def relative(self) -> ak.Array:
        """The particles as their jets see them, flat."""
        return ak.flatten(relative(self.jets), axis=1)

    @cached_property
    def rank(self) -> np.ndarray:
        """Place of each particle in the order of pT, 1 for the hardest, shape (particles,)."""
        order = ak.argsort(self.jets.constituents.pt, axis=1, ascending=False, stable=True)
        return ak.to_numpy(ak.flatten(ak.argsort(order, axis=1), axis=1)) + 1

    def field(self, name: str) -> np.ndarray:
        """Returns a field of the constituents, flat."""
        return ak.to_numpy(ak.flatten(self.jets.constituents[name], axis=1))


def _species(s: Sorted) -> np.ndarray:
    pid, charged = np.abs(s.field("pid")), s.field("charge") != 0
    kinds = [pid == 22, pid == 11, pid == 13, (pid > 100) & charged, (pid > 100) & ~charged]
    return np.select(kinds, (2, 3, 4, 0, 1), default=5)


def _charge(s: Sorted) -> np.ndarray:
    return np.where(s.field("charge") != 0, 0, 1)


def _vertex(s: Sorted) -> np.ndarray:
    return np.where(s.field("charge") == 0, 2, np.where(s.field("vertex") == 0, 0, 1))


def _rank(s: Sorted) -> np.ndarray:
    return RANK.place(s.rank.astype(float))


def _deltar(s: Sorted) -> np.ndarray:
    return DELTAR.place(ak.to_numpy(s.relative.deltar))


def _momentum(s: Sorted) -> np.ndarray:
    return FRACTION.place(ak.to_numpy(s.relative.pt_fraction))


def _subjet(s: Sorted) -> np.ndarray:
    return ak.to_numpy(ak.flatten(subjets(s.jets, SUBJETS), axis=1))


def _lund(s: Sorted) -> np.ndarray:
    ln_angle, ln_kt = emission_of(s.jets)
    across, up = LUND[0].place(ln_angle), LUND[1].place(ln_kt)
    return np.where((across >= 0) & (up >= 0), across * len(LUND[1]) + up, ELSEWHERE)


def emission_of(jets: Jets) -> tuple[np.ndarray, np.ndarray]:
    """Returns ln 1/Delta and ln kT/GeV of the primary emission that each particle came with, each of shape (particles,).

    nan for what is left at the end of the hardest branch: it was never emitted. Clustering and variables are those of
    `lund.primary_lund_plane`.

    Source: arXiv:1807.04758, section 2.
    """
    first = np.cumsum(jets.counts) - jets.counts
    found = np.full((2, int(jets.counts.sum())), np.nan)
    for tree in trees(jets, "cambridge"):
        nodes = np.full(tree.momenta.shape[:2], -1)
        for row, s in tree.primary():
            nodes[row, tree.softer[row, s]] = s
        row, slot = np.nonzero((merge := tree.descend(nodes)) >= 0)
        s = merge[row, slot]
        angle, pt = tree.deltar[row, s], tree.momenta[row, tree.softer[row, s], 4]
        with np.errstate(divide="ignore"):
            found[:, first[tree.rows[row]] + slot] = -np.log(angle), np.log(pt * angle)
    return found[0], found[1]


def _edges(low: float, high: float, bins: int) -> tuple[float, ...]:
    return tuple(float(edge) for edge in np.linspace(low, high, bins + 1))


RANK = Axis("rank in pT", "", _edges(0.5, RANKS + 0.5, RANKS))
DELTAR = Axis("ΔR to the jet axis", "", _edges(0.0, 0.8, 16))
FRACTION = Axis("pT / pT(jet)", "", tuple(float(edge) for edge in np.geomspace(1e-4, 1.0, 17)))
LUND = (Axis("ln 1/Δ", "", _edges(0.0, 6.0, 12)), Axis("ln kT/GeV", "", _edges(-4.0, 6.0, 10)))

_TABLE = (
    Partition(
        "species",
        (
            Axis(
                "particle type",
                names=("charged hadron", "neutral hadron", "photon", "electron", "muon", "other"),
            ),
        ),
        _species,
        "by PDG id; a hadron is charged as its charge says",
        ("pid", "charge"),
    ),
    Partition("charge", (Axis("charge", names=("charged", "neutral")),), _charge, "by charge", ("charge",)),
    Partition(
        "vertex",
        (Axis("vertex", names=("charged, hard collision", "charged, pile-up", "neutral")),),
        _vertex,
        "charged by the vertex they came from; neutral particles leave no track that tells",
        ("charge", "vertex"),
    ),
    Partition("rank", (RANK,), _rank, "by pT in the jet, 1 for the hardest", ordered=True),
    Partition("deltar", (DELTAR,), _deltar, "distance to the jet's axis in η and φ", ordered=True),
    Partition("fraction", (FRACTION,), _momentum, "pT over the pT of the jet", ordered=True),
    Partition(
        "subjet",
        (Axis("subjet", names=("hardest", "second", "third")),),
        _subjet,
        f"{SUBJETS} exclusive kT subjets, E scheme, rapidity and azimuth, ordered by pT",
    ),
    Partition(
        "lund",
        LUND,
        _lund,
        "cell of the primary Lund plane of the emission a particle came with; what ends the hardest branch has none",
    ),
)

PARTITIONS = {partition.name: partition for partition in _TABLE}
"""Every way to sort by its name."""


def lacking(partition: Partition, jets: Jets) -> str:
    """Returns the field that the constituents lack for this, or ""."""
    fields = ak.fields(jets.constituents)
    return next((name for name in partition.needs if name not in fields), "")


def tabulated(place: np.ndarray, values: np.ndarray, counts: np.ndarray, bins: int) -> np.ndarray:
    """Returns the sum of `values` (particles,) per jet and bin, shape (jets, bins + 1): the last is for `ELSEWHERE`."""
    row = np.repeat(np.arange(len(counts)), counts) * (bins + 1)
    column = np.where(place >= 0, place, bins)
    sums = np.bincount(row + column, weights=values, minlength=len(counts) * (bins + 1))
    return sums.reshape(len(counts), bins + 1)
