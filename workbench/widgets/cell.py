"""What a cell of a notebook shows: everything it needs to be drawn travels along, once."""

from collections.abc import Iterator
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, Model, UIElement
from panel.io.notebook import replace_inline_css
from panel.models.esm import ReactiveESM


class Cell(pn.Column):
    """A column whose scripts and style sheets are sent as text, each of them once.

    Panel does so too, but model by model: the hundred of them that an explorer has would each bring the whole library
    of widgets, 56 MB together, and take half a minute.
    """

    def _render_model(self, doc: Document | None = None, comm: Any = None) -> Model:
        root = super()._render_model(doc, comm)
        if comm is not None and root.document is not None:
            with root.document.models.freeze():
                _share_sheets(root)
                _share_scripts(root)
        return root


def _share_sheets(root: Model) -> None:
    sheets: dict[str, Any] = {}
    for model in root.select({"type": UIElement}):
        there = model.stylesheets
        if any(isinstance(sheet, ImportedStyleSheet) for sheet in there):
            model.stylesheets = [
                sheets.setdefault(sheet.url, replace_inline_css(sheet))
                if isinstance(sheet, ImportedStyleSheet)
                else sheet
                for sheet in there
            ]


def _share_scripts(root: Model) -> None:
    """Leaves the script of a bundle to the first model of it; the browser finds it there for the others."""
    seen: set[str] = set()
    for model in _in_order(root, set()):
        if isinstance(model, ReactiveESM) and model.bundle not in {None, "url"}:
            if model.bundle in seen:
                model.esm = ""
            seen.add(model.bundle)


def _in_order(value: Any, seen: set[str]) -> Iterator[Model]:
    """Yields all models below a value, each after what it refers to: the order in which the browser makes them."""
    if isinstance(value, Model):
        if value.id not in seen:
            seen.add(value.id)
            yield from _in_order(value.properties_with_values(include_defaults=False), seen)
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _in_order(item, seen)
    elif isinstance(value, dict):
        yield from _in_order(list(value.values()), seen)
