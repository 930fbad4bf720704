"""Runs: every network that was trained, to find, compare, open, repeat and put away."""

import panel as pn

from workbench.widgets.panes import page
from workbench.widgets.runs_page import RunsPage

pn.extension("tabulator", notifications=True)

runs = RunsPage()
page("Runs", main=[runs.main], header=[runs.header]).servable()
pn.state.onload(runs.start)
