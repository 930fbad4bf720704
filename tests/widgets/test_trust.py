"""The panes that judge and compare maps: what they say, of whom, and what they say when it no longer holds."""

import ast
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.explanation.planted import planted_tagger
from workbench.explanation.trust import assess
from workbench.jobs.job import Job
from workbench.simulate.planted import planted_jets
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets import study
from workbench.widgets.analysis import Analysis
from workbench.widgets.comparison_of_maps import CHANGED, NO_SECOND, UNTRAINED, MapComparison
from workbench.widgets.errands import Errands
from workbench.widgets.relevance_study import Task
from workbench.widgets.trust import CHECK, NOT_YET, STALE, UNNAMED, Trust

JETS = planted_jets(60, seed=1)
TAGGER = planted_tagger()
FOUND = assess(TAGGER, JETS[:30], others=("LRP γ", "leave one out"))


def settle(errands):
    while errands.waiting or errands.doing:
        for future, *_ in list(errands._sent.values()):
            future.exception(60)
        errands.collect()


@pytest.fixture
def made():
    sample, errands = SampleState(), Errands()
    analysis = Analysis(sample, SelectionState(sample), errands)
    sample.take(JETS, source="wb.simulate.planted_jets(60, seed=1)")
    analysis.take(TAGGER, "Wired by hand", source="wb.open('planted.safetensors')")
    settle(errands)
    yield SimpleNamespace(analysis=analysis, sample=sample, errands=errands, settle=lambda: settle(errands))
    errands.close()


def shown(made):
    trust = Trust(made.analysis)
    trust.show(FOUND)
    return trust


def test_before_it_was_checked_there_is_a_sentence_and_a_button(made):
    trust = Trust(made.analysis)
    assert CHECK in NOT_YET
    assert "Not checked yet" in trust.told.object
    assert not trust.study.start.disabled
    assert not len(trust.pictures)


def test_every_verdict_stands_in_the_table_with_its_word(made):
    trust = shown(made)
    for badge in FOUND.badges:
        assert badge.check in trust.badges.object
    assert "✓ holds" in trust.badges.object
    assert "LRP ε on 30 jets" in trust.told.object
    assert not trust.warning.visible


def test_a_blind_rule_is_warned_of(made):
    trust = Trust(made.analysis)
    same = replace(FOUND.classes.cosine, value=np.ones(1))
    trust.show(replace(FOUND, classes=replace(FOUND.classes, cosine=same)))
    assert trust.warning.visible
    assert "✗ fails" in trust.badges.object


def test_the_pictures_hold_the_numbers_of_what_was_found(made):
    trust = shown(made)
    assert list(trust.across.factors) == list(FOUND.agreement.ways)
    np.testing.assert_allclose(trust.cells.data["value"], FOUND.agreement.rank.value.ravel(), rtol=1e-6)
    trust.kind.value = "overlap"
    np.testing.assert_allclose(trust.cells.data["value"], FOUND.agreement.overlap.value.ravel(), rtol=1e-6)
    curve = FOUND.curves.deletion("most")
    np.testing.assert_allclose(trust.curves["most"].data["change"], curve.value, atol=1e-6)
    assert list(trust.names.factors)[-1] == FOUND.randomisation.layers[0]
    assert "log-odds" in trust.area.object


def test_checks_that_were_not_made_are_named(made):
    trust = Trust(made.analysis)
    trust.show(
        replace(FOUND, curves=None, agreement=None, randomisation=None, missing={"curves": "no particles"})
    )
    assert "no particles" in trust.missing.object
    assert "Not measured" in trust.area.object
    assert "Nothing was compared" in trust.weakest.object


def test_what_was_checked_of_another_rule_is_said_to_be_old(made):
    trust = Trust(made.analysis)
    trust._asked = Task.of(made.analysis, 50), trust.way
    trust._take(FOUND)
    assert trust.stale.object == ""
    made.analysis.rule = "gamma"
    assert STALE in trust.stale.object
    made.analysis.rule = "epsilon"
    assert trust.stale.object == ""


def test_a_way_without_a_name_cannot_be_checked_and_another_sample_empties_the_pane(made):
    trust = shown(made)
    made.analysis.param.update(rule="gamma", attention="cp")
    assert trust.study.start.disabled
    assert UNNAMED in trust.study.told.object
    made.sample.take(planted_jets(10, seed=3))
    assert "Not checked yet" in trust.told.object
    assert not len(trust.pictures)


def test_the_lines_of_python_are_python_and_name_the_way(made):
    made.analysis.rule = "z+"
    text = Trust(made.analysis).code()
    ast.parse(text)
    assert "wb.assess(tagger, jets, way='LRP z⁺'" in text


def compared(made):
    comparison = MapComparison(made.analysis)
    comparison._first()
    made.settle()
    comparison._compare()
    made.settle()
    return comparison


