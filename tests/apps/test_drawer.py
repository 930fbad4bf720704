"""The drawer closes to its numbered steps, and any of them opens it again; the chips of the header say all they have to say."""

import re

import pytest

from tests.apps.browser import assert_quiet, click_until, needs_browser, opened_at, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("apps/display.py")
page = opened_at()


def test_the_closed_drawer_leaves_its_steps_at_the_edge_and_they_open_it(page):
    page.get_by_text(re.compile("Jet 0 of")).first.wait_for()
    step = page.get_by_role("button", name="1 Events")
    assert not step.is_visible()
    click_until(page, page.get_by_role("button", name="Close drawer"), step)
    # The tooltip of the button that was clicked lies over the steps until the pointer has gone.
    page.mouse.move(700, 500)
    click_until(page, step, page.get_by_text("2 A saved way of looking"))
    step.wait_for(state="hidden")
    assert_quiet(page)


def test_the_chip_of_the_sample_is_not_cut_off(page):
    chip = page.get_by_role("button", name=re.compile("jets · simulation"))
    chip.wait_for()
    assert chip.evaluate("(x) => x.scrollWidth <= x.clientWidth")
