from dataclasses import replace

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.jets import Jets
from workbench.engines.tagging import Tagger
from workbench.errors import DataError, TrainingError
from workbench.progress import Outcome

SMALL = {"network": "mlp", "epochs": 2, "batch_size": 32}


@pytest.fixture(scope="module")
def jets():
    return toy_jets(60, seed=1)


def relabelled(jets, label, classes=None):
    return Jets.of(jets.constituents, label=np.asarray(label), classes=classes or jets.classes)


@pytest.mark.parametrize(
    ("label", "classes", "sentence"),
    [
        ([-1] * 10 + [0, 1] * 25, ("QCD", "top"), "10 of 60 training jets have no label"),
        ([0] * 60, ("QCD", "top"), "no jets of class 'top'"),
        ([0] * 60, ("QCD",), "a tagger needs two or more"),
        ([0] * 59 + [1], ("QCD", "top"), "Class 'top' has one jet"),
    ],
)
def test_labels_that_cannot_be_learned_from_are_refused(jets, label, classes, sentence):
    with pytest.raises(TrainingError, match=sentence):
        Tagger(**SMALL).fit(relabelled(jets, label, classes), seed=1)


def test_an_empty_sample_and_a_single_jet_are_refused(jets):
    with pytest.raises(TrainingError, match="has no jets"):
        Tagger(**SMALL).fit(jets[:0], seed=1)
    with pytest.raises(TrainingError, match="no jets of class 'top'"):
        Tagger(**SMALL).fit(jets[:1], seed=1)


def test_a_class_of_weight_zero_is_refused(jets):
    weight = np.where(jets.is_class("top"), 0.0, 1.0)
    with pytest.raises(TrainingError, match="jets of class 'top' do not sum to a positive number"):
        Tagger(**SMALL).fit(replace(jets, weight=weight), seed=1)


def test_a_resume_of_another_fit_is_refused(jets):
    fitted = Tagger(**SMALL).fit(jets, seed=1)
    with pytest.raises(TrainingError, match="same seed: it was 1 and is now 2"):
        Tagger(**SMALL).fit(jets, seed=2, resume=fitted)
    with pytest.raises(TrainingError, match="same fingerprint"):
        Tagger(**SMALL).fit(jets[:50], seed=1, resume=fitted)
    with pytest.raises(TrainingError, match=r"same hidden_sizes: it was \[64, 64, 64\] and is now \[8\]"):
        Tagger(**SMALL, hidden_sizes=[8]).fit(jets, seed=1, resume=fitted)
    with pytest.raises(TrainingError, match="same network"):
        Tagger(**SMALL | {"network": "pfn"}).fit(jets, seed=1, resume=fitted)


def test_validation_jets_may_name_their_classes_in_another_order(jets):
    swapped = relabelled(jets, 1 - np.asarray(jets.label), ("top", "QCD"))
    straight = relabelled(jets, np.asarray(jets.label))
    one, two = (Tagger(**SMALL).fit(jets, seed=1, validation=v) for v in (swapped, straight))
    assert one.history[0]["validation_loss"] == two.history[0]["validation_loss"]


def test_validation_jets_of_another_class_are_refused(jets):
    with pytest.raises(TrainingError, match="a class 'W' that the training sample lacks"):
        Tagger(**SMALL).fit(jets, seed=1, validation=relabelled(jets, jets.label, ("QCD", "W")))


def test_the_same_share_of_every_class_is_set_aside():
    label = [0] * 40 + [1] * 20
    jets = relabelled(toy_jets(60, seed=1), label)
    sizes = []
    Tagger(**SMALL | {"validation_fraction": 0.25}).fit(
        jets,
        seed=1,
        report=lambda step: sizes.append(np.bincount(step.extra["validation_label"])) if step.final else None,
    )
    assert sizes[0].tolist() == [10, 5]


@pytest.mark.parametrize("network", ["trees", "mlp", "pfn", "particlenet-lite"])
def test_one_prong_is_told_from_two(network):
    training, test = toy_jets(400, seed=1), toy_jets(400, seed=2)
    fitted = Tagger(network=network, epochs=4, batch_size=32, learning_rate=1e-3, iterations=20).fit(
        training, seed=1
    )
    right = np.argmax(fitted.score(test), axis=1) == np.asarray(test.label)
    # A coin is right for 240 or more of 400 once in 30,000 tries; the planted truth is easier than that.
    assert right.sum() >= 360


def test_scaling_all_weights_changes_nothing(jets):
    one = Tagger(**SMALL).fit(jets, seed=1)
    ten = Tagger(**SMALL).fit(replace(jets, weight=8 * jets.weight), seed=1)
    assert np.array_equal(one.score(jets), ten.score(jets))


@pytest.mark.parametrize("network", ["trees", "mlp"])
def test_negative_weights_are_learned_with(network, jets):
    weight = np.where(np.arange(60) % 10 < 2, -0.5, 1.0)
    fitted = Tagger(**SMALL | {"network": network, "iterations": 5}).fit(replace(jets, weight=weight), seed=1)
    assert np.isfinite(fitted.score(jets)).all()


def test_trees_end_when_the_validation_loss_no_longer_improves():
    fitted = Tagger(network="trees", iterations=400, patience=3, shrinkage=1.0).fit(
        toy_jets(200, seed=1), seed=1
    )
    losses = [row["validation_loss"] for row in fitted.history]
    assert fitted.outcome is Outcome.EARLY
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    assert len(fitted.network.output) == int(np.argmin(losses)) + 1


def test_a_feature_that_the_jets_lack_is_named(jets):
    with pytest.raises(DataError, match="'photon' needs the constituents' 'pid'"):
        Tagger(network="pfn", features=["photon"], epochs=1).fit(jets, seed=1)


def test_a_jet_of_one_particle_and_one_of_none_are_scored(jets):
    for network in ("trees", "mlp", "pfn", "particlenet-lite"):
        fitted = Tagger(network=network, epochs=1, batch_size=32, iterations=3).fit(jets, seed=1)
        few = Jets.of(jets.constituents[:2, :1], p4=jets.p4[:2])
        none = Jets.of(jets.constituents[:2, :0], p4=jets.p4[:2])
        assert np.isfinite(fitted.score(few)).all()
        assert np.isfinite(fitted.score(none)).all()
