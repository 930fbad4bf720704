import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.toys import toy_jets
from workbench.data.jets import Jets, concatenate
from workbench.engines.tagging import Tagger
from workbench.engines.training import threads
from workbench.errors import DataError, TrainingError
from workbench.physics.roc import roc
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


@pytest.mark.parametrize("mean", [0.0, -0.5])
def test_a_class_whose_weights_sum_to_nothing_is_refused(jets, mean):
    weight = np.where(jets.is_class("top"), mean, 1.0)
    with pytest.raises(
        TrainingError, match="training jets of class 'top' sum to (0|-15), expected more than 0"
    ):
        Tagger(**SMALL).fit(replace(jets, weight=weight), seed=1)


def test_a_share_whose_weights_sum_to_nothing_is_named(jets):
    # One top jet has all the positive weight: whichever part lacks it cannot be used.
    weight = np.where(jets.is_class("top"), -0.01, 1.0)
    weight[1] = 10.0
    with pytest.raises(TrainingError, match="The weights of the (training|validation) jets of class 'top'"):
        Tagger(**SMALL).fit(replace(jets, weight=weight), seed=1)


@pytest.mark.parametrize(
    ("settings", "options", "sentence"),
    [
        ({"observables": []}, {}, "The observables are none; give at least one"),
        ({"observables": ["mass", "mass"]}, {}, "mass, mass; give at least one, and each once"),
        ({"network": "trees", "observables": []}, {}, "The observables are none"),
        ({"hidden_sizes": [8, 0]}, {}, r"hidden_sizes are \[8, 0\]; every layer needs at least one value"),
        ({}, {"seed": -1}, "The seed is -1; give a whole number from 0"),
        ({"network": "trees"}, {"seed": 2**32}, "The seed is 4294967296; give a whole number"),
        ({}, {"seed": 0.5}, "The seed is 0.5"),
        ({}, {"device": "cuda:99"}, "The device 'cuda:99' is not there; known here are cpu, auto"),
        ({"network": "trees"}, {"device": "abacus"}, "The device 'abacus' is not there"),
        ({"precision": "16-mixed"}, {}, "'16-mixed' needs a GPU; on a processor choose 'bf16-mixed'"),
        ({}, {"resume": "tagger.safetensors"}, "resume= is of str; give the fitted tagger"),
    ],
)
def test_what_a_fit_cannot_be_is_refused_with_a_sentence(jets, settings, options, sentence):
    with pytest.raises((TrainingError, DataError), match=sentence):
        Tagger(**SMALL | settings).fit(jets, **{"seed": 1} | options)


def test_what_is_no_sample_of_jets_is_refused(jets):
    with pytest.raises(TrainingError, match="The training sample is of ndarray; a tagger learns from Jets"):
        Tagger(**SMALL).fit(np.ones((3, 2)), seed=1)
    with pytest.raises(DataError, match="was given ndarray; load or simulate jets"):
        Tagger(**SMALL).fit(jets, seed=1).score(np.ones((3, 2)))


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


def test_three_classes_are_told_apart():
    classes = ("one", "two", "three")
    training, test = (toy_jets(450, seed=s, classes=classes) for s in (1, 2))
    for network in ("trees", "mlp", "pfn", "particlenet-lite"):
        engine = Tagger(network=network, epochs=6, batch_size=32, learning_rate=2e-3, iterations=20)
        right = np.argmax(engine.fit(training, seed=1).score(test), axis=1) == np.asarray(test.label)
        # A die with three sides is right for 250 or more of 450 (10 deviations above 150) never in practice.
        assert right.sum() >= 250, network


@pytest.mark.parametrize("network", ["trees", "mlp", "pfn"])
def test_jets_of_negative_weight_take_back_what_others_teach(network):
    # Half of the sample says the opposite with weight 1, and is taken back by the same jets with weight -0.9.
    truth = toy_jets(400, seed=1)
    lies = relabelled(truth, 1 - np.asarray(truth.label))
    jets = concatenate([truth, lies, replace(lies, weight=np.full(400, -0.9))])
    engine = Tagger(network=network, epochs=6, batch_size=256, learning_rate=3e-3, iterations=10)
    test = toy_jets(400, seed=2)
    right = np.argmax(engine.fit(jets, seed=1, validation=truth).score(test), axis=1) == np.asarray(
        test.label
    )
    # Without the signs one label in three would be right in the mean; a coin reaches 300 of 400 never (10 deviations).
    assert right.sum() >= 300


