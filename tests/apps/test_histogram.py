"""The picture of a histogram in a browser: its shapes are the numbers, and what the hand does arrives as numbers."""

import re

import numpy as np
import pytest

from tests.apps.browser import assert_quiet, needs_browser, opened, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("tests/apps/histogram_page.py")
LEFT, RIGHT = 62, 14
"""Room beside the axes in screen units."""


@pytest.fixture(params=[1400, 500])
def page(request, browser, address):
    with opened(browser, address, size={"width": request.param, "height": 700}) as page:
        page.get_by_role("img", name=re.compile("^mass")).wait_for()
        # What is done in the first second of a page can be lost.
        page.wait_for_timeout(1_000)
        yield page


def picture(page):
    return page.get_by_role("img", name=re.compile("^mass"))


def steps(path):
    """The heights of a staircase and the places of its steps, both in screen units."""
    return [float(y) for y in re.findall(r"V(-?[\d.]+)H", path)], [
        float(x) for x in re.findall(r"H(-?[\d.]+)", path)
    ]


def place(page, value):
    """Where a value of the axis from 0 to 4 lies on the screen."""
    box = picture(page).bounding_box()
    return box["x"] + LEFT + value / 4 * (box["width"] - LEFT - RIGHT), box["y"] + 90


def told(page, text):
    page.get_by_text(re.compile(f"^Done: .*{text}$")).wait_for()


def test_heights_are_in_the_ratio_of_the_densities_and_steps_at_the_edges(page):
    paths = page.locator("svg[role=img] path[fill-opacity]").evaluate_all(
        "all => all.map((e) => e.getAttribute('d'))"
    )
    (foot,) = {float(re.search(r"^M[\d.]+ ([\d.]+)", path)[1]) for path in paths}
    wide = picture(page).bounding_box()["width"] - LEFT - RIGHT
    heights, places = zip(*map(steps, paths), strict=True)
    np.testing.assert_allclose(places, [LEFT + wide * np.array([1, 2, 3, 4]) / 4] * 2, atol=0.11)
    unit = (foot - heights[0][1]) / 4
    assert unit > 20
    np.testing.assert_allclose((foot - np.array(heights)) / unit, [[1, 4, 2, 0], [2, 2, 2, 2]], atol=0.01)


def test_points_of_data_stand_on_their_densities_and_an_empty_bin_has_none(page):
    points = page.locator("svg[role=img] path.measured").get_attribute("d")
    assert points.count("M") == 3


def test_a_name_is_text_and_nothing_else(page):
    page.locator("svg[role=img] text").get_by_text("<img src=x onerror=alert(1)>", exact=True).wait_for()
    assert page.locator("svg[role=img] img").count() == 0
    assert_quiet(page)


def test_a_range_that_is_dragged_arrives_as_its_ends_and_is_seen_at_once(page):
    (x0, y), (x1, _) = place(page, 1.5), place(page, 3.5)
    page.mouse.move(x0, y)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, y)
    page.mouse.move(x1, y)
    span = page.locator("svg[role=img] rect.span")
    assert span.bounding_box()["width"] == pytest.approx(x1 - x0, abs=2)
    page.mouse.up()
    found = page.get_by_text(re.compile(r"^Done: .*brush [\d.]+ [\d.]+ True$"))
    found.wait_for()
    low, high = map(float, re.findall(r"brush ([\d.]+) ([\d.]+) True", found.inner_text())[-1])
    assert (low, high) == (pytest.approx(1.5, abs=0.02), pytest.approx(3.5, abs=0.02))


def test_a_button_that_is_let_go_elsewhere_ends_the_drag(page):
    x, y = place(page, 1.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y)
    # The release that nobody hears of: the picture is told of a move without a button.
    moved = {"clientX": x + 90, "clientY": y, "buttons": 0, "bubbles": True}
    picture(page).dispatch_event("pointermove", moved)
    told(page, "True")
    page.mouse.up()


def test_a_click_says_where_a_second_one_takes_back_and_a_line_that_is_dragged_is_the_threshold(page):
    page.mouse.click(*place(page, 2.5))
    told(page, r"tap 2\.(49|50)\d\d")
    x, y = place(page, 1.0)
    page.mouse.move(x + 2, y)
    page.mouse.down()
    page.mouse.move(place(page, 2.0)[0], y, steps=4)
    page.mouse.up()
    told(page, r"threshold (1\.9|2\.0)\d* True")
    page.mouse.dblclick(*place(page, 2.5))
    told(page, "undo")


def test_the_bin_below_the_pointer_is_read_out_with_its_errors(page):
    page.mouse.move(*place(page, 1.4))
    tip = page.locator(".tip")
    assert tip.inner_text().splitlines() == [
        "1 to 2 GeV", "QCD 4 ± 1", "<img src=x onerror=alert(1)> 2 ± 0.1", "QCD (2nd) 4 ± 1",
    ]  # fmt: skip
    page.mouse.move(2, 2)
    assert tip.inner_text() == ""


def test_the_open_jet_is_a_line_at_its_value(page):
    path = page.locator("svg[role=img] path.marked").get_attribute("d")
    box = picture(page).bounding_box()
    assert float(re.match(r"M([\d.]+)", path)[1]) + box["x"] == pytest.approx(place(page, 3.0)[0], abs=0.5)
