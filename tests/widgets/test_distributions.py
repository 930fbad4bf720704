"""Histograms that are brushed together: exact counts, live brushes, a second sample, hidden truth."""

import html
import time

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.state.comparison import ComparisonState
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.state.teaching import Teaching
from workbench.widgets.distributions import Distributions, usual_range
from workbench.widgets.errands import Errands
from workbench.widgets.selection_bar import READY, composition

NAMES = ("mass", "pt", "multiplicity", "score")
JETS = toy_jets(400, 3)


class Pane:
    """Distributions of a sample, their states and what they do in the background."""

    def __init__(self):
        self.sample, self.errands, self.teaching = SampleState(), Errands(), Teaching()
        self.selection = SelectionState(self.sample)
        self.comparison = ComparisonState(self.selection)
        self.shown = Distributions(
            self.sample, self.selection, self.errands, NAMES,
            comparison=self.comparison, teaching=self.teaching,
        )  # fmt: skip
        self.sample.take(JETS)
        self.settle()

    def settle(self):
        ends = time.monotonic() + 60
        while self.errands.doing and time.monotonic() < ends:
            self.errands.collect()
            time.sleep(0.01)
        assert (self.errands.doing, self.errands.error) == ("", "")

    def check(self, name):
        return html.unescape(self.shown.histograms[name].check.object)


@pytest.fixture
def pane():
    made = Pane()
    yield made
    made.errands.close()


def drag(histogram, low, high, *, final):
    histogram.picture._handle_msg({"kind": "brush", "low": low, "high": high, "final": final})


def drawn(histogram):
    """What is drawn, per class."""
    return {of["name"]: of for of in histogram.picture.drawn["classes"]}


def test_a_brush_gives_exact_counts_everywhere(pane):
    drag(pane.shown.histograms["mass"], 50, 120, final=True)
    mass = np.asarray(JETS.p4.mass)
    inside = (mass >= 50) & (mass <= 120)
    top = int(np.sum(inside & JETS.is_class("top")))
    assert pane.selection.count == inside.sum()
    assert pane.check("multiplicity").startswith(f"{inside.sum()} jets")
    assert pane.check("mass").startswith("400 jets")
    told = html.unescape(pane.shown.bar.told.object)
    assert told.startswith(f"{inside.sum()} of 400 jets selected: {inside.sum() - top} QCD, {top} top")
    shown = drawn(pane.shown.histograms["pt"])
    assert np.sum(np.multiply(shown["top"]["value"], 20)) == pytest.approx(1, abs=1e-5)
    assert set(shown) == {"QCD", "top"}


def test_colours_stay_when_a_brush_leaves_a_class_without_jets(pane):
    before = {name: of["colour"] for name, of in drawn(pane.shown.histograms["pt"]).items()}
    heaviest_qcd = float(np.asarray(JETS.p4.mass)[JETS.is_class("QCD")].max())
    pane.selection.brush("mass", heaviest_qcd + 1e-3, np.inf)
    after = {name: of["colour"] for name, of in drawn(pane.shown.histograms["pt"]).items()}
    assert pane.selection.count > 0
    assert after == before


def test_a_brush_that_is_dragged_is_followed_and_its_end_always_holds(pane):
    histogram = pane.shown.histograms["mass"]
    drag(histogram, 50, 60, final=False)
    assert pane.selection.ranges == {"mass": (50, 60)}
    drag(histogram, 50, 70, final=False)
    pane.shown.beat()
    assert pane.selection.ranges == {"mass": (50, 60)}
    pane.shown.pulse.drawn = pane.shown.pulse.asked
    assert pane.selection.ranges == {"mass": (50, 70)}
    drag(histogram, 50, 90, final=False)
    drag(histogram, 50, 80, final=True)
    pane.shown.pulse.drawn = pane.shown.pulse.asked
    assert pane.selection.ranges == {"mass": (50, 80)}


def test_a_brush_that_no_browser_answers_is_followed_all_the_same(pane, monkeypatch):
    monkeypatch.setattr("workbench.widgets.pulse.PATIENCE", -1.0)
    histogram = pane.shown.histograms["mass"]
    drag(histogram, 50, 60, final=False)
    drag(histogram, 50, 70, final=False)
    assert pane.selection.ranges == {"mass": (50, 70)}


