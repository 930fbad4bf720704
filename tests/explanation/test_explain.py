"""Explanations of trained taggers."""

import copy
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation.explain import explain

from ..patience import After
from ..toys import toy_jets

OBSERVABLES = ["mass", "multiplicity", "girth"]
SETTINGS = {
    "trees": {"observables": OBSERVABLES, "iterations": 10, "leaves": 8},
    "mlp": {"observables": OBSERVABLES, "epochs": 2},
    "pfn": {"epochs": 3},
    "particlenet-lite": {"epochs": 2},
    "particlenet": {"epochs": 1, "batch_size": 16},
}
NETWORKS = [name for name in SETTINGS if name != "trees"]
JETS = toy_jets(40, seed=2)


@pytest.fixture(scope="module")
def taggers():
    known = {}

    def fitted(name):
        if name not in known:
            sample = toy_jets(80 if name == "particlenet" else 400, seed=1)
            known[name] = wb.Tagger(network=name, **SETTINGS[name]).fit(sample, seed=1)
        return known[name]

    return fitted


@pytest.mark.parametrize("rule", ["0", "epsilon"])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_books_of_every_trained_tagger_close(taggers, name, rule):
    explanation = explain(taggers(name), JETS, rule=rule)
    assert explanation.ledger.closes(1e-6).all(), explanation.ledger.rest
    logits = np.asarray(taggers(name).logits(JETS))
    np.testing.assert_allclose(explanation.ledger.score, logits[:, 1] - logits[:, 0], atol=1e-4)


@pytest.mark.parametrize("rule", ["0", "epsilon"])
@pytest.mark.parametrize("name", NETWORKS)
def test_in_double_precision_they_close_to_its_last_digits(taggers, name, rule):
    fitted = taggers(name)
    double = replace(fitted, network=copy.deepcopy(fitted.network).double())
    assert explain(double, JETS, rule=rule).ledger.closes(1e-12).all()


@pytest.mark.parametrize("name", ["mlp", "pfn"])
def test_jets_whose_books_stay_open_are_explained_again_in_double_precision(taggers, name, monkeypatch):
    fitted = taggers(name)
    single = explain(fitted, JETS, rule="0")
    double = explain(replace(fitted, network=copy.deepcopy(fitted.network).double()), JETS, rule="0")
    share = np.abs(single.ledger.rest) / single.ledger.scale
    middle = float(np.median(share))
    monkeypatch.setattr("workbench.explanation.explain.CLOSED", middle)
    mixed = explain(fitted, JETS, rule="0")
    for jet, again in enumerate(share > middle):
        expected = np.asarray((double if again else single).features[jet], dtype=np.float32)
        np.testing.assert_allclose(mixed.features[jet], expected, rtol=1e-7 if again else 0, atol=0)
    assert 0 < np.sum(share > middle) < len(JETS)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_inputs_line_is_the_sum_of_the_relevance(taggers, name):
    explanation = explain(taggers(name), JETS)
    inputs = explanation.ledger.lines["inputs"]
    # Relevance is kept in single precision: 7 digits of each of some hundred terms.
    np.testing.assert_allclose(np.asarray(ak.sum(explanation.relevance, axis=1)), inputs, atol=1e-4)
    np.testing.assert_allclose(np.asarray(ak.sum(explanation.features, axis=None)), inputs.sum(), atol=1e-3)


@pytest.mark.parametrize("name", ["pfn", "particlenet-lite", "particlenet"])
def test_particles_are_the_users_particles(taggers, name):
    explanation = explain(taggers(name), JETS)
    assert ak.num(explanation.relevance).tolist() == JETS.counts.tolist()
    assert explanation.feature_names == taggers(name).inputs(JETS).names
    assert ak.num(explanation.features, axis=2)[0, 0] == len(explanation.feature_names)


@pytest.mark.parametrize("name", ["trees", "mlp"])
def test_observables_are_explained_one_by_one(taggers, name):
    explanation = explain(taggers(name), JETS)
    assert explanation.feature_names == tuple(OBSERVABLES)
    np.testing.assert_array_equal(explanation.relevance, explanation.features)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_jet_is_explained_the_same_alone_and_in_company(taggers, name):
    together = explain(taggers(name), JETS, background=JETS)
    alone = explain(taggers(name), JETS[7:8], background=JETS)
    np.testing.assert_allclose(alone.relevance[0], together.relevance[7], atol=1e-5)
    for line, amount in alone.ledger.lines.items():
        np.testing.assert_allclose(amount[0], together.ledger.lines[line][7], atol=1e-5)


