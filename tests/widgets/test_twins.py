"""Whoever cannot see a picture gets its numbers: every pane with a picture offers them as a table."""

import ast
from pathlib import Path

import panel as pn
import panel_material_ui as pmui
import pytest

from tests.patience import settle
from tests.state.fake_registry import IDS, registry
from tests.toys import toy_jets
from tests.widgets.test_event_display import one_jet
from workbench.jobs.job import Job
from workbench.state.files import Files, Uploads
from workbench.widgets import distributions
from workbench.widgets.display3d import Display3D
from workbench.widgets.display_page import DisplayPage
from workbench.widgets.drawing import Drawing
from workbench.widgets.jets_page import JetsPage
from workbench.widgets.menu import CSV, PYTHON
from workbench.widgets.runs_page import RunsPage

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
WIDGETS = Path(distributions.__file__).parent


def on_jets():
    page = JetsPage()
    page.picker.take(toy_jets(60, 3))
    page.current = 0
    settle(page.errands)
    page.training.watch(Job("mlp, seed 1"))
    return page.errands, [page.viewers, page.steps], {"event", "training", "map", "mass"}


def on_display():
    page = DisplayPage(Files([]), Uploads(0))
    page.display.show_jet(one_jet(), 0)
    return page.errands, [page._main()], {"event"}


def on_runs():
    kept = registry()
    page = RunsPage(lambda: kept, list)
    page.list()
    settle(page.errands)
    page.state.choose(IDS[:2])
    settle(page.errands)
    return page.errands, [page.main], {"run-rejection", "run-learning"}


def heading(paper):
    """The menu of a pane, which stands in its first row, by what it offers; empty without one."""
    buttons = paper.objects[0].select(pmui.MenuButton) if isinstance(paper.objects[0], pn.Row) else []
    return [item["label"] for button in buttons for item in button.items]


@pytest.mark.parametrize("made", [on_jets, on_display, on_runs])
def test_every_pane_with_a_picture_gives_its_numbers(made):
    errands, roots, expected = made()
    panes = [paper for root in roots for paper in root.select(pmui.Paper) if "wb-pane" in paper.css_classes]
    drawn = {
        paper.css_classes[-1].removeprefix("wb-"): heading(paper)
        for paper in panes
        if any(paper.select(kind) for kind in (pn.pane.Bokeh, Display3D, Drawing))
    }
    errands.close()
    assert expected <= {"event" if name == "display" else name for name in drawn}
    assert [name for name, items in drawn.items() if CSV not in items] == []


def calls():
    """Yields file, name and keywords of every menu in the source."""
    for path in WIDGETS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Menu":
                yield path.name, ast.unparse(node.args[0]), {keyword.arg for keyword in node.keywords}


def test_no_menu_offers_a_picture_without_its_numbers():
    found = list(calls())
    assert len(found) > 8
    assert [(file, name) for file, name, given in found if "figure" in given and "data" not in given] == []


def test_the_numbers_of_the_display_are_those_that_its_cuts_keep():
    page = DisplayPage(Files([]), Uploads(0))
    page.display.show_jet(one_jet(), 0)
    everything = page.display.objects.everything()
    assert everything["pT [GeV]"].tolist()[1:] == pytest.approx([3.0, 1.0])
    page.state.pt_min = 2.0
    assert page.display.table()["object"].tolist() == ["jet 0", "charged hadron 0"]
    assert page.display.objects.everything()["object"].tolist() == everything["object"].tolist()
    page.close()


@pytest.mark.parametrize("made", [on_jets, on_runs])
def test_what_was_trained_is_read_again_by_lines_of_python(made):
    errands, roots, _ = made()
    named = {"wb-training", "wb-run-settings", "wb-event"}
    panes = [p for root in roots for p in root.select(pmui.Paper) if named & set(p.css_classes)]
    errands.close()
    assert panes
    assert all(PYTHON in heading(paper) for paper in panes)
