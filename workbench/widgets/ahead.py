"""Imports what the first page needs while the server starts and the browser is opened: `panel serve --setup`."""

import threading
from importlib import import_module

PAGES = ("jets_page", "index_page", "relevance_page")
"""In the order of need; what they need besides once they are painted (torch) waits until then."""


def fetch() -> None:
    """Imports the pages, one after the other."""
    for name in PAGES:
        import_module(f"workbench.widgets.{name}")


if __name__ == "panel_setup_module":
    threading.Thread(target=fetch, name="workbench-ahead", daemon=True).start()
