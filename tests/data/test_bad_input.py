"""Bad values, empty files and smallest samples in every format: each its sentence, or its right answer."""

import json
import zipfile

import awkward as ak
import h5py
import numpy as np
import pytest
import uproot

import workbench as wb
from tests.real_files import needs_shared, real_file
from workbench.data import delphes, formats, ftag, ig, jetnet, nanoaod, quarkgluon
from workbench.errors import DataError

from . import layouts
from .test_event_files import ig_text, olympics
from .test_jet_files import QG, jet_net, quark_gluon


def bad_jetclass(path):
    jets = layouts.four_momenta([3, 4, 2])
    arrays = layouts.jetclass_arrays(jets)
    arrays["part_d0val"] = layouts.ragged(np.where(np.arange(9) == 4, np.nan, 0.1), [3, 4, 2])
    layouts.root(path, "tree", arrays)


def bad_quark_gluon(path):
    jets = [list(jet) for jet in QG]
    jets[1][0] = (70.0, np.nan, 3.0, -321)
    quark_gluon(path, jets, [0, 1, 1])


def bad_jetnet(path):
    jet_net(path)
    with h5py.File(path, "r+") as file:
        file["particle_features"][1, 3, 0] = np.nan


def bad_olympics(path):
    values = olympics()
    values[1, 4] = np.inf
    with h5py.File(path, "w") as file:
        file["events"] = values


def bad_top_tagging(path):
    jets = layouts.four_momenta([3, 4])
    jets[1][2, 3] = np.nan
    layouts.top_tagging(path, jets, [0, 1], "table")


def bad_nanoaod(path):
    muons = ak.zip({"pt": [[3.0], [np.nan, 2.0]], "eta": [[1.0], [1.0, 1.0]], "phi": [[1.0], [1.0, 1.0]]})
    layouts.root(path, "Events", {"Muon": muons})


@pytest.mark.parametrize(
    ("writer", "sentence"),
    [
        (bad_jetclass, "1 values of d0 in first.root are not finite numbers .first: jet 1"),
        (bad_quark_gluon, "1 values of rapidity in first.npz are not finite numbers .first: jet 1"),
        (bad_jetnet, "1 values of etarel in first.root are not finite numbers .first: jet 1"),
        (bad_olympics, "1 values of eta in first.root are not finite numbers .first: event 1"),
        (bad_top_tagging, "1 values of momentum in first.root are not finite numbers .first: jet 1"),
        (bad_nanoaod, "1 values of Muon_pt in first.root are not finite numbers .first: event 1"),
    ],
)
def test_a_value_that_is_no_number_names_its_jet_or_event(tmp_path, writer, sentence):
    path = tmp_path / ("first.npz" if writer is bad_quark_gluon else "first.root")
    writer(path)
    with pytest.raises(DataError, match=sentence):
        formats.read(path)


def test_the_jet_of_a_bad_value_is_counted_from_the_start_of_the_file(tmp_path):
    jets = layouts.four_momenta([2] * 1203)
    jets[1201][1, 0] = -1.0
    layouts.top_tagging(tmp_path / "a.h5", jets, [0] * 1203, "table", slots=3)
    for start in (0, 700):
        with pytest.raises(DataError, match="energies in a.h5 are negative .first: jet 1201, -1 GeV"):
            formats.read(tmp_path / "a.h5", start=start)
    assert len(formats.read(tmp_path / "a.h5", stop=1201)) == 1201


def test_a_slot_without_energy_but_with_momentum_is_not_taken_for_padding(tmp_path):
    jets = layouts.four_momenta([3, 4])
    jets[1][3] = [0.0, 0.0, 5.0, 0.0]
    layouts.top_tagging(tmp_path / "a.h5", jets, [0, 1], "fixed")
    with pytest.raises(DataError, match="exceed their energy .* .first: jet 1."):
        formats.read(tmp_path / "a.h5")


def test_padding_of_negative_zeros_is_padding(tmp_path):
    jets = layouts.four_momenta([3, 4])
    jets[1][3] = -0.0
    layouts.top_tagging(tmp_path / "a.h5", jets, [0, 1], "fixed")
    assert formats.read(tmp_path / "a.h5").counts.tolist() == [3, 3]


