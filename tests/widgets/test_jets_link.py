"""What the address of the jets page carries: a second page opened by it shows the same."""

import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.widgets.jet_views import IMAGE
from workbench.widgets.jets_page import JetsPage

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
JETS = toy_jets(120, 3)


@pytest.fixture
def opened(monkeypatch):
    """Opens pages by an address, on toys in place of the bundled sample."""
    pages = []

    def open_by(query):
        page = JetsPage()
        pages.append(page)
        monkeypatch.setattr(page.picker, "open", lambda id, then=None: page.sample.take(JETS, "toys", id=id))
        monkeypatch.setattr(page.link.address, "read", lambda: page.link.link.read(query))
        page.link.begin()
        page.link.start()
        settle(page.errands)
        page.link.beat()
        return page

    yield open_by
    for page in pages:
        page.errands.close()


def test_a_link_opens_the_same_distributions_tabs_and_cuts(opened):
    first = opened("")
    first.current = 4
    settle(first.errands)
    first.distributions.shown.value = ["mass", "pt"]
    first.inspector.tabs.active = IMAGE
    first.display.state.param.update(view="x-y", pt_min=3.0, kinds=["photon"], detector="none")
    settle(first.errands)
    first.link._capture()
    second = opened(first.link.link.write())
    assert second.link.link.notices == []
    assert second.distributions.shown.value == first.distributions.shown.value
    assert second.inspector.tabs.active == IMAGE
    state = second.display.state
    assert (state.view, state.pt_min, state.kinds) == ("x-y", 3.0, ["photon"])
    second.link._capture()
    assert second.link.link.write() == first.link.link.write()


def test_the_usual_page_has_a_short_address(opened):
    page = opened("")
    page.link._capture()
    assert page.link.link.write() == "?v=1&sample=jets"


def test_no_distribution_at_all_goes_through_the_address(opened):
    page = opened("?v=1&show=none")
    assert page.distributions.shown.value == []
    page.link._capture()
    assert "show=none" in page.link.link.write()


def test_what_the_page_does_not_have_is_said(opened):
    page = opened("?v=1&show=mas&tab=landscape&display=detector:atls&display=pt_min:low")
    said = " ".join(page.link.link.notices)
    for name in ("'mas'", "'landscape'", "'atls'", "'pt_min:low'"):
        assert name in said
    assert page.display.state.detector == "none"


def test_a_tab_that_is_not_made_yet_stays_in_the_address_until_it_is(opened):
    page = opened("?v=1&tab=graph")
    page.link._capture()
    assert "tab=graph" in page.link.link.write()
    page.current = 0
    settle(page.errands)
    page.link.beat()
    assert page.inspector.tabs.active == 2


def test_a_link_opens_the_same_bins_axes_and_images(opened):
    first = opened("")
    first.current = 4
    settle(first.errands)
    first.link.beat()
    first.distributions.binning.use("mass", (40, 10.0, 260.5))
    first.distributions.logarithmic.value = True
    images = first.inspector.images
    (step, *_) = images.switches
    images.switches[step].value = False
    images.shown.value = "difference"
    first.link.beat()
    first.link._capture()
    second = opened(first.link.link.write())
    assert second.link.link.notices == []
    assert second.distributions.histograms["mass"].bins == (40, 10.0, 260.5)
    assert second.distributions.histograms["mass"].picture.drawn["edges"][-1] == 260.5
    assert second.distributions.logarithmic.value
    assert not second.inspector.images.switches[step].value
    assert second.inspector.images.shown.value == "difference"
    second.link._capture()
    assert second.link.link.write() == first.link.link.write()


@pytest.mark.parametrize(
    "bins", ["mass", "mass:0:1:2", "mass:401:1:2", "mass:5:2:1", "mass:5:1:inf", "mass:x:1:2", ":5:1:2"]
)
def test_bins_that_cannot_be_are_said_and_left_out(opened, bins):
    page = opened(f"?v=1&bins={bins}")
    (notice,) = page.link.link.notices
    assert "bins" in notice
    assert page.distributions.histograms["mass"].bins == page.distributions.histograms["mass"].observable.bins
