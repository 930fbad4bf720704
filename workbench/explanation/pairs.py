"""Which pairs of particles a graph network looks at: its most relevant edges beside edges taken blindly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import awkward as ak
import hist
import numpy as np

from ..data.explanation import Explanation
from ..data.jets import MOMENTUM, Jets, wrapped
from ..physics.bootstrap import Estimate
from ..physics.partitions import SUBJETS, Axis, histogram
from ..physics.substructure import subjets
from .shares import Groups
from .tabular import Tabular

TOP = 10
"""Most relevant pairs of each jet whose distances, masses and kT are shown."""

MOST = 20
"""Largest number of pairs for which the share between subjets is followed."""

SPECTRA = {
    "deltar": Axis("ΔR of the pair", "", tuple(np.linspace(0, 1.2, 13).tolist())),
    "mass": Axis("mass of the pair", "GeV", tuple(np.geomspace(0.1, 200, 13).tolist())),
    "kt": Axis("kT of the pair", "GeV", tuple(np.geomspace(0.01, 200, 13).tolist())),
}
"""What is looked at: ΔR in η and φ, the invariant mass, and kT = min(pT_i, pT_j) ΔR."""

RELEVANT, BLIND, UNTRAINED = "most relevant", "random edges", "untrained network"
"""Where pairs come from: the network's most relevant ones; any of its graph (expectation, nothing is drawn); and the most
relevant ones of a network that has learned nothing."""


@dataclass(frozen=True)
class PairTable:
    """Sums over the pairs of each jet, for one block of one network.

    Attributes:
        spectra: Number of its `TOP` pairs in each bin and, last, outside, by name, each of shape (jets, bins + 1).
        blind: The same expected of as many pairs of its graph taken at random.
        between: Number of pairs between different subjets among its 1, 2, ... `MOST` most relevant, shape (jets, MOST).
        blind_between: The same expected of pairs taken at random.
        number: How many pairs these are: fewer where a jet has fewer, shape (jets, MOST).
        edges: Sum of the relevance of all edges of the block, shape (jets,); `edges_absolute` that of its magnitude.
        shortcut: Sum of the relevance that goes past the edges, shape (jets,); `shortcut_absolute` that of its magnitude.
    """

    spectra: Mapping[str, np.ndarray]
    blind: Mapping[str, np.ndarray]
    between: np.ndarray
    blind_between: np.ndarray
    number: np.ndarray
    edges: np.ndarray
    edges_absolute: np.ndarray
    shortcut: np.ndarray
    shortcut_absolute: np.ndarray


@dataclass(frozen=True)
class PairShares(Tabular):
    """What is found of the pairs of one block, in one group of jets, with errors by bootstrap over jets.

    Attributes:
        source: `RELEVANT`, `BLIND` or `UNTRAINED`.
        block: Number of the block of the network, from 0.
        group: Name of the group.
        jets: Number of its jets.
        spectra: Share of the `TOP` pairs in each bin of `SPECTRA`, by name, shape (bins,).
        between: Share of the 1, 2, ... `MOST` pairs that join different kT subjets, shape (MOST,).
        shortcut: Share of |relevance| that reaches the block past its edges, shape (); the map of edges does not show it.
    """

    source: str
    block: int
    group: str
    jets: int
    spectra: Mapping[str, Estimate]
    between: Estimate
    shortcut: Estimate

    def histogram(self, name: str) -> hist.Hist:
        """Returns a spectrum as a `hist` histogram with variances."""
        return histogram((SPECTRA[name],), self.spectra[name])

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per bin of each spectrum and per number of pairs ("between subjets")."""
        parts = [(name, SPECTRA[name].words, found) for name, found in self.spectra.items()]
        parts.append(("between subjets", tuple(f"top {n}" for n in range(1, MOST + 1)), self.between))
        size = sum(len(words) for _, words, _ in parts)
        rows: dict[str, np.ndarray] = {
            name: np.full(size, getattr(self, name), dtype=object) for name in ("source", "block", "group")
        }
        rows["what"] = np.concatenate([np.full(len(words), name, dtype=object) for name, words, _ in parts])
        rows["bin"] = np.concatenate([np.array(words, dtype=object) for _, words, _ in parts])
        rows["share"] = np.concatenate([found.value for *_, found in parts])
        rows["share_error"] = np.concatenate([found.error for *_, found in parts])
        rows["shortcut"] = np.full(size, float(self.shortcut.value))
        rows["shortcut_error"] = np.full(size, float(self.shortcut.error))
        return rows


def blocks(explanation: Explanation) -> list[int]:
    """Returns the numbers of the blocks whose edges were recorded."""
    return [int(name.split()[1]) for name in explanation.recorded if name.startswith("edges ")]


def pair_tables(jets: Jets, explanation: Explanation) -> dict[int, PairTable]:
    """Returns the sums per jet of each block whose edges were recorded."""
    member = ak.to_numpy(ak.flatten(subjets(jets, SUBJETS), axis=1))
    return {block: _table(jets, explanation, block, member) for block in blocks(explanation)}


