"""How good a tagger is: rejection, efficiency against what the jet is, calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, Range1d
from bokeh.plotting import figure

from ..physics.distributions import Points
from ..physics.roc import Band
from .frame import axis_label, frame, legend_above, quiet_legend, single
from .palette import NEUTRAL, OKABE_ITO, class_colours, class_hatches

WORKING_POINTS = (0.3, 0.5)
"""Signal efficiencies at which the background rejection is read."""

CURVE = np.linspace(0.01, 1.0, 199)
"""Signal efficiencies at which the curve is drawn."""

SCORE_FLOOR = 1e-9
"""Where bars begin on the logarithmic axis: below anything that is drawn."""

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "plus", "cross")
"""One sign per class for points."""

SCORE_BINS = (40, 0.0, 1.0000001)
"""A score of exactly 1 is in the last bin."""

STYLES = {
    "tagger": ("this tagger", OKABE_ITO[0], "solid", 0.25),
    "live": ("being trained", OKABE_ITO[5], "dashed", 0.12),
    "beside": ("second sample", OKABE_ITO[2], "dotdash", 0.12),
}
"""Name, colour, dash and strength of the band of each curve."""

EMPTY_CURVE = dict.fromkeys(("signal", "rejection", "low", "high"), np.zeros(0, np.float32))


def rejection_columns(band: Band) -> dict[str, np.ndarray]:
    """Returns the rejection curve and its 68 % band: "signal", "rejection", "low", "high".

    Signal efficiencies at which no background jet passes are left out: there the rejection is only known to be larger.
    """
    known = np.isfinite(band.value)
    return single(
        {
            "signal": band.signal_efficiency[known],
            "rejection": band.value[known],
            "low": band.low[known],
            "high": np.where(np.isfinite(band.high), band.high, 10 * band.value)[known],
        }
    )


class Curves:
    """The sources of the rejection and of the scores: of the tagger, of the fit that runs, and on a second sample."""

    def __init__(self) -> None:
        self.tagger, self.live, self.beside = (ColumnDataSource(dict(EMPTY_CURVE)) for _ in range(3))
        self.scores, self.live_scores, self.beside_scores = (
            ColumnDataSource(score_columns({}, ())) for _ in range(3)
        )


def rejection_figure(curves: Curves) -> figure:
    """Returns background rejection against signal efficiency on a logarithmic axis, with one-sigma bands."""
    plot = frame(
        "signal efficiency εS", "background rejection 1/εB", name="rejection", height=320, y_axis_type="log"
    )
    plot.x_range = Range1d(0, 1)
    for which, (label, colour, dash, alpha) in STYLES.items():
        style = {"source": getattr(curves, which), "legend_label": label}
        plot.varea("signal", "low", "high", fill_color=colour, fill_alpha=alpha, **style)
        line = plot.line(
            "signal", "rejection", color=colour, line_width=2, line_dash=dash, name=f"{which} curve", **style
        )
        tips = [(label, ""), ("εS", "@signal{0.00}"), ("1/εB", "@rejection{0.0} (@low{0.0} to @high{0.0})")]
        plot.add_tools(HoverTool(renderers=[line], mode="vline", tooltips=tips))
    guess = np.linspace(0.01, 1, 100)
    plot.line(guess, 1 / guess, color=NEUTRAL, line_dash="dotted", legend_label="guessing")
    for point in WORKING_POINTS:
        plot.vspan(x=[point], line_color=NEUTRAL, line_dash="dashed", line_alpha=0.5)
    quiet_legend(plot)
    return plot


def name_shown(plot: figure, *shown: str) -> None:
    """Leaves the curves that are not among `shown` out of the legend of the rejection."""
    names = {label: which for which, (label, *_) in STYLES.items()}
    for item in plot.legend[0].items:
        item.visible = names.get(item.label.value, "") in {"", *shown}


def score_columns(densities: Mapping[str, Points], classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns one row per class and filled bin: "left", "right", "centre", "density", "low", "high", "class", "colour", "hatch", "marker".

    Args:
        densities: Normalised density of the score by class.
        classes: All classes, in the order of their colours.
    """
    parts: dict[str, list[Any]] = {name: [] for name in ("left", "right", "density", "error")}
    words: dict[str, list[Any]] = {name: [] for name in ("class", "colour", "hatch", "marker")}
    for name, points in densities.items():
        filled = points.value > 0
        place = classes.index(name) if name in classes else len(classes)
        for key, values in zip(
            parts, (points.edges[:-1], points.edges[1:], points.value, points.error), strict=True
        ):
            parts[key].append(values[filled])
        signs = (
            name,
            class_colours(place + 1)[-1],
            class_hatches(place + 1)[-1],
            MARKERS[place % len(MARKERS)],
        )
        for key, sign in zip(words, signs, strict=True):
            words[key].append(np.full(int(filled.sum()), sign, dtype=object))
    numbers = {key: np.concatenate([np.zeros(0), *values]) for key, values in parts.items()}
    error = numbers.pop("error")
    numbers |= {
        "centre": (numbers["left"] + numbers["right"]) / 2,
        "low": np.maximum(numbers["density"] - error, numbers["density"] / 10),
        "high": numbers["density"] + error,
    }
    texts = {key: np.concatenate([np.zeros(0, dtype=object), *values]) for key, values in words.items()}
    return {**single(numbers), **texts}


