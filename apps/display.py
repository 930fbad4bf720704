"""Event display: one jet or one event in 3D, unrolled, along the beam and from the side."""

import panel as pn

from workbench.widgets.display_page import DisplayPage

pn.extension("tabulator")

display = DisplayPage()
display.frame.servable()
pn.state.onload(display.start)
