"""Event display: one jet or one event in 3D, unrolled, along the beam and from the side."""

import panel as pn

from workbench.widgets.opening import serve

pn.extension("tabulator")

serve("Event display", "DisplayPage")
