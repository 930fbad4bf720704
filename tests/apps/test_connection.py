"""A page that has lost its server says so, finds it again, and opens the same view; one without a network says that."""

import re

import pytest

from tests.apps.browser import assert_quiet, idle, needs_browser, opened, serving

pytestmark = [pytest.mark.browser, needs_browser]
NOTICE = ".wb-connection"


def test_a_lost_server_is_said_and_the_view_opens_again_when_it_is_back(browser):
    with serving("apps/display.py") as server, opened(browser, server.address) as page:
        page.get_by_text(re.compile("Jet 0 of")).first.wait_for()
        page.get_by_role("tab", name="η–φ").click()
        page.wait_for_function("location.search.includes('view=eta-phi')")
        assert page.locator(NOTICE).count() == 0
        assert_quiet(page)
        server.kill()
        page.locator(NOTICE).get_by_text(re.compile("The server does not answer any more")).wait_for()
        assert page.get_by_role("alert").filter(has_text="does not answer").is_visible()
        # What was drawn stays.
        assert page.get_by_text(re.compile("Jet 0 of")).first.is_visible()
        server.start()
        again = page.get_by_role("button", name="Open this view again")
        again.wait_for()
        page.failures.clear()
        again.click()
        page.wait_for_load_state()
        idle(page)
        page.get_by_text(re.compile("Jet 0 of")).first.wait_for()
        assert page.get_by_role("tab", name="η–φ").get_attribute("aria-selected") == "true"
        assert page.locator(NOTICE).count() == 0
        assert_quiet(page)


def test_a_browser_without_a_network_says_so_until_it_has_one(browser):
    with serving("apps/display.py") as server, opened(browser, server.address) as page:
        page.get_by_text(re.compile("Jet 0 of")).first.wait_for()
        page.context.set_offline(True)
        page.locator(NOTICE).wait_for()
        page.context.set_offline(False)
        page.locator(NOTICE).get_by_text(re.compile("offline")).wait_for(state="detached")
