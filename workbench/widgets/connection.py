"""What a page says when it has lost its server: the browser alone knows, and nobody else could say it."""

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class Connection(JSComponent):
    """Sentences for a lost connection, one for each of its states; the browser shows them.

    The view stands in the address, so that a page that is opened again shows the same; fits go on without a page.
    """

    lost: str = param.String(
        "The server does not answer any more. What you see is the last that it sent; this page looks for it again.",
        doc="The connection broke, and the server does not answer.",
    )
    back: str = param.String(
        "The server answers again, and this page is no longer the one that it knows. Fits that were running are under Jobs.",
        doc="It answers; a click opens the view again.",
    )
    offline: str = param.String(
        "This browser is offline. What you see stays; nothing new comes until it is online again.",
        doc="The browser has no network; the connection may hold.",
    )

    _esm = Path(__file__).parent / "connection.js"

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **parameters})
