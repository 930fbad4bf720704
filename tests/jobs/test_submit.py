"""Work in the background: order, stop, equal result, failure, death, queue, and nothing left over."""

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.jobs import engine as work
from tests.toys import toy_jets
from workbench.engines.tagging import Tagger
from workbench.errors import JobError, TrainingError
from workbench.jobs import submit as jobs
from workbench.jobs.cluster import CLOSED, LocalProcesses
from workbench.jobs.recipe import Recipe, describe
from workbench.progress import Outcome

LONG = 120
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def worker():
    jobs.warm()
    yield
    jobs.close()


@pytest.fixture(scope="module")
def sample():
    return toy_jets(40, seed=3)


def until(condition, seconds=LONG):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_the_result_equals_that_of_the_same_fit_in_this_process(sample):
    here = work.Mean().fit(sample, seed=7)
    there = jobs.submit(work.Mean(), sample, seed=7).result(LONG)
    assert there == here


def test_another_seed_gives_another_result(sample):
    first, second = (jobs.submit(work.Mean(), sample, seed=seed).result(LONG) for seed in (1, 2))
    assert first.draw != second.draw


def test_steps_arrive_in_order_and_complete(sample):
    job = jobs.submit(work.Mean(epochs=7), sample, seed=1)
    assert job.wait(LONG)
    steps = job.steps
    assert [step.epoch for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    losses = np.array([step.metrics["loss"] for step in steps])
    np.testing.assert_allclose(losses[1:] / losses[:-1], 0.5, rtol=1e-6)


def test_no_step_is_lost_in_a_hurry():
    job = jobs.submit_call(work.hurried, 500)
    assert job.result(LONG) == 500
    assert [step.done for step in job.steps] == list(range(500))


def test_only_the_newest_arrays_are_kept(sample):
    job = jobs.submit(work.Mean(epochs=3), sample, seed=1)
    job.wait(LONG)
    assert [bool(step.extra) for step in job.steps] == [False, False, True]
    np.testing.assert_array_equal(job.steps[-1].extra["validation_scores"], np.full((2, 2), 3.0))
    assert not list(job.folder.glob("extra-*"))


def test_since_gives_each_step_once():
    job = jobs.submit_call(work.hurried, 50)
    seen, version = [], 0
    until(lambda: job.over)
    while version != job.version:
        version, status, steps = job.since(version)
        seen += steps
    assert status == "done"
    assert [step.done for step in seen] == list(range(50))
    assert job.since(version).steps == []


def test_a_stop_is_acknowledged_and_the_best_so_far_comes_back(sample):
    job = jobs.submit(work.Mean(epochs=10_000, pause=0.02), sample, seed=1)
    until(lambda: job.steps)
    assert job.status == "running"
    job.stop()
    fitted = job.result(LONG)
    assert job.status == "stopped"
    assert job.acknowledged
    assert job.outcome is Outcome.STOPPED
    assert fitted.outcome is Outcome.STOPPED
    assert fitted.value > 0
    assert len(job.steps) < 10_000


def test_a_stop_after_the_end_changes_nothing():
    job = jobs.submit_call(work.double, 3)
    assert job.result(LONG) == 6
    job.stop()
    assert job.status == "done"


def fits_in_every_worker(sample):
    """Two fits that run until they are stopped."""
    fits = [jobs.submit(work.Mean(epochs=10_000, pause=0.02), sample, seed=seed) for seed in (1, 2)]
    until(lambda: all(fit.steps for fit in fits))
    return fits


def test_two_jobs_run_at_once(tmp_path):
    first = jobs.submit_call(work.meet, str(tmp_path), "first", "second")
    second = jobs.submit_call(work.meet, str(tmp_path), "second", "first")
    pids = first.result(LONG), second.result(LONG)
    assert len(set(pids)) == 2


def test_what_finds_no_worker_waits_in_order_and_moves_up(sample):
    fits = fits_in_every_worker(sample)
    third, fourth, fifth = (jobs.submit_call(work.double, n) for n in (3, 4, 5))
    assert [job.status for job in (*fits, third, fourth, fifth)] == ["running"] * 2 + ["queued"] * 3
    assert [job.place for job in (*fits, third, fourth, fifth)] == [0, 0, 1, 2, 3]
    version = fifth.version
    fourth.stop()
    until(lambda: fifth.place == 2)
    assert fifth.version > version
    for fit in fits:
        fit.stop()
    assert [third.result(LONG), fifth.result(LONG)] == [6, 10]
    assert fourth.status == "stopped"


def test_what_somebody_waits_for_does_not_wait_behind_fits(sample):
    fits = fits_in_every_worker(sample)
    waiting = jobs.submit_call(work.double, 1)
    urgent = jobs.submit_call(work.double, 21, urgent=True)
    assert urgent.place == 1
    assert urgent.result(LONG) == 42
    assert [fit.status for fit in fits] == ["running"] * 2
    for fit in fits:
        fit.stop()
    assert waiting.result(LONG) == 2


def test_a_job_stopped_in_the_queue_never_begins(sample):
    fits = fits_in_every_worker(sample)
    waiting = [jobs.submit_call(work.stubborn) for _ in range(2)]
    last = jobs.submit_call(work.double, 2)
    last.stop()
    assert last.status == "stopped"
    for job in (*waiting, *fits):
        job.stop()
    with pytest.raises(JobError, match="stopped before it began"):
        last.result(LONG)
    assert last.steps == []


def test_jobs_are_found_by_their_id_and_listed_newest_first():
    first, second = (jobs.submit_call(work.double, n, owner="me") for n in (1, 2))
    assert jobs.find(first.id) is first
    assert [job for job in jobs.everyone() if job.owner == "me"] == [second, first]
    assert jobs.find("0" * 16) is None
    first.wait(LONG), second.wait(LONG)
    assert jobs.find(second.id) is second


def test_the_time_left_is_told_while_it_runs():
    job = jobs.submit_call(work.halfway)
    until(lambda: job.steps)
    assert 0 <= job.remaining < LONG
    job.stop()
    job.wait(LONG)
    assert np.isnan(job.remaining)


def test_an_error_of_ours_keeps_its_class_and_sentence():
    job = jobs.submit_call(work.refuse)
    with pytest.raises(TrainingError, match="The class 'top' has no jets"):
        job.result(LONG)
    assert job.status == "failed"
    assert job.error == "The class 'top' has no jets; give at least one."
    assert "refuse" in job.trace


def test_any_other_error_is_named():
    job = jobs.submit_call(work.stumble)
    with pytest.raises(JobError, match="KeyError: 'missing'"):
        job.result(LONG)
    assert job.status == "failed"


def test_what_cannot_travel_fails_with_a_sentence():
    job = jobs.submit_call(work.double, threading.Lock())
    job.wait(LONG)
    assert job.status == "failed"
    assert "lock" in job.error


def test_a_killed_worker_is_said_and_the_job_beside_it_goes_on(sample, tmp_path):
    beside = jobs.submit(work.Mean(epochs=10_000, pause=0.02), sample, seed=1)
    until(lambda: beside.steps)
    killed = jobs.submit_call(work.die, str(tmp_path))
    assert killed.wait(LONG)
    assert killed.status == "died"
    assert "died while die ran" in killed.error
    assert len(killed.steps) == 1
    with pytest.raises(JobError, match="submit it again"):
        killed.result()
    done = len(beside.steps)
    until(lambda: len(beside.steps) > done)
    assert beside.status == "running"
    next_one = jobs.submit_call(work.whoami)
    assert next_one.result(LONG)[0] != int((tmp_path / "pid").read_text())
    beside.stop()
    assert beside.result(LONG).outcome is Outcome.STOPPED


def test_samples_travel_both_ways_as_files(sample):
    job = jobs.submit_call(work.selected, sample, low=600.0)
    kept = job.result(LONG)
    assert kept.fingerprint == sample[sample.p4.pt > 600].fingerprint
    assert job.file.parent == job.folder


def test_waiting_too_short_says_so(sample):
    job = jobs.submit(work.Mean(epochs=10_000, pause=0.02), sample, seed=1)
    with pytest.raises(TimeoutError, match="wait longer or stop it"):
        job.result(0.05)
    job.stop()
    assert job.wait(LONG)


def test_the_worker_is_another_process_that_steps_back_and_has_its_imports():
    process, nice = jobs.submit_call(work.whoami).result(LONG)
    assert process != os.getpid()
    assert nice == os.nice(0) + 10
    assert jobs.submit_call(work.loaded).result(LONG)


def test_a_tagger_is_fitted_as_in_this_process_and_comes_back_as_a_file():
    jets = toy_jets(60, seed=5)
    parameters = {"network": "mlp", "epochs": 2, "observables": ["mass", "multiplicity"], "hidden_sizes": [8]}
    job = jobs.submit(Recipe("tagger", parameters), jets, seed=2)
    fitted = job.result(LONG)
    here = Tagger(**parameters).fit(jets, seed=2)
    np.testing.assert_array_equal(fitted.score(jets), here.score(jets))
    assert job.file.suffix == ".safetensors"
    assert job.name == "mlp"
    assert job.card["parameters"] == here.parameters
    assert [step.epoch for step in job.steps if step.final] == [1, 2]


def test_an_engine_that_does_not_exist_is_named():
    job = jobs.submit(Recipe("taggr"), toy_jets(4, seed=1), seed=1)
    with pytest.raises(JobError, match="did you mean 'tagger'"):
        job.result(LONG)


def test_the_settings_of_an_engine_are_its_parameters_and_come_without_importing_it():
    settings = {setting.name: setting for setting in jobs.submit_call(describe, "tagger").result(LONG)}
    assert set(settings) == set(Tagger.param) - {"name"}
    for name, setting in settings.items():
        parameter = Tagger.param[name]
        assert setting.default == parameter.default
        assert setting.bounds == getattr(parameter, "bounds", None)
        assert setting.objects == tuple(getattr(parameter, "objects", ()))
        assert setting.doc == parameter.doc


def stubborn():
    """A job whose worker has seen the stop, while the work does not look."""
    job = jobs.submit_call(work.stubborn)
    until(lambda: job.status == "running")
    job.stop()
    until(lambda: job.acknowledged)
    return job


def test_a_stop_is_acknowledged_by_work_that_does_not_look_and_close_leaves_nothing_of_it():
    job = stubborn()
    assert job.status == "running"
    folder, children = job.folder, psutil.Process().children(recursive=True)
    assert children
    jobs.close()
    assert job.status == "stopped"
    until(lambda: not any(child.is_running() for child in children), 10)
    until(lambda: not [thread for thread in threading.enumerate() if "workbench" in thread.name])
    del job
    # The interrupted wait for the answer refers to the job in a circle.
    gc.collect()
    assert not folder.exists()


def test_who_still_waits_for_a_worker_when_they_are_ended_starts_no_other():
    cluster, said = LocalProcesses(1, lambda message: None), []

    def wait():
        try:
            with cluster.lease():
                said.append("leased")
        except JobError as error:
            said.append(str(error))

    with cluster.lease():
        waiting = threading.Thread(target=wait)
        waiting.start()
        cluster.close()
        waiting.join(LONG)
    assert said == [CLOSED]
    with pytest.raises(JobError, match="submit again"):
        cluster.start()


def test_after_close_and_after_the_death_of_the_scheduler_it_starts_again():
    job = jobs.submit_call(work.stubborn)
    until(lambda: job.status == "running")
    for child in psutil.Process().children():
        child.kill()
    job.wait(LONG)
    assert job.status == "died"
    assert jobs.submit_call(work.double, 4).result(LONG) == 8


def ask_in_a_script(tmp_path, text, **options):
    script = tmp_path / "script.py"
    script.write_text(text)
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, **options
    )  # fmt: skip


