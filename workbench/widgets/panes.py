"""How the panes of a page look: a title that is a sentence, the picture, its check below."""

from collections.abc import Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement
from panel.util import edit_readonly
from panel_material_ui.template import Page

from .text import safe_text


def picture(figure: UIElement) -> pn.pane.Bokeh:
    """Returns a figure as a pane that is as wide as its place."""
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width", margin=0)


def line(text: str = "", *, variant: str = "body2", **options: Any) -> pmui.Typography:
    """Returns one line of plain text; what looks like markup in it stays text."""
    return pmui.Typography(
        safe_text(text), **{"variant": variant, "margin": (2, 6), "sizing_mode": "stretch_width", **options}
    )


def say(where: pmui.Typography, text: str) -> None:
    """Shows plain text in a line; an empty one takes no room."""
    where.param.update(object=safe_text(text), visible=bool(text))


def pane(title: str, *content: Any, width: int = 320, grow: float = 1.0, name: str = "") -> pmui.Paper:
    """Returns a framed pane that is at least `width` wide and shares what is left over of its row."""
    return pmui.Paper(
        line(title, variant="subtitle2"),
        *content,
        elevation=0,
        variant="outlined",
        margin=4,
        sizing_mode="stretch_width",
        css_classes=["wb-pane", f"wb-{name}"] if name else ["wb-pane"],
        styles={"flex": f"{grow} 1 {width}px", "min-width": f"min({width}px, 100%)", "padding": "6px 8px"},
    )


def page(title: str, **places: Any) -> Page:
    """Returns a page of its places: main, sidebar, header."""
    made = Page(title=title, sidebar_width=340, busy_indicator=None, **places)
    # The page follows the server's busy flag, and every change of it walks through all models of the document: half a
    # second for each event and each beat of a timer. Our own bar says what is being done.
    with edit_readonly(made):
        made.busy = False
    return made


def row(panes: Sequence[Any]) -> pn.FlexBox:
    """Returns panes side by side, in as many rows as the window needs."""
    return pn.FlexBox(
        *panes, sizing_mode="stretch_width", align_items="stretch", gap="0px", margin=0, flex_wrap="wrap"
    )
