"""How much of a page the browser lays out and asks for when something on it changes."""

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class Layout(JSComponent):
    """Has every pane laid out without the others, see `panes.pane`: one of these, anywhere on the page, is enough."""

    own_page = param.Boolean(
        default=False,
        doc="True where no other hand than ours styles the figures: on a page of its own, not in a notebook.",
    )

    _esm = Path(__file__).parent / "layout.js"

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **parameters})
