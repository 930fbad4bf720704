"""What every tagger must do, whatever its network. A new network enters by its name in `Tagger.network`."""

import random
import threading
from dataclasses import replace

import numpy as np
import param
import pytest
import torch

from tests.patience import After
from tests.toys import toy_jets
from workbench.data.jets import Jets
from workbench.engines.store import open as open_model
from workbench.engines.tagging import Tagger
from workbench.physics.roc import roc
from workbench.progress import Outcome

NETWORKS = Tagger.param.network.objects
SMALL = {"epochs": 2, "batch_size": 32, "iterations": 5, "leaves": 4, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def jets():
    return toy_jets(96, seed=1, mean_constituents=8)


@pytest.fixture(scope="module", params=NETWORKS)
def fitted(request, jets):
    return Tagger(network=request.param, **SMALL).fit(jets, seed=1)


def test_scores_are_probabilities_with_the_names_of_the_classes(fitted, jets):
    scores = fitted.score(jets)
    assert scores.shape == (len(jets), 2)
    assert scores.classes == ("QCD", "top")
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-12)
    assert (np.asarray(scores) >= 0).all()


def test_log_odds_of_the_scores_are_differences_of_the_logits(fitted, jets):
    scores, logits = np.asarray(fitted.score(jets)), np.asarray(fitted.logits(jets))
    assert np.allclose(np.log(scores[:, 1] / scores[:, 0]), logits[:, 1] - logits[:, 0], atol=1e-9)


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(fitted, jets):
    again = fitted.engine.fit(jets, seed=1)
    assert np.array_equal(again.score(jets), fitted.score(jets))
    assert again.history[-1]["loss"] == fitted.history[-1]["loss"]
    other = fitted.engine.fit(jets, seed=2)
    assert not np.array_equal(other.score(jets), fitted.score(jets))


def test_a_saved_tagger_opens_equal(fitted, jets, tmp_path):
    opened = open_model(fitted.save(tmp_path / "tagger.safetensors"))
    assert np.array_equal(opened.score(jets), fitted.score(jets))
    assert opened.engine.settings() == fitted.engine.settings()
    assert opened.history == fitted.history
    assert opened.card == fitted.card
    assert (opened.classes, opened.outcome, opened.seed) == (fitted.classes, fitted.outcome, fitted.seed)
    assert opened.parameters == fitted.parameters == fitted.card["parameters"]


def test_the_order_of_constituents_has_no_influence(fitted, jets):
    # Built directly: Jets.of would sort the constituents again.
    backwards = Jets(
        jets.constituents[:, ::-1], p4=jets.p4, label=jets.label, classes=jets.classes, weight=jets.weight
    )
    assert np.allclose(fitted.logits(backwards), fitted.logits(jets), atol=1e-5)


def test_no_global_generator_is_touched(fitted, jets):
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    threads = torch.get_num_threads()
    fitted.engine.fit(jets, seed=3)
    fitted.score(jets)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    assert torch.get_num_threads() == threads


def test_a_stop_before_the_first_epoch_leaves_a_usable_tagger_that_says_so(fitted, jets, tmp_path):
    stop = threading.Event()
    stop.set()
    unlearned = fitted.engine.fit(jets, seed=1, stop=stop)
    assert unlearned.outcome is Outcome.UNLEARNED
    assert unlearned.history == ()
    assert np.isfinite(unlearned.score(jets)).all()
    opened = open_model(unlearned.save(tmp_path / "unlearned.safetensors"))
    assert np.array_equal(opened.score(jets), unlearned.score(jets))


def looks_per_epoch(fitted):
    """How often a fit on the 96 jets looks at its stop in an epoch, batches and portions of the validation.

    Trees look once per iteration, after it has grown, and forget the one that was stopped.
    """
    if fitted.engine.network == "trees":
        return 0
    looks, steps = [0], []

    class Counter:
        def is_set(self):
            looks[0] += 1
            return False

    fitted.engine.fit(
        toy_jets(96, seed=1, mean_constituents=8),
        seed=1,
        stop=Counter(),
        report=lambda step: steps.append(looks[0]) if step.final else None,
    )
    return steps[0]


def test_a_stopped_fit_keeps_its_best_epoch_and_goes_on_as_if_never_stopped(fitted, jets, tmp_path):
    stopped = fitted.engine.fit(jets, seed=1, stop=After(looks_per_epoch(fitted) + 1))
    assert stopped.outcome is Outcome.STOPPED
    assert len(stopped.history) == 1
    opened = open_model(stopped.save(tmp_path / "stopped.safetensors"))
    for unfinished in (stopped, opened):
        resumed = fitted.engine.fit(jets, seed=1, resume=unfinished)
        assert np.array_equal(resumed.score(jets), fitted.score(jets))
        losses = [[row["validation_loss"] for row in run.history] for run in (resumed, fitted)]
        assert losses[0] == losses[1]


