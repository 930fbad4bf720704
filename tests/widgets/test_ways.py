"""How a jet is explained, chosen on a page: every way in words, each of them asked of the engine as it is named there."""

from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.data.explanation import Explanation, Ledger
from workbench.explanation.explain import ATTENTION as ENGINE_ATTENTION
from workbench.explanation.explain import METHODS as ENGINE_METHODS
from workbench.explanation.rules import RULES as ENGINE_RULES
from workbench.jobs.job import Answer, Job
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import ATTENTION, METHODS, RULES, SLOW, Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.ways import ALONE, EXPLAIN, METHOD_WORDS, NO_SOFTMAX, NOTHING, OTHERS, RULE_WORDS, Ways

JETS = toy_jets(40, 3)


class Planted:
    """A tagger of three classes without any merit."""

    classes = ("QCD", "W", "top")
    seed = 0
    engine = SimpleNamespace(network="planted")

    def score(self, jets, *, stop=None):
        return ClassArray(np.full((len(jets), 3), 1 / 3), self.classes)


class Two(Planted):
    """One of two."""

    classes = ("QCD", "top")

    def score(self, jets, *, stop=None):
        return ClassArray(np.full((len(jets), 2), 0.5), self.classes)


def explanation(jets, **how):
    relevance = jets.constituents.pt
    total = ak.to_numpy(ak.sum(relevance, axis=1))
    return Explanation(relevance, relevance[..., None], ("pt",), Ledger(total, {"inputs": total}), how=how)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ways(monkeypatch, asked):
    def explain(fitted, jets, **how):
        asked.append(how)
        return explanation(jets, **({"rule": how["rule"]} if "rule" in how else {}))

    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: explain)
    monkeypatch.setattr("workbench.widgets.ways.public", lambda name: explain)
    sample = SampleState()
    analysis = Analysis(sample, SelectionState(sample), Errands())
    made = Ways(analysis)
    sample.take(JETS)
    analysis.take(Planted(), "planted")
    analysis.selection.pick(5)
    settle(analysis.errands)
    yield made
    analysis.errands.close()


def test_every_way_of_the_engine_is_offered_in_words_but_what_standardised_inputs_cannot_have():
    left_out = {"alpha1beta0", "box-epsilon", "box-gamma-epsilon"}
    assert set(RULES) | left_out == set(ENGINE_RULES)
    assert set(RULES) == set(RULE_WORDS)
    assert set(METHODS) == set(ENGINE_METHODS) == set(METHOD_WORDS)
    assert set(ATTENTION) == set(ENGINE_ATTENTION)


@pytest.mark.parametrize(("against", "seed"), [("W", ("top", "W")), (OTHERS, "top"), (NOTHING, ("top",))])
def test_the_score_stands_against_a_class_all_others_or_nothing(ways, asked, against, seed):
    assert list(ways.background.options) == ["QCD", "W", "top", OTHERS, NOTHING]
    ways.background.value = against
    settle(ways.analysis.errands)
    assert asked[-1]["seed"] == seed
    assert (ways.signal.value, ways.background.value) == ("top", against)
    assert (ALONE in ways.said.object) is (against == NOTHING)
    # What the tagger is measured by stays a pair of classes.
    assert ways.analysis.seed == ("top", "W" if against == "W" else "QCD")
    ways.signal.value = "QCD"
    settle(ways.analysis.errands)
    assert asked[-1]["seed"] == {"W": ("QCD", "W"), OTHERS: "QCD", NOTHING: ("QCD",)}[against]
    ways.background.value = "W"
    settle(ways.analysis.errands)
    assert asked[-1]["seed"] == ("QCD", "W")


def test_a_network_of_two_classes_has_no_others(ways, asked):
    ways.background.value = OTHERS
    ways.analysis.take(Two(), "two")
    settle(ways.analysis.errands)
    assert (ways.analysis.opposed, ways.background.value) == ("background", "QCD")
    assert OTHERS not in ways.background.options
    ways.signal.value = "QCD"
    settle(ways.analysis.errands)
    assert asked[-1]["seed"] == ("QCD", "top")


