"""A page that cannot be made, for the browser tests."""

import panel as pn

from workbench.widgets.opening import serve

pn.extension()
serve("Broken", "JetsPage", nonsense="<b>bold</b>")
