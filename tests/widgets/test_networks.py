"""The networks that a page can open: by name, each with the Python that gives it again, nothing from outside the folders."""

from types import SimpleNamespace

import pytest

from tests.patience import settle
from tests.toys import toy_jets
from tests.widgets.test_analysis import Planted
from workbench.errors import DataError, JobError, StoreError
from workbench.state.files import Files
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.networks import BUNDLED, PLANTED, NetworkPicker, Networks, of_runs

JETS = toy_jets(20, 3)
RUN = SimpleNamespace(
    id="00112233445566aa",
    name="mine <b>",
    note={"seed": 3},
    sample={"selection": "pt > 520"},
    file="model.safetensors",
    network="pfn",
    kind="tagger",
    metrics={"auc": 0.9, "auc_error": 0.01},
)


class Kept:
    """A registry of one run with a model and one without."""

    def runs(self):
        return [RUN, SimpleNamespace(**{**vars(RUN), "id": "f" * 16, "file": None})]

    def run(self, identity):
        return RUN

    def epochs(self, identity):
        return [1, 2, 4]

    def open(self, identity, epoch=None):
        if identity != RUN.id:
            msg = f"There is no run {identity}; choose one of the list."
            raise JobError(msg)
        return Planted(1)


@pytest.fixture
def opened():
    return []


@pytest.fixture
def networks(tmp_path, monkeypatch, opened):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "own.safetensors").write_bytes(b"x")
    (folder / "broken.safetensors").write_bytes(b"y")
    (folder / "jets.parquet").write_bytes(b"x")
    (tmp_path / "outside.safetensors").write_bytes(b"x")

    def read(path):
        opened.append(str(path))
        if "broken" in str(path):
            msg = "broken.safetensors is not a saved model; choose another file."
            raise StoreError(msg)
        return Planted(2)

    public = {"open": read, "bundled": lambda name: f"bundle/{name}"}
    monkeypatch.setattr("workbench.widgets.networks.public", public.__getitem__)
    monkeypatch.setattr("workbench.widgets.networks.registry", Kept)
    sample = SampleState()
    analysis = Analysis(sample, SelectionState(sample), Errands())
    sample.take(JETS)
    yield Networks(analysis, analysis.errands, Files([folder]))
    analysis.errands.close()


def test_there_are_the_bundled_one_runs_with_a_model_and_files(networks):
    found = networks.listed()
    assert list(found.values()) == [
        BUNDLED,
        PLANTED,
        "run:00112233445566aa",
        "file:data/broken.safetensors",
        "file:data/own.safetensors",
    ]
    assert "Run mine <b> (pfn, AUC 0.900 ± 0.010, 0011)" in found


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        (BUNDLED, 'wb.open(wb.bundled("tagger"))', "Bundled planted"),
        ("run:00112233445566aa", "wb.registry().open('00112233445566aa')", "mine <b>"),
        ("run:00112233445566aa@4", "wb.registry().open('00112233445566aa', epoch=4)", "mine <b>, epoch 4"),
    ],
)
def test_a_network_is_opened_with_its_name_and_the_python_that_gives_it_again(networks, name, source, title):
    networks.open(name, pytest.fail)
    settle(networks.errands)
    assert (networks.name, networks.analysis.source, networks.analysis.title) == (name, source, title)


@pytest.mark.parametrize("name", ["run:00112233445566aa", "run:00112233445566aa@2"])
def test_the_epochs_of_the_run_that_is_looked_at_are_listed(networks, name):
    networks.open(name, pytest.fail)
    settle(networks.errands)
    found = networks.listed()
    epochs = [id for id in found.values() if "@" in id]
    assert epochs == [f"run:00112233445566aa@{n}" for n in (1, 2, 4)]
    assert "Run mine <b> (0011) after epoch 4" in found
    assert not [id for id in of_runs(found).values() if "@" in id]
    for id in epochs:
        networks.check(id)


def test_a_file_of_the_users_own_is_opened_from_below_the_folders(networks, opened):
    networks.open("file:data/own.safetensors", pytest.fail)
    settle(networks.errands)
    assert opened[-1].endswith("own.safetensors")
    assert networks.name == "file:data/own.safetensors"
    assert networks.analysis.source.startswith("wb.open('")


@pytest.mark.parametrize(
    "name",
    [
        "file:data/../outside.safetensors",
        "file:/etc/passwd.safetensors",
        "file:data/jets.parquet",
        "run:../../etc",
        "run:00112233445566aa@../x",
        "tarot",
        "",
    ],
)
def test_what_is_no_network_of_this_page_is_refused_before_it_is_read(networks, opened, name):
    with pytest.raises((DataError, JobError)):
        networks.check(name)
    said = []
    networks.open(name, said.append)
    settle(networks.errands)
    assert len(said) == 1
    assert opened == []
    assert networks.analysis.fitted is None


def test_what_cannot_be_opened_says_why_and_leaves_the_network_that_is_looked_at(networks):
    picker = NetworkPicker(networks)
    networks.open(BUNDLED, pytest.fail)
    settle(networks.errands)
    picker.load()
    settle(networks.errands)
    picker.choice.value = "file:data/broken.safetensors"
    settle(networks.errands)
    assert "not a saved model" in picker.told.object
    assert picker.choice.value == networks.name == BUNDLED


def test_one_that_nobody_asked_for_gives_way(networks):
    mine = Planted(3)
    networks.open(BUNDLED, pytest.fail, unasked=True)
    networks.analysis.take(mine, "mine")
    settle(networks.errands)
    assert networks.analysis.fitted is mine
    assert networks.name == ""


def test_the_choice_follows_whoever_opened_a_network(networks):
    picker = NetworkPicker(networks)
    networks.open("run:00112233445566aa", pytest.fail)
    settle(networks.errands)
    assert picker.choice.value == "run:00112233445566aa"
    assert "planted, QCD / top" in picker.facts.object