def test_one_choice_explains_once(ways, asked):
    ways.background.value = OTHERS
    settle(ways.analysis.errands)
    before = len(asked)
    shown = []
    ways.analysis.param.watch(lambda event: shown.append(event.new), "explanation")
    ways.background.value = "W"
    settle(ways.analysis.errands)
    assert {repr(how["seed"]) for how in asked[before:]} == {"('top', 'W')"}
    assert len([one for one in shown if one is not None]) == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_chosen_rule_explains_the_open_jet_in_place(ways, asked, rule):
    ways.rule.value = rule
    settle(ways.analysis.errands)
    assert ways.analysis.explanation.how["rule"] == rule
    assert asked[-1]["rule"] == rule
    assert RULE_WORDS[rule].sentence in ways.said.object
    assert ways.analysis.selection.current == 5


def test_the_rule_that_is_blind_to_the_class_carries_its_badge(ways):
    assert not ways.warning.visible
    ways.rule.value = "z+"
    assert ways.warning.visible
    assert "cannot tell signal from background" in ways.badge.object
    ways.method.value = "occlusion"
    assert not ways.warning.visible


@pytest.mark.parametrize("method", [name for name in METHODS if name not in {"lrp", *SLOW}])
def test_another_method_is_asked_for_without_a_rule_and_for_no_other_jet(ways, asked, method):
    before = len(asked)
    ways.method.value = method
    settle(ways.analysis.errands)
    assert asked[before:] == [{"method": method, "seed": ("top", "QCD")}]
    assert ways.rule.disabled
    assert not ways.slow.visible


def test_a_slow_method_waits_to_be_asked_and_its_answer_is_kept(ways, asked, monkeypatch):
    job = Job(EXPLAIN)
    job.hand_over()
    sent = []
    monkeypatch.setattr(
        "workbench.widgets.study.submit_call", lambda *args, **how: sent.append((args, how)) or job
    )
    before = len(asked)
    ways.method.value = "shapley sampling"
    assert ways.slow.visible
    assert ways.analysis.explanation is None
    assert len(asked) == before
    ways.study.start.clicks += 1
    settle(ways.analysis.errands)
    (_, _, jets), how = sent[0]
    assert len(jets) == 1
    assert (how["method"], how["seed"]) == ("shapley sampling", ("top", "QCD"))
    found = explanation(JETS[5:6])
    job.finish(Answer(value=found))
    ways.beat()
    settle(ways.analysis.errands)
    assert ways.analysis.explanation is found
    ways.method.value = "lrp"
    ways.method.value = "shapley sampling"
    assert ways.analysis.explanation is found


def test_a_slow_method_without_an_open_jet_says_that_there_is_none(ways):
    ways.method.value = "shapley sampling"
    ways.analysis.sample.take(toy_jets(40, 4))
    assert ways.analysis.selection.current is None
    assert (ways.study.told.object, ways.study.start.disabled) == ("Open a jet first.", True)
    ways.analysis.selection.pick(3)
    assert not ways.study.start.disabled


def test_an_answer_that_comes_when_another_jet_is_open_is_not_shown_there(ways, monkeypatch):
    job = Job(EXPLAIN)
    job.hand_over()
    monkeypatch.setattr("workbench.widgets.study.submit_call", lambda *args, **how: job)
    ways.method.value = "shapley sampling"
    ways.study.ask()
    settle(ways.analysis.errands)
    ways.analysis.selection.pick(6)
    found = explanation(JETS[5:6])
    job.finish(Answer(value=found))
    ways.beat()
    settle(ways.analysis.errands)
    assert ways.analysis.explanation is None
    ways.analysis.selection.pick(5)
    assert ways.analysis.explanation is found


def test_a_class_clicked_on_is_explained_and_two_equal_ones_change_places(ways, asked):
    ways.signal.value = "W"
    settle(ways.analysis.errands)
    assert (ways.analysis.seed, asked[-1]["seed"]) == (("W", "QCD"), ("W", "QCD"))
    ways.background.value = "W"
    settle(ways.analysis.errands)
    assert ways.analysis.seed == ("QCD", "W")
    assert (ways.signal.value, ways.background.value) == ("QCD", "W")


def test_without_a_softmax_it_says_that_attention_makes_no_difference(ways, asked):
    assert NO_SOFTMAX in ways.said.object
    ways.attention.value = "cp"
    settle(ways.analysis.errands)
    assert asked[-1]["attention"] == "cp"


def test_trees_need_no_rule(ways):
    ways.analysis.explanation = explanation(JETS[5:6], method="interventional Shapley values")
    assert ways.rule.disabled
    assert "exact Shapley values" in ways.said.object
