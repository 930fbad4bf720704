"""The relevance page as it is served: every rule in place, its ledger, odd jets, sections, sessions apart, light and dark."""

import re
import subprocess
import sys
from urllib.parse import quote

import awkward as ak
import pytest

import workbench as wb
from tests.apps.browser import ROOT, assert_quiet, click_until, needs_browser, needs_tagger, opened, serving
from workbench.data import parquet
from workbench.data.jets import Jets
from workbench.widgets.sections import SECTIONS
from workbench.widgets.ways import METHOD_WORDS, RULE_WORDS

pytestmark = [needs_tagger]
BOOKS = re.compile("^score [+-].* rest$")
QUICK = ("leave one out", "leave one subjet out", "occlusion", "deeplift")


def test_the_first_paint_needs_neither_torch_nor_any_engine():
    code = (
        "import runpy, sys, panel as pn;"
        "runpy.run_path('apps/relevance.py');"
        "heavy = {'torch', 'sklearn', 'lightning_fabric', 'mlflow', 'captum', 'datashader', 'pythia8mc'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else None)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def odd_jets():
    """A jet of one particle, one of none, one of 300, and a usual one."""
    jets = wb.load(wb.bundled("jets"))[:12]
    particles, axis = jets.constituents, jets.p4
    around = particles.eta - axis.eta, particles.deltaphi(axis)
    moved = ak.with_field(ak.with_field(particles, around[0], "eta"), around[1], "phi")
    many = ak.flatten(moved)[:300]
    lists = [ak.to_list(one) for one in (moved[0][:1], moved[0][:0], many, moved[1])]
    return Jets.of(ak.Array(lists), label=[1, 0, 1, 0], classes=jets.classes, origin=jets.origin)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "data"
    folder.mkdir()
    parquet.write(odd_jets(), folder / "odd.parquet")
    wb.open(wb.bundled("tagger")).save(folder / "own.safetensors")
    with serving("apps/relevance.py", "tests/apps/late_page.py", env={"WORKBENCH_DATA": str(folder)}) as made:
        yield made


@pytest.fixture
def page(browser, server):
    with opened(browser, server.address) as page:
        page.get_by_text(BOOKS).wait_for()
        yield page


def panes(page):
    """Names of the panes that are on the page."""
    return set(page.locator(".wb-pane").evaluate_all("found => found.map((pane) => pane.className)"))


def choose(page, label, option):
    """Chooses of a list what stands there; says nothing if it stands there already."""
    box = page.get_by_role("combobox", name=re.compile(f"^{label}"))
    entry = page.get_by_role("menuitem", name=option, exact=True)
    click_until(page, box, entry)
    entry.click()
    entry.wait_for(state="hidden")


@pytest.mark.browser
@needs_browser
def test_every_rule_of_the_list_explains_the_open_jet_and_shows_its_ledger(page):
    said = {}
    for name, word in [*list(RULE_WORDS.items())[1:], *list(RULE_WORDS.items())[:1]]:
        choose(page, "Rule of the relevance", word.label)
        page.get_by_text(re.compile(rf"rule: {re.escape(name)},")).wait_for()
        said[name] = page.get_by_text(BOOKS).inner_text()
        assert page.get_by_text(re.compile("cannot tell signal from background")).is_visible() == (
            name == "z+"
        )
    assert len(set(said.values())) == len(RULE_WORDS)
    assert page.get_by_text(re.compile("^The books close|^Hatched")).is_visible()
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_other_methods_explain_it_too_and_say_what_they_did_not_share_out(page):
    for name in QUICK:
        choose(page, "Method", METHOD_WORDS[name].label)
        page.get_by_text(re.compile(rf"method: {name}")).wait_for()
        assert "not shared out" in page.get_by_text(BOOKS).inner_text()
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_slow_method_runs_when_it_is_asked_for(page):
    choose(page, "Method", METHOD_WORDS["integrated gradients"].label)
    begin = page.get_by_role("button", name="Explain this jet")
    click_until(page, begin, page.get_by_text(re.compile("method: integrated gradients")))
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_edges_layers_emissions_and_pixels_are_coloured_by_relevance(page):
    page.get_by_role("tab", name="Graph").click()
    page.get_by_text(re.compile("^Edges are not all")).wait_for()
    page.get_by_role("columnheader", name=re.compile("^shortcut beside them")).wait_for()
    page.get_by_role("tab", name="Layers").click()
    page.get_by_role("rowheader", name="blocks.0.shortcut", exact=True).wait_for()
    page.get_by_role("tab", name="Lund plane").click()
    page.get_by_text(re.compile("^What ends the hardest branch")).wait_for()
    page.get_by_role("tab", name="Image").click()
    page.get_by_text("Relevance in the same pixels [log-odds]").wait_for()
    for step in ("rotate", "normalise"):
        page.get_by_label(step, exact=True).click()
    page.wait_for_function("location.search.includes('choose=image.')")
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("name", ["relevance", "late_page"])
@pytest.mark.parametrize(("jet", "said"), [(0, "1 particle"), (1, "0 particles"), (2, "300 particles")])
def test_a_jet_of_one_particle_of_none_and_of_300_is_explained(browser, server, jet, said, name):
    query = f"?v=1&sample={quote('file:data/odd.parquet')}&jet={jet}"
    with opened(browser, f"{server.root}/{name}{query}") as page:
        page.get_by_text(re.compile(rf"^Jet {jet}: .* {said}")).wait_for()
        page.get_by_text(BOOKS).wait_for()
        for tab in ("Graph", "Lund plane", "Layers", "Image", "Features"):
            page.get_by_role("tab", name=tab).click()
        page.get_by_text(BOOKS).wait_for()
        assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_two_sessions_with_different_rules_each_see_their_own(browser, server):
    with (
        opened(browser, f"{server.address}?v=1&rule=gamma&jet=3") as one,
        opened(browser, f"{server.address}?v=1&rule=0&jet=3") as other,
    ):
        for page, rule in ((one, "gamma"), (other, "0")):
            page.get_by_text(re.compile(f"rule: {rule},")).wait_for()
        books = [page.get_by_text(BOOKS).inner_text() for page in (one, other)]
        assert books[0] != books[1]
        choose(one, "Rule of the relevance", RULE_WORDS["0"].label)
        one.get_by_text(re.compile("rule: 0,")).wait_for()
        assert one.get_by_text(BOOKS).inner_text() == other.get_by_text(BOOKS).inner_text() == books[1]
        for page in (one, other):
            assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_a_link_opens_jet_network_rule_score_and_tab_again(browser, server):
    query = "?v=1&jet=5&network=file%3Adata%2Fown.safetensors&rule=z%2B&signal=QCD&background=top&tab=graph"
    with opened(browser, server.address + query) as page:
        page.get_by_text(re.compile(r"seed: QCD - top.*rule: z\+,")).wait_for()
        page.get_by_text(re.compile("^Jet 5: ")).wait_for()
        page.get_by_text("own.safetensors: particlenet-lite, QCD / top.").wait_for()
        page.get_by_text(re.compile("^Edges are not all")).wait_for()
        page.wait_for_function(
            "location.search.includes('signal=QCD') && location.search.includes('tab=graph')"
        )
        assert "own.safetensors" in page.evaluate("decodeURIComponent(location.search)")
        assert_quiet(page)


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_opens_by_its_tab_without_an_error(page, section):
    tab = page.get_by_role("tab", name=section.title, exact=True)
    tab.scroll_into_view_if_needed()
    before = panes(page)
    click_until(page, tab, page.locator(".wb-pane").first)
    for _ in range(120):
        if panes(page) - before:
            break
        page.wait_for_timeout(500)
    assert panes(page) - before
    page.wait_for_timeout(1500)
    assert_quiet(page)


@pytest.mark.browser
@needs_browser
def test_the_page_fits_a_narrow_window_and_a_dark_room(page):
    page.set_viewport_size({"width": 1024, "height": 800})
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    page.get_by_role("button", name="Toggle theme").click()
    page.locator(".mui-dark").first.wait_for(state="attached")
    assert_quiet(page)
