"""Step 1 of the jets page in a browser: a file of a folder, a wrong upload, a brush, a second sample, and a link to all of it."""

import re

import pytest

from tests.apps.browser import assert_quiet, chromium, click_until, needs_browser, opened, serving
from tests.toys import toy_jets
from workbench.data import parquet

pytestmark = [pytest.mark.browser, needs_browser]
SELECTED = re.compile(r"[\d,]+ of [\d,]+ jets selected")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    inside = tmp_path_factory.mktemp("served") / "data"
    (inside / "runs").mkdir(parents=True)
    parquet.write(toy_jets(300, 3), inside / "runs" / "toys.parquet")
    (inside.parent / "outside.parquet").write_bytes((inside / "runs" / "toys.parquet").read_bytes())
    return inside


@pytest.fixture(scope="module")
def address(folder):
    settings = {"WORKBENCH_DATA": str(folder), "WORKBENCH_UPLOAD": "1"}
    with serving("apps/jets.py", env=settings) as server:
        yield server.address


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def ready(page):
    page.get_by_text(SELECTED).first.wait_for()
    page.locator(".wb-mass svg[role=img]").first.wait_for()


def unfold(page, title, appears):
    click_until(page, page.get_by_role("button", name=title), appears)


def brush(page, pane):
    """Drags over a histogram, from 40 to 64 % of its width, again if need be: a drag just after a render can be lost."""
    for _ in range(5):
        drag(page, pane)
        try:
            page.get_by_role("button", name=re.compile(f"✕ {pane}")).wait_for(timeout=10_000)
        except Exception:  # noqa: BLE001 - playwright's timeout, whose class is only known with playwright
            continue
        return
    pytest.fail(f"no brush of {pane} was taken")


def drag(page, pane):
    canvas = page.locator(f".wb-{pane} svg[role=img]").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 90)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(box["x"] + (0.4 + 0.02 * step) * box["width"], box["y"] + 90)
        page.wait_for_timeout(20)
    page.mouse.up()


def test_a_file_of_the_folder_is_opened_brushed_compared_and_found_again_by_its_link(address, browser):
    with opened(browser, address) as page:
        ready(page)
        unfold(page, "Open a file", page.get_by_label("Search files"))
        entry = page.get_by_role("button", name=re.compile("toys.parquet"))
        click_until(page, page.get_by_role("button", name="runs/"), entry)
        click_until(page, entry, page.get_by_text("toys.parquet, "))
        click_until(
            page,
            page.get_by_role("button", name="Read", exact=True),
            page.get_by_text("All 300 jets of the file were read."),
        )
        page.get_by_text(re.compile("of 300 jets selected")).first.wait_for()
        page.locator(".wb-mass svg[role=img]").first.wait_for()
        brush(page, "mass")
        unfold(
            page, "Compare with a second sample", page.get_by_role("combobox", name="Second sample beside it")
        )
        option = page.locator("li").filter(has_text="Vincia")
        click_until(page, page.get_by_role("combobox", name="Second sample beside it"), option)
        click_until(page, option, page.get_by_text(re.compile("It differs most in")))
        page.wait_for_function(
            "location.search.includes('range=mass') && location.search.includes('beside=')"
        )
        told = page.get_by_text(re.compile(r"of 300 jets selected:")).inner_text()
        link = page.url
        page.reload()
        page.get_by_text(told).wait_for()
        page.get_by_text(re.compile("It differs most in")).wait_for()
        page.get_by_role("button", name=re.compile("✕ mass")).wait_for()
        page.wait_for_timeout(2000)
        assert page.url == link
        assert_quiet(page)


def test_a_wrong_upload_is_refused_with_a_sentence_and_the_page_lives_on(address, browser):
    with opened(browser, address) as page:
        ready(page)
        before = page.get_by_text(SELECTED).first.inner_text()
        unfold(page, "Open a file", page.get_by_label("Search files"))
        page.locator("input[type=file]").set_input_files(
            {"name": "model.pkl", "mimeType": "application/octet-stream", "buffer": b"\x80\x04\x95 no jets"}
        )
        page.get_by_text(re.compile("'model.pkl' is .*of no known format")).wait_for()
        assert page.get_by_text(SELECTED).first.inner_text() == before
        assert_quiet(page)


def test_an_upload_is_of_its_own_session_and_no_other_sees_it(address, browser, folder):
    file = (folder / "runs" / "toys.parquet").read_bytes()
    with opened(browser, address) as one, opened(browser, address) as other:
        ready(one)
        ready(other)
        before = other.get_by_text(SELECTED).first.inner_text()
        for page in (one, other):
            unfold(page, "Open a file", page.get_by_label("Search files"))
        one.locator("input[type=file]").set_input_files(
            {"name": "mine.parquet", "mimeType": "application/octet-stream", "buffer": file}
        )
        read = one.get_by_role("button", name="Read", exact=True)
        click_until(one, read, one.get_by_text("All 300 jets of the file were read."))
        one.get_by_text(re.compile("of 300 jets selected")).first.wait_for()
        one.wait_for_function("location.search.includes('upload')")
        assert other.get_by_text(SELECTED).first.inner_text() == before
        assert other.get_by_text("mine.parquet").count() == 0
        # Nor by the address that names it.
        with opened(browser, one.url) as guest:
            guest.get_by_text("a page that is no longer open and was not kept").wait_for()
            ready(guest)
            assert guest.get_by_text(SELECTED).first.inner_text() == before
        for page in (one, other):
            assert_quiet(page)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?v=1&sample=file:data/../outside.parquet", "is not below a folder of this page"),
        ("?v=1&sample=file:/etc/passwd", "is not below a folder of this page"),
        ("?v=1&sample=<img src=x onerror=alert(1)>", "There is no sample '<img src=x onerror=alert(1)>'"),
    ],
)
def test_a_link_that_leads_outside_is_refused_and_the_usual_page_opens(address, browser, query, sentence):
    with opened(browser, address + query) as page:
        ready(page)
        page.get_by_text(sentence).wait_for()
        assert page.locator("img[src=x]").count() == 0
        assert_quiet(page)
