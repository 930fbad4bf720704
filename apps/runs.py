"""Runs: every network that was trained, to find, compare, open, repeat and put away."""

import panel as pn

from workbench.widgets.runs_page import RunsPage

pn.extension("tabulator")

runs = RunsPage()
runs.frame.servable()
pn.state.onload(runs.start)
