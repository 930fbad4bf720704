"""A file as the sample of a page: rows, totals, units, jets from events, progress and stop, and the line of Python."""

import threading

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.data import parquet
from workbench.data.events import Events
from workbench.data.jets import Jets, momenta
from workbench.errors import DataError
from workbench.state import reading
from workbench.state.reading import Wanted, open_file


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toys.parquet"
    parquet.write(toy_jets(60, 3), path)
    return path


def events():
    particles = momenta(
        pt=ak.Array([[100.0, 30.0], [], [50.0]]),
        eta=ak.Array([[0.1, -2.0], [], [1.0]]),
        phi=ak.Array([[0.1, 2.0], [], [-1.0]]),
        mass=ak.Array([[0.0, 0.0], [], [0.0]]),
    )
    return Events({"particles": particles}, label=np.full(3, -1), classes=(), weight=np.ones(3))


def test_a_whole_file_is_read_and_said(file):
    opened = open_file(file, Wanted())
    assert opened.sentence == "All 60 jets of the file were read."
    assert (opened.total, opened.events, len(opened.jets)) == (60, None, 60)


@pytest.mark.parametrize(
    ("start", "stop", "sentence"),
    [
        (0, 25, "25 jets were read of 60 in the file."),
        (50, 90, "The jets 50 to 60 were read of 60 in the file."),
    ],
)
def test_a_part_is_never_silent_about_the_rest(file, monkeypatch, start, stop, sentence):
    monkeypatch.setattr(reading, "PIECE", 7)
    opened = open_file(file, Wanted(start, stop), written=str(file))
    assert opened.sentence == sentence
    expected = toy_jets(60, 3)[start:stop]
    assert opened.jets.fingerprint == expected.fingerprint
    again = eval(opened.source, {"wb": wb})  # noqa: S307 - our own line, made of a path of this test
    assert again.fingerprint == expected.fingerprint


def test_a_file_read_in_pieces_tells_where_it_is_and_can_be_stopped(file, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 10)
    steps, stop = [], threading.Event()

    def report(step):
        steps.append((step.done, step.total))
        if step.done == 30:
            stop.set()

    opened = open_file(file, Wanted(), report=report, stop=stop)
    assert steps == [(10, 60), (20, 60), (30, 60)]
    assert opened.sentence == "30 jets were read of 60 in the file, because you stopped."
    assert opened.jets.fingerprint == toy_jets(60, 3)[:30].fingerprint
    assert opened.jets.origin.steps == ("read rows 0 to 30",)


def test_events_become_jets_that_know_their_event(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 1)
    path = tmp_path / "events.parquet"
    parquet.write(events(), path)
    opened = open_file(path, Wanted(pt_min=40, radius=0.4), written=str(path))
    assert len(opened.events) == 3
    np.testing.assert_array_equal(opened.jets.columns["event_index"], [0, 2])
    assert opened.source.endswith("kind='jets', stop=3, radius=0.4, pt_min=40)")
    assert isinstance(wb.load(path, kind="jets", stop=3, radius=0.4, pt_min=40), Jets)


def test_events_without_a_jet_say_what_to_do(tmp_path):
    path = tmp_path / "events.parquet"
    parquet.write(events(), path)
    with pytest.raises(DataError, match="No jet was found in 3 events of events.parquet; read more"):
        open_file(path, Wanted(pt_min=400))


@pytest.mark.parametrize(("start", "stop"), [(5, 5), (-1, 4), (60, 70)])
def test_rows_that_are_not_there_are_refused(file, start, stop):
    with pytest.raises(DataError, match="There are no"):
        open_file(file, Wanted(start, stop))


def test_an_upload_is_called_what_the_user_calls_it(file, tmp_path):
    assert open_file(file, Wanted(), name="mine.parquet").jets.origin.name == "mine.parquet"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(DataError) as refused:
        open_file(file, Wanted(), name="mine.parquet")
    assert "toys" not in str(refused.value)


def test_the_line_of_python_quotes_the_name_of_the_file(tmp_path):
    path = tmp_path / "a'); evil('.parquet"
    parquet.write(toy_jets(4, 1), path)
    opened = open_file(path, Wanted(), written=path.name)
    assert opened.source == f"wb.load({path.name!r}, stop=4)"


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(5, 600), Wanted(units="MeV"), Wanted(stop=7, radius=0.4, pt_min=12.5, units="GeV")],
)
def test_what_was_read_of_a_file_is_part_of_its_id(wanted):
    assert Wanted.read(f"data/top.h5{wanted.suffix}") == ("data/top.h5", wanted)


@pytest.mark.parametrize(
    "part",
    [
        "stop=-1",
        "stop=1.5",
        "stop=١",
        "rows=5",
        "units=eV",
        "radius=nan",
        "radius=1e9",
        "",
        "stop",
        "pt_min=inf",
    ],
)
def test_an_id_with_a_wrong_part_is_refused_with_a_sentence(part):
    with pytest.raises(DataError, match="is not one of start, stop"):
        Wanted.read(f"data/top.h5|{part}")
