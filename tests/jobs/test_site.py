"""Work at a site's own scheduler, and what a worker says that cannot do it."""

import os
import subprocess
import sys

import pytest

from tests.jobs import engine as work
from tests.jobs.runs import ROOT
from tests.toys import toy_jets
from workbench.errors import JobError
from workbench.jobs import cluster
from workbench.jobs import submit as jobs
from workbench.jobs import work as worker
from workbench.jobs.recipe import Recipe

LONG = 120
CLUSTER = """
import os, sys, dask
from distributed import LocalCluster
with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None) as cluster:
    print(cluster.scheduler_address, os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A scheduler with a worker, started by somebody else."""
    folder = tmp_path_factory.mktemp("site")
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        address, pid = process.stdout.readline().split()
        yield address, int(pid)
        process.stdin.close()


@pytest.fixture
def there(site, monkeypatch):
    jobs.close()
    monkeypatch.setenv("WORKBENCH_SCHEDULER", site[0])
    yield site[1]
    jobs.close()


def test_work_is_done_by_the_workers_of_the_scheduler_named(there):
    sample = toy_jets(40, seed=3)
    assert jobs.submit_call(work.whoami).result(LONG)[0] == there
    assert jobs.submit(work.Mean(), sample, seed=7).result(LONG) == work.Mean().fit(sample, seed=7)
    fit = jobs.submit(Recipe("tagger", {"network": "mlp", "epochs": 2, "hidden_sizes": [4]}), sample, seed=1)
    assert fit.result(LONG).history
    assert fit.folder.is_relative_to(os.environ["WORKBENCH_RUNS"])
    assert [step.epoch for step in fit.steps if step.final] == [1, 2]
    long = jobs.submit(work.Mean(epochs=10_000, pause=0.02), sample, seed=1)
    long.wait(0.1)
    long.stop()
    assert long.wait(LONG)
    assert long.status == "stopped"


def test_the_scheduler_goes_on_without_us(there):
    assert jobs.submit_call(work.double, 1).result(LONG) == 2
    jobs.close()
    assert jobs.submit_call(work.double, 2).result(LONG) == 4


def test_a_scheduler_that_is_away_is_said(monkeypatch):
    jobs.close()
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setenv("WORKBENCH_SCHEDULER", "tcp://127.0.0.1:9")
    with pytest.raises(JobError, match=r"tcp://127\.0\.0\.1:9 .* did not answer"):
        jobs.submit_call(work.double, 1).result(LONG)
    jobs.close()


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5"])
def test_a_number_of_workers_that_cannot_be_is_named(said, monkeypatch):
    jobs.close()
    monkeypatch.setenv("WORKBENCH_WORKERS", said)
    with pytest.raises(JobError, match="a whole number from 1"):
        jobs.submit_call(work.double, 1)
    jobs.close()


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path):
    ask = worker.Ask("fit", "t", str(tmp_path / "nowhere"), work.double, (1,), {})
    answer = worker.perform(ask)
    assert "does not see the folder" in answer.failure[1]
    assert "WORKBENCH_RUNS" in answer.failure[1]


def test_work_that_killed_a_worker_is_not_tried_again(tmp_path):
    (tmp_path / "began").touch()
    answer = worker.perform(worker.Ask("fit", "t", str(tmp_path), work.double, (1,), {}))
    assert answer.died
    assert "died while fit ran" in answer.failure[1]
