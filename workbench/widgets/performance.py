"""How good the tagger is, always with errors and with the rule by which a number was read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models import ColumnDataSource

from ..data.jets import Jets
from ..errors import DataError
from ..physics.calibration import Reliability, reliability
from ..physics.efficiency import Efficiency, efficiency, sculpting
from ..physics.observables import OBSERVABLES, observables
from ..physics.roc import Roc, Rule, discriminant, roc
from ..views import performance as view
from .analysis import Analysis
from .errands import Errands
from .panes import line, pane, picture, row, say
from .text import with_error

AGAINST = ("pt", "mass", "multiplicity")
"""What efficiency and mistag rate are shown against."""

WORKING_POINT = 0.5
"""Signal efficiency of the cut whose efficiency and mistag rate are shown."""

RULE: Rule = "interpolated"
"""Rule by which all working points of the pane are read; the cut is the first to reach the efficiency."""

BINS = 12


@dataclass(frozen=True)
class Measurement:
    """Everything the pane shows of one tagger on one set of jets."""

    curve: Roc
    cut: float
    rates: dict[str, tuple[Efficiency, Efficiency]]
    sculpted: str
    calibration: Reliability


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
    return Measurement(curve, cut, rates, sculpted, reliability(probability, is_signal, weight=jets.weight))


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
    """Numbers in a strip; rejection, rates and calibration in tabs."""

    def __init__(self, analysis: Analysis, errands: Errands, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis, self.errands = analysis, errands
        self.measured: Measurement | None = None
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
        empty = np.zeros(0)
        self.curve = ColumnDataSource(dict.fromkeys(("signal", "rejection", "low", "high"), empty))
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
        self.signal.param.watch(self._choose, "value")
        self.background.param.watch(self._choose, "value")
        self.content = pn.Column(visible=False, sizing_mode="stretch_width")
        analysis.param.watch(self._measure, "scores")
        analysis.param.watch(self._offer, "fitted")

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
            waiting = analysis.fitted is not None and analysis.scores is None
            self.content.param.update(
                loading=self.content.visible and waiting, visible=self.content.visible and waiting
            )
            say(self.told, self._why_not())
            return
        unseen = slice(None) if analysis.unseen is None else analysis.unseen
        sample, scores = jets[unseen], analysis.scores[unseen]
        signal, background = analysis.signal, analysis.background
        self.errands.send(
            "measuring the tagger", lambda: measure(sample, scores, signal, background), self.show
        )

    def _why_not(self) -> str:
        analysis, jets = self.analysis, self.analysis.sample.jets
        if analysis.fitted is None:
            return "There is no tagger yet; train one on the left."
        if jets is None or analysis.scores is None:
            return "The jets are being scored."
        return f"The sample has no jets of both {analysis.signal} and {analysis.background}; choose one that has."

    def show(self, found: Measurement) -> None:
        """Shows a measurement."""
        self.measured = found
        curve, fitted = found.curve, self.analysis.fitted
        thirty, fifty = (curve.rejection(point, RULE) for point in view.WORKING_POINTS)
        numbers = {
            "accuracy": with_error(curve.accuracy, curve.accuracy_error),
            "auc": with_error(curve.auc, curve.auc_error),
            "0.3": str(thirty) if thirty.is_limit else with_error(thirty.value, thirty.error),
            "0.5": str(fifty) if fifty.is_limit else with_error(fifty.value, fifty.error),
            "parameters": f"{fitted.parameters:,}",
        }
        with pn.io.hold():
            if not len(self.content):
                self.content[:] = self._layout()
            for name, text in numbers.items():
                say(self.figures[name][1], text)
            say(self.rule, self._sentence(curve, thirty.rule))
            say(self.told, "")
            self.curve.data = view.rejection_columns(curve.band(view.CURVE))
            c = found.calibration
            self.calibrated.data = view.calibration_columns(c.predicted, c.observed, c.low, c.high)
            say(
                self.off,
                f"Expected calibration error {c.ece:.3f}; a perfect score would show {c.floor:.3f} ± {c.floor_error:.3f} with as many jets.",
            )
            say(self.sculpted, found.sculpted)
            for name, (signal, background) in found.rates.items():
                ends = [(e.value, e.low, e.high) for e in (signal, background)]
                self.rates[name].data = view.rate_columns(signal.edges, *ends)
            self.content.param.update(visible=True, loading=False)
            self.analysis.at(found.cut)

    def _sentence(self, curve: Roc, rule: str) -> str:
        seen = "that the fit never saw" if self.analysis.unseen is not None else "of this sample"
        jets, card = self.analysis.sample.jets, getattr(self.analysis.fitted, "card", {})
        if self.analysis.unseen is None and jets is not None and card.get("fingerprint") == jets.fingerprint:
            seen += ", from which it also learned, so that it looks too good"
        return (
            f"{self.analysis.title}: {curve.n_signal:,} {curve.signal} against {curve.n_background:,} "
            f"{', '.join(curve.background)} jets {seen}. Working points: {rule}."
        )

    def _layout(self) -> list[Any]:
        # Made when first needed: figures are the larger part of what painting a page takes.
        tabs = pmui.Tabs(
            ("Rejection", picture(view.rejection_figure(self.curve))),
            (
                "Against pT, mass, multiplicity",
                pn.Column(
                    line(
                        f"Cut where the signal efficiency first reaches {WORKING_POINT}.", variant="caption"
                    ),
                    *map(self._rate, self.rates),
                    sizing_mode="stretch_width",
                ),
            ),
            (
                "Calibration",
                pn.Column(
                    picture(view.calibration_figure(self.calibrated)), self.off, sizing_mode="stretch_width"
                ),
            ),
            sizing_mode="stretch_width",
        )
        return [row(list(self.figures.values()), width=100, most=5), self.rule, tabs]

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

    def __panel__(self) -> pn.viewable.Viewable:
        return pane(
            "How well the network separates the classes",
            self.pair,
            self.told,
            self.content,
            name="performance",
        )