def renamed_hdf5(writer, dataset, field=None):
    """Writes an HDF5 file in which a dataset, or a field of it, has an s more."""

    def write(path):
        writer(path)
        with h5py.File(path, "r+") as file:
            values = file[dataset][:]
            del file[dataset]
            if field is not None:
                values.dtype.names = [name + "s" * (name == field) for name in values.dtype.names]
            file[dataset if field is not None else f"{dataset}s"] = values

    return write


def delphes_without(missing):
    def write(path):
        names = ["Event", "EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron"]
        layouts.root(path, "Delphes", {name + "s" * (name == missing): np.zeros(2) for name in names})

    return write


def ig_without_charge(path):
    content = ig_text()
    content["Types"]["Tracks_V3"][-1][0] = "charges"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Events/Run_198230/Event_7", json.dumps(content))


@pytest.mark.parametrize(
    ("read", "writer", "missing", "near"),
    [
        (ftag.read, renamed_hdf5(layouts.ftag, "jets"), "dataset 'jets'", "jetss"),
        (ftag.read, renamed_hdf5(layouts.ftag, "jets", "eta"), "jet field 'eta'", "etas"),
        (ftag.read, renamed_hdf5(layouts.ftag, "consts"), "dataset 'consts'", "constss"),
        (ftag.read, renamed_hdf5(layouts.ftag, "consts", "valid"), "track field 'valid'", "valids"),
        (ftag.read, renamed_hdf5(layouts.ftag, "consts", "deta"), "track field 'deta'", "detas"),
        (delphes.read, delphes_without("Event"), "branch 'Event'", "Events"),
        (delphes.read, delphes_without("EFlowTrack"), "branch 'EFlowTrack'", "EFlowTracks"),
        (nanoaod.read, lambda path: layouts.nanoaod(path, Jet={"pt": "pts"}), "branch 'Jet_pt'", "Jet_pts"),
        (
            nanoaod.read,
            lambda path: layouts.nanoaod(path, Muon={"eta": "etas"}),
            "branch 'Muon_eta'",
            "Muon_etas",
        ),
        (
            quarkgluon.read,
            lambda path: np.savez(path, X=np.ones((1, 2, 4)), ys=[1]),
            "array 'y.npy'",
            "ys.npy",
        ),
        (jetnet.read, renamed_hdf5(jet_net, "jet_features"), "dataset 'jet_features'", "jet_featuress"),
        (ig.read, ig_without_charge, "Tracks column 'charge'", "charges"),
    ],
)
def test_what_is_missing_is_named_with_the_nearest(tmp_path, read, writer, missing, near):
    path = tmp_path / "first.npz"
    writer(path)
    with pytest.raises(DataError, match=f"first.npz has no {missing}; did you mean '{near}'"):
        read(path)


def test_a_collection_of_nanoaod_without_pt_is_not_lost_silently(tmp_path):
    layouts.nanoaod(tmp_path / "a.root", Jet={"pt": "rawPt"})
    with pytest.raises(DataError, match="a.root has no branch 'Jet_pt'; did you mean 'Jet_"):
        formats.read(tmp_path / "a.root")
    layouts.root(tmp_path / "b.root", "Events", {"nJet": np.array([2]), "Muon_pt": np.array([1.0])})
    with pytest.raises(DataError, match="b.root has no branch 'Jet_pt'"):
        nanoaod.read(tmp_path / "b.root")


def empty_root(path):
    arrays = layouts.jetclass_arrays(layouts.four_momenta([3]))
    layouts.root(path, "tree", {name: values[:0] for name, values in arrays.items()})


def empty_hdf5(first, second):
    def write(path):
        with h5py.File(path, "w") as file:
            file[first], file[second] = np.zeros((0, 30, 4)), np.zeros((0, 4))

    return write


def empty_npz(path):
    np.savez(path, X=np.zeros((0, 5, 4)), y=np.zeros(0))


