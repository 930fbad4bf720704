"""The jobs of whoever looks at the page."""

import html

import pytest

from workbench.jobs.job import SAMPLE, Answer, Job
from workbench.progress import Outcome
from workbench.widgets import jobs_tray
from workbench.widgets.jobs_tray import NOTHING, JobsTray, label, sentence

OWNER = "ab" * 16
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def jobs(monkeypatch):
    made = []
    monkeypatch.setattr(jobs_tray, "everyone", lambda: list(made))
    return made


def a_job(name="mlp, seed 1", owner=OWNER):
    job = Job(name, owner=owner)
    job.hand_over()
    return job


def running(done=2.0, total=8.0):
    job = a_job()
    job.receive({"kind": "began"})
    told = {"done": done, "total": total, "unit": "epochs", "metrics": {}, "epoch": 0, "final": False}
    job.receive({"kind": "step", "step": told, "extra": ""})
    return job


def test_without_jobs_the_tray_says_what_will_be_there(jobs):
    tray = JobsTray(OWNER)
    assert tray.list[0].object == html.escape(NOTHING)
    assert tray.button.label == "Jobs"


def test_a_running_job_shows_its_bar_and_how_far_it_is(jobs):
    jobs.append(running(2, 8))
    tray = JobsTray(OWNER)
    row = tray.rows[jobs[0].id]
    assert (row.bar.visible, row.bar.value) == (True, 25)
    assert sentence(jobs[0]).startswith("25% done, ")
    assert sentence(jobs[0]).endswith(" left.")
    assert tray.button.label == "Jobs: 1 running, 25%"


def test_waiting_jobs_say_their_place(jobs):
    first, second = a_job(), a_job()
    second.move(2)
    assert sentence(first) == "Waits: it is next."
    assert sentence(second) == "Waits: 1 before it."
    assert label([second, first, running(4, 8)]) == "Jobs: 1 running, 50%, 2 waiting"


def test_a_failed_job_says_its_sentence_and_cannot_be_opened(jobs):
    job = running()
    jobs.append(job)
    tray = JobsTray(OWNER)
    job.fail("died", "The worker process died while mlp, seed 1 ran.")
    tray.beat()
    row = tray.rows[job.id]
    assert row.told.object == "The worker process died while mlp, seed 1 ran."
    assert (row.stop.visible, row.open.visible, row.bar.visible) == (False, False, False)


def test_a_finished_job_is_opened_by_a_click(jobs):
    job, opened = running(), []
    jobs.append(job)
    tray = JobsTray(OWNER, opened.append)
    job.finish(Answer(value=1, outcome=Outcome.EARLY))
    tray.beat()
    row = tray.rows[job.id]
    assert row.open.visible
    assert row.told.object.startswith(
        "The validation loss no longer improved; the best epoch was kept, after"
    )
    tray.popup.open = True
    row.open.clicks += 1
    assert opened == [job]
    assert not tray.popup.open


def test_what_a_study_found_belongs_to_its_pane_and_cannot_be_opened_as_jets(jobs):
    study, simulation = running(), running()
    jobs += [study, simulation]
    tray = JobsTray(OWNER, lambda job: None)
    study.finish(Answer(value="shares of relevance"))
    simulation.finish(Answer(file="result.parquet", reader=SAMPLE))
    tray.beat()
    assert [tray.rows[job.id].open.visible for job in jobs] == [False, True]


def test_on_a_page_without_jets_a_finished_job_links_to_them(jobs):
    jobs.append(running())
    assert JobsTray(OWNER).rows[jobs[0].id].open.href == f"jets?v=1&network=run:{jobs[0].id}"


def test_stop_stops_that_job_only(jobs):
    one, other = a_job(), a_job()
    jobs.extend([one, other])
    tray = JobsTray(OWNER)
    tray.rows[one.id].stop.clicks += 1
    assert (one.folder / "stop").exists()
    assert not (other.folder / "stop").exists()


def test_the_jobs_of_others_are_not_listed(jobs):
    jobs.extend([a_job(owner="cd" * 16), a_job(owner="")])
    assert JobsTray(OWNER).rows == {}


def test_a_new_job_appears_and_the_rows_of_the_others_stay(jobs):
    jobs.append(a_job())
    tray = JobsTray(OWNER)
    before = tray.rows[jobs[0].id]
    jobs.insert(0, a_job("trees, seed 2"))
    tray.beat()
    assert list(tray.rows) == [job.id for job in jobs]
    assert tray.rows[jobs[1].id] is before


def test_a_name_that_looks_like_markup_stays_text(jobs):
    jobs.append(a_job(MARKUP))
    tray = JobsTray(OWNER)
    name = tray.rows[jobs[0].id].view[0][0]
    assert name.object == html.escape(MARKUP, quote=True)
