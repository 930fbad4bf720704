"""Does the score do what the map says? Particles are taken away, neighbours found again, and the score looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import awkward as ak
import numpy as np
import torch

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.batch import Batch
from ..engines.fitted import FittedTagger
from ..engines.training import predict, threads
from ..engines.trees import Trees
from ..errors import ExplanationError
from ..physics.bootstrap import Bootstrap, Estimate
from ..progress import Never, Report, Step, Stop, silent
from .resampling import DRAWS, mean
from .score import Seed, direction
from .tabular import Tabular

FRACTIONS = (0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0)
"""Shares of a jet's particles that are taken away; with each the share that is then left, so that both ends are measured."""

ORDERS = ("most", "least", "random")
"""The particles with the largest relevance first, those with the smallest first, and any order."""

SHUFFLES = 2
"""Random orders per jet."""

REMOVALS = 20
"""Random sets of particles taken away per jet, for infidelity."""

SHARE = 0.2
"""Share of the particles in such a set."""


@dataclass(frozen=True)
class DeletionCurves(Tabular):
    """The score for the class that the tagger chose, while particles are taken away in three orders.

    Of a jet that it took for background the score and the relevance count with the opposite sign, so that the most
    relevant particles are those that speak most for what the tagger said.

    What is kept when all but a share f is taken away, least relevant first, is what has been put in, most relevant
    first: the insertion curve is the deletion curve in the opposite order, read from its other end.

    Attributes:
        fractions: Share of the particles taken away, shape (steps,), from 0 to 1.
        scores: By order ("most", "least", "random") the score for the chosen class in log-odds, shape (jets, steps).
        weight: Of each jet, shape (jets,).
        draws: Samples drawn for the errors.
        seed: Of these draws.
    """

    fractions: np.ndarray
    scores: dict[str, np.ndarray]
    weight: np.ndarray
    draws: int = DRAWS
    seed: int = 0

    def deletion(self, order: str) -> Estimate:
        """Returns the mean change of the score, shape (steps,), when particles are taken away in an order."""
        return self._mean(self.scores[order] - self.scores[order][:, :1])

    def insertion(self, order: str) -> Estimate:
        """Returns the mean score less that of no particles, shape (steps,), when they are put in; `fractions` are put in.

        Where `fractions` do not hold the share that is left beside the share that is gone, the score between two steps is
        taken from the straight line that joins them.
        """
        opposite = {"most": "least", "least": "most"}.get(order, order)
        kept = np.stack([np.interp(1 - self.fractions, self.fractions, row) for row in self.scores[opposite]])
        return self._mean(kept - kept[:, :1])

    @property
    def gaps(self) -> dict[str, Estimate]:
        """How far the map is better than chance, in log-odds: the area between two curves, paired jet by jet.

        "most": the random curve over that of the most relevant first; "least": that of the least relevant first over
        the random one. A map that knows nothing has zero for both.
        """
        most, least, random = (np.trapezoid(self.scores[order], self.fractions, axis=1) for order in ORDERS)
        return {"most": self._mean(random - most), "least": self._mean(least - random)}

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per order and step: "order", "fraction", "change", "error" (both in log-odds)."""
        curves = {order: self.deletion(order) for order in ORDERS}
        return {
            "order": np.repeat(np.array(ORDERS, dtype=object), len(self.fractions)),
            "fraction": np.tile(self.fractions, len(ORDERS)),
            "change": np.concatenate([curve.value for curve in curves.values()]),
            "error": np.concatenate([curve.error for curve in curves.values()]),
        }

    def _mean(self, values: np.ndarray) -> Estimate:
        return mean(values, self.weight, draws=self.draws, seed=self.seed)


def deletion_curves(
    fitted: FittedTagger,
    jets: Jets,
    explanation: Explanation,
    *,
    fractions: Sequence[float] = FRACTIONS,
    score: Seed = None,
    shuffles: int = SHUFFLES,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> DeletionCurves:
    """Returns what the score does when the particles of each jet are taken away in the order of their relevance.

    A particle is taken away from what the network sees: the axis of the jet stays, neighbours are found again. Particles of
    equal relevance go in random order, or else the map would borrow the order of their pT.

    Args:
        fitted: A network that sees particles.
        jets: The jets; those without particles are left out.
        explanation: Of these jets.
        fractions: Shares taken away, rising, from 0 to 1.
        score: Which score; give the one that was explained.
        shuffles: Random orders per jet, averaged.
        draws: Samples drawn for the errors.
        seed: Of these draws and of all random orders.
        report: Told after each step.
        stop: Looked at before each step; half a comparison shows nothing, so that an error says that it was stopped.

    Raises:
        ExplanationError: a tagger or explanation without particles, other jets, or a stop before the end.
    """
    seen = _Seen.of(fitted, jets, explanation, score)
    steps = np.asarray(fractions, dtype=float)
    if steps.ndim != 1 or len(steps) < 2 or steps[0] != 0 or steps[-1] != 1 or (np.diff(steps) <= 0).any():
        msg = f"The shares to take away are {fractions}; give rising numbers from 0 to 1."
        raise ExplanationError(msg)
    generator, stop = np.random.default_rng(seed), stop or Never()
    chosen = np.where(seen.score(np.ones(len(seen.relevance), bool)) < 0, -1.0, 1.0)
    speaks = seen.relevance * chosen[seen.jet]
    orders = {"most": [-speaks], "least": [speaks]}
    orders["random"] = [generator.random(len(seen.relevance)) for _ in range(shuffles)]
    total, done = sum(map(len, orders.values())) * len(steps), 0
    scores: dict[str, np.ndarray] = {}
    for name, keys in orders.items():
        curves = np.zeros((len(seen), len(steps)))
        for key in keys:
            place = seen.places(key, generator.random(len(key)))
            for column, share in enumerate(steps):
                if stop.is_set():
                    msg = "Stopped before all orders were measured; start again, with fewer jets if it takes too long."
                    raise ExplanationError(msg)
                gone = np.rint(share * seen.counts).astype(int)
                curves[:, column] += chosen * seen.score(place >= gone[seen.jet]) / len(keys)
                done += 1
                report(Step(done=done, total=total, unit="steps"))
        scores[name] = curves
    return DeletionCurves(steps, scores, np.asarray(jets.weight)[jets.counts > 0], draws, seed)


def infidelity(
    fitted: FittedTagger,
    jets: Jets,
    explanation: Explanation,
    *,
    score: Seed = None,
    removals: int = REMOVALS,
    share: float = SHARE,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Estimate:
    """Returns how badly the map tells what the score loses when random particles are taken away together.

    The mean square of (sum of their relevance - what the score loses) over the mean square of what it loses, both over sets
    and jets: a jet that hardly loses anything cannot decide. 0 is a map that tells every loss, 1 is as good as one that is
    zero everywhere; nan if no score ever changes.

    Args:
        fitted: A network that sees particles.
        jets: The jets.
        explanation: Of these jets.
        score: Which score; give the one that was explained.
        removals: Random sets per jet.
        share: Share of the particles in a set, at least one.
        draws: Samples drawn for the error.
        seed: Of these draws and of the sets.
        report: Told after each set.
        stop: When set, the sets so far are used; there is always one.

    Raises:
        ExplanationError: a tagger or explanation without particles, or other jets.

    Source: arXiv:1901.09392, definition 2.1, with sets of particles taken away as perturbations and scaled by the loss.
    """
    seen, stop = _Seen.of(fitted, jets, explanation, score), stop or Never()
    generator = np.random.default_rng(seed)
    whole = seen.score(np.ones(len(seen.relevance), bool))
    wrong, lost = np.zeros(len(seen)), np.zeros(len(seen))
    for number in range(removals):
        if number and stop.is_set():
            break
        gone = np.maximum(1, np.rint(share * seen.counts)).astype(int)
        kept = seen.places(generator.random(len(seen.relevance))) >= gone[seen.jet]
        loss = whole - seen.score(kept)
        told = np.bincount(seen.jet, np.where(kept, 0.0, seen.relevance), len(seen))
        wrong += (told - loss) ** 2
        lost += loss**2
        report(Step(done=number + 1, total=removals, unit="sets"))
    weight = np.asarray(jets.weight)[jets.counts > 0]
    return Bootstrap(weight, draws, seed).ratio(wrong[:, None], lost)[0]


@dataclass(frozen=True)
class _Seen:
    """What a network sees of the jets that have particles, and how it scores parts of them."""

    fitted: FittedTagger
    batch: Batch
    relevance: np.ndarray
    counts: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, fitted: FittedTagger, jets: Jets, explanation: Explanation, score: Seed) -> "_Seen":
        weights, _ = direction(fitted.classes, score)
        counts = jets.counts
        if isinstance(fitted.network, Trees) or fitted.inputs(jets[:1]).counts is None:
            msg = "The tagger sees observables of the whole jet, so no particle can be taken away; take a network on particles."
            raise ExplanationError(msg)
        found = ak.to_numpy(ak.num(ak.Array(explanation.relevance), axis=1))
        if not np.array_equal(found, counts):
            msg = f"The explanation is of {len(found)} jets and there are {len(counts)}, or their particles differ; explain these jets."
            raise ExplanationError(msg)
        if not counts.any():
            msg = "No jet has a particle that could be taken away; choose other jets."
            raise ExplanationError(msg)
        filled = counts > 0
        relevance = np.asarray(ak.to_numpy(ak.flatten(ak.Array(explanation.relevance), axis=1)), dtype=float)
        return cls(fitted, fitted.inputs(jets[filled]), relevance, counts[filled], weights)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def jet(self) -> np.ndarray:
        return np.repeat(np.arange(len(self)), self.counts)

    def places(self, key: np.ndarray, tie: np.ndarray | None = None) -> np.ndarray:
        """Returns the place of each particle in its jet when sorted by a key, equal ones by `tie`, from 0."""
        order = np.lexsort((key, self.jet) if tie is None else (tie, key, self.jet))
        starts = np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        place = np.empty(len(key), dtype=int)
        place[order] = np.arange(len(key)) - starts
        return place

    def score(self, kept: np.ndarray) -> np.ndarray:
        """Returns the score of the jets with only the particles kept, shape (jets,)."""
        rows = torch.from_numpy(np.flatnonzero(kept))
        counts = torch.from_numpy(np.bincount(self.jet[kept], minlength=len(self)).astype(np.int64))
        part = replace(self.batch, x=self.batch.x.index_select(0, rows), counts=counts)
        with threads(self.fitted.engine.threads):
            logits = predict(self.fitted.network, part).double().numpy()  # type: ignore[arg-type]
        return logits @ self.weights
