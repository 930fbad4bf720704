"""The picture of a ledger in a browser: its bars are the numbers, and it leaves the page together with figures."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.apps.browser import assert_quiet, needs_browser, opened, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("tests/apps/waterfall_page.py")
WORDS = "Ledger: inputs +2.000, <b>biases</b> -0.500, absorbed by epsilon +0.250, rest +0.000, score +1.750"


@pytest.fixture(params=[1400, 500])
def page(request, browser, address):
    with opened(browser, address, size={"width": request.param, "height": 700}) as page:
        picture(page).wait_for()
        # What is done in the first second of a page can be lost.
        page.wait_for_timeout(1_000)
        yield page


def picture(page):
    return page.get_by_role("img", name=WORDS, exact=True)


def saved(page, item):
    """What the menu hands out."""
    page.get_by_role("button", name="Menu of Ledger").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=item, exact=True).click()
    return Path(download.value.path())


def test_each_bar_begins_where_the_one_above_ends_and_the_last_one_is_the_score(page):
    bars = picture(page).locator("rect")
    left, wide = (
        np.array(bars.evaluate_all(f"all => all.map((e) => Number(e.getAttribute('{name}')))"))
        for name in ("x", "width")
    )
    unit = wide[0] / 2.0
    assert unit > 50
    np.testing.assert_allclose((left - left[0]) / unit, [0, 1.5, 1.5, 1.75, 0], atol=1e-6)
    # The rest is zero, and is drawn one screen unit wide.
    np.testing.assert_allclose(wide / unit, [2, 0.5, 0.25, 1 / unit, 1.75], atol=1e-6)
    colours = bars.evaluate_all("all => all.map((e) => e.getAttribute('fill'))")
    assert colours[0] == colours[2] != colours[1]
    assert colours[4] not in colours[:4]


def test_lines_and_amounts_are_written_and_lie_inside_the_picture(page):
    texts = picture(page).locator("text")
    written = texts.all_text_contents()
    for name in ("inputs", "<b>biases</b>", "absorbed by epsilon", "rest", "score"):
        assert name in written
    assert {"+2.000", "-0.500", "+0.250", "+0.000", "+1.750"} <= set(written)
    box = picture(page).bounding_box()
    ends = [text.bounding_box() for text in texts.all()]
    assert all(end["x"] >= box["x"] - 1 for end in ends)
    assert all(end["x"] + end["width"] <= box["x"] + box["width"] + 1 for end in ends)
    assert_quiet(page)


def test_a_figure_and_a_drawing_are_saved_as_one_picture(page):
    box, above = picture(page).bounding_box(), page.locator(".bk-Figure").first.bounding_box()
    with Image.open(saved(page, "PNG, 2 × larger")) as image:
        assert image.width == pytest.approx(2 * max(box["width"], above["width"]), abs=2)
        assert image.height == pytest.approx(2 * (box["height"] + above["height"]), abs=2)
        # Red speaks for the signal: the bar of the inputs is in the lower part.
        lower = np.asarray(image.convert("RGB"))[round(2 * above["height"]) :]
        red = (lower[..., 0] > 150) & (lower[..., 2] < 120)
        assert red.any()
    text = saved(page, "SVG").read_text()
    assert "absorbed by epsilon" in text
    assert text.count("<svg") >= 3


def test_the_page_that_works_offline_has_both(page, browser):
    kept = saved(page, "Page that works offline (HTML)").read_text()
    assert "http://" not in re.sub(r"<script.*?</script>", "", kept, flags=re.DOTALL)
    other = browser.new_page()
    try:
        other.set_content(kept)
        picture(other).wait_for()
        other.locator(".bk-Figure").first.wait_for()
        assert picture(other).locator("rect").count() == 5
    finally:
        other.close()
