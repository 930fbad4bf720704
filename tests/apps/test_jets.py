"""The jets page as it is served: in a browser, on localhost, without any other host."""

import re
import subprocess
import sys

import pytest

from tests.apps.browser import ROOT, assert_quiet, click_until, needs_browser, needs_tagger, opened, served

address = served("apps/jets.py")


def test_the_first_paint_needs_neither_torch_nor_any_engine():
    code = (
        "import runpy, sys, panel as pn;"
        "runpy.run_path('apps/jets.py');"
        "heavy = {'torch', 'sklearn', 'lightning_fabric', 'mlflow', 'datashader', 'pythia8mc'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else None)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


@pytest.fixture
def page(browser, address):
    with opened(browser, address) as page:
        page.get_by_text(re.compile(r"of [\d,]+ jets selected")).first.wait_for()
        yield page


@pytest.mark.browser
@needs_browser
def test_jets_are_there_and_one_opens_without_any_other_host(page):
    page.get_by_text("Soft-drop mass", exact=True).wait_for()
    click_until(
        page, page.get_by_role("button", name="Open the first jet"), page.get_by_text(re.compile(r"^Jet 0: "))
    )
    page.get_by_role("tab", name="Lund plane").click()
    page.get_by_role("columnheader", name="pT [GeV]").last.wait_for()
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
@needs_tagger
def test_the_bundled_tagger_explains_the_open_jet_with_its_ledger(page):
    page.get_by_text("Area under the ROC curve").wait_for()
    click_until(
        page,
        page.get_by_role("button", name="Open the first jet"),
        page.get_by_text(re.compile("^score [+-].* rest$")),
    )
    assert page.failures == []


@pytest.mark.browser
@needs_browser
def test_a_network_trains_with_curves_and_is_measured(page):
    page.get_by_label("Keep only").fill("pt < 570")
    page.get_by_label("Keep only").press("Enter")
    page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
    page.get_by_role("textbox", name=re.compile("^Epochs")).fill("2")
    page.get_by_role("textbox", name=re.compile("^Epochs")).press("Enter")
    click_until(
        page,
        page.get_by_role("button", name="Train"),
        page.get_by_text(re.compile("^particlenet-lite, seed 1: epoch .* of 2")).first,
    )
    page.get_by_text(re.compile("^particlenet-lite, seed 1: All epochs done")).first.wait_for()
    page.get_by_text(re.compile("particlenet-lite, seed 1: .* that the fit never saw")).wait_for()
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_the_page_fits_a_narrow_window_and_a_dark_room(page):
    page.set_viewport_size({"width": 1024, "height": 800})
    page.get_by_text("Soft-drop mass", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    page.get_by_role("button", name="Toggle theme").click()
    page.locator(".mui-dark").first.wait_for(state="attached")
    assert_quiet(page)