def test_many_jets_pass_in_portions_that_change_nothing(taggers, monkeypatch):
    whole = explain(taggers("pfn"), JETS)
    monkeypatch.setattr("workbench.explanation.explain.FIRST_JETS", 3)
    monkeypatch.setattr("workbench.explanation.explain.JETS_AT_ONCE", 11)
    monkeypatch.setattr("workbench.explanation.explain.VALUES_AT_ONCE", 5000)
    portions = explain(taggers("pfn"), JETS)
    np.testing.assert_allclose(ak.flatten(portions.relevance), ak.flatten(whole.relevance), atol=1e-5)
    np.testing.assert_allclose(portions.ledger.score, whole.ledger.score, atol=1e-5)


def test_it_says_how_far_it_is_and_stops_when_told(taggers, monkeypatch):
    monkeypatch.setattr("workbench.explanation.explain.FIRST_JETS", 10)
    steps = []

    class AfterTen:
        def is_set(self):
            return bool(steps)

    explanation = explain(taggers("mlp"), JETS, report=steps.append, stop=AfterTen())
    assert [(step.done, step.total, step.unit) for step in steps] == [(10, 40, "jets")]
    assert len(explanation) == 10
    np.testing.assert_allclose(explanation.relevance, explain(taggers("mlp"), JETS[:10]).relevance, atol=1e-6)


def test_stopped_before_the_first_jet_there_is_no_explanation(taggers):
    with pytest.raises(ExplanationError, match="stopped before"):
        explain(taggers("mlp"), JETS, stop=After(0))


@pytest.mark.parametrize("name", ["trees", "mlp"])
def test_the_score_is_the_one_that_was_asked_for(taggers, name):
    forth = explain(taggers(name), JETS)
    back = explain(taggers(name), JETS, seed=("QCD", "top"))
    assert (forth.how["seed"], back.how["seed"]) == ("top - QCD", "QCD - top")
    np.testing.assert_allclose(back.relevance, -forth.relevance, atol=1e-6)
    np.testing.assert_allclose(back.ledger.score, -forth.ledger.score, atol=1e-6)
    np.testing.assert_allclose(explain(taggers(name), JETS, seed="QCD").relevance, back.relevance, atol=1e-6)


def test_every_network_is_held_to_these_tests():
    assert set(SETTINGS) == set(wb.Tagger.param.network.objects)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_tagger_that_was_saved_is_explained_as_before(taggers, name, tmp_path):
    opened = wb.open(taggers(name).save(tmp_path / "tagger.safetensors", resumable=False))
    before, after = (explain(fitted, JETS) for fitted in (taggers(name), opened))
    np.testing.assert_array_equal(
        ak.flatten(after.features, axis=None), ak.flatten(before.features, axis=None)
    )
    assert after.ledger.lines.keys() == before.ledger.lines.keys()
    for line, amount in before.ledger.lines.items():
        np.testing.assert_array_equal(after.ledger.lines[line], amount)
    assert after.how == before.how


@pytest.mark.parametrize("name", SETTINGS)
def test_a_tagger_that_has_learned_nothing_has_books_that_close(name):
    fitted = wb.Tagger(network=name, **SETTINGS[name]).fit(JETS, seed=1, stop=After(0))
    explanation = explain(fitted, JETS[:5])
    assert explanation.ledger.closes(1e-6).all()
    if name == "trees":
        assert not np.any(explanation.relevance)


@pytest.mark.parametrize("name", SETTINGS)
def test_of_three_classes_one_stands_against_the_mean_of_the_others(name):
    jets = toy_jets(60 if name == "particlenet" else 300, seed=4, classes=("q", "W", "top"))
    fitted = wb.Tagger(network=name, **SETTINGS[name]).fit(jets, seed=1)
    explanation = explain(fitted, jets[:20])
    logits = np.asarray(fitted.logits(jets[:20]))
    np.testing.assert_allclose(explanation.ledger.score, logits[:, 2] - logits[:, :2].mean(axis=1), atol=1e-5)
    assert explanation.how["seed"] == "top - mean of q, W"
    assert explanation.ledger.closes(1e-6).all()


def test_trees_are_explained_against_the_background_that_is_stated(taggers):
    background = toy_jets(130, seed=9)
    explanation = explain(taggers("trees"), JETS, background=background)
    logits = np.asarray(taggers("trees").logits(background[:100]))
    assert explanation.how["background_jets"] == 100
    np.testing.assert_allclose(
        explanation.ledger.lines["background mean"], np.mean(logits[:, 1] - logits[:, 0])
    )


def test_trees_are_explained_against_training_jets_by_default(taggers):
    fitted = taggers("trees")
    alone, together = explain(fitted, JETS[7:8]), explain(fitted, JETS)
    np.testing.assert_allclose(alone.relevance[0], together.relevance[7], atol=1e-12)
    raw = fitted.network.raw(fitted.background)
    np.testing.assert_allclose(alone.ledger.lines["background mean"], raw.mean())
    assert alone.how["background_jets"] == len(fitted.background)


