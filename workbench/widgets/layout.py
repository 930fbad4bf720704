"""How much of a page the browser lays out when something on it changes its size."""

from pathlib import Path
from typing import Any

from panel.custom import JSComponent


class Layout(JSComponent):
    """Has every pane laid out alone, see `panes.pane`: one of these, anywhere on the page, is enough."""

    _esm = Path(__file__).parent / "layout.js"

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **parameters})
