"""A page that is painted at once: its frame first, and what stands in it while the browser reads its scripts."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from bokeh.document import Document
from bokeh.events import DocumentReady
from panel.io.state import set_curdoc
from panel.util import edit_readonly

from . import theme
from .errands import public
from .garbage import GARBAGE
from .owner import owner
from .text import safe_text

PRODUCT = "Workbench"
COOKIE = "workbench-theme"
"""In which the browser remembers the theme."""

TEMPLATE = Path(__file__).parent / "opening.html"
"""What the browser shows before it has read a script: the header, and that the page is being made."""

SOON = 10
"""Milliseconds between the answer to the browser and the making of the page; without them it would be made before the answer."""

PATIENCE = 0.5
"""Seconds that a page waits for what it shows first."""

IMPORTING = ThreadPoolExecutor(1, thread_name_prefix="importing")
"""One thread for all sessions of the server: what one has imported the next one finds."""

_tried: set[str] = set()
"""Names whose import was tried."""

NOT_MADE = "The page %s could not be made"

logger = logging.getLogger(__name__)


class Still(param.Parameterized):
    """A flag that a page may follow, which is never up."""

    busy: bool = param.Boolean(False, doc="Whether something is being done.")


def page(title: str, **places: Any) -> Any:
    """Returns a page of its places: main, sidebar, header; `title` is that of the browser's tab."""
    chosen = pn.state.cookies.get(COOKIE, "")
    if pn.state.curdoc is not None:
        pn.state.curdoc.template_variables["opening"] = {
            "product": PRODUCT,
            "title": title,
            "chosen": chosen,
            "rooms": theme.ROOMS,
            "font": theme.FONT,
            "height": theme.HEADER,
        }
    made = pmui.Page(  # type: ignore[attr-defined]
        title=PRODUCT,
        meta_title=f"{title} – {PRODUCT}",
        site_url="index",
        sidebar_width=theme.SIDEBAR,
        busy_indicator=None,
        theme_config=theme.theme(),
        sx=theme.surroundings(),
        dark_theme=chosen == "dark",
        template=TEMPLATE,
        **places,
    )
    # The page follows the server's busy flag, and every change of it walks through all models of the document: half a
    # second for each event and each beat of a timer. What is more, the server keeps every page that ever followed it.
    # Our own bar says what is being done.
    with edit_readonly(made):
        made.busy = Still().param.busy
    return made


def serve(title: str, name: str, **arguments: Any) -> None:
    """Puts a page up to be served, of which the frame is painted before anything that it shows is imported or made.

    The browser reads its scripts while the page is made; it asks for the page when it has read them, and gets all of it at once.

    Args:
        title: Name of the page.
        name: Of the class in `workbench` that makes the page: with a `frame`, and `start`, which begins to work once the page is
            painted. Where it has them, `begin` sends for what it shows first and `expecting` is True until that is there,
            `prepare` makes what a first click needs while the browser draws, and `ahead` are public names needed soon after.
        arguments: What it is made of.
    """
    page(title).servable(title=f"{title} – {PRODUCT}")
    # While the answer is made: it names who looks at the page.
    owner()
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        try:
            made = _begun(name, arguments)
            _put_up(title, made)
            pn.state.onload(made.start)
        except Exception as error:
            logger.exception(NOT_MADE, title)
            _refuse(title, error)
        return
    GARBAGE.came(document)
    # What draws all components is 2 MB, which the browser reads while the page is made.
    frame = document.roots[0]
    document.template_variables["opening"]["module"] = frame.esm if frame.bundle == "url" else ""

    async def make() -> None:
        # Until this returns the document is locked, so that the browser does not get it while it is empty; the server
        # goes on with other things while the modules are imported.
        loop = asyncio.get_running_loop()
        if name not in _tried:
            await loop.run_in_executor(IMPORTING, _imported, [name])
        try:
            with set_curdoc(document):
                made = _begun(name, arguments)
            # What comes soon is in the first picture, and is not drawn after it.
            ends = loop.time() + PATIENCE
            while getattr(made, "expecting", False) and loop.time() < ends:
                await asyncio.sleep(SOON / 1000)
                with set_curdoc(document):
                    made.beat()
            with set_curdoc(document), pn.io.hold():
                document.clear()
                _put_up(title, made)
        except Exception as error:
            logger.exception(NOT_MADE, title)
            with set_curdoc(document), pn.io.hold():
                document.clear()
                _refuse(title, error)
            return
        _handed_over(document, made)
        # While the browser draws, so that what is asked for first need not wait for it.
        if hasattr(made, "prepare"):
            document.add_timeout_callback(made.prepare, SOON)
        loop.run_in_executor(IMPORTING, _imported, getattr(made, "ahead", ()))

    document.add_timeout_callback(make, SOON)


def _imported(names: Sequence[str]) -> None:
    """Imports public names; what is wrong with one is said where it is used."""
    if _tried.issuperset(names):
        return
    with GARBAGE.importing():
        for name in names:
            with suppress(Exception):
                public(name)
    _tried.update(names)


def _begun(name: str, arguments: dict[str, Any]) -> Any:
    """Makes what a page shows, and sends for what it shows first."""
    made = public(name)(**arguments)
    if hasattr(made, "begin"):
        made.begin()
    return made


def _put_up(title: str, made: Any) -> None:
    # Not before: Panel puts off what changes in a document that no browser has yet, and some of it is lost on the way.
    made.frame.on_page(title).servable(title=f"{title} – {PRODUCT}")


def _handed_over(document: Document, made: Any) -> None:
    """Lets what changes from here on go to the browser, and has the page begin to work once it is painted."""
    # Of what changes within a hold Panel sends nothing before the browser says that all is drawn, as if it got the
    # document only then: what a click before that adds would never come.
    with set_curdoc(document):
        document.callbacks.trigger_event(DocumentReady())
    waiting = [made.start]

    def painted(event: DocumentReady) -> None:
        # Once, however many browsers come to the session.
        with set_curdoc(document):
            while waiting:
                pn.state.execute(waiting.pop(), schedule=False)

    document.on_event(DocumentReady, painted)


def _refuse(title: str, error: Exception) -> None:
    """Says in its place why a page cannot be made."""
    why = f"This page could not be made: {type(error).__name__}: {error}. The server's log says where; reload to try again."
    told = pn.pane.HTML(safe_text(why), margin=16, styles=theme.LETTERS["body1"])
    page(title, main=[told]).servable(title=f"{title} – {PRODUCT}")
