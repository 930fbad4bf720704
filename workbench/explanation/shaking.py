"""How much a map changes when the jet hardly does."""

from dataclasses import replace

import awkward as ak
import numpy as np

from ..data.explanation import Explanation
from ..data.jets import Jets, momenta, wrapped
from ..engines.fitted import FittedTagger
from ..physics.bootstrap import Estimate
from ..progress import Never, Report, Step, Stop, silent
from .explain import explain
from .resampling import DRAWS, mean
from .rules import Rule
from .score import Seed

RESOLUTION = 0.01
"""By how much jets are shaken: relative change of pT, and change of the angles in rad."""

SHAKES = 5
"""Times that each jet is shaken."""


def shaken(jets: Jets, size: float, seed: int) -> Jets:
    """Returns the jets with pT, eta and phi of every particle a little changed; the axes stay, and so does the order.

    Args:
        jets: The jets.
        size: Largest relative change of pT and largest change of the angles in rad; evenly distributed.
        seed: Of the changes.
    """
    generator, constituents = np.random.default_rng(seed), jets.constituents
    counts = jets.counts

    def change() -> ak.Array:
        return ak.unflatten(generator.uniform(-size, size, int(counts.sum())), counts)

    fields = {name: constituents[name] for name in ak.fields(constituents)}
    fields["pt"] = fields["pt"] * (1 + change())
    fields["eta"] = fields["eta"] + change()
    phi = ak.to_numpy(ak.flatten(fields["phi"] + change(), axis=1))
    fields["phi"] = ak.unflatten(wrapped(phi), counts)
    return replace(jets, constituents=momenta(**fields))


def max_sensitivity(
    fitted: FittedTagger,
    jets: Jets,
    explanation: Explanation,
    *,
    rule: str | Rule = "epsilon",
    attention: str = "attnlrp",
    method: str = "lrp",
    score: Seed = None,
    size: float = RESOLUTION,
    shakes: int = SHAKES,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Estimate:
    """Returns the largest change of a jet's map when the jet is shaken, in units of the map; mean over jets.

    Per jet: the largest of |map of the shaken jet - map| / |map| over the shakes, with |.| the root of the sum of squares.
    A jet whose map is zero has none.

    Args:
        fitted: A tagger.
        jets: The jets.
        explanation: Of these jets, made with the same rule, attention, method and score.
        rule: As `explain` takes it.
        attention: As `explain` takes it.
        method: As `explain` takes it.
        score: Which score.
        size: By how much, see `shaken`.
        shakes: Times that each jet is shaken.
        draws: Samples drawn for the error.
        seed: Of these draws and of the shakes.
        report: Told after each shake.
        stop: When set, the shakes so far are used; there is always one.

    Raises:
        ExplanationError: what `explain` refuses.

    Source: arXiv:1901.09392, definition 2.2.
    """
    stop = stop or Never()
    largest = np.zeros(len(jets))
    for number in range(shakes):
        if number and stop.is_set():
            break
        moved = shaken(jets, size, seed + number)
        now = explain(fitted, moved, rule=rule, attention=attention, method=method, seed=score)
        largest = np.maximum(largest, _distance(explanation, now))
        report(Step(done=number + 1, total=shakes, unit="shakes"))
    length = _length(explanation.relevance)
    relative = np.divide(largest, length, out=np.full(len(jets), np.nan), where=length > 0)
    return mean(relative, np.asarray(jets.weight), draws=draws, seed=seed)


def _distance(first: Explanation, second: Explanation) -> np.ndarray:
    return _length(ak.Array(first.relevance) - ak.Array(second.relevance))


def _length(relevance: ak.Array | np.ndarray) -> np.ndarray:
    """Returns the root of the sum of squares of each jet, shape (jets,)."""
    squares = ak.Array(relevance) ** 2
    return np.sqrt(ak.to_numpy(ak.sum(squares, axis=1)).astype(float))
