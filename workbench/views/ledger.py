"""The ledger of one jet's explanation: how inputs, biases, constants and what was absorbed add up to the score."""

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, LabelSet
from bokeh.plotting import figure

from ..data.explanation import Ledger
from .frame import frame
from .palette import CHIP, NEUTRAL, ON_CHIP, RELEVANCE

FOR, AGAINST = RELEVANCE[-30], RELEVANCE[30]


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
