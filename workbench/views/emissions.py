"""How far soft emissions and collinear splits move the score of a tagger, against how strong they are."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from .frame import frame, legend_above, single
from .palette import NEUTRAL, OKABE_ITO

SERIES = {
    "size": ("mean |change|", OKABE_ITO[0], "circle"),
    "drift": ("mean change", OKABE_ITO[5], "square"),
}
"""Words, colour and marker of what is drawn of each value."""


def columns(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns one row per value: "value", "zero", and for each of `SERIES` its number, "_low" and "_high" by one standard deviation.

    Args:
        found: "value", "size", "drift" and their errors, as `Safety.columns` gives them.
    """
    values = np.asarray(found["value"], dtype=float)
    rows = {"value": values, "zero": np.zeros(len(values))}
    for name in SERIES:
        number, error = found[name], np.nan_to_num(found[f"{name}_error"])
        rows |= {name: number, f"{name}_low": number - error, f"{name}_high": number + error}
    return single(rows)


def empty() -> ColumnDataSource:
    """Returns the source, without values."""
    names = [f"{name}{end}" for name in SERIES for end in ("", "_low", "_high")]
    return ColumnDataSource({name: np.zeros(0, np.float32) for name in ("value", "zero", *names)})


def change_figure(source: ColumnDataSource, x: str, name: str, *, logarithmic: bool) -> figure:
    """Returns the changes with errors against what `x` names; a safe tagger falls to zero on the left."""
    plot = frame(
        x,
        "change of the score [log-odds]",
        name=name,
        height=260,
        x_axis_type="log" if logarithmic else "linear",
    )
    plot.line("value", "size", source=source, line_color=NEUTRAL, line_dash="dotted")
    plot.line("value", "zero", source=source, line_color=NEUTRAL)
    for key, (words, colour, marker) in SERIES.items():
        style = {"source": source, "color": colour, "legend_label": words}
        plot.segment("value", f"{key}_low", "value", f"{key}_high", line_width=2, **style)
        dots = plot.scatter("value", key, marker=marker, size=8, **style)
        told = f"@{key}{{+0.0000}} (@{key}_low{{+0.0000}} to @{key}_high{{+0.0000}}) log-odds"
        plot.add_tools(HoverTool(renderers=[dots], tooltips=[(x, "@value{0.000000}"), (words, told)]))
    legend_above(plot)
    return plot
