"""In a browser: a way to explain is checked, two maps are compared, two samples are compared; dark and narrow."""

import pytest

from tests.apps.browser import assert_quiet, click_until, needs_browser, opened, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("tests/apps/trust_page.py")
NARROW = {"width": 1024, "height": 900}


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def check(page):
    click_until(
        page,
        button(page, "Check this way to explain"),
        page.get_by_text("Starting.")
        .or_(page.get_by_text("of 6 checks"))
        .or_(page.get_by_text("Done in"))
        .first,
    )
    page.get_by_role("columnheader", name="Verdict").wait_for()


def test_a_way_to_explain_is_checked_and_every_verdict_is_told_by_a_word(browser, address):
    with opened(browser, address) as page:
        assert page.get_by_text("Not checked yet").is_visible()
        check(page)
        for name in ("Ledger", "Deletion", "Agreement", "Steady"):
            page.get_by_role("row", name=name).get_by_text("holds").first.wait_for()
        page.get_by_text("Least alike:").wait_for()
        page.get_by_text("Area to any order:").wait_for()
        assert_quiet(page)


def test_two_maps_and_two_samples_are_compared_in_the_dark_on_a_narrow_page(browser, address):
    with opened(browser, address, size=NARROW) as page:
        click_until(page, button(page, "Toggle theme"), page.locator(".mui-dark").first)
        click_until(page, button(page, "Compare the maps"), page.get_by_text("cosine of the two maps"))
        page.get_by_text("B: rule gamma, score").wait_for()
        page.get_by_role("columnheader", name="Line of the ledger").wait_for()
        click_until(
            page, button(page, "Compare the two samples"), page.get_by_text("at equal score: energy distance")
        )
        page.get_by_text("do not differ beyond chance").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert_quiet(page)
