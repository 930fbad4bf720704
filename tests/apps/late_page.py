"""The relevance page over a file that takes longer to read than a page waits for it: the jet comes to a page that is shown."""

import panel as pn

import workbench as wb
from workbench.widgets.opening import serve

pn.extension("tabulator")


class LatePage(wb.RelevancePage):
    """Waits for nothing."""

    expecting = False


wb.LatePage = LatePage
serve("Relevance", "LatePage")
