"""The viewers of the jets page around one sample, one selection and one tagger, without a browser."""

import html
import re
import threading
import time
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from scipy.spatial.distance import jensenshannon

from tests.patience import settle
from tests.toys import MassCut, toy_jets
from workbench.data.classes import ClassArray
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import DataError
from workbench.jobs.recipe import Setting
from workbench.widgets.analysis import HELD_OUT, WHOLE, held_out, losses
from workbench.widgets.errands import Errands
from workbench.widgets.jets_page import JetsPage
from workbench.widgets.performance import measure

JETS = toy_jets(400, 3)
MARKUP = "<img src=x onerror=alert(1)>"

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def page():
    made = JetsPage()
    made.picker.take(JETS)
    settle(made.errands)
    yield made
    made.errands.close()


@pytest.fixture
def scored(page, monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: planted)
    page.analysis.take(MassCut(), "mass cut")
    settle(page.errands)
    return page


@pytest.fixture
def later(monkeypatch):
    """No explanation is there at once."""
    monkeypatch.setattr("workbench.widgets.analysis.PATIENCE", 0.0)


def planted(fitted, jets, *, seed, rule="epsilon"):
    """An explanation with relevance 1, 2, 3, … in order of the particles, and books that close."""
    relevance = ak.values_astype(ak.local_index(jets.constituents.pt) + 1, np.float64)
    total = ak.to_numpy(ak.sum(relevance, axis=1))
    books = Ledger(total + 1, {"inputs": total, "biases": np.ones(len(jets))})
    return Explanation(relevance, relevance[..., None], ("log pt",), books, how={"rule": rule})


def test_every_jet_is_in_the_histogram_of_its_class(page):
    shown = page.distributions.histograms["mass"].picture.drawn
    assert [of["name"] for of in shown["classes"]] == ["QCD", "top"]
    inside = np.asarray(JETS.p4.mass) < 250
    for of in shown["classes"]:
        share = np.sum(np.diff(shown["edges"]) * of["value"])
        assert share == pytest.approx(inside[JETS.is_class(of["name"])].mean(), abs=1e-5)


def test_a_brushed_histogram_keeps_its_own_jets_and_all_others_follow(page):
    before = page.distributions.histograms["mass"].picture.drawn["classes"]
    page.selection.brush("mass", 100, 200)
    histograms = page.distributions.histograms
    assert histograms["mass"].picture.drawn["classes"] == before
    assert f"{page.selection.count:,} jets" in histograms["multiplicity"].check.object
    assert histograms["mass"].picture.marks["span"] == [100, 200]


def test_a_click_on_a_bin_opens_a_jet_of_that_bin(page):
    page.distributions.histograms["mass"].picture._handle_msg({"kind": "tap", "at": 152.0})
    assert 150 <= np.asarray(JETS.p4.mass)[page.selection.current] < 155


def test_the_table_lists_the_most_confident_mistake_first(scored):
    scored.table.order.value = "most confident and wrong"
    first = int(scored.table.table.value["jet"].iloc[0])
    expected = losses(JETS, np.asarray(MassCut().score(JETS)), MassCut.classes)
    assert first == int(np.argmax(expected))


def test_an_order_that_needs_a_tagger_says_so(page):
    page.table.order.value = "highest score"
    assert "once a tagger has scored" in page.table.told.object


def test_the_loss_is_minus_the_log_of_the_true_class(scored):
    scores = np.asarray(MassCut().score(JETS))
    true = scores[np.arange(len(JETS)), np.asarray(JETS.label)]
    np.testing.assert_allclose(scored.sample.column("loss"), -np.log(true), rtol=1e-12)


