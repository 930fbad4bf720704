"""Training while watching: the queue, the reload, the end of a fit, and which jets it never saw."""

import html
from types import SimpleNamespace

import numpy as np
import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.jobs.job import Answer, Job
from workbench.jobs.recipe import Setting
from workbench.progress import Outcome
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets import training_panel
from workbench.widgets.analysis import Analysis, held_out
from workbench.widgets.errands import Errands
from workbench.widgets.training_panel import WHOLE, TrainingPanel

JETS = toy_jets(200, 3)
OWNER = "ab" * 16
FORM = (
    Setting("network", "Selector", "mlp", None, ("mlp", "trees"), None, "Which.", None),
    Setting("epochs", "Integer", 5, (1, 100), (), None, "How long.", None),
)


class Fitted:
    """What a planted fit brings home."""

    classes = ("QCD", "top")
    parameters = 1
    seed = 3
    outcome = Outcome.FINISHED
    engine = SimpleNamespace(network="mlp")

    def score(self, jets, *, stop=None):
        return ClassArray(np.full((len(jets), 2), 0.5), self.classes)


class Worker:
    """Stands in for the queue: keeps the jobs, and runs them when a test says so."""

    def __init__(self):
        self.jobs = []
        self.data = []

    def submit(self, recipe, data, *, seed, name, owner, note):
        job = Job(name, owner=owner, note=note)
        job.hand_over()
        self.jobs.insert(0, job)
        self.data.append(data)
        return job

    def everyone(self):
        return list(self.jobs)


def step(job, epoch, *, unit="epochs", total=8.0, **metrics):
    done = {"done": float(epoch), "total": total, "unit": unit, "metrics": metrics}
    job.receive({"kind": "step", "step": {**done, "epoch": epoch, "final": True}, "extra": ""})


def begin(job):
    job.receive({"kind": "began"})


def finish(job):
    job.finish(Answer(value=Fitted(), outcome=Outcome.FINISHED))


@pytest.fixture
def worker(monkeypatch):
    made = Worker()
    monkeypatch.setattr(training_panel, "submit", made.submit)
    monkeypatch.setattr(training_panel, "everyone", made.everyone)
    return made


def a_panel(owner=OWNER, jets=JETS):
    sample = SampleState()
    selection = SelectionState(sample)
    errands = Errands()
    analysis = Analysis(sample, selection, errands)
    panel = TrainingPanel(sample, selection, analysis, errands, owner)
    sample.take(jets, "toys")
    panel.build(FORM)
    return panel


@pytest.fixture
def panel(worker):
    made = a_panel()
    yield made
    made.errands.close()


def train(panel, seed):
    panel.seed.value = seed
    panel.begin()
    settle(panel.errands)


def said(where):
    return html.unescape(where.object)


def test_a_fit_learns_from_the_selection_less_the_jets_kept_to_measure_with(panel, worker):
    panel.selection.show("top")
    train(panel, 4)
    kept = held_out(JETS.is_class("top"), 4)
    assert len(worker.data[0]) == 100 - kept.sum()
    assert worker.jobs[0].note["selection"] == panel.selection.formula
    assert worker.jobs[0].name == "mlp, seed 4"


def test_training_while_training_waits_behind_it_and_says_its_place(panel, worker):
    train(panel, 1)
    train(panel, 2)
    train(panel, 3)
    third, second, first = worker.jobs
    begin(first)
    second.move(1)
    third.move(2)
    panel.beat()
    assert panel.run.job is first
    assert said(panel.others) == "mlp, seed 2 waits: it is next. mlp, seed 3 waits: 1 before it."
    finish(first)
    panel.beat()
    assert panel.run.job is second
    begin(third)
    panel.beat()
    assert said(panel.others) == "mlp, seed 3 runs too. mlp, seed 1: All epochs done."


def test_a_click_is_answered_before_the_jets_are_handed_over(panel, worker):
    panel.seed.value = 4
    panel.begin()
    assert said(panel.others) == "mlp, seed 4: 150 jets are being handed over to a worker."
    assert not worker.jobs
    settle(panel.errands)
    panel.beat()
    assert worker.jobs
    assert said(panel.others) == ""


def test_two_quick_clicks_train_once(panel, worker):
    panel.begin()
    assert panel.train.disabled
    settle(panel.errands)
    panel.beat()
    assert len(worker.jobs) == 1
    assert not panel.train.disabled


def test_a_reloaded_page_of_the_same_owner_goes_on_watching_the_same_fit(panel, worker):
    train(panel, 1)
    begin(worker.jobs[0])
    step(worker.jobs[0], 1, loss=0.7, validation_loss=0.6)
    panel.beat()
    again = a_panel()
    again.beat()
    assert again.run.job is panel.run.job
    np.testing.assert_array_equal(again.sources.epochs.data["epoch"], [1])
    again.errands.close()


