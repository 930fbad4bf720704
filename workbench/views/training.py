"""The curves of a fit while it runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, NumeralTickFormatter
from bokeh.plotting import figure

from .frame import frame, quiet_legend
from .palette import OKABE_ITO

CURVES = ("loss", "validation_loss", "accuracy", "auc", "jets_per_second")


def columns(epochs: Sequence[float], metrics: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Returns one column per curve and "epoch", shape (points,); nan where a metric was not reported."""
    values = {"epoch": np.asarray(epochs, dtype=np.float32)}
    for name in CURVES:
        values[name] = np.array([point.get(name, np.nan) for point in metrics], dtype=np.float32)
    return values


def empty() -> ColumnDataSource:
    """Returns the source of both figures, without points."""
    return ColumnDataSource(columns([], []))


def loss_figure(source: ColumnDataSource) -> figure:
    """Returns training and validation loss against the epoch."""
    plot = frame("epoch", "loss", name="loss", height=170)
    _curve(plot, source, "loss", "training", OKABE_ITO[0], "solid")
    _curve(plot, source, "validation_loss", "validation", OKABE_ITO[1], "dashed")
    quiet_legend(plot)
    return plot


def auc_figure(source: ColumnDataSource) -> figure:
    """Returns accuracy and area under the ROC curve, both of the validation jets, against the epoch."""
    plot = frame("epoch", "of the validation jets", name="auc", height=150)
    plot.yaxis.formatter = NumeralTickFormatter(format="0.00")
    _curve(plot, source, "auc", "AUC", OKABE_ITO[2], "solid")
    _curve(plot, source, "accuracy", "accuracy", OKABE_ITO[3], "dashed")
    quiet_legend(plot, "bottom_right")
    return plot


def _curve(plot: figure, source: ColumnDataSource, name: str, label: str, colour: str, dash: str) -> None:
    style: dict[str, Any] = {"source": source, "legend_label": label}
    plot.line("epoch", name, color=colour, line_width=2, line_dash=dash, **style)
    plot.scatter("epoch", name, color=colour, size=4, **style)
