"""The study over many jets in a browser: measured, followed, looked at in every way."""

import pytest

from .browser import assert_quiet, click_until, needs_browser, needs_tagger, opened, served

pytestmark = [pytest.mark.browser, needs_browser, needs_tagger]
address = served("tests/apps/aggregates_page.py")
DONE = "ParticleNet-Lite, 200 jets, score top − QCD"


def button(page, name):
    return page.get_by_role("button", name=name)


def choose(page, label, words):
    """Chooses an entry of a list."""
    entry = page.get_by_role("menuitem", name=words, exact=True)
    click_until(page, page.get_by_role("combobox", name=label), entry)
    entry.click()


def test_a_sample_is_measured_and_looked_at_in_every_way(address, browser):
    with opened(browser, address, dark=True, size={"width": 1024, "height": 1000}) as page:
        click_until(page, button(page, "Measure what the network uses"), page.get_by_text(DONE).first)
        page.get_by_text("is relevance of the inputs").wait_for()
        page.get_by_text("Each jet is centred, turned and mirrored").wait_for()
        choose(page, "Sorted by", "rank in pT")
        choose(page, "Quantity", "cumulative share of relevance")
        click_until(page, button(page, "Lund plane"), page.get_by_text("of particles without a cell"))
        choose(page, "Observable", "mass")
        click_until(page, button(page, "Measure the pairs"), page.get_by_text("past its edges"))
        page.get_by_text("untrained one").wait_for()
        assert_quiet(page)
