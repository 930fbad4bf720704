"""Takes the pictures of the jets page for the README, of the page as it is served, with the bundled tagger.

python -m benchmarks.screenshots [folder]    (needs Debian's chromium and the test extra)
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1400, "height": 2000}
PATIENCE = 180_000
"""Milliseconds that any step may take, on a machine that does other things too."""


@contextmanager
def served() -> Iterator[str]:
    """Serves the page on a free port of this machine and gives its address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "apps/jets.py", "--address", "127.0.0.1"]
    server = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urlopen(f"http://127.0.0.1:{port}/favicon.ico", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/jets"
    finally:
        server.terminate()
        server.wait(20)


def open_a_jet(page: Page) -> None:
    """Waits for the numbers of the bundled tagger, opens the first jet and waits for its ledger."""
    page.get_by_text("Area under the ROC curve").wait_for()
    page.get_by_role("button", name="Open the first jet").click()
    page.get_by_text(re.compile("^score [+-].* rest$")).wait_for()
    page.wait_for_timeout(2500)


def train(page: Page, epochs: int = 8) -> None:
    """Starts a fit on the page and waits until some epochs are over."""
    box = page.get_by_role("textbox", name=re.compile("^Epochs"))
    box.fill(str(epochs))
    box.press("Enter")
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Train").click()
    page.get_by_text(re.compile(rf"Epoch [345]\.\d of {epochs}")).wait_for()
    page.wait_for_timeout(500)


def main(folder: Path) -> None:
    """Writes jets-light.png, jets-dark.png and jets-training.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        open_a_jet(page)
        page.screenshot(path=folder / "jets-light.png")
        page.locator("header button").last.click()
        page.mouse.move(700, 20)
        page.wait_for_timeout(2500)
        page.screenshot(path=folder / "jets-dark.png")
        page.locator("header button").last.click()
        page.mouse.move(700, 20)
        train(page)
        page.screenshot(path=folder / "jets-training.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots")
