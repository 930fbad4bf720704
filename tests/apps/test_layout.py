"""What the browser lays out when something on a page changes its size."""

import pytest

from tests.apps.browser import assert_quiet, needs_browser, opened, served

pytestmark = [pytest.mark.browser, needs_browser]
address = served("tests/apps/layout_page.py")

COUNTED = """() => {
  const below = (view) => [view, ...(view.child_views ?? []).flatMap(below)]
  window.counts = {}
  for (const view of Bokeh.index.roots.flatMap(below).filter((view) => view.model.name && view._after_layout)) {
    const name = view.model.name, own = view._after_layout
    window.counts[name] = 0
    view._after_layout = function() { window.counts[name]++; return own.call(this) }
  }
}"""


@pytest.mark.parametrize(("query", "others"), [("", False), ("?alone=no", True)])
def test_labels_that_grow_lay_out_their_own_pane_and_no_other(browser, address, query, others):
    # Panel's own way shows that the count sees what it is to see.
    with opened(browser, address + query) as page:
        page.wait_for_timeout(1_000)
        page.evaluate(COUNTED)
        page.get_by_role("button", name="Grow").click()
        page.wait_for_function("window.counts.first > 0")
        page.wait_for_timeout(500)
        counts = page.evaluate("window.counts")
        assert (counts["second"] > 0) is others
        assert_quiet(page)


def test_panes_are_as_wide_as_their_places_in_every_window(browser, address):
    with opened(browser, address) as page:
        for width, columns in ((1400, 2), (500, 1)):
            page.set_viewport_size({"width": width, "height": 1000})
            page.wait_for_timeout(1_000)
            boxes = [page.locator(f".wb-{name}").first.bounding_box() for name in ("first", "second")]
            canvases = [
                page.locator(f".wb-{name} canvas").first.bounding_box() for name in ("first", "second")
            ]
            assert (boxes[0]["y"] == boxes[1]["y"]) is (columns == 2)
            for box, canvas in zip(boxes, canvases, strict=True):
                assert box["width"] == pytest.approx(width / columns, rel=0.15)
                assert canvas["width"] == pytest.approx(box["width"], abs=30)


ASKED = """() => {
  const own = CSSStyleDeclaration.prototype.getPropertyValue
  window.asked = 0
  CSSStyleDeclaration.prototype.getPropertyValue = function(name) {
    if (name.startsWith("--bk-")) window.asked++
    return own.call(this, name)
  }
}"""


@pytest.mark.parametrize(("query", "asks"), [("?styles=ours", False), ("", True)])
def test_figures_ask_for_styles_only_where_another_hand_may_set_some(browser, address, query, asks):
    with opened(browser, address + query) as page:
        page.wait_for_timeout(1_000)
        page.evaluate(ASKED)
        page.get_by_role("button", name="Grow").click()
        page.wait_for_timeout(1_000)
        assert (page.evaluate("window.asked") > 0) is asks
        assert_quiet(page)
