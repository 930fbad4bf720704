"""A study as its button, its bar and its sentences tell of it: nothing of it stalls, and no part of it is lost."""

import threading
from dataclasses import replace

import panel_material_ui as pmui
import pytest

import workbench as wb
from tests.patience import settle
from workbench.errors import ExplanationError
from workbench.jobs.job import Answer, Job
from workbench.widgets import study as module
from workbench.widgets.errands import Errands
from workbench.widgets.study import NOT_BEGUN, PARTLY, Question, Study

from ..toys import toy_jets

JETS = toy_jets(30, seed=1)


def ask(number=0, jets=JETS, **named):
    return Question(print, (jets[:number], 2.5), named)


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
def handed(monkeypatch):
    """Makes the next job that is handed to the workers this one."""

    def hand(job):
        monkeypatch.setattr(module, "submit_call", lambda *args, **how: job)

    return hand


@pytest.fixture
def study(job, taken, handed):
    handed(job)
    return Study("Measure", ask, taken.append)


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


def test_a_study_that_cannot_begin_or_be_taken_says_why(job, handed):
    def refuse(*found):
        raise ExplanationError("There is no network; open one first.")

    handed(job)
    for study in (Study("Measure", refuse, list), Study("Measure", ask, refuse)):
        study.ask()
        if study.run.job is not None:
            job.finish(Answer(value=1))
            study.beat()
        assert study.told.object == "There is no network; open one first."
        assert not study.start.disabled


def test_a_study_whose_beginning_breaks_can_be_tried_again(job):
    def broken(number):
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


def test_a_job_stopped_before_it_began_has_no_result(study, taken, handed):
    waiting = Job("study")
    handed(waiting)
    study.ask()
    study.stop.clicks += 1
    study.beat()
    assert taken == []
    assert study.told.object == "The job was stopped before it began."


@pytest.fixture
def reopened(monkeypatch):
    """A study that a browser asked for twenty jets on a page it has left, and what makes the study of its next page."""
    kept = []

    def submit(function, *args, name, owner, note, urgent):
        kept.append(Job(name, owner=owner, note=note))
        kept[-1].hand_over()
        return kept[-1]

    monkeypatch.setattr(module, "submit_call", submit)
    monkeypatch.setattr(module, "everyone", lambda: kept)
    monkeypatch.setattr(module, "owner", lambda: "of this browser")

    def study(question=ask, take=list):
        number = pmui.Select(label="Jets", options=[10, 20], value=10)
        return Study("Measure", question, take, number=number)

    first = study()
    first.number.value = 20
    first.ask()
    return first.run.job, study


def test_a_page_that_is_opened_again_finds_its_study_whether_it_runs_or_is_over(reopened, taken):
    job, study = reopened
    job.receive({"kind": "began"})
    job.receive(step(4))
    second = study(take=taken.append)
    second.require("Choose a tagger first.")
    assert second.run.job is None
    second.require("")
    second.beat()
    assert (second.run.job, second.number.value) == (job, 20)
    assert second.told.object.startswith("4 of 10 jets")
    job.finish(Answer(value=42))
    second.beat()
    third = study(take=taken.append)
    third.require("")
    third.beat()
    assert taken == [42, 42]


@pytest.mark.parametrize(
    "other",
    [
        lambda number: ask(number, rule="gamma"),
        lambda number: ask(number, JETS[1:]),
        lambda number: replace(ask(number), function=repr),
    ],
)
def test_a_study_of_something_else_or_of_another_browser_is_not_found(reopened, other, monkeypatch):
    job, study = reopened
    for asked, owner in ((other, "of this browser"), (ask, "of another browser")):
        monkeypatch.setattr(module, "owner", lambda owner=owner: owner)
        second = study(asked)
        second.require("")
        second.beat()
        assert second.run.job is None


@pytest.mark.parametrize("how", ["failed", "stopped before it began"])
def test_a_study_without_a_result_is_not_found(reopened, how):
    job, study = reopened
    failure = ("ExplanationError", "There are no jets to explain; give at least one.", "")
    if how == "failed":
        job.finish(Answer(failure=failure))
    else:
        job.fail("stopped", "The job was stopped before it began.")
    second = study()
    second.require("")
    second.beat()
    assert second.run.job is None


def test_what_is_whole_is_found_before_a_part_that_is_newer(reopened, monkeypatch):
    job, study = reopened
    job.finish(Answer(value="whole"))
    part = Job(job.name, owner=job.owner, note=job.note)
    part.hand_over()
    part.finish(Answer(value="part", stopped=True))
    monkeypatch.setattr(module, "everyone", lambda: [part, job])
    second = study()
    second.require("")
    second.beat()
    assert second.run.job is job


def test_it_is_looked_for_once_all_is_there_and_again_when_the_page_looks_at_something_else(reopened):
    """What is studied may depend on scores that come later, and on what is chosen later."""
    job, study = reopened
    errands, seen = Errands(), [JETS[1:]]
    second = study(lambda number: ask(number, seen[0]))
    second.errands = errands
    second.require("")
    gate = threading.Event()
    errands.send("scoring", gate.wait, lambda _: seen.insert(0, JETS))
    second.beat()
    assert not errands._sent.keys() - {"scoring"}
    gate.set()
    settle(errands)
    second.beat()
    settle(errands)
    assert second.run.job is job
    third = study(lambda number: ask(number, seen[0]))
    seen.insert(0, JETS[2:])
    third.require("")
    third.beat()
    assert third.run.job is None
    seen.insert(0, JETS)
    third.require("")
    third.beat()
    assert third.run.job is job
    errands.close()


def test_taggers_are_told_apart_by_what_they_learned_and_not_by_where_they_are():
    one = wb.Tagger(network="mlp", observables=["mass"], epochs=1).fit(JETS, seed=1)
    other = wb.Tagger(network="mlp", observables=["mass"], epochs=1).fit(JETS, seed=2)
    key = Question(print, (one, JETS)).key
    assert Question(print, (replace(one), JETS[:])).key == key
    assert Question(print, (other, JETS)).key != key