def test_the_fits_of_another_owner_are_not_seen(panel, worker):
    train(panel, 1)
    other = a_panel("cd" * 16)
    other.beat()
    assert other.run.job is None
    assert said(other.others) == ""
    other.errands.close()


def test_a_fit_that_ends_is_opened_and_measured_on_the_jets_that_it_never_saw(panel, worker):
    panel.selection.brush("pt", 560, 640)
    mask = panel.selection.mask.copy()
    train(panel, 5)
    panel.selection.unbrush()
    begin(worker.jobs[0])
    finish(worker.jobs[0])
    panel.beat()
    settle(panel.errands)
    assert panel.analysis.title == "mlp, seed 5"
    np.testing.assert_array_equal(panel.analysis.unseen, held_out(mask, 5))
    assert not panel.analysis.partly_seen


def test_where_the_selection_cannot_be_made_again_the_page_does_not_claim_unseen_jets(panel, worker):
    train(panel, 5)
    job = worker.jobs[0]
    job.note["selection"] = "(0.2 <= `score` <= 0.3)"
    begin(job)
    finish(job)
    panel.beat()
    settle(panel.errands)
    assert panel.analysis.unseen is None
    assert panel.analysis.partly_seen


def test_on_another_sample_all_jets_are_unseen(panel, worker):
    train(panel, 5)
    panel.sample.take(toy_jets(50, 9), "others")
    begin(worker.jobs[0])
    finish(worker.jobs[0])
    panel.beat()
    settle(panel.errands)
    assert panel.analysis.unseen is None
    assert not panel.analysis.partly_seen
    assert worker.jobs[0].note[WHOLE] == JETS.fingerprint


def test_every_epoch_is_given_to_the_panes_that_measure_it_until_the_fit_is_over(panel, worker, tmp_path):
    train(panel, 1)
    job = worker.jobs[0]
    begin(job)
    scores, label = np.array([[0.2, 0.8], [0.7, 0.3]]), np.array([1, 0])
    np.savez(tmp_path / "extra.npz", validation_scores=scores, validation_label=label)
    closing = {"done": 2.0, "total": 8.0, "unit": "epochs", "metrics": {}, "epoch": 2, "final": True}
    job.receive({"kind": "step", "step": closing, "extra": str(tmp_path / "extra.npz")})
    panel.beat()
    live = panel.analysis.live
    assert (live.title, live.epoch, live.classes) == ("mlp, seed 1", 2, ("QCD", "top"))
    np.testing.assert_array_equal(live.scores, scores)
    finish(job)
    panel.beat()
    settle(panel.errands)
    assert panel.analysis.live is None


def test_a_killed_worker_is_said_and_the_next_fit_can_be_asked_for(panel, worker):
    train(panel, 1)
    begin(worker.jobs[0])
    worker.jobs[0].fail("died", "The worker process died while mlp, seed 1 ran.")
    panel.beat()
    assert "The worker process died" in said(panel.told)
    assert panel.analysis.live is None
    assert not panel.train.disabled
    train(panel, 2)
    assert panel.run.job is worker.jobs[0]
    assert panel.run.job.name == "mlp, seed 2"


def test_trees_are_counted_in_iterations_networks_in_epochs(panel, worker):
    train(panel, 1)
    begin(worker.jobs[0])
    step(worker.jobs[0], 3, unit="iterations", total=100.0, loss=0.5, validation_loss=0.4)
    panel.beat()
    assert {figure.xaxis.axis_label for figure in panel.figures} == {"iteration"}
    assert "iteration 3 of 100" in said(panel.told)
    assert "Best so far: iteration 3." in said(panel.told)


def test_the_best_epoch_is_ringed(panel, worker):
    train(panel, 1)
    begin(worker.jobs[0])
    for epoch, loss in ((1, 0.6), (2, 0.4), (3, 0.5)):
        step(worker.jobs[0], epoch, validation_loss=loss)
    panel.beat()
    np.testing.assert_array_equal(panel.sources.best.data["epoch"], [2])
    np.testing.assert_allclose(panel.sources.best.data["validation_loss"], [0.4], rtol=1e-6)


def test_a_page_that_is_closed_does_not_stop_its_fit(panel, worker):
    train(panel, 1)
    panel.errands.close()
    assert not worker.jobs[0].over


def test_the_plan_is_a_number_for_which_no_jets_are_drawn(panel, monkeypatch):
    def never(*drawn):
        msg = "jets were drawn"
        raise AssertionError(msg)

    monkeypatch.setattr("workbench.widgets.training_panel.held_out", never)
    panel.selection.brush("pt", 0, float(np.median(panel.sample.column("pt"))))
    count = panel.selection.count
    kept = int(np.count_nonzero(held_out(panel.selection.mask, 3)))
    assert f"Learns from {count - kept:,} of" in said(panel.plan)
    assert f"measured on {kept:,} others" in said(panel.plan)
