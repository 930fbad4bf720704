"""A page of nothing but the checks of a map and the comparison of maps and samples, on jets with planted truth."""

import panel as pn

from workbench.explanation.planted import planted_tagger
from workbench.simulate.planted import planted_jets
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.comparison_of_maps import MapComparison
from workbench.widgets.errands import Errands
from workbench.widgets.opening import page
from workbench.widgets.trust import Trust

sample, beside = SampleState(), SampleState()
errands = Errands()
analysis = Analysis(sample, SelectionState(sample), errands)
trust, comparison = Trust(analysis), MapComparison(analysis)
sample.take(planted_jets(200, seed=1), source="wb.simulate.planted_jets(200, seed=1)")
beside.take(planted_jets(200, seed=2), source="wb.simulate.planted_jets(200, seed=2)")
analysis.take(planted_tagger(), "Wired by hand")
analysis.beside_selection = SelectionState(beside)


def beat():
    errands.collect()
    trust.beat()
    comparison.beat()


pn.state.add_periodic_callback(beat, period=100)
page("Trust", main=[trust, comparison]).servable()
