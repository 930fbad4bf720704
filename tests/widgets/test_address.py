"""The address of a page: written when the view is still, never before it has begun, as text only."""

import html

from workbench.state.link import LinkState
from workbench.widgets.address import STILL, Address

MARKUP = "<img src=x onerror=alert(1)>"


def test_nothing_is_written_before_the_page_shows_what_the_link_says():
    address = Address(LinkState(jet=3))
    for _ in range(2 * STILL):
        address.beat()
    assert address.bar.query == ""


def test_a_view_that_is_still_is_written_once():
    link = LinkState(sample="jets")
    address = Address(link)
    address.begin()
    written = []
    address.bar.param.watch(lambda event: written.append(event.new), "query")
    for jet in range(5):
        link.jet = jet
        address.beat()
    assert written == []
    for _ in range(3 * STILL):
        address.beat()
    assert written == ["?v=1&sample=jets&jet=4"]


def test_the_page_is_asked_for_its_view_before_each_look():
    link = LinkState()
    address = Address(link, lambda: link.param.update(jet=7))
    address.begin()
    for _ in range(STILL + 1):
        address.beat()
    assert address.bar.query == "?v=1&jet=7"


def test_what_of_a_link_cannot_be_used_is_said_as_text():
    link = LinkState({"sample": ["jets"]})
    address = Address(link)
    assert not address.notice.visible
    link.read(f"?v=1&sample={MARKUP}")
    assert address.notice.visible
    assert "<img" not in address.told.object
    assert "onerror" in html.unescape(address.told.object)
    link.read("?v=1&sample=jets")
    assert not address.notice.visible


def test_without_a_browser_there_is_no_address_and_no_error():
    address = Address(LinkState())
    address.read()
    assert address.link.notices == []
