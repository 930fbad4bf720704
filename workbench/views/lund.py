"""The primary Lund plane of one jet, each emission in the colour of what its particles added to the score."""

from typing import Any

import awkward as ak
import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper
from bokeh.plotting import figure

from .frame import frame, single
from .palette import NEUTRAL, OKABE_ITO


def columns(emissions: ak.Array, relevance: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Returns one row per emission of one jet: "ln_angle" = ln 1/Delta, "ln_kt" (kT in GeV), "z", "order", "size", "relevance".

    Args:
        emissions: Records of `primary_lund_plane`, shape (emissions,).
        relevance: Of the particles of each emission together, units of the score, shape (emissions,).
    """
    z = ak.to_numpy(emissions.z)
    return single(
        {
            "ln_angle": ak.to_numpy(emissions.ln_inverse_delta),
            "ln_kt": ak.to_numpy(emissions.ln_kt),
            "z": z,
            "order": np.arange(1.0, len(z) + 1),
            "size": 6 + 22 * z,
            "relevance": np.full(len(z), np.nan) if relevance is None else np.asarray(relevance, dtype=float),
        }
    )


def emitted(
    emissions: ak.Array, ln_angle: np.ndarray, ln_kt: np.ndarray, relevance: np.ndarray
) -> tuple[np.ndarray, float]:
    """Returns the relevance of each emission of one jet, shape (emissions,), and that of the hard end of its branch.

    Args:
        emissions: Records of `primary_lund_plane`, shape (emissions,).
        ln_angle: Of the emission that each particle came with, shape (particles,), nan for what was never emitted.
        ln_kt: The same.
        relevance: Of the particles, shape (particles,).
    """
    of = np.stack([ak.to_numpy(emissions.ln_inverse_delta), ak.to_numpy(emissions.ln_kt)])
    mine = np.stack([ln_angle, ln_kt])
    # Both come from the same clustering, so that they are equal to the last digit.
    same = (of[:, :, None] == mine[:, None, :]).all(axis=0)
    # Two emissions of the same place, as of two equal particles, share alike.
    share = same / np.maximum(same.sum(axis=0), 1)
    return share @ relevance, float(relevance[~same.any(axis=0)].sum())


def empty() -> ColumnDataSource:
    """Returns the source of the plane, without emissions."""
    return ColumnDataSource(
        dict.fromkeys(("ln_angle", "ln_kt", "z", "order", "size", "relevance"), np.zeros(0, np.float32))
    )


def plane_figure(source: ColumnDataSource, scale: LinearColorMapper | None = None) -> figure:
    """Returns the plane; marker size grows with the momentum share z, the line follows the hard branch inwards.

    With a scale, colour is relevance; emissions without are grey.
    """
    plot = frame("ln 1/Δ", "ln kT/GeV", name="lund", height=380, x_range=(0, 7), y_range=(-5, 7))
    plot.line("ln_angle", "ln_kt", source=source, color=OKABE_ITO[0], line_alpha=0.35)
    look: dict[str, Any] = {"color": OKABE_ITO[0], "fill_alpha": 0.55, "line_alpha": 0.9}
    if scale is not None:
        fill = {"field": "relevance", "transform": scale}
        look = {"fill_color": fill, "line_color": NEUTRAL, "fill_alpha": 0.92}
        plot.add_layout(
            ColorBar(color_mapper=scale, width=10, title="relevance [log-odds]", background_fill_alpha=0),
            "right",
        )
    emissions = plot.scatter("ln_angle", "ln_kt", size="size", source=source, **look)
    plot.add_tools(
        HoverTool(
            renderers=[emissions],
            tooltips=[
                ("emission", "@order"),
                ("ln 1/Δ", "@ln_angle{0.00}"),
                ("ln kT/GeV", "@ln_kt{0.00}"),
                ("z", "@z{0.000}"),
                ("relevance", "@relevance{+0.000} log-odds"),
            ],
        )
    )
    return plot
