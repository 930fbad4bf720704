"""Relevance: what a network looked at in a jet and in a sample, what if the jet were another, and whether to trust it."""

import panel as pn

from workbench.widgets.relevance_page import RelevancePage

pn.extension("tabulator")

relevance = RelevancePage()
relevance.frame.servable()
pn.state.onload(relevance.start)
