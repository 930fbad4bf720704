"""The frame that every plot has: labelled axes with units, quiet grid, one height."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Legend, LinearColorMapper
from bokeh.plotting import figure

HEIGHT = 230
TOOLS = "pan,box_zoom,wheel_zoom,reset,save"


def axis_label(label: str, unit: str = "") -> str:
    """Returns "label [unit]", or the bare label of a quantity without unit."""
    return f"{label} [{unit}]" if unit and unit != "1" else label


def frame(x: str, y: str, *, name: str, height: int = HEIGHT, **options: Any) -> figure:
    """Returns an empty figure with these axis labels; `name` finds it again, on the page and in tests."""
    settings: dict[str, Any] = {
        "height": height,
        "min_width": 200,
        "sizing_mode": "stretch_width",
        "tools": TOOLS,
        "output_backend": "canvas",
        "x_axis_label": x,
        "y_axis_label": y,
        "name": name,
    }
    plot = figure(**{**settings, **options})
    plot.toolbar.autohide = True
    plot.toolbar.logo = None
    plot.background_fill_alpha = 0
    plot.border_fill_alpha = 0
    plot.outline_line_alpha = 0
    plot.min_border_right = 12
    plot.grid.grid_line_alpha = 0.15
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_font_size = "12px"
    plot.axis.major_label_text_font_size = "11px"
    plot.axis.minor_tick_line_alpha = 0
    return plot


def cells(
    plot: figure,
    source: ColumnDataSource,
    at: tuple[str, str],
    value: str,
    scale: LinearColorMapper,
    *,
    ink: str = "",
    **look: Any,
) -> Any:
    """Draws a matrix and returns its renderer.

    Args:
        plot: An empty figure; its grid goes.
        source: One row per cell.
        at: Columns that say where a cell stands, across and upwards.
        value: Column that the scale colours the cells by.
        scale: The scale.
        ink: Colour, or column of the colours, in which the column "text" is written into the cells; "" for no text.
        look: More of the cells' looks.
    """
    colour = {"field": value, "transform": scale}
    found = plot.rect(*at, width=0.97, height=0.94, source=source, line_alpha=0, fill_color=colour, **look)
    if ink:
        plot.text(
            *at,
            text="text",
            text_color=ink,
            source=source,
            text_align="center",
            text_baseline="middle",
            text_font_size="11px",
        )
        plot.xaxis.major_label_orientation = 0.6
    plot.grid.grid_line_alpha = 0
    return found


def quiet_legend(plot: figure, location: str = "top_right") -> None:
    """Puts the legend inside the frame, without a box; a click hides or shows its entry."""
    for legend in plot.select(Legend):
        legend.location = location
        legend.background_fill_alpha = 0
        legend.border_line_alpha = 0
        legend.label_text_font_size = "11px"
        legend.padding = legend.margin = 4
        legend.spacing = 0
        legend.glyph_height = 14


def legend_above(plot: figure) -> None:
    """Puts the legend in one line above the frame, where it hides no data."""
    quiet_legend(plot)
    legend = plot.legend[0]
    plot.center.remove(legend)
    legend.orientation = "horizontal"
    plot.add_layout(legend, "above")


def single(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> dict[str, Any]:
    """Returns the columns with every float array in single precision, half as heavy on the wire."""
    return {
        name: np.asarray(column, dtype=np.float32)
        if isinstance(column, np.ndarray) and column.dtype.kind == "f"
        else column
        for name, column in columns.items()
    }
