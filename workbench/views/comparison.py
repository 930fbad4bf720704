"""Several runs in one frame: rejection curves with their bands, learning curves with the best epoch marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, DataRange1d, Legend, Range1d
from bokeh.plotting import figure

from ..physics.roc import Roc
from .frame import frame, legend_above, quiet_legend, single
from .palette import NEUTRAL, OKABE_ITO
from .performance import CURVE, WORKING_POINTS

LETTERS = "ABCDEF"
"""What the compared runs are called beside their names, in order of choice."""

COLOURS = OKABE_ITO[: len(LETTERS)]
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot", (10, 2))
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
SIGNS = ("●", "■", "▲", "◆", "▼", "⬢")
"""The markers as text, for tables."""

LONGEST = 34
"""Characters of a name in a legend."""

ROC = ("signal", "rejection", "low", "high", "ratio", "ratio_low", "ratio_high")
EPOCHS = ("epoch", "loss", "validation_loss", "auc")


@dataclass(frozen=True)
class Place:
    """What one of the compared runs draws from.

    Attributes:
        curve: Rejection and its ratio to the first run's against signal efficiency.
        points: The same at the working points.
        epochs: Metrics per epoch.
        best: Those of the epoch with the lowest validation loss.
    """

    curve: ColumnDataSource
    points: ColumnDataSource
    epochs: ColumnDataSource
    best: ColumnDataSource


def places() -> tuple[Place, ...]:
    """Returns empty places for as many runs as are compared at once."""

    def empty(names: Iterable[str]) -> ColumnDataSource:
        return ColumnDataSource({name: np.zeros(0, np.float32) for name in names})

    return tuple(Place(empty(ROC), empty(ROC), empty(EPOCHS), empty(EPOCHS)) for _ in LETTERS)


def roc_columns(curve: Roc | None, reference: Roc | None, at: Sequence[float] | np.ndarray) -> dict:
    """Returns the columns `ROC` at these signal efficiencies; without a reference the ratios are nan.

    The band of the ratio is that of the run alone. Where no background passes nothing is drawn: there the
    rejection is only known to be larger.
    """
    if curve is None:
        return single({name: np.zeros(0) for name in ROC})
    band = curve.band(np.asarray(at, dtype=float))
    below = reference.band(band.signal_efficiency).value if reference is not None else np.nan
    known = np.isfinite(band.value)
    high = np.where(np.isfinite(band.high), band.high, 10 * band.value)
    below = np.where(np.isfinite(below), below, np.nan)
    columns = {
        "signal": band.signal_efficiency,
        "rejection": band.value,
        "low": band.low,
        "high": high,
        "ratio": band.value / below,
        "ratio_low": band.low / below,
        "ratio_high": high / below,
    }
    return single({name: column[known] for name, column in columns.items()})


def epoch_columns(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the columns `EPOCHS`, one row per finished epoch; nan where a metric was not reported."""
    epoch = np.asarray(rows.get("epoch", np.zeros(0)), dtype=float)
    return single({name: np.asarray(rows.get(name, np.full(len(epoch), np.nan)), float) for name in EPOCHS})


