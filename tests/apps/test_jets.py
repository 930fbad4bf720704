"""The jets page as it is served: in a browser, on localhost, without any other host."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("WORKBENCH_REQUIRE_BROWSER") != "1",
    reason="there is no chromium at /usr/bin/chromium to open the page with",
)
BUNDLE = ROOT / "workbench" / "data" / "bundle"
needs_tagger = pytest.mark.skipif(
    not (BUNDLE / "tagger.safetensors").exists(), reason="the bundled tagger has not been made (make bundle)"
)


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


@pytest.fixture(scope="module")
def address():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "apps/jets.py", "--address", "127.0.0.1"]
    # A browser that needs more than 15 s to read the scripts, as a first one on a busy machine does, would find its
    # session discarded; the one made in its place takes its style sheets from a host on the network.
    command += ["--unused-session-lifetime", "600000"]
    server = subprocess.Popen(
        [*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        try:
            with urlopen(f"http://127.0.0.1:{port}/favicon.ico", timeout=5):
                break
        except (URLError, OSError):
            time.sleep(0.2)
    yield f"http://127.0.0.1:{port}/jets"
    server.terminate()
    server.wait(20)


@pytest.fixture
def page(address):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        opened.set_default_timeout(180_000)
        opened.strangers, opened.failures = [], []
        opened.on(
            "request",
            lambda request: opened.strangers.append(request.url) if _is_strange(request.url) else None,
        )
        opened.on("pageerror", lambda error: opened.failures.append(str(error)))
        opened.goto(address)
        opened.get_by_text(re.compile(r"of [\d,]+ jets selected")).wait_for()
        yield opened
        browser.close()


def _is_strange(url):
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def click_until(page, button, appears):
    """Clicks, again if need be: the first click within a second of a render can be lost."""
    for _ in range(10):
        if button.is_visible() and button.is_enabled():
            button.click()
        try:
            appears.wait_for(timeout=6_000)
            return
        except Exception:  # noqa: BLE001 - playwright's timeout, whose class is only known with playwright
            continue
    appears.wait_for()


@pytest.mark.browser
@needs_browser
def test_jets_are_there_and_one_opens_without_any_other_host(page):
    page.get_by_text("Soft-drop mass", exact=True).wait_for()
    click_until(
        page, page.get_by_role("button", name="Open the first jet"), page.get_by_text(re.compile(r"^Jet 0: "))
    )
    page.get_by_role("tab", name="Lund plane").click()
    page.get_by_role("tab", name="Particles").click()
    page.get_by_role("columnheader", name="pT [GeV]").last.wait_for()
    assert page.strangers == []
    assert page.failures == []


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
    click_until(page, page.get_by_role("button", name="Train"), page.get_by_text(re.compile("Epoch .* of 2")))
    page.get_by_text("All epochs done.").wait_for()
    page.get_by_text(re.compile("particlenet-lite, seed 1: .* that the fit never saw")).wait_for()
    assert page.failures == []
    assert page.strangers == []


@pytest.mark.browser
@needs_browser
def test_a_fit_is_stopped_and_keeps_what_it_has(page):
    page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
    page.get_by_role("textbox", name=re.compile("^Epochs")).fill("500")
    page.get_by_role("textbox", name=re.compile("^Epochs")).press("Enter")
    click_until(
        page, page.get_by_role("button", name="Train"), page.get_by_text(re.compile("Epoch .* of 500"))
    )
    click_until(
        page, page.get_by_role("button", name="Stop").last, page.get_by_text(re.compile("^Stopped")).first
    )


@pytest.mark.browser
@needs_browser
def test_the_page_fits_a_narrow_window_and_a_dark_room(page):
    page.set_viewport_size({"width": 1024, "height": 800})
    page.get_by_text("Soft-drop mass", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    page.locator("header button").last.click()
    page.locator(".mui-dark").first.wait_for(state="attached")
