"""Whether networks that differ by the seed of their fit give the same maps, over a sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import awkward as ak
import numpy as np

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..physics.bootstrap import Estimate
from ..progress import Report, Stop, silent
from .resampling import DRAWS, mean
from .rules import Rule
from .score import Seed
from .spread import Spread, coverage, explained_by, spread


@dataclass(frozen=True)
class Judged:
    """How far the maps of several networks differ over a sample.

    Attributes:
        networks: Their number.
        jets: Number of jets.
        size: Sum over the particles of the deviation between networks, as a share of that of the mean relevance without sign.
        sure: Share of the relevance, without sign, that lies on particles whose sign all networks agree on.
        coverage: How often a network left out lies within the others' interval, see `coverage`; None of two networks.
        maps: By jet and particle, mean, deviation and agreement in sign.
    """

    networks: int
    jets: int
    size: Estimate
    sure: Estimate
    coverage: Estimate | None
    maps: Spread

    def columns(self) -> dict[str, np.ndarray]:
        """Returns mean and deviation in log-odds and the share of positive signs, one row per particle of each jet."""
        parts = {name: getattr(self.maps, name) for name in ("relevance", "deviation", "positive")}
        counts = ak.to_numpy(ak.num(self.maps.relevance, axis=1))
        return {
            "jet": np.repeat(np.arange(len(counts)), counts),
            "particle": ak.to_numpy(ak.flatten(ak.local_index(self.maps.relevance, axis=1), axis=1)) + 1,
            **{name: ak.to_numpy(ak.flatten(part, axis=1)) for name, part in parts.items()},
        }


def judge_spread(
    networks: Sequence[FittedTagger],
    jets: Jets,
    *,
    rule: str | Rule = "epsilon",
    method: str = "lrp",
    attention: str = "attnlrp",
    seed: Seed = None,
    draws: int = DRAWS,
    report: Report = silent,
    stop: Stop | None = None,
) -> Judged:
    """Returns how far the maps of several networks of the same jets differ; a stop leaves the networks that are done.

    Errors are over jets, drawn again with replacement; a jet that no network gives any relevance has no part in the shares.

    Args:
        networks: Two or more; three tell whether the spread can be believed.
        jets: What they explain, all with the same score.
        rule: Of relevance propagation.
        method: Another way to explain, as in `explain`.
        attention: How relevance passes a softmax, as in `explain`.
        seed: The score that is explained, as in `explain`.
        draws: Bootstrap samples for the errors.
        report: Told after each network.
        stop: Looked at before each network.

    Raises:
        ExplanationError: fewer than two networks, or what `explain` refuses.
    """
    found = explained_by(
        networks, jets, rule=rule, method=method, attention=attention, seed=seed, report=report, stop=stop
    )
    maps = spread(found)
    amount = ak.to_numpy(ak.sum(abs(maps.relevance), axis=1)).astype(float)
    there, weight = amount > 0, np.asarray(jets.weight)
    parts = (maps.deviation, abs(maps.relevance) * maps.sure)
    size, sure = (
        mean(ak.to_numpy(ak.sum(part, axis=1))[there] / amount[there], weight[there], draws=draws)
        for part in parts
    )
    calibrated = coverage(found, weight=weight, draws=draws) if len(found) > 2 else None
    return Judged(len(found), len(jets), size, sure, calibrated, maps)
