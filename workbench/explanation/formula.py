"""A formula for a score: the sum of a few terms of observables that follows it best.

What is searched are sums, constants fitted, of terms from a finite list: an observable, its square, root, logarithm or
inverse, and products and ratios of two. It is no search over all formulas, and it says how much it explains.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..errors import ExplanationError
from ..physics.bootstrap import resampled
from ..physics.observables import observables
from ..progress import Report, Stop, silent
from .ordering import DRAWS, Ordering, measured, orders, sides, stands
from .score import Seed, log_odds
from .tabular import Tabular

SHAPES = {"": "{0}", "square": "{0}²", "root": "√{0}", "logarithm": "ln({0})", "inverse": "1/{0}", "product": "{0}·{1}", "ratio": "{0}/{1}"}  # fmt: skip
"""How a term is written; {0} and {1} are observables, in the units of the workbench."""

ALONE = ("", "square", "root", "logarithm", "inverse")
NEW = 1e-9
"""Share of a term's variance that the terms before it must leave, or it says nothing new."""


@dataclass(frozen=True)
class Term:
    """A term of a formula: a shape and the observables in it."""

    shape: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return SHAPES[self.shape].format(*self.names)

    def __call__(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns the term of observables by name, shape (jets,); nan or inf where it is not defined."""
        x = np.asarray(values[self.names[0]], dtype=float)
        y = np.asarray(values[self.names[-1]], dtype=float)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            made = {
                "": lambda: x,
                "square": lambda: x**2,
                "root": lambda: np.sqrt(x),
                "logarithm": lambda: np.log(x),
                "inverse": lambda: 1 / x,
                "product": lambda: x * y,
                "ratio": lambda: x / y,
            }
            return made[self.shape]()


@dataclass(frozen=True)
class Formula:
    """A sum of terms that follows a score.

    Attributes:
        constant: What is added to the terms.
        terms: The terms.
        factors: What each is multiplied by, with its error.
        r2: Share of the variance of the score that it explains, on jets that it was not fitted to.
        ado: Share of pairs of a signal and a background jet that it puts into the order of the score, on the same jets.
        jets: Jets that r2 and ado were measured on.
        left_out: Jets for which an observable or a term is not defined, which were neither fitted nor measured.
    """

    constant: Ordering
    terms: tuple[Term, ...]
    factors: tuple[Ordering, ...]
    r2: Ordering
    ado: Ordering
    jets: int
    left_out: int

    def __call__(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns the formula of observables by name, shape (jets,)."""
        parts = (factor.value * term(values) for factor, term in zip(self.factors, self.terms, strict=True))
        return self.constant.value + sum(parts, np.zeros(1))

    def __str__(self) -> str:
        parts = [f"{self.constant.value:.3g}"]
        for factor, term in zip(self.factors, self.terms, strict=True):
            parts.append(f"{'−' if factor.value < 0 else '+'} {abs(factor.value):.3g} {term}")
        return f"score ≈ {' '.join(parts)}"


@dataclass(frozen=True)
class Formulas(Tabular):
    """Formulas of one term and more, each with one term more than the one before.

    Attributes:
        found: The formulas.
        candidates: Number of terms that there were to choose from.
    """

    found: tuple[Formula, ...]
    candidates: int

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per formula."""
        rows = self.found
        return {
            "terms": np.array([len(row.terms) for row in rows]),
            "formula": np.array([str(row) for row in rows], dtype=object),
            "r2": np.array([row.r2.value for row in rows]),
            "r2_error": np.array([row.r2.error for row in rows]),
            "ado": np.array([row.ado.value for row in rows]),
            "ado_error": np.array([row.ado.error for row in rows]),
        }


def formulas(
    score: np.ndarray,
    is_signal: np.ndarray,
    values: Mapping[str, np.ndarray],
    weight: np.ndarray | None = None,
    *,
    most: int = 4,
    draws: int = DRAWS,
    seed: int = 0,
) -> Formulas:
    """Returns the formulas that a stepwise search finds for a score.

    Each step adds, of all terms, the one after which least squares leave least. Half of the jets, drawn by `seed`, choose
    and fit; the others measure. Errors of the factors are those of fits to drawn jets with the chosen terms; that another
    sample might choose other terms is not in them.

    Args:
        score: Shape (jets,).
        is_signal: True for signal jets, shape (jets,).
        values: Observables by name, each of shape (jets,); nan where one is not defined.
        weight: Of each jet, shape (jets,); magnitudes are used for fits.
        most: Most terms, at least 1.
        draws: Samples drawn with replacement, for errors.
        seed: Of these and of the division.

    Raises:
        ExplanationError: no observables, no term, or fewer than 40 jets for which all observables are defined.
    """
    if not values or most < 1:
        msg = f"Found {len(values)} observables and {most} terms; a formula needs one of each or more."
        raise ExplanationError(msg)
    terms, columns, known = _library(values)
    jets = np.random.default_rng(seed).permutation(np.flatnonzero(known & np.isfinite(score)))
    if len(jets) < 40:
        msg = f"All observables are defined for {len(jets)} jets; a formula needs 40, or other observables."
        raise ExplanationError(msg)
    weight = np.ones(len(score)) if weight is None else np.abs(np.asarray(weight, dtype=float))
    fitted, kept = jets[: len(jets) // 2], jets[len(jets) // 2 :]
    order = _steps(columns[:, fitted], score[fitted], weight[fitted], most)
    aside = np.isin(np.arange(len(score)), kept)
    pairs = sides(is_signal & aside, ~is_signal & aside, weight, draws=draws, seed=seed)
    found = []
    for n in range(1, len(order) + 1):
        design = np.concatenate([np.ones((1, len(score))), columns[order[:n]]]).T
        factors = _drawn_fits(design[fitted], score[fitted], weight[fitted], draws, seed)
        estimate = np.where(known, design @ np.nan_to_num(factors[0]), np.nan)
        constant, *others = (measured(column) for column in factors.T)
        r2 = measured(_explained(score[kept], estimate[kept], weight[kept], draws, seed))
        ado = measured(orders(score, estimate, pairs))
        chosen = tuple(terms[i] for i in order[:n])
        found.append(Formula(constant, chosen, tuple(others), r2, ado, len(kept), len(score) - len(jets)))
    return Formulas(tuple(found), len(terms))


def write_out(
    fitted: FittedTagger,
    jets: Jets,
    names: Sequence[str],
    *,
    seed: Seed = None,
    most: int = 4,
    draws: int = DRAWS,
    random: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Formulas:
    """Returns the formulas that a stepwise search finds for the score of a tagger; see `formulas`.

    Args:
        fitted: A tagger.
        jets: Labelled jets, best ones that it never saw.
        names: Observables of `physics.observables` that may stand in the formulas.
        seed: Which score, as in `explain`.
        most: Most terms.
        draws: Samples drawn with replacement, for errors.
        random: Seed of these and of the division.
        report: Told how many jets are scored.
        stop: Looked at while jets are scored.

    Raises:
        ExplanationError: too few jets, an unknown class, or a stop before all jets are scored.
    """
    signal, background, _ = stands(jets, fitted.classes, seed)
    pair = signal | background
    score = log_odds(fitted, jets[pair], seed, report=report, stop=stop)
    if len(score) < np.count_nonzero(pair):
        msg = "It was stopped before all jets were scored; start it again."
        raise ExplanationError(msg)
    values = observables(jets[pair], tuple(names))
    return formulas(score, signal[pair], values, jets.weight[pair], most=most, draws=draws, seed=random)


def _all_terms(names: Sequence[str]) -> Iterator[Term]:
    yield from (Term(shape, (name,)) for name in names for shape in ALONE)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            yield from (
                Term("product", (one, other)),
                Term("ratio", (one, other)),
                Term("ratio", (other, one)),
            )


def _library(values: Mapping[str, np.ndarray]) -> tuple[list[Term], np.ndarray, np.ndarray]:
    """Returns the terms that are defined wherever all observables are, their values (terms, jets), and where that is."""
    known = np.all([np.isfinite(column) for column in values.values()], axis=0)
    terms, columns = [], []
    for term in _all_terms(tuple(values)):
        column = term(values)
        # Only where numbers tell jets apart is there something to fit.
        if np.isfinite(column[known]).all() and known.any() and np.ptp(column[known]) > 0:
            terms.append(term)
            columns.append(np.where(known, column, 0.0))
    if not terms:
        msg = f"None of {', '.join(values)} tells jets apart where all are defined; give other observables."
        raise ExplanationError(msg)
    return terms, np.array(columns), known


def _steps(columns: np.ndarray, score: np.ndarray, weight: np.ndarray, most: int) -> list[int]:
    """Returns the numbers of the terms in the order in which they help most, by Gram and Schmidt."""
    root = np.sqrt(weight)
    left = (columns - np.average(columns, axis=1, weights=weight)[:, None]) * root
    left /= np.linalg.norm(left, axis=1, keepdims=True) + np.finfo(float).tiny
    rest = (score - np.average(score, weights=weight)) * root
    chosen: list[int] = []
    for _ in range(most):
        size = (left**2).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(size > NEW, (left @ rest) ** 2 / size, 0.0)
        best = int(np.argmax(gain))
        if gain[best] <= NEW * (rest @ rest):
            break
        chosen.append(best)
        axis = left[best] / np.linalg.norm(left[best])
        rest = rest - axis * (axis @ rest)
        left = left - np.outer(left @ axis, axis)
    return chosen


def _drawn_fits(
    design: np.ndarray, score: np.ndarray, weight: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Returns the factors of the jets as they are, and of each draw, shape (1 + draws, factors)."""
    n = len(score)
    scale = np.abs(design).max(axis=0)
    scaled = design / scale
    times = resampled(n, draws, seed)
    fits = []
    for counted in np.concatenate([np.ones((1, n)), times]) * weight:
        root = np.sqrt(counted)[:, None]
        fits.append(np.linalg.lstsq(scaled * root, score * root[:, 0], rcond=None)[0] / scale)
    return np.array(fits)


def _explained(
    score: np.ndarray, estimate: np.ndarray, weight: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Returns R² of the jets as they are, and of each draw, shape (1 + draws,)."""
    n = len(score)
    times = resampled(n, draws, seed)
    counted = np.concatenate([np.ones((1, n)), times]) * weight
    far = score - score.mean()
    variance = counted @ far**2 - (counted @ far) ** 2 / counted.sum(1)
    return 1 - counted @ (score - estimate) ** 2 / variance
