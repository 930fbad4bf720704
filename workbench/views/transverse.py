"""The event seen along the beam: bent tracks, energy as bars around the calorimeter, jets as wedges."""

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
from .helix import paths
from .palette import NEUTRAL

BARS = 72
"""Bars around the calorimeter, 5 degrees each."""

LONGEST = 0.55
"""Length of the longest bar, and of the missing energy's arrow, in radii of the calorimeter."""

LAYERS = (("ECAL", kinds.ECAL, " "), ("HCAL", kinds.HCAL, "/"), ("calorimeter", kinds.CALORIMETER, "x"))
"""Name, colour and hatch of what bars stand for, by the number of the layer."""


def lines(scene: Scene, detector: Detector) -> list[np.ndarray]:
    """Returns the path of each particle, arrays (points, 3) in m: as the file gives it, else bent as its pT and charge say.

    Muons go on straight to the end of the hadronic calorimeter.
    """
    particles = scene.arrays["particles"]
    radius, half = detector.calorimeter
    found = paths(particles, scene.header["field"], (radius, half))
    points = scene.arrays["points"]
    for row in np.unique(points[:, 0]).astype(int):
        found[row] = points[points[:, 0] == row, 1:]
    for row in np.flatnonzero(scene.column("particles", "kind") == 4):
        last, ahead = found[row][-1], found[row][-1] - found[row][-2]
        length = np.hypot(*ahead[:2])
        if length > 0 and abs(last[2]) < half:
            found[row] = np.vstack([found[row], last + ahead / length * radius * 0.7])
    return found


def particle_columns(
    scene: Scene, detector: Detector, by: str = "kind", palette: str = "colour-blind safe"
) -> dict[str, Any]:
    """Returns one row per particle: the columns of `kinds.rows` and its path "xs", "ys" in m."""
    drawn = lines(scene, detector)
    path = {"xs": [line[:, 0] for line in drawn], "ys": [line[:, 1] for line in drawn]}
    return {**kinds.rows(scene, by, palette), **path}


def bar_columns(found: Deposits, detector: Detector, scale: str) -> dict[str, Any]:
    """Returns one row per bar and layer: "energy" in GeV summed over eta, "inner", "outer" in m, "start", "end" in rad.

    The bars of further layers stand on those of the first, so that a bar's whole length is not that of the summed energy
    unless the scale is linear.
    """
    inner, _ = detector.calorimeter
    edges = np.linspace(-np.pi, np.pi, BARS + 1)
    sums = np.array(
        [
            np.histogram(
                found.phi[found.layer == layer], edges, weights=found.transverse[found.layer == layer]
            )[0]
            for layer in range(len(LAYERS))
        ]
    )
    long = lengths(sums, scale, LONGEST * inner)
    base = inner + np.cumsum(long, axis=0) - long
    layer, bar = np.nonzero(sums)
    return {
        **single(
            {
                "energy": sums[layer, bar],
                "inner": base[layer, bar],
                "outer": (base + long)[layer, bar],
                "start": edges[bar],
                "end": edges[bar + 1],
            }
        ),
        "layer": np.array([x[0] for x in LAYERS], dtype=object)[layer],
        "colour": np.array([x[1] for x in LAYERS], dtype=object)[layer],
        "hatch": np.array([x[2] for x in LAYERS], dtype=object)[layer],
    }


def jet_columns(scene: Scene, detector: Detector) -> dict[str, Any]:
    """Returns one row per jet: a wedge of its radius to either side of its azimuth, out to the calorimeter."""
    pt, eta, phi, mass, radius = scene.arrays["jets"].astype(np.float64).T
    reach = np.full(len(pt), 0.97 * detector.calorimeter[0])
    found = {"pt": pt, "eta": eta, "phi": phi, "mass": mass, "reach": reach}
    return {
        **single({**found, "start": phi - radius, "end": phi + radius}),
        "row": np.arange(len(pt)),
    }


def met_columns(scene: Scene, detector: Detector) -> dict[str, Any]:
    """Returns the arrow of the missing energy: its end "x", "y" in m, its length by its share of the hardest jet."""
    met = scene.header["met"]
    if not met:
        none = np.zeros(0, np.float32)
        return {"zero": none, "x": none, "y": none, "angle": none, "text": []}
    pt, phi = met
    hardest = float(scene.arrays["jets"][:, 0].max(initial=pt))
    length = detector.calorimeter[0] * (0.25 + 0.7 * np.sqrt(pt / hardest if hardest > 0 else 0.0))
    return {
        **single(
            {
                "zero": np.zeros(1),
                "x": np.array([length * np.cos(phi)]),
                "y": np.array([length * np.sin(phi)]),
                "angle": np.array([phi - np.pi / 2]),
            }
        ),
        "text": [f"missing pT {pt:.1f} GeV"],
    }


def extent_columns(width: float, height: float) -> dict[str, Any]:
    """Returns the corners of what is seen at first, "x" and "y" in m."""
    return single({"x": np.array([-width, width]), "y": np.array([-height, height])})


def extent_of(detector: Detector) -> tuple[float, float]:
    """Returns half the width and half the height in m of what is seen at first: all bars have their place."""
    reach = (1.1 + LONGEST) * detector.calorimeter[0]
    return reach, reach


