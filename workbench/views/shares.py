"""Quantities in bins with errors, one series per group of jets: bars over names, points along an axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Span
from bokeh.plotting import figure

from ..physics.bootstrap import Estimate
from ..physics.partitions import Axis
from .frame import axis_label, frame, legend_above, single
from .palette import NEUTRAL, class_colours, class_hatches
from .performance import MARKERS

WIDTH = 0.8
"""Of all bars of one name together."""

NUMBERS = ("left", "right", "centre", "value", "low", "high", "bottom")
WORDS = ("series", "bin", "colour", "hatch", "marker", "text")


class Sources:
    """The sources of one figure: the series, and what they are compared with."""

    def __init__(self) -> None:
        self.series, self.reference = empty(), empty()


def empty() -> ColumnDataSource:
    """Returns the source of bars or points, without any."""
    return ColumnDataSource(columns(Axis("", names=("",)), {}))


def columns(axis: Axis, series: Mapping[str, Estimate]) -> dict[str, Any]:
    """Returns one row per series and bin with a value: "left", "right", "centre", "value", "low", "high", and words.

    Bins with names lie at 0, 1, ...; there the series stand side by side, elsewhere on one another.

    Args:
        axis: The bins.
        series: Values with errors, shape (bins,), by the name of the series; their order is that of the colours.
    """
    edges = np.arange(len(axis) + 1) - 0.5 if axis.names else np.asarray(axis.edges, dtype=float)
    logarithmic = is_logarithmic(axis)
    colours, hatches = class_colours(len(series)), class_hatches(len(series))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*NUMBERS, *WORDS)}
    for k, (name, found) in enumerate(series.items()):
        left, right = edges[:-1], edges[1:]
        if axis.names:
            width = WIDTH / len(series)
            left = np.arange(len(axis)) - WIDTH / 2 + k * width
            right = left + width
        known = np.isfinite(found.value)
        error = np.nan_to_num(found.error)
        centre = np.sqrt(left * right) if logarithmic else (left + right) / 2
        numbers = (left, right, centre, found.value, found.value - error, found.value + error)
        for key, values in zip(NUMBERS, (*numbers, np.zeros(len(axis))), strict=True):
            parts[key].append(values[known])
        texts = np.array(
            [f"{v:.4g} ± {e:.2g}" for v, e in zip(found.value, error, strict=True)], dtype=object
        )
        marker = MARKERS[k % len(MARKERS)]
        words = (name, np.array(axis.words, dtype=object), colours[k], hatches[k], marker, texts)
        for key, word in zip(WORDS, words, strict=True):
            column = word if isinstance(word, np.ndarray) else np.full(len(axis), word, dtype=object)
            parts[key].append(column[known])
    numbers_of = {key: np.concatenate([np.zeros(0), *parts[key]]) for key in NUMBERS}
    return {
        **single(numbers_of),
        **{key: np.concatenate([np.zeros(0, dtype=object), *parts[key]]) for key in WORDS},
    }


def is_logarithmic(axis: Axis) -> bool:
    """Returns True for an axis whose bins are equally wide on a logarithmic scale over two decades or more."""
    return bool(axis.edges) and axis.edges[0] > 0 and axis.edges[-1] / axis.edges[0] >= 100


def share_figure(sources: Sources, axis: Axis, y: str, *, name: str, height: int = 300) -> figure:
    """Returns bars over names or points along an axis, with errors; short lines are what they are compared with."""
    scale: dict[str, Any] = {"x_axis_type": "log"} if is_logarithmic(axis) else {}
    plot = frame(axis_label(axis.label, axis.unit), y, name=name, height=height, **scale)
    style = {"source": sources.series, "line_color": "colour"}
    if axis.names:
        bars = plot.quad(
            left="left",
            right="right",
            top="value",
            bottom="bottom",
            fill_color="colour",
            fill_alpha=0.45,
            hatch_color="colour",
            hatch_pattern="hatch",
            hatch_alpha=0.5,
            hatch_scale=7,
            legend_field="series",
            **style,
        )
        plot.xaxis.ticker = FixedTicker(ticks=list(range(len(axis))))
        plot.xaxis.major_label_overrides = dict(enumerate(axis.names))
        plot.xaxis.major_label_orientation = 0.5 if len(axis) > 4 else 0.0
        plot.xgrid.grid_line_alpha = 0
    else:
        bars = plot.scatter(
            "centre",
            "value",
            marker="marker",
            size=7,
            fill_color="colour",
            fill_alpha=0.6,
            legend_field="series",
            **style,
        )
        plot.segment("left", "value", "right", "value", **style)
    plot.segment("centre", "low", "centre", "high", line_width=1.6, **style)
    plot.segment(
        "left",
        "value",
        "right",
        "value",
        source=sources.reference,
        line_color=NEUTRAL,
        line_width=2.5,
        line_dash=[3, 2],
    )
    plot.add_layout(Span(location=0, dimension="width", line_color=NEUTRAL, line_dash="dotted"))
    plot.add_tools(
        HoverTool(renderers=[bars], tooltips=[("", "@series"), (axis.label, "@bin"), (y, "@text")])
    )
    legend_above(plot)
    return plot


def rename(plot: figure, y: str) -> None:
    """Says on the vertical axis and under the mouse what is shown."""
    plot.yaxis.axis_label = y
    hover = plot.select_one(HoverTool)
    hover.tooltips = [*hover.tooltips[:-1], (y, "@text")]


def rows(axis: Axis, series: Mapping[str, Estimate]) -> list[Sequence[str]]:
    """Returns the same as a table: one row per bin, its words and each series with its error."""
    return [
        (word, *(written(found[i]) for found in series.values()))
        for i, word in enumerate(axis.words)
        if any(np.isfinite(found.value[i]) for found in series.values())
    ]


def written(estimate: Estimate) -> str:
    """Returns one number with its error; a dash where it is not defined."""
    value, error = float(estimate.value), float(estimate.error)
    if not np.isfinite(value):
        return "–"
    return f"{value:.3f} ± {error:.3f}" if np.isfinite(error) else f"{value:.3f}"
