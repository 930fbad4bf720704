"""Jets: see them, train a network on them while watching, open any of them up."""

import panel as pn

from workbench.widgets.opening import serve

pn.extension("tabulator")

serve("Jets", "JetsPage")
