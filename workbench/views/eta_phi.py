"""The event unrolled: pseudorapidity to the right, azimuth upwards, with a band on either side that closes the period."""

from typing import Any

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    CDSView,
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LogColorMapper,
    Range1d,
    TapTool,
)
from bokeh.plotting import figure

from . import kinds
from .cuts import Cuts
from .deposits import Deposits
from .event import Scene
from .frame import frame, single
from .palette import NEUTRAL

ETA, COLUMNS, ROWS = 5.0, 100, 63
"""The map reaches to |eta| = 5 in 100 columns, around the period in 63 rows."""

BAND = 0.5
"""What lies so near to the end of the period, in rad, is drawn at the other end too."""

CIRCLE = 73
"""Points of a jet's circle."""


def energy_map(found: Deposits) -> np.ndarray:
    """Returns transverse energy in GeV per bin, shape (ROWS, COLUMNS), phi upwards from -pi, eta from -ETA.

    What lies beyond |eta| = 5 has no bin.
    """
    image, _, _ = np.histogram2d(
        found.phi,
        found.eta,
        bins=(ROWS, COLUMNS),
        range=((-np.pi, np.pi), (-ETA, ETA)),
        weights=found.transverse,
    )
    return np.asarray(image)


def map_columns(found: Deposits) -> dict[str, Any]:
    """Returns the one-row source of the map, with the rows of the band repeated at both ends."""
    image = energy_map(found)
    height = 2 * np.pi / ROWS
    more = int(np.ceil(BAND / height))
    whole = np.concatenate([image[-more:], image, image[:more]])
    return {
        **single(
            {
                "x": np.array([-ETA]),
                "y": np.array([-np.pi - more * height]),
                "dw": np.array([2 * ETA]),
                "dh": np.array([len(whole) * height]),
            }
        ),
        "image": [np.ascontiguousarray(whole, dtype=np.float32)],
    }


