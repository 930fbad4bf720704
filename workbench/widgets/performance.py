"""How good the tagger is, always with errors and with the rule by which a number was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.events import Tap
from bokeh.models import ColumnDataSource

from ..data.classes import ClassArray
from ..data.jets import Jets
from ..errors import DataError
from ..physics.calibration import Reliability, reliability
from ..physics.distributions import Points, by_class, density
from ..physics.efficiency import Efficiency, efficiency, sculpting
from ..physics.observables import OBSERVABLES, observables
from ..physics.roc import Roc, Rule, discriminant, roc
from ..views import performance as view
from ..views import training
from . import code
from .analysis import Analysis, Live, unseen_of
from .errands import Errands
from .menu import Menu
from .panes import fill, line, pane, picture, row, say, tabs
from .text import with_error

AGAINST = ("pt", "mass", "multiplicity")
"""What efficiency and mistag rate are shown against."""

WORKING_POINT = 0.5
"""Signal efficiency of the cut whose efficiency and mistag rate are shown."""

RULE: Rule = "interpolated"
"""Rule by which all working points of the pane are read; the cut is the first to reach the efficiency."""

BINS = 12

LESSON_OF_TAB = ("efficiency", "calibration")

FOLLOWING = "measuring the fit"
"""Done for every epoch, unless the one before is still being measured."""


@dataclass(frozen=True)
class Separation:
    """How far a score separates the two classes: the curve, and the shape of the score by class."""

    curve: Roc
    shapes: dict[str, Points]


@dataclass(frozen=True)
class Measurement:
    """Everything the pane shows of one tagger on one set of jets."""

    curve: Roc
    shapes: dict[str, Points]
    cut: float
    rates: dict[str, tuple[Efficiency, Efficiency]]
    sculpted: str
    calibration: Reliability


def separate(
    label: Any, scores: Any, classes: Sequence[str], signal: str, background: str, weight: Any = None
) -> Separation:
    """Returns curve and shapes of scores, shape (jets, classes), of jets with these labels."""
    named, truth = (
        ClassArray(np.asarray(scores), tuple(classes)),
        ClassArray(np.asarray(label), tuple(classes)),
    )
    curve = roc(truth, named, signal=signal, background=background, weight=weight)
    return Separation(curve, shapes(truth, named, signal, background, weight))


def shapes(label: Any, scores: Any, signal: str, background: str, weight: Any = None) -> dict[str, Points]:
    """Returns the normalised density of the score of both classes; of all jets together where neither is known."""
    values = discriminant(scores, signal=signal, background=background)
    found = by_class(label, values, view.SCORE_BINS, weight)
    filled = {name: density(h) for name, h in found.items() if h.values(flow=True).sum() > 0}
    pair = {name: points for name, points in filled.items() if name in {signal, background}}
    return pair or filled


def measure(jets: Jets, scores: Any, signal: str, background: str) -> Measurement:
    """Returns how well `scores` separate the two classes, in numbers and against what the jets are."""
    curve = roc(jets.label, scores, signal=signal, background=background, weight=jets.weight)
    pair = jets.is_class(signal) | jets.is_class(background)
    jets, scores = jets[pair], scores[pair]
    probability = discriminant(scores, signal=signal, background=background)
    cut = curve.cut(WORKING_POINT, RULE)
    passed, is_signal = probability >= cut, jets.is_class(signal)
    rates, seen = {}, observables(jets, AGAINST)
    for name, values in seen.items():
        edges = _edges(values)
        of_signal, of_background = (
            efficiency(values[which], passed[which], edges, weight=jets.weight[which])
            for which in (is_signal, ~is_signal)
        )
        rates[name] = of_signal, of_background
    rest = ~is_signal
    shape = _sculpted(seen["mass"][rest], passed[rest], rates["mass"][1].edges, jets.weight[rest])
    sculpted = f"Mass sculpting of {background} by the cut: {shape}"
    seen_shapes = shapes(jets.label, scores, signal, background, jets.weight)
    books = reliability(probability, is_signal, weight=jets.weight)
    return Measurement(curve, seen_shapes, cut, rates, sculpted, books)


def measure_beside(
    jets: Jets, scores: Any, signal: str, background: str
) -> tuple[Roc | None, dict[str, Points]]:
    """Returns the curve of a second sample, None where it has no jets of both classes, and its shapes of the score."""
    both = all(name in jets.classes and bool(np.any(jets.is_class(name))) for name in (signal, background))
    curve = None
    if both:
        curve = roc(jets.label, scores, signal=signal, background=background, weight=jets.weight)
    return curve, shapes(jets.label, scores, signal, background, jets.weight)


def measure_unseen(
    jets: Jets, scores: Any, signal: str, background: str, learned: Mapping[str, Any]
) -> tuple[Roc | None, dict[str, Points], str]:
    """Returns the same of those jets that a fit of this note never saw, and what is to be said of it."""
    unseen, partly = unseen_of(learned, jets)
    if partly:
        said = ", with jets from which it also learned, so that it may look too good"
        return *measure_beside(jets, scores, signal, background), said
    if unseen is None:
        return *measure_beside(jets, scores, signal, background), ""
    said = f", of the {np.count_nonzero(unseen):,} jets that the fit never saw: it learned from others of this sample"
    return *measure_beside(jets[unseen], scores[unseen], signal, background), said


def _sculpted(mass: np.ndarray, passed: np.ndarray, edges: np.ndarray, weight: np.ndarray) -> str:
    """How much a cut changes the shape of the mass, in words."""
    try:
        found = sculpting(mass, passed, edges, weight=weight)
    except DataError as error:
        return f"not known. {error}"
    passing = f"{np.count_nonzero(passed):,} of {len(passed):,} jets passing"
    if found.floor >= 1:
        return f"not known; {passing} are too few to tell."
    return (
        f"Jensen-Shannon distance {found.distance:.3f} "
        f"(floor {found.floor:.3f} expected from statistics alone, with {passing})."
    )


def _edges(values: np.ndarray) -> np.ndarray:
    """Equal bins over the range that holds all but one jet in a hundred."""
    low, high = np.nanpercentile(values, (0.5, 99.5))
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


class Performance(pn.viewable.Viewer):
    """Numbers in a strip; rejection and score side by side; rates and calibration in tabs.

    While a fit runs, strip, rejection and score are those of its newest epoch on its own validation jets, and the
    sentence above them says so; when it is over, they are measured on jets that the fit never saw.
    """

    def __init__(self, analysis: Analysis, errands: Errands, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis, self.errands = analysis, errands
        self.measured: Measurement | None = None
        self.shown_live: tuple[Live, Separation] | None = None
        self.figures = {
            name: pn.Column(line(title, variant="caption"), line("–", variant="h6"), margin=2)
            for name, title in (
                ("accuracy", "Accuracy"),
                ("auc", "Area under the ROC curve"),
                ("0.3", "Rejection 1/εB at εS = 0.3"),
                ("0.5", "Rejection 1/εB at εS = 0.5"),
                ("parameters", "Parameters"),
            )
        }
        self.rule, self.told = line(variant="caption"), line("No tagger has scored these jets yet.")
        self.second = line(variant="caption")
        self.curves = view.Curves()
        empty = np.zeros(0)
        self.calibrated = ColumnDataSource(dict.fromkeys(("predicted", "observed", "low", "high"), empty))
        self.rates = {
            name: ColumnDataSource(view.rate_columns(np.zeros(1), *[(empty,) * 3] * 2)) for name in AGAINST
        }
        self.off, self.sculpted = line(variant="caption"), line(variant="caption")
        self.signal, self.background = (
            pmui.Select(label=label, options=[], size="small", width=150)
            for label in ("Signal", "Background")
        )
        self.pair = pn.Row(self.signal, self.background, visible=False)
        self.content = pn.Column(visible=False, sizing_mode="stretch_width")
        self.signal.param.watch(self._choose, "value")
        self.background.param.watch(self._choose, "value")
        analysis.param.watch(self._measure, "scores")
        analysis.param.watch(self._offer, "fitted")
        analysis.param.watch(self._follow, "live")
        analysis.param.watch(self._measure_beside, "beside_scores")

    @property
    def roc(self) -> Roc | None:
        """The measured curve of the tagger on the sample; None while it is not known."""
        return None if self.measured is None else self.measured.curve

    def _offer(self, *events: Any) -> None:
        """Offers a choice of signal and background where a tagger knows more than two classes."""
        classes, analysis = list(self.analysis.fitted.classes), self.analysis
        together = param.parameterized.batch_call_watchers
        with together(self.signal), together(self.background):
            self.signal.param.update(options=classes, value=analysis.signal)
            self.background.param.update(options=classes, value=analysis.background)
        self.pair.visible = len(classes) > 2

    def _choose(self, *events: Any) -> None:
        signal, background = self.signal.value, self.background.value
        if None in (signal, background):
            return
        if signal == background:
            say(self.told, "Signal and background are the same class; choose two different ones.")
        elif (signal, background) != (self.analysis.signal, self.analysis.background):
            self.analysis.against(signal, background)

    def _measure(self, *events: Any) -> None:
        analysis, jets = self.analysis, self.analysis.sample.jets
        if not analysis.measurable or jets is None:
            self.measured = None
            waiting = analysis.fitted is not None and analysis.scores is None
            keep = self.content.visible and (waiting or analysis.live is not None)
            self.content.param.update(loading=keep and analysis.live is None, visible=keep)
            say(self.told, "" if analysis.live is not None else self._why_not())
            return
        unseen = slice(None) if analysis.unseen is None else analysis.unseen
        sample, scores = jets[unseen], analysis.scores[unseen]
        signal, background = analysis.signal, analysis.background
        self.errands.send(
            "measuring the tagger", lambda: measure(sample, scores, signal, background), self.show
        )

    def _follow(self, *events: Any) -> None:
        """Measures the newest epoch of the running fit; one that comes meanwhile waits until that is done."""
        live = self.analysis.live
        if live is None:
            self._end_live()
        elif FOLLOWING not in self.errands.waiting:
            classes = live.classes
            pair = (self.analysis.signal, self.analysis.background)
            signal, background = pair if set(pair) <= set(classes) else (classes[-1], classes[0])
            self.errands.send(
                FOLLOWING,
                lambda: separate(live.label, live.scores, classes, signal, background),
                lambda found: self.show_live(live, found),
                quiet=True,
            )

    def _measure_beside(self, *events: Any) -> None:
        analysis, beside = self.analysis, self.analysis.beside
        if beside is None or beside.jets is None or analysis.beside_scores is None:
            self._show_beside("", None, {})
            return
        jets, scores, name = beside.jets, analysis.beside_scores, beside.name
        signal, background, learned = analysis.signal, analysis.background, analysis.learned
        self.errands.send(
            "measuring on the second sample",
            lambda: measure_unseen(jets, scores, signal, background, learned),
            lambda found: self._show_beside(name, *found),
        )

    def _why_not(self) -> str:
        analysis, jets = self.analysis, self.analysis.sample.jets
        if analysis.fitted is None:
            return "There is no tagger yet; train one on the left."
        if jets is None or analysis.scores is None:
            return "The jets are being scored."
        return f"The sample has no jets of both {analysis.signal} and {analysis.background}; choose one that has."

    def show(self, found: Measurement) -> None:
        """Shows a measurement; while a fit is followed, it is kept and shown when that is over."""
        self.measured = found
        with pn.io.hold():
            self._build()
            self.curves.tagger.data = view.rejection_columns(found.curve.band(view.CURVE))
            self.curves.scores.data = self._scores(found.shapes)
            self._fill_tab()
            if self.shown_live is None:
                self._say_numbers(found.curve, f"{self.analysis.fitted.parameters:,}")
                say(self.rule, self._sentence(found.curve, found.curve.rejection(0.5, RULE).rule))
            say(self.told, "")
            self._scale()
            self.content.param.update(visible=True, loading=False)
            self.analysis.at(found.cut)

    def show_live(self, live: Live, found: Separation) -> None:
        """Shows the newest epoch of a running fit on its validation jets."""
        if self.analysis.live is None:
            return
        self.shown_live = live, found
        curve, one = found.curve, training.UNITS.get(live.unit, live.unit)
        with pn.io.hold():
            self._build()
            self.curves.live.data = view.rejection_columns(curve.band(view.CURVE))
            self.curves.live_scores.data = self._scores(found.shapes)
            self._say_numbers(curve, "–")
            say(
                self.rule,
                f"{live.title}, {one} {live.epoch}, validation sample: {curve.n_signal:,} {curve.signal} against "
                f"{curve.n_background:,} {', '.join(curve.background)} jets. Dashed: the fit that runs.",
            )
            say(self.told, "")
            self._scale()
            self.content.param.update(visible=True, loading=False)
        if self.analysis.live is not live:
            self._follow()

    def _end_live(self) -> None:
        if self.shown_live is None:
            return
        self.shown_live = None
        with pn.io.hold():
            self.curves.live.data = dict(view.EMPTY_CURVE)
            self.curves.live_scores.data = view.score_columns({}, ())
            if self.measured is not None:
                self.show(self.measured)
            else:
                self._measure()

    def _show_beside(self, name: str, curve: Roc | None, found: dict[str, Points], seen: str = "") -> None:
        with pn.io.hold():
            self.curves.beside.data = (
                dict(view.EMPTY_CURVE) if curve is None else view.rejection_columns(curve.band(view.CURVE))
            )
            self.curves.beside_scores.data = self._scores(found)
            told = ""
            if curve is not None:
                told = f"Points and dash-dots: {name}, AUC {with_error(curve.auc, curve.auc_error)}{seen}."
            elif found:
                told = f"Points: {name}, whose classes are not both known, so that only the shape of its score can be compared."
            say(self.second, told)
            self._scale()

    def _say_numbers(self, curve: Roc, parameters: str) -> None:
        thirty, fifty = (curve.rejection(point, RULE) for point in view.WORKING_POINTS)
        numbers = {
            "accuracy": with_error(curve.accuracy, curve.accuracy_error),
            "auc": with_error(curve.auc, curve.auc_error),
            "0.3": str(thirty) if thirty.is_limit else with_error(thirty.value, thirty.error),
            "0.5": str(fifty) if fifty.is_limit else with_error(fifty.value, fifty.error),
            "parameters": parameters,
        }
        for name, text in numbers.items():
            say(self.figures[name][1], text)

    def _scores(self, found: dict[str, Points]) -> dict[str, np.ndarray]:
        fitted, live = self.analysis.fitted, self.analysis.live
        classes = fitted.classes if fitted is not None else live.classes if live is not None else ()
        return view.score_columns(found, classes)

    def _scale(self) -> None:
        """Fits the axis of the score to what is drawn, and names in the legend what is there."""
        if not len(self.content):
            return
        sources = (self.curves.scores, self.curves.live_scores, self.curves.beside_scores)
        heights = np.concatenate([np.asarray(source.data["density"]) for source in sources])
        if heights.size:
            self.score.y_range.update(start=float(heights.min()) / 3, end=float(heights.max()) * 3)
        shown = [name for name in view.STYLES if len(getattr(self.curves, name).data["signal"])]
        view.name_shown(self.rejection, *shown)

    @pn.io.hold()
    def _fill_tab(self, *events: Any) -> None:
        """Fills the tab that is looked at; the others are filled when they are opened."""
        found = self.measured
        if found is None:
            return
        if self.tabs.active == 0:
            for name, (signal, background) in found.rates.items():
                ends = [(e.value, e.low, e.high) for e in (signal, background)]
                self.rates[name].data = view.rate_columns(signal.edges, *ends)
            say(self.sculpted, found.sculpted)
            return
        c = found.calibration
        self.calibrated.data = view.calibration_columns(c.predicted, c.observed, c.low, c.high)
        say(
            self.off,
            f"Expected calibration error {c.ece:.3f}; a perfect score would show {c.floor:.3f} ± {c.floor_error:.3f} with as many jets.",
        )

    def _sentence(self, curve: Roc, rule: str) -> str:
        seen = "that the fit never saw" if self.analysis.unseen is not None else "of this sample"
        jets, card = self.analysis.sample.jets, getattr(self.analysis.fitted, "card", {})
        if self.analysis.unseen is None and jets is not None and card.get("fingerprint") == jets.fingerprint:
            seen += ", from which it also learned, so that it looks too good"
        elif self.analysis.partly_seen:
            seen += ", from part of which it also learned, so that it may look too good"
        return (
            f"{self.analysis.title}: {curve.n_signal:,} {curve.signal} against {curve.n_background:,} "
            f"{', '.join(curve.background)} jets {seen}. Working points: {rule}."
        )

    def _open_at(self, event: Tap) -> None:
        """Opens the jet whose score is nearest to the threshold of the clicked signal efficiency."""
        if self.measured is not None and 0 < event.x <= 1:
            self.analysis.selection.pick_nearest("score", self.measured.curve.cut(float(event.x), RULE))

    def _open_scored(self, event: Tap) -> None:
        """Opens the selected jet whose score is nearest to the clicked one."""
        if self.measured is not None and 0 <= event.x <= 1:
            self.analysis.selection.pick_nearest("score", float(event.x))

    def _build(self) -> None:
        # Made when first needed: figures are the larger part of what painting a page takes.
        if len(self.content):
            return
        self.rejection, self.score = view.rejection_figure(self.curves), view.score_figure(self.curves)
        self.rejection.on_event(Tap, self._open_at)
        self.score.on_event(Tap, self._open_scored)
        cut = line(f"Cut where the signal efficiency first reaches {WORKING_POINT}.", variant="caption")
        rates = row([self._rate(name) for name in self.rates], width=270, most=3)
        calibration = picture(view.calibration_figure(self.calibrated))
        self.tabs = tabs(
            [
                ("Against pT, mass, multiplicity", pn.Column(cut, rates, sizing_mode="stretch_width")),
                ("Calibration", pn.Column(calibration, self.off, sizing_mode="stretch_width")),
            ]
        )
        self.tabs.param.watch(self._fill_tab, "active")
        numbers = row(list(self.figures.values()), width=100, most=5)
        pair = row([picture(self.rejection), picture(self.score)], width=380, most=2)
        click = line("Click either plot to open the jet whose score is nearest.", variant="caption")
        fill(self.content, [numbers, self.rule, pair, self.second, click, self.tabs])

    def _rate(self, name: str) -> pn.viewable.Viewable:
        against = OBSERVABLES[name]
        figure = view.rate_figure(
            self.rates[name],
            against.label,
            against.unit,
            signal="signal",
            background="background",
            name=f"rate {name}",
        )
        below = [self.sculpted] if name == "mass" else []
        return pn.Column(picture(figure), *below, sizing_mode="stretch_width", margin=0)

    def table(self) -> pd.DataFrame:
        """Returns the rejection curve as numbers, with its error."""
        curve = self.curves.tagger.data
        return pd.DataFrame(
            {
                "signal efficiency": curve["signal"],
                "background rejection": curve["rejection"],
                "rejection, 1 sigma below": curve["low"],
                "rejection, 1 sigma above": curve["high"],
            }
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pane(
            "How well the network separates the classes",
            self.pair,
            self.told,
            self.content,
            name="performance",
            menu=Menu(
                "performance",
                figure=lambda: [self.rejection, self.score] if len(self.content) else None,
                data=self.table,
                code=self._code,
                sample=self.analysis.sample,
                shown=lambda: LESSON_OF_TAB[self.tabs.active] if len(self.content) else "",
            ),
        )

    def _code(self) -> str:
        analysis = self.analysis
        pair = f"signal={analysis.signal!r}, background={analysis.background!r}"
        curve = f"curve = wb.roc(jets.label, tagger.score(jets), {pair}, weight=jets.weight)"
        return code.lines(analysis.sample, None, *analysis.measuring, *analysis.lines, curve, "print(curve)")
