"""How well a score separates signal from background: ROC curve, area, accuracy, background rejection, each with its error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..data.classes import ClassArray
from ..errors import DataError, nearest
from .intervals import effective_count, effective_trials, fraction_interval, weighted_fraction, wilson

Rule = Literal["interpolated", "first", "nearest"]

WORKING_POINTS: dict[Rule, str] = {
    "interpolated": "log of the background efficiency interpolated where the signal efficiency first reaches the value",
    "first": "first cut, from the tightest, whose signal efficiency exceeds the value",
    "nearest": "cut whose signal efficiency is nearest to the value",
}
"""The rules by which a working point is read off the curve, in words."""

LIMIT_LEVEL = 0.95
"""Confidence level of the lower limit on a rejection where no background passes."""

_ROUNDING = 1e-12
"""Summed weights reach an efficiency to this accuracy."""


@dataclass(frozen=True)
class Rejection:
    """Background rejection 1/eps_B at a signal efficiency; unpacks to (value, error).

    Attributes:
        value: 1/eps_B; inf where no background passes.
        error: One standard deviation, of background and signal sample together; nan where no background passes.
        low: One standard deviation below; where no background passes, the 95 % lower limit.
        high: One standard deviation above; inf where no background passes.
        signal_efficiency: Where it was read.
        rule: By which rule, in words.
    """

    value: float
    error: float
    low: float
    high: float
    signal_efficiency: float
    rule: str

    @property
    def is_limit(self) -> bool:
        """True where no background passes, so that only a lower limit is known."""
        return not np.isfinite(self.value)

    def __iter__(self) -> Iterator[float]:
        return iter((self.value, self.error))

    def __str__(self) -> str:
        if self.is_limit:
            return f"> {self.low:.3g} ({LIMIT_LEVEL:.0%} lower limit, no background passes)"
        return f"{self.value:.4g} ± {self.error:.2g}"


@dataclass(frozen=True)
class Band:
    """Rejection against signal efficiency; arrays of one shape, fields as in `Rejection`."""

    signal_efficiency: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Roc:
    """The ROC curve of one signal against one or more backgrounds, with errors.

    A jet passes where its score is at least the threshold. Weights, negative ones too, enter every sum as they are, so with
    negative weights the efficiencies need not rise monotonically; a working point is then where the curve first
    reaches the signal efficiency, coming from the tightest cut.

    Attributes:
        signal: Name of the signal.
        background: Names of the backgrounds.
        threshold: Every different score, falling, after a leading inf; shape (cuts,).
        signal_efficiency: Share of signal that passes, shape (cuts,), from 0 to 1.
        background_efficiency: Share of background that passes, shape (cuts,), from 0 to 1.
        auc: Area under the curve: probability that signal scores above background, ties half.
        auc_error: Its standard error by the placements of both samples (DeLong's with weights); nan for a single jet.
        accuracy: Share of jets that get their own class, see `roc`; nan where the scores are no probabilities.
        accuracy_error: Half of its 68 % interval.
        n_signal: Number of signal jets.
        n_background: Number of background jets.
        signal_count: Effective number of signal jets, (sum w)^2 / sum w^2.
        background_count: Effective number of background jets.
    """

    signal: str
    background: tuple[str, ...]
    threshold: np.ndarray
    signal_efficiency: np.ndarray
    background_efficiency: np.ndarray
    auc: float
    auc_error: float
    accuracy: float
    accuracy_error: float
    n_signal: int
    n_background: int
    signal_count: float
    background_count: float
    _signal_variance: np.ndarray = field(repr=False)
    _background_variance: np.ndarray = field(repr=False)

    def __repr__(self) -> str:
        sides = f"{self.signal} against {', '.join(self.background)}"
        points = ", ".join(f"1/eps_B({point}) = {self.rejection(point)}" for point in (0.5, 0.3))
        return (
            f"Roc({sides}: AUC {self.auc:.4f} ± {self.auc_error:.4f}, accuracy {self.accuracy:.4f}, {points})"
        )

    def rejection(self, signal_efficiency: float, rule: Rule = "interpolated") -> Rejection:
        """Returns the background rejection 1/eps_B at a signal efficiency in (0, 1]; unpacks to (value, error).

        Args:
            signal_efficiency: Where to read it, such as 0.3 or 0.5.
            rule: "interpolated" (in the log of eps_B, linear where that is 0), "first" (smallest signal efficiency
                above the value, as weaver's benchmark does) or "nearest" (as LorentzNet does).

        Raises:
            DataError: a signal efficiency outside (0, 1] or an unknown rule.
        """
        band = self.band(np.array([signal_efficiency]), rule)
        value, low, high = float(band.value[0]), float(band.low[0]), float(band.high[0])
        error = np.nan
        if np.isfinite(value):
            error = value**2 * float(np.sqrt(self._variance(band.signal_efficiency, rule)[0]))
        else:
            low = 1 / -np.expm1(np.log(1 - LIMIT_LEVEL) / self.background_count)
        return Rejection(value, error, low, high, float(signal_efficiency), WORKING_POINTS[rule])

    def band(self, signal_efficiency: ArrayLike, rule: Rule = "interpolated") -> Band:
        """Returns the rejection and its 68 % interval at each signal efficiency, shape as given.

        Wilson's interval of eps_B with the number of trials that has the variance of background and signal sample
        together. Where no background passes the value is inf and low a one-sided bound.
        """
        wanted = np.asarray(signal_efficiency, dtype=float)
        value = self._background_at(wanted, rule)
        trials = effective_trials(
            value, self._variance(wanted, rule), self.background_count, self.background_count
        )
        inside = np.clip(value, 0.0, 1.0)
        low, high = wilson(inside * trials, trials)
        with np.errstate(divide="ignore"):
            return Band(
                wanted,
                np.where(value > 0, 1 / np.where(value > 0, value, 1.0), np.inf),
                1 / high,
                np.where(value > 0, 1 / low, np.inf),
            )

    def cut(self, signal_efficiency: float, rule: Rule = "first") -> float:
        """Returns the threshold of a working point: jets with a score at least this pass.

        An interpolated point lies between two cuts and has none of its own; the looser one is returned.
        """
        return float(self.threshold[self._index(np.array(signal_efficiency, dtype=float), rule)])

    def _index(self, wanted: np.ndarray, rule: Rule) -> np.ndarray:
        """Index of the cut at each wanted efficiency; of the looser neighbour where interpolated."""
        if rule not in WORKING_POINTS:
            msg = f"There is no rule {rule!r} for a working point; {nearest(rule, WORKING_POINTS)}"
            raise DataError(msg)
        if not np.all((wanted > 0) & (wanted <= 1)):
            msg = f"The signal efficiency is {wanted}; give numbers above 0 and at most 1, such as 0.3."
            raise DataError(msg)
        reached = np.maximum.accumulate(self.signal_efficiency)
        last = len(reached) - 1
        if rule == "first":
            return np.minimum(np.searchsorted(reached, wanted + _ROUNDING, side="right"), last)
        index = np.minimum(np.searchsorted(reached, wanted - _ROUNDING), last)
        if rule == "nearest":
            before = np.searchsorted(reached, reached[np.maximum(index - 1, 0)])
            return np.where(wanted - reached[before] <= reached[index] - wanted, before, index)
        return index

    def _background_at(self, wanted: np.ndarray, rule: Rule) -> np.ndarray:
        """Background efficiency at each wanted signal efficiency."""
        index = self._index(wanted, rule)
        eps = self.background_efficiency
        if rule != "interpolated":
            return eps[index]
        below = np.maximum(index - 1, 0)
        start, end = self.signal_efficiency[below], self.signal_efficiency[index]
        share = np.clip((wanted - start) / np.where(end > start, end - start, 1.0), 0.0, 1.0)
        tight, loose = eps[below], eps[index]
        positive = (tight > 0) & (loose > 0)
        logs = [np.log(np.where(positive, e, 1.0)) for e in (tight, loose)]
        straight = (1 - share) * tight + share * loose
        return np.where(positive, np.exp((1 - share) * logs[0] + share * logs[1]), straight)

    def _variance(self, wanted: np.ndarray, rule: Rule) -> np.ndarray:
        """Variance of the background efficiency at fixed signal efficiency, of both samples."""
        index = self._index(wanted, rule)
        sigma = np.sqrt(self._signal_variance[index])
        shifted = [
            self._background_at(np.clip(wanted + s * sigma, _ROUNDING, 1.0), "interpolated") for s in (-1, 1)
        ]
        return self._background_variance[index] + ((shifted[1] - shifted[0]) / 2) ** 2


def roc(
    label: ArrayLike,
    scores: ArrayLike,
    *,
    signal: str | int,
    background: str | int | Sequence[str | int],
    weight: ArrayLike | None = None,
) -> Roc:
    """Returns the ROC curve of `signal` against `background`; only jets of these classes enter.

    The accuracy is, for scores per class, the share of jets whose largest score among the named classes is their own
    class; for one column, the share on the right side of 0.5.

    Args:
        label: Class of each jet, shape (jets,): `jets.label`, or plain integers.
        scores: (jets, classes) probabilities, compared by p_s / (p_s + sum p_b) with the columns in the order of the
            scores' own class names, else of the labels'; or one column, (jets,), larger for signal.
        signal: Class name, or integer label.
        background: The same, one or several.
        weight: Event weights, shape (jets,); may be negative.

    Raises:
        DataError: an unknown class, a class without jets, shapes that differ, a score that is not finite, or a class
            whose weights do not sum to a positive number.
    """
    label, scores = _class_array(label), _class_array(scores)
    index, names = _named(label, signal, background)
    weights = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=float)
    if label.ndim != 1 or scores.ndim not in (1, 2) or not len(label) == len(scores) == len(weights):
        msg = (
            f"Labels {label.shape}, scores {scores.shape} and weights {weights.shape} need one entry per jet."
        )
        raise DataError(msg)
    own = np.asarray(label)
    keep = np.isin(own, index)
    own, weights = own[keep], weights[keep]
    _check_jets(own, weights, index, names)
    truth = np.argmax(own[:, None] == np.array(index), axis=1)
    columns = _columns(_class_array(scores[keep]), label, index, names)
    return _curve(names, truth == 0, _combined(columns), weights, _is_correct(columns, truth))


def discriminant(scores: ClassArray, *, signal: str, background: str | Sequence[str]) -> np.ndarray:
    """Returns p_s / (p_s + sum p_b), shape (jets,), from scores per class that carry their class names."""
    scores = _class_array(scores)
    names = (signal, *((background,) if isinstance(background, str) else background))
    columns = _columns(scores, scores, [_index_of(name, scores) for name in names], names)
    return _combined(columns)


def _class_array(values: ArrayLike) -> ClassArray:
    return values if isinstance(values, ClassArray) else ClassArray(np.asarray(values))


def _named(
    label: ClassArray, signal: str | int, background: str | int | Sequence[str | int]
) -> tuple[list[int], tuple[str, ...]]:
    """Labels and names of the classes, signal first."""
    backgrounds = (background,) if isinstance(background, str | int | np.integer) else tuple(background)
    index = [_index_of(name, label) for name in (signal, *backgrounds)]
    names = tuple(label.classes[i] if 0 <= i < len(label.classes) else str(i) for i in index)
    if len(index) < 2 or len(set(index)) < len(index):
        msg = f"The classes are {', '.join(names)}; give one signal and at least one background, each once."
        raise DataError(msg)
    return index, names


def _index_of(name: str | int, label: ClassArray) -> int:
    if not isinstance(name, str):
        return int(name)
    if not label.classes:
        msg = f"The labels carry no class names to look up {name!r} in; give jets.label, or the classes as integers."
        raise DataError(msg)
    if name not in label.classes:
        msg = f"There is no class {name!r}; {nearest(name, label.classes)}"
        raise DataError(msg)
    return label.classes.index(name)


def _check_jets(own: np.ndarray, weights: np.ndarray, index: Sequence[int], names: Sequence[str]) -> None:
    if not np.isfinite(weights).all():
        msg = (
            f"{np.sum(~np.isfinite(weights))} of {weights.size} weights are not finite; drop or repair them."
        )
        raise DataError(msg)
    for i, name in zip(index, names, strict=True):
        if not np.any(own == i):
            msg = f"There is no jet of class {name!r}; a ROC curve needs jets of every class that is named."
            raise DataError(msg)
    signal = own == index[0]
    for which, sum_of_weights in (("signal", weights[signal].sum()), ("background", weights[~signal].sum())):
        if sum_of_weights <= 0:
            msg = f"The weights of the {which} sum to {sum_of_weights:g}; efficiencies need a positive sum."
            raise DataError(msg)


def _columns(scores: ClassArray, label: ClassArray, index: Sequence[int], names: Sequence[str]) -> np.ndarray:
    """The scores of the named classes, signal first, shape (jets, named); one column stays one, shape (jets,)."""
    values = np.asarray(scores, dtype=float)
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        msg = (
            f"{bad.sum()} of {len(bad)} scores are not a finite number (first: jet {np.argmax(bad)} of the named "
            "classes); drop these jets or repair the tagger."
        )
        raise DataError(msg)
    if values.ndim == 1:
        return values
    order = scores.classes or label.classes
    at = [order.index(n) if n in order else -1 for n in names] if order else list(index)
    if values.shape[1] != (len(order) or values.shape[1]) or not all(0 <= i < values.shape[1] for i in at):
        msg = (
            f"The scores have {values.shape[1]} columns for classes {order or 'without names'}; expected one column "
            f"per class, among them {', '.join(names)}."
        )
        raise DataError(msg)
    return values[:, at]


def _combined(columns: np.ndarray) -> np.ndarray:
    """One number per jet: the column itself, or p_s / (p_s + sum p_b)."""
    if columns.ndim == 1:
        return columns
    total = columns.sum(axis=1)
    bad = (total <= 0) | (columns < 0).any(axis=1)
    if bad.any():
        msg = (
            f"{bad.sum()} of {len(bad)} jets have negative or all-zero scores for the named classes; expected "
            "probabilities (after softmax, in double precision if they underflow)."
        )
        raise DataError(msg)
    return columns[:, 0] / total


def _is_correct(columns: np.ndarray, truth: np.ndarray) -> np.ndarray | None:
    """Whether each jet gets its own class; None where one column is no probability."""
    if columns.ndim == 2:
        return np.argmax(columns, axis=1) == truth
    if columns.min() < 0 or columns.max() > 1:
        return None
    return (columns >= 0.5) == (truth == 0)


def _curve(
    names: tuple[str, ...],
    is_signal: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray,
    correct: np.ndarray | None,
) -> Roc:
    order = np.argsort(-scores, kind="stable")
    threshold = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(threshold)), len(threshold) - 1)
    efficiency, variance = {}, {}
    for which, mask in (("signal", is_signal), ("background", ~is_signal)):
        ordered = np.where(mask, weights, 0.0)[order]
        passed, squares = (np.append(0.0, np.cumsum(a)[last_of_tie]) for a in (ordered, ordered**2))
        efficiency[which], variance[which] = weighted_fraction(passed, squares, passed[-1], squares[-1])
    auc, auc_error = _area(scores, weights, is_signal)
    accuracy, accuracy_error = _share(correct, weights)
    return Roc(
        signal=names[0],
        background=names[1:],
        threshold=np.append(np.inf, threshold[last_of_tie]),
        signal_efficiency=efficiency["signal"],
        background_efficiency=efficiency["background"],
        auc=auc,
        auc_error=auc_error,
        accuracy=accuracy,
        accuracy_error=accuracy_error,
        n_signal=int(is_signal.sum()),
        n_background=int((~is_signal).sum()),
        signal_count=effective_count(weights[is_signal]),
        background_count=effective_count(weights[~is_signal]),
        _signal_variance=variance["signal"],
        _background_variance=variance["background"],
    )


def _area(scores: np.ndarray, weights: np.ndarray, is_signal: np.ndarray) -> tuple[float, float]:
    """Area under the curve and its standard error.

    Each jet's placement is the share of the other class it beats (ties half); the area is their mean, its variance
    the sum of the variances of both means. Source: DeLong, DeLong and Clarke-Pearson 1988, here with weights.
    """
    s, b = scores[is_signal], scores[~is_signal]
    ws, wb = weights[is_signal], weights[~is_signal]
    beaten = _placement(s, b, wb)
    beats = 1 - _placement(b, s, ws)
    area = float(np.sum(ws * beaten) / ws.sum())
    variance = 0.0
    for placement, weight in ((beaten, ws), (beats, wb)):
        count = effective_count(weight)
        bessel = count / (count - 1) if count > 1 + _ROUNDING else np.nan
        variance += float(np.sum((weight * (placement - area)) ** 2) / weight.sum() ** 2 * bessel)
    return area, float(np.sqrt(variance))


def _placement(scores: np.ndarray, others: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of `others` (by weight) that lies below each score, ties half."""
    order = np.argsort(others)
    below = np.append(0.0, np.cumsum(weights[order]))
    ranked = others[order]
    left, right = (np.searchsorted(ranked, scores, side=side) for side in ("left", "right"))
    return (below[left] + below[right]) / (2 * below[-1])


def _share(correct: np.ndarray | None, weights: np.ndarray) -> tuple[float, float]:
    """Accuracy and half its 68 % interval."""
    if correct is None:
        return np.nan, np.nan
    passing = weights[correct]
    value, low, high = fraction_interval(passing.sum(), np.sum(passing**2), weights.sum(), np.sum(weights**2))
    return float(value), float(high - low) / 2
