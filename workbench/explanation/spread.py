"""How far the maps of equally good networks differ, and whether that spread can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

import awkward as ak
import numpy as np
from scipy import stats

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError
from ..physics.bootstrap import Estimate
from ..physics.intervals import ONE_SIGMA
from ..progress import Never, Report, Step, Stop, silent
from .explain import explain
from .resampling import DRAWS, mean
from .rules import Rule
from .score import Seed


@dataclass(frozen=True)
class Spread:
    """The maps of several networks, particle by particle (or observable by observable).

    Attributes:
        relevance: Mean over networks, (jets, var).
        deviation: Standard deviation over networks, (jets, var), of the relevance that one more network would give.
        positive: Share of networks that give it a positive relevance, (jets, var).
        networks: Their number.
        sure: True where all networks agree on the sign, 0 being one, (jets, var); of unrelated maps 2 in 2^networks are.
    """

    relevance: ak.Array
    deviation: ak.Array
    positive: ak.Array
    networks: int
    sure: ak.Array


def explained_by(
    networks: Sequence[FittedTagger],
    jets: Jets,
    *,
    rule: str | Rule = "epsilon",
    method: str = "lrp",
    attention: str = "attnlrp",
    seed: Seed = None,
    report: Report = silent,
    stop: Stop | None = None,
) -> list[Explanation]:
    """Returns the explanation of the same jets by each network; a stop leaves those that are done.

    Raises:
        ExplanationError: what `explain` refuses.
    """
    found: list[Explanation] = []
    stop = stop or Never()
    for fitted in networks:
        if stop.is_set():
            break
        found.append(explain(fitted, jets, rule=rule, method=method, attention=attention, seed=seed))
        report(Step(done=len(found), total=len(networks), unit="networks"))
    return found


def spread(explanations: Sequence[Explanation]) -> Spread:
    """Returns mean and spread of the maps of several networks of the same jets.

    Raises:
        ExplanationError: fewer than two, or of different jets.
    """
    maps, counts = _stacked(explanations, 2)
    sign = np.sign(maps)
    parts = maps.mean(0), maps.std(0, ddof=1), (sign > 0).mean(0), (sign == sign[0]).all(0)
    mean_map, deviation, positive, sure = (ak.unflatten(part, counts) for part in parts)
    return Spread(mean_map, deviation, positive, len(maps), sure)


def coverage(
    explanations: Sequence[Explanation],
    *,
    level: float = ONE_SIGMA,
    weight: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """Returns how often the network that is left out lies within the interval that the others give.

    The others' mean and spread give an interval by Student's t, which holds `level` of further networks where the maps of
    networks scatter normally around a common one. Each network is left out in turn; the error is over jets.

    Args:
        explanations: Of the same jets, by three networks or more.
        level: Probability that the interval should hold.
        weight: Of each jet, shape (jets,).
        draws: Samples drawn for the error.
        seed: Of these draws.

    Returns:
        The share of (network, particle) pairs inside; a calibrated spread has `level`.

    Raises:
        ExplanationError: fewer than three networks, or of different jets.
    """
    maps, counts = _stacked(explanations, 3)
    others = len(maps) - 1
    reach = stats.t.ppf((1 + level) / 2, others - 1) * np.sqrt(1 + 1 / others)
    inside = np.zeros(maps.shape[1])
    for left in range(len(maps)):
        rest = np.delete(maps, left, axis=0)
        inside += np.abs(maps[left] - rest.mean(0)) <= reach * rest.std(0, ddof=1)
    jet = np.repeat(np.arange(len(counts)), counts)
    per_jet = np.bincount(jet, inside / len(maps), len(counts))
    with np.errstate(divide="ignore", invalid="ignore"):
        return mean(per_jet / counts, weight, draws=draws, seed=seed)


def _stacked(explanations: Sequence[Explanation], least: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the maps, shape (networks, particles), and the particles of each jet."""
    if len(explanations) < least:
        msg = f"Found {len(explanations)} networks; a spread that can be judged needs at least {least} that were fitted with different seeds."
        raise ExplanationError(msg)
    arrays = [ak.Array(explanation.relevance) for explanation in explanations]
    counts = [ak.to_numpy(ak.num(array, axis=1)) for array in arrays]
    if any(not np.array_equal(count, counts[0]) for count in counts):
        msg = "The explanations are of different jets; explain the same jets with every network."
        raise ExplanationError(msg)
    return np.stack([ak.to_numpy(ak.flatten(a, axis=1)).astype(float) for a in arrays]), counts[0]
