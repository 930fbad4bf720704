"""Relevance over a plane: the mean of a class, or the difference of two in standard errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper
from bokeh.plotting import figure

from .frame import frame, single
from .palette import RELEVANCE

NOTHING = "rgba(0, 0, 0, 0)"
"""Where no jet has a particle: nothing is drawn, which differs from a relevance of zero."""

LIMIT = 5.0
"""Standard errors at the ends of the scale of a difference; what is beyond has the colour of the end."""


def columns(values: np.ndarray, x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Returns the one-row source of values [y, x], both growing, between the ends of x and y; nan is left out."""
    corner = {"x": x[0], "y": y[0], "dw": x[-1] - x[0], "dh": y[-1] - y[0]}
    return {
        **single({name: np.array([float(value)]) for name, value in corner.items()}),
        "image": [np.ascontiguousarray(values, dtype=np.float32)],
    }


def empty() -> ColumnDataSource:
    """Returns the source of the map, without values."""
    return ColumnDataSource(columns(np.full((2, 2), np.nan), (0.0, 1.0), (0.0, 1.0)))


def relevance_scale(limit: float = 1.0) -> LinearColorMapper:
    """Returns the diverging scale from -limit to limit."""
    return LinearColorMapper(palette=RELEVANCE, low=-limit, high=limit, nan_color=NOTHING)


def map_figure(
    source: ColumnDataSource,
    scale: LinearColorMapper,
    x: str,
    y: str,
    *,
    name: str,
    unit: str,
    height: int = 330,
    square: bool = False,
) -> figure:
    """Returns the map; the colour bar says what a cell holds."""
    plot = frame(x, y, name=name, height=height, match_aspect=square)
    cells = plot.image("image", "x", "y", "dw", "dh", source=source, color_mapper=scale)
    plot.add_layout(ColorBar(color_mapper=scale, width=10, title=unit, background_fill_alpha=0), "right")
    plot.add_tools(
        HoverTool(renderers=[cells], tooltips=[(x, "$x{0.00}"), (y, "$y{0.00}"), (unit, "@image{0.000}")])
    )
    plot.grid.grid_line_alpha = 0
    return plot
