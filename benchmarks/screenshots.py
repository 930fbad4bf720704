"""Takes the pictures of the pages for the README, of the pages as they are served, with the bundled jets and tagger.

python -m benchmarks.screenshots [folder]    (needs Debian's chromium and the test extra)
"""

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import workbench as wb
from tests.apps.browser import ROOT, chromium, click_until, opened, serving

WIDTH, HEIGHT, OF_RUNS, OF_JETS = 1400, 1000, 1350, 1800
"""Of a picture in screen units; those of the runs and the jets page are higher, so that their curves are seen."""

PAGES = ("apps/index.py", "apps/jets.py", "apps/relevance.py", "apps/display.py", "apps/runs.py")
RUNS = {
    "gradient-boosted trees": {"network": "trees", "iterations": 60},
    "dense network": {"network": "mlp", "epochs": 8},
}
"""Settings of the two fits that are compared, by their names."""


def fit_two() -> list[str]:
    """Fits both networks to the bundled jets and returns the ids of their runs in the registry's folder."""
    jets = wb.load(wb.bundled("jets"))
    jobs = []
    for name, settings in RUNS.items():
        note = {"sample": "jets", "source": 'wb.load(wb.bundled("jets"))', "selection": ""}
        jobs.append(wb.submit(wb.Tagger(**settings), jets, seed=1, name=name, note=note))
    for job in jobs:
        job.result()
    wb.registry().flush(60)
    return [job.id for job in jobs]


def open_a_jet(page: Any) -> None:
    """Waits for the numbers of the bundled tagger, opens the first jet and waits for its ledger."""
    page.get_by_text("Area under the ROC curve").wait_for()
    ledger = page.get_by_text(re.compile("^score [+-].* rest$"))
    click_until(page, page.get_by_role("button", name="Open the first jet"), ledger)


def train(page: Any, epochs: int = 8) -> None:
    """Starts a fit on the page and waits until some epochs are over."""
    box = page.get_by_role("textbox", name=re.compile("^Epochs"))
    box.fill(str(epochs))
    box.press("Enter")
    page.wait_for_timeout(1000)
    begun = page.get_by_text(re.compile(rf"epoch [\d.]+ of {epochs}", re.IGNORECASE))
    click_until(page, page.get_by_role("button", name="Train", exact=True), begun)
    page.get_by_text(re.compile(rf"epoch [3-7](\.\d)? of {epochs}", re.IGNORECASE)).wait_for()


def show_event(page: Any) -> None:
    """Waits for the first jet of the display."""
    page.get_by_text(re.compile(r"^Jet \d+ of ")).first.wait_for()


def show_map(page: Any) -> None:
    """Waits for the relevance of the open jet and opens what can be asked of it."""
    page.get_by_text(re.compile("^score [+-].* rest$")).first.wait_for()
    page.get_by_text("score of top", exact=False).first.wait_for()
    page.get_by_role("tab", name="What if").click()
    page.get_by_text("What if the jet were another?", exact=False).first.wait_for()


def show_runs(page: Any) -> None:
    """Waits for the comparison."""
    page.get_by_text("Background rejection", exact=True).wait_for()


def show_index(page: Any) -> None:
    """Waits for the last runs."""
    page.get_by_role("link", name="dense network").wait_for()


def main(folder: Path) -> None:
    """Writes the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as runs:
        # The registry of this process and that of the server find their folder by it.
        os.environ.update(WORKBENCH_RUNS=runs, LOGNAME="you")
        chosen = "&".join(f"run={run}" for run in fit_two())
        pictures = {
            "index-light": ("index", HEIGHT, show_index),
            "runs-light": (f"runs?v=1&{chosen}", OF_RUNS, show_runs),
            "display-dark": ("display", HEIGHT, show_event),
            "jets-light": ("jets", OF_JETS, open_a_jet),
            "jets-dark": ("jets", OF_JETS, open_a_jet),
            "relevance-light": ("relevance", OF_JETS, show_map),
            "relevance-dark": ("relevance", OF_JETS, show_map),
            "jets-training": ("jets", OF_JETS, train),
        }
        with serving(*PAGES, strict=False) as server, chromium() as browser:
            for name, (where, height, prepare) in pictures.items():
                size = {"width": WIDTH, "height": height}
                with opened(browser, f"{server.root}/{where}", dark=name.endswith("dark"), size=size) as page:
                    prepare(page)
                    page.wait_for_timeout(2500 if prepare is not train else 500)
                    page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots")
