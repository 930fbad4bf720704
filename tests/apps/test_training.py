"""Training on the jets page in a browser: curves that move, Stop, a reload in the middle, the tray."""

import re

import pytest

from tests.apps.browser import assert_quiet, click_until, needs_browser, opened_at, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("apps/jets.py")
page = opened_at("address")

REJECTION = """() => {
  const line = Bokeh.documents[0].get_model_by_name("live curve")
  return line ? Array.from(line.data_source.get_array("rejection")).join() : ""
}"""


def choose(page, network):
    """Chooses a network in the form."""
    box = page.get_by_role("combobox", name=re.compile("^Network"))
    click_until(page, box, page.get_by_text(network, exact=True))
    page.get_by_text(network, exact=True).click()


def set_number(page, label, value):
    """Types a number into a field of the form."""
    field = page.get_by_role("textbox", name=re.compile(f"^{label}"))
    field.fill(str(value))
    field.press("Enter")


def epoch(page):
    """The sentence above the numbers while a fit is followed."""
    return page.get_by_text(re.compile(r"(epoch|iteration) \d+, validation sample"))


def test_trees_grow_and_the_page_counts_iterations(page):
    page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
    choose(page, "trees")
    click_until(
        page, page.get_by_role("button", name="Train"), page.get_by_text(re.compile(r"^trees, seed 1: "))
    )
    page.get_by_text(re.compile(r"trees, seed 1: .* that the fit never saw")).wait_for()
    assert_quiet(page)


@pytest.mark.slow
def test_a_network_is_watched_reloaded_stopped_and_opened_from_the_tray(page):
    page.get_by_role("textbox", name=re.compile("^Epochs")).wait_for()
    set_number(page, "Epochs", 1000)
    set_number(page, "Seed", 7)
    click_until(
        page,
        page.get_by_role("button", name="Train"),
        page.get_by_text(re.compile(r"^particlenet-lite, seed 7: ")),
    )
    epoch(page).wait_for()
    first = page.evaluate(REJECTION)
    assert first
    page.wait_for_function(f"() => {{ const now = ({REJECTION})(); return now && now !== {first!r} }}")
    page.reload()
    page.get_by_text(re.compile(r"^particlenet-lite, seed 7: epoch .* of 1000")).wait_for()
    epoch(page).wait_for()
    page.get_by_role("button", name="Stop", exact=True).last.click()
    page.get_by_text(
        re.compile("^particlenet-lite, seed 7: Stopped; the best epoch so far was kept")
    ).wait_for()
    page.get_by_text(re.compile("particlenet-lite, seed 7: .* that the fit never saw")).wait_for()
    opens = page.get_by_role("button", name="Open", exact=True).first
    click_until(page, page.get_by_role("button", name="Jobs"), opens)
    opens.click()
    page.get_by_text(re.compile("particlenet-lite, seed 7: .* that the fit never saw")).wait_for()
    assert_quiet(page)