def _table(jets: Jets, explanation: Explanation, block: int, member: np.ndarray) -> PairTable:
    recorded = explanation.recorded
    edges = recorded[f"edges {block}"]
    past = recorded.get(f"blocks.{block}.shortcut")
    past = ak.zeros_like(jets.constituents.pt) if past is None else past
    jet, one, other, relevance = joined_pairs(edges, jets.counts)
    order = np.lexsort((-np.abs(relevance), jet))
    jet, one, other = jet[order], one[order], other[order]
    pairs = np.bincount(jet, minlength=len(jets))
    rank = np.arange(len(jet)) - (np.cumsum(pairs) - pairs)[jet]
    number = np.minimum(pairs[:, None], np.arange(1, MOST + 1))
    apart = member[one] != member[other]
    blind_share = np.bincount(jet, weights=apart, minlength=len(jets)) / np.maximum(pairs, 1)
    seen = pair_momenta(jets, one, other)
    bins = {name: _binned(SPECTRA[name], values) for name, values in seen.items()}
    few = np.minimum(pairs, TOP)
    return PairTable(
        {name: _counted(place[rank < TOP], jet[rank < TOP], name, len(jets)) for name, place in bins.items()},
        {
            name: _counted(place, jet, name, len(jets)) * (few / np.maximum(pairs, 1))[:, None]
            for name, place in bins.items()
        },
        np.stack(
            [np.bincount(jet[c], minlength=len(jets)) for c in (apart & (rank < n + 1) for n in range(MOST))],
            1,
        ),
        blind_share[:, None] * number,
        number,
        *(np.asarray(ak.sum(part, axis=1), float) for part in (edges.relevance, np.abs(edges.relevance))),
        *(np.asarray(ak.sum(part, axis=1), float) for part in (past, np.abs(past))),
    )


def joined_pairs(
    edges: ak.Array, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns jet, two particles (counted through the sample) and relevance of each pair that an edge joins.

    The two directions of a pair are one, with the sum of their relevance. Each of shape (pairs,).
    """
    starts = np.cumsum(counts) - counts
    sizes = ak.to_numpy(ak.num(edges.relevance, axis=1))
    jet = np.repeat(np.arange(len(counts)), sizes)
    i, j, relevance = (ak.to_numpy(ak.flatten(edges[name], axis=1)) for name in ("i", "j", "relevance"))
    low, high = starts[jet] + np.minimum(i, j), starts[jet] + np.maximum(i, j)
    total = int(counts.sum())
    pair, which = np.unique(low * max(total, 1) + high, return_inverse=True)
    one, other = np.divmod(pair, max(total, 1))
    return (
        np.searchsorted(np.cumsum(counts), one, side="right"),
        one,
        other,
        np.bincount(which, weights=relevance, minlength=len(pair)),
    )


def pair_momenta(jets: Jets, one: np.ndarray, other: np.ndarray) -> dict[str, np.ndarray]:
    """Returns ΔR, mass in GeV and kT in GeV of pairs of particles (counted through the sample), by name."""
    flat = ak.flatten(jets.constituents, axis=1)
    pt, eta, phi, mass = (ak.to_numpy(flat[name]).astype(np.float64) for name in MOMENTUM)
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)
    momentum = np.stack([energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    sums = momentum[:, one] + momentum[:, other]
    deltar = np.hypot(eta[one] - eta[other], wrapped(phi[one] - phi[other]))
    squared = sums[0] ** 2 - (sums[1:] ** 2).sum(axis=0)
    return {
        "deltar": deltar,
        "mass": np.sqrt(np.maximum(squared, 0.0)),
        "kt": np.minimum(pt[one], pt[other]) * deltar,
    }


def _binned(axis: Axis, values: np.ndarray) -> np.ndarray:
    place = axis.place(values)
    return np.where(place >= 0, place, len(axis))


def _counted(place: np.ndarray, jet: np.ndarray, name: str, jets: int) -> np.ndarray:
    bins = len(SPECTRA[name]) + 1
    return np.bincount(jet * bins + place, minlength=jets * bins).reshape(jets, bins).astype(np.float64)


def pair_shares(table: PairTable, block: int, groups: Groups, *, trained: bool = True) -> list[PairShares]:
    """Returns what is found in each group: of the most relevant and of random pairs, or of an untrained network."""
    found = []
    for group, (mask, again) in groups.items():
        number, few = table.number[mask], table.number[mask][:, TOP - 1]
        past, through = table.shortcut_absolute[mask], table.edges_absolute[mask]
        share = again.ratio(past[:, None], past + through)[0]
        sources: Sequence[tuple[str, Mapping[str, np.ndarray], np.ndarray]] = (
            (RELEVANT if trained else UNTRAINED, table.spectra, table.between),
            (BLIND, table.blind, table.blind_between),
        )
        for source, spectra, between in sources if trained else sources[:1]:
            shares = {name: again.ratio(of[mask][:, :-1], few) for name, of in spectra.items()}
            across = again.ratio(between[mask], number)
            found.append(PairShares(source, block, group, int(mask.sum()), shares, across, share))
    return found


def joined_tables(parts: Sequence[PairTable]) -> PairTable:
    """Returns the tables of portions of a sample as that of all of them."""

    def together(values: list[Any]) -> Any:
        if isinstance(values[0], np.ndarray):
            return np.concatenate(values)
        return {name: np.concatenate([value[name] for value in values]) for name in values[0]}

    return PairTable(*(together([getattr(part, f.name) for part in parts]) for f in fields(PairTable)))
