"""The runs page as it is served: in a browser, on localhost, without any other host."""

import re
import subprocess
import sys

import numpy as np
import pytest

from tests.apps.browser import ROOT, assert_quiet, click_until, needs_browser, opened, serving
from tests.state.fake_registry import MARKUP
from tests.toys import toy_jets
from workbench.jobs.job import Answer, Job
from workbench.jobs.recipe import Recipe
from workbench.jobs.registry import Registry

TREES = ("three trees", "five trees")


def test_the_first_paint_needs_neither_mlflow_nor_any_engine():
    code = (
        "import runpy, sys, panel as pn;"
        "runpy.run_path('apps/runs.py');"
        "heavy = {'torch', 'sklearn', 'lightning_fabric', 'mlflow', 'datashader', 'pythia8mc'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else None)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def trained(kept, jets, name, iterations):
    """The id of a run that was fitted here, without a worker, and recorded."""
    recipe = Recipe("tagger", {"network": "trees", "iterations": iterations})
    job = Job(name, note={"sample": "toys"})
    kept.record(job, recipe, jets, seed=1)
    job.hand_over()
    job.receive({"kind": "began"})

    def report(step):
        file = job.folder / f"extra-{step.done}.npz"
        np.savez(file, **{key: np.asarray(array) for key, array in step.extra.items()})
        said = {key: value for key, value in vars(step).items() if key != "extra"}
        job.receive({"kind": "step", "step": said, "extra": str(file) if step.extra else ""})

    fitted = recipe.fit(jets, seed=1, report=report)
    file = fitted.save(job.folder / "model.safetensors")
    job.finish(Answer(file=str(file), outcome=fitted.outcome, card=fitted.card))
    return job.id


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with three small fits, one of them with markup for a name."""
    folder = tmp_path_factory.mktemp("runs")
    kept, jets = Registry(folder, ""), toy_jets(800, 3)
    ids = [trained(kept, jets, name, n) for name, n in zip((*TREES, MARKUP), (3, 5, 4), strict=True)]
    kept.samples.keep(jets)
    assert kept.flush(60)
    return folder, ids


@pytest.fixture(scope="module")
def server(runs):
    with serving(
        "apps/runs.py", "apps/jets.py", "apps/index.py", env={"WORKBENCH_RUNS": str(runs[0])}
    ) as served:
        yield served


@pytest.fixture
def page(browser, server):
    with opened(browser, f"{server.root}/runs") as page:
        page.get_by_text("3 runs.").wait_for()
        yield page


def tick(page, name):
    """Ticks the row of a run."""
    page.locator(".tabulator-row", has_text=name).get_by_role("checkbox").click()


@pytest.mark.browser
@needs_browser
def test_runs_are_compared_renamed_deleted_and_taken_back(page):
    tick(page, TREES[0])
    page.get_by_text("Tick a second run").wait_for()
    tick(page, TREES[1])
    page.get_by_role("row", name=re.compile("^iterations 3 5$")).wait_for()
    page.get_by_text("same jets as A").wait_for()
    assert page.get_by_role("row", name=re.compile("^iterations")).count() == 1
    name = page.get_by_label("Name", exact=True)
    name.fill("five better trees")
    name.press("Enter")
    page.get_by_role("gridcell", name="five better trees").wait_for()
    # One click each: a second one would delete, or take back, the next.
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("five better trees is in the bin").wait_for()
    page.get_by_text(re.compile("^2 runs.")).wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text(re.compile("^3 runs.")).wait_for()
    # The table has new rows: it is at rest once those that were ticked are ticked again.
    page.locator(".tabulator-row.tabulator-selected", has_text=TREES[0]).wait_for()
    tick(page, "five better trees")
    page.get_by_role("row", name=re.compile("^iterations 3 5$")).wait_for()
    name.fill(TREES[1])
    name.press("Enter")
    page.get_by_role("gridcell", name=TREES[1]).wait_for()
    page.locator(".tabulator-row.tabulator-selected", has_text=TREES[1]).wait_for()
    for tree in TREES:
        tick(page, tree)
    page.get_by_role("row", name=re.compile("^iterations")).wait_for(state="detached")
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_name_that_looks_like_markup_stays_text_everywhere(page):
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    tick(page, TREES[0])
    tick(page, MARKUP)
    page.get_by_role("row", name=re.compile("^iterations 3 4$")).wait_for()
    page.get_by_role("columnheader", name=re.compile(re.escape(MARKUP))).wait_for()
    assert MARKUP in page.get_by_role("combobox", name="Run").inner_text()
    assert page.get_by_label("Name", exact=True).input_value() == MARKUP
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert re.fullmatch(r"[\w.+-]+\.safetensors", download.value.suggested_filename)
    page.get_by_role("button", name="Delete").click()
    page.get_by_text(f"{MARKUP} is in the bin.").wait_for()
    page.get_by_text(re.compile("^2 runs.")).wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text(re.compile("^3 runs.")).wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert dialogs == []
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_link_opens_the_same_runs_and_an_unknown_one_is_said(browser, server, runs, page):
    tick(page, TREES[0])
    tick(page, TREES[1])
    page.wait_for_url(re.compile(f"run={runs[1][0]}&run={runs[1][1]}"))
    with opened(browser, page.url + "&run=" + "0" * 16) as other:
        other.get_by_role("row", name=re.compile("^iterations 3 5$")).wait_for()
        other.get_by_text("There is no run '0000000000000000' here").wait_for()
        assert_quiet(other)


@pytest.mark.browser
@needs_browser
def test_an_expression_filters_and_a_wrong_one_is_said(page):
    keep = page.get_by_label(re.compile("^Keep only"))
    keep.fill("iterations > 3 & iterations < 5")
    keep.press("Enter")
    page.get_by_text(re.compile("^1 of 3 runs")).wait_for()
    keep.fill("iteration > 3")
    keep.press("Enter")
    page.get_by_text("did you mean 'iterations'?").wait_for()
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_fit_is_reproduced_to_the_last_digit_and_its_name_stays_text_among_jobs_and_last_runs(server, page):
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    tick(page, MARKUP)
    again = page.get_by_text(re.compile(f"^Identical to {re.escape(MARKUP)}: all"))
    page.get_by_role("button", name="Reproduce").click()
    again.wait_for()
    jobs = page.get_by_role("button", name=re.compile("^Jobs"))
    click_until(page, jobs, page.get_by_text(re.compile("^All epochs done, after")))
    assert page.get_by_text(f"{MARKUP} (again)", exact=True).count() > 0
    assert page.locator("img[src=x]").count() == 0
    page.goto(f"{server.root}/index")
    for name in (MARKUP, f"{MARKUP} (again)"):
        page.get_by_role("link", name=name, exact=True).wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert dialogs == []
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_without_runs_the_page_says_what_to_do(browser, tmp_path):
    with (
        serving("apps/runs.py", env={"WORKBENCH_RUNS": str(tmp_path)}) as server,
        opened(browser, server.address, size={"width": 1024, "height": 800}) as page,
    ):
        page.get_by_text("No network has been trained yet.").wait_for()
        assert page.get_by_role("link", name="Train one on the jets page").get_attribute("href") == "jets"
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024
        assert_quiet(page)
