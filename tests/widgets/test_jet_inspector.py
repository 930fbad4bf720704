"""One jet opened up: one particle picked everywhere, images step by step, means of classes, nothing of another jet."""

from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
from bokeh.models.widgets.tables import StringFormatter

from tests.patience import settle
from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import DataError
from workbench.physics import images
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.jet_images import DIFFERENCE, JET, MEANS
from workbench.widgets.jet_inspector import JetInspector
from workbench.widgets.jet_views import GRAPH, IMAGE

JETS = toy_jets(60, 3)

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


class Planted:
    """A tagger without any merit."""

    classes = ("QCD", "top")
    seed = 0
    engine = SimpleNamespace(network="planted")

    def score(self, jets, *, stop=None):
        return ClassArray(np.full((len(jets), 2), 0.5), self.classes)


def explain(fitted, jets, *, rule="", seed, **how):
    """Two features per particle, of relevance 1, 2, 3, … and ten times that."""
    rank = ak.values_astype(ak.local_index(jets.constituents.pt) + 1, np.float64)
    both = ak.concatenate([rank[..., None], 10 * rank[..., None]], axis=2)
    total = ak.to_numpy(ak.sum(11 * rank, axis=1))
    how = {"rule": rule}
    return Explanation(11 * rank, both, ("log pt", "deta"), Ledger(total, {"inputs": total}), how=how)


@pytest.fixture
def inspector(monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: explain)
    sample = SampleState()
    selection = SelectionState(sample)
    analysis = Analysis(sample, selection, Errands())
    made = JetInspector(sample, selection, analysis)
    sample.take(JETS)
    analysis.take(Planted(), "planted")
    selection.pick(5)
    settle(analysis.errands)
    yield made
    analysis.errands.close()


def marked(inspector):
    """The picked particle as the map, the heat map and the table mark it."""
    cells = inspector.seen.cells
    columns = {int(cells.data["particle"][i]) - 1 for i in cells.selected.indices}
    return list(inspector.particles.selected.indices), columns, inspector.table.selection


def test_a_particle_clicked_in_the_map_is_marked_everywhere(inspector):
    inspector.particles.selected.indices = [2]
    assert inspector.state.picked == 2
    assert marked(inspector) == ([2], {2}, [2])
    assert len(inspector.seen.cells.selected.indices) == 2


def test_a_cell_or_a_row_picks_its_particle_too(inspector):
    inspector.seen.cells.selected.indices = [1]
    assert marked(inspector) == ([1], {1}, [1])
    inspector._pick_row(SimpleNamespace(row=0))
    assert marked(inspector) == ([0], {0}, [0])
    inspector.state.picked = -1
    assert marked(inspector) == ([], set(), [])


def test_another_jet_starts_without_a_picked_particle(inspector):
    inspector.state.picked = 2
    inspector.selection.pick(6)
    assert marked(inspector) == ([], set(), [])


def test_a_jet_whose_explanation_is_at_hand_opens_with_its_own_at_once(inspector):
    other = int(np.argmax(JETS.counts))
    assert JETS.counts[5] != JETS.counts[other]
    inspector.selection.pick(other)
    settle(inspector.analysis.errands)
    for index in (5, other, 5):
        inspector.selection.pick(index)
        expected = 11.0 * np.arange(1, JETS.counts[index] + 1)
        np.testing.assert_allclose(inspector.table.value["relevance"], expected)
        np.testing.assert_allclose(inspector.particles.data["relevance"], expected)


def test_another_rule_explains_the_same_jet_again_in_place(inspector):
    inspector.ways.rule.value = "0"
    settle(inspector.analysis.errands)
    assert inspector.analysis.explanation.how["rule"] == "0"
    assert "rule: 0" in inspector.how.object
    assert inspector.selection.current == 5


def test_the_table_has_one_row_per_particle_and_always_the_same_columns(inspector):
    before = list(inspector.table.value)
    assert len(inspector.table.value) == JETS.counts[5]
    inspector.analysis.explanation = None
    assert list(inspector.table.value) == before
    assert inspector.table.value["relevance"].isna().all()
    assert isinstance(inspector.table.formatters["kind"], StringFormatter)


def test_the_graph_has_as_many_edges_as_neighbours_were_asked_for(inspector):
    inspector.tabs.active = GRAPH
    for k in (1, 3):
        inspector.seen.graph.neighbours.value = k
        assert len(inspector.seen.graph.edges.data["x0"]) == k * JETS.counts[5]