def best_columns(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the row of `epoch_columns` with the lowest validation loss, whose weights a fit keeps; none if none is known."""
    columns = epoch_columns(rows)
    known = np.flatnonzero(np.isfinite(columns["validation_loss"]))
    best = known[np.argmin(columns["validation_loss"][known])] if known.size else 0
    return {name: column[best : best + (known.size > 0)] for name, column in columns.items()}


def fill(place: Place, curve: Roc | None, reference: Roc | None, rows: Mapping[str, np.ndarray]) -> None:
    """Shows a run's curves in a place; None and no rows empty it."""
    place.curve.data = roc_columns(curve, reference, CURVE)
    place.points.data = roc_columns(curve, reference, WORKING_POINTS)
    place.epochs.data = epoch_columns(rows)
    place.best.data = best_columns(rows)


def rejection_figure(runs: Sequence[Place]) -> figure:
    """Returns background rejection against signal efficiency, each run with its one-sigma band, marked at the working points."""
    plot = frame(
        "signal efficiency εS", "background rejection 1/εB", name="rejections", height=340, y_axis_type="log"
    )
    plot.x_range = Range1d(0, 1)
    for i, run in enumerate(runs):
        plot.varea("signal", "low", "high", source=run.curve, fill_color=COLOURS[i], fill_alpha=0.18)
        _line(plot, run.curve, "signal", "rejection", i)
        _marked(plot, run.points, "rejection", i)
    guess = np.linspace(0.01, 1, 100)
    plot.line(guess, 1 / guess, color=NEUTRAL, line_dash="dotted", legend_label="guessing")
    legend_above(plot)
    return plot


def ratio_figure(runs: Sequence[Place], beside: figure) -> figure:
    """Returns each rejection over that of run A, on the same axis of signal efficiency as `beside`."""
    plot = frame("signal efficiency εS", "ratio to A", name="rejection ratio", height=170)
    plot.x_range = beside.x_range
    plot.y_range = DataRange1d(range_padding=0.2)
    for i, run in enumerate(runs):
        plot.varea(
            "signal", "ratio_low", "ratio_high", source=run.curve, fill_color=COLOURS[i], fill_alpha=0.18
        )
        _line(plot, run.curve, "signal", "ratio", i, legend=False)
        _marked(plot, run.points, "ratio", i)
    return plot


def loss_figure(runs: Sequence[Place]) -> figure:
    """Returns the loss per epoch: of the validation jets as a curve, of the training jets thin, the kept epoch ringed."""
    plot = frame("epoch", "loss", name="losses", height=270)
    for i, run in enumerate(runs):
        plot.line("epoch", "loss", source=run.epochs, color=COLOURS[i], line_alpha=0.45)
        _line(plot, run.epochs, "epoch", "validation_loss", i)
        _ringed(plot, run.best, "validation_loss", i)
    quiet_legend(plot)
    return plot


def auc_figure(runs: Sequence[Place]) -> figure:
    """Returns the area under the ROC curve of the validation jets per epoch, the kept epoch ringed."""
    plot = frame("epoch", "AUC of the validation jets", name="areas", height=270)
    for i, run in enumerate(runs):
        _line(plot, run.epochs, "epoch", "auc", i)
        _ringed(plot, run.best, "auc", i)
    quiet_legend(plot, "bottom_right")
    return plot


def name_runs(plot: figure, names: Sequence[str]) -> None:
    """Gives the runs of a figure these names in its legend, as text; with an empty name only the letter stands there."""
    items = [item for legend in plot.select(Legend) for item in legend.items][: len(LETTERS)]
    for i, item in enumerate(items):
        name = names[i] if i < len(names) else ""
        short = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        item.update(label=value(f"{LETTERS[i]}  {short}".strip()), visible=i < len(names))


def _line(plot: figure, source: ColumnDataSource, x: str, y: str, i: int, *, legend: bool = True) -> None:
    entry = {"legend_label": LETTERS[i]} if legend else {}
    plot.line(x, y, source=source, color=COLOURS[i], line_width=2, line_dash=DASHES[i], **entry)


def _marked(plot: figure, points: ColumnDataSource, y: str, i: int) -> None:
    low, high = ("low", "high") if y == "rejection" else ("ratio_low", "ratio_high")
    plot.segment("signal", low, "signal", high, source=points, color=COLOURS[i], line_width=1.5)
    plot.scatter("signal", y, source=points, color=COLOURS[i], marker=MARKERS[i], size=8)


def _ringed(plot: figure, best: ColumnDataSource, y: str, i: int) -> None:
    style = {"source": best, "line_color": COLOURS[i]}
    plot.scatter("epoch", y, marker=MARKERS[i], size=12, fill_alpha=0, line_width=2, **style)
