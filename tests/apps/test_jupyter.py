"""The explorer in a real JupyterLab, in a browser that can reach no other host."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import workbench as wb
from tests.apps.browser import PATIENCE, ROOT, free_port, needs_browser, needs_tagger, watched

LESSON = ROOT / "notebooks" / "02_explore_jets_from_a_cell.ipynb"
ALL_CELLS = '{"windowingMode": "none"}'
"""JupyterLab keeps cells that are scrolled out of view in the document."""

SETTINGS = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")


@contextmanager
def jupyterlab(folder):
    """Serves a copy of the lesson and gives its address; nothing of the user's own Jupyter is read or written."""
    for name in (*SETTINGS, "work"):
        (folder / name).mkdir()
    shutil.copy(LESSON, folder / "work")
    tracker = folder / "CONFIG_DIR" / "lab" / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True)
    (tracker / "tracker.jupyterlab-settings").write_text(ALL_CELLS)
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder / 'work'}", "--ServerApp.ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", "--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    server = subprocess.Popen(
        command,
        env={
            **os.environ,
            **{f"JUPYTER_{n}": str(folder / n) for n in SETTINGS},
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "CONFIG_DIR" / "lab"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "DATA_DIR" / "workspaces"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + 120
        while time.monotonic() < ends and server.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/{LESSON.name}?reset"
    finally:
        server.terminate()
        server.wait(30)


def add_cell_and_run(page, code):
    """Writes code into a new last cell and runs it."""
    page.locator(".jp-Notebook-footer").click()
    page.locator(".jp-Cell .cm-content").last.click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def finished(page):
    """Waits until every cell has run, or one has failed, which is told with its words."""
    last = page.locator(".jp-OutputArea-executeResult .jp-RenderedText").filter(
        has_text=re.compile(r"^\s*True\s*$")
    )
    failed = page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']")
    failed = failed.or_(page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']"))
    last.or_(failed).last.wait_for(timeout=PATIENCE)
    assert failed.all_inner_texts() == []


@pytest.mark.browser
@needs_browser
@needs_tagger
def test_the_explorer_is_drawn_offline_and_a_cell_changes_what_it_shows(browser, tmp_path):
    with jupyterlab(tmp_path) as address:
        page = watched(browser.new_context(viewport={"width": 1400, "height": 1000}))
        page.goto(address)
        page.locator(".jp-Notebook").wait_for()
        page.get_by_text(re.compile(r"\| Idle$")).wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        finished(page)
        page.get_by_text("Soft-drop mass", exact=True).wait_for()
        page.get_by_text(re.compile(r"^1,679 of 4,000 jets selected")).wait_for()
        add_cell_and_run(page, "again = wb.JetExplorer(jets[:500])\nagain.wait()\nagain")
        page.get_by_text(re.compile("^500 jets")).first.wait_for()
        add_cell_and_run(page, 'again.selection = "pt > 600"')
        left = len(wb.select(wb.load(wb.bundled("jets"))[:500], "pt > 600"))
        page.get_by_text(re.compile(f"^{left} of 500 jets selected")).wait_for()
        add_cell_and_run(page, "again.close()")
        assert page.failures == []
        assert page.strangers == []
