"""Several people on one server: nobody sees what another does, and who has left leaves nothing behind."""

import re
import time

import psutil
import pytest

import workbench as wb
from tests.apps.browser import assert_quiet, click_until, needs_browser, opened, serving

LINGER = 15
"""Seconds that the server keeps a session whose browser has gone, in these tests."""

CHURN = 10

pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("temporary")
    options = ["--unused-session-lifetime", f"{LINGER * 1000}", "--check-unused-sessions", "1000"]
    env = {"TMPDIR": str(folder), "MALLOC_ARENA_MAX": "2"}
    with serving("apps/jets.py", env=env, options=options) as server:
        server.folder = folder
        yield server


@pytest.fixture(scope="module")
def jets():
    return wb.load(wb.bundled("jets"))


def says(page, count):
    """Waits until the page says how many jets are selected."""
    page.get_by_text(re.compile(rf"^{count:,} of [\d,]+ jets selected")).first.wait_for()


def keep_only(page, expression):
    """Writes a selection."""
    field = page.get_by_label("Keep only")
    field.fill(expression)
    field.press("Enter")


def visit(browser, server, jets):
    """Opens the page as a user would, looks at the jets, opens one and leaves."""
    with opened(browser, server.address) as page:
        says(page, len(jets))
        click_until(
            page,
            page.get_by_role("button", name="Open the first jet"),
            page.get_by_text(re.compile(r"^Jet 0: ")),
        )
        assert_quiet(page)


def gone(server):
    """Waits until the server has forgotten the sessions that were left."""
    time.sleep(LINGER + 5)


def test_two_sessions_do_not_see_each_other(browser, server, jets):
    above, below = len(wb.select(jets, "pt > 600")), len(wb.select(jets, "pt < 560"))
    assert above != below
    with opened(browser, server.address) as one, opened(browser, server.address) as other:
        says(one, len(jets))
        says(other, len(jets))
        keep_only(one, "pt > 600")
        says(one, above)
        says(other, len(jets))
        keep_only(other, "pt < 560")
        says(other, below)
        says(one, above)
        assert one.get_by_label("Keep only").input_value() == "pt > 600"
        assert_quiet(one)
        assert_quiet(other)


@pytest.mark.slow
def test_ten_sessions_that_came_and_went_leave_memory_and_threads_where_they_were(browser, server, jets):
    for _ in range(3):
        visit(browser, server, jets)
    gone(server)
    process = psutil.Process(server.process.pid)
    memory, threads = process.memory_info().rss, process.num_threads()
    folders = sorted(server.folder.iterdir())
    for _ in range(CHURN):
        visit(browser, server, jets)
    gone(server)
    assert process.num_threads() <= threads
    assert sorted(server.folder.iterdir()) == folders
    # A session that is kept keeps its sample: half of what ten samples take tells "all are kept" from "none is".
    sample = sum(part.nbytes for part in (jets.constituents, jets.p4, jets.label, jets.weight))
    assert process.memory_info().rss - memory < CHURN * sample / 2
