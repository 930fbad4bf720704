"""The registry of runs: what was planted comes back, and nothing that happens to a server or a disk loses what was there."""

import errno
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import psutil
import pytest

from tests.jobs.runs import LOSSES, MARKUP, NOTE, RECIPE, ROOT, recorded, script
from tests.toys import toy_jets
from workbench.engines.tagging import Tagger
from workbench.errors import JobError
from workbench.jobs import folder as folders
from workbench.jobs import registry as registries
from workbench.jobs import submit as jobs
from workbench.jobs.index import Index
from workbench.jobs.job import Answer, Job
from workbench.jobs.recipe import Recipe, recipe_of
from workbench.jobs.registry import Registry
from workbench.physics.roc import roc
from workbench.progress import Outcome

LONG = 120
SMALL = {"network": "mlp", "epochs": 2, "observables": ["mass", "multiplicity"], "hidden_sizes": [8]}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An empty list of runs: MLflow takes seconds to make one."""
    made = tmp_path_factory.mktemp("template")
    Index(made)
    with closing(sqlite3.connect(made / "registry.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made / "registry.db"


@pytest.fixture
def folder(template, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(template, runs)
    return runs


@pytest.fixture
def registry(folder):
    return Registry(folder, "")


@pytest.fixture(scope="module")
def sample():
    return toy_jets(40, seed=3)


@pytest.fixture
def served(folder, monkeypatch):
    """The registry of this process, in a folder of this test."""
    registry = Registry(folder, "")
    monkeypatch.setattr(jobs, "registry", lambda: registry)
    return registry


@pytest.fixture(scope="module", autouse=True)
def worker():
    yield
    jobs.close()


def until(condition, seconds=LONG):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_what_was_planted_comes_back_equal_also_after_a_restart(registry, sample, folder):
    job = recorded(registry, sample)
    for reader in (registry, Registry(folder, "")):
        (run,) = reader.runs()
        assert (run.id, run.name, run.status, run.kind, run.network) == (
            job.id,
            MARKUP,
            "done",
            "tagger",
            "mlp",
        )
        assert (run.seed, run.device, run.began) == (7, "cpu", job.asked)
        assert run.parameters == dict(RECIPE.parameters)
        assert run.note == {"held": [1, 2]}
        assert run.sample == {
            "name": "toys", "source": NOTE["source"], "selection": NOTE["selection"], "n": 40,
            "fingerprint": sample.fingerprint, "classes": ["QCD", "top"],
        }  # fmt: skip
        assert run.versions["numpy"] == np.__version__
        assert run.seconds == run.metrics["seconds"] == job.seconds


def test_the_metrics_are_those_of_the_best_epoch_with_errors_and_rejections(registry, sample):
    job = recorded(registry, sample)
    (run,) = registry.runs()
    assert run.metrics["validation_loss"] == min(LOSSES)
    assert run.metrics["accuracy"] == 2 / 8
    assert run.metrics["parameters"] == 42
    arrays = registry.scores(job.id)
    curve = roc(arrays["validation_label"], arrays["validation_scores"], signal=1, background=0)
    assert run.metrics["auc"] == pytest.approx(curve.auc)
    assert run.metrics["auc_error"] == curve.auc_error
    assert run.metrics["rejection_30"] == np.inf
    assert np.isnan(run.metrics["rejection_30_error"])


def test_curves_and_scores_come_back_equal(registry, sample):
    job = recorded(registry, sample)
    curves = registry.curves(job.id)
    np.testing.assert_array_equal(curves["epochs"]["epoch"], [1, 2, 3])
    np.testing.assert_array_equal(curves["epochs"]["validation_loss"], LOSSES)
    np.testing.assert_array_equal(curves["live"]["done"], [0.5, 1.5, 2.5])
    signal = np.array([0.9, 0.8, 0.3, 0.6, 0.2, 0.1]) / 2
    np.testing.assert_array_equal(registry.scores(job.id)["validation_scores"][:, 1], signal)
    registry.files(job.id).steps.unlink()
    np.testing.assert_array_equal(registry.curves(job.id)["epochs"]["validation_loss"], LOSSES)


def test_a_run_that_goes_on_is_listed_as_it_is_now(registry, sample):
    job = Job("now")
    registry.record(job, RECIPE, sample, seed=1)
    assert [(run.id, run.status) for run in registry.runs()] == [(job.id, "queued")]
    job.hand_over()
    job.receive({"kind": "began"})
    assert registry.runs()[0].status == "running"
    with pytest.raises(JobError, match="stop it before you delete it"):
        registry.delete(job.id)
    job.fail("died", "The worker died.")
    assert registry.flush(LONG)
    assert [(run.status, run.message) for run in registry.runs()] == [("died", "The worker died.")]


def test_rename_delete_and_restore(registry, sample):
    first, second = (recorded(registry, sample, name=name) for name in ("first", "second"))
    registry.rename(first.id, MARKUP)
    assert [run.name for run in registry.runs()] == ["second", MARKUP]
    registry.delete(first.id)
    assert [run.id for run in registry.runs()] == [second.id]
    assert [run.id for run in registry.trash()] == [first.id]
    assert registry.run(first.id).name == MARKUP
    registry.restore(first.id)
    assert [run.id for run in registry.runs()] == [second.id, first.id]
    registry.delete(first.id)
    registry.empty_trash()
    assert not registry.files(first.id).folder.exists()
    assert registry.files(second.id).folder.exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", "0" * 15, "0" * 16 + "/", "ABCDEF0123456789", MARKUP]
)
def test_a_name_that_is_no_run_never_becomes_a_path(registry, name):
    for ask in (
        registry.run,
        registry.files,
        registry.open,
        registry.curves,
        registry.scores,
        registry.restore,
    ):
        with pytest.raises(JobError, match="16 hexadecimal digits"):
            ask(name)


def test_a_run_that_is_not_there_is_said(registry):
    with pytest.raises(JobError, match="There is no run 0000000000000000"):
        registry.run("0" * 16)


def test_arrays_that_could_run_code_are_not_read(registry, sample):
    job = recorded(registry, sample)
    np.savez(registry.files(job.id).arrays, allow_pickle=True, validation_scores=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        registry.scores(job.id)


def test_the_recipe_of_an_engine_is_what_differs_from_the_defaults():
    assert recipe_of(Tagger(**SMALL)) == Recipe("tagger", SMALL)
    assert recipe_of(Recipe("tagger", SMALL)) == Recipe("tagger", SMALL)
    assert recipe_of(object()) is None
    assert registries._network(Recipe("tagger")) == Tagger().network


def test_a_full_disk_is_said_keeps_the_finished_ones_and_the_run_is_written_later(
    registry, sample, monkeypatch
):
    finished = recorded(registry, sample, name="finished")

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(registries, "AGAIN", 0.05)
    monkeypatch.setattr(folders.os, "fsync", full)
    job = recorded(registry, sample, name="late")
    until(lambda: "No space left" in registry.run(job.id).message)
    late, early = registry.runs()
    assert (late.name, late.status) == ("late", "done")
    assert "kept until this server ends" in late.message
    assert "\n" not in late.message
    assert (early.id, early.status) == (finished.id, "done")
    assert registry.scores(finished.id)
    monkeypatch.undo()
    until(lambda: not registry.live())
    assert registry.run(job.id).message == ""
    assert registry.scores(job.id)


def test_what_nobody_foresaw_is_said_with_its_run_and_the_others_are_written(registry, sample, monkeypatch):
    write, odd = folders.RunFolder.add_steps, []

    def refuse(self, steps):
        if self.folder in odd:
            msg = "an odd step"
            raise ValueError(msg)
        write(self, steps)

    monkeypatch.setattr(registries, "AGAIN", 0.05)
    monkeypatch.setattr(folders.RunFolder, "add_steps", refuse)
    job = Job("odd")
    odd.append(registry.files(job.id).folder)
    registry.record(job, RECIPE, sample, seed=1)
    job.receive({"kind": "began"})
    until(lambda: "an odd step" in registry.run(job.id).message)
    other = recorded(registry, sample, name="other")
    assert registry.run(other.id).status == "done"
    odd.clear()
    job.fail("stopped", "")
    until(lambda: not registry.live())


def test_a_list_that_cannot_be_written_is_said(registry, sample, monkeypatch):
    registry.runs()

    def full(*arguments, **options):
        msg = "(sqlite3.OperationalError) database or disk is full"
        raise sqlite3.OperationalError(msg)

    monkeypatch.setattr(registry._index._client, "log_batch", full)
    job = Job("no room")
    registry.record(job, RECIPE, sample, seed=1)
    job.fail("stopped", "")
    until(lambda: "is full; free space" in registry.live()[0].message)


def test_a_tracking_address_is_honoured(folder, template, sample, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere.db"
    shutil.move(folder / "registry.db", elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere}")
    job = recorded(Registry(folder), sample)
    assert not (folder / "registry.db").exists()
    assert [run.id for run in Registry(folder).runs()] == [job.id]


def test_a_tracking_server_that_is_away_is_said(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(JobError, match="did not answer"):
        Registry(folder, "http://127.0.0.1:9").runs()


def test_the_registry_is_imported_without_mlflow_and_connects_to_nobody(tmp_path, folder):
    said = script(
        tmp_path,
        "import socket, sys\n"
        "from workbench.jobs.submit import submit_call\n"
        "from workbench.jobs.registry import registry\n"
        "print(sorted({'mlflow', 'torch', 'sqlalchemy', 'panel'} & set(sys.modules)))\n"
        "asked = []\n"
        "def refuse(*arguments, **options):\n"
        "    asked.append(arguments)\n"
        "    raise OSError\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse\n"
        "from tests.jobs.runs import recorded\n"
        "from tests.toys import toy_jets\n"
        "recorded(registry(), toy_jets(4, seed=1))\n"
        "print(len(registry().runs()), asked)\n",
        WORKBENCH_RUNS=str(folder),
    )
    assert said.stdout == "[]\n1 []\n", said.stderr
    assert said.stderr == ""


def test_two_servers_that_begin_with_an_empty_folder_see_the_runs_of_both(tmp_path):
    runs = tmp_path / "runs"
    text = (
        "from tests.jobs.runs import recorded\n"
        "from tests.toys import toy_jets\n"
        "from workbench.jobs.registry import registry\n"
        "for seed in (1, 2):\n"
        "    recorded(registry(), toy_jets(4, seed=seed))\n"
    )
    file = tmp_path / "server.py"
    file.write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_RUNS": str(runs)}
    servers = [subprocess.Popen([sys.executable, str(file)], env=environment) for _ in range(2)]
    assert [server.wait(LONG) for server in servers] == [0, 0]
    found = Registry(runs, "").runs()
    assert [run.status for run in found] == ["done"] * 4
    assert len({run.server for run in found}) == 2


def test_what_another_server_does_is_told_and_left_alone(registry, sample, folder, monkeypatch):
    parent = psutil.Process(os.getppid())
    another = f"{socket.gethostname()}:{parent.pid}:{parent.create_time()}"
    job = Job("goes on")
    with monkeypatch.context() as there:
        there.setattr(registries, "this_server", lambda: another)
        registry.record(job, RECIPE, sample, seed=1)
    job.hand_over()
    job.receive({"kind": "began"})
    until(lambda: registry._live[job.id].status == "running")
    (run,) = Registry(folder, "").runs()
    assert (run.status, run.name) == ("running", "goes on")
    assert "It runs in another server" in run.message
    job.fail("stopped", "")
    assert registry.flush(LONG)


def test_a_run_of_another_computer_that_is_silent_died(registry, sample, folder, monkeypatch):
    job = Job("far away")
    with monkeypatch.context() as there:
        there.setattr(registries, "this_server", lambda: "far.away:1:1.0")
        registry.record(job, RECIPE, sample, seed=1)
    alive = registry.files(job.id).folder / "alive"
    until(lambda: alive.exists() and registry._live[job.id].created)
    reader = Registry(folder, "")
    assert "on far.away" in reader.runs()[0].message
    os.utime(alive, (0, 0))
    (run,) = reader.runs()
    assert run.status == "died"
    assert "nothing was learned" in run.message
    job.fail("stopped", "")
    assert registry.flush(LONG)


def test_a_killed_server_leaves_its_finished_runs_and_the_best_so_far_of_the_other(tmp_path, folder, served):
    said = script(
        tmp_path,
        "import os, signal, time\n"
        "from tests.toys import toy_jets\n"
        "from workbench.jobs.submit import submit\n"
        "from workbench.jobs.recipe import Recipe\n"
        "from workbench.jobs.registry import registry\n"
        f"parameters = {SMALL!r}\n"
        "finished = submit(Recipe('tagger', parameters), toy_jets(40, seed=3), seed=1, name='finished')\n"
        "finished.result(60)\n"
        "assert registry().flush(60)\n"
        "parameters |= {'epochs': 10_000, 'patience': 10_000}\n"
        "job = submit(Recipe('tagger', parameters), toy_jets(40, seed=3), seed=1, name='cut off')\n"
        "while not (registry().files(job.id).model.exists() and registry().files(job.id).read_steps()):\n"
        "    assert not job.over, job.error\n"
        "    time.sleep(0.01)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        WORKBENCH_RUNS=str(folder),
    )
    assert said.returncode == -9, said.stderr
    cut, finished = served.runs()
    assert (finished.name, finished.status) == ("finished", "done")
    assert served.open(finished.id).outcome is Outcome.FINISHED
    assert (cut.name, cut.status) == ("cut off", "died")
    assert "the best of" in cut.message
    assert "can be resumed" in cut.message
    kept = served.open(cut.id)
    assert kept.outcome is Outcome.STOPPED
    resumed = served.resume(cut.id)
    until(lambda: any(step.final for step in resumed.steps) or resumed.over)
    resumed.stop()
    history = resumed.result(LONG).history
    assert len(history) > len(kept.history)
    for before, after in zip(kept.history, history, strict=False):
        assert before == after
    assert served.flush(LONG)
    assert served.run(resumed.id).note["resumed"] == cut.id


def test_a_fit_is_registered_and_repeated_with_identical_weights(served, tmp_path):
    jets, held = toy_jets(60, seed=5), toy_jets(20, seed=6)
    job = jobs.submit(Tagger(**SMALL), jets, seed=2, validation=held, note=NOTE, owner="me")
    first = job.result(LONG)
    assert served.flush(LONG)
    again = served.submit_again(job.id)
    second = again.result(LONG)
    for name, weights in first.network.state_dict().items():
        np.testing.assert_array_equal(second.network.state_dict()[name], weights)
    assert served.flush(LONG)
    run = served.run(again.id)
    assert run.sample == served.run(job.id).sample
    assert run.sample["validation"] == held.fingerprint
    assert run.note["repeated"] == job.id
    assert len(list(served.samples.folder.iterdir())) == 2
    assert served.recipe(job.id) == Recipe("tagger", SMALL)
    exported = served.export(job.id, tmp_path / "mine.safetensors")
    assert exported.read_bytes() == served.files(job.id).model.read_bytes()
    served.samples.delete(jets.fingerprint)
    with pytest.raises(JobError, match="was not kept"):
        served.submit_again(job.id)


def test_the_network_after_epochs_1_2_4_is_the_one_that_the_same_fit_has_there(served, sample):
    engine, here = Tagger(**{**SMALL, "epochs": 5}), {}
    engine.fit(sample, seed=4, keep=lambda fitted: here.update({fitted.state.epoch: fitted.latest()}))
    job = jobs.submit(engine, sample, seed=4)
    job.result(LONG)
    assert served.flush(LONG)
    assert served.epochs(job.id) == [1, 2, 4]
    logits = [np.asarray(served.open(job.id, epoch).logits(sample)) for epoch in served.epochs(job.id)]
    for epoch, found in zip((1, 2, 4), logits, strict=True):
        np.testing.assert_array_equal(found, np.asarray(here[epoch].logits(sample)))
    assert not np.allclose(logits[0], logits[2])
    with pytest.raises(JobError, match="after: 1, 2, 4"):
        served.open(job.id, 3)
    served.delete(job.id)
    served.empty_trash()
    with pytest.raises(JobError):
        served.open(job.id, 1)


def test_the_list_of_runs_is_made_before_the_first_of_them(tmp_path):
    registry = Registry(tmp_path / "new", "")
    registry.warm()
    until(lambda: (tmp_path / "new" / "registry.db").exists())
    assert registry.runs() == []


def test_a_list_that_cannot_be_made_ahead_is_said_with_its_first_run(tmp_path):
    (tmp_path / "file").write_text("in the way")
    registry = Registry(tmp_path / "file", "")
    registry.warm()
    with pytest.raises(JobError):
        registry.runs()


def test_what_is_not_to_be_registered_leaves_no_trace(served, sample):
    jobs.submit(Recipe("tagger", SMALL), sample, seed=1, register=False).result(LONG)
    assert served.runs() == []
    assert not served.samples.folder.exists()


def test_a_run_without_a_model_says_so(registry, sample, tmp_path):
    job = recorded(registry, sample, answer=Answer(failure=("TrainingError", "No jets.", "")))
    (run,) = registry.runs()
    assert (run.status, run.message, run.file) == ("failed", "No jets.", None)
    for ask in (registry.open, registry.resume, lambda i: registry.export(i, tmp_path / "a.safetensors")):
        with pytest.raises(JobError, match="has no model"):
            ask(job.id)
    with pytest.raises(JobError, match=r"name it 'a\.safetensors'"):
        registry.export(job.id, tmp_path / "a.pkl")


def test_a_fit_that_cannot_be_begun_does_not_wait_for_ever(registry, sample, monkeypatch):
    class Gone:
        exchange = None

        def begin(self, *work):
            msg = "The scheduler is away."
            raise JobError(msg)

    monkeypatch.setattr(registries, "workers", Gone)
    with pytest.raises(JobError, match="The scheduler is away"):
        registry.submit(RECIPE, sample, seed=1)
    assert registry.flush(LONG)
    (run,) = registry.runs()
    assert run.status == "failed"
    assert "The scheduler is away" in run.message


def test_a_name_given_while_the_run_is_entered_into_the_list_is_kept(registry, sample, monkeypatch):
    create = Index.create

    def slow(self, identity, *told):
        registry.rename(identity, "late")
        create(self, identity, *told)

    monkeypatch.setattr(Index, "create", slow)
    recorded(registry, sample, name="early")
    assert [run.name for run in registry.runs()] == ["late"]
    assert registry.runs()[0].sample["fingerprint"] == sample.fingerprint


def test_what_is_no_run_of_ours_is_counted_and_the_others_are_listed(registry, sample, folder):
    job = recorded(registry, sample)
    foreign = Index(folder)
    foreign.create("../../etc/passwd", "odd", {}, {"seed": "1"})
    foreign.create("0" * 16, "odd", {}, {"seed": "one"})
    assert [run.id for run in registry.runs()] == [job.id]
    assert registry.unread == 2


def test_whether_the_jets_have_weights_stands_with_the_run(registry, sample):
    plain = recorded(registry, sample)
    weighted = recorded(registry, replace(sample, weight=np.full(len(sample), 2.0)))
    assert "weighted" not in registry.run(plain.id).sample
    assert registry.run(weighted.id).sample["weighted"] is True