def test_a_hidden_picture_is_drawn_when_its_tab_is_opened(inspector):
    assert len(inspector.seen.graph.edges.data["x0"]) == 0
    inspector.tabs.active = GRAPH
    assert len(inspector.seen.graph.edges.data["x0"]) == 7 * JETS.counts[5]


def test_each_switch_changes_exactly_its_step(inspector):
    inspector.tabs.active = IMAGE
    shown = inspector.images
    for off in images.STEPS:
        shown.switches[off].value = False
        kept = tuple(step for step in images.STEPS if step is not off)
        assert shown.steps == kept
        expected = images.jet_images(JETS[5], extent=0.8, steps=kept)[0]
        np.testing.assert_array_equal(shown.sources[0].data["image"][0], expected)
        shown.switches[off].value = True


def test_without_normalising_the_colour_bar_is_in_gev(inspector):
    inspector.tabs.active = IMAGE
    inspector.images.switches[images.normalise].value = False
    assert {figure.right[-1].title for figure in inspector.images.figures} == {"pT [GeV]"}


def test_the_average_image_of_two_jets_is_their_mean_and_its_error_their_half_difference():
    two = images.jet_images(JETS[:2])
    found = images.average(JETS[:2])
    np.testing.assert_allclose(found.mean, two.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(found.error, np.abs(two[0] - two[1]) / np.sqrt(8), atol=1e-7)
    assert found.jets == 2


def test_the_average_of_many_portions_is_that_of_all_images_at_once(monkeypatch):
    monkeypatch.setattr(images, "PORTION", 7)
    every = images.jet_images(JETS)
    found = images.average(JETS)
    np.testing.assert_allclose(found.mean, every.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(found.error, every.std(axis=0) / np.sqrt(len(JETS)), atol=1e-7)


def test_no_jets_have_no_average():
    with pytest.raises(DataError, match="0 jets"):
        images.average(JETS[:0])


def test_a_difference_counts_standard_errors_and_says_nothing_where_nothing_is():
    one = images.Average(np.array([[3.0, 0.0]]), np.array([[0.3, 0.0]]), 9)
    two = images.Average(np.array([[1.0, 0.0]]), np.array([[0.4, 0.0]]), 9)
    np.testing.assert_allclose(images.difference(one, two), [[4.0, np.nan]])


def test_the_mean_of_each_class_is_of_the_selection_and_says_its_number_of_jets(inspector):
    inspector.selection.brush("pt", 0, float(np.median(JETS.p4.pt)))
    shown = inspector.images
    inspector.tabs.active = IMAGE
    shown.shown.value = MEANS
    settle(inspector.analysis.errands)
    for name in ("QCD", "top"):
        chosen = np.flatnonzero(inspector.selection.mask & JETS.is_class(name))
        title = next(t.object for t in shown.titles if name in t.object)
        assert f"Mean of {len(chosen)} jets: {name}" == title
        where = shown.titles.index(next(t for t in shown.titles if name in t.object))
        expected = images.jet_images(JETS[chosen]).mean(axis=0)
        np.testing.assert_allclose(shown.sources[where].data["image"][0], expected, atol=1e-6)


def test_a_mean_that_was_made_before_is_not_made_again(inspector, monkeypatch):
    inspector.tabs.active = IMAGE
    inspector.images.shown.value = MEANS
    settle(inspector.analysis.errands)
    monkeypatch.setattr("workbench.widgets.jet_images.means", None)
    inspector.images.shown.value = JET
    inspector.images.shown.value = DIFFERENCE
    assert not inspector.analysis.errands.waiting
    assert np.isfinite(inspector.images.differing.data["image"][0]).any()
    assert "standard errors" in inspector.images.titles[2].object
    assert [place.visible for place in inspector.images.places] == [False, False, True]


def test_the_lines_of_a_mean_image_select_as_the_page_does(inspector):
    inspector.selection.brush("pt", 500, 600)
    inspector.tabs.active = IMAGE
    assert "wb.select" not in inspector._code("")
    inspector.images.shown.value = MEANS
    settle(inspector.analysis.errands)
    assert f"jets = wb.select(jets, {inspector.selection.formula!r})" in inspector._code("")


def test_a_particle_of_the_whole_event_is_not_taken_for_one_of_the_jet(inspector):
    inspector.state.whole = True
    inspector.state.picked = 2
    assert marked(inspector) == ([], set(), [])
    inspector.particles.selected.indices = [1]
    assert marked(inspector) == ([1], {1}, [1])
    assert inspector.state.picked == 2
