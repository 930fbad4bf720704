"""The event display as it is served: in a browser, on localhost, without any other host."""

import os
import re

import pytest

from tests.apps.browser import assert_quiet, chromium, click_until, needs_browser, opened, served
from tests.real_files import SHARED, needs_shared

pytestmark = [pytest.mark.browser, needs_browser]
address = served("apps/display.py", env={"WORKBENCH_DATA": os.fspath(SHARED)})
COLLISION = "cms-open-events/BJetPlusX_Run2012C_0.ig"
TITLE = re.compile(r"^(Jet|Event) \d+ of .+: ")
VIEWS = ("η–φ", "x–y", "r–z", "3D")


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def through_all_views(page):
    for name in VIEWS:
        page.get_by_role("tab", name=name).click()
        page.get_by_role("tab", name=name, selected=True).wait_for()
        page.wait_for_timeout(700)


def shown(page, view):
    """Returns how many particles the figure of a view draws after its cuts."""
    return page.evaluate(
        """(name) => {
          for (const model of Bokeh.documents[0]._all_models.values()) {
            if (model.name !== name || !model.renderers) continue
            const tracks = model.renderers.find((x) => x.data_source?.data?.code && x.view?.filter)
            return tracks.view.indices.count
          }
        }""",
        view,
    )


def test_bundled_jets_open_in_all_views_and_the_keys_walk(address, browser):
    with opened(browser, address) as page:
        page.get_by_text(TITLE).first.wait_for()
        through_all_views(page)
        click_until(
            page,
            page.get_by_role("button", name="Next", exact=True),
            page.get_by_text(re.compile(r"^Jet 1 of")).first,
        )
        page.locator("body").press("n")
        page.get_by_text(re.compile(r"^Jet 2 of")).first.wait_for()
        page.locator("body").press("3")
        page.get_by_role("tab", name="x–y", selected=True).wait_for()
        page.wait_for_url(re.compile("event=2.*view=x-y"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 1400
        assert_quiet(page)


def test_a_slider_cuts_in_the_browser(address, browser):
    with opened(browser, f"{address}?view=x-y") as page:
        page.get_by_text(TITLE).first.wait_for()
        page.get_by_role("button", name="Cuts, colours and camera").click()
        slider = page.get_by_role("slider", name=re.compile("Lowest pT of a particle"))
        slider.wait_for()
        page.wait_for_timeout(700)
        before = shown(page, "x-y")
        slider.focus()
        for _ in range(20):
            slider.press("ArrowRight")
        page.wait_for_timeout(500)
        assert 0 < shown(page, "x-y") < before
        assert_quiet(page)


def test_a_key_cuts_where_the_controls_were_never_opened(address, browser):
    with opened(browser, f"{address}?view=x-y") as page:
        page.get_by_text(TITLE).first.wait_for()
        page.wait_for_timeout(1_500)
        before = shown(page, "x-y")
        for _ in range(16):
            page.locator("body").press("+")
            page.wait_for_timeout(100)
        page.wait_for_url(re.compile("pt_min"))
        page.wait_for_timeout(500)
        assert 0 < shown(page, "x-y") < before
        page.get_by_role("tab", name="3D").click()
        page.wait_for_timeout(1_500)
        lowest = "[...Bokeh.documents[0]._all_models.values()].find((m) => m.data?.pt_min !== undefined).data.pt_min"
        assert page.evaluate(lowest) > 0
        assert_quiet(page)


def test_marked_objects_are_weighed(address, browser):
    with opened(browser, address) as page:
        page.get_by_text(TITLE).first.wait_for()
        page.get_by_text("Nothing is marked.").wait_for()
        page.locator(".tabulator-row input[type=checkbox]").first.click()
        page.get_by_text(re.compile(r"^m\(jet 0\) = [\d.]+ GeV$")).wait_for()
        assert_quiet(page)


@needs_shared(COLLISION)
def test_a_real_collision_opens_from_a_link_in_all_views(address, browser):
    with opened(browser, f"{address}?v=1&file=file:data/{COLLISION}&event=1&view=r-z") as page:
        page.get_by_text(re.compile(r"^Event 1 of .*run 198230.*data$")).first.wait_for()
        page.get_by_role("tab", name="r–z", selected=True).wait_for()
        through_all_views(page)
        assert_quiet(page)


def test_a_file_outside_is_refused_and_the_page_offers_the_bundled_jets(address, browser):
    with opened(browser, f"{address}?v=1&file=file:data/../../etc/passwd") as page:
        page.get_by_text("is not below a folder of this page").wait_for()
        click_until(
            page, page.get_by_role("button", name="Open the bundled jets"), page.get_by_text(TITLE).first
        )
        assert_quiet(page)
