"""What a network learned, without a browser and without workers."""

import ast
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.engines.tagging import Tagger
from workbench.jobs.job import Answer, Job
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets import study as studies
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.layer_probes import TREES
from workbench.widgets.translation import Translation

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture(scope="module")
def jets():
    return toy_jets(400, seed=1)


@pytest.fixture(scope="module")
def pfn(jets):
    return Tagger(network="pfn", epochs=2, phi_sizes=[12, 8], f_sizes=[6]).fit(jets, seed=1)


@pytest.fixture(scope="module")
def trees(jets):
    return Tagger(network="trees", iterations=3, observables=["mass"]).fit(jets, seed=1)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def translation(monkeypatch, asked):
    """The panes; a job is done at once, in this process."""

    def at_once(function, fitted, jets, name="", owner="", note=None, urgent=False, **arguments):
        asked.append(SimpleNamespace(function=function, fitted=fitted, jets=jets, arguments=arguments))
        job = Job(name)
        job.finish(Answer(value=function(fitted, jets, **arguments)))
        return job

    monkeypatch.setattr(studies, "submit_call", at_once)
    sample, errands = SampleState(), Errands()
    made = Translation(Analysis(sample, SelectionState(sample), errands))
    made.__panel__()
    yield made
    errands.close()


def settle(translation):
    errands = translation.observables.analysis.errands
    for _ in range(50):
        for future, *_ in list(errands._sent.values()):
            future.exception(60)
        errands.collect()
        translation.beat()
        if not errands.waiting:
            return


def opened(translation, jets, fitted):
    analysis = translation.observables.analysis
    analysis.sample.take(jets, "toys")
    analysis.take(fitted, "toy", source="wb.open('toy.safetensors')")
    settle(translation)
    return analysis


def run(translation, study):
    study.study.ask()
    settle(translation)
    assert study.found is not None, study.study.told.object


def test_before_there_is_a_tagger_each_study_says_what_it_waits_for(translation, jets):
    for study in translation.findings:
        assert study.study.told.object == "Train or open a tagger first."
        assert study.study.start.disabled
        assert not study.content.visible
    translation.observables.analysis.sample.take(jets, "toys")
    assert translation.formula.study.start.disabled


def test_a_sample_without_one_of_the_classes_is_not_studied(translation, jets, pfn):
    opened(translation, jets[np.asarray(jets.is_class("top"))], pfn)
    assert translation.observables.study.told.object == "The sample has no jets of QCD; choose one that has."


def test_named_observables_are_found_and_shown_with_the_numbers_of_the_search(translation, jets, pfn):
    opened(translation, jets, pfn)
    study = translation.observables
    study.degree.value = 0
    run(translation, study)
    found = study.found
    assert (
        list(study.factors.factors)
        == [f"{'+ ' if i else ''}{name}" for i, name in enumerate(found.names)][::-1]
    )
    np.testing.assert_allclose(study.points.data["ado"], found.columns()["ado"], rtol=1e-6)
    assert study.network.location == found.network.value
    assert study.content.visible
    assert found.names[0] in study.ended.object
    assert "20 observables to choose from" in study.check.object
    assert list(study.numbers()["name"]) == list(found.names)


def test_layers_are_probed_and_compared(translation, jets, pfn):
    opened(translation, jets, pfn)
    study = translation.layers
    study.names.value = ["mass", "multiplicity"]
    run(translation, study)
    probes, alike = study.found
    assert list(study.layers.factors) == list(probes.layers)[::-1]
    np.testing.assert_allclose(study.known.data["value"], probes.r2.ravel(), rtol=1e-6)
    np.testing.assert_allclose(study.alike.data["value"], alike.value.ravel(), rtol=1e-6)
    assert "Control, observables shuffled" in study.check.object
    assert len(study.numbers()) == len(probes.layers) * (2 + len(probes.layers))


def test_trees_have_no_layers_and_the_pane_says_so(translation, jets, trees):
    opened(translation, jets, trees)
    assert translation.layers.study.told.object == TREES
    assert not translation.observables.study.start.disabled


def test_a_network_without_an_observable_is_shown_beside_itself(translation, jets, pfn):
    opened(translation, jets, pfn)
    study = translation.without
    study.names.value = ["pt"]
    run(translation, study)
    assert list(study.factors.factors) == ["pt"]
    assert study.own.location == study.found.rows[0].auc.value
    assert study.table.object.count("<tr>") == 3
    assert "Boosted trees on observables" in study.check.object


def test_formulas_are_listed_with_what_they_explain(translation, jets, pfn):
    opened(translation, jets, pfn)
    study = translation.formula
    study.names.value = ["mass", "multiplicity"]
    run(translation, study)
    assert study.table.object.count("score ≈") == len(study.found.found)
    assert "not among all formulas" in study.check.object
    study.names.value = []
    assert study.study.told.object == "Choose an observable that may stand in the formula."


def test_another_tagger_or_sample_forgets_what_was_found(translation, jets, pfn, trees):
    analysis = opened(translation, jets, pfn)
    run(translation, translation.formula)
    analysis.take(trees, "other")
    assert translation.formula.found is None
    assert not translation.formula.content.visible
    run(translation, translation.formula)
    analysis.sample.take(jets[:300], "fewer")
    settle(translation)
    assert translation.formula.found is None


def test_what_was_asked_of_another_tagger_is_not_shown(translation, jets, pfn, trees):
    opened(translation, jets, pfn)
    study = translation.formula
    study._asked = replace(study._now(500), fitted=trees)
    study._take("of the other")
    assert study.found is None


def test_what_was_asked_of_another_score_is_not_shown(translation, jets, pfn):
    analysis = opened(translation, jets, pfn)
    study = translation.formula
    study._asked = study._now(500)
    analysis.against(analysis.background, analysis.signal)
    study._take("of the other score")
    assert study.found is None


def test_the_python_of_what_was_found_says_what_was_asked_then(translation, jets, pfn):
    opened(translation, jets, pfn)
    study = translation.formula
    run(translation, study)
    asked = study.code("print(found)")
    study.names.value = ["mass"]
    study.jets.value = 500
    assert study.code("print(found)") == asked


def test_only_jets_that_the_fit_never_saw_are_studied_and_as_many_as_asked_for(translation, jets, pfn, asked):
    analysis = opened(translation, jets, pfn)
    analysis.unseen = np.arange(len(jets)) >= 100
    study = translation.formula
    run(translation, study)
    assert len(asked[-1].jets) == 300
    study.jets.options = {"50": 50}
    study.jets.value = 50
    assert len(study.chosen(study.jets.value)) == 50
    kept = {float(pt) for pt in jets[analysis.unseen].p4.pt}
    assert {float(pt) for pt in study.chosen(study.jets.value).p4.pt} <= kept


def test_the_python_of_each_study_says_what_was_asked(translation, jets, pfn):
    opened(translation, jets, pfn)
    for study in translation.findings:
        text = study.code("print(found)")
        ast.parse(text)
        module, name = study.function.split(".")
        assert f"from workbench.explanation.{module} import {name}" in text
        assert "tagger = wb.open('toy.safetensors')" in text
        for key, value in study.arguments().items():
            assert f"{key}={value!r}" in text
