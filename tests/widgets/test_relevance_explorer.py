"""The relevance explorer in a cell, and its page: the open jet explained, sections when they are looked at, links that hold."""

import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from tests.widgets.test_jet_inspector import Planted, explain
from workbench.data.explanation import Explanation
from workbench.widgets.jet_views import LAYERS, TABS
from workbench.widgets.relevance_page import RelevancePage
from workbench.widgets.sections import NAMES

JETS = toy_jets(60, 3)

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: explain)


@pytest.fixture
def explorer():
    made = wb.RelevanceExplorer(JETS, Planted())
    made.wait()
    yield made
    made.close()


def test_a_jet_that_is_opened_is_explained_with_its_ledger(explorer):
    explorer.current = 7
    explorer.wait()
    found = explorer.analysis.explanation
    assert isinstance(found, Explanation)
    np.testing.assert_allclose(
        explorer.inspector.particles.data["relevance"], 11.0 * np.arange(1, JETS.counts[7] + 1)
    )
    assert explorer.inspector.verdict.object == "The books close exactly."


def test_the_table_tells_what_each_jet_is_made_of(explorer):
    assert {"multiplicity", "sd_mass"} <= set(explorer.sample.known)
    np.testing.assert_array_equal(explorer.sample.column("multiplicity"), JETS.counts)


def test_edges_and_layers_are_recorded_from_when_they_are_looked_at(explorer):
    explorer.current = 7
    explorer.wait()
    assert not explorer.analysis.record
    explorer.inspector.tabs.active = TABS.index("Layers")
    explorer.wait()
    assert explorer.analysis.record
    assert "record=True" in explorer.inspector._code("")
    explorer.current = 8
    explorer.wait()
    assert explorer.analysis.explanation is not None


def test_unexplained_relevance_is_hatched_everywhere_and_said(explorer, monkeypatch):
    def leaky(fitted, jets, **how):
        found = explain(fitted, jets, **how)
        books = dict(found.ledger.lines)
        books["not shared out"] = 0.2 * books["inputs"]
        ledger = type(found.ledger)(sum(books.values()), books)
        return Explanation(found.relevance, found.features, found.feature_names, ledger, how=found.how)

    explorer.current = 7
    explorer.wait()
    hatches = [explorer.inspector.hatch, *explorer.inspector.seen.hatches]
    assert not any(lines.visible for lines in hatches)
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: leaky)
    explorer.inspector.ways.method.value = "occlusion"
    explorer.wait()
    assert all(lines.visible for lines in hatches)
    assert explorer.inspector.verdict.object.startswith("Hatched: 17%")


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setattr("workbench.widgets.networks.public", lambda name: lambda *args: Planted())
    made = RelevancePage()
    yield made
    made.close()
    made.picker.close()


def opened(page, query):
    """Opens the page with an address."""
    page.link.address.read = lambda: page.link.link.read(query)
    page.link.begin()
    page.link.start()
    for _ in range(3):
        page.wait()
        page.beat()
    return page


def test_the_page_begins_with_its_first_jet_and_the_bundled_network(page):
    opened(page, "")
    assert (page.current, page.networks.name) == (0, "bundled")
    assert page.analysis.explanation is not None


def test_a_link_names_jet_ways_score_and_tabs_and_the_address_says_them_again(page):
    query = "?v=1&jet=5&rule=gamma&method=occlusion&signal=QCD&background=top&tab=layers"
    opened(page, query)
    assert (page.current, page.analysis.rule, page.analysis.method) == (5, "gamma", "occlusion")
    assert page.analysis.seed == ("QCD", "top")
    assert page.inspector.tabs.active == LAYERS
    page.link._capture()
    said = page.link.link.write()
    for part in ("jet=5", "rule=gamma", "method=occlusion", "signal=QCD", "background=top", "tab=layers"):
        assert part in said
    assert page.link.link.notices == []


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_link_opens_a_section(page, name):
    opened(page, f"?v=1&tab={name}")
    assert page.sections.tabs.active == NAMES.index(name)
    assert list(page.sections.made) == [list(page.sections.makers)[NAMES.index(name) - 1]]


def test_what_a_link_says_wrongly_is_told_and_the_rest_holds(page):
    opened(page, "?v=1&jet=5&rule=tarot&network=run:zz&signal=dog&background=top")
    assert page.current == 5
    assert page.networks.name == "bundled"
    said = " ".join(page.link.link.notices)
    for word in ("tarot", "dog"):
        assert word in said


CHOSEN = {
    "what-if": ("neighbours:3", lambda made: made.neighbours.value == 3),
    "sample": ("pair:mass", lambda made: made.pairs.spectrum.value == "mass"),
    "learned": ("without:pt,tau21", lambda made: made.without.names.value == ["pt", "tau21"]),
    "compare": ("rule:z+", lambda made: made.rule.value == "z+"),
    "trust": ("jets:300", lambda made: made.number.value == 300),
}


@pytest.mark.parametrize("name", list(CHOSEN))
def test_a_link_says_what_is_chosen_in_a_section_and_chooses_it_again(page, name):
    text, holds = CHOSEN[name]
    wanted = f"choose={name}.{text}"
    opened(page, f"?v=1&tab={name}&{wanted.replace('+', '%2B')}")
    (made,) = page.sections.made.values()
    assert page.link.link.notices == []
    assert holds(made)
    page.link._capture()
    assert page.link.link.choices == [f"{name}.{text}"]


def test_every_choice_of_every_section_has_its_own_name_and_is_usual_at_first(page):
    opened(page, "")
    for title in page.sections.makers:
        page.sections.make(title)
    page.beat()
    offered = page.link.offered()
    assert len({id(widget) for widget in offered.values()}) == len(offered) > 30
    assert page.link.choices.texts() == []
