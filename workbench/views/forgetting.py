"""What is left of a map while the network forgets its layers, from the output down."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, HoverTool
from bokeh.plotting import figure

from .frame import frame, single
from .palette import NEUTRAL, OKABE_ITO

SAME = 0.9
"""Above this line two maps are taken for the same."""


def columns(layers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns one row per layer: "layer", "size", "low" and "high", one standard error apart.

    Args:
        layers: The columns "layer", "size" and "size_error" of an `explanation.randomisation.Randomisation`.
    """
    size, error = np.asarray(layers["size"]), np.nan_to_num(np.asarray(layers["size_error"]))
    numbers = single({"size": size, "low": size - error, "high": size + error})
    return {"layer": np.asarray(layers["layer"], dtype=object), **numbers}


def empty() -> ColumnDataSource:
    """Returns the source, without layers."""
    numbers = dict.fromkeys(("size", "low", "high"), np.zeros(0, np.float32))
    return ColumnDataSource({"layer": np.zeros(0, object), **numbers})


def forgetting_figure(source: ColumnDataSource, layers: FactorRange) -> figure:
    """Returns the cosine with the true map; `layers` holds the names from bottom to top, the inputs first."""
    plot = frame(
        "|cosine| of the map with the true one",
        "forgotten down to",
        name="forgetting",
        height=320,
        x_range=(0, 1.02),
        y_range=layers,
    )
    plot.segment("low", "layer", "high", "layer", source=source, color=OKABE_ITO[0], line_width=2)
    dots = plot.scatter("size", "layer", source=source, color=OKABE_ITO[0], size=8)
    plot.vspan(x=[SAME], line_color=NEUTRAL, line_dash="dashed")
    tips = [("forgotten down to", "@layer"), ("|cosine|", "@size{0.00} (@low{0.00} to @high{0.00})")]
    plot.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    return plot
