"""One jet, the mean of many, or the difference of two means, as an image of transverse momentum; a jet's relevance likewise."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, LinearColorMapper, LogColorMapper
from bokeh.palettes import inferno
from bokeh.plotting import figure

from ..data.jets import Jets
from ..physics.images import Cloud, Step, pixelate, prepared
from .frame import frame, single
from .palette import RELEVANCE

SKY = "#0B0B14"
"""Behind the pixels, on a light and on a dark page: a pixel without energy is dark."""

DECADES = 1e-4
"""Smallest value in colour, as a share of the largest."""


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


def relevance_pixels(
    jet: Jets, relevance: np.ndarray, steps: Sequence[Step], *, pixels: int = 40, extent: float = 0.8
) -> np.ndarray:
    """Returns the sum of relevance in each pixel, units of the score, where the steps put the particles of the only jet;
    nan in pixels without particles.

    Args:
        jet: One jet.
        relevance: Of its particles, shape (particles,).
        steps: As for the image of transverse momentum, see `physics.images`.
        pixels: Number of pixels along each side.
        extent: Half the side of the frame.
    """
    cloud = prepared(Cloud.of(jet), steps)
    values = np.asarray(relevance, dtype=np.float32)
    summed, there = (
        pixelate(replace(cloud, pt=pt), pixels=pixels, extent=extent)[0]
        for pt in (values, np.ones_like(values))
    )
    return np.where(there > 0, summed, np.float32(np.nan))


def empty(pixels: int = 40, extent: float = 0.8) -> ColumnDataSource:
    """Returns the source of the image, without energy."""
    return ColumnDataSource(columns(np.zeros((pixels, pixels)), extent))


def intensity_scale(high: float = 1.0) -> LogColorMapper:
    """Returns the logarithmic scale of four decades up to `high`; pixels below it stay dark."""
    return LogColorMapper(palette=inferno(256), low_color=SKY, low=high * DECADES, high=high)


def difference_scale(limit: float = 5.0) -> LinearColorMapper:
    """Returns the diverging scale of a difference in standard errors; pixels without jets stay dark."""
    return LinearColorMapper(palette=RELEVANCE, low=-limit, high=limit, nan_color=SKY)


def relevance_scale(limit: float = 1.0) -> LinearColorMapper:
    """Returns the diverging scale of relevance in pixels; those without particles are as the page is."""
    return LinearColorMapper(palette=RELEVANCE, low=-limit, high=limit, nan_color=(0, 0, 0, 0))


def image_figure(
    source: ColumnDataSource, scale: LogColorMapper | LinearColorMapper, *, name: str = "image"
) -> figure:
    """Returns the image; the colour bar says what a pixel holds, see `say_unit`."""
    plot = frame("Δη", "Δφ [rad]", name=name, height=380, match_aspect=True)
    plot.background_fill_color, plot.background_fill_alpha = SKY, 1
    plot.image("image", "x", "y", "dw", "dh", source=source, color_mapper=scale)
    plot.add_layout(
        ColorBar(color_mapper=scale, width=10, title="share of pT", background_fill_alpha=0), "right"
    )
    plot.grid.grid_line_alpha = 0
    return plot


def say_unit(plot: figure, unit: str) -> None:
    """Says on the colour bar what a pixel holds."""
    plot.select_one(ColorBar).title = unit