def test_a_script_without_a_main_guard_works_without_torch_and_ends_its_worker(tmp_path):
    finished = ask_in_a_script(
        tmp_path,
        "import sys, time, psutil\n"
        "from workbench.jobs.submit import submit_call\n"
        "def add(a, b, *, report, stop):\n"
        "    return a + b\n"
        "def stubborn(*, report, stop):\n"
        "    while True:\n"
        "        time.sleep(0.01)\n"
        "assert submit_call(add, 2, 3).result(60) == 5\n"
        "heavy = {'torch', 'sklearn', 'lightning_fabric', 'mlflow', 'panel', 'bokeh'} & set(sys.modules)\n"
        "job = submit_call(stubborn)\n"
        "while job.status != 'running': time.sleep(0.01)\n"
        "print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)\n"
        "sys.exit(str(heavy) if heavy else None)\n",
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    pids = [int(pid) for pid in finished.stdout.split()]
    assert pids
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 20)


def test_a_killed_script_leaves_no_worker(tmp_path):
    finished = ask_in_a_script(
        tmp_path,
        "import os, psutil, signal, time\n"
        "from tests.jobs.engine import stubborn\n"
        "from workbench.jobs.submit import submit_call\n"
        "job = submit_call(stubborn)\n"
        "while job.status != 'running': time.sleep(0.01)\n"
        "print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    pids = [int(pid) for pid in finished.stdout.split()]
    assert pids
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 20)
