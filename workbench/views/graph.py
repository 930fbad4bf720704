"""The graph that a network sees: each particle joined to its nearest neighbours, in the colour of what each edge carried."""

import awkward as ak
import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, TapTool
from bokeh.plotting import figure

from ..data.explanation import Explanation
from ..data.jets import wrapped
from .frame import frame, single
from .palette import NEUTRAL, PICKED, symmetric_limit

EDGES = "edges "
"""How the names of recorded edges begin; the number of the block follows."""


def edge_columns(
    deta: np.ndarray, dphi: np.ndarray, links: ak.Array, relevance: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Returns one row per edge, the most relevant last: "x0", "y0", "x1", "y1" in (deta, dphi), "relevance", "width".

    An edge across the seam of phi is drawn at its true length, not around the detector.

    Args:
        deta: Of the particles, shape (particles,).
        dphi: The same, in rad.
        links: Records "source", "target" of one jet, shape (edges,), as `physics.graphs.edges` makes them.
        relevance: In units of the score, shape (edges,); nan where there is none.
    """
    i, j = ak.to_numpy(links.source), ak.to_numpy(links.target)
    values = np.full(len(i), np.nan) if relevance is None else np.asarray(relevance, dtype=float)
    order = np.argsort(np.abs(values), kind="stable")
    i, j, values = i[order], j[order], values[order]
    rise = wrapped(dphi[j] - dphi[i])
    strength = np.nan_to_num(np.abs(values)) / symmetric_limit(np.nan_to_num(values))
    return single(
        {
            "x0": deta[i],
            "y0": dphi[i],
            "x1": deta[j],
            "y1": dphi[i] + rise,
            "relevance": values,
            "width": 0.8 + 4 * np.sqrt(strength),
        }
    )


def blocks(explanation: Explanation | None) -> tuple[int, ...]:
    """Returns the numbers of the blocks whose edges were recorded, from 0."""
    recorded = explanation.recorded if explanation is not None else {}
    return tuple(sorted(int(name.removeprefix(EDGES)) for name in recorded if name.startswith(EDGES)))


def links_of(explanation: Explanation, block: int) -> tuple[ak.Array, np.ndarray]:
    """Returns the edges that a block of the network used for the only jet, and the relevance of each, shape (edges,)."""
    found = explanation.recorded[f"{EDGES}{block}"][0]
    return ak.zip({"source": found.i, "target": found.j}), ak.to_numpy(found.relevance)


def shortcuts(explanation: Explanation) -> dict[str, np.ndarray]:
    """Returns one row per block of the only jet: "block" (from 1), "edges" and "shortcut", what came by either (units of
    the score, signed), and "share", that of the shortcut in the sum of |relevance|; nan where the block has none.
    """
    rows = []
    for block in blocks(explanation):
        edges = links_of(explanation, block)[1]
        past = explanation.recorded.get(f"blocks.{block}.shortcut")
        beside = np.full(1, np.nan) if past is None else ak.to_numpy(past[0])
        both = np.abs(edges).sum() + np.abs(beside).sum()
        rows.append(
            (block + 1, edges.sum(), beside.sum(), np.abs(beside).sum() / both if both > 0 else np.nan)
        )
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    return dict(zip(("block", "edges", "shortcut", "share"), columns, strict=True))


def empty() -> ColumnDataSource:
    """Returns the source of the edges, without edges."""
    names = ("x0", "y0", "x1", "y1", "relevance", "width")
    return ColumnDataSource({name: np.zeros(0, np.float32) for name in names})


def edge_scale(limit: float, palette: tuple[str, ...]) -> LinearColorMapper:
    """Returns the diverging scale of edges; those without relevance are grey."""
    return LinearColorMapper(palette=palette, low=-limit, high=limit, nan_color=NEUTRAL)


def graph_figure(
    edges: ColumnDataSource,
    particles: ColumnDataSource,
    scale: LinearColorMapper,
    radius: float = 0.8,
    of_edges: LinearColorMapper | None = None,
) -> figure:
    """Returns edges under the particles of the map, in the same colours; edges have a scale of their own in the same unit."""
    plot = frame(
        "Δη",
        "Δφ [rad]",
        name="graph",
        height=380,
        match_aspect=True,
    )
    plot.ellipse(0, 0, 2 * radius, 2 * radius, fill_alpha=0, line_color=NEUTRAL, line_dash="dotted")
    colour = (
        {"line_color": NEUTRAL}
        if of_edges is None
        else {"line_color": {"field": "relevance", "transform": of_edges}}
    )
    lines = plot.segment("x0", "y0", "x1", "y1", source=edges, line_width="width", line_alpha=0.6, **colour)
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
    if of_edges is not None:
        bar = ColorBar(color_mapper=of_edges, width=10, title="edges [log-odds]", background_fill_alpha=0)
        plot.add_layout(bar, "right")
    told = [("edge", "@relevance{+0.0000} log-odds")]
    plot.add_tools(HoverTool(renderers=[lines], tooltips=told, visible=False))
    return plot