@pytest.mark.parametrize("network", ["trees", "mlp"])
def test_metrics_count_the_weights_of_the_validation_jets_with_their_signs(network, jets):
    weight = np.where(np.arange(60) % 10 < 2, -0.5, 1.0)
    closing = []
    fitted = Tagger(**SMALL | {"network": network, "iterations": 2}).fit(
        jets, seed=1, validation=replace(jets, weight=weight), report=closing.append
    )
    scores = closing[-1].extra["validation_scores"]
    expected = roc(jets.label, scores, signal="top", background="QCD", weight=weight)
    # Weights pass through single precision on their way to the loop.
    assert fitted.history[-1]["auc"] == pytest.approx(expected.auc, abs=1e-6)
    assert fitted.history[-1]["accuracy"] == pytest.approx(expected.accuracy, abs=1e-6)
    unweighted = roc(jets.label, scores, signal="top", background="QCD")
    assert abs(expected.auc - unweighted.auc) > 1e-4


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


@pytest.mark.parametrize("network", ["trees", "pfn"])
def test_scores_do_not_depend_on_how_many_jets_are_seen_at_a_time_and_a_stop_ends_early(
    network, jets, monkeypatch
):
    fitted = Tagger(network=network, epochs=1, batch_size=32, iterations=3).fit(jets, seed=1)
    whole, stop = fitted.logits(jets), threading.Event()
    monkeypatch.setattr("workbench.engines.fitted.PORTION", 7)
    np.testing.assert_allclose(fitted.logits(jets), whole, rtol=1e-5, atol=1e-6)
    assert fitted.logits(jets[:0]).shape == (0, len(fitted.classes))

    seen = []
    outputs = type(fitted)._outputs

    def two(tagger, batch, stop):
        seen.append(len(batch))
        if len(seen) == 2:
            stop.set()
        return outputs(tagger, batch, None)

    monkeypatch.setattr(type(fitted), "_outputs", two)
    assert len(fitted.score(jets, stop=stop)) == 14
    assert seen == [7, 7]


def test_a_stop_while_the_inputs_are_made_keeps_all_of_them_from_the_network(jets, monkeypatch):
    fitted, stop, sizes = Tagger(network="pfn", epochs=1).fit(jets, seed=1), threading.Event(), []
    inputs, forward = type(fitted).inputs, type(fitted.network).forward

    def stopped(tagger, some):
        stop.set()
        return inputs(tagger, some)

    def noted(network, x, counts):
        sizes.append(len(counts))
        return forward(network, x, counts)

    monkeypatch.setattr(type(fitted), "inputs", stopped)
    monkeypatch.setattr(type(fitted.network), "forward", noted)
    assert fitted.score(jets, stop=stop).shape == (0, 2)
    assert max(sizes, default=0) == 0


def test_two_sessions_that_compute_at_once_leave_the_number_of_threads_as_it_was():
    inside, leave, seen = threading.Barrier(2), [threading.Event(), threading.Event()], {}

    def session(which):
        with threads(1):
            inside.wait(60)
            seen[which] = torch.get_num_threads()
            leave[which].wait(60)

    before, sessions = torch.get_num_threads(), [threading.Thread(target=session, args=(i,)) for i in (0, 1)]
    for one in sessions:
        one.start()
    for event, one in zip(leave, sessions, strict=True):
        event.set()
        one.join(60)
    after = threading.Thread(target=lambda: seen.update(after=torch.get_num_threads()))
    after.start()
    after.join(60)
    assert seen == {0: 1, 1: 1, "after": before}
    assert torch.get_num_threads() == before


def test_more_threads_than_the_environment_allows_are_used_where_they_are_asked_for():
    # As in a worker process, whose environment has one.
    lines = (
        "import threading, torch",
        "from workbench.engines.training import threads",
        "def work():",
        "    with threads(2):",
        "        torch.ones(8) @ torch.ones(8)",
        "        print(torch.get_num_threads())",
        "one = threading.Thread(target=work)",
        "one.start()",
        "one.join()",
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("MKL_NUM_THREADS", None)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2"]


def test_scoring_takes_the_threads_of_its_engine_and_gives_them_back(monkeypatch):
    jets, seen = toy_jets(60, seed=1), []
    fitted = Tagger(network="mlp", observables=["mass"], epochs=1, threads=1).fit(jets, seed=1)
    before = torch.get_num_threads()
    fitted.network.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        fitted.score(jets)
        assert (set(seen), torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epoch": 3}, "no setting 'epoch'; did you mean 'epochs'"),
        ({"epochs": 0}, "must be at least 1"),
        ({"network": "partnet"}, "does not accept 'partnet'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_a_sentence(settings, sentence):
    with pytest.raises(TrainingError, match=sentence):
        Tagger(**settings)


def test_validation_jets_need_every_class_of_the_training_jets():
    three = toy_jets(90, seed=1, classes=("QCD", "W", "top"))
    two = toy_jets(60, seed=2)
    with pytest.raises(TrainingError, match="no jets of class 'W'"):
        Tagger(network="mlp", observables=["mass"], epochs=1).fit(three, seed=1, validation=two)