def test_a_jet_without_particles_has_only_biases_and_constants(taggers):
    one = JETS[:2]
    empty = replace(one, constituents=one.constituents[:, :0])
    explanation = explain(taggers("particlenet-lite"), empty)
    assert ak.num(explanation.relevance).tolist() == [0, 0]
    assert explanation.ledger.lines["inputs"].tolist() == [0.0, 0.0]
    assert explanation.ledger.closes(1e-6).all()


def test_explaining_leaves_the_tagger_as_it_was(taggers):
    fitted = taggers("particlenet-lite")
    before = np.asarray(fitted.logits(JETS))
    first = explain(fitted, JETS)
    np.testing.assert_array_equal(np.asarray(fitted.logits(JETS)), before)
    np.testing.assert_array_equal(ak.flatten(explain(fitted, JETS).relevance), ak.flatten(first.relevance))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rule": "epsilom"}, "did you mean 'epsilon'"),
        ({"seed": "topp"}, "did you mean 'top'"),
        ({"seed": ("top", "top")}, "two different classes"),
    ],
)
def test_what_is_not_known_is_named(taggers, options, match):
    with pytest.raises(ExplanationError, match=match):
        explain(taggers("mlp"), JETS, **options)


def test_what_is_no_tagger_or_no_jets_is_named(taggers):
    with pytest.raises(ExplanationError, match="found Jets and FittedTagger"):
        explain(JETS, taggers("mlp"))
    with pytest.raises(ExplanationError, match="The background has no jets"):
        explain(taggers("trees"), JETS, background=JETS[:0])
    with pytest.raises(ExplanationError, match="did you mean 'epsilon'"):
        explain(taggers("trees"), JETS, rule="epsilom")


def test_no_jets_cannot_be_explained(taggers):
    with pytest.raises(ExplanationError, match="no jets to explain"):
        explain(taggers("mlp"), JETS[:0])


class Given:
    """Inputs as they are given, in place of observables of jets."""

    def __init__(self, batch):
        self.batch = batch

    def __call__(self, jets):
        return replace(self.batch, x=self.batch.x[: len(jets)])


def test_an_input_that_is_no_number_is_named(taggers):
    batch = taggers("mlp").inputs(JETS)
    x = batch.x.clone()
    x[5, 1] = torch.nan
    fitted = replace(taggers("mlp"), normaliser=Given(replace(batch, x=x)))
    with pytest.raises(ExplanationError, match="'multiplicity' of jet 5"):
        explain(fitted, JETS)


class Hidden(torch.autograd.Function):
    """A step that the forward pass does not show: x squared."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient


class Squared(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 2, bias=False)

    def forward(self, x):
        return self.last(Hidden.apply(x * 10))


def test_a_step_that_cannot_be_followed_is_not_passed_over(taggers):
    with pytest.raises(ExplanationError, match="do not close"):
        explain(replace(taggers("mlp"), network=Squared().eval()), JETS)


def test_edges_and_shortcut_are_all_that_reaches_a_block(taggers):
    fitted, jets = taggers("particlenet-lite"), JETS[:5]
    explanation = explain(fitted, jets, record=True)
    for block in (0, 1):
        edges = explanation.recorded[f"edges {block}"]
        shortcut = ak.sum(explanation.recorded[f"blocks.{block}.shortcut"], axis=1)
        reached = ak.sum(explanation.recorded[f"blocks.{block}"], axis=1)
        np.testing.assert_allclose(ak.sum(edges.relevance, axis=1) + shortcut, reached, rtol=1e-9, atol=1e-12)
        assert ak.all(edges.i != edges.j)
        assert ak.all(edges.j < jets.counts[:, None])
        per_particle = ak.Array(
            [np.bincount(i, minlength=n) for i, n in zip(edges.i, jets.counts, strict=True)]
        )
        assert ak.all(per_particle == np.minimum(7, jets.counts - 1)[:, None])


def test_what_is_recorded_of_a_jet_is_the_same_in_company(taggers):
    fitted, jets = taggers("particlenet-lite"), JETS[:5]
    together, alone = explain(fitted, jets, record=True)[3], explain(fitted, jets[3], record=True)
    for name, relevance in alone.recorded.items():
        other = together.recorded[name]
        fields = ak.fields(relevance) or [None]
        for field in fields:
            one, two = (array[field] if field else array for array in (relevance, other))
            np.testing.assert_allclose(ak.flatten(one, axis=None), ak.flatten(two, axis=None), atol=1e-9)
