"""The explorer of a notebook: what is set in a cell is shown, what is done on the screen is read in a cell."""

import threading

import numpy as np
import pytest

import workbench as wb
from tests.toys import MassCut, toy_jets
from tests.widgets.test_jets_page import planted
from workbench.errors import SelectionError

JETS = toy_jets(300, 3)

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def explorer():
    made = wb.JetExplorer(JETS)
    made.wait()
    yield made
    made.close()


def drawn(explorer, name="mass"):
    """Number of jets that a histogram shows, by its own caption."""
    return int(explorer.distributions.histograms[name].check.object.split(" jets")[0].replace(",", ""))


def test_a_selection_set_in_a_cell_is_what_the_panes_show(explorer):
    explorer.selection = "pt > 570"
    expected = wb.select(JETS, "pt > 570")
    assert drawn(explorer) == len(expected) == len(explorer.jets)
    np.testing.assert_array_equal(explorer.jets.p4.pt, expected.p4.pt)


def test_the_formula_read_in_a_cell_gives_the_brushed_jets_again(explorer):
    explorer.selection.choose("pt > 560")
    explorer.selection.show("top")
    explorer.selection.brush("mass", 100, 150)
    brushed = explorer.jets
    assert 0 < len(brushed) < 150
    again = wb.select(JETS, explorer.selection.formula)
    np.testing.assert_array_equal(again.p4.mass, brushed.p4.mass)
    explorer.selection.choose(explorer.selection.formula)
    np.testing.assert_array_equal(explorer.jets.p4.mass, brushed.p4.mass)
    assert explorer.selection.ranges == {}


def test_a_chosen_formula_replaces_everything_that_was_brushed(explorer):
    explorer.selection.brush("mass", 100, 150)
    explorer.selection.show("top")
    explorer.selection = ""
    assert len(explorer.jets) == len(JETS)


def test_a_formula_that_cannot_be_read_is_refused_and_changes_nothing(explorer):
    explorer.selection = "pt > 570"
    before = len(explorer.jets)
    with pytest.raises(SelectionError):
        explorer.selection = "pt >> 3"
    with pytest.raises(SelectionError):
        explorer.selection.choose("__import__('os')")
    assert len(explorer.jets) == before


def test_an_explorer_without_jets_says_so():
    empty = wb.JetExplorer()
    with pytest.raises(SelectionError, match="no sample"):
        _ = empty.jets
    with pytest.raises(SelectionError, match="no sample"):
        empty.selection = "pt > 1"
    empty.close()


def test_a_jet_opened_in_a_cell_is_open_in_all_panes_with_its_relevance(explorer, monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: planted)
    explorer.tagger = MassCut()
    explorer.current = 7
    explorer.wait()
    assert explorer.tagger.seed == MassCut.seed
    assert "Jet 7: " in explorer.inspector.who.object
    np.testing.assert_allclose(
        explorer.inspector.particles.data["relevance"], np.arange(1, JETS.counts[7] + 1)
    )
    with pytest.raises(SelectionError):
        explorer.current = len(JETS)


def test_two_explorers_of_one_process_do_not_see_each_other(explorer):
    other = wb.JetExplorer(toy_jets(50, 1))
    other.selection = "pt > 570"
    other.current = 3
    other.wait()
    assert explorer.current is None
    assert len(explorer.jets) == len(JETS)
    other.close()


def test_a_closed_explorer_leaves_no_thread():
    before = set(threading.enumerate())
    made = wb.JetExplorer(JETS)
    made.wait()
    assert set(threading.enumerate()) - before
    made.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) <= before
