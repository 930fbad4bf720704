"""Jets: see them, train a network on them while watching, open any of them up."""

import panel as pn
import panel_material_ui as pmui

from workbench.widgets.jets_page import JetsPage

pn.extension("tabulator", notifications=True)

page = JetsPage()
pmui.Page(
    title="Jets",
    main=[page.main],
    sidebar=[page.sidebar],
    header=[page.header],
    sidebar_width=330,
    meta={"name": "workbench"},
).servable()
page.start()
