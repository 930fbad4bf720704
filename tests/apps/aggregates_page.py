"""A page of nothing but the study over many jets, for the browser tests."""

import panel as pn

import workbench as wb
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.aggregates import Aggregates
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.opening import page

sample = SampleState()
errands = Errands()
analysis = Analysis(sample, SelectionState(sample), errands)
aggregates = Aggregates(analysis)
sample.take(wb.load(wb.bundled("jets"))[1900:2100], source="wb.load(wb.bundled('jets'))[1900:2100]")
analysis.take(wb.open(wb.bundled("tagger")), "ParticleNet-Lite", source="wb.open(wb.bundled('tagger'))")


def beat():
    errands.collect()
    aggregates.beat()


pn.state.add_periodic_callback(beat, period=100)
page("Aggregates", main=[aggregates]).servable()