def test_two_and_three_more_epochs_at_a_constant_rate_are_five_epochs(fitted, jets):
    settings = fitted.engine.settings() | {"schedule": "constant"}
    two, five = (Tagger(**settings | {"epochs": n, "iterations": n}) for n in (2, 5))
    resumed = five.fit(jets, seed=1, resume=two.fit(jets, seed=1))
    assert np.array_equal(resumed.score(jets), five.fit(jets, seed=1).score(jets))
    assert len(resumed.history) == 5


def test_reports_count_up_and_close_every_epoch(fitted, jets):
    steps = []
    run = fitted.engine.fit(jets, seed=1, report=steps.append)
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert steps[0].done == 0
    closing = [s for s in steps if s.final]
    assert [s.epoch for s in closing] == list(range(1, len(run.history) + 1))
    for step, row in zip(closing, run.history, strict=True):
        assert step.metrics == row
        assert {"loss", "validation_loss", "accuracy", "auc", "jets_per_second"} <= set(step.metrics)
        assert step.extra["validation_scores"].shape == (len(step.extra["validation_label"]), 2)


def test_several_classes_are_scored_measured_stored_and_resumed(fitted, tmp_path):
    jets = toy_jets(120, seed=2, classes=("QCD", "W", "top"), mean_constituents=8)
    run = fitted.engine.fit(jets, seed=1, stop=After(2 * looks_per_epoch(fitted)))
    scores = run.score(jets)
    assert scores.shape == (120, 3)
    assert scores.classes == ("QCD", "W", "top")
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-12)
    opened = open_model(run.save(tmp_path / "three.safetensors"))
    assert np.array_equal(opened.score(jets), scores)
    resumed, whole = fitted.engine.fit(jets, seed=1, resume=opened), fitted.engine.fit(jets, seed=1)
    assert np.array_equal(resumed.score(jets), whole.score(jets))
    for name in ("W", "top"):
        curve = roc(jets.label, scores, signal=name, background=[c for c in jets.classes if c != name])
        assert 0 <= curve.auc <= 1
        assert curve.n_signal == 40


def test_the_validation_loss_is_that_of_the_fitted_tagger_with_the_weights_of_the_jets(fitted, jets):
    weight = np.where(np.arange(len(jets)) % 8 < 2, -0.5, 2.0)
    held = replace(jets, weight=weight)
    # Classes of unequal weight, mean 1: trees then start from log-odds other than zero.
    uneven = replace(jets, weight=np.where(jets.is_class("top"), 1.5, 0.5))
    run = fitted.engine.fit(uneven, seed=1, validation=held)
    scores, label = np.asarray(run.score(jets)), np.asarray(jets.label)
    expected = np.mean(-weight * np.log(scores[np.arange(len(jets)), label]))
    # Single precision on both ways to the 96 losses.
    assert min(row["validation_loss"] for row in run.history) == pytest.approx(expected, rel=1e-5)


def test_no_jets_have_no_scores(fitted, jets):
    assert fitted.score(jets[:0]).shape == (0, 2)


def test_fitting_leaves_the_engine_as_it_was(fitted, jets):
    before = fitted.engine.settings()
    run = fitted.engine.fit(jets, seed=1)
    assert fitted.engine.settings() == before
    assert run.engine is not fitted.engine


def test_the_card_says_where_the_tagger_came_from(fitted, jets):
    card = fitted.card
    assert card["fingerprint"] == jets.fingerprint
    assert card["origin"] == jets.origin.to_dict()
    assert card["jets"] == {"QCD": 48, "top": 48}
    assert card["threads"] == 1
    assert card["seed"] == 1
    best = min(fitted.history, key=lambda row: row["validation_loss"])
    assert card["metrics"] == best
    assert set(card["versions"]) == {"hep-workbench", "torch", "numpy", "scikit-learn"}


@pytest.mark.parametrize("name", [name for name in Tagger.param if name != "name"])
def test_every_parameter_is_documented_and_bounded(name):
    parameter = Tagger.param[name]
    assert parameter.doc
    assert parameter.doc.endswith(".")
    if isinstance(parameter, param.Selector):
        assert parameter.objects
    else:
        assert None not in parameter.bounds
