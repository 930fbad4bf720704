"""The score that is explained: the difference of two logits of a tagger, in log-odds."""

import numpy as np

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError, nearest
from ..progress import Never, Report, Step, Stop, silent

JETS_AT_ONCE = 2048
"""Jets scored between two looks at whether to stop."""

Seed = str | tuple[str, str] | tuple[str] | None
"""Which score: (signal, background), (signal,) for its logit alone, one class against the mean of the others, or None for the last class."""


def direction(classes: tuple[str, ...], seed: Seed = None) -> tuple[np.ndarray, str]:
    """Returns the weights of the logits in the score, shape (classes,), and the score in words, "top - QCD".

    Args:
        classes: Of the tagger, in the order of its logits.
        seed: (signal, background) for the difference of two logits, (signal,) for the logit alone, one class for its
            logit minus the mean of the others. By default the last class stands against the others.

    Raises:
        ExplanationError: a class that the tagger does not know, or one that stands against itself.
    """
    signal, *others = (classes[-1],) if seed is None else (seed,) if isinstance(seed, str) else seed
    if not isinstance(seed, tuple):
        others = [name for name in classes if name != signal]
    for name in (signal, *others):
        if name not in classes:
            msg = f"The tagger knows no class {name!r}; {nearest(name, classes)}"
            raise ExplanationError(msg)
    if signal in others:
        msg = f"The score {signal} - {signal} is zero; name two different classes."
        raise ExplanationError(msg)
    weights = np.zeros(len(classes))
    weights[classes.index(signal)] = 1.0
    for name in others:
        weights[classes.index(name)] = -1.0 / len(others)
    if not others:
        return weights, f"{signal} alone"
    return weights, f"{signal} - {others[0] if len(others) == 1 else 'mean of ' + ', '.join(others)}"


def log_odds(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed = None,
    *,
    report: Report = silent,
    stop: Stop | None = None,
) -> np.ndarray:
    """Returns the score that explanations explain, shape (jets,), float64, in log-odds; neighbours are found for each jet.

    Args:
        fitted: A tagger.
        jets: Any number of jets, also none, also jets without particles.
        seed: Which score, see `direction`.
        report: Told how many jets are done.
        stop: Looked at every few thousand jets; when set, the scores so far are returned, which are fewer.

    Raises:
        ExplanationError: an unknown class, or a score that is not finite.
        DataError: jets that lack what the network was trained on.
    """
    weights, words = direction(fitted.classes, seed)
    stop = stop or Never()
    found = [np.zeros(0)]
    for first in range(0, len(jets), JETS_AT_ONCE):
        if stop.is_set():
            break
        part = np.asarray(fitted.logits(jets[first : first + JETS_AT_ONCE]), dtype=np.float64) @ weights
        bad = np.flatnonzero(~np.isfinite(part))
        if bad.size:
            msg = (
                f"The score {words} of {bad.size} jets is not a finite number (first: jet {first + bad[0]}); "
                "drop or repair them, or take another network."
            )
            raise ExplanationError(msg)
        found.append(part)
        report(Step(done=first + len(part), total=len(jets), unit="jets"))
    return np.concatenate(found)
