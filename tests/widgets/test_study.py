"""A study as its button, its bar and its sentences tell of it: nothing of it stalls, and no part of it is lost."""

import pytest

from tests.patience import settle
from workbench.errors import ExplanationError
from workbench.jobs.job import Answer, Job
from workbench.widgets.errands import Errands
from workbench.widgets.study import NOT_BEGUN, PARTLY, Study


def step(done, total=10):
    values = {"done": done, "total": total, "unit": "jets", "metrics": {}, "epoch": 0, "final": False}
    return {"kind": "step", "step": values, "extra": ""}


@pytest.fixture
def job():
    job = Job("study")
    job.hand_over()
    return job


@pytest.fixture
def taken():
    return []


@pytest.fixture
def study(job, taken):
    return Study("Measure", lambda: job, taken.append)


def test_it_runs_once_says_how_far_it_is_and_gives_its_result(study, job, taken):
    study.start.clicks += 1
    assert (study.start.disabled, study.stop.visible, study.bar.variant) == (True, True, "indeterminate")
    job.receive({"kind": "began"})
    job.receive(step(4))
    study.beat()
    assert study.told.object.startswith("4 of 10 jets")
    assert (study.bar.value, study.bar.visible) == (40, True)
    job.finish(Answer(value=42))
    study.beat()
    assert taken == [42]
    assert study.told.object.startswith("Done in")
    assert (study.start.disabled, study.stop.visible, study.bar.visible) == (False, False, False)


def test_what_was_done_before_a_stop_is_kept_and_said_to_be_a_part(study, job, taken):
    study.ask()
    job.receive({"kind": "began"})
    job.receive(step(4))
    study.stop.clicks += 1
    assert (job.folder / "stop").exists()
    assert study.told.object == "Stopping at the next batch."
    job.finish(Answer(value="four jets", stopped=True))
    study.beat()
    assert taken == ["four jets"]
    assert study.told.object == PARTLY


def test_what_fails_is_said_and_can_be_tried_again(study, job, taken):
    study.ask()
    job.finish(Answer(failure=("ExplanationError", "There are no jets to explain; give at least one.", "")))
    study.beat()
    assert taken == []
    assert study.told.object == "There are no jets to explain; give at least one."
    assert not study.start.disabled


def test_a_study_that_cannot_begin_or_be_taken_says_why(job):
    def refuse(*found):
        raise ExplanationError("There is no network; open one first.")

    for study in (Study("Measure", refuse, list), Study("Measure", lambda: job, refuse)):
        study.ask()
        if study.run.job is not None:
            job.finish(Answer(value=1))
            study.beat()
        assert study.told.object == "There is no network; open one first."
        assert not study.start.disabled


def test_a_study_whose_beginning_breaks_can_be_tried_again(job):
    def broken():
        raise ZeroDivisionError

    errands = Errands()
    study = Study("Measure", broken, list, errands=errands)
    study.ask()
    settle(errands)
    study.beat()
    assert (study.told.object, study.start.disabled) == (NOT_BEGUN, False)
    assert "ZeroDivisionError" in errands.error
    errands.close()


def test_while_something_is_missing_it_says_what_and_does_not_begin(study, job):
    study.require("Open a network first.")
    study.ask()
    assert (study.told.object, study.start.disabled, study.run.job) == ("Open a network first.", True, None)
    study.require("")
    study.ask()
    assert study.run.job is job


def test_a_job_stopped_before_it_began_has_no_result(taken):
    waiting = Job("study")
    study = Study("Measure", lambda: waiting, taken.append)
    study.ask()
    study.stop.clicks += 1
    study.beat()
    assert taken == []
    assert study.told.object == "The job was stopped before it began."
