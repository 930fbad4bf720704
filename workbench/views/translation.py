"""A network in terms of physics: how far named observables follow it, what its layers know, what it can do without."""

from collections.abc import Mapping, Sequence

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, FactorRange, HoverTool, LinearColorMapper, Range1d, Span
from bokeh.plotting import figure
from bokeh.transform import dodge

from .frame import cells, frame, legend_above, single
from .palette import INTENSITY, NEUTRAL, OKABE_ITO

STAGES = {
    "ado": ("pairs in the order of the network", OKABE_ITO[0], "circle", 0.12),
    "auc": ("area under their ROC curve", OKABE_ITO[5], "square", -0.12),
}
"""Words, colour, marker and place of what is known of each stage."""

WITHOUT = {
    "before": ("the network as it was", OKABE_ITO[5], "square", 0.12),
    "auc": ("trained again", OKABE_ITO[0], "circle", -0.12),
}
"""The same of a network without an observable."""

CELL = 34
"""Height of a row of a matrix in screen units."""

DARK_INK, LIGHT_INK = "#000000", "#FFFFFF"


def points_columns(
    factors: Sequence[str], numbers: Mapping[str, np.ndarray], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Returns one row per factor: "place", and for each name its value, "_low" and "_high" by one standard deviation.

    Args:
        factors: Places on the axis.
        numbers: Values and errors, "ado" and "ado_error", each of shape (factors,).
        names: Which of them.
    """
    columns = {"place": np.array(factors, dtype=object)}
    for name in names:
        value, error = (np.asarray(numbers[key], dtype=float) for key in (name, f"{name}_error"))
        columns |= single({name: value, f"{name}_low": value - error, f"{name}_high": value + error})
    return columns


def no_points(names: Sequence[str]) -> ColumnDataSource:
    """Returns the source of points, without rows."""
    nothing = {name: np.zeros(0) for key in names for name in (key, f"{key}_error")}
    return ColumnDataSource(points_columns((), nothing, names))


def places(names: Sequence[str]) -> list[str]:
    """Returns what stands at the axis: "e3", "+ multiplicity", ..."""
    return [f"{'' if not n else '+ '}{name}" for n, name in enumerate(names)]


def stages_figure(source: ColumnDataSource, factors: FactorRange, network: Span) -> figure:
    """Returns, for each observable that came, the share of pairs in order and the area, beside the network's own area."""
    plot = _points_figure(source, factors, network, STAGES, "share of pairs of jets")
    plot.name = "stages"
    return plot


def without_figure(source: ColumnDataSource, factors: FactorRange, network: Span) -> figure:
    """Returns the area of a network without each observable: as it was, and trained again."""
    plot = _points_figure(source, factors, network, WITHOUT, "area under the ROC curve, jets planed")
    plot.name = "without"
    return plot


def _points_figure(
    source: ColumnDataSource,
    factors: FactorRange,
    network: Span,
    series: Mapping[str, tuple[str, str, str, float]],
    x: str,
) -> figure:
    plot = frame(x, "", name="points", y_range=factors, x_range=Range1d(0, 1), height=height(3))
    for name, (words, colour, marker, by) in series.items():
        y = dodge("place", by, range=factors)
        style = {"source": source, "color": colour, "legend_label": words}
        plot.segment(f"{name}_low", y, f"{name}_high", y, line_width=2, **style)
        dots = plot.scatter(name, y, marker=marker, size=9, **style)
        value = f"@{name}{{0.0000}} (@{name}_low{{0.0000}} to @{name}_high{{0.0000}})"
        plot.add_tools(HoverTool(renderers=[dots], tooltips=[("observable", "@place"), (words, value)]))
    plot.add_layout(network)
    legend_above(plot)
    return plot


def show_points(
    plot: figure,
    source: ColumnDataSource,
    names: Sequence[str],
    numbers: Mapping[str, np.ndarray],
    series: Mapping[str, tuple[str, str, str, float]],
    network: float,
) -> None:
    """Fills a figure of points, first name on top, and moves its line and its ends so that all of it is seen."""
    plot.y_range.factors = list(names)[::-1]
    columns = points_columns(names, numbers, tuple(series))
    ends = [columns[f"{name}_{end}"] for name in series for end in ("low", "high")]
    values = np.concatenate([*ends, [network]])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.04 * (high - low) or 0.01
    plot.x_range.update(start=low - margin, end=high + margin)
    plot.height = height(len(names))
    plot.select_one({"name": "network"}).update(location=network, visible=bool(np.isfinite(network)))
    source.data = columns


def height(rows: int) -> int:
    """Returns the height of a figure with so many rows in screen units."""
    return 110 + CELL * max(2, rows)


def line_at() -> Span:
    """Returns a dashed line for the network's own value; it is not seen until that is known."""
    return Span(
        location=0.0,
        dimension="height",
        line_color=NEUTRAL,
        line_dash="dashed",
        line_width=2,
        visible=False,
        name="network",
    )


def matrix_columns(
    rows: Sequence[str], across: Sequence[str], value: np.ndarray, error: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns one row per cell: "row", "column", "value", "error", "text" (two digits) and "ink", which reads on its colour.

    Args:
        rows: Names from top to bottom.
        across: Names from left to right.
        value: Shape (rows, across); nan is left empty.
        error: Same shape.
    """
    flat = np.asarray(value, dtype=float).ravel()
    return {
        "row": np.repeat(np.array(rows, dtype=object), len(across)),
        "column": np.tile(np.array(across, dtype=object), len(rows)),
        **single({"value": flat, "error": np.asarray(error, dtype=float).ravel()}),
        "text": np.array(["" if np.isnan(v) else f"{v:.2f}" for v in flat], dtype=object),
        "ink": np.array([ink(colour_of(v)) for v in flat], dtype=object),
    }


def no_matrix() -> ColumnDataSource:
    """Returns the source of a matrix, without cells."""
    return ColumnDataSource(matrix_columns((), (), np.zeros((0, 0)), np.zeros((0, 0))))


def matrix_figure(
    source: ColumnDataSource, rows: FactorRange, across: FactorRange, *, words: str, x: str, y: str, name: str
) -> figure:
    """Returns a matrix of shares between 0 and 1, each written into its cell.

    Args:
        source: Cells, see `matrix_columns`.
        rows: Names from bottom to top.
        across: Names from left to right.
        words: What the numbers are.
        x: What lies across.
        y: What the rows are.
        name: Of the figure.
    """
    plot = frame(x, y, name=name, x_range=across, y_range=rows, height=height(7))
    scale = LinearColorMapper(palette=list(INTENSITY), low=0.0, high=1.0)
    found = cells(plot, source, ("column", "row"), "value", scale, ink="ink")
    plot.add_layout(ColorBar(color_mapper=scale, width=10, title=words, background_fill_alpha=0), "right")
    tips = [(y, "@row"), (x, "@column"), (words, "@value{0.000} ± @error{0.000}")]
    plot.add_tools(HoverTool(renderers=[found], tooltips=tips))
    return plot


def show_matrix(
    source: ColumnDataSource,
    rows: FactorRange,
    across: FactorRange,
    names: tuple[Sequence[str], Sequence[str]],
    value: np.ndarray,
    error: np.ndarray,
) -> None:
    """Fills a matrix; names are those of the rows from top to bottom, and across."""
    rows.factors, across.factors = list(names[0])[::-1], list(names[1])
    source.data = matrix_columns(*names, value, error)


def colour_of(share: float) -> str:
    """Returns the colour of a share between 0 and 1; of others that of the nearer end."""
    place = 0 if np.isnan(share) else int(np.clip(share, 0, 1) * len(INTENSITY))
    return INTENSITY[min(place, len(INTENSITY) - 1)]


def ink(ground: str) -> str:
    """Returns black or white, whichever reads better on a colour #RRGGBB, by the luminance of WCAG 2."""
    parts = np.array([int(ground[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    # Both have the same contrast on a luminance of √(1.05 · 0.05) − 0.05.
    return DARK_INK if linear @ [0.2126, 0.7152, 0.0722] > 0.179 else LIGHT_INK
