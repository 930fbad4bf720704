"""What happens to the score while particles are taken away in the order of a map."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from .frame import frame, legend_above, single
from .palette import NEUTRAL, OKABE_ITO

STYLES = {
    "most": ("most relevant first", OKABE_ITO[5], "solid", "circle"),
    "random": ("any order", OKABE_ITO[7], "dashed", "square"),
    "least": ("least relevant first", OKABE_ITO[0], "dotdash", "triangle"),
}
"""Name, colour, dash and marker of each order."""

EMPTY = dict.fromkeys(("fraction", "change", "low", "high"), np.zeros(0, np.float32))


def columns(curves: Mapping[str, np.ndarray], order: str) -> dict[str, np.ndarray]:
    """Returns one row per step of one order: "fraction", "change", "low" and "high", one standard error apart.

    Args:
        curves: The columns of an `explanation.faithfulness.DeletionCurves`.
        order: "most", "least" or "random".
    """
    here = curves["order"] == order
    change, error = curves["change"][here], np.nan_to_num(curves["error"][here])
    return single(
        {
            "fraction": curves["fraction"][here],
            "change": change,
            "low": change - error,
            "high": change + error,
        }
    )


def empty() -> dict[str, ColumnDataSource]:
    """Returns a source per order, without steps."""
    return {order: ColumnDataSource(dict(EMPTY)) for order in STYLES}


def deletion_figure(sources: Mapping[str, ColumnDataSource]) -> figure:
    """Returns the mean change of the score against the share of particles that are gone, with one-sigma bands."""
    plot = frame(
        "share of the particles taken away", "change of the score [log-odds]", name="deletion", height=320
    )
    for order, (label, colour, dash, marker) in STYLES.items():
        style = {"source": sources[order], "legend_label": label}
        plot.varea("fraction", "low", "high", fill_color=colour, fill_alpha=0.2, **style)
        plot.line("fraction", "change", color=colour, line_width=2, line_dash=dash, **style)
        dots = plot.scatter("fraction", "change", color=colour, size=6, marker=marker, **style)
        tips = [
            (label, ""),
            ("taken away", "@fraction{0%}"),
            ("change", "@change{+0.00} (@low{+0.00} to @high{+0.00})"),
        ]
        plot.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    plot.hspan(y=[0], line_color=NEUTRAL, line_dash="dotted")
    legend_above(plot)
    return plot
