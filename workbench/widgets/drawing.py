"""Pictures of our own that the browser draws, which leave the page like any figure."""

import html
import json
from itertools import count
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: sans-serif; max-width: 900px; margin: 24px auto; padding: 0 12px }}</style></head>
<body><h1>{title}</h1><div id="picture"></div>
<script type="module">{module}
const model = {{...{state}, on() {{}}, send_msg() {{}}}}
document.getElementById("picture").append(render({{model}}))</script></body></html>
"""

_keys = count(1)


class Drawing(JSComponent):
    """A picture that a module of ours draws as one `<svg>` from plain numbers, texts, lists and dicts."""

    key: str = param.String("", doc="Finds the picture in the browser.")
    drawn: dict[str, Any] = param.Dict({}, doc="What is drawn.")
    text: str = param.String(
        "{}", doc="The same as JSON: Bokeh looks at each number of a list, and at all of a text at once."
    )

    _rename = {"drawn": None}
    _shown: tuple[str, ...] = ("text",)
    """Params that the picture is drawn from."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(
            **{"key": f"drawing-{next(_keys)}", "sizing_mode": "stretch_width", "margin": 0, **parameters}
        )
        self._write()

    @param.depends("drawn", watch=True)
    def _write(self) -> None:
        self.text = json.dumps(self.drawn, allow_nan=False, ensure_ascii=False, separators=(",", ":"))

    def page(self, title: str) -> bytes:
        """Returns a page with the picture as it is now, which needs no network."""
        state = json.dumps({name: getattr(self, name) for name in self._shown}).replace("</", "<\\/")
        module = Path(self._esm).read_text()
        return PAGE.format(title=html.escape(title), module=module, state=state).encode()