def test_two_rules_are_compared_and_the_difference_is_the_second_less_the_first(made):
    comparison = compared(made)
    frame = comparison.frame()
    np.testing.assert_allclose(
        frame["B − A [log-odds]"], frame["B [log-odds]"] - frame["A [log-odds]"], atol=1e-6
    )
    first, second = (wb.explain(TAGGER, JETS[:1], rule=rule) for rule in ("epsilon", "gamma"))
    np.testing.assert_allclose(frame["A [log-odds]"], first.relevance[0], atol=1e-6)
    np.testing.assert_allclose(frame["B [log-odds]"], second.relevance[0], atol=1e-6)
    assert "absorbed by epsilon" in comparison.books.object
    assert comparison.scale.low == -comparison.scale.high


def test_the_comparison_follows_the_open_jet_and_the_choice(made):
    comparison = compared(made)
    made.analysis.selection.step(1)
    made.settle()
    comparison._compare()
    made.settle()
    assert len(comparison.frame()) == JETS.counts[made.analysis.selection.current]
    assert f"Jet {made.analysis.selection.current}: " in comparison.told.object
    comparison.against.value = UNTRAINED
    made.settle()
    assert "untrained" in comparison.titles[1].object
    assert not comparison.rule.visible
    ast.parse(comparison.code())


def test_what_cannot_be_compared_is_said(made):
    comparison = compared(made)
    comparison.networks.listed = lambda: {"Gone": "run:0123456789abcdef"}
    comparison.against.value = "network"
    made.settle()
    made.settle()
    assert "0123456789abcdef" in comparison.told.object


def test_a_tagger_on_observables_is_compared_in_the_table(made):
    sample = toy_jets(60, seed=1)
    made.sample.take(sample)
    made.analysis.take(
        wb.Tagger(network="mlp", observables=["mass", "girth"], epochs=1).fit(sample, seed=1), "MLP"
    )
    made.settle()
    comparison = compared(made)
    assert not comparison.maps.visible
    assert "girth" in comparison.rows.object


def test_samples_need_a_second_one_and_are_drawn_with_p_values(made):
    samples = MapComparison(made.analysis).samples
    assert NO_SECOND in samples.study.told.object
    assert samples.study.start.disabled
    beside = SampleState()
    beside.take(planted_jets(60, seed=2), source="wb.simulate.planted_jets(60, seed=2)")
    second = SelectionState(beside)
    made.analysis.beside_selection = second
    assert not samples.study.start.disabled
    found = wb.at_equal_score(TAGGER, JETS, beside.jets, permutations=19)
    samples.show(found)
    assert "at equal score" in samples.told.object
    assert list(samples.bins.factors) == list(found["species"].axis.words)
    samples.by.value = "deltar"
    np.testing.assert_allclose(samples.source.data["first"], found["deltar"].first.value, rtol=1e-6)
    assert len(samples.frame()) == len(found["deltar"].axis)
    ast.parse(samples.code())


def asked_for(made, monkeypatch):
    """The panes of two samples, and the arguments of what they ask of a worker."""
    asked = []
    monkeypatch.setattr(
        study, "submit_call", lambda function, *args, **how: asked.append((args, how)) or Job("")
    )
    beside = SampleState()
    beside.take(planted_jets(60, seed=2), source="wb.simulate.planted_jets(60, seed=2)")
    made.analysis.beside_selection = SelectionState(beside)
    return MapComparison(made.analysis).samples, asked


def test_both_samples_are_compared_through_their_selections(made, monkeypatch):
    samples, asked = asked_for(made, monkeypatch)
    made.analysis.selection.choose("multiplicity > 14")
    made.analysis.beside_selection.choose("multiplicity > 14")
    samples.study.ask()
    made.settle()
    (_, first, second), _ = asked[0]
    assert (first.counts > 14).all()
    assert (second.counts > 14).all()
    assert samples.code().count("wb.select(jets, '(multiplicity > 14)')") == 2


def test_what_was_compared_of_another_selection_is_said_to_be_old_and_another_sample_takes_it_away(
    made, monkeypatch
):
    samples, _ = asked_for(made, monkeypatch)
    samples._asked = samples._now()
    samples._take(wb.at_equal_score(TAGGER, JETS, planted_jets(60, seed=2), permutations=19))
    assert not samples.check.object
    made.analysis.selection.choose("multiplicity > 14")
    assert CHANGED in samples.check.object
    made.sample.take(toy_jets(20, 1))
    assert not samples.found
    assert not len(samples.content)


def test_a_way_that_has_no_name_is_not_replaced_by_another(made, monkeypatch):
    samples, asked = asked_for(made, monkeypatch)
    made.analysis.param.update(rule="gamma", attention="cp")
    samples.study.ask()
    made.settle()
    assert not asked
    assert samples.study.told.object == UNNAMED