def empty_olympics(path):
    with h5py.File(path, "w") as file:
        file["events"] = np.zeros((0, 2101))


@pytest.mark.parametrize(
    ("writer", "what"),
    [
        (empty_root, "jets"),
        (empty_npz, "jets"),
        (empty_hdf5("particle_features", "jet_features"), "jets"),
        (empty_olympics, "events"),
        (lambda path: layouts.ftag(path, jets=0), "jets"),
    ],
)
def test_a_file_of_a_known_format_without_rows_says_so(tmp_path, writer, what):
    path = tmp_path / ("a.npz" if writer is empty_npz else "a.root")
    writer(path)
    with pytest.raises(DataError, match=f"{path.name} holds no {what}; give a file with at least one"):
        formats.read(path)


@pytest.mark.parametrize("layout", ["fixed", "table"])
def test_one_jet_of_one_particle_is_that_particle(tmp_path, layout):
    jets = layouts.four_momenta([1])
    layouts.top_tagging(tmp_path / "a.h5", jets, [1], layout)
    sample = wb.load(tmp_path / "a.h5")
    assert sample.counts.tolist() == [1]
    assert sample.p4.pt[0] == sample.constituents.pt[0, 0]
    assert sample.p4.eta[0] == pytest.approx(sample.constituents.eta[0, 0], rel=1e-12)


def test_lists_of_another_length_than_the_jets_are_refused(tmp_path):
    jet_net(tmp_path / "a.h5")
    layouts.ftag(tmp_path / "b.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        fewer = file["jet_features"][:3]
        del file["jet_features"]
        file["jet_features"] = fewer
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        fewer = file["consts"][:7]
        del file["consts"]
        file["consts"] = fewer
    with pytest.raises(DataError, match="a.h5 has particles of 4 jets and features of 3"):
        formats.read(tmp_path / "a.h5")
    with pytest.raises(DataError, match="b.h5 has 20 jets and lists of 7"):
        formats.read(tmp_path / "b.h5")


def test_weights_and_energies_of_flavour_tagging_files_are_used(tmp_path):
    jet, parts = layouts.ftag(tmp_path / "a.h5", scale=1000.0)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["jets"], file["consts"]
        kinds = [*jet.dtype.descr, ("mcEventWeight", "f4")]
        weighted = np.zeros(len(jet), kinds)
        for name in jet.dtype.names:
            weighted[name] = jet[name]
        weighted["mcEventWeight"] = np.where(np.arange(len(jet)) % 3 == 0, -1.5, 2.0)
        massive = np.zeros(parts.shape, [*parts.dtype.descr, ("energy", "f8")])
        for name in parts.dtype.names:
            massive[name] = parts[name]
        pt, eta = parts["pt"].astype(float), jet["eta"][:, None].astype(float) + parts["deta"]
        massive["energy"] = np.sqrt((pt * np.cosh(eta)) ** 2 + 500.0**2)  # MeV
        file["jets"], file["consts"] = weighted, massive
    jets = formats.read(tmp_path / "a.h5")
    assert jets.weight.tolist() == weighted["mcEventWeight"].tolist()
    # the mass is a difference of squares of float32 momenta of a few tens of GeV
    np.testing.assert_allclose(ak.flatten(jets.constituents.mass), 0.5, rtol=1e-3)


@needs_shared("delphes/uproot-issue513.root")
def test_what_delphes_measured_without_pt_is_left_out_and_counted():
    path = real_file("delphes/uproot-issue513.root")
    events = delphes.read(path)
    assert ak.all(events["particles"].pt > 0)
    assert np.isfinite(ak.to_numpy(ak.flatten(events["particles"].pz))).all()
    stored = 0

    with uproot.open(path) as file:
        for name, pt in (("EFlowTrack", "PT"), ("EFlowPhoton", "ET"), ("EFlowNeutralHadron", "ET")):
            stored += len(ak.flatten(file[f"Delphes/{name}/{name}.{pt}"].array()))
    left_out = events.origin.settings["particles_without_pt"]
    assert left_out > 0
    assert int(ak.sum(ak.num(events["particles"]))) == stored - left_out