def test_all_brushes_are_cleared_by_one_button_and_each_by_its_own(pane):
    pane.selection.brush("mass", 50, 120)
    pane.selection.brush("pt", 560, 600)
    assert pane.shown.bar.labels == ["✕ mass 50 to 120", "✕ pt 560 to 600"]
    pane.shown.bar.ranges.objects[0].clicks += 1
    assert pane.selection.ranges == {"pt": (560, 600)}
    pane.shown.bar.clear.clicks += 1
    assert pane.selection.ranges == {}
    assert pane.shown.bar.clear.disabled
    assert pane.shown.bar.labels == []


def test_there_is_a_button_for_every_brush_however_many(pane):
    names = ["mass", "pt", "eta", "multiplicity", "girth"][: READY + 2]
    for name in names:
        pane.selection.brush(name, -1e9, 1e9)
    assert [label.split()[1] for label in pane.shown.bar.labels] == names
    pane.shown.bar.ranges.objects[READY + 1].clicks += 1
    assert list(pane.selection.ranges) == names[:-1]


def test_a_second_click_on_a_button_takes_off_no_other_brush(pane):
    pane.selection.brush("mass", 50, 120)
    pane.selection.brush("pt", 560, 600)
    first = pane.shown.bar.ranges.objects[0]
    first.clicks += 1
    first.clicks += 1
    assert pane.selection.ranges == {"pt": (560, 600)}
    pane.selection.brush("eta", -1, 1)
    assert pane.shown.bar.labels == ["✕ eta -1 to 1", "✕ pt 560 to 600"]


def test_the_classes_are_switches(pane):
    pane.shown.bar.classes.value = ["top"]
    assert pane.selection.count == 200
    pane.selection.show("QCD")
    assert pane.shown.bar.classes.value == ["QCD"]
    pane.selection.show()
    assert pane.shown.bar.classes.value == []


def test_a_sample_beside_itself_has_a_ratio_of_one_and_no_difference(pane):
    pane.comparison.take(JETS, "the same")
    pane.settle()
    for name in ("mass", "pt", "multiplicity"):
        histogram = pane.shown.histograms[name]
        assert all(len(of["ratio"]) for of in histogram.picture.drawn["ratio"])
        for of in histogram.picture.drawn["ratio"]:
            np.testing.assert_allclose(of["ratio"], 1)
        assert (histogram.difference.chi2, histogram.difference.p) == (0, 1)
        assert "χ²/ndf = 0.0/" in pane.check(name)
        assert histogram.picture.drawn["ratio_label"] == "2nd / 1st"
    assert len(pane.shown.histograms["mass"].picture.drawn["second"]) == 2
    assert not pane.shown.histograms["mass"].picture.drawn["measured"]
    assert "the same, 400 of 400 jets selected" in html.unescape(pane.shown.beside.object)
    pane.comparison.clear()
    pane.settle()
    assert pane.shown.histograms["mass"].picture.drawn["second"] == []
    assert pane.shown.beside.object == ""


def test_the_observable_that_differs_most_comes_first_when_asked_for(pane):
    other = toy_jets(400, 8, mean_constituents=25)
    pane.comparison.take(other, "more constituents")
    pane.settle()
    assert "differs most in multiplicity" in html.unescape(pane.shown.beside.object)
    pane.shown.by_difference.value = True
    assert pane.shown.grid.objects[0] is pane.shown.panes["multiplicity"]
    assert pane.shown.histograms["multiplicity"].difference.p < 1e-6


def test_data_without_classes_stand_as_points_over_all_jets(pane):
    data = toy_jets(300, 9)
    bare = type(data).of(data.constituents, p4=data.p4, origin=data.origin.__class__("run 1", kind="data"))
    pane.comparison.take(bare)
    pane.settle()
    histogram = pane.shown.histograms["pt"]
    assert histogram.picture.drawn["measured"]
    (points,) = histogram.picture.drawn["second"]
    assert sum(points["value"]) > 0
    assert len(histogram.picture.drawn["ratio"][0]["ratio"])
    assert histogram.difference.ndf > 0
    assert "Second sample (points)" in html.unescape(pane.shown.beside.object)


def test_hidden_truth_is_drawn_in_one_colour_and_told_by_nobody(pane):
    pane.teaching.on = True
    assert list(drawn(pane.shown.histograms["mass"])) == ["all jets"]
    assert "QCD" not in pane.shown.bar.told.object
    assert pane.shown.bar.classes.disabled
    pane.teaching.revealed = True
    assert set(drawn(pane.shown.histograms["mass"])) == {"QCD", "top"}


def test_observables_are_added_and_columns_of_the_sample_are_offered(pane):
    pane.sample.add(loss=np.linspace(0, 3, 400))
    pane.shown.shown.value = ["mass", "loss", "tau21"]
    pane.settle()
    assert pane.shown.ready == ["mass", "loss", "tau21"]
    assert len(pane.shown.grid.objects) == 3


