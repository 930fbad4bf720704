"""The primary Lund plane of one jet."""

import awkward as ak
import numpy as np
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from .frame import frame, single
from .palette import OKABE_ITO


def columns(emissions: ak.Array) -> dict[str, np.ndarray]:
    """Returns one row per emission of one jet: "ln_angle" = ln 1/Delta, "ln_kt" (kT in GeV), "z", "order", "size".

    Args:
        emissions: Records of `primary_lund_plane`, shape (emissions,).
    """
    z = ak.to_numpy(emissions.z)
    return single(
        {
            "ln_angle": ak.to_numpy(emissions.ln_inverse_delta),
            "ln_kt": ak.to_numpy(emissions.ln_kt),
            "z": z,
            "order": np.arange(1.0, len(z) + 1),
            "size": 6 + 22 * z,
        }
    )


def empty() -> ColumnDataSource:
    """Returns the source of the plane, without emissions."""
    return ColumnDataSource(
        dict.fromkeys(("ln_angle", "ln_kt", "z", "order", "size"), np.zeros(0, np.float32))
    )


def plane_figure(source: ColumnDataSource) -> figure:
    """Returns the plane; marker size grows with the momentum share z, the line follows the hard branch inwards."""
    plot = frame("ln 1/Δ", "ln kT/GeV", name="lund", height=380, x_range=(0, 7), y_range=(-5, 7))
    plot.line("ln_angle", "ln_kt", source=source, color=OKABE_ITO[0], line_alpha=0.35)
    emissions = plot.scatter(
        "ln_angle", "ln_kt", size="size", source=source, color=OKABE_ITO[0], fill_alpha=0.55, line_alpha=0.9
    )
    plot.add_tools(
        HoverTool(
            renderers=[emissions],
            tooltips=[
                ("emission", "@order"),
                ("ln 1/Δ", "@ln_angle{0.00}"),
                ("ln kT/GeV", "@ln_kt{0.00}"),
                ("z", "@z{0.000}"),
            ],
        )
    )
    return plot
