"""Infrared and collinear safety of any tagger, measured: what a soft emission or a collinear split does to its score.

A safe score does not change when a particle of no momentum is added or when one is split into two that fly together
(Sterman and Weinberg, PRL 39 (1977) 1436; for networks arXiv:1810.05165).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import awkward as ak
import hist
import numpy as np
import pandas as pd

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..engines.weights import network_fingerprint
from ..errors import ExplanationError
from ..physics.bootstrap import Estimate
from ..physics.distributions import Bins, distribution
from ..progress import Never, Report, Step, Stop, silent
from .edits import add, split
from .resampling import DRAWS, mean
from .score import JETS_AT_ONCE, Seed, direction, log_odds
from .tabular import Tabular

FRACTIONS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1)
"""Momentum of the soft particle as a share of the jet's pT."""

ANGLES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4)
"""Distance of the two that a particle is split into, in (eta, phi)."""

SAFE = 1e-3
"""A mean |change| below this share of the scores' spread counts as none; single precision alone makes 1e-6 of it."""

SOFT, COLLINEAR = "soft emission", "collinear split"
AT = {SOFT: "of momentum fraction", COLLINEAR: "at angle"}
"""What comes between the emission and its value in a sentence."""


@dataclass(frozen=True)
class Safety(Tabular):
    """What emissions of one kind do to the score of a sample.

    Attributes:
        emission: "soft emission" or "collinear split".
        values: Momentum fractions, or angles in (eta, phi), smallest first, shape (points,).
        changes: Score with the emission minus score without, in log-odds, shape (points, jets).
        score: Score without, in log-odds, shape (jets,).
        weight: Of the jets, shape (jets,).
        left_out: Number of jets without particles or momentum, which nothing can be emitted from.
        draws: Number of bootstrap samples behind the errors.
        draw_seed: Their seed.
        how: Score, share, radius, fingerprints (JSON values).
    """

    emission: str
    values: np.ndarray
    changes: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    left_out: int = 0
    draws: int = DRAWS
    draw_seed: int = 0
    how: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Safety({self.sentence})"

    @cached_property
    def size(self) -> Estimate:
        """Mean |change| over jets in log-odds, with bootstrap errors, shape (points,)."""
        return mean(np.abs(self.changes).T, self.weight, draws=self.draws, seed=self.draw_seed)

    @cached_property
    def drift(self) -> Estimate:
        """Mean signed change over jets in log-odds, with bootstrap errors, shape (points,)."""
        return mean(self.changes.T, self.weight, draws=self.draws, seed=self.draw_seed)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the score over the jets, weights respected, in log-odds: what a change is large or small against.

        nan where the weights cancel.
        """
        if not self.weight.sum() > 0:
            return float("nan")
        mean_score = np.average(self.score, weights=self.weight)
        return float(np.sqrt(np.average((self.score - mean_score) ** 2, weights=self.weight).clip(min=0)))

    @property
    def safe(self) -> bool:
        """True where the gentlest emission changes the score by less than `SAFE` of its spread, on average."""
        return bool(self.size.value[0] <= SAFE * self.spread)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        at = f"{AT[self.emission]} {self.values[0]:g}"
        size = f"{self.size.value[0]:.2g} ± {self.size.error[0]:.1g} log-odds"
        of = (
            f"{self.size.value[0] / self.spread:.1%} of their spread"
            if self.spread
            else "all scores are equal"
        )
        verdict = "safe within rounding" if self.safe else "not safe"
        return f"A {self.emission} {at} changes the scores by {size} on average ({of}): {verdict}."

    def histogram(self, point: int, bins: Bins = 50) -> hist.Hist:
        """Returns the distribution of the change at one of the values, weights respected."""
        return distribution(self.changes[point], bins, self.weight, "change of the score", "log-odds")

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per value: "value", "size", "drift" and their errors (log-odds), "jets"."""
        return {
            "value": np.asarray(self.values, dtype=float),
            **self.size.columns("size"),
            **self.drift.columns("drift"),
            "jets": np.full(len(self.values), len(self.score)),
        }

    def frame(self) -> pd.DataFrame:
        """Returns the columns as a table, with the kind of emission."""
        return pd.DataFrame({"emission": self.emission, **self.columns()})


