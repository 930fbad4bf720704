"""The address of a page: read when it opens, kept in step with what is seen, so that a link opens the same view."""

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from ..state.link import LinkState
from .panes import line, say

STILL = 3
"""Beats of the page without a change before the address is written."""


class Bar(pn.custom.JSComponent):
    """Puts its text into the browser's address bar in place of what is there, without a step in its history."""

    query = param.String(default="", doc='Query part with "?".')

    _esm = """
    export function render({ model }) {
      const write = () => {
        if (!model.query || model.query === window.location.search) return
        const place = window.location.pathname + model.query + window.location.hash
        window.history.replaceState(window.history.state, "", place)
      }
      model.on("query", write)
      write()
      return document.createElement("span")
    }
    """


class Address(pn.viewable.Viewer):
    """Keeps a LinkState and the browser's address in step.

    A page calls `read` when it starts, `begin` once it shows what the link says, and `beat` with its timer; before
    `begin` nothing is written. Without a browser (in a notebook) there is no address and nothing happens.
    """

    def __init__(self, link: LinkState, capture: Callable[[], None] | None = None, **parameters: Any) -> None:
        """Takes what the page calls to bring the link up to date before it is written."""
        super().__init__(**parameters)
        self.link, self.capture = link, capture
        self.bar = Bar(width=0, height=0, margin=0)
        self.told = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown, in which HTML of a link would run.
        self.notice = pmui.Alert(
            self.told, severity="warning", closeable=True, visible=False, sizing_mode="stretch_width"
        )
        self._live = False
        self._seen, self._still = "", 0
        link.param.watch(self._say, "notices")

    def read(self) -> None:
        """Reads the address the page was opened with into the link."""
        location = pn.state.location
        self.link.read(location.search if location is not None else "")

    def begin(self) -> None:
        """From now on the address follows the page."""
        self._live = True

    def beat(self) -> None:
        """Writes the address once the view has been the same for a few beats."""
        if not self._live:
            return
        if self.capture is not None:
            self.capture()
        query = self.link.write()
        self._still = self._still + 1 if query == self._seen else 0
        self._seen = query
        if self._still >= STILL and query != self.bar.query:
            self.bar.query = query

    def _say(self, *events: Any) -> None:
        text = " ".join(self.link.notices)
        say(self.told, text)
        self.notice.param.update(visible=bool(text), closed=False)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.bar, self.notice, sizing_mode="stretch_width", margin=0)
