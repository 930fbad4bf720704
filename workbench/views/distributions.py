"""The distribution of one observable, by class, with its ratio to a reference class below."""

from collections.abc import Mapping

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, NumeralTickFormatter, Span
from bokeh.plotting import figure

from .frame import axis_label, frame, quiet_legend, single
from .palette import NEUTRAL, class_colours, class_dashes, class_hatches

Densities = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Per class its normalised density and the error of it, both of shape (bins,), in 1/unit."""

FILLED = 0.30


def columns(edges: np.ndarray, densities: Densities) -> dict[str, np.ndarray]:
    """Returns one row per class and bin: the bars and their errors.

    Columns: "left", "right", "centre" (units of the observable), "density", "low", "high" (1/unit), "class", "colour",
    "hatch", "alpha". The first class is filled, the others are hatched, so that they differ without colour.
    """
    n, bins = len(densities), len(edges) - 1
    density = np.concatenate([np.zeros(0), *(d for d, _ in densities.values())])
    error = np.concatenate([np.zeros(0), *(e for _, e in densities.values())])
    return {
        **single(
            {
                "left": np.tile(edges[:-1], n),
                "right": np.tile(edges[1:], n),
                "centre": np.tile((edges[:-1] + edges[1:]) / 2, n),
                "density": density,
                "low": density - error,
                "high": density + error,
                "alpha": np.repeat([FILLED if i == 0 else 0.10 for i in range(n)], bins),
            }
        ),
        "class": np.repeat(np.array(list(densities), dtype=object), bins),
        "colour": np.repeat(np.array(class_colours(n), dtype=object), bins),
        "hatch": np.repeat(np.array(class_hatches(n), dtype=object), bins),
    }


def outlines(edges: np.ndarray, densities: Densities) -> dict[str, list]:
    """Returns one staircase per class: "xs", "ys", "class", "colour", "dash"."""
    n = len(densities)
    stairs = np.repeat(edges, 2).astype(np.float32)
    return {
        "xs": [stairs] * n,
        "ys": [
            np.concatenate([[0.0], np.repeat(density, 2), [0.0]]).astype(np.float32)
            for density, _ in densities.values()
        ],
        "class": list(densities),
        "colour": list(class_colours(n)),
        "dash": list(class_dashes(n)),
    }


def ratios(edges: np.ndarray, densities: Densities, reference: str) -> dict[str, np.ndarray]:
    """Returns each class over `reference`, one row per bin where both are positive: "centre", "ratio", "low", "high", "colour".

    Errors of the two are added in quadrature: classes share no jet.
    """
    colours = dict(zip(densities, class_colours(len(densities)), strict=True))
    below, below_error = densities[reference]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("centre", "ratio", "low", "high", "colour")}
    for name, (density, error) in densities.items():
        if name == reference:
            continue
        both = (density > 0) & (below > 0)
        ratio = density[both] / below[both]
        spread = ratio * np.hypot(error[both] / density[both], below_error[both] / below[both])
        parts["centre"].append(((edges[:-1] + edges[1:]) / 2)[both])
        parts["ratio"].append(ratio)
        parts["low"].append(np.maximum(ratio - spread, ratio * 1e-2))
        parts["high"].append(ratio + spread)
        parts["colour"].append(np.full(both.sum(), colours[name], dtype=object))
    return single({name: np.concatenate([np.zeros(0), *values]) for name, values in parts.items()})


class Sources:
    """The three sources of one histogram, refilled in place."""

    def __init__(self) -> None:
        none: Densities = {"": (np.zeros(1), np.zeros(1))}
        edges = np.array([0.0, 1.0])
        self.bars = ColumnDataSource(columns(edges, none))
        self.lines = ColumnDataSource(outlines(edges, none))
        self.ratio = ColumnDataSource(ratios(edges, none, ""))

    def fill(self, edges: np.ndarray, densities: Densities, reference: str) -> None:
        """Shows these densities, and their ratios to the class `reference`."""
        self.bars.data = columns(edges, densities)
        self.lines.data = outlines(edges, densities)
        self.ratio.data = ratios(edges, densities, reference)


def histogram_figure(sources: Sources, label: str, unit: str, *, name: str, log: bool = False) -> figure:
    """Returns the densities by class, with error bars and a legend; `log` draws them on a logarithmic axis."""
    per = f"density [1/{unit}]" if unit and unit != "1" else "density"
    plot = frame(axis_label(label, unit), per, name=name, height=210, y_axis_type="log" if log else "linear")
    floor = 1e-3 if log else 0
    plot.quad(
        left="left",
        right="right",
        top="density",
        bottom=floor,
        source=sources.bars,
        fill_color="colour",
        fill_alpha="alpha",
        hatch_color="colour",
        hatch_pattern="hatch",
        hatch_alpha=0.35,
        hatch_scale=7,
        line_alpha=0,
    )
    plot.multi_line(
        "xs",
        "ys",
        source=sources.lines,
        line_color="colour",
        line_dash="dash",
        line_width=1.8,
        legend_field="class",
    )
    plot.segment("centre", "low", "centre", "high", source=sources.bars, line_color="colour", line_width=1.2)
    if not log:
        plot.y_range = DataRange1d(start=0)
    quiet_legend(plot)
    return plot


def ratio_figure(
    sources: Sources, above: figure, label: str, unit: str, *, name: str, reference: str
) -> figure:
    """Returns the ratios below the histogram `above`, on a logarithmic axis that shares its range."""
    plot = frame(
        axis_label(label, unit),
        f"/ {reference}",
        name=name,
        height=110,
        x_range=above.x_range,
        y_axis_type="log",
        toolbar_location=None,
    )
    above.xaxis.visible = False
    plot.add_layout(Span(location=1, dimension="width", line_color=NEUTRAL, line_dash="dotted"))
    plot.segment("centre", "low", "centre", "high", source=sources.ratio, line_color="colour")
    plot.scatter("centre", "ratio", source=sources.ratio, color="colour", size=4)
    plot.yaxis.ticker.desired_num_ticks = 3
    plot.yaxis.formatter = NumeralTickFormatter(format="0.[00]a")
    return plot
