"""The distribution of one observable, by class, with a ratio below: to a reference class, or of a second sample to the first."""

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
"""On what histograms stand: nothing on a linear axis, below anything that is drawn on a logarithmic one."""

TOOLBAR = 30
"""Room that the toolbar of the histogram takes beside it, in screen units."""

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "plus", "cross")
"""One sign per class for the points of a second sample."""

SMALLEST_SPAN, LARGEST_SPAN = 1.5, 1e4
"""The axis of the ratio reaches at least from 1 over the first number to it, at most from 1 over the second."""

NEAR_ONE = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Ticks of a ratio that stays near one."""

TENS = (0.1, 1.0, 10.0)
"""Ticks of one that does not."""

DECADES = (1e-4, 1e-2, 1.0, 1e2, 1e4)
"""Ticks of the ratio: every second power of ten, so that they do not run into one another."""

ROWS = 16
"""Classes for which a histogram has room from the start."""

LEFT = 62
"""Room left of the axes in screen units, so that histogram and ratio stand above one another."""


def columns(densities: Densities) -> dict[str, np.ndarray]:
    """Returns one row per class and bin: the densities and their errors.

    Columns: "left", "right", "centre" (units of the observable), "density", "low", "high" (1/unit), "class", "colour".
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
            }
        ),
        "class": np.repeat(np.array(list(densities), dtype=object), bins),
        "colour": np.repeat(np.array(class_colours(n), dtype=object), bins),
    }


def outlines(densities: Densities) -> dict[str, list]:
    """Returns one staircase per class, which stands on `FLOOR`: "xs", "ys", "colour"."""
    return {
        "xs": [np.repeat(points.edges, 2).astype(np.float32) for points in densities.values()],
        "ys": [
            np.maximum(np.concatenate([[0.0], np.repeat(points.value, 2), [0.0]]), FLOOR).astype(np.float32)
            for points in densities.values()
        ],
        "colour": list(class_colours(len(densities))),
    }


def areas(densities: Densities) -> dict[str, list]:
    """Returns `outlines` with "class", "hatch", "alpha": the first class is filled, the others are hatched.

    So they differ without colour. A bar of its own for every bin would be hatched on its own, which takes a browser a
    quarter of a second for the histograms of a page.
    """
    n = len(densities)
    return {
        **outlines(densities),
        "class": list(densities),
        "hatch": list(class_hatches(n)),
        "alpha": [FILLED if i == 0 else 0.10 for i in range(n)],
    }


def padded(rows: dict[str, list]) -> dict[str, list]:
    """Returns the rows of `areas` with nothing drawn after them, `ROWS` in all.

    Bokeh takes over the shapes of a source before their colours, and a legend that it paints in between fails where there
    are more of the one than of the other.
    """
    missing = ROWS - len(rows["class"])
    blank = {
        "xs": np.zeros(0, np.float32),
        "ys": np.zeros(0, np.float32),
        "colour": NEUTRAL,
        "hatch": " ",
        "alpha": 0.0,
    }
    last = rows["class"][-1] if rows["class"] else ""
    return {name: values + [blank.get(name, last)] * missing for name, values in rows.items()}


def ratios(densities: Densities, reference: str) -> dict[str, np.ndarray]:
    """Returns each class over `reference`, one row per bin where both are positive: "centre", "ratio", "low", "high", "colour".

    The lower end stays above a tenth of the ratio, because the axis is logarithmic.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("centre", "ratio", "low", "high", "colour")}
    for (name, points), colour in zip(densities.items(), class_colours(len(densities)), strict=True):
        if name != reference and reference in densities:
            _add_ratio(parts, points, densities[reference], colour)
    return _ratio_columns(parts)


def second_ratios(
    densities: Densities, second: Densities, whole: Points | None = None
) -> dict[str, np.ndarray]:
    """Returns the second sample over the first for each class that both have; columns as of `ratios`.

    A class that the first lacks (data have none) stands over `whole`, all jets of the first, if it is given.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("centre", "ratio", "low", "high", "colour")}
    for name, colour, _ in _styles(densities, second):
        below = densities.get(name, whole)
        if below is not None:
            _add_ratio(parts, second[name], below, colour)
    return _ratio_columns(parts)


def second_points(densities: Densities, second: Densities) -> dict[str, np.ndarray]:
    """Returns one row per class and filled bin of the second sample: "centre", "density", "low", "high", "colour", "marker"."""
    parts: dict[str, list[np.ndarray]] = {
        n: [] for n in ("centre", "density", "low", "high", "colour", "marker")
    }
    for name, colour, marker in _styles(densities, second):
        points = second[name]
        shown = points.value > 0
        value, error = points.value[shown], points.error[shown]
        parts["centre"].append(((points.edges[:-1] + points.edges[1:]) / 2)[shown])
        parts["density"].append(value)
        parts["low"].append(np.maximum(value - error, 0))
        parts["high"].append(value + error)
        parts["colour"].append(np.full(len(value), colour, dtype=object))
        parts["marker"].append(np.full(len(value), marker, dtype=object))
    words = {name: _words(parts.pop(name)) for name in ("colour", "marker")}
    return {**single({name: _joined(values) for name, values in parts.items()}), **words}


