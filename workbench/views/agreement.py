"""How far ways to explain agree: a matrix with its numbers written into it."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, HoverTool, LinearColorMapper
from bokeh.palettes import interp_palette
from bokeh.plotting import figure

from .frame import cells, frame
from .palette import ON_CHIP

CORRELATION = tuple(interp_palette(("#EF8A62", "#F4F4F4", "#67A9CF"), 201))
"""From opposite to the same; dark letters read on all of it at 6:1 or better."""

KINDS = {"rank": "rank correlation", "overlap": "share of the 5 strongest in common"}
"""What the matrix can show, in words."""


def columns(pairs: Mapping[str, np.ndarray], kind: str = "rank") -> dict[str, np.ndarray]:
    """Returns one row per pair of ways: "first", "second", "value", "error", "text".

    Args:
        pairs: The columns of an `explanation.agreement.Agreement`.
        kind: "rank" or "overlap".
    """
    value, error = pairs[kind].astype(np.float32), pairs[f"{kind}_error"].astype(np.float32)
    return {
        "first": pairs["first"],
        "second": pairs["second"],
        "value": value,
        "error": error,
        "text": np.array([f"{v:.2f}" if np.isfinite(v) else "–" for v in value], dtype=object),
    }


def empty() -> ColumnDataSource:
    """Returns the source of the matrix, without rows."""
    words = dict.fromkeys(("first", "second", "text"), np.zeros(0, object))
    return ColumnDataSource({**words, **dict.fromkeys(("value", "error"), np.zeros(0, np.float32))})


def matrix_figure(source: ColumnDataSource, ways: FactorRange, down: FactorRange) -> figure:
    """Returns the matrix; `ways` holds the names from left to right, `down` from bottom to top."""
    plot = frame(
        "way to explain", "", name="agreement", height=320, x_range=ways, y_range=down, toolbar_location=None
    )
    scale = LinearColorMapper(palette=CORRELATION, low=-1, high=1, nan_color="#B0B0B0")
    found = cells(plot, source, ("first", "second"), "value", scale, ink=ON_CHIP)
    tips = [("", "@first and @second"), ("", "@value{0.00} ± @error{0.00}")]
    plot.add_tools(HoverTool(renderers=[found], tooltips=tips))
    return plot
