"""What a browser has before a page is made, and where it cannot be made."""

import re
import subprocess
import sys
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
from bokeh.document import Document
from bokeh.events import DocumentReady

from tests.apps.browser import ROOT, assert_quiet, click_until, needs_browser, opened, served, serving
from workbench.widgets.opening import _handed_over

address = served("tests/apps/broken_page.py", "tests/apps/patient_page.py", "apps/index.py", "apps/jets.py")

FRAME_ALONE = """
import sys, panel as pn
import workbench.widgets.opening
pn.extension("tabulator")
heavy = {"awkward", "pandas", "scipy", "distributed", "sympy", "hist", "torch", "uproot"} & set(sys.modules)
sys.exit(str(heavy) if heavy else None)
"""


def test_the_frame_is_there_without_what_the_page_is_made_of():
    finished = subprocess.run(
        [sys.executable, "-c", FRAME_ALONE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_a_page_begins_to_work_when_it_is_painted_and_only_once():
    document, begun = Document(), []
    _handed_over(document, SimpleNamespace(start=lambda: begun.append("work")))
    assert begun == []
    for _ in range(2):
        document.callbacks.trigger_event(DocumentReady())
    assert begun == ["work"]


@pytest.mark.browser
@needs_browser
def test_the_answer_shows_the_frame_before_it_asks_for_a_script(address):
    with urlopen(address.replace("broken_page", "index"), timeout=60) as answer:
        text = answer.read().decode()
    frame, scripts = text.index("Opening Index"), [found.start() for found in re.finditer("<script", text)]
    assert scripts
    assert frame < min(scripts)


@pytest.mark.browser
@needs_browser
def test_why_a_page_cannot_be_made_is_said_in_its_place_as_text(browser, address):
    with opened(browser, address) as page:
        page.get_by_text(re.compile("^This page could not be made: TypeError: .*nonsense")).wait_for()
        page.locator("#loader").wait_for(state="hidden")
        assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_page_that_was_read_again_while_it_was_made_is_whole(browser, address):
    with opened(browser, address.replace("broken_page", "index")) as page:
        for _ in range(3):
            page.reload(wait_until="commit")
            page.wait_for_timeout(300)
        page.get_by_text("Last runs", exact=True).wait_for()
        assert page.locator("#loader").is_hidden()
        assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_the_first_document_that_a_browser_gets_has_the_jets_and_the_rest_comes_by_itself(browser, address):
    frames = []
    page = browser.new_page()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    try:
        page.goto(address.replace("broken_page", "jets"))
        page.get_by_text(re.compile(r"of [\d,]+ jets selected")).first.wait_for()
        (document,) = [str(frame) for frame in frames if str(frame).startswith('{"doc"')]
        assert "jets selected" in document
        # What is below the first screen is not in it.
        assert "Area under the ROC curve" not in document
        page.get_by_role("combobox", name="Order").wait_for()
        page.get_by_text("Area under the ROC curve").wait_for()
        # All histograms have what they are drawn from, also those that were filled before the browser came.
        for name in ("mass", "sd_mass", "multiplicity", "tau21", "tau32", "score"):
            page.locator(f".wb-{name} svg[role=img] path[fill-opacity]").first.wait_for()
        click_until(
            page,
            page.get_by_role("button", name="Open the first jet"),
            page.get_by_text(re.compile("^Jet 0: ")),
        )
        page.locator(".wb-particles .tabulator-row").first.wait_for()
    finally:
        page.close()


def move_the_point(browser):
    """Serves the page that changes a source outside of a hold, and has it do so."""
    with serving("tests/apps/overtaking_page.py") as server, opened(browser, server.address) as page:
        page.get_by_role("button", name="Move").click()
        page.get_by_text("after", exact=True).wait_for()


@pytest.mark.browser
@needs_browser
def test_a_change_that_could_overtake_others_is_seen(browser):
    with pytest.raises(AssertionError, match="ColumnDataChangedEvent data: overtaking_page.py:.* move"):
        move_the_point(browser)


NEVER_READY = """
const send = WebSocket.prototype.send;
let parts = [];
WebSocket.prototype.send = function (part) {
  parts.push(part);
  if (parts.length < 3) return;
  const message = parts;
  parts = [];
  if (!message[2].includes("document_ready")) message.forEach((part) => send.call(this, part));
};
"""
"""Keeps to itself that all is drawn: a message is a header, its metadata and its content."""


@pytest.mark.browser
@needs_browser
def test_a_click_on_what_is_there_is_answered_before_all_is_drawn(browser, address):
    page = browser.new_page()
    try:
        page.add_init_script(NEVER_READY)
        page.goto(address.replace("broken_page", "patient_page") + "?v=1&jet=3")
        page.get_by_text(re.compile("^Jet 3: ")).wait_for()
        page.get_by_role("tab", name="Image", exact=True).click()
        page.get_by_text(re.compile("of the jet's pT lies outside the frame")).wait_for()
    finally:
        page.close()