def second_outlines(densities: Densities, second: Densities) -> dict[str, list]:
    """Returns one staircase per class of the second sample in the colour of the class: "xs", "ys", "colour"."""
    styles = _styles(densities, second)
    return {
        **outlines({name: second[name] for name, _, _ in styles}),
        "colour": [colour for _, colour, _ in styles],
    }


def _styles(densities: Densities, second: Densities) -> list[tuple[str, str, str]]:
    """Returns name, colour and marker per class of the second sample; those the first lacks come after its own."""
    names = [*densities, *(name for name in second if name not in densities)]
    colours = class_colours(len(names))
    return [(name, colours[i], MARKERS[i % len(MARKERS)]) for i, name in enumerate(names) if name in second]


def _add_ratio(parts: dict[str, list[np.ndarray]], above: Points, below: Points, colour: str) -> None:
    over = ratio(above, below)
    shown = np.isfinite(over.value) & (over.value > 0)
    value, error = over.value[shown], over.error[shown]
    parts["centre"].append(((over.edges[:-1] + over.edges[1:]) / 2)[shown])
    parts["ratio"].append(value)
    parts["low"].append(np.maximum(value - error, value / 10))
    parts["high"].append(value + error)
    parts["colour"].append(np.full(len(value), colour, dtype=object))


def _ratio_columns(parts: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    colours = _words(parts.pop("colour"))
    return {**single({name: _joined(values) for name, values in parts.items()}), "colour": colours}


def _words(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=object), *parts])


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


class Sources:
    """The sources of one histogram, refilled in place."""

    def __init__(self) -> None:
        self.bars = ColumnDataSource(columns({}))
        self.areas = ColumnDataSource(padded(areas({})))
        self.ratio = ColumnDataSource(ratios({}, ""))
        self.points = ColumnDataSource(second_points({}, {}))
        self.dashes = ColumnDataSource(second_outlines({}, {}))

    def fill(
        self,
        densities: Densities,
        reference: str,
        second: Densities | None = None,
        *,
        measured: bool = False,
        whole: Points | None = None,
    ) -> None:
        """Shows these densities and below them their ratios to the class `reference`.

        With a `second` sample the ratios are those of the second to the first; it is drawn as points where it is `measured`
        data, else as dashed outlines. `whole` is the density of all jets of the first.
        """
        there = second or {}
        self.bars.data = columns(densities)
        self.areas.data = padded(areas(densities))
        self.ratio.data = second_ratios(densities, there, whole) if there else ratios(densities, reference)
        self.points.data = second_points(densities, there if measured else {})
        self.dashes.data = second_outlines(densities, {} if measured else there)


def ratio_range(rows: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Returns the ends of the axis of `ratios`, symmetric around 1."""
    values = rows["ratio"].astype(float)
    largest = float(np.max(np.maximum(values, 1 / values), initial=1.0)) * 1.2
    span = min(max(largest, SMALLEST_SPAN), LARGEST_SPAN)
    return 1 / span, span


def ratio_ticks(span: float) -> tuple[float, ...]:
    """Returns the ticks of a ratio's axis that reaches from 1 / span to span."""
    return NEAR_ONE if span < 10 else TENS if span < 100 else DECADES


def logarithmic_range(densities: Densities) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis: a third of the smallest positive density, three times the largest."""
    values = _joined([points.value for points in densities.values()])
    positive = values[values > 0]
    return (float(positive.min()) / 3, float(positive.max()) * 3) if positive.size else (FLOOR, 1.0)


def histogram_figure(
    sources: Sources, label: str, unit: str, *, name: str, log: bool = False, x_range: Range1d | None = None
) -> figure:
    """Returns the densities by class, with error bars and a legend; `log` draws them on a logarithmic axis.

    Give `x_range` to share the horizontal axis with another figure.
    """
    per = f"density [1/{unit}]" if unit and unit != "1" else "density"
    shared = {} if x_range is None else {"x_range": x_range}
    plot = frame(
        axis_label(label, unit), per, name=name, height=195, y_axis_type="log" if log else "linear", **shared
    )
    plot.patches(
        "xs",
        "ys",
        source=sources.areas,
        fill_color="colour",
        fill_alpha="alpha",
        hatch_color="colour",
        hatch_pattern="hatch",
        hatch_alpha=0.35,
        hatch_scale=7,
        line_color="colour",
        line_width=1.8,
        legend_field="class",
    )
    plot.segment("centre", "low", "centre", "high", source=sources.bars, line_color="colour", line_width=1.2)
    plot.multi_line(
        "xs",
        "ys",
        source=sources.dashes,
        line_color="colour",
        line_width=2.2,
        line_dash="dashed",
        name="second",
    )
    plot.segment(
        "centre", "low", "centre", "high", source=sources.points, line_color="colour", line_width=1.6
    )
    plot.scatter(
        "centre", "density", source=sources.points, marker="marker", color="colour", size=6, name="measured"
    )
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
    plot.y_range = Range1d(1 / SMALLEST_SPAN, SMALLEST_SPAN)
    plot.yaxis.ticker = FixedTicker(ticks=NEAR_ONE)
    plot.min_border_left = above.min_border_left = LEFT
    plot.min_border_right = max(above.min_border_right, TOOLBAR)
    return plot
