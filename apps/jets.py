"""Jets: see them, train a network on them while watching, open any of them up."""

import panel as pn

from workbench.widgets.jets_page import JetsPage

pn.extension("tabulator")

jets = JetsPage()
jets.frame.servable()
pn.state.onload(jets.start)
