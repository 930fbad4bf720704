"""What a page does once it is painted and stands still: each thing once, whatever the user does meanwhile."""

import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.widgets import explorer_page, jet_explorer
from workbench.widgets.explorer_page import IDLE, UNDISTURBED
from workbench.widgets.jet_explorer import JetExplorer
from workbench.widgets.jets_page import JetsPage

JETS = toy_jets(30, 3)
# Of Bokeh, which Panel's tables are made of.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setattr(jet_explorer, "served", lambda: True)
    made = JetsPage()
    made.sample.take(JETS, "toys")
    settle(made.errands)
    yield made
    made.errands.close()


@pytest.fixture
def noted(page, monkeypatch):
    noted = []
    monkeypatch.setattr(page.training, "load", lambda: noted.append("training"))
    monkeypatch.setattr(explorer_page, "warm", lambda: noted.append("workers"))
    return noted


def beats(page, number):
    for _ in range(number):
        page.beat()


def test_a_page_that_is_not_painted_waits_with_what_is_below(page, noted):
    beats(page, 3 * UNDISTURBED)
    assert len(page.below) == 0
    assert "training" not in noted


def test_a_painted_page_is_completed_once_and_its_form_is_never_made_anew(page, noted):
    page._painted = True
    beats(page, UNDISTURBED - 1)
    assert len(page.below) == 0
    beats(page, 1)
    assert len(page.below) == 1
    for jet in range(3):
        page.current = jet
        settle(page.errands)
        beats(page, IDLE + UNDISTURBED)
    assert noted == ["training", "workers"]


def test_what_is_below_waits_while_a_jet_is_opened(page, noted, monkeypatch):
    page._painted = True
    page.inspector.pulse.ask()
    beats(page, 3 * UNDISTURBED)
    assert len(page.below) == 0
    page.inspector.pulse.drawn = page.inspector.pulse.asked
    beats(page, UNDISTURBED)
    assert len(page.below) == 1


def test_an_explorer_that_somebody_serves_is_whole_from_the_beginning(monkeypatch):
    monkeypatch.setattr(jet_explorer, "served", lambda: True)
    explorer = JetExplorer(JETS)
    assert explorer.viewers is not None
    assert len(explorer.below) == 1
    explorer.close()
