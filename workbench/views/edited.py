"""A jet before and after it was edited, drawn on one scale of pT and one of relevance, with the graph of each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper
from bokeh.plotting import figure

from ..data.jets import Jets
from . import particles
from .frame import single
from .palette import NEUTRAL, PICKED

RING = 9
"""How much wider than the particle its ring is, in screen units."""


def columns(
    jet: Jets, hardest: float, relevance: np.ndarray | None, marked: np.ndarray, before: np.ndarray
) -> dict[str, Any]:
    """Returns one row per particle of the only jet: the columns of `particles.columns`, "ring" and "before".

    Args:
        jet: The jet.
        hardest: pT in GeV that gets the largest marker, in this picture and in the one it is compared with.
        relevance: Of each particle, in units of the score; None where there is none.
        marked: True for those that get a ring, shape (particles,).
        before: Place of each before the edits, -1 for new ones, shape (particles,).
    """
    rows = particles.columns(jet, relevance)
    size = 5 + 31 * np.sqrt(np.asarray(rows["pt"], dtype=float) / (hardest or 1.0))
    ring = np.where(marked, size + RING, 0.0)
    words = np.array([str(place + 1) if place >= 0 else "new" for place in before], dtype=object)
    return {**rows, **single({"size": size, "ring": ring}), "before": words}


def empty() -> ColumnDataSource:
    """Returns the source of one picture, without particles."""
    more: Mapping[str, Any] = {"ring": np.zeros(0, np.float32), "before": np.zeros(0, object)}
    return ColumnDataSource({**particles.empty().data, **more})


def map_figure(
    source: ColumnDataSource,
    edges: ColumnDataSource,
    scale: LinearColorMapper,
    name: str,
    radius: float = 0.8,
) -> figure:
    """Returns the eta-phi map with the graph below the particles; `name` is "before" or "after"."""
    plot = particles.map_figure(source, scale, radius)
    plot.update(name=name, height=330)
    plot.segment("x0", "y0", "x1", "y1", source=edges, line_color=NEUTRAL, line_alpha=0.35, level="underlay")
    plot.scatter(
        "deta",
        "dphi",
        size="ring",
        source=source,
        fill_alpha=0,
        line_color=PICKED,
        line_width=2,
        line_dash="dashed",
        nonselection_line_alpha=1,
        nonselection_fill_alpha=0,
        selection_fill_alpha=0,
    )
    return plot
