"""The jets page, which is shown with its jet however long that takes."""

import panel as pn

from workbench.widgets import opening

pn.extension("tabulator")

opening.PATIENCE = 60.0
opening.serve("Jets", "JetsPage")
