"""How long after `make app`, when installed, until the page can be used.

    python -m benchmarks.start [--repeats 3]

Starts `make app` on a free port and opens the page in headless chromium (playwright's client, Debian's browser): seconds from
the command to the first answer of the server, to the first paint of the page as the browser reports it, to the distributions of
the bundled jets, to the first jet in the display, and to its relevance with its ledger; beside an empty Panel page served and opened
the same way. The button that opens the jet is pressed the moment it is there.
"""

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import TimeoutError, sync_playwright  # noqa: A004 - that of playwright

ROOT = Path(__file__).parents[1]
TRIES = 20
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAINTED = """new Promise((resolve) => {
  const told = (list) => {
    const [first] = list.getEntriesByName("first-contentful-paint")
    if (first) resolve(performance.timeOrigin + first.startTime)
  }
  new PerformanceObserver(told).observe({type: "paint", buffered: true})
})"""
"""When anything was first painted, in ms of the epoch."""

EMPTY = "import panel as pn\npn.extension()\npn.pane.Markdown('ready').servable()\n"


def free_port():
    """Returns a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answered(url):
    """Waits until the server answers."""
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.02)


def start(command, browser, name, steps):
    """Returns seconds from the command to the server's answer and to each step on the page."""
    port = free_port()
    began = time.perf_counter()
    server = subprocess.Popen(
        [part.format(port=port) for part in command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        answered(f"http://127.0.0.1:{port}/favicon.ico")
        seconds = [time.perf_counter() - began]
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"http://127.0.0.1:{port}/{name}")
        painted = page.evaluate(PAINTED)
        opened = time.time() - (time.perf_counter() - began)
        for step in steps:
            step(page)
            seconds.append(time.perf_counter() - began)
        seconds.insert(1, painted / 1000 - opened)
        page.close()
        return seconds
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def jets_shown(page):
    """Waits for the distributions."""
    page.get_by_text(re.compile(r"of [\d,]+ jets selected")).first.wait_for()


def jet_opened(page):
    """Opens the first jet and waits until the display has it."""
    button, there = (
        page.get_by_role("button", name="Open the first jet"),
        page.get_by_text(re.compile(r"^Jet 0: ")),
    )
    for _ in range(TRIES):
        # A click in the first second of a page can be lost.
        with suppress(TimeoutError):
            if not there.first.is_visible():
                button.click(timeout=8_000)
            there.first.wait_for(timeout=4_000)
            return
    there.first.wait_for()


def jet_explained(page):
    """Waits for the ledger of its relevance."""
    page.get_by_text(re.compile("^score [+-].* rest$")).first.wait_for()


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    serve = [sys.executable, "-m", "panel", "serve"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        rows = {
            "empty Panel page": (
                [*serve, str(empty), "--port", "{port}"],
                "empty",
                [lambda p: p.get_by_text("ready").wait_for()],
            ),
            "make app": (["make", "app", "PORT={port}"], "jets", [jets_shown, jet_opened, jet_explained]),
        }
        for name, (command, route, steps) in rows.items():
            runs = [start(command, browser, route, steps) for _ in range(repeats)]
            medians = [statistics.median(times) for times in zip(*runs, strict=True)]
            words = ("server answers", "first paint", "page shown", "first jet", "its relevance")
            print(f"{name:18s}" + ", ".join(f"{w} {s:.1f} s" for w, s in zip(words, medians, strict=False)))
        browser.close()


if __name__ == "__main__":
    main()
