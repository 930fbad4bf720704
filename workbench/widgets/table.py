"""Small tables whose size changes, as HTML that a screen reader walks through; all text is escaped."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import panel as pn

from .panes import Line
from .text import safe_text

STYLE = """
:host table { border-collapse: collapse; font-size: 13px; width: 100%; }
:host caption { text-align: left; font-size: 12px; padding-bottom: 2px; }
:host th, :host td { text-align: left; padding: 3px 10px 3px 4px; vertical-align: top; overflow-wrap: anywhere; }
:host th { font-weight: 600; overflow-wrap: break-word; }
:host tr { border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
:host td { font-variant-numeric: tabular-nums; }
"""


class Marked(NamedTuple):
    """A text with the sign of its curve before it."""

    sign: str
    colour: str
    text: str


def _cell(cell: object) -> str:
    if isinstance(cell, Marked):
        sign, colour, text = map(safe_text, cell)
        return f'<span style="color: {colour}" aria-hidden="true">{sign}</span> {text}'
    return safe_text(cell)


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table whose first column names its rows; without `head` it has no heading."""
    top = "".join(f'<th scope="col">{_cell(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{_cell(row[0])}</th>'
        + "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if top else ''}<tbody>{body}</tbody></table>"


def table_pane() -> pn.pane.HTML:
    """Returns the empty place of a table."""
    return Line(
        "", stylesheets=[STYLE], sizing_mode="stretch_width", margin=(2, 6), styles={"overflow-x": "auto"}
    )
