"""What a cell of a notebook shows: everything it needs to be drawn travels along, once."""

from collections.abc import Iterator
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, Model, UIElement
from panel.io.notebook import replace_inline_css
from panel.models.esm import ReactiveESM

from .layout import Layout


class Cell(pn.Column):
    """A column whose scripts and style sheets are sent as text, each of them once; what is added later too.

    Panel sends them model by model: the hundred of them that an explorer has would each bring the whole library of
    widgets, 56 MB together, and take half a minute. What is added later it lets ask another host for its style sheets.
    """

    def __init__(self, *content: Any, **parameters: Any) -> None:
        super().__init__(*content, Layout(), **parameters)

    def _render_model(self, doc: Document | None = None, comm: Any = None) -> Model:
        root = super()._render_model(doc, comm)
        if comm is not None and root.document is not None:
            with root.document.models.freeze():
                Luggage().pack(root)
        return root


class Luggage:
    """What has been sent to one cell."""

    def __init__(self) -> None:
        self.sheets: dict[str, Any] = {}
        self.scripts: set[str] = set()
        self.models: set[str] = set()

    def pack(self, *things: Any) -> None:
        """Makes all models below these things ready to be sent, and what will be put into them."""
        for model in list(_in_order(things, self.models)):
            if isinstance(model, UIElement):
                self._dress(model)
                model.on_change("stylesheets", lambda attr, old, new, model=model: self._dress(model))
            if isinstance(model, ReactiveESM):
                self._teach(model)
                for name in model.children:
                    model.data.on_change(name, self._added)
            elif "children" in model.properties():
                model.on_change("children", self._added)

    def _added(self, attr: str, old: Any, new: Any) -> None:
        self.pack(new)

    def _dress(self, model: UIElement) -> None:
        """Puts the text of style sheets in place of their addresses."""
        there = model.stylesheets
        if any(isinstance(sheet, ImportedStyleSheet) for sheet in there):
            model.stylesheets = [
                self.sheets.setdefault(sheet.url, replace_inline_css(sheet))
                if isinstance(sheet, ImportedStyleSheet)
                else sheet
                for sheet in there
            ]

    def _teach(self, model: ReactiveESM) -> None:
        """Leaves the script of a bundle to the first model of it; the browser finds it there for the others."""
        if model.bundle not in {None, "url"}:
            if model.bundle in self.scripts:
                model.esm = ""
            self.scripts.add(model.bundle)


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