def soft_safety(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed = None,
    *,
    fractions: Sequence[float] = FRACTIONS,
    radius: float = 0.8,
    draws: int = DRAWS,
    draw_seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Safety:
    """Measures what one soft photon per jet does to the score.

    It falls anywhere on a disc around the jet's axis, at the same place for every momentum fraction.

    Args:
        fitted: A tagger.
        jets: Jets.
        seed: Which score, see `score.direction`.
        fractions: Momentum of the photon as shares of the jet's pT, above 0.
        radius: Of the disc in (eta, phi).
        draws: Number of bootstrap samples behind the errors.
        draw_seed: Seed of the places and of the bootstrap.
        report: Told how many jets are done, all fractions counted.
        stop: Looked at while at work; the fractions done so far are returned.

    Raises:
        ExplanationError: no jets with particles, no fraction above 0, or stopped before the first was done.
    """
    values = _checked(fractions, "momentum fraction", above_zero=True)
    generator = np.random.default_rng(draw_seed)
    distance = radius * np.sqrt(generator.uniform(size=len(jets)))
    angle = generator.uniform(0, 2 * np.pi, len(jets))

    def emitted(value: float, jets: Jets, chosen: np.ndarray) -> Jets:
        pt, way = value * ak.to_numpy(jets.p4.pt), (distance[chosen], angle[chosen])
        return add(jets, pt, way[0] * np.cos(way[1]), way[0] * np.sin(way[1]), 22)

    how = {"radius": radius}
    return _measured(fitted, jets, seed, SOFT, values, emitted, how, draws, draw_seed, report, stop)


def collinear_safety(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed = None,
    *,
    angles: Sequence[float] = ANGLES,
    share: float = 0.5,
    draws: int = DRAWS,
    draw_seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Safety:
    """Measures what splitting one particle per jet in two does to the score.

    The particle is drawn with a probability as its share of the pT; the second of the pair is a photon, so that charge is
    conserved. The same particle is split in the same direction at every angle; at angle 0 no four-momentum changes.

    Args:
        fitted: A tagger.
        jets: Jets.
        seed: Which score, see `score.direction`.
        angles: Distances of the pair in (eta, phi), 0 or more.
        share: Momentum fraction of the photon.
        draws: Number of bootstrap samples behind the errors.
        draw_seed: Seed of particles and directions and of the bootstrap.
        report: Told how many jets are done, all angles counted.
        stop: Looked at while at work; the angles done so far are returned.

    Raises:
        ExplanationError: no jets with particles, no angle from 0 on, or stopped before the first was done.
        DataError: a share outside (0, 1).
    """
    values = _checked(angles, "angle", above_zero=False)
    generator = np.random.default_rng(draw_seed)
    luck, azimuth = generator.uniform(size=len(jets)), generator.uniform(0, 2 * np.pi, len(jets))

    def emitted(value: float, jets: Jets, chosen: np.ndarray) -> Jets:
        return split(jets, by_momentum(jets, luck[chosen]), share, value, azimuth[chosen])

    how = {"share": share}
    return _measured(fitted, jets, seed, COLLINEAR, values, emitted, how, draws, draw_seed, report, stop)


def irc_safety(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed = None,
    *,
    draws: int = DRAWS,
    draw_seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> tuple[Safety, ...]:
    """Measures what soft emissions and collinear splits do to the score, in this order; see `soft_safety`, `collinear_safety`.

    Args:
        fitted: A tagger.
        jets: Jets.
        seed: Which score, see `score.direction`.
        draws: Number of bootstrap samples behind the errors.
        draw_seed: Seed of all that is drawn.
        report: Told how many jets are done, all measurements counted.
        stop: Looked at while at work; what is done so far is returned.

    Raises:
        ExplanationError: no jets with particles, or stopped before the first value was done.
    """
    stop, before = stop or Never(), 0.0

    def told(step: Step) -> None:
        report(replace(step, done=before + step.done, total=2 * step.total))

    found: list[Safety] = []
    for measured in (soft_safety, collinear_safety):
        if not found or not stop.is_set():
            how: dict[str, Any] = {"draws": draws, "draw_seed": draw_seed, "report": told, "stop": stop}
            found.append(measured(fitted, jets, seed, **how))
            before = float((1 + len(found[0].values)) * len(found[0].score))
    return tuple(found)


def by_momentum(jets: Jets, luck: np.ndarray) -> np.ndarray:
    """Returns the place of a particle of each jet, drawn as the pT is shared, shape (jets,).

    Args:
        jets: Jets with particles.
        luck: Numbers from [0, 1), shape (jets,).
    """
    counts = jets.counts
    pt = ak.to_numpy(ak.flatten(jets.constituents.pt)).astype(np.float64)
    first = np.cumsum(counts) - counts
    ends = np.cumsum(pt)
    before = ends[first] - pt[first]
    place = np.searchsorted(ends, before + luck * (ends[first + counts - 1] - before), side="right") - first
    return np.clip(place, 0, counts - 1)


Emission = Callable[[float, Jets, np.ndarray], Jets]
"""Makes jets with an emission of jets: how strong, jets, and which of the sample they are."""


def _measured(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed,
    emission: str,
    values: np.ndarray,
    emitted: Emission,
    how: Mapping[str, Any],
    draws: int,
    draw_seed: int,
    report: Report,
    stop: Stop | None,
) -> Safety:
    chosen = np.flatnonzero((jets.counts > 0) & (ak.to_numpy(jets.p4.pt) > 0))
    if not chosen.size:
        msg = f"None of the {len(jets)} jets has particles that could emit; give at least one that has."
        raise ExplanationError(msg)
    stop, total = stop or Never(), (1 + len(values)) * len(chosen)
    used = jets[chosen]
    rows: list[np.ndarray] = []
    for value in (None, *values):
        change = None if value is None else partial(emitted, value)
        scores = _scores(fitted, used, seed, chosen, change, stop)
        if len(scores) < len(used):
            break
        rows.append(scores)
        report(Step(done=len(rows) * len(used), total=total, unit="jets"))
    if len(rows) < 2:
        msg = "The measurement was stopped before the first value was done; start it again."
        raise ExplanationError(msg)
    made = {
        **how,
        "seed": direction(fitted.classes, seed)[1],
        "sample": jets.fingerprint,
        "network": network_fingerprint(fitted.network) if hasattr(fitted, "network") else "",
    }
    return Safety(
        emission,
        values[: len(rows) - 1],
        np.stack(rows[1:]) - rows[0],
        rows[0],
        np.asarray(used.weight, dtype=float),
        len(jets) - len(used),
        draws,
        draw_seed,
        made,
    )


def _scores(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed,
    chosen: np.ndarray,
    change: Callable[[Jets, np.ndarray], Jets] | None,
    stop: Stop,
) -> np.ndarray:
    """Returns the scores of the jets after a change, fewer if stopped."""
    found = [np.zeros(0)]
    for first in range(0, len(jets), JETS_AT_ONCE):
        if stop.is_set():
            break
        part = jets[first : first + JETS_AT_ONCE]
        changed = part if change is None else change(part, chosen[first : first + JETS_AT_ONCE])
        found.append(log_odds(fitted, changed, seed, stop=stop))
    return np.concatenate(found)


def _checked(values: Sequence[float], what: str, *, above_zero: bool) -> np.ndarray:
    """Returns the values, smallest first.

    Raises:
        ExplanationError: none, or one that is too small or not finite.
    """
    found = np.unique(np.asarray(values, dtype=float))
    if not found.size or not np.isfinite(found).all() or found[0] < 0 or (above_zero and found[0] == 0):
        asked, needed = found.tolist() or "nothing", "above 0" if above_zero else "from 0 on"
        msg = f"For the {what} {asked} was asked for; give numbers {needed}."
        raise ExplanationError(msg)
    return found
