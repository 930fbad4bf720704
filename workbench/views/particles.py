"""A jet's particles around its axis: where they are, how hard they are, how much they matter."""

import awkward as ak
import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, TapTool
from bokeh.plotting import figure

from ..data.jets import Jets
from ..physics.kinematics import relative
from .frame import frame, single
from .palette import NEUTRAL, PICKED, RELEVANCE

SHAPES = {
    "charged hadron": "circle",
    "neutral hadron": "square",
    "photon": "triangle",
    "electron": "diamond",
    "muon": "star",
    "particle": "circle",
}
"""Marker per kind of particle."""


def columns(jet: Jets, relevance: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Returns one row per particle of the only jet in `jet`, hardest first.

    Columns: "particle" (rank from 1), "deta", "dphi" (rad, wrapped), "pt" (GeV), "size" (screen units, area
    proportional to pt), "kind", "marker" and "relevance" (units of the score; nan when there is none).
    """
    constituents = jet.constituents[0]
    pt = ak.to_numpy(constituents.pt)
    around = relative(jet)[0]
    kind = kinds(constituents)
    largest = float(pt.max(initial=0.0)) or 1.0
    return {
        **single(
            {
                "deta": ak.to_numpy(around.deta),
                "dphi": ak.to_numpy(around.dphi),
                "pt": pt,
                "size": 5 + 31 * np.sqrt(pt / largest),
                "relevance": np.full(len(pt), np.nan)
                if relevance is None
                else np.asarray(relevance, dtype=float),
            }
        ),
        "particle": np.arange(1, len(pt) + 1),
        "kind": kind,
        "marker": np.array([SHAPES[name] for name in kind], dtype=object),
    }


def kinds(constituents: ak.Array) -> np.ndarray:
    """Returns what each particle is, in words, shape (particles,); "particle" where the sample does not say."""
    known = ak.fields(constituents)
    n = len(constituents)
    kind = np.full(n, "particle", dtype=object)
    if "charge" in known:
        charged = ak.to_numpy(constituents.charge) != 0
        kind[:] = np.where(charged, "charged hadron", "neutral hadron")
    if "pid" in known:
        code = np.abs(ak.to_numpy(constituents.pid))
        if "charge" not in known:
            kind[np.isin(code, (211, 321, 2212))] = "charged hadron"
            kind[np.isin(code, (130, 310, 2112))] = "neutral hadron"
        for number, name in ((22, "photon"), (11, "electron"), (13, "muon")):
            kind[code == number] = name
    return kind


def empty() -> ColumnDataSource:
    """Returns the source of the map, without particles."""
    numbers = dict.fromkeys(("deta", "dphi", "pt", "size", "relevance"), np.zeros(0, np.float32))
    words = dict.fromkeys(("kind", "marker"), np.zeros(0, object))
    return ColumnDataSource({**numbers, **words, "particle": np.zeros(0, int)})


def relevance_scale(limit: float = 1.0) -> LinearColorMapper:
    """Returns the diverging scale from -limit to limit, in units of the score; particles without relevance are grey."""
    return LinearColorMapper(palette=RELEVANCE, low=-limit, high=limit, nan_color="#B0B0B0")


def map_figure(source: ColumnDataSource, scale: LinearColorMapper, radius: float = 0.8) -> figure:
    """Returns the eta-phi map: area for pt, marker for kind, colour for relevance."""
    plot = frame(
        "Δη",
        "Δφ [rad]",
        name="particles",
        height=380,
        match_aspect=True,
    )
    plot.ellipse(
        0, 0, 2 * radius, 2 * radius, fill_alpha=0, line_color=NEUTRAL, line_dash="dotted", line_alpha=0.8
    )
    plot.scatter(0, 0, marker="cross", size=10, color=NEUTRAL)
    particles = plot.scatter(
        "deta",
        "dphi",
        size="size",
        marker="marker",
        source=source,
        fill_color={"field": "relevance", "transform": scale},
        fill_alpha=0.92,
        line_color=NEUTRAL,
        line_width=0.8,
        selection_line_color=PICKED,
        selection_line_width=3,
        nonselection_fill_alpha=0.92,
        nonselection_line_alpha=1,
    )
    plot.add_tools(TapTool(renderers=[particles]))
    plot.add_layout(
        ColorBar(color_mapper=scale, width=10, title="relevance [log-odds]", background_fill_alpha=0), "right"
    )
    plot.add_tools(
        HoverTool(
            renderers=[particles],
            tooltips=[
                ("particle", "@particle, @kind"),
                ("pT", "@pt{0.0} GeV"),
                ("Δη, Δφ", "@deta{0.000}, @dphi{0.000}"),
                ("relevance", "@relevance{+0.000} log-odds"),
            ],
        )
    )
    return plot