def ring_columns(detector: Detector) -> dict[str, Any]:
    """Returns one row per barrel layer of the detector, outermost first: "inner" and "outer" in m."""
    barrel = [x for x in detector.layers if x["kind"] == "barrel"][::-1]
    return {
        "name": [x["name"] for x in barrel],
        "inner": np.array([x["r"][0] for x in barrel], dtype=np.float32),
        "outer": np.array([x["r"][1] for x in barrel], dtype=np.float32),
    }


def empty() -> dict[str, ColumnDataSource]:
    """Returns the sources of the view, without an event."""
    none = np.zeros(0, np.float32)
    bars: dict[str, Any] = dict.fromkeys(("energy", "inner", "outer", "start", "end"), none)
    jets: dict[str, Any] = dict.fromkeys(("pt", "eta", "phi", "mass", "reach", "start", "end"), none)
    return {
        "particles": ColumnDataSource({**kinds.no_rows(), "xs": [], "ys": []}),
        "bars": ColumnDataSource({**bars, "layer": [], "colour": [], "hatch": []}),
        "jets": ColumnDataSource({**jets, "row": np.zeros(0, int)}),
        "met": ColumnDataSource({"zero": none, "x": none, "y": none, "angle": none, "text": []}),
        "rings": ColumnDataSource({"name": [], "inner": none, "outer": none}),
        "extent": ColumnDataSource(extent_columns(1.0, 1.0)),
    }


def transverse_figure(sources: dict[str, ColumnDataSource], cuts: Cuts, height: int = 420) -> figure:
    """Returns the view along the beam, x to the right, y upwards."""
    plot = frame("x [m]", "y [m]", name="x-y", height=height, match_aspect=True)
    fit(plot, sources["extent"])
    rings = plot.annulus(
        0,
        0,
        "inner",
        "outer",
        source=sources["rings"],
        view=cuts.layer("detector"),
        fill_color=NEUTRAL,
        fill_alpha=0.09,
        line_color=NEUTRAL,
        line_alpha=0.45,
    )
    plot.add_tools(HoverTool(renderers=[rings], tooltips=[("", "@name, @inner to @outer m")], visible=False))
    wedges = _wedges(plot, sources["jets"], cuts)
    _bars(plot, sources["bars"], cuts)
    tracks = tracks_of(plot, sources["particles"], cuts)
    _arrow(plot, sources["met"], cuts)
    plot.add_tools(TapTool(renderers=[tracks, wedges]))
    return plot


def fit(plot: figure, extent: ColumnDataSource) -> None:
    """Lets the ranges begin at the extent, not at the far end of the muon system."""
    corners = plot.scatter("x", "y", source=extent, alpha=0)
    plot.x_range.renderers = plot.y_range.renderers = [corners]


def tracks_of(plot: figure, source: ColumnDataSource, cuts: Cuts) -> Any:
    """Draws the paths of the particles and returns their renderer."""
    found = plot.multi_line(
        "xs",
        "ys",
        source=source,
        view=CDSView(filter=cuts.particles),
        line_color="colour",
        line_dash="dash",
        line_width="wide",
        line_alpha=0.85,
        selection_line_width=6,
        nonselection_line_alpha=0.85,
    )
    plot.add_tools(
        HoverTool(
            renderers=[found],
            line_policy="interp",
            tooltips=[
                *kinds.TOLD,
                ("charge", "@charge{+0}"),
                kinds.RELEVANCE_TOLD,
            ],
            visible=False,
        )
    )
    return found


def _wedges(plot: figure, source: ColumnDataSource, cuts: Cuts) -> Any:
    found = plot.wedge(
        0,
        0,
        "reach",
        "start",
        "end",
        source=source,
        view=CDSView(filter=cuts.jets),
        fill_color=kinds.JET,
        fill_alpha=0.12,
        line_color=kinds.JET,
        line_alpha=0.9,
        selection_line_width=4,
        nonselection_fill_alpha=0.12,
        nonselection_line_alpha=0.9,
    )
    plot.add_tools(HoverTool(renderers=[found], tooltips=list(kinds.TOLD_OF_JETS), visible=False))
    return found


def _bars(plot: figure, source: ColumnDataSource, cuts: Cuts) -> None:
    found = plot.annular_wedge(
        0,
        0,
        "inner",
        "outer",
        "start",
        "end",
        source=source,
        view=cuts.layer("towers", "cells"),
        fill_color="colour",
        fill_alpha=0.8,
        line_color="colour",
        hatch_pattern="hatch",
        hatch_color="#FFFFFF",
        hatch_alpha=0.5,
    )
    plot.add_tools(
        HoverTool(renderers=[found], tooltips=[("", "@layer, ET = @energy{0.00} GeV")], visible=False)
    )


def _arrow(plot: figure, source: ColumnDataSource, cuts: Cuts) -> None:
    shown = cuts.layer("met")
    plot.segment(
        "zero",
        "zero",
        "x",
        "y",
        source=source,
        view=shown,
        line_color=kinds.MET,
        line_dash="dashed",
        line_width=3,
    )
    plot.scatter(
        "x", "y", angle="angle", marker="triangle", size=14, source=source, view=shown, color=kinds.MET
    )
    plot.text(
        "x",
        "y",
        text="text",
        source=source,
        view=shown,
        text_color=kinds.MET,
        text_font_size="12px",
        x_offset=10,
        y_offset=-8,
    )
