"""Jets: see them, train a network on them while watching, open any of them up."""

import panel as pn

from workbench.widgets.jets_page import JetsPage
from workbench.widgets.panes import page

pn.extension("tabulator", notifications=True)

jets = JetsPage()
page("Jets", main=[jets.viewers], sidebar=[jets.sidebar], header=[jets.header]).servable()
pn.state.onload(jets.start)
