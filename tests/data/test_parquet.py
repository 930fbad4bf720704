"""The project's own file gives back what was put in, and survives bad luck."""

import json
import resource
from dataclasses import replace

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data import Events, Jets, Origin, parquet
from workbench.data.jets import momenta
from workbench.data.parquet_table import ROWS_PER_GROUP
from workbench.errors import DataError


def jets_of(n, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, n)
    total = counts.sum()
    constituents = ak.unflatten(
        momenta(
            pt=rng.exponential(30, total).astype(np.float32),
            eta=rng.normal(size=total),
            phi=rng.uniform(-3, 3, total),
            mass=np.zeros(total),
            pid=rng.integers(-300, 300, total),
        ),
        counts,
    )
    return Jets.of(
        constituents,
        label=rng.integers(-1, 2, n),
        classes=("QCD", "top"),
        weight=rng.normal(size=n),
        columns={
            "tau21": rng.random(n).astype(np.float32),
            "image": rng.random((n, 2, 3)),
            "truth": constituents,
            "name": ak.Array([f"jet {i}" for i in range(n)]),
        },
        origin=Origin("made up", "simulation", "a test", {"seed": seed, "window": [550, 650]}, ("one step",)),
    )


def test_jets_come_back_equal_with_every_column_type_and_origin(tmp_path):
    jets = jets_of(50)
    parquet.write(jets, tmp_path / "a.parquet")
    back = parquet.read(tmp_path / "a.parquet")
    assert back.fingerprint == jets.fingerprint
    assert back.origin == jets.origin
    assert back.constituents.type == jets.constituents.type
    assert (back.label == "top").tolist() == (jets.label == "top").tolist()
    assert list(back.columns) == list(jets.columns)
    assert back.columns["tau21"].dtype == np.float32
    np.testing.assert_array_equal(back.columns["image"], jets.columns["image"])
    assert back.columns["name"].to_list() == jets.columns["name"].to_list()
    np.testing.assert_array_equal(ak.flatten(back.constituents.px), ak.flatten(jets.constituents.px))


def test_events_come_back_equal(tmp_path):
    constituents = jets_of(30).constituents
    met = ak.zip({"pt": np.arange(30.0), "phi": np.zeros(30)}, with_name="Momentum2D")
    events = Events.of({"particles": constituents, "met": met}, columns={"run": np.arange(30)})
    parquet.write(events, tmp_path / "a.parquet")
    back = parquet.read(tmp_path / "a.parquet")
    assert isinstance(back, Events)
    assert back.fingerprint == events.fingerprint
    assert back["met"].px.to_list() == met.px.to_list()


def test_a_range_of_rows_is_what_a_slice_of_the_whole_is(tmp_path):
    jets = jets_of(2 * ROWS_PER_GROUP + 10)
    parquet.write(jets, tmp_path / "a.parquet")
    edge = ROWS_PER_GROUP
    for start, stop in ((0, 3), (edge - 2, edge + 2), (edge, 2 * edge), (2 * edge + 5, None)):
        assert (
            parquet.read(tmp_path / "a.parquet", start=start, stop=stop).fingerprint
            == jets[start:stop].fingerprint
        )


def test_a_sample_without_jets_is_kept(tmp_path):
    parquet.write(jets_of(4)[:0], tmp_path / "a.parquet")
    back = parquet.read(tmp_path / "a.parquet")
    assert len(back) == 0
    assert back.classes == ("QCD", "top")


def test_another_library_can_read_the_file(tmp_path):
    jets = jets_of(20)
    parquet.write(jets, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["weight"].to_pylist() == jets.weight.tolist()
    assert [len(x) for x in table["constituents"].to_pylist()] == jets.counts.tolist()


def test_a_newer_version_is_refused_with_a_sentence(tmp_path):
    parquet.write(jets_of(4), tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    head = json.loads(table.schema.metadata[b"workbench"])
    newer = {**table.schema.metadata, b"workbench": json.dumps({**head, "format": 99}).encode()}
    pq.write_table(table.replace_schema_metadata(newer), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="version 99.*up to 1; update the workbench"):
        parquet.read(tmp_path / "b.parquet")


def test_a_foreign_parquet_file_is_refused_with_its_columns(tmp_path):
    pq.write_table(pa.table({"apples": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="another program.*apples"):
        parquet.read(tmp_path / "a.parquet")


def test_a_truncated_file_is_one_sentence(tmp_path):
    parquet.write(jets_of(100), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read as Workbench Parquet"):
        parquet.read(tmp_path / "a.parquet")


def test_rows_that_are_not_there_are_said(tmp_path):
    parquet.write(jets_of(4), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no jets from 4 to None in a.parquet, which has 4"):
        parquet.read(tmp_path / "a.parquet", start=4)


def test_the_old_file_survives_a_full_disk(tmp_path):
    old = jets_of(5)
    parquet.write(old, tmp_path / "a.parquet")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DataError, match="could not be written"):
            parquet.write(jets_of(3000), tmp_path / "a.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]
    assert parquet.read(tmp_path / "a.parquet").fingerprint == old.fingerprint


def test_an_origin_that_json_cannot_hold_is_refused(tmp_path):
    jets = jets_of(3)
    with pytest.raises(DataError, match="JSON values only; found set"):
        parquet.write(replace(jets, origin=Origin("x", settings={"a": {1}})), tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
