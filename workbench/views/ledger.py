"""The ledger of one jet's explanation: how inputs, biases, constants and what was absorbed add up to the score."""

import numpy as np
from bokeh.models import BoxAnnotation, ColumnDataSource, FactorRange, LabelSet
from bokeh.plotting import figure

from ..data.explanation import Ledger
from .frame import frame
from .palette import CHIP, NEUTRAL, ON_CHIP, RELEVANCE

FOR, AGAINST = RELEVANCE[-30], RELEVANCE[30]

NOT_SHARED = "not shared out"
"""Line of what a method could not give to any input."""

DOUBTED = 0.01
"""A map is hatched where more than this share of its ledger is explained by nothing."""

MOSTLY = 0.5
"""The ledger says so where more than this share of it went to no input."""


def columns(ledger: Ledger) -> dict[str, np.ndarray]:
    """Returns a waterfall of the only jet in `ledger`: one row per line, then "rest" and "score".

    Columns: "line", "amount", "start", "end" and "right", the larger of them (all in units of the score), "colour", "text". Every line starts where
    the one before ends; the score starts at 0 and ends where the rest ends.
    """
    names = [*ledger.lines, "rest"]
    amounts = np.array([*(line[0] for line in ledger.lines.values()), ledger.rest[0]], dtype=float)
    ends = np.cumsum(amounts)
    score = float(ledger.score[0])
    amounts = np.append(amounts, score)
    return {
        "line": np.array([*names, "score"], dtype=object),
        "amount": amounts,
        "start": np.concatenate([[0.0], ends[:-1], [0.0]]),
        "end": np.append(ends, score),
        "right": np.append(np.maximum(ends, np.concatenate([[0.0], ends[:-1]])), max(score, 0.0)),
        "colour": np.array([*(FOR if a >= 0 else AGAINST for a in amounts[:-1]), NEUTRAL], dtype=object),
        "text": np.array([written(a) for a in amounts], dtype=object),
    }


def written(amount: float) -> str:
    """Returns a signed number with three decimals, or its power of ten where that would read as zero."""
    return f"{amount:+.3f}" if abs(amount) >= 5e-4 or amount == 0 else f"{amount:+.0e}"


def sentence(ledger: Ledger) -> str:
    """Returns the ledger of the only jet as one line of arithmetic: "score +2.41 = +2.10 inputs +0.31 biases +1e-08 rest"."""
    parts = [f"{written(float(line[0]))} {name}" for name, line in ledger.lines.items()]
    parts.append(f"{written(float(ledger.rest[0]))} rest")
    return f"score {written(float(ledger.score[0]))} = " + " ".join(parts)


def unexplained(ledger: Ledger) -> float:
    """Returns what nothing explains in the only jet, as a share of the ledger: its rest, and what was not shared out."""
    lost = ledger.lines.get(NOT_SHARED, np.zeros(1))
    return float((np.abs(ledger.rest[0]) + np.abs(lost[0])) / ledger.scale[0])


def elsewhere(ledger: Ledger) -> float:
    """Returns the share of the only jet's ledger, in sums of |amount|, that went to biases, constants and absorption."""
    amounts = {name: abs(float(line[0])) for name, line in ledger.lines.items()}
    total = sum(amounts.values())
    return 1 - amounts.get("inputs", 0.0) / total if total else 0.0


def verdict(ledger: Ledger) -> str:
    """Returns whether the map of the only jet can be read, in one sentence."""
    lost, past = unexplained(ledger), elsewhere(ledger)
    if lost > DOUBTED:
        return f"Hatched: {lost:.0%} of the ledger is explained by nothing; read signs and order here, not sizes."
    if past > MOSTLY:
        return f"The books close, but {past:.0%} of them went to no particle: the map is the smaller part of the story."
    return f"The books close to {lost:.0e} of the ledger." if lost else "The books close exactly."


def hatch(plot: figure) -> BoxAnnotation:
    """Returns hatching laid over a map; it is seen while its map must not be taken at its word."""
    lines = BoxAnnotation(
        name="unexplained",
        fill_alpha=0,
        line_alpha=0,
        hatch_pattern="/",
        hatch_color=NEUTRAL,
        hatch_alpha=0.55,
        hatch_scale=14,
        level="overlay",
        propagate_hover=True,
        visible=False,
    )
    plot.add_layout(lines)
    return lines


def empty() -> ColumnDataSource:
    """Returns the source of the strip, without lines."""
    words = dict.fromkeys(("line", "colour", "text"), np.zeros(0, object))
    return ColumnDataSource({**words, **dict.fromkeys(("amount", "start", "end", "right"), np.zeros(0))})


def strip_figure(source: ColumnDataSource, lines: FactorRange) -> figure:
    """Returns the waterfall; `lines` holds the names of the lines from bottom to top."""
    plot = frame(
        "contribution to the score [log-odds]",
        "",
        name="ledger",
        height=190,
        y_range=lines,
        toolbar_location=None,
    )
    plot.hbar(
        y="line",
        left="start",
        right="end",
        height=0.62,
        source=source,
        fill_color="colour",
        line_color="colour",
    )
    plot.segment("end", "line", "end", "line", source=source, line_color=NEUTRAL)
    plot.add_layout(
        LabelSet(
            x="right",
            y="line",
            text="text",
            source=source,
            x_offset=6,
            text_baseline="middle",
            text_font_size="11px",
            text_color=ON_CHIP,
            background_fill_color=CHIP,
            background_fill_alpha=1,
            border_line_color=CHIP,
            border_line_width=4,
        )
    )
    plot.x_range.range_padding = 0.5
    plot.ygrid.grid_line_alpha = 0
    plot.ray(0, 0, length=0, angle=np.pi / 2, color=NEUTRAL, line_dash="dotted")
    return plot
