"""What a network learned, in a browser: each study is begun, followed, and shown with its check."""

import pytest

from .browser import assert_quiet, click_until, needs_browser, needs_tagger, opened, served

pytestmark = [pytest.mark.browser, needs_browser, needs_tagger]
address = served("tests/apps/translation_page.py")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def choose(page, label, words):
    """Chooses an entry of a list."""
    entry = page.get_by_text(words, exact=True)
    click_until(page, page.get_by_role("combobox", name=label), entry)
    entry.click()


def test_every_study_is_begun_by_its_button_and_shows_its_check(address, browser):
    with opened(browser, address, dark=True, size={"width": 1024, "height": 1000}) as page:
        choose(page, "Energy-flow polynomials", "none")
        click_until(
            page, button(page, "Search observables"), page.get_by_text("that nothing was chosen or fitted on")
        )
        page.get_by_text("of the pairs in the order of the network").wait_for()
        click_until(page, button(page, "Look for a formula"), page.get_by_text("not among all formulas"))
        page.get_by_text("score ≈").first.wait_for()
        click_until(page, button(page, "Probe the layers"), page.get_by_text("that no probe learned from"))
        click_until(page, button(page, "Take away and train again"), page.get_by_text("Planing did its work"))
        page.get_by_role("rowheader", name="multiplicity").wait_for()
        assert_quiet(page)


def test_the_menu_gives_lesson_and_python(address, browser):
    with opened(browser, address) as page:
        menu = page.get_by_role("button", name="Menu of The score as a formula")
        click_until(page, menu, page.get_by_role("menuitem", name="Python"))
        page.get_by_role("menuitem", name="Python").click()
        page.get_by_role("textbox", name="Python of The score as a formula").wait_for()
        assert_quiet(page)
