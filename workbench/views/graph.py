"""The graph that a network sees: each particle joined to its nearest neighbours."""

import awkward as ak
import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, TapTool
from bokeh.plotting import figure

from ..data.jets import wrapped
from .frame import frame, single
from .palette import NEUTRAL, PICKED


def edge_columns(deta: np.ndarray, dphi: np.ndarray, links: ak.Array) -> dict[str, np.ndarray]:
    """Returns one row per edge: "x0", "y0", "x1", "y1" in (deta, dphi).

    An edge across the seam of phi is drawn at its true length, not around the detector.

    Args:
        deta: Of the particles, shape (particles,).
        dphi: The same, in rad.
        links: Records "source", "target" of one jet, shape (edges,), as `physics.graphs.edges` makes them.
    """
    i, j = ak.to_numpy(links.source), ak.to_numpy(links.target)
    rise = wrapped(dphi[j] - dphi[i])
    return single({"x0": deta[i], "y0": dphi[i], "x1": deta[j], "y1": dphi[i] + rise})


def empty() -> ColumnDataSource:
    """Returns the source of the edges, without edges."""
    return ColumnDataSource({name: np.zeros(0, np.float32) for name in ("x0", "y0", "x1", "y1")})


def graph_figure(
    edges: ColumnDataSource, particles: ColumnDataSource, scale: LinearColorMapper, radius: float = 0.8
) -> figure:
    """Returns edges under the particles of the map, in the same colours."""
    plot = frame(
        "Δη",
        "Δφ [rad]",
        name="graph",
        height=380,
        match_aspect=True,
    )
    plot.ellipse(0, 0, 2 * radius, 2 * radius, fill_alpha=0, line_color=NEUTRAL, line_dash="dotted")
    plot.segment("x0", "y0", "x1", "y1", source=edges, line_color=NEUTRAL, line_alpha=0.45)
    dots = plot.scatter(
        "deta",
        "dphi",
        size="size",
        marker="marker",
        source=particles,
        fill_color={"field": "relevance", "transform": scale},
        line_color=NEUTRAL,
        selection_line_color=PICKED,
        selection_line_width=3,
        nonselection_fill_alpha=1,
        nonselection_line_alpha=1,
    )
    plot.add_tools(TapTool(renderers=[dots]))
    return plot
