"""The curves of a fit while it runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, NumeralTickFormatter
from bokeh.plotting import figure

from .frame import frame, legend_above
from .palette import OKABE_ITO

UNITS = {"epochs": "epoch", "iterations": "iteration"}
"""What one unit of work is called on an axis."""

LIVE = ("loss", "jets_per_second")
"""Curves with a point per sign of life."""

CLOSED = ("loss", "validation_loss", "accuracy", "auc", "jets_per_second")
"""Curves with a point per finished epoch."""


def live_columns(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns "epoch" (with fraction) and the `LIVE` curves, shape (signs of life,); nan where one was not reported."""
    done = np.asarray(rows.get("done", np.zeros(0)), dtype=np.float32)
    return {"epoch": done, **_curves(rows, LIVE, len(done))}


def epoch_columns(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns "epoch" and the `CLOSED` curves, shape (finished epochs,); nan where one was not reported."""
    epoch = np.asarray(rows.get("epoch", np.zeros(0)), dtype=np.float32)
    return {"epoch": epoch, **_curves(rows, CLOSED, len(epoch))}


def best_columns(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns "epoch" and "validation_loss" of the epoch whose validation loss is the lowest so far, one row or none."""
    loss = np.asarray(rows.get("validation_loss", np.zeros(0)), dtype=np.float32)
    at = [int(np.nanargmin(loss))] if np.isfinite(loss).any() else []
    epoch = np.asarray(rows.get("epoch", np.zeros(0)), dtype=np.float32)
    return {"epoch": epoch[at], "validation_loss": loss[at]}


def _curves(rows: Mapping[str, np.ndarray], names: tuple[str, ...], n: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(rows.get(name, np.full(n, np.nan)), dtype=np.float32) for name in names}


class Sources:
    """The sources of the curves, without points."""

    def __init__(self) -> None:
        self.live = ColumnDataSource(live_columns({}))
        self.epochs = ColumnDataSource(epoch_columns({}))
        self.best = ColumnDataSource(best_columns({}))

    def fill(self, live: Mapping[str, np.ndarray], epochs: Mapping[str, np.ndarray]) -> None:
        """Shows these rows: "done" in epochs beside the metrics, and "epoch" beside the metrics."""
        self.live.data = live_columns(live)
        self.epochs.data = epoch_columns(epochs)
        self.best.data = best_columns(epochs)


def loss_figure(sources: Sources) -> figure:
    """Returns training and validation loss against the epoch, the best epoch ringed; the thin line follows within the epoch."""
    plot = frame("epoch", "loss", name="loss", height=185)
    plot.line("epoch", "loss", source=sources.live, color=OKABE_ITO[0], line_alpha=0.4)
    _curve(plot, sources.epochs, "loss", "training", OKABE_ITO[0], "solid", "circle")
    _curve(plot, sources.epochs, "validation_loss", "validation", OKABE_ITO[1], "dashed", "square")
    plot.scatter(
        "epoch",
        "validation_loss",
        source=sources.best,
        size=13,
        marker="circle",
        fill_alpha=0,
        line_width=2,
        color=OKABE_ITO[5],
        legend_label="best",
    )
    legend_above(plot)
    return plot


def auc_figure(sources: Sources) -> figure:
    """Returns accuracy and area under the ROC curve, both of the validation jets, against the epoch."""
    plot = frame("epoch", "validation jets", name="auc", height=170)
    plot.yaxis.formatter = NumeralTickFormatter(format="0.00")
    _curve(plot, sources.epochs, "auc", "AUC", OKABE_ITO[2], "solid", "circle")
    _curve(plot, sources.epochs, "accuracy", "accuracy", OKABE_ITO[3], "dashed", "square")
    legend_above(plot)
    return plot


def speed_figure(sources: Sources) -> figure:
    """Returns the jets trained on per second."""
    plot = frame("epoch", "jets/s", name="speed", height=120)
    plot.y_range.start = 0
    plot.yaxis.formatter = NumeralTickFormatter(format="0.[0]a")
    for source in (sources.live, sources.epochs):
        plot.line("epoch", "jets_per_second", source=source, color=OKABE_ITO[4], line_width=2)
    return plot


def _curve(
    plot: figure, source: ColumnDataSource, name: str, label: str, colour: str, dash: str, marker: str
) -> None:
    style: dict[str, Any] = {"source": source, "legend_label": label}
    plot.line("epoch", name, color=colour, line_width=2, line_dash=dash, **style)
    plot.scatter("epoch", name, color=colour, size=5, marker=marker, **style)


def count_in(unit: str, *figures: figure) -> None:
    """Says on the axes what is counted: epochs of a network, iterations of trees."""
    for plot in figures:
        plot.xaxis.axis_label = UNITS.get(unit, unit)
