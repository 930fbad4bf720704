"""JetClass in ROOT written by uproot, JetClass-II in Parquet written by pyarrow, and the real example."""

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.real_files import SHARED, needs_shared
from workbench.data import jetclass
from workbench.data.jets import summed
from workbench.errors import DataError

from .layouts import four_momenta, jetclass_arrays, root

COUNTS = [5, 2, 30, 1]
REAL = SHARED / "jetclass2" / "JetClassII_example.parquet"


def one_hot(index, names=("QCD", "Hbb", "Tbqq")):
    return {f"label_{name}": np.array(index) == i for i, name in enumerate(names)}


def parquet(path, arrays):
    table = {
        name: pa.array(ak.to_list(values)) if name.startswith(("part_", "aux_")) else np.asarray(values)
        for name, values in arrays.items()
    }
    pq.write_table(pa.table(table), path, row_group_size=3)


def test_root_and_parquet_give_the_same_jets(tmp_path):
    arrays = jetclass_arrays(four_momenta(COUNTS))
    root(tmp_path / "a.root", "tree", {**arrays, **one_hot([0, 1, 2, 1])})
    parquet(tmp_path / "a.parquet", {**arrays, "jet_label": np.array([0, 15, 187, 160])})
    first, second = jetclass.read(tmp_path / "a.root"), jetclass.read(tmp_path / "a.parquet")
    assert first.counts.tolist() == second.counts.tolist() == COUNTS
    np.testing.assert_allclose(
        ak.flatten(first.constituents.px), ak.flatten(second.constituents.px), rtol=1e-6
    )
    assert [first.classes[i] for i in first.label] == ["QCD", "Hbb", "Tbqq", "Hbb"]
    assert [second.classes[i] for i in second.label] == ["Res2P", "Res34P", "QCD", "Res34P"]


def test_the_signed_deta_of_the_file_is_undone(tmp_path):
    jets = four_momenta(COUNTS)
    jets[1][:, 3] *= -1  # a jet on the other side, where the sign matters
    arrays = jetclass_arrays(jets)
    root(tmp_path / "a.root", "tree", arrays)
    sample = jetclass.read(tmp_path / "a.root")
    undone = sample.p4.eta + arrays["part_deta"] * np.sign(sample.p4.eta)
    np.testing.assert_allclose(ak.flatten(sample.constituents.eta), ak.flatten(undone), atol=1e-5)


def test_flags_and_charge_make_the_pdg_id(tmp_path):
    arrays = jetclass_arrays(four_momenta([1000]))
    root(tmp_path / "a.root", "tree", arrays)
    constituents = jetclass.read(tmp_path / "a.root").constituents[0]
    expected = {
        "isElectron": 11,
        "isMuon": 13,
        "isPhoton": 22,
        "isChargedHadron": 211,
        "isNeutralHadron": 130,
    }
    order = np.argsort(-np.hypot(arrays["part_px"][0], arrays["part_py"][0]), kind="stable")
    for flag, pid in expected.items():
        chosen = np.asarray(constituents.pid)[ak.to_numpy(arrays[f"part_{flag}"][0])[order]]
        assert set(np.abs(chosen)) == {pid}
    charged = np.asarray(constituents.charge) != 0
    leptons = np.isin(np.abs(constituents.pid), (11, 13))
    sign = np.where(leptons, -1, 1) * np.sign(constituents.pid)
    np.testing.assert_array_equal(sign[charged], np.asarray(constituents.charge)[charged])


def test_row_ranges_across_row_groups(tmp_path):
    parquet(tmp_path / "a.parquet", jetclass_arrays(four_momenta([4, 3, 2, 5, 6, 1, 2, 3])))
    whole = jetclass.read(tmp_path / "a.parquet")
    for start, stop in ((0, 2), (2, 4), (3, 8), (7, 8)):
        assert (
            jetclass.read(tmp_path / "a.parquet", start=start, stop=stop).fingerprint
            == whole[start:stop].fingerprint
        )


def test_a_jet_with_two_labels_is_refused(tmp_path):
    labels = one_hot([0, 1, 2, 1])
    labels["label_QCD"][2] = True
    root(tmp_path / "a.root", "tree", {**jetclass_arrays(four_momenta(COUNTS)), **labels})
    with pytest.raises(DataError, match="1 jets of a.root have more than one label .first: jet 2"):
        jetclass.read(tmp_path / "a.root")


def test_a_missing_branch_names_the_nearest(tmp_path):
    arrays = jetclass_arrays(four_momenta(COUNTS))
    arrays["part_charges"] = arrays.pop("part_charge")
    root(tmp_path / "a.root", "tree", arrays)
    with pytest.raises(DataError, match="no branch 'part_charge'; did you mean 'part_charges'"):
        jetclass.read(tmp_path / "a.root")


@needs_shared("jetclass2")
def test_constituents_of_the_real_jets_sum_to_the_stated_pt():
    sample = jetclass.read(REAL)
    assert len(sample) == 100
    np.testing.assert_allclose(summed(sample.constituents).pt, sample.p4.pt, rtol=1e-6)


@needs_shared("jetclass2")
def test_the_signed_convention_holds_for_every_real_jet():
    sample, raw = jetclass.read(REAL), ak.from_parquet(REAL)
    order = ak.argsort(np.hypot(raw.part_px, raw.part_py), axis=1, ascending=False, stable=True)
    undone = raw.jet_eta + (raw.part_deta * np.sign(raw.jet_eta))[order]
    signed = ak.all(abs(undone - sample.constituents.eta) < 1e-3, axis=1)
    plain = ak.all(abs(raw.jet_eta + raw.part_deta[order] - sample.constituents.eta) < 1e-3, axis=1)
    assert ak.sum(signed) == 100
    assert ak.sum(~plain) == 51


@needs_shared("jetclass2")
def test_the_truth_of_the_real_jets_is_a_resonance_or_partons():
    sample = jetclass.read(REAL)
    resonant = np.asarray(sample.label) != sample.class_index("QCD")
    assert ak.all(ak.any(sample.columns["truth"].isResX, axis=1) == resonant)
