"""Pictures of our own that the browser draws, which leave the page like any figure."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

HERE = Path(__file__).parent

_keys = count(1)


def drawn_by(name: str) -> str:
    """Returns the module of this name, with what all pictures are made of."""
    return "\n".join((HERE / part).read_text() for part in ("svg.js", name))


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

    @property
    def module(self) -> str:
        """The script that draws the picture."""
        return str(self._esm)

    @property
    def state(self) -> dict[str, Any]:
        """What the module draws the picture from, as it is now."""
        return {name: getattr(self, name) for name in self._shown}