def test_other_bins_and_a_logarithmic_axis_show_the_same_jets(pane):
    histogram, binning = pane.shown.histograms["mass"], pane.shown.binning
    binning.which.value = "mass"
    binning.number.value, binning.low.value, binning.high.value = 10, 0.0, 500.0
    binning.apply()
    assert [len(of["value"]) for of in drawn(histogram).values()] == [10, 10]
    assert len(histogram.picture.drawn["edges"]) == 11
    jets = drawn(histogram)
    pane.shown.logarithmic.value = True
    assert histogram.picture.drawn["logarithmic"]
    assert histogram.picture.drawn["low"] > 0
    assert drawn(histogram) == jets
    pane.shown.logarithmic.value = False
    assert histogram.picture.drawn["low"] == 0
    binning.low.value, binning.high.value = 100.0, 50.0
    binning.apply()
    assert "smaller first" in binning.told.object
    binning.low.value, binning.high.value = 50.0, 100.0
    binning.select()
    assert pane.selection.ranges == {"mass": (50, 100)}


def test_a_threshold_that_is_dragged_is_passed_on_once_and_said(pane):
    moved = []
    pane.sample.add(score=np.linspace(0, 1, 400))
    pane.shown.moved = moved.append
    pane.shown.cut(0.9)
    histogram = pane.shown.histograms["score"]
    histogram.mark()
    assert "0.900, where εS first reaches 0.5" in pane.check("score")
    assert histogram.picture.marks["threshold"] == 0.9
    histogram.picture._handle_msg({"kind": "threshold", "at": 0.4, "final": False})
    pane.shown.beat()
    pane.shown.beat()
    assert moved == [0.4]
    pane.shown.cut(0.4)
    histogram.mark()
    assert "0.400, set by hand" in pane.check("score")


def test_numbers_and_python_of_a_pane_can_be_taken_away(pane):
    table = pane.shown.histograms["mass"].table
    assert list(table.columns) == [
        "sample", "class", "mass from [GeV]", "mass to [GeV]", "density [1/GeV]", "error [1/GeV]",
    ]  # fmt: skip
    assert len(table) == 100
    compile(pane.shown.histograms["mass"].code, "pane", "exec")


def test_weights_make_jets_worth_less_than_they_are():
    weight = np.where(np.arange(400) % 4 == 0, 5.0, 1.0)
    jets = type(JETS)(JETS.constituents, JETS.p4, JETS.label, JETS.classes, weight, {}, JETS.origin)
    said = composition(jets, np.ones(400, bool))
    assert said.endswith(f"worth {weight.sum() ** 2 / np.sum(weight**2):,.0f} jets of equal weight.")
    assert "purity 25 ± 3 % top" in said


def test_nothing_selected_one_jet_and_undefined_values_are_no_errors(pane):
    pane.selection.brush("mass", 1e6, 1e7)
    assert "No jet is selected" in pane.shown.told.object
    pane.sample.take(JETS[0])
    pane.settle()
    assert "1 jets" in pane.check("mass")
    pane.sample.take(JETS[np.zeros(400, bool)])
    pane.settle()
    assert pane.check("mass").startswith("0 jets")
    assert not any(sum(of["value"]) for of in pane.shown.histograms["mass"].picture.drawn["classes"])
    pane.sample.take(JETS)
    pane.settle()
    pane.sample.add(score=np.where(np.arange(400) < 10, np.nan, 0.5))
    assert "10 undefined" in pane.check("score")


def test_the_usual_range_of_a_column_holds_nearly_all_of_it():
    bins, low, high = usual_range(np.r_[np.linspace(3, 7, 10_000), 1e9, np.nan])
    assert bins == 50
    assert low == pytest.approx(3, abs=0.01)
    assert high == pytest.approx(7, abs=0.01)
    assert usual_range(np.array([np.nan]))[1] < usual_range(np.array([np.nan]))[2]
    assert usual_range(np.array([2.0]))[1:] == (1.5, pytest.approx(2.5))


def test_an_errand_that_sends_a_newer_one_of_another_kind_does_not_lose_it():
    errands, found = Errands(), []
    errands.send("measure", lambda: 1, lambda _: errands.send("compare", lambda: "new", found.append))
    errands.send("compare", lambda: "old", found.append)
    errands._usual.submit(lambda: None).result()
    while errands.doing:
        errands.collect()
    assert found == ["new"]
    errands.close()
