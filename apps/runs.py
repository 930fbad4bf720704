"""Runs: every network that was trained, to find, compare, open, repeat and put away."""

import panel as pn

from workbench.widgets.opening import serve

pn.extension("tabulator")

serve("Runs", "RunsPage")
