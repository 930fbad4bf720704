"""The menu of a pane: what it shows, and its picture, its numbers and its lines of Python to take away."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement

from ..errors import WorkbenchError
from ..state.sample import SampleState
from . import export
from .drawing import Drawing
from .lessons import LESSONS, Lesson
from .text import safe_text

WHAT, PYTHON = "What is this?", "Python"
PICTURES = {"PNG": 1, "PNG, 2 × larger": 2, "PNG, 4 × larger": 4}
SVG, PAGE = "SVG", "Page that works offline (HTML)"
CSV, PARQUET = "Numbers (CSV)", "Numbers (Parquet)"

BUTTON = {
    "fontSize": 0,
    "minWidth": 0,
    "padding": "1px 3px",
    "color": "text.secondary",
    "& .MuiButton-endIcon": {"margin": 0},
    "& .MuiButton-endIcon > svg": {"fontSize": 18},
}
"""Only the arrow is seen; the words are there for who cannot see."""

CODE = {"& textarea": {"fontFamily": "monospace", "fontSize": 13, "whiteSpace": "pre", "overflowX": "auto"}}


class Menu:
    """What the menu of one pane offers; dialogs and files are made when they are asked for.

    Args:
        name: Of the pane; the lesson of this name answers "What is this?".
        figure: Gives the figure, or figures from top to bottom, that the pane shows now; None before there is one.
        data: Gives the numbers that the pane shows now, with units in the names of the columns.
        code: Gives the lines of Python that draw the pane, see `code.lines`.
        sample: The sample whose name the names of files begin with.
        shown: Names the tab that is shown now; "What is this?" adds the lesson of that name.
    """

    def __init__(
        self,
        name: str,
        *,
        figure: Callable[[], UIElement | Drawing | Sequence[UIElement | Drawing] | None] | None = None,
        data: Callable[[], pd.DataFrame] | None = None,
        code: Callable[[], str] | None = None,
        sample: SampleState | None = None,
        shown: Callable[[], str] | None = None,
    ) -> None:
        self.shown = shown
        self.name, self.figure, self.data, self.code, self.sample = name, figure, data, code, sample
        self.delivery = export.Delivery(self.refuse)
        self.dialog: pmui.Dialog | None = None

    @property
    def lesson(self) -> Lesson | None:
        """What the pane teaches, if there is a lesson of its name."""
        return LESSONS.get(self.name)

    @property
    def items(self) -> list[str]:
        """What can be chosen."""
        figure = [*PICTURES, SVG, PAGE] if self.figure is not None else []
        data = [CSV, PARQUET] if self.data is not None else []
        code = [PYTHON] if self.code is not None else []
        return [*([WHAT] if self.lesson is not None else []), *figure, *data, *code]

    def button(self, title: str) -> pn.viewable.Viewable:
        """Returns the button that opens the menu, with the place where its dialogs appear."""
        self.title = title
        button = pmui.MenuButton(
            label=f"Menu of {title}",
            items=[{"label": item} for item in self.items],
            variant="text",
            size="small",
            sx=BUTTON,
            margin=0,
            on_click=lambda item: self.choose(item["label"]),
        )
        return pn.Row(button, self.delivery.place, margin=0, width=28)

    def choose(self, item: str) -> None:
        """Does what was chosen; what cannot be done is said in a dialog."""
        try:
            self._do(item)
        except (WorkbenchError, OSError) as error:
            self.refuse(str(error))

    def refuse(self, why: str) -> None:
        """Says what could not be done."""
        if why:
            self._show(safe_text(why))

    def _do(self, item: str) -> None:
        if item == WHAT and self.lesson is not None:
            part = LESSONS.get(self.shown()) if self.shown is not None else None
            self._show("<hr>".join(explained(lesson) for lesson in (self.lesson, part) if lesson is not None))
        elif item == PYTHON and self.code is not None:
            self._show_code(self.code())
        elif item in {CSV, PARQUET} and self.data is not None:
            write, ending = (export.csv, "csv") if item == CSV else (export.parquet, "parquet")
            self._save(write(self.data()), ending)
        elif self.figure is not None:
            self._picture(item)

    def _picture(self, item: str) -> None:
        found = self.figure() if self.figure is not None else None
        figures = [found] if isinstance(found, UIElement | Drawing) else list(found or ())
        if not figures:
            self.refuse("There is no picture yet; choose a sample or open a jet first.")
        elif item == PAGE:
            self._save(export.page(figures, self.title), "html")
        else:
            kind, scale = ("svg", 1) if item == SVG else ("png", PICTURES[item])
            ids = [figure.key if isinstance(figure, Drawing) else figure.id for figure in figures]
            self.delivery.ask(kind, figures=ids, scale=scale, name=self._file(kind))

    def _save(self, content: bytes, ending: str) -> None:
        self.delivery.ask("save", content=content, type=export.TYPES[ending], name=self._file(ending))

    def _file(self, ending: str) -> str:
        sample = self.sample.name if self.sample is not None else ""
        return f"{export.file_name(sample, self.name)}.{ending}"

    def _show_code(self, text: str) -> None:
        area = pmui.TextAreaInput(
            label=f"Python of {self.title}",
            value=text,
            rows=min(20, text.count("\n") + 1),
            sx=CODE,
            sizing_mode="stretch_width",
        )
        copy = pmui.Button(label="Copy", size="small", variant="outlined")
        copy.on_click(lambda _: self._copy(copy, text))
        self._open(area, copy)

    def _copy(self, button: pmui.Button, text: str) -> None:
        self.delivery.ask("copy", text=text)
        button.label = "Copied"

    def _show(self, markup: str) -> None:
        self._open(pn.pane.HTML(markup, sizing_mode="stretch_width", styles={"font-size": "14px"}))

    def _open(self, *content: Any) -> None:
        if self.dialog is None:
            self.dialog = pmui.Dialog(
                title=self.title,
                title_variant="h6",
                show_close_button=True,
                close_on_click=True,
                width_option="sm",
                sizing_mode="stretch_width",
            )
            self.delivery.place.append(self.dialog)
        self.dialog.objects = list(content)
        self.dialog.open = True


def explained(lesson: Lesson) -> str:
    """Returns a lesson as HTML, the answer folded away; all of its text is escaped."""
    source = f"<p><small>{safe_text(lesson.source)}</small></p>" if lesson.source else ""
    return (
        f"<p>{safe_text(lesson.what)}</p><p>{safe_text(lesson.why)}</p>"
        f'<p style="text-align:center"><i>{safe_text(lesson.formula)}</i></p>'
        f"<p><b>{safe_text(lesson.question)}</b></p>"
        f"<details><summary>Answer</summary><p>{safe_text(lesson.answer)}</p></details>{source}"
    )


def drawer(lesson: Lesson) -> str:
    """Returns the "Why?" of a pane; the browser shows it while the page teaches."""
    # The page sets this one property on its root; it reaches every pane, those made later too.
    return f'<details style="display: var(--wb-teaching, none)"><summary>Why?</summary>{explained(lesson)}</details>'
