"""Relevance: what a network looked at in a jet and in a sample, what if the jet were another, and whether to trust it."""

import panel as pn

from workbench.widgets.opening import serve

pn.extension("tabulator")

serve("Relevance", "RelevancePage")
