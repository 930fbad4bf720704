"""The index as it is served, and what it shares with all pages: names on controls, focus, themes, files to take away."""

import re

import pandas as pd
import pytest

from tests.apps.browser import (
    ROOT,
    assert_quiet,
    click_until,
    idle,
    needs_browser,
    opened,
    served,
    watched,
)

pytestmark = [pytest.mark.browser, needs_browser]
PAGES = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "apps").glob("*.py"))]
address = served(
    "apps/index.py", *(page for page in PAGES if page != "apps/index.py"), options=("--index", "index")
)

CONTROLS = {
    "button",
    "link",
    "textbox",
    "combobox",
    "switch",
    "checkbox",
    "slider",
    "spinbutton",
    "tab",
    "radio",
}


LEAST = {"index": 5, "jets": 15}
"""Controls that a page has at least, by its name; fewer, and the page was not drawn when they were counted."""

TAB_STOPS = {"index": 8, "jets": 14}
"""How far the tab key goes on a page."""

HEAVIEST = 7_000_000
"""Bytes that opening a page may bring, over HTTP and the websocket."""

STEADY = 4_000
"""Milliseconds without a further byte, after which a page has brought all that it brings by itself."""


def nameless(page, least):
    """Returns the elements of controls that have no name in the accessibility tree; there are `least` controls or more."""
    session = page.context.new_cdp_session(page)
    for _ in range(60):
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        found = [node for node in nodes if not node.get("ignored") and node["role"]["value"] in CONTROLS]
        if len(found) >= least:
            break
        page.wait_for_timeout(1000)
    assert len(found) >= least
    bare = [node for node in found if not str(node.get("name", {}).get("value", "")).strip()]
    return [
        session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"][:300]
        for node in bare
    ]


def focused(page):
    """Returns whether the element with the focus, through shadow roots, shows it, and what it is."""
    return page.evaluate(
        """() => {
          let el = document.activeElement
          while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement
          const shows = (node) => {
            const style = getComputedStyle(node)
            return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none"
          }
          const near = el.closest?.(".Mui-focused, .Mui-focusVisible")
          return [el.outerHTML.slice(0, 400), shows(el) || near != null]
        }"""
    )


def test_the_cards_lead_to_pages_that_are_there(address, browser):
    with opened(browser, address) as page:
        names = [
            link.get_attribute("href") for link in page.get_by_role("link", name=re.compile("^Open ")).all()
        ]
        assert names[0] == "jets"
        assert {f"apps/{name}.py" for name in names} <= set(PAGES)
        for name in names:
            answer = page.request.get(f"{address.rsplit('/', 1)[0]}/{name}")
            assert answer.status == 200
        assert page.title() == "Index – Workbench"
        assert page.evaluate("document.documentElement.lang") == "en"
        assert_quiet(page)


def test_a_card_opens_its_page_and_the_product_leads_back(address, browser):
    with opened(browser, address) as page:
        page.get_by_role("link", name="Open Runs").click()
        page.wait_for_url(re.compile("/runs"))
        idle(page)
        assert_quiet(page)


def test_the_last_runs_are_listed_or_it_is_said_how_to_make_one(address, browser):
    with opened(browser, address) as page:
        page.get_by_text(re.compile("No network has been trained yet|AUC")).first.wait_for()
        assert_quiet(page)


@pytest.mark.parametrize("name", [page.removeprefix("apps/").removesuffix(".py") for page in PAGES])
def test_every_control_of_a_page_has_a_name(address, browser, name):
    with opened(browser, f"{address.rsplit('/', 1)[0]}/{name}") as page:
        page.wait_for_timeout(5000)
        assert nameless(page, LEAST.get(name, 5)) == []


@pytest.mark.parametrize("name", [page.removeprefix("apps/").removesuffix(".py") for page in PAGES])
def test_no_page_is_heavier_than_seven_megabytes(address, browser, name):
    answers, frames = [], []
    context = browser.new_context()
    page = watched(context)

    def listen(socket):
        socket.on("framereceived", lambda frame: frames.append(len(frame)))

    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - playwright marks what it is given
    page.on("websocket", listen)
    page.goto(f"{address.rsplit('/', 1)[0]}/{name}")
    idle(page)
    known = -1
    while known != (known := sum(frames) + len(answers)):
        page.wait_for_timeout(STEADY)
    total = sum(frames) + sum(len(answer.body()) for answer in answers if answer.status == 200)
    context.close()
    assert sum(frames) > 10_000
    assert 1_000_000 < total < HEAVIEST


@pytest.mark.parametrize("name", list(TAB_STOPS))
def test_the_focus_is_seen_on_everything_that_tab_reaches(address, browser, name):
    with opened(browser, f"{address.rsplit('/', 1)[0]}/{name}") as page:
        seen = []
        for _ in range(TAB_STOPS[name]):
            page.keyboard.press("Tab")
            seen.append(focused(page))
        assert "Skip to the content" in seen[0][0]
        assert len({what for what, _ in seen}) > TAB_STOPS[name] / 2
        assert [what for what, shown in seen[1:] if not shown and "<body" not in what] == []


def test_the_skip_link_leads_past_the_header(address, browser):
    with opened(browser, address) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert "main" in focused(page)[0][:60]


def test_a_dark_system_gets_a_dark_page_and_the_choice_is_remembered(address, browser):
    with opened(browser, address, dark=True) as page:
        page.locator(".mui-dark").first.wait_for(state="attached")
        page.get_by_role("button", name="Toggle theme").click()
        page.wait_for_function("document.cookie.includes('workbench-theme=light')")
        page.reload()
        idle(page)
        page.wait_for_timeout(1000)
        assert page.locator(".mui-dark").count() == 0
        assert_quiet(page)


def test_the_index_fits_a_narrow_window(address, browser):
    with opened(browser, address, size={"width": 1024, "height": 700}) as page:
        page.get_by_text("Last runs", exact=True).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024


def test_picture_numbers_and_python_of_a_pane_are_taken_away(address, browser, tmp_path):
    with opened(browser, f"{address.rsplit('/', 1)[0]}/jets") as page:
        page.get_by_text("Area under the ROC curve").wait_for()
        idle(page)
        button = page.get_by_role("button", name="Menu of Mass", exact=True)

        def taken(item):
            click_until(page, button, page.get_by_role("menuitem", name=item, exact=True))
            with page.expect_download() as download:
                page.get_by_role("menuitem", name=item, exact=True).click()
            path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            return path

        assert taken("PNG").read_bytes().startswith(b"\x89PNG")
        assert b"<path" in taken("SVG").read_bytes()
        table = pd.read_csv(taken("Numbers (CSV)"))
        assert len(table) > 10
        assert any("GeV" in name for name in table.columns)
        offline = browser.new_context(offline=True)
        other = offline.new_page()
        other.goto(f"file://{taken('Page that works offline (HTML)')}")
        other.get_by_role("img", name=re.compile("^mass .* by class: QCD, top$")).locator("path").nth(
            20
        ).wait_for(state="attached")
        offline.close()
        click_until(page, button, page.get_by_role("menuitem", name="Python"))
        page.get_by_role("menuitem", name="Python").click()
        assert "wb.load(" in page.get_by_role("textbox", name="Python of Mass").input_value()
        assert_quiet(page)
