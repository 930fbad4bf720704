"""The table of selected jets: its first rows in the order that was asked for, and how many more there are."""

import numpy as np
import pytest

from tests.apps.browser import ROOT, assert_quiet, chromium, needs_browser, opened, serving
from tests.toys import toy_jets
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.jet_table import ROWS, JetTable

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def made():
    sample = SampleState()
    selection = SelectionState(sample)
    table = JetTable(sample, selection)
    sample.take(toy_jets(500, 3))
    return sample, selection, table


def test_the_first_rows_of_the_order_are_listed_and_the_rest_is_counted(made):
    sample, selection, table = made
    assert len(table.table.value) == ROWS
    assert "500 selected jets; the first 200 are listed" in table.told.object
    table.order.value = "largest mass"
    mass = np.asarray(sample.jets.p4.mass)
    np.testing.assert_array_equal(table.table.value["jet"], np.argsort(-mass, kind="stable")[:ROWS])
    selection.brush("mass", 0, 20)
    assert len(table.table.value) == min(selection.count, ROWS)


def test_a_click_opens_the_jet_of_the_row(made):
    _, selection, table = made
    table.order.value = "hardest"
    table._open(type("Click", (), {"row": 3})())
    assert selection.current == int(table.table.value["jet"].iloc[3])
    assert table.table.selection == [3]


PAGE = """
import panel as pn
from tests.toys import toy_jets
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.jet_table import JetTable

pn.extension("tabulator")
sample = SampleState()
made = JetTable(sample, SelectionState(sample))
sample.take(toy_jets(20, 1, classes=("a<b>&c", "<img src=x onerror=alert(1)>")))
made.table.servable()
"""


@pytest.mark.browser
@needs_browser
def test_names_of_classes_stay_text_and_are_written_out_as_they_are(tmp_path):
    file = tmp_path / "table.py"
    file.write_text(PAGE)
    env = {"PYTHONPATH": str(ROOT)}
    with serving(file, env=env) as server, chromium() as browser, opened(browser, server.address) as page:
        page.locator(".tabulator-row").first.wait_for()
        cells = page.locator(".tabulator-cell[tabulator-field=class]").all_inner_texts()
        assert set(cells) == {"a<b>&c", "<img src=x onerror=alert(1)>"}
        assert page.locator("img[src=x]").count() == 0
        assert_quiet(page)


def test_names_of_classes_leave_the_page_as_they_came():
    sample = SampleState()
    table = JetTable(sample, SelectionState(sample))
    sample.take(toy_jets(20, 1, classes=("a<b", "c")))
    assert set(table._listed()["class"]) == {"a<b", "c"}