def score_figure(curves: Curves) -> figure:
    """Returns the score by class: bars of the tagger's jets, dashes of the fit that runs, points of a second sample."""
    plot = frame("score of the signal", "density", name="scores", height=320, y_axis_type="log")
    plot.x_range = Range1d(0, 1)
    plot.quad(
        left="left",
        right="right",
        top="density",
        bottom=SCORE_FLOOR,
        source=curves.scores,
        fill_color="colour",
        fill_alpha=0.2,
        hatch_color="colour",
        hatch_pattern="hatch",
        hatch_alpha=0.3,
        hatch_scale=7,
        line_color="colour",
        line_alpha=0.7,
        legend_field="class",
    )
    plot.segment("centre", "low", "centre", "high", source=curves.scores, color="colour")
    plot.segment(
        "left", "density", "right", "density", source=curves.live_scores, color="colour", line_width=3
    )
    for x in ("left", "right"):
        plot.scatter(x, "density", source=curves.live_scores, color="colour", size=3)
    plot.segment("centre", "low", "centre", "high", source=curves.beside_scores, color="colour")
    plot.scatter(
        "centre",
        "density",
        source=curves.beside_scores,
        marker="marker",
        size=7,
        fill_alpha=0,
        line_width=1.5,
        color="colour",
    )
    plot.y_range = Range1d(SCORE_FLOOR, 1)
    legend_above(plot)
    return plot


def rate_columns(
    edges: np.ndarray, signal: tuple[np.ndarray, ...], background: tuple[np.ndarray, ...]
) -> dict[str, np.ndarray]:
    """Returns efficiency and mistag rate per bin: "centre", "half", and "value", "low", "high" of each with its prefix.

    Args:
        edges: Bin edges, shape (bins + 1,).
        signal: Value, lower and upper end of the signal's rate, each of shape (bins,); nan where no jet fell.
        background: The same of the background.
    """
    values = {"centre": (edges[:-1] + edges[1:]) / 2, "left": edges[:-1], "right": edges[1:]}
    for prefix, (value, low, high) in (("signal", signal), ("background", background)):
        values |= {f"{prefix}_value": value, f"{prefix}_low": low, f"{prefix}_high": high}
    return single(values)


def rate_figure(
    source: ColumnDataSource, label: str, unit: str, *, signal: str, background: str, name: str
) -> figure:
    """Returns efficiency of the signal and mistag rate of the background against an observable."""
    plot = frame(axis_label(label, unit), "share that passes the cut", name=name, height=250)
    plot.y_range = DataRange1d(start=0)
    for prefix, text, colour, marker in (
        ("signal", signal, OKABE_ITO[1], "circle"),
        ("background", background, OKABE_ITO[0], "square"),
    ):
        style = {"source": source, "color": colour, "legend_label": text}
        plot.segment("centre", f"{prefix}_low", "centre", f"{prefix}_high", **style)
        plot.segment("left", f"{prefix}_value", "right", f"{prefix}_value", line_alpha=0.6, **style)
        plot.scatter("centre", f"{prefix}_value", size=6, marker=marker, **style)
    legend_above(plot)
    return plot


def calibration_columns(
    predicted: np.ndarray, observed: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the reliability diagram, one row per filled bin: "predicted", "observed", "low", "high"."""
    filled = np.isfinite(predicted) & np.isfinite(observed)
    return single(
        {
            "predicted": predicted[filled],
            "observed": observed[filled],
            "low": low[filled],
            "high": high[filled],
        }
    )


def calibration_figure(source: ColumnDataSource) -> figure:
    """Returns how often a score comes true against what it says; a calibrated score lies on the diagonal."""
    plot = frame(
        "mean score in the bin",
        "share that is signal",
        name="calibration",
        height=320,
        x_range=(0, 1),
        y_range=(0, 1),
    )
    plot.line([0, 1], [0, 1], color=NEUTRAL, line_dash="dotted", legend_label="perfect")
    plot.segment("predicted", "low", "predicted", "high", source=source, color=OKABE_ITO[0])
    plot.scatter(
        "predicted", "observed", source=source, color=OKABE_ITO[0], size=6, legend_label="this tagger"
    )
    quiet_legend(plot, "top_left")
    return plot
