"""One jet, or the mean of many, as an image of transverse momentum."""

from typing import Any

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, LogColorMapper
from bokeh.plotting import figure

from .frame import frame, single
from .palette import INTENSITY


def columns(image: np.ndarray, extent: float) -> dict[str, Any]:
    """Returns the one-row source of an image [azimuth, pseudorapidity] that reaches from -extent to extent.

    Rows are drawn upwards: eta to the right, phi upwards.
    """
    side = 2 * extent
    return {
        **single(
            {
                "x": np.array([-extent]),
                "y": np.array([-extent]),
                "dw": np.array([side]),
                "dh": np.array([side]),
            }
        ),
        "image": [np.ascontiguousarray(image, dtype=np.float32)],
    }


def empty(pixels: int = 40, extent: float = 0.8) -> ColumnDataSource:
    """Returns the source of the image, without energy."""
    return ColumnDataSource(columns(np.zeros((pixels, pixels)), extent))


def intensity_scale() -> LogColorMapper:
    """Returns the logarithmic scale of shares of pt; pixels below it stay blank."""
    return LogColorMapper(palette=INTENSITY, low_color=(0, 0, 0, 0), low=1e-4, high=1)


def image_figure(source: ColumnDataSource, scale: LogColorMapper) -> figure:
    """Returns the image on a logarithmic scale; pixels without energy stay blank."""
    plot = frame("Δη", "Δφ [rad]", name="image", height=380, match_aspect=True)
    plot.image("image", "x", "y", "dw", "dh", source=source, color_mapper=scale)
    plot.add_layout(
        ColorBar(
            color_mapper=scale,
            width=10,
            title="share of pT",
            background_fill_alpha=0,
        ),
        "right",
    )
    plot.grid.grid_line_alpha = 0
    return plot
