"""How good a tagger is: rejection, efficiency against what the jet is, calibration."""

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, Range1d
from bokeh.plotting import figure

from ..physics.roc import Band
from .frame import axis_label, frame, legend_above, quiet_legend, single
from .palette import NEUTRAL, OKABE_ITO

WORKING_POINTS = (0.3, 0.5)
"""Signal efficiencies at which the background rejection is read."""

CURVE = np.linspace(0.01, 1.0, 199)
"""Signal efficiencies at which the curve is drawn."""


def rejection_columns(band: Band) -> dict[str, np.ndarray]:
    """Returns the rejection curve and its 68 % band: "signal", "rejection", "low", "high".

    Signal efficiencies at which no background jet passes are left out: there the rejection is only known to be larger.
    """
    known = np.isfinite(band.value)
    return single(
        {
            "signal": band.signal_efficiency[known],
            "rejection": band.value[known],
            "low": band.low[known],
            "high": np.where(np.isfinite(band.high), band.high, 10 * band.value)[known],
        }
    )


def rejection_figure(curve: ColumnDataSource) -> figure:
    """Returns background rejection against signal efficiency on a logarithmic axis, with its one-sigma band."""
    plot = frame(
        "signal efficiency εS", "background rejection 1/εB", name="rejection", height=320, y_axis_type="log"
    )
    plot.x_range = Range1d(0, 1)
    plot.varea(
        "signal", "low", "high", source=curve, fill_color=OKABE_ITO[0], fill_alpha=0.25, legend_label="± 1σ"
    )
    line = plot.line(
        "signal", "rejection", source=curve, color=OKABE_ITO[0], line_width=2, legend_label="this tagger"
    )
    guess = np.linspace(0.01, 1, 100)
    plot.line(guess, 1 / guess, color=NEUTRAL, line_dash="dotted", legend_label="guessing")
    plot.add_tools(
        HoverTool(
            renderers=[line], mode="vline", tooltips=[("εS", "@signal{0.00}"), ("1/εB", "@rejection{0.0}")]
        )
    )
    for point in WORKING_POINTS:
        plot.vspan(x=[point], line_color=NEUTRAL, line_dash="dashed", line_alpha=0.5)
    quiet_legend(plot)
    return plot


def rate_columns(
    edges: np.ndarray, signal: tuple[np.ndarray, ...], background: tuple[np.ndarray, ...]
) -> dict[str, np.ndarray]:
    """Returns efficiency and mistag rate per bin: "centre", "half", and "value", "low", "high" of each with its prefix.

    Args:
        edges: Bin edges, shape (bins + 1,).
        signal: Value, lower and upper end of the signal's rate, each of shape (bins,); nan where no jet fell.
        background: The same of the background.
    """
    values = {"centre": (edges[:-1] + edges[1:]) / 2, "left": edges[:-1], "right": edges[1:]}
    for prefix, (value, low, high) in (("signal", signal), ("background", background)):
        values |= {f"{prefix}_value": value, f"{prefix}_low": low, f"{prefix}_high": high}
    return single(values)


def rate_figure(
    source: ColumnDataSource, label: str, unit: str, *, signal: str, background: str, name: str
) -> figure:
    """Returns efficiency of the signal and mistag rate of the background against an observable."""
    plot = frame(axis_label(label, unit), "share that passes", name=name, height=250)
    plot.y_range = DataRange1d(start=0)
    for prefix, text, colour, marker in (
        ("signal", f"efficiency of {signal}", OKABE_ITO[1], "circle"),
        ("background", f"mistag rate of {background}", OKABE_ITO[0], "square"),
    ):
        style = {"source": source, "color": colour, "legend_label": text}
        plot.segment("centre", f"{prefix}_low", "centre", f"{prefix}_high", **style)
        plot.segment("left", f"{prefix}_value", "right", f"{prefix}_value", line_alpha=0.6, **style)
        plot.scatter("centre", f"{prefix}_value", size=6, marker=marker, **style)
    legend_above(plot)
    return plot


def calibration_columns(
    predicted: np.ndarray, observed: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the reliability diagram, one row per filled bin: "predicted", "observed", "low", "high"."""
    filled = np.isfinite(predicted) & np.isfinite(observed)
    return single(
        {
            "predicted": predicted[filled],
            "observed": observed[filled],
            "low": low[filled],
            "high": high[filled],
        }
    )


def calibration_figure(source: ColumnDataSource) -> figure:
    """Returns how often a score comes true against what it says; a calibrated score lies on the diagonal."""
    plot = frame(
        "mean score in the bin",
        "share that is signal",
        name="calibration",
        height=320,
        x_range=(0, 1),
        y_range=(0, 1),
    )
    plot.line([0, 1], [0, 1], color=NEUTRAL, line_dash="dotted", legend_label="perfect")
    plot.segment("predicted", "low", "predicted", "high", source=source, color=OKABE_ITO[0])
    plot.scatter(
        "predicted", "observed", source=source, color=OKABE_ITO[0], size=6, legend_label="this tagger"
    )
    quiet_legend(plot, "top_left")
    return plot
