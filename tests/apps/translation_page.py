"""A page with what a network learned alone, for the browser tests."""

import panel as pn

import workbench as wb
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import EXPRESS, Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.latency import hasten
from workbench.widgets.opening import page
from workbench.widgets.translation import Translation

pn.extension("tabulator")
hasten()

sample, errands = SampleState(), Errands(express=EXPRESS)
analysis = Analysis(sample, SelectionState(sample), errands)
translation = Translation(analysis)
sample.take(wb.load(wb.bundled("jets"))[:300], "jets")
analysis.take(wb.open(wb.bundled("tagger")), "bundled", source='wb.open(wb.bundled("tagger"))')


def beat() -> None:
    errands.collect()
    translation.beat()


pn.state.add_periodic_callback(beat, 100)
page("What it learned", main=[translation]).servable()
