"""The ledger of one jet's explanation: how inputs, biases, constants and what was absorbed add up to the score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation
from bokeh.plotting import figure

from ..data.explanation import Ledger
from .palette import NEUTRAL, RELEVANCE

FOR, AGAINST = RELEVANCE[-30], RELEVANCE[30]

NOT_SHARED = "not shared out"
"""Line of what a method could not give to any input."""

DOUBTED = 0.01
"""A map is hatched where more than this share of its ledger is explained by nothing."""

MOSTLY = 0.5
"""The ledger says so where more than this share of it went to no input."""


def columns(ledger: Ledger) -> dict[str, np.ndarray]:
    """Returns a waterfall of the only jet in `ledger`: one row per line, then "rest" and "score".

    Columns: "line", "amount", "start" and "end" (all in units of the score), "colour", "text". Every line starts where the one
    before ends; the score starts at 0 and ends where the rest ends.
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


def drawing(columns: Mapping[str, np.ndarray], among: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """Returns what `waterfall.js` draws of a ledger's `columns`, on the axes that those `among` which it stands share.

    Keys: "lines", the names from top to bottom; "low" and "high", the ends of the axis in units of the score; "rows", one per line
    with "line", "start", "end", "text", "colour"; "widest", the longest text of all; "x", the axis in words.
    """
    names = list(
        dict.fromkeys(name for one in among for name in one["line"] if name not in ("rest", "score"))
    )
    ends = np.concatenate([np.zeros(1), *(_drawable(one[end]) for one in among for end in ("start", "end"))])
    low, high = float(ends.min()), float(ends.max())
    return {
        "lines": [*names, "rest", "score"],
        "low": low,
        "high": high if high > low else low + 1.0,
        "rows": [
            {"line": line, "start": start, "end": end, "text": text, "colour": colour}
            for line, start, end, text, colour in zip(
                columns["line"].tolist(),
                _drawable(columns["start"]).tolist(),
                _drawable(columns["end"]).tolist(),
                columns["text"].tolist(),
                columns["colour"].tolist(),
                strict=True,
            )
        ],
        "widest": max((str(text) for one in among for text in one["text"]), key=len, default=""),
        "x": "contribution to the score [log-odds]",
    }


def _drawable(ends: np.ndarray) -> np.ndarray:
    """Returns zero for what is not a finite number; the text beside it says so."""
    return np.where(np.isfinite(ends), ends, 0.0)
