"""What leaves a page as a file: pictures, tables, pages that open offline. The browser saves them."""

import html
import io
import json
import re
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import panel as pn
import param
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.embed import json_item
from bokeh.models import Column, UIElement
from bokeh.resources import Resources
from panel.custom import JSComponent

from .drawing import Drawing

LONGEST = 80
"""Characters of a file name, ending not counted."""

TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "html": "text/html"}
"""What the browser calls a file, by its ending."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: sans-serif; max-width: 900px; margin: 24px auto; padding: 0 12px }}</style></head>
<body><h1>{title}</h1>
{places}
</body></html>
"""

FIGURES = """<div id="figures"></div><script>{library}</script>
<script>Bokeh.embed.embed_item({item}, "figures")</script>"""

DRAWING = """<div id="{key}"></div><script type="module">{module}
const model = {{...{state}, on() {{}}, send_msg() {{}}}}
document.getElementById("{key}").append(render({{model}}))</script>"""

_orders = count(1)


def file_name(*parts: str) -> str:
    """Returns words joined to a name that every file system takes: letters, digits, dots, dashes; never empty or hidden."""
    words = [re.sub(r"[^\w.+-]+", "-", part, flags=re.ASCII).strip("-._") for part in parts]
    return "-".join(word for word in words if word)[:LONGEST].rstrip("-._") or "workbench"


def csv(table: pd.DataFrame) -> bytes:
    """Returns the table as CSV; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    safe = table.copy()
    for name in safe.select_dtypes(exclude="number").columns:
        safe[name] = [_no_formula(value) for value in safe[name]]
    return safe.to_csv(index=False).encode()


def parquet(table: pd.DataFrame) -> bytes:
    """Returns the table as Parquet."""
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()


def page(pictures: Sequence[UIElement | Drawing], title: str) -> bytes:
    """Returns a page that needs no network: the figures one below the other, then the drawings.

    Figures come with 1 MB of the plotting library.
    """
    figures = [shown for shown in pictures if isinstance(shown, UIElement)]
    places = [_figures(figures)] if figures else []
    places += [_drawing(shown) for shown in pictures if isinstance(shown, Drawing)]
    return PAGE.format(title=html.escape(title), places="\n".join(places)).encode()


def _figures(figures: Sequence[UIElement]) -> str:
    # A model belongs to one document, and these belong to the page: what is written out is a copy without callbacks.
    whole = Serializer(deferred=False).encode(Column(children=list(figures), sizing_mode="stretch_width"))
    copy = Document.from_json({**Document().to_json(deferred=False), "roots": [whole]})
    # Not file_html, which adds what the extensions of this server need, from this server and from a network.
    library = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    return FIGURES.format(library=library, item=_in_script(json_item(copy.roots[0])))


def _drawing(shown: Drawing) -> str:
    return DRAWING.format(key=shown.key, module=shown.module, state=_in_script(shown.state))


def _in_script(values: Any) -> str:
    """Returns values as they are written in a script, which no text among them can end."""
    return json.dumps(values).replace("<", "\\u003c")


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


class Courier(JSComponent):
    """Hands files to the browser; it is put onto a page when the first one is asked for."""

    order = param.Dict({}, doc="What is to be done next: kind, id, and what that kind needs.")
    answered = param.Callable(
        None, allow_None=True, doc="Called with a sentence when something could not be done."
    )

    _rename = {"answered": None}
    _esm = Path(__file__).parent / "courier.js"

    def ask(self, kind: str, **details: Any) -> None:
        """Asks the browser for something: "png" or "svg" of `figures`, to "save" bytes, to "copy" text."""
        self.order = {"kind": kind, "id": f"{id(self)}-{next(_orders)}", **details}

    def _handle_msg(self, message: Any) -> None:
        if self.answered is not None:
            self.answered(str(message.get("error", "")))


class Delivery:
    """A place on the page that gets its courier when it is first needed."""

    def __init__(self, answered: Callable[[str], None] | None = None) -> None:
        self.place = pn.Column(margin=0, height=0, width=0, styles={"position": "absolute"})
        self.courier = Courier(answered=answered, width=0, height=0, margin=0)

    def ask(self, kind: str, **details: Any) -> None:
        """Passes an order on."""
        self.courier.ask(kind, **details)
        if not len(self.place):
            self.place.append(self.courier)
