"""The distribution of one observable, by class, with its ratio to a reference class below."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, FixedTicker, Range1d, Span
from bokeh.plotting import figure

from ..physics.distributions import Points, ratio
from .frame import axis_label, frame, legend_above, single
from .palette import NEUTRAL, class_colours, class_hatches

Densities = Mapping[str, Points]
"""Per class its normalised density in 1/unit, all with the same edges."""

FILLED = 0.30

FLOOR = 1e-9
"""Where bars begin on a logarithmic axis: below anything that is drawn."""

TOOLBAR = 30
"""Room that the toolbar of the histogram takes beside it, in screen units."""

DECADES = (1e-4, 1e-2, 1.0, 1e2, 1e4)
"""Ticks of the ratio: every second power of ten, so that they do not run into one another."""

LEFT = 62
"""Room left of the axes in screen units, so that histogram and ratio stand above one another."""


def columns(densities: Densities) -> dict[str, np.ndarray]:
    """Returns one row per class and bin: the bars and their errors.

    Columns: "left", "right", "centre" (units of the observable), "density", "low", "high" (1/unit), "class", "colour",
    "hatch", "alpha". The first class is filled, the others are hatched, so that they differ without colour.
    """
    n = len(densities)
    edges = [points.edges for points in densities.values()]
    density = _joined([points.value for points in densities.values()])
    error = _joined([points.error for points in densities.values()])
    bins = [len(points.value) for points in densities.values()]
    return {
        **single(
            {
                "left": _joined([e[:-1] for e in edges]),
                "right": _joined([e[1:] for e in edges]),
                "centre": _joined([(e[:-1] + e[1:]) / 2 for e in edges]),
                "density": density,
                "low": density - error,
                "high": density + error,
                "alpha": np.repeat([FILLED if i == 0 else 0.10 for i in range(n)], bins),
            }
        ),
        "class": np.repeat(np.array(list(densities), dtype=object), bins),
        "colour": np.repeat(np.array(class_colours(n), dtype=object), bins),
        "hatch": np.repeat(np.array(class_hatches(n), dtype=object), bins),
    }


def outlines(densities: Densities) -> dict[str, list]:
    """Returns one staircase per class: "xs", "ys", "colour"."""
    return {
        "xs": [np.repeat(points.edges, 2).astype(np.float32) for points in densities.values()],
        "ys": [
            np.concatenate([[0.0], np.repeat(points.value, 2), [0.0]]).astype(np.float32)
            for points in densities.values()
        ],
        "colour": list(class_colours(len(densities))),
    }


def ratios(densities: Densities, reference: str) -> dict[str, np.ndarray]:
    """Returns each class over `reference`, one row per bin where both are positive: "centre", "ratio", "low", "high", "colour".

    The lower end stays above a tenth of the ratio, because the axis is logarithmic.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("centre", "ratio", "low", "high", "colour")}
    for (name, points), colour in zip(densities.items(), class_colours(len(densities)), strict=True):
        if name == reference:
            continue
        over = ratio(points, densities[reference])
        shown = np.isfinite(over.value) & (over.value > 0)
        value, error = over.value[shown], over.error[shown]
        parts["centre"].append(((over.edges[:-1] + over.edges[1:]) / 2)[shown])
        parts["ratio"].append(value)
        parts["low"].append(np.maximum(value - error, value / 10))
        parts["high"].append(value + error)
        parts["colour"].append(np.full(len(value), colour, dtype=object))
    colours = parts.pop("colour")
    return {
        **single({name: _joined(values) for name, values in parts.items()}),
        "colour": np.concatenate([np.zeros(0, dtype=object), *colours]),
    }


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


class Sources:
    """The three sources of one histogram, refilled in place."""

    def __init__(self) -> None:
        self.bars = ColumnDataSource(columns({}))
        self.lines = ColumnDataSource(outlines({}))
        self.ratio = ColumnDataSource(ratios({}, ""))

    def fill(self, densities: Densities, reference: str) -> None:
        """Shows these densities, and their ratios to the class `reference`."""
        self.bars.data = columns(densities)
        self.lines.data = outlines(densities)
        self.ratio.data = ratios(densities, reference)


def logarithmic_range(densities: Densities) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis: a third of the smallest positive density, three times the largest."""
    values = _joined([points.value for points in densities.values()])
    positive = values[values > 0]
    return (float(positive.min()) / 3, float(positive.max()) * 3) if positive.size else (FLOOR, 1.0)


def histogram_figure(sources: Sources, label: str, unit: str, *, name: str, log: bool = False) -> figure:
    """Returns the densities by class, with error bars and a legend; `log` draws them on a logarithmic axis."""
    per = f"density [1/{unit}]" if unit and unit != "1" else "density"
    plot = frame(axis_label(label, unit), per, name=name, height=195, y_axis_type="log" if log else "linear")
    plot.quad(
        left="left",
        right="right",
        top="density",
        bottom=FLOOR if log else 0,
        source=sources.bars,
        fill_color="colour",
        fill_alpha="alpha",
        hatch_color="colour",
        hatch_pattern="hatch",
        hatch_alpha=0.35,
        hatch_scale=7,
        line_alpha=0,
        legend_field="class",
    )
    plot.multi_line("xs", "ys", source=sources.lines, line_color="colour", line_width=1.8)
    plot.segment("centre", "low", "centre", "high", source=sources.bars, line_color="colour", line_width=1.2)
    plot.y_range = Range1d(FLOOR, 1) if log else DataRange1d(start=0)
    legend_above(plot)
    return plot


def ratio_figure(sources: Sources, above: figure, label: str, unit: str, *, name: str) -> figure:
    """Returns the ratios below the histogram `above`, on a logarithmic axis that shares its range."""
    plot = frame(
        axis_label(label, unit),
        "ratio",
        name=name,
        height=105,
        x_range=above.x_range,
        y_axis_type="log",
        toolbar_location=None,
    )
    above.xaxis.visible = False
    plot.add_layout(Span(location=1, dimension="width", line_color=NEUTRAL, line_dash="dotted"))
    plot.segment("centre", "low", "centre", "high", source=sources.ratio, line_color="colour")
    plot.scatter("centre", "ratio", source=sources.ratio, color="colour", size=4)
    plot.yaxis.ticker = FixedTicker(ticks=DECADES)
    plot.min_border_left = above.min_border_left = LEFT
    plot.min_border_right = max(above.min_border_right, TOOLBAR)
    return plot
