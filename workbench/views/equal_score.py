"""Where the relevance of two samples lies at equal score, bin by bin."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, HoverTool
from bokeh.plotting import figure
from bokeh.transform import dodge

from .frame import frame, legend_above, single
from .palette import OKABE_ITO

STYLES = {
    "first": ("this sample", OKABE_ITO[0], "circle", -0.12),
    "second": ("second sample", OKABE_ITO[5], "square", 0.12),
}
"""Name, colour, marker and place of each sample."""


def columns(bins: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns one row per bin: "bin", "p", and "first", "first_low", "first_high" of either sample.

    Args:
        bins: The columns of an `explanation.comparing.SampleDifference`.
    """
    numbers = {"p": bins["p"]}
    for side in STYLES:
        value, error = bins[side], bins[f"{side}_error"]
        numbers |= {side: value, f"{side}_low": value - error, f"{side}_high": value + error}
    return {"bin": bins["bin"], **single(numbers)}


def empty() -> ColumnDataSource:
    """Returns the source, without bins."""
    names = ("p", *(f"{side}{end}" for side in STYLES for end in ("", "_low", "_high")))
    return ColumnDataSource({"bin": np.zeros(0, object), **dict.fromkeys(names, np.zeros(0, np.float32))})


def shares_figure(source: ColumnDataSource, bins: FactorRange) -> figure:
    """Returns the mean share of |relevance| per bin of both samples, with errors."""
    plot = frame("particles", "share of the relevance", name="equal-score", height=300, x_range=bins)
    for side, (label, colour, marker, place) in STYLES.items():
        x = dodge("bin", place, range=bins)
        plot.segment(x, f"{side}_low", x, f"{side}_high", source=source, color=colour, line_width=2)
        dots = plot.scatter(x, side, source=source, color=colour, marker=marker, size=8, legend_label=label)
        span = f"@{side}{{0.000}} (@{side}_low{{0.000}} to @{side}_high{{0.000}})"
        plot.add_tools(
            HoverTool(renderers=[dots], tooltips=[("", "@bin"), (label, span), ("p", "@p{0.000}")])
        )
    plot.xaxis.major_label_orientation = 0.5
    plot.y_range.start = 0
    legend_above(plot)
    return plot
