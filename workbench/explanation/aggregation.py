"""What a network uses, measured over a sample: shares, mean images, pairs and observables, all with errors."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.explanation import Explanation, Ledger
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..engines.training import seeded
from ..errors import ExplanationError
from ..physics.bootstrap import Bootstrap
from ..physics.partitions import PARTITIONS, Axis
from ..progress import Never, Report, Step, Stop, silent
from .dependence import Dependence, dependences, measured, quantities
from .explain import explain
from .mean_images import EXTENT, RelevanceImages, Sums, relevance_images
from .mean_ledger import MeanLedger, mean_ledger
from .pairs import PairShares, PairTable, joined_tables, pair_shares, pair_tables
from .shares import FEATURE, Groups, Shares, Table, of_particles, possible, shares, tables
from .store import Explanations

ALL = "all jets"
OUTCOMES = ("true positive", "false negative", "false positive", "true negative")
"""Signal called signal, signal missed, background called signal, background seen through."""

PORTION = 256
"""Jets explained between two looks at the stop."""


@dataclass(frozen=True)
class Aggregate:
    """What a network uses in a sample.

    Attributes:
        groups: Number of jets of each group: all, each class, and each outcome at the threshold.
        shares: By name of the way to sort the particles, and "feature".
        ledger: Mean of every line of the books: how much of the score the particles make at all.
        images: Mean images of relevance; None where the inputs are observables.
        dependences: Score and relevance against observables.
        missing: Ways to sort that this sample does not allow, and the field that it lacks.
        how: Rule, score, threshold, draws, seed of the draws, jets explained and asked for, fingerprints (JSON values).
    """

    groups: Mapping[str, int]
    shares: Mapping[str, Shares]
    ledger: MeanLedger
    images: RelevanceImages | None
    dependences: tuple[Dependence, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        jets = ", ".join(f"{number:,} {group}" for group, number in self.groups.items())
        return f"Aggregate({jets}; {self.how.get('seed', 'score')}, {self.how.get('rule', '')})"

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Writes every part as a Parquet file of its own and returns their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Any] = {f"shares-{name}": part for name, part in self.shares.items()}
        parts["ledger"] = self.ledger
        if self.images is not None:
            parts["images"] = self.images
        for d in self.dependences:
            parts[f"observable-{d.observable}-{d.quantity}-{d.group}".replace(" ", "-")] = d
        paths = {name: folder / f"{name}.parquet" for name in parts}
        for name, part in parts.items():
            part.to_parquet(paths[name])
        return list(paths.values())


def aggregate(
    fitted: FittedTagger,
    jets: Jets,
    *,
    rule: str = "epsilon",
    seed: str | tuple[str, str] | None = None,
    method: str = "lrp",
    attention: str = "attnlrp",
    threshold: float = 0.0,
    draws: int = 200,
    draw_seed: int = 1,
    kept: Explanations | None = None,
    report: Report = silent,
    stop: Stop | None = None,
) -> Aggregate:
    """Explains every jet and returns what the network uses: sums per bin, so that jets may be as many as you like.

    Args:
        fitted: A fitted tagger.
        jets: Jets; give a mixture of the classes in random order, so that a stop leaves some of each.
        rule: As of `explain`.
        seed: The score, as of `explain`.
        method: As of `explain`.
        attention: As of `explain`.
        threshold: Log-odds above which a jet counts as called signal.
        draws: Bootstrap draws for the errors.
        draw_seed: Their seed.
        kept: Where explanations are kept, so that a jet that was explained once in this way is read; None keeps none.
        report: Told how many jets are done.
        stop: Looked at every 256 jets; when set, the jets explained so far make the result, and `how` says how many.

    Raises:
        ExplanationError: as of `explain`, or stopped before anything was explained.
        DataError: fewer than two draws.
    """
    how = {"rule": rule, "method": method, "attention": attention, "seed": seed}
    parts = explained(fitted, jets, how, report, stop or Never(), kept)
    signal = _signal(fitted, seed)
    found = aggregated(parts, signal=signal, threshold=threshold, draws=draws, draw_seed=draw_seed)
    return replace(found, how={**found.how, "asked": len(jets)})


def explained(
    fitted: FittedTagger,
    jets: Jets,
    how: Mapping[str, Any],
    report: Report = silent,
    stop: Stop | None = None,
    kept: Explanations | None = None,
) -> Iterator[tuple[Jets, Explanation]]:
    """Yields portions of the jets with their explanations, in order, until done or stopped.

    Args:
        how: Named arguments of `explain`.
        kept: Where they are kept, if anywhere.
    """
    stop, done = stop or Never(), 0
    parts = _fresh(fitted, jets, how, stop) if kept is None else kept.portions(fitted, jets, stop=stop, **how)
    for part, explanation in parts:
        yield part, explanation
        done += len(part)
        report(Step(done=done, total=len(jets), unit="jets"))


def _fresh(
    fitted: FittedTagger, jets: Jets, how: Mapping[str, Any], stop: Stop
) -> Iterator[tuple[Jets, Explanation]]:
    for first in range(0, len(jets), PORTION):
        if stop.is_set():
            return
        part = jets[first : first + PORTION]
        yield part, explain(fitted, part, **how)


def aggregated(
    parts: Iterable[tuple[Jets, Explanation]],
    *,
    signal: str = "",
    threshold: float = 0.0,
    draws: int = 200,
    draw_seed: int = 1,
) -> Aggregate:
    """Returns what explanations, however they were made, say of a sample that comes in portions; see `aggregate`.

    Args:
        parts: Jets with their explanations; all portions have the same classes and fields.
        signal: Class that counts as signal; by default the last.

    Raises:
        ExplanationError: not a single jet.
    """
    gathered = _Gathered(signal, threshold)
    for jets, explanation in parts:
        gathered.add(jets, explanation)
    if not gathered.weight:
        msg = "No jet was explained; choose jets, or let the study run longer before it is stopped."
        raise ExplanationError(msg)
    return gathered.result(draws, draw_seed)


def groups_of(
    jets: Jets, score: np.ndarray, signal: str = "", threshold: float = 0.0
) -> dict[str, np.ndarray]:
    """Returns the groups of jets as masks of shape (jets,): all, each class, each outcome; those without jets too.

    Args:
        jets: Jets; those without a known class are in no class and have no outcome.
        score: Their log-odds, shape (jets,).
        signal: Class that counts as signal; by default the last.
        threshold: Log-odds above which a jet counts as called signal.
    """
    groups = {ALL: np.ones(len(jets), dtype=bool)}
    groups |= {name: jets.is_class(name) for name in jets.classes}
    signal = signal or (jets.classes[-1] if jets.classes else "")
    if signal in jets.classes:
        known, true, called = np.asarray(jets.label) >= 0, jets.is_class(signal), score > threshold
        masks = (true & called, true & ~called, known & ~true & called, known & ~true & ~called)
        groups |= dict(zip(OUTCOMES, masks, strict=True))
    return groups


class _Gathered:
    """Sums per jet and bin of all portions so far."""

    def __init__(self, signal: str, threshold: float) -> None:
        self.signal, self.threshold = signal, threshold
        self.weight: list[np.ndarray] = []
        self.masks: list[dict[str, np.ndarray]] = []
        self.tables: list[dict[str, Table]] = []
        self.of_jets: list[dict[str, np.ndarray]] = []
        self.seen: list[dict[str, np.ndarray]] = []
        self.lines: list[Ledger] = []
        self.images: dict[str, Sums] = {}
        self.beyond = np.zeros(2)
        self.missing: dict[str, str] = {}
        self.features: tuple[str, ...] = ()
        self.how: dict[str, Any] = {}

    def add(self, jets: Jets, explanation: Explanation) -> None:
        """Takes one portion in."""
        groups = groups_of(jets, explanation.ledger.score, self.signal, self.threshold)
        self.weight.append(np.asarray(jets.weight, dtype=np.float64))
        self.masks.append(groups)
        self.tables.append(tables(jets, explanation))
        self.of_jets.append(quantities(explanation))
        self.seen.append(measured(jets))
        self.lines.append(explanation.ledger)
        if of_particles(explanation):
            self.missing = possible(jets)
            self._add_images(jets, explanation, groups)
        self.features = explanation.feature_names
        self.how = {k: v for k, v in explanation.how.items() if k != "sample"}

    def _add_images(self, jets: Jets, explanation: Explanation, groups: Mapping[str, np.ndarray]) -> None:
        images, beyond, whole = relevance_images(jets, explanation)
        self.beyond += self.weight[-1] @ beyond, self.weight[-1] @ whole
        for group, mask in groups.items():
            self.images.setdefault(group, Sums()).add(images[mask], self.weight[-1][mask])

    def result(self, draws: int, seed: int) -> Aggregate:
        """Returns the shares, images, profiles and pairs of all that was taken in."""
        weight = np.concatenate(self.weight)
        masks = {name: np.concatenate([part[name] for part in self.masks]) for name in self.masks[0]}
        groups = drawn(masks, weight, draws, seed)
        columns = {name: np.concatenate([part[name] for part in self.of_jets]) for name in self.of_jets[0]}
        seen = {name: np.concatenate([part[name] for part in self.seen]) for name in self.seen[0]}
        how = {"jets": len(weight), "threshold": self.threshold, "draws": draws, "draw_seed": seed}
        return Aggregate(
            {name: int(mask.sum()) for name, (mask, _) in groups.items()},
            {name: self._shares(name, groups) for name in self.tables[0]},
            mean_ledger(self.lines, groups),
            self._images(groups),
            dependences(columns, seen, groups),
            self.missing,
            {**self.how, **how},
        )

    def _shares(self, name: str, groups: Groups) -> Shares:
        axes = PARTITIONS[name].axes if name != FEATURE else (Axis("input feature", names=self.features),)
        parts = [part[name] for part in self.tables]
        joined = (np.concatenate([getattr(part, of) for part in parts]) for of in Table.__annotations__)
        return shares(name, axes, Table(*joined), groups)

    def _images(self, groups: Groups) -> RelevanceImages | None:
        if not self.images:
            return None
        beyond, whole = self.beyond
        means = {group: self.images[group].mean() for group in groups}
        return RelevanceImages(means, EXTENT, float(beyond / whole) if whole > 0 else 0.0)


def drawn(masks: Mapping[str, np.ndarray], weight: np.ndarray, draws: int, seed: int) -> Groups:
    """Returns groups of jets with their draws; a group without jets, or whose weights cancel, has no shares."""
    again = Bootstrap(weight, draws, seed)
    return {name: (mask, again.among(mask)) for name, mask in masks.items() if weight[mask].sum() > 0}


def compare_pairs(
    fitted: FittedTagger,
    jets: Jets,
    *,
    rule: str = "epsilon",
    seed: str | tuple[str, str] | None = None,
    attention: str = "attnlrp",
    untrained_seed: int = 1,
    draws: int = 200,
    draw_seed: int = 1,
    report: Report = silent,
    stop: Stop | None = None,
) -> tuple[PairShares, ...]:
    """Returns the most relevant pairs of a graph network beside random edges and a network that has learned nothing.

    Takes about twice the time of `aggregate` per network, since every edge is booked in double precision.

    Args:
        fitted: A tagger whose network passes messages along edges (ParticleNet).
        jets: Some hundred jets, classes mixed.
        rule: As of `explain`.
        seed: The score, as of `explain`.
        attention: As of `explain`.
        untrained_seed: Seed of the weights of the network that has learned nothing.
        draws: Bootstrap draws for the errors.
        draw_seed: Their seed.
        report: Told how many jets are done, each counted once per network.
        stop: Looked at every 256 jets; what is done by then makes the result.

    Raises:
        ExplanationError: the network has no edges, or nothing was explained.
    """
    stop = stop or Never()
    networks = {True: fitted, False: untrained(fitted, untrained_seed)}
    parts: dict[bool, list[dict[int, PairTable]]] = {True: [], False: []}
    # In turns, so that a stop leaves as many jets of one as of the other.
    for first in range(0, len(jets), PORTION):
        portion = jets[first : first + PORTION]
        for trained, network in networks.items():
            if stop.is_set():
                break
            explanation = explain(network, portion, rule=rule, seed=seed, attention=attention, record=True)
            parts[trained].append(pair_tables(portion, explanation))
            done = 2 * first + len(portion) * (1 if trained else 2)
            report(Step(done=done, total=2 * len(jets), unit="jets"))
    if not parts[True] or not parts[True][0]:
        msg = "No edge was explained: this needs jets, and a network with edges such as ParticleNet."
        raise ExplanationError(msg)
    found = [
        of_pairs(jets[: len(tables) * PORTION], tables, draws, draw_seed, trained=trained)
        for trained, tables in parts.items()
        if tables
    ]
    return tuple(share for part in found for share in part)


def of_pairs(
    jets: Jets, tables: Sequence[Mapping[int, PairTable]], draws: int, seed: int, *, trained: bool = True
) -> list[PairShares]:
    """Returns what the tables of portions, by block, say of the jets that these are, for all and for each class."""
    masks = {ALL: np.ones(len(jets), dtype=bool), **{name: jets.is_class(name) for name in jets.classes}}
    groups = drawn(masks, np.asarray(jets.weight, dtype=np.float64), draws, seed)
    return [
        share
        for block in sorted(tables[0])
        for share in pair_shares(
            joined_tables([part[block] for part in tables]), block, groups, trained=trained
        )
    ]


def untrained(fitted: FittedTagger, seed: int) -> FittedTagger:
    """Returns the same architecture with the weights it would begin to learn from, drawn by this seed.

    Raises:
        ExplanationError: boosted trees, which have no weights before they grow.
    """
    if not isinstance(fitted.network, torch.nn.Module):
        msg = "Boosted trees have no untrained form; choose a network."
        raise ExplanationError(msg)
    like = next(fitted.network.parameters())
    inputs = len(fitted.normaliser.names)
    with seeded(seed):
        network = fitted.engine.build(inputs, len(fitted.classes))
    return replace(fitted, network=network.to(like).eval(), state=None, card=copy.deepcopy(fitted.card))


def _signal(fitted: FittedTagger, seed: str | tuple[str, str] | None) -> str:
    return fitted.classes[-1] if seed is None else seed if isinstance(seed, str) else seed[0]