def repeated(phi: np.ndarray, band: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns which entries are drawn and at which azimuth: all of them, and those near an end of the period at the other too."""
    every = np.arange(len(phi))
    top, bottom = np.flatnonzero(phi > np.pi - band), np.flatnonzero(phi < -np.pi + band)
    rows = np.concatenate([every, top, bottom])
    return rows, np.concatenate([phi, phi[top] - 2 * np.pi, phi[bottom] + 2 * np.pi])


def particle_columns(scene: Scene, by: str = "kind", palette: str = "colour-blind safe") -> dict[str, Any]:
    """Returns one row per drawn particle: the columns of `kinds.rows`, "at" = where it is drawn, "size" in screen units."""
    columns = kinds.rows(scene, by, palette)
    rows, at = repeated(columns["phi"], band_of(scene))
    found = {name: column[rows] for name, column in columns.items()}
    pt = found["pt"]
    largest = float(pt.max(initial=0.0)) or 1.0
    near = 26 if is_jet(scene) else 15
    return {**single({**found, "at": at, "size": 4 + near * np.sqrt(pt / largest)})}


def jet_columns(scene: Scene) -> dict[str, Any]:
    """Returns one row per circle: those that cross the end of the period come twice, the part outside the map is cut off."""
    pt, eta, phi, mass, radius = scene.arrays["jets"].astype(np.float64).T
    rows, at = repeated(phi, band_of(scene) + float(radius.max(initial=0.0)))
    angle = np.linspace(0, 2 * np.pi, CIRCLE)
    edge = np.pi + band_of(scene)
    xs, ys = [], []
    for row, centre in zip(rows, at, strict=True):
        x, y = eta[row] + radius[row] * np.cos(angle), centre + radius[row] * np.sin(angle)
        y = np.where(np.abs(y) <= edge, y, np.nan)
        xs.append(x.astype(np.float32))
        ys.append(y.astype(np.float32))
    told = {"pt": pt, "eta": eta, "phi": phi, "mass": mass, "radius": radius}
    return {**single({name: column[rows] for name, column in told.items()}), "row": rows, "xs": xs, "ys": ys}


def met_columns(scene: Scene) -> dict[str, Any]:
    """Returns the line of the missing energy: one row per place where its azimuth is drawn, none without it."""
    met = scene.header["met"]
    phi = np.array([met[1]] if met else [])
    rows, at = repeated(phi, band_of(scene))
    text = f"missing pT {met[0]:.1f} GeV" if met else ""
    return {
        **single({"x0": np.full(len(at), -ETA), "x1": np.full(len(at), ETA), "at": at}),
        "text": [text if i == 0 else "" for i in range(len(rows))],
    }


def is_jet(scene: Scene) -> bool:
    """True where the scene is one jet, to which the map then zooms."""
    return "jet" in scene.header


def band_of(scene: Scene) -> float:
    """Returns how far beyond the period is drawn, in rad: as far as the circle of a jet of its own reaches."""
    return max(BAND, 1.3 * float(scene.arrays["jets"][0, 4])) if is_jet(scene) else BAND


def window(
    scene: Scene, around_jet: bool, aspect: float = 1.0
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the ranges of eta and phi: all of the event, or 1.3 radii around its first jet, a circle on a frame of this aspect."""
    if around_jet and len(scene.arrays["jets"]):
        _, eta, phi, _, radius = (float(x) for x in scene.arrays["jets"][0])
        reach = 1.3 * radius
        across = reach * aspect
        return (eta - across, eta + across), (phi - reach, phi + reach)
    edge = np.pi + BAND
    return (-ETA, ETA), (-edge, edge)


def empty() -> dict[str, ColumnDataSource]:
    """Returns the sources of the map, without an event."""
    particles = {**kinds.no_rows(), **dict.fromkeys(("at", "size"), np.zeros(0, np.float32))}
    jets: dict[str, Any] = dict.fromkeys(("pt", "eta", "phi", "mass", "radius"), np.zeros(0, np.float32))
    lines: dict[str, Any] = dict.fromkeys(("x0", "x1", "at"), np.zeros(0, np.float32))
    nothing = Deposits(*np.zeros((4, 0)))
    return {
        "map": ColumnDataSource(map_columns(nothing)),
        "particles": ColumnDataSource(particles),
        "jets": ColumnDataSource({**jets, "row": np.zeros(0, int), "xs": [], "ys": []}),
        "met": ColumnDataSource({**lines, "text": []}),
    }


def intensity() -> LogColorMapper:
    """Returns the logarithmic scale of transverse energy; its lower end is the threshold, below which nothing is drawn."""
    return LogColorMapper(palette=kinds.STRENGTH, low_color=(0, 0, 0, 0), low=0.3, high=100)


def map_figure(
    sources: dict[str, ColumnDataSource], cuts: Cuts, scale: LogColorMapper, height: int = 420
) -> figure:
    """Returns the map: energy below, particles by kind, jets as circles, missing energy as a dashed line."""
    edge = np.pi + BAND
    plot = frame(
        "η",
        "φ [rad]",
        name="eta-phi",
        height=height,
        x_range=Range1d(-ETA, ETA),
        y_range=Range1d(-edge, edge),
    )
    plot.image(
        "image",
        "x",
        "y",
        "dw",
        "dh",
        source=sources["map"],
        color_mapper=scale,
        view=cuts.layer("towers", "cells"),
    )
    for low, high in ((-10, -np.pi), (np.pi, 10)):
        plot.add_layout(
            BoxAnnotation(
                bottom=low,
                top=high,
                fill_color=NEUTRAL,
                fill_alpha=0.07,
                hatch_pattern="/",
                hatch_alpha=0.12,
                hatch_color=NEUTRAL,
                line_color=NEUTRAL,
                line_dash="dotted",
                propagate_hover=True,
            )
        )
    circles = _circles(plot, sources["jets"], cuts)
    _missing(plot, sources["met"], cuts)
    marks = _marks(plot, sources["particles"], cuts)
    title = "ET per bin [GeV]"
    plot.add_layout(
        ColorBar(color_mapper=scale, width=10, title=title, background_fill_alpha=0, name="energy scale"),
        "right",
    )
    plot.add_tools(TapTool(renderers=[marks, circles]))
    return plot


def _circles(plot: figure, source: ColumnDataSource, cuts: Cuts) -> Any:
    found = plot.multi_line(
        "xs",
        "ys",
        source=source,
        view=CDSView(filter=cuts.jets),
        line_color=kinds.JET,
        line_width=1.6,
        line_alpha=0.9,
        selection_line_width=4,
        nonselection_line_alpha=0.9,
    )
    mass = ("mass, R", "@mass{0.0} GeV, @radius{0.0}")
    plot.add_tools(HoverTool(renderers=[found], tooltips=[*kinds.TOLD_OF_JETS, mass], visible=False))
    return found


def _missing(plot: figure, source: ColumnDataSource, cuts: Cuts) -> None:
    shown = cuts.layer("met")
    plot.segment(
        "x0",
        "at",
        "x1",
        "at",
        source=source,
        view=shown,
        line_color=kinds.MET,
        line_dash="dashed",
        line_width=2,
    )
    plot.text(
        "x0",
        "at",
        text="text",
        source=source,
        view=shown,
        text_color=kinds.MET,
        text_font_size="12px",
        x_offset=6,
        y_offset=-4,
    )


def _marks(plot: figure, source: ColumnDataSource, cuts: Cuts) -> Any:
    found = plot.scatter(
        "eta",
        "at",
        size="size",
        marker="marker",
        source=source,
        view=CDSView(filter=cuts.particles),
        fill_color="colour",
        line_color="colour",
        fill_alpha=0.75,
        selection_line_color=kinds.MET,
        selection_line_width=4,
        nonselection_fill_alpha=0.75,
        nonselection_line_alpha=1,
    )
    plot.add_tools(
        HoverTool(
            renderers=[found],
            tooltips=[
                *kinds.TOLD,
                kinds.RELEVANCE_TOLD,
            ],
            visible=False,
        )
    )
    return found