def test_an_open_jet_shows_its_relevance_and_the_books_that_make_its_score(scored, later):
    scored.selection.pick(5)
    assert np.isnan(scored.inspector.particles.data["relevance"]).all()
    settle(scored.errands)
    n = int(JETS.counts[5])
    inspector = scored.inspector
    np.testing.assert_allclose(inspector.particles.data["relevance"], np.arange(1, n + 1))
    assert (inspector.scale.low, inspector.scale.high) == (-n, n)
    assert list(inspector.waterfall.books["line"]) == ["inputs", "biases", "rest", "score"]
    assert inspector.waterfall.books["end"][-1] == n * (n + 1) / 2 + 1
    assert list(inspector.table.value["relevance"]) == list(range(1, n + 1))


def test_no_jet_ever_shows_the_relevance_of_another(scored, later):
    scored.selection.pick(5)
    settle(scored.errands)
    # Its neighbours are explained ahead, this one is not.
    scored.selection.pick(200)
    assert np.isnan(scored.inspector.particles.data["relevance"]).all()
    assert not scored.inspector.waterfall.books


def test_a_jet_whose_explanation_is_there_at_once_is_drawn_once(scored, monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.PATIENCE", 60.0)
    scenes, tables = [], []
    show = scored.display.show
    monkeypatch.setattr(scored.display, "show", lambda scene: (scenes.append(scene), show(scene)))
    scored.selection.pick(5)
    scored.inspector.table.param.watch(lambda event: tables.append(event.new), "value")
    scored.selection.pick(200)
    settle(scored.errands, scored.beat)
    n = int(JETS.counts[200])
    assert len(scenes) == 2
    assert len(tables) == 1
    np.testing.assert_allclose(scored.inspector.particles.data["relevance"], np.arange(1, n + 1))


def test_what_a_tagger_is_worth_is_said_with_errors_and_the_rule(scored):
    found = scored.performance.measured
    assert scored.performance.figures["auc"][1].object.startswith(f"{found.curve.auc:.3f}"[:4])
    assert "±" in scored.performance.figures["accuracy"][1].object
    assert "interpolated" in scored.performance.rule.object
    assert "200 top against 200 QCD" in scored.performance.rule.object


def test_efficiency_at_the_working_point_averages_to_it():
    found = measure(JETS, MassCut().score(JETS), "top", "QCD")
    signal, _ = found.rates["multiplicity"]
    inside = np.nan_to_num(signal.value) @ signal.total / signal.total.sum()
    # 200 signal jets: the cut is one of them, and at most 2 % lie outside the bins.
    assert inside == pytest.approx(0.5, abs=0.03)


def test_the_cut_is_read_by_the_rule_that_the_rejections_name(scored):
    found = scored.performance.measured
    assert found.cut == found.curve.cut(0.5, "interpolated")
    # Of 200 signal jets, all of different mass, exactly half pass; the rule "first" would pass 101.
    passed = np.asarray(MassCut().score(JETS))[:, 1] >= found.cut
    assert np.sum(passed & JETS.is_class("top")) == 100
    assert found.curve.rejection(0.5).rule in html.unescape(scored.performance.rule.object)
    assert "where εS first reaches 0.5" in scored.distributions.histograms["score"].check.object


def test_the_sculpting_of_the_mass_agrees_with_scipy():
    scores = graded(0.7)
    found = measure(JETS, scores, "top", "QCD")
    said = re.fullmatch(
        r"Mass sculpting of QCD by the cut: Jensen-Shannon distance (\S+) \(floor (\S+) expected .*\)\.",
        found.sculpted,
    )
    mass, passed = np.asarray(JETS.p4.mass), np.asarray(scores)[:, 1] >= found.cut
    edges = np.r_[-np.inf, found.rates["mass"][1].edges, np.inf]
    qcd = JETS.is_class("QCD")
    before, after = (np.histogram(mass[which], edges)[0] for which in (qcd, qcd & passed))
    assert float(said[1]) == pytest.approx(jensenshannon(before, after, base=2), abs=6e-4)
    filled, all_jets, left = np.sum(before > 0), np.sum(before), np.sum(after)
    floor = np.sqrt((filled - 1) / (8 * np.log(2)) * (1 / left - 1 / all_jets))
    assert float(said[2]) == pytest.approx(floor, abs=6e-4)


def test_where_no_background_passes_the_sculpting_says_so():
    found = measure(JETS, graded(0.0), "top", "QCD")
    assert found.sculpted.startswith("Mass sculpting of QCD by the cut: not known. ")
    assert "loosen the cut" in found.sculpted


def test_the_sculpting_by_a_single_background_jet_is_not_put_into_numbers():
    # Top as background: its masses fill many bins, over which one jet cannot be spread.
    scores = np.asarray(graded(0.0)).copy()
    scores[np.flatnonzero(JETS.is_class("top"))[0]] = 1.0, 0.0
    found = measure(JETS, ClassArray(scores, ("QCD", "top")), "QCD", "top")
    assert found.sculpted.endswith(": not known; 1 of 200 jets passing are too few to tell.")


def graded(mixing):
    """Scores that are the truth plus noise: without mixing, they separate the classes fully."""
    noise = np.random.default_rng(5).uniform(size=len(JETS))
    top = 0.5 * JETS.is_class("top") * (1 - mixing) + 0.5 * noise
    return ClassArray(np.stack([1 - top, top], axis=1), ("QCD", "top"))


def test_a_sample_without_the_background_says_why_nothing_is_measured(scored):
    scored.picker.take(toy_jets(40, 1, classes=("W", "Z")))
    settle(scored.errands)
    assert "no jets of both top and QCD" in scored.performance.told.object


def test_the_jets_kept_to_measure_with_come_from_the_selection_and_depend_only_on_the_seed():
    mask = np.arange(1000) % 2 == 0
    rest = held_out(mask, 1)
    assert not np.any(rest & ~mask)
    assert rest.sum() == round(HELD_OUT * mask.sum())
    np.testing.assert_array_equal(rest, held_out(mask, 1))
    assert np.any(rest != held_out(mask, 2))


def test_an_unreadable_selection_changes_nothing_and_says_why(page):
    page.picker.expression.value = "pt >> 3"
    assert page.selection.count == len(JETS)
    assert page.picker.told.object


def test_the_form_is_made_of_the_engines_parameters(page):
    settings = (
        Setting("network", "Selector", "pfn", None, ("pfn", "trees"), None, "Which.", None),
        Setting("epochs", "Integer", 5, (1, 100), (), None, "How long.", None),
        Setting("iterations", "Integer", 50, (1, 100), (), None, "Of trees.", None),
        Setting("hidden", "Integer", 5, (1, 9), (), None, "Not for a form.", -1),
    )
    panel = page.training
    panel.build(settings)
    assert set(panel.fields) == {"network", "epochs", "iterations"}
    assert (panel.fields["epochs"].start, panel.fields["epochs"].end) == (1, 100)
    assert panel.recipe.parameters == {}
    panel.fields["network"].value = "trees"
    assert panel.recipe.parameters == {"network": "trees"}
    assert panel.fields["iterations"].visible
    assert not panel.fields["epochs"].visible


def test_an_error_is_one_sentence_and_the_page_lives_on():
    def fail():
        msg = "There is no <b>sample</b>."
        raise DataError(msg)

    errands, found = Errands(), []
    errands.send("first", fail, found.append)
    errands.send("second", lambda: 2, found.append)
    while errands.doing:
        errands.collect()
    assert errands.error == "There is no <b>sample</b>."
    assert found == [2]
    errands.send("first", lambda: 1, found.append)
    while errands.doing:
        errands.collect()
    assert errands.error == ""
    errands.close()


def test_what_fails_while_a_result_is_taken_up_is_said_and_the_others_are_taken_up():
    def full(_):
        raise OSError(28, "No space left on device")

    errands, found = Errands(), []
    errands.send("first", lambda: 1, full)
    errands.send("second", lambda: 2, found.append)
    while errands.doing:
        errands.collect()
    assert "No space left" in errands.error
    assert found == [2]
    errands.close()


def test_markup_in_an_error_reaches_the_browser_as_text_only(page):
    def fail():
        msg = f"There is no file {MARKUP}."
        raise DataError(msg)

    page.errands.send("reading the sample", fail, lambda _: None)
    settle(page.errands)
    assert page.told.visible
    alert = page.told.get_root()
    assert alert.data.object == ""
    [text] = alert.data.objects
    # Panel escapes once more for the way, which its browser side undoes.
    assert html.unescape(html.unescape(text.text)) == f"There is no file {MARKUP}."
    sent = Document()
    sent.add_root(alert)
    whole = serialize_json(sent.to_json())
    assert "onerror" in whole
    assert "<img" not in whole
    assert "<img" not in html.unescape(whole)


def test_the_page_says_where_the_sample_came_from(page):
    assert html.unescape(page.picker.origin.object) == page.sample.provenance
    assert "toys" in page.picker.origin.object


def test_of_several_errands_of_a_kind_only_the_last_is_taken_up():
    errands, found, gate = Errands(), [], threading.Event()
    errands.send("block", gate.wait, lambda _: None)
    for number in range(5):
        errands.send("explain", lambda n=number: n, found.append)
    gate.set()
    while errands.doing:
        errands.collect()
    assert found == [4]
    errands.close()


def test_an_express_errand_waits_for_no_other():
    errands, found, gate = Errands(express={"explain"}), [], threading.Event()
    errands.send("score", gate.wait, lambda _: None)
    errands.send("explain", lambda: 1, found.append)
    ends = time.monotonic() + 20
    while not found and time.monotonic() < ends:
        errands.collect()
    assert found == [1]
    gate.set()
    errands.close()


def test_a_simulated_sample_stays_within_reach_beside_the_bundled_ones(page):
    made = toy_jets(60, 9)
    page.picker.take_simulated(made)
    assert page.sample.jets is made
    id = page.picker.choice.value
    assert id == page.sample.id == f"simulated:{made.fingerprint}"
    page.picker.take(JETS)
    page.picker.open(id)
    assert page.sample.jets is made


def test_the_working_point_is_drawn_and_orders_the_jets(scored):
    cut = scored.performance.measured.cut
    assert scored.distributions.histograms["score"].picture.marks["threshold"] == cut
    scored.table.order.value = "nearest to the threshold"
    first = int(scored.table.table.value["jet"].iloc[0])
    assert first == int(np.argmin(np.abs(scored.sample.column("score") - cut)))


def test_a_sample_whose_background_has_no_jets_says_so_without_an_error(scored):
    scored.picker.take(JETS[JETS.is_class("top")])
    settle(scored.errands)
    assert scored.errands.error == ""
    assert "no jets of both top and QCD" in scored.performance.told.object
    assert not scored.performance.content.loading


def test_a_run_opened_by_a_link_is_measured_on_the_jets_that_its_fit_never_saw(page, monkeypatch):
    run = SimpleNamespace(
        name="mine", note={WHOLE: JETS.fingerprint, "seed": 3}, sample={"selection": "pt > 520"}
    )
    kept = SimpleNamespace(open=lambda *_: MassCut(), run=lambda _: run)
    monkeypatch.setattr("workbench.widgets.networks.registry", lambda: kept)
    page.networks.open("run:00112233445566aa", print)
    settle(page.errands)
    assert page.analysis.title == "mine"
    np.testing.assert_array_equal(page.analysis.unseen, held_out(np.asarray(JETS.p4.pt) > 520, 3))
    assert "that the fit never saw" in html.unescape(page.performance.rule.object)
    own = [line for line in page.performance._code().splitlines() if "unseen_of" in line]
    names = {"jets": JETS}
    exec("\n".join(own), names)
    np.testing.assert_array_equal(names["jets"].p4.pt, JETS.p4.pt[page.analysis.unseen])
