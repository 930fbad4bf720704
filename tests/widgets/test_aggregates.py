"""What the network uses over many jets, on the page: the figures and tables say what was measured, and of whom."""

import ast
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.data.explanation import Explanation, Ledger
from workbench.explanation.aggregation import aggregate, aggregated, compare_pairs
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.views.palette import class_colours
from workbench.widgets.aggregates import Aggregates
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.relevance_maps import IMAGE, LUND
from workbench.widgets.relevance_study import BY_OUTCOME, STALE, Task, log_odds

JETS = toy_jets(120, 3)


class Silent:
    """A tagger that is never asked."""

    classes = ("QCD", "top")

    def score(self, jets, *, stop=None):
        raise AssertionError


def planted(jets):
    """Relevance is pT for charged and -pT for neutral particles."""
    pt = jets.constituents.pt
    relevance = ak.where(jets.constituents.charge != 0, pt, -pt)
    total = np.asarray(ak.sum(relevance, axis=1))
    ledger = Ledger(total + 1.0, {"inputs": total, "biases": np.ones(len(jets))})
    return Explanation(relevance, relevance[..., None], ("pt",), ledger, how={"rule": "planted"})


def measured(jets):
    return aggregated([(jets, planted(jets))], signal="top", draws=20)


FOUND = measured(JETS)


@pytest.fixture
def made():
    sample, errands = SampleState(), Errands()
    analysis = Analysis(sample, SelectionState(sample), errands)
    page = Aggregates(analysis)
    yield SimpleNamespace(analysis=analysis, sample=sample, page=page)
    errands.close()


def shown(made, jets=JETS):
    """Shows planted explanations of the jets, as if the study had been run."""
    made.sample.take(jets, source="wb.load('jets')")
    made.analysis.param.update(fitted=Silent(), title="mine", signal="top", background="QCD")
    made.page._asked = Task.of(made.analysis, 0)
    found = FOUND if jets is JETS else measured(jets)
    made.page._take(found)
    return found


def text(pane):
    return pane.object


def test_before_anything_is_measured_there_is_a_sentence_and_a_button_that_says_what_it_needs(made):
    for part in (made.page.shares, made.page.maps, made.page.ledger, made.page.profiles):
        assert not len(part.content)
        assert "Not measured yet" in text(part.told)
    assert made.page.study.start.disabled
    assert "Choose a sample" in text(made.page.study.told)
    made.sample.take(JETS)
    made.page._follow()
    assert "Choose a tagger" in text(made.page.study.told)


def test_the_bars_are_the_shares(made):
    found = shown(made)
    made.page.shares.by.value = "charge"
    data = made.page.shares._drawn["charge ('charged', 'neutral')"][0].series.data
    expected = np.concatenate([found.shares["charge"].of(name).value for name in JETS.classes])
    np.testing.assert_allclose(data["value"], expected, rtol=1e-6)
    made.page.shares.what.value = "signed"
    data = made.page.shares._drawn["charge ('charged', 'neutral')"][0].series.data
    np.testing.assert_allclose(data["value"], expected * [1, -1, 1, -1], rtol=1e-6)
    assert "charged" in text(made.page.shares.numbers)
    assert "mine, 120 jets, score top − QCD" in text(made.page.shares.told)


def test_types_that_the_sample_does_not_know_are_not_offered(made):
    shown(made)
    assert "species" not in made.page.shares.by.options.values()
    assert made.page.shares.by.value in made.page.shares.by.options.values()


def test_outcomes_stand_beside_one_another_in_their_own_colours(made):
    found = shown(made)
    made.page.shares.split.value = BY_OUTCOME
    data = made.page.shares._drawn[f"{made.page.shares.by.value} ('charged', 'neutral')"][0].series.data
    outcomes = ("true positive", "false negative", "false positive", "true negative")
    there = [name for name in outcomes if name in found.groups]
    assert list(dict.fromkeys(data["series"])) == there
    colours = dict(zip(outcomes, class_colours(4), strict=True))
    assert dict(zip(data["series"], data["colour"], strict=True)) == {n: colours[n] for n in there}


def test_the_books_say_how_much_of_the_separation_is_relevance(made):
    found = shown(made)
    assert "inputs" in text(made.page.ledger.numbers)
    # The biases are the same in both classes, so all that separates them is relevance of the inputs.
    assert "100% is relevance of the inputs" in text(made.page.ledger.said)
    assert len(made.page.ledger.numbers_shown()) == len(found.groups) * 3


def test_the_maps_show_both_classes_on_one_scale_until_asked_for_two(made):
    found = shown(made)
    maps = made.page.maps
    planes = maps._planes[IMAGE]
    mean = found.images.means["top"].mean
    there = np.isfinite(planes.sources[1].data["image"][0])
    np.testing.assert_allclose(planes.sources[1].data["image"][0][there], mean[there], rtol=1e-5)
    assert planes.scales[0].high == planes.scales[1].high == -planes.scales[0].low
    maps.own.value = True
    assert planes.scales[1].high == pytest.approx(np.abs(mean).max())
    maps.kind.value = LUND
    z = maps._planes[LUND].sources[2].data["image"][0]
    expected = found.shares["lund"].difference("top", "QCD", "amount").significance
    known = np.isfinite(z)
    np.testing.assert_allclose(z[known], expected.reshape(12, 10).T[known], rtol=1e-4)
    assert "standard errors" in text(maps.said)


