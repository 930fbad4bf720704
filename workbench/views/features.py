"""Relevance per particle and input feature, as a heat map."""

import awkward as ak
import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, FactorRange, HoverTool, LinearColorMapper, TapTool
from bokeh.plotting import figure

from ..data.explanation import Explanation
from .frame import cells, frame
from .palette import PICKED

SHOWN = 40
"""Particles in the map, hardest first; the table beside it has them all."""


def of_particles(explanation: Explanation) -> np.ndarray | None:
    """Returns the relevance of each particle of the only jet, shape (particles,); None where observables were the input."""
    if ak.Array(explanation.features).ndim == 2:
        return None
    return np.asarray(ak.to_numpy(ak.Array(explanation.relevance)[0]), dtype=float)


def table(explanation: Explanation) -> dict[str, np.ndarray]:
    """Returns one column of relevance per input feature, shape (particles,), of the only jet in `explanation`."""
    values = np.asarray(ak.to_numpy(ak.Array(explanation.features)[0]), dtype=float)
    if values.ndim == 1:
        return {name: values[i : i + 1] for i, name in enumerate(explanation.feature_names)}
    return {name: values[:, i] for i, name in enumerate(explanation.feature_names)}


def columns(explanation: Explanation, shown: int = SHOWN) -> dict[str, np.ndarray]:
    """Returns one row per cell: "particle" (rank from 1), "feature", "relevance" (units of the score)."""
    named = table(explanation)
    n = min(shown, len(next(iter(named.values()), [])))
    return {
        "particle": np.tile(np.arange(1, n + 1), len(named)),
        "feature": np.repeat(np.array(list(named), dtype=object), n),
        "relevance": np.concatenate([np.zeros(0), *(values[:n] for values in named.values())]).astype(
            np.float32
        ),
    }


def empty() -> ColumnDataSource:
    """Returns the source of the heat map, without cells."""
    return ColumnDataSource(
        {"particle": np.zeros(0, int), "feature": np.zeros(0, object), "relevance": np.zeros(0, np.float32)}
    )


def heat_figure(source: ColumnDataSource, scale: LinearColorMapper, features: FactorRange) -> figure:
    """Returns the heat map, features upwards, particles to the right."""
    plot = frame("particle, hardest first", "", name="features", height=260, y_range=features)
    found = cells(
        plot,
        source,
        ("particle", "feature"),
        "relevance",
        scale,
        selection_line_alpha=1,
        selection_line_color=PICKED,
        selection_line_width=2,
        nonselection_fill_alpha=1,
        nonselection_line_alpha=0,
    )
    plot.add_tools(TapTool(renderers=[found]))
    plot.add_layout(
        ColorBar(color_mapper=scale, width=10, title="relevance [log-odds]", background_fill_alpha=0), "right"
    )
    plot.add_tools(
        HoverTool(
            renderers=[found],
            tooltips=[
                ("particle", "@particle"),
                ("feature", "@feature"),
                ("relevance", "@relevance{+0.000}"),
            ],
        )
    )
    return plot
