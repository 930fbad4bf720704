"""A run as a page follows it: columns for plots, status, sentence, time left."""

import numpy as np
import pytest

from workbench.jobs.job import Answer, Job
from workbench.progress import Outcome
from workbench.state.run import RunState


def message(done, *, epoch=0, final=False, total=10.0, **metrics):
    step = {
        "done": done,
        "total": total,
        "unit": "epochs",
        "metrics": metrics,
        "epoch": epoch,
        "final": final,
    }
    return {"kind": "step", "step": step, "extra": ""}


@pytest.fixture
def job():
    job = Job("fit")
    job.hand_over()
    return job


def test_without_a_job_nothing_runs():
    run = RunState()
    assert run.drain() == []
    assert (run.status, run.message, run.busy) == ("idle", "Nothing runs.", False)


def test_status_and_curves_follow_the_job(job):
    run = RunState(job=job)
    assert (run.status, run.message) == ("queued", "Waiting for a worker.")
    job.receive({"kind": "began"})
    job.receive(message(0.5, loss=0.9))
    job.receive(message(1.0, epoch=1, final=True, loss=0.8, auc=0.7))
    assert len(run.drain()) == 2
    job.receive(message(2.0, epoch=2, final=True, loss=0.6, validation_loss=0.65))
    assert len(run.drain()) == 1
    assert run.status == "running"
    assert (run.done, run.total, run.unit, run.epoch) == (2.0, 10.0, "epochs", 2)
    np.testing.assert_array_equal(run.live["loss"], [0.9])
    np.testing.assert_array_equal(run.epochs["epoch"], [1, 2])
    np.testing.assert_array_equal(run.epochs["loss"], [0.8, 0.6])
    np.testing.assert_array_equal(run.epochs["auc"], [0.7, np.nan])
    np.testing.assert_array_equal(run.epochs["validation_loss"], [np.nan, 0.65])
    assert run.latest == {"loss": 0.6, "auc": 0.7, "validation_loss": 0.65}


def test_without_news_no_watcher_is_called(job):
    job.receive({"kind": "began"})
    run = RunState(job=job)
    called = []
    run.param.watch(called.append, ["status", "epochs", "live", "message"])
    run.drain()
    assert called == []


def test_a_page_that_comes_back_finds_all_steps(job):
    for epoch in range(1, 4):
        job.receive(message(float(epoch), epoch=epoch, final=True, loss=1 / epoch))
    job.finish(Answer(outcome=Outcome.FINISHED))
    run = RunState(job=job)
    np.testing.assert_array_equal(run.epochs["epoch"], [1, 2, 3])
    assert (run.status, run.message) == ("done", "All epochs done.")


def test_following_another_job_begins_anew(job):
    job.receive(message(1.0, epoch=1, final=True, loss=1.0))
    run = RunState(job=job)
    run.follow(Job("another"))
    assert run.epochs == {}
    assert (run.status, run.epoch, run.latest) == ("queued", 0, {})


@pytest.mark.parametrize(
    ("end", "status", "sentence"),
    [
        (lambda job: job.fail("died", "The worker died."), "died", "The worker died."),
        (lambda job: job.finish(Answer(failure=("DataError", "No jets.", "..."))), "failed", "No jets."),
        (
            lambda job: job.finish(Answer(outcome=Outcome.STOPPED, stopped=True)),
            "stopped",
            "Stopped; the best epoch so far was kept.",
        ),
        (lambda job: job.finish(Answer(value=1)), "done", "Done."),
    ],
)
def test_the_end_is_told_in_one_sentence(job, end, status, sentence):
    run = RunState(job=job)
    end(job)
    run.drain()
    assert (run.status, run.message, run.busy) == (status, sentence, False)


def test_a_stop_says_that_it_comes(job):
    job.receive({"kind": "began"})
    run = RunState(job=job)
    run.stop()
    assert run.message == "Stopping at the next batch."
    assert (job.folder / "stop").exists()


def test_the_time_left_is_that_of_the_mean_speed(job, monkeypatch):
    clock = iter([100.0, 106.0])
    monkeypatch.setattr("workbench.jobs.job.time.monotonic", lambda: next(clock))
    job.receive({"kind": "began"})
    job.receive(message(4.0, total=10.0))
    run = RunState(job=job)
    assert run.remaining == pytest.approx(9.0)


def test_the_time_left_is_unknown_before_the_first_step(job):
    job.receive({"kind": "began"})
    assert np.isnan(RunState(job=job).remaining)


def test_who_waits_is_told_how_many_are_before(job):
    run = RunState(job=job)
    job.move(3)
    run.drain()
    assert (run.place, run.message) == (3, "Waiting for a worker; 2 before it.")
    job.move(1)
    run.drain()
    assert (run.place, run.message) == (1, "Waiting for a worker.")
    job.receive({"kind": "began"})
    run.drain()
    assert (run.place, run.status) == (0, "running")


def test_what_went_wrong_beside_the_work_is_told_with_it(job):
    run = RunState(job=job)
    job.receive({"kind": "began"})
    job.receive({"kind": "remark", "remark": "The best so far could not be kept: no space."})
    run.drain()
    assert run.message == "Running. The best so far could not be kept: no space."
    job.note_down("sample", "The sample could not be kept.")
    job.finish(Answer(outcome=Outcome.FINISHED, file="result.safetensors"))
    run.drain()
    assert run.message == "All epochs done. The sample could not be kept."
