"""What the score of a jet loses when one of its subjets is left out and everything the tagger sees is made again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import awkward as ak
import numpy as np

from ..data.explanation import Explanation, Ledger
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError
from ..physics.kinematics import fraction
from ..physics.substructure import subjets
from ..progress import Never, Report, Step, Stop, silent
from .score import log_odds

SUBJETS = 3
"""Subjets of a jet, the prongs of a top quark."""

ALGORITHM = "kt"
JETS_AT_ONCE = 256


def without_each_subjet(
    fitted: FittedTagger,
    jets: Jets,
    seed: Any = None,
    *,
    n: int = SUBJETS,
    algorithm: str = ALGORITHM,
    how: Mapping[str, Any] | None = None,
    report: Report = silent,
    stop: Stop | None = None,
) -> Explanation:
    """Returns what the score loses when an exclusive subjet is left out and the neighbours are found again.

    The loss of a subjet is shared among its particles as they share its pT; `recorded["subjets"]` has it whole, shape
    (jets, n), hardest subjet first, 0 where a jet has fewer, and `recorded["subjet"]` says which subjet a particle belongs to.
    The jet's four-momentum stays as stated, so that the others are seen from the same axis. Any tagger can be explained
    this way, also one that sees only observables.

    Args:
        fitted: A tagger.
        jets: At least one jet.
        seed: Which score, see `score.direction`.
        n: Number of subjets.
        algorithm: "kt" or "cambridge".
        how: What else to note of how it was made.
        report: Told how many jets are done.
        stop: Looked at while at work; when set, the jets explained so far are returned.

    Raises:
        DataError: n below 1 or no such algorithm.
        ExplanationError: stopped before the first jet was explained.
    """
    stop, parts = stop or Never(), []
    for first in range(0, len(jets), JETS_AT_ONCE):
        if stop.is_set():
            break
        part = jets[first : first + JETS_AT_ONCE]
        parts.append(_losses(fitted, part, seed, n, algorithm))
        report(Step(done=first + len(part), total=len(jets), unit="jets"))
    if not parts:
        msg = "The explanation was stopped before the first jet was explained; start it again."
        raise ExplanationError(msg)
    score, nothing, lost = (np.concatenate([part[i] for part in parts]) for i in range(3))
    member = ak.concatenate([part[3] for part in parts])
    relevance = _shared(jets[: len(score)], lost, member)
    inputs = lost.sum(axis=1)
    lines = {"inputs": inputs, "baseline": nothing, "not shared out": score - nothing - inputs}
    made = {"method": "leave one subjet out", "settings": {"subjets": n, "algorithm": algorithm}}
    return Explanation(
        relevance,
        relevance[..., None],
        ("particle",),
        Ledger(score, lines),
        {"subjets": lost, "subjet": member},
        {**made, **(how or {})},
    )


def _losses(
    fitted: FittedTagger, jets: Jets, seed: Any, n: int, algorithm: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, ak.Array]:
    """Returns the scores of the jets, without all of their particles, and what each subjet takes away; whose each particle is."""
    member = subjets(jets, n, algorithm=algorithm)
    score = log_odds(fitted, jets, seed)
    nothing = log_odds(fitted, _kept(jets, member < 0), seed)
    there = np.minimum(jets.counts, n)[:, None] > np.arange(n)
    without = [log_odds(fitted, _kept(jets, member != rank), seed) for rank in range(n)]
    return score, nothing, np.where(there, score[:, None] - np.stack(without, axis=1), 0.0), member


def _kept(jets: Jets, keep: ak.Array) -> Jets:
    return replace(jets, constituents=jets.constituents[keep], columns={})


def _shared(jets: Jets, lost: np.ndarray, member: ak.Array) -> ak.Array:
    """Returns the loss of each subjet shared among its particles by pT, shape (jets, var)."""
    jet = np.repeat(np.arange(len(jets)), jets.counts)
    group = jet * lost.shape[1] + ak.to_numpy(ak.flatten(member))
    pt = ak.to_numpy(ak.flatten(jets.constituents.pt)).astype(np.float64)
    whole = np.bincount(group, pt, minlength=lost.size)
    return ak.unflatten(lost.ravel()[group] * np.nan_to_num(fraction(pt, whole[group])), jets.counts)
