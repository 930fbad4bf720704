"""The event seen from the side: z to the right, distance from the beam upwards, below it what flies downwards."""

from typing import Any

import numpy as np
from bokeh.models import CDSView, ColumnDataSource, HoverTool, TapTool
from bokeh.plotting import figure

from . import kinds
from .cuts import Cuts
from .deposits import Deposits, lengths
from .detectors import Detector
from .event import Scene
from .frame import frame, single
from .palette import CHIP, NEUTRAL, ON_CHIP
from .transverse import LAYERS, LONGEST, extent_columns, fit, lines, tracks_of

GUIDES = (0.0, 1.0, 1.5, 2.5, 3.0, 5.0)
"""|eta| of the lines from the origin, above and below, to both sides."""

BARS = 50
"""Bars from eta = -5 to 5, above and below the beam."""

FAR = 1.55
"""How far the guides reach, in sizes of the calorimeter."""


def surface(eta: np.ndarray, detector: Detector) -> np.ndarray:
    """Returns the distance in m from the origin to the calorimeter's face in direction eta, same shape."""
    radius, half = detector.calorimeter
    forward = np.abs(np.tanh(eta))
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(radius * np.cosh(eta), np.where(forward > 0, half / forward, np.inf)))


def towards(eta: np.ndarray, up: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns z and signed r in m of points in direction eta, `up` = +1 or -1, at a distance from the origin."""
    return distance * np.tanh(eta), up * distance / np.cosh(eta)


def particle_columns(
    scene: Scene, detector: Detector, by: str = "kind", palette: str = "colour-blind safe"
) -> dict[str, Any]:
    """Returns one row per particle: the columns of `kinds.rows` and its path "xs" = z, "ys" = r in m.

    r has the sign of the y in which the particle sets out, all the way.
    """
    drawn = lines(scene, detector)
    side = np.where(scene.column("particles", "phi") >= 0, 1.0, -1.0)
    path = {
        "xs": [line[:, 2] for line in drawn],
        "ys": [
            (up * np.hypot(line[:, 0], line[:, 1])).astype(np.float32)
            for up, line in zip(side, drawn, strict=True)
        ],
    }
    return {**kinds.rows(scene, by, palette), **path}


def bar_columns(found: Deposits, detector: Detector, scale: str) -> dict[str, Any]:
    """Returns one row per bar and layer: "energy" in GeV summed over half the azimuth, corners "xs" = z, "ys" = r in m."""
    edges = np.linspace(-5, 5, BARS + 1)
    side = np.where(found.phi >= 0, 1, 0)
    sums = np.zeros((len(LAYERS), 2, BARS))
    for layer in range(len(LAYERS)):
        for half in (0, 1):
            here = (found.layer == layer) & (side == half)
            sums[layer, half] = np.histogram(found.eta[here], edges, weights=found.transverse[here])[0]
    long = lengths(sums, scale, LONGEST * detector.calorimeter[0])
    base = np.cumsum(long, axis=0) - long
    number, up, bar = np.nonzero(sums)
    sign = np.where(up == 1, 1.0, -1.0)
    near, far = base[number, up, bar], (base + long)[number, up, bar]
    middle = surface((edges[bar] + edges[bar + 1]) / 2, detector)
    corners = [
        towards(eta, sign, middle + more)
        for eta, more in (
            (edges[bar], near),
            (edges[bar + 1], near),
            (edges[bar + 1], far),
            (edges[bar], far),
        )
    ]
    z, r = (np.stack([corner[i] for corner in corners], axis=1).astype(np.float32) for i in (0, 1))
    return {
        **single({"energy": sums[number, up, bar]}),
        "xs": list(z),
        "ys": list(r),
        "layer": np.array([x[0] for x in LAYERS], dtype=object)[number],
        "colour": np.array([x[1] for x in LAYERS], dtype=object)[number],
        "hatch": np.array([x[2] for x in LAYERS], dtype=object)[number],
    }


def jet_columns(scene: Scene, detector: Detector) -> dict[str, Any]:
    """Returns one row per jet: the cone of its radius to either side of its eta, out to the calorimeter."""
    pt, eta, phi, mass, radius = scene.arrays["jets"].astype(np.float64).T
    directions = eta[:, None] + radius[:, None] * np.linspace(-1, 1, 9)
    up = np.where(phi >= 0, 1.0, -1.0)[:, None]
    z, r = towards(directions, up, 0.97 * surface(directions, detector))
    origin = np.zeros((len(pt), 1))
    return {
        **single({"pt": pt, "eta": eta, "phi": phi, "mass": mass}),
        "row": np.arange(len(pt)),
        "xs": list(np.hstack([origin, z]).astype(np.float32)),
        "ys": list(np.hstack([origin, r]).astype(np.float32)),
    }


def guide_columns(detector: Detector) -> dict[str, Any]:
    """Returns one row per guide: its end "z", "r" in m, on a box around the calorimeter, and its eta as "text"."""
    radius, half = (FAR * size for size in detector.calorimeter)
    eta = np.array([0.0, *GUIDES[1:], *(-x for x in GUIDES[1:])])
    both = np.concatenate([eta, eta])
    up = np.repeat([1.0, -1.0], len(eta))
    forward = np.abs(np.tanh(both))
    with np.errstate(divide="ignore"):
        distance = np.minimum(radius * np.cosh(both), np.where(forward > 0, half / forward, np.inf))
    z, r = towards(both, up, distance)
    text = [f"η = {x:g}" if above > 0 else "" for x, above in zip(both, up, strict=True)]
    align = ["left" if x > 2 else "right" if x < -2 else "center" for x in both]
    return {**single({"zero": np.zeros(len(z)), "z": z, "r": r}), "text": text, "align": align}


def extent_of(detector: Detector) -> tuple[float, float]:
    """Returns half the width and half the height in m of what is seen at first: all guides and bars have their place."""
    radius, half = detector.calorimeter
    return 1.12 * FAR * half, 1.12 * FAR * radius


def outline_columns(detector: Detector) -> dict[str, Any]:
    """Returns one row per box that a layer cuts out of the plane: barrels above and below, endcaps on both sides too."""
    boxes = []
    for layer in detector.layers:
        (low, high), (start, stop) = layer["r"], layer["z"]
        sides = [(start, stop)] if layer["kind"] == "barrel" else [(start, stop), (-stop, -start)]
        boxes += [(layer["name"], a, b, s * low, s * high) for a, b in sides for s in (1, -1)]
    left, right, bottom, top = (np.array([box[i] for box in boxes], dtype=np.float32) for i in range(1, 5))
    return {"name": [box[0] for box in boxes], "left": left, "right": right, "bottom": bottom, "top": top}


def empty() -> dict[str, ColumnDataSource]:
    """Returns the sources of the view, without an event."""
    none = np.zeros(0, np.float32)
    jets: dict[str, Any] = dict.fromkeys(("pt", "eta", "phi", "mass"), none)
    return {
        "particles": ColumnDataSource({**kinds.no_rows(), "xs": [], "ys": []}),
        "bars": ColumnDataSource(
            {"energy": none, "xs": [], "ys": [], "layer": [], "colour": [], "hatch": []}
        ),
        "jets": ColumnDataSource({**jets, "row": np.zeros(0, int), "xs": [], "ys": []}),
        "guides": ColumnDataSource({"zero": none, "z": none, "r": none, "text": [], "align": []}),
        "extent": ColumnDataSource(extent_columns(1.0, 1.0)),
        "outlines": ColumnDataSource({"name": [], "left": none, "right": none, "bottom": none, "top": none}),
    }


def longitudinal_figure(sources: dict[str, ColumnDataSource], cuts: Cuts, height: int = 420) -> figure:
    """Returns the view from the side, z to the right, signed r upwards."""
    plot = frame("z [m]", "r [m], below the beam negative", name="r-z", height=height, match_aspect=True)
    fit(plot, sources["extent"])
    shown = cuts.layer("detector")
    boxes = plot.quad(
        "left",
        "right",
        "top",
        "bottom",
        source=sources["outlines"],
        view=shown,
        fill_color=NEUTRAL,
        fill_alpha=0.09,
        line_color=NEUTRAL,
        line_alpha=0.45,
    )
    plot.add_tools(HoverTool(renderers=[boxes], tooltips=[("", "@name")], visible=False))
    plot.segment(
        "zero",
        "zero",
        "z",
        "r",
        source=sources["guides"],
        line_color=NEUTRAL,
        line_dash="dotted",
        line_alpha=0.7,
    )
    plot.text(
        "z",
        "r",
        text="text",
        source=sources["guides"],
        text_color=ON_CHIP,
        background_fill_color=CHIP,
        text_font_size="11px",
        text_align="align",
        y_offset=-3,
    )
    cones = _patches(plot, sources["jets"], CDSView(filter=cuts.jets), kinds.JET, 0.12)
    plot.add_tools(HoverTool(renderers=[cones], tooltips=list(kinds.TOLD_OF_JETS), visible=False))
    bars = _patches(
        plot, sources["bars"], cuts.layer("towers", "cells"), "colour", 0.8, hatch_pattern="hatch"
    )
    plot.add_tools(
        HoverTool(renderers=[bars], tooltips=[("", "@layer, ET = @energy{0.00} GeV")], visible=False)
    )
    tracks = tracks_of(plot, sources["particles"], cuts)
    plot.add_tools(TapTool(renderers=[tracks, cones]))
    return plot


def _patches(
    plot: figure, source: ColumnDataSource, view: CDSView, colour: str, alpha: float, **options: Any
) -> Any:
    return plot.patches(
        "xs",
        "ys",
        source=source,
        view=view,
        fill_color=colour,
        fill_alpha=alpha,
        line_color=colour,
        line_alpha=0.9,
        hatch_color="#FFFFFF",
        hatch_alpha=0.5,
        selection_line_width=4,
        nonselection_fill_alpha=alpha,
        nonselection_line_alpha=0.9,
        **options,
    )