def test_profiles_and_correlations_are_those_of_the_study(made):
    found = shown(made)
    made.page.profiles.against.value = "mass"
    part = next(
        d for d in found.dependences if (d.observable, d.quantity, d.group) == ("mass", "score", "QCD")
    )
    data = made.page.profiles.sources.series.data
    known = np.isfinite(part.profile.value)
    np.testing.assert_allclose(data["value"][data["series"] == "QCD"], part.profile.value[known], rtol=1e-5)
    assert f"{float(part.correlation.value):.3f}" in text(made.page.profiles.numbers)
    assert made.page.profiles.plot.xaxis[0].axis_label == "mass [GeV]"


def test_another_rule_makes_it_stale_and_another_sample_takes_it_away(made):
    shown(made)
    assert not text(made.page.stale)
    made.analysis.rule = "0"
    assert STALE in text(made.page.stale)
    made.sample.take(toy_jets(20, 1))
    assert not text(made.page.stale)
    assert not len(made.page.shares.content)


def test_another_selection_makes_shares_and_pairs_stale_and_the_python_stays_that_of_what_is_shown(made):
    shown(made)
    pairs = made.page.pairs
    pairs._shown, pairs.finding = Task.of(made.analysis, 0), "pairs"
    before = made.page.shares.lines()
    made.analysis.selection.choose("multiplicity > 14")
    assert STALE in text(made.page.stale)
    assert STALE in text(pairs.stale)
    assert made.page.shares.lines() == before
    made.analysis.selection.choose("")
    assert not text(made.page.stale) + text(pairs.stale)


def test_what_ends_after_the_sample_has_changed_is_not_shown(made):
    found = shown(made)
    made.sample.take(toy_jets(20, 1))
    made.page._take(found)
    assert not len(made.page.shares.content)


def test_jets_are_drawn_at_random_from_the_selection(made):
    shown(made)
    made.analysis.selection.choose("multiplicity > 14")
    task = Task.of(made.analysis, 20)
    assert len(task.jets) == 20
    assert (task.jets.counts > 14).all()
    assert len(Task.of(made.analysis, 0).jets) == np.count_nonzero(JETS.counts > 14)


def test_every_pane_gives_numbers_and_python_that_can_be_read(made):
    shown(made)
    for part in (made.page.shares, made.page.maps, made.page.ledger, made.page.profiles):
        assert len(part.numbers_shown())
        code = part.lines()
        ast.parse(code)
        assert (
            "found = wb.aggregate(tagger, jets, rule='epsilon', attention='attnlrp', seed=('top', 'QCD'), threshold=0)"
            in code
        )
        assert part.figure()


def test_jets_without_classes_are_shown_all_together(made):
    bare = toy_jets(60, 1)
    jets = wb.Jets.of(bare.constituents)
    shown(made, jets)
    assert "all jets" in text(made.page.shares.numbers)
    assert "Two classes are needed" in text(made.page.maps._planes[IMAGE].titles[2])


def test_a_tagger_of_observables_has_shares_and_no_maps(made):
    trees = wb.Tagger(network="trees", iterations=3, leaves=4, observables=["mass", "girth"])
    fitted = trees.fit(toy_jets(200, 1), seed=1)
    made.sample.take(JETS)
    made.analysis.param.update(fitted=fitted, signal="top", background="QCD")
    made.page._asked = Task.of(made.analysis, 0)
    made.page._take(aggregate(fitted, JETS[:50], draws=10))
    assert list(made.page.shares.by.options.values()) == ["feature"]
    assert "mass" in text(made.page.shares.numbers)
    assert "no particles" in text(made.page.maps.said)


def test_pairs_stand_beside_random_and_untrained_ones(made):
    fitted = wb.Tagger(network="particlenet-lite", epochs=1).fit(toy_jets(40, 1), seed=1)
    shown(made)
    pane = made.page.pairs
    pane._asked = Task.of(made.analysis, 0)
    found = compare_pairs(fitted, JETS[:16], draws=10)
    pane._taken(found)
    assert (pane.block.value, pane.group.value) == ("2", "top")
    data = pane.across.series.data
    assert list(dict.fromkeys(data["series"])) == ["most relevant", "random edges", "untrained network"]
    part = next(p for p in found if (p.block, p.group, p.source) == (1, "top", "most relevant"))
    np.testing.assert_allclose(data["value"][:20], part.between.value, rtol=1e-6)
    pane.block.value = "1"
    part = next(p for p in found if (p.block, p.group, p.source) == (0, "top", "most relevant"))
    np.testing.assert_allclose(pane.across.series.data["value"][:20], part.between.value, rtol=1e-6)
    assert "past its edges" in text(pane.said)
    assert len(pane.numbers_shown()) == len(found) * 56
    ast.parse(pane.lines())


def test_a_cut_on_the_score_is_a_threshold_in_log_odds():
    assert log_odds(0.5) == 0
    assert log_odds(0.9) == pytest.approx(np.log(9))
    assert log_odds(None) == 0
    assert np.isfinite([log_odds(0.0), log_odds(1.0)]).all()
