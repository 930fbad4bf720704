"""The editing of a jet in a browser: every edit, undo, a slider that is moved, one particle, none, 300, dark and narrow."""

import re

import pytest

from tests.apps.browser import assert_quiet, click_until, needs_browser, needs_tagger, opened, served
from workbench.widgets.edit_tools import BUTTONS

pytestmark = [pytest.mark.browser, needs_browser, needs_tagger]
address = served("tests/apps/what_if_page.py")
relevance = served("apps/relevance.py")

COUNT = re.compile(r"(\d+) particles?\.$")
STEP = re.compile(r"^\d+ (dropped|particle|moved|split|added|turned|deleted) ")
CHANGE = re.compile(r"a change of [+-]")


def begin(page):
    """Opens the first jet; returns its number of particles."""
    click_until(
        page,
        page.get_by_role("button", name="Open the first jet"),
        page.get_by_text(re.compile("not edited yet")),
    )
    # A click within a second of a render can be lost, and these must not be done twice.
    page.wait_for_timeout(2_000)
    return particles(page)


def particles(page):
    return int(COUNT.search(page.get_by_text(COUNT).first.inner_text()).group(1))


def becomes(page, n):
    page.get_by_text(re.compile(rf"(^|[ ,→]){n} particles?\.$")).first.wait_for()


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def page(browser, address):
    with opened(browser, address) as page:
        yield page
        assert_quiet(page)


def test_every_edit_is_done_and_undone_with_its_button(page):
    n = begin(page)
    changes = {"drop": -1, "split": 1, "add": 1, "radiate": 10}
    for done, (name, label) in enumerate(BUTTONS.items(), 1):
        button(page, label).click()
        page.get_by_role("row", name=STEP).nth(done - 1).wait_for()
        if name in changes:
            n += changes[name]
            becomes(page, n)
        page.get_by_text(CHANGE).wait_for()
    for left in reversed(range(len(BUTTONS))):
        button(page, "Undo").click()
        page.get_by_role("row", name=STEP).nth(left).wait_for(state="detached")
    page.get_by_text(re.compile("not edited yet")).wait_for()
    button(page, "Redo").click()
    page.get_by_text(CHANGE).wait_for()
    button(page, "Reset").click()
    page.get_by_text(re.compile("not edited yet")).wait_for()


def test_a_slider_moves_the_edit_that_was_just_made(page):
    begin(page)
    button(page, "Rescale").click()
    page.get_by_text(re.compile("particle 1 times 0.5")).wait_for()
    slider = page.get_by_role("slider", name=re.compile("^Factor"))
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)
    page.get_by_text(re.compile("particle 1 times 0.53")).wait_for()
    assert page.get_by_role("row", name=STEP).count() == 1


def test_another_particle_is_picked_by_its_number(page):
    n = begin(page)
    number = page.get_by_role("textbox", name="Picked particle")
    number.fill("4")
    number.press("Enter")
    page.get_by_text("Picked: particle 4, ").wait_for()
    button(page, "Drop").click()
    page.get_by_text("dropped particle 4").wait_for()
    becomes(page, n - 1)


@pytest.mark.parametrize("count", [1, 300])
def test_jets_of_one_and_of_300_particles_are_edited(browser, address, count):
    with opened(browser, f"{address}?particles={count}") as page:
        assert begin(page) == count
        button(page, "Drop").click()
        becomes(page, count - 1)
        page.get_by_text(CHANGE).wait_for()
        button(page, "Add a particle").click()
        becomes(page, count)
        assert_quiet(page)


def test_a_jet_without_particles_says_so_and_can_get_one(browser, address):
    with opened(browser, f"{address}?particles=0") as page:
        assert begin(page) == 0
        assert button(page, "Drop").is_disabled()
        button(page, "Add a particle").click()
        becomes(page, 1)
        page.get_by_text(CHANGE).wait_for()
        assert_quiet(page)


def test_it_fits_a_narrow_window_and_a_dark_room(browser, address):
    with opened(browser, address, dark=True, size={"width": 1024, "height": 800}) as page:
        begin(page)
        button(page, "Drop").click()
        page.get_by_text(CHANGE).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert_quiet(page)


def test_the_safety_of_the_tagger_is_measured_in_a_worker_with_progress(page):
    click_until(
        page,
        button(page, "Measure the safety"),
        page.get_by_text(re.compile("^(Starting|Waiting|[0-9,]+ of )")),
    )
    page.get_by_text(re.compile("A soft emission of .* A collinear split at .*: not safe")).wait_for()
    page.get_by_role("row", name=re.compile("^collinear split 0 ")).wait_for()
    page.get_by_text(re.compile("^300 jets; errors from ")).wait_for()


def test_a_link_opens_the_edited_jet_again(browser, relevance):
    with opened(browser, f"{relevance}?v=1&sample=jets&jet=3&tab=what-if&edits=drop_0~rescale_1_2") as page:
        page.get_by_text("particle 2 times 2").wait_for()
        page.get_by_text(CHANGE).wait_for()
        button(page, "Undo").click()
        page.wait_for_function("new URLSearchParams(location.search).get('edits') === 'drop_0'")
        assert_quiet(page)


def test_a_link_with_edits_that_make_no_sense_says_so_and_shows_the_jet_as_it_is(browser, relevance):
    with opened(browser, f"{relevance}?v=1&sample=jets&jet=3&tab=what-if&edits=<b>_1") as page:
        page.get_by_text(re.compile("the jet is shown as it is")).first.wait_for()
        page.get_by_text(re.compile("not edited yet")).wait_for()
        assert_quiet(page)


def test_a_study_goes_on_while_the_page_is_reloaded_which_finds_it(browser, relevance):
    with opened(browser, f"{relevance}?v=1&sample=jets&jet=3&tab=what-if") as page:
        page.get_by_text("What if the jet were another?", exact=False).first.wait_for()
        click_until(
            page,
            button(page, "Measure the safety"),
            page.get_by_text(re.compile("^(Running|Waiting|[0-9,]+ of 300)")),
        )
        page.reload()
        page.get_by_text(re.compile("A soft emission of .* A collinear split at .*: not safe")).wait_for()
        assert_quiet(page)
