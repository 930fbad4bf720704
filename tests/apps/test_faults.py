"""What goes wrong is said in a sentence, and the rest of the page lives."""

import re
import time
from pathlib import Path

import psutil
import pytest

import workbench as wb
from tests.apps.browser import assert_quiet, click_until, needs_browser, opened, serving
from tests.apps.test_sessions import keep_only, says
from tests.apps.test_training import set_number

pytestmark = [pytest.mark.browser, needs_browser]
LIVE = re.compile(r"^particlenet-lite, seed \d+: epoch .* of 1000")


@pytest.fixture(scope="module")
def jets():
    return wb.load(wb.bundled("jets"))


@pytest.fixture
def runs(tmp_path):
    return {"WORKBENCH_RUNS": str(tmp_path / "runs")}


def train(page, seed=1):
    """Starts a fit that takes its time: of the network that is offered first, seconds an epoch."""
    page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
    set_number(page, "Epochs", 1000)
    set_number(page, "Seed", seed)
    started = page.get_by_text(re.compile(rf"^particlenet-lite, seed {seed}: ")).first
    click_until(page, page.get_by_role("button", name="Train"), started)
    page.get_by_text(LIVE).first.wait_for()


def entered(runs):
    """Waits until the list of runs has one."""
    ends = time.monotonic() + 180
    while not list(Path(runs["WORKBENCH_RUNS"]).glob("*/alive")):
        assert time.monotonic() < ends, "no run was entered"
        time.sleep(0.1)


def workers(server):
    """The processes that a server has started, without those that only look after others."""
    started = psutil.Process(server.process.pid).children(recursive=True)
    return [process for process in started if not process.children()]


def test_a_killed_worker_is_said_and_the_page_lives(browser, runs, jets):
    with serving("apps/jets.py", env=runs) as server, opened(browser, server.address) as page:
        train(page)
        for process in workers(server):
            process.kill()
        page.get_by_text(re.compile("The worker process died")).first.wait_for()
        keep_only(page, "pt > 600")
        says(page, len(wb.select(jets, "pt > 600")))
        train(page, seed=2)
        assert_quiet(page)


def test_the_run_of_a_killed_server_is_marked_when_it_is_served_again(browser, runs):
    with serving("apps/jets.py", "apps/runs.py", env=runs) as server:
        with opened(browser, server.address) as page:
            train(page)
            # A run that is not in the list yet, which is made with the first one, is not known to anybody else.
            entered(runs)
        left = workers(server)
        server.kill()
        psutil.wait_procs(left, timeout=30)
    with serving("apps/runs.py", env=runs) as server, opened(browser, server.address) as page:
        page.get_by_text("particlenet-lite, seed 1").first.wait_for()
        page.get_by_text(re.compile("died$")).first.wait_for()
        assert_quiet(page)


def test_a_folder_of_runs_that_cannot_be_written_is_said_and_the_page_lives(browser, tmp_path, jets):
    (tmp_path / "file").write_text("This is no folder.")
    runs = {"WORKBENCH_RUNS": str(tmp_path / "file" / "runs")}
    with serving("apps/jets.py", env=runs) as server, opened(browser, server.address) as page:
        says(page, len(jets))
        page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
        click_until(
            page,
            page.get_by_role("button", name="Train"),
            page.get_by_text(re.compile("WORKBENCH_RUNS")).first,
        )
        keep_only(page, "pt > 600")
        says(page, len(wb.select(jets, "pt > 600")))
        assert_quiet(page)


@pytest.mark.slow
def test_a_fit_asked_for_while_another_runs_is_known_to_the_page_and_both_can_be_stopped(browser, runs):
    with serving("apps/jets.py", env=runs) as server, opened(browser, server.address) as page:
        train(page)
        field = page.get_by_role("textbox", name=re.compile("^Seed")).last
        field.fill("2")
        field.press("Enter")
        click_until(
            page,
            page.get_by_role("button", name="Train"),
            page.get_by_text(re.compile("particlenet-lite, seed 2")).first,
        )
        stop = page.get_by_role("button", name="Stop", exact=True).last
        stop.click()
        page.get_by_text(re.compile("particlenet-lite, seed 1: Stopped")).first.wait_for()
        page.get_by_text(re.compile(r"^particlenet-lite, seed 2: epoch .* of 1000")).first.wait_for()
        stop.click()
        page.get_by_text(re.compile("^particlenet-lite, seed 2: Stopped")).first.wait_for()
        assert_quiet(page)


@pytest.mark.slow
def test_a_browser_that_was_offline_goes_on_where_it_was(browser, runs, jets):
    with serving("apps/jets.py", env=runs) as server, opened(browser, server.address) as page:
        says(page, len(jets))
        page.context.set_offline(True)
        page.wait_for_timeout(3_000)
        page.context.set_offline(False)
        keep_only(page, "pt > 600")
        says(page, len(wb.select(jets, "pt > 600")))
        assert page.failures == []
