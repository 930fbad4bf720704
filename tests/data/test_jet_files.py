"""Quark/gluon npz, JetNet and flavour-tagging HDF5: jets in files of plain arrays."""

import h5py
import numpy as np
import pytest

from tests.real_files import SHARED, needs_shared
from workbench.data import ftag, jetnet, quarkgluon
from workbench.errors import DataError

from . import layouts

PION = 0.13957039


def quark_gluon(path, jets, y, **extra):
    x = np.zeros((len(jets), max(len(jet) for jet in jets), 4))
    for row, jet in zip(x, jets, strict=True):
        row[: len(jet)] = jet
    np.savez_compressed(path, X=x, y=np.array(y), **extra)


QG = [
    [(50.0, 1.2, 0.3, 211), (20.0, 1.1, 6.2, 22)],
    [(70.0, -0.4, 3.0, -321)],
    [(9.0, 0.0, 1.0, 130), (5.0, 2.0, 1.1, 9999)],
]


def test_rapidity_becomes_pseudorapidity_with_the_mass_of_the_kind(tmp_path):
    quark_gluon(tmp_path / "a.npz", QG, [1, 0, 1])
    jets = quarkgluon.read(tmp_path / "a.npz")
    assert jets.classes == ("gluon", "quark")
    assert jets.label.tolist() == [1, 0, 1]
    for ours, theirs in zip(jets.constituents, QG, strict=True):
        np.testing.assert_allclose(ours.rapidity, [particle[1] for particle in theirs], atol=1e-12)
    assert jets.constituents[0, 0].mass == PION
    assert jets.constituents[1, 0].charge == -1
    assert jets.constituents[0, 1].phi == pytest.approx(6.2 - 2 * np.pi)
    # hand-computed: sinh(eta) = sqrt(pt^2 + m^2)/pt sinh(y) with the charged pion
    assert jets.constituents[0, 0].eta == pytest.approx(
        np.arcsinh(np.sqrt(2500 + PION**2) / 50 * np.sinh(1.2)), rel=1e-14
    )


def test_a_particle_of_unknown_mass_is_massless_and_counted(tmp_path):
    quark_gluon(tmp_path / "a.npz", QG, [1, 0, 1])
    jets = quarkgluon.read(tmp_path / "a.npz")
    assert jets.constituents[2, 1].mass == 0
    assert jets.origin.settings["particles_taken_as_massless"] == 1


def test_a_range_of_an_archive_is_a_slice(tmp_path):
    quark_gluon(tmp_path / "a.npz", QG, [1, 0, 1])
    whole = quarkgluon.read(tmp_path / "a.npz")
    assert quarkgluon.read(tmp_path / "a.npz", start=1, stop=2).fingerprint == whole[1:2].fingerprint


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.array([[1], [1, 2]], dtype=object), y=np.array([0, 1]))
    with pytest.raises(DataError, match="Python objects"):
        quarkgluon.read(tmp_path / "a.npz")


def jet_net(path, features=4):
    rng = np.random.default_rng(3)
    particles = np.concatenate(
        [rng.normal(0, 0.1, (4, 30, 2)), rng.random((4, 30, 1)), np.ones((4, 30, 1))], axis=2
    )
    particles[1, 10:] = 0
    jets = np.stack(
        [rng.uniform(800, 1200, 4), rng.normal(size=4), rng.uniform(50, 200, 4), [30, 10, 30, 30]], axis=1
    )
    with h5py.File(path, "w") as file:
        file["particle_features"], file["jet_features"] = particles.astype("f4"), jets.astype("f4")
    return particles, jets


def test_relative_coordinates_of_jetnet_become_absolute(tmp_path):
    particles, stated = jet_net(tmp_path / "t.hdf5")
    jets = jetnet.read(tmp_path / "t.hdf5")
    assert jets.counts.tolist() == [30, 10, 30, 30]
    order = np.argsort(-particles[0, :, 2].astype("f4"), kind="stable")
    np.testing.assert_allclose(jets.constituents[0].pt, (particles[0, :, 2] * stated[0, 0])[order], rtol=1e-6)
    np.testing.assert_allclose(
        jets.constituents[0].eta, (particles[0, :, 0] + stated[0, 1])[order], rtol=1e-5
    )
    np.testing.assert_allclose(jets.p4.mass, stated[:, 2], rtol=1e-6)
    assert "every jet lies at 0" in jets.origin.settings["phi"]
    assert jets.classes == ("top",)


def test_the_class_of_a_jetnet_file_is_asked_or_unknown_when_the_name_does_not_tell(tmp_path):
    jet_net(tmp_path / "mine.hdf5")
    assert jetnet.read(tmp_path / "mine.hdf5").label.tolist() == [-1] * 4
    assert jetnet.read(tmp_path / "mine.hdf5", class_name="W").classes == ("W",)


def test_only_valid_constituents_are_kept_and_mev_is_recognised(tmp_path):
    jet, parts = layouts.ftag(tmp_path / "a.h5", scale=1000.0)
    jets = ftag.read(tmp_path / "a.h5")
    assert jets.counts.tolist() == parts["valid"].sum(axis=1).tolist()
    assert jets.origin.settings["units"] == "MeV"
    np.testing.assert_allclose(jets.p4.pt, jet["pt"] / 1000, rtol=1e-6)
    first = parts[0][parts[0]["valid"]]
    first = first[np.argsort(-first["pt"], kind="stable")]
    np.testing.assert_allclose(jets.constituents[0].pt, first["pt"] / 1000, rtol=1e-6)
    np.testing.assert_allclose(jets.constituents[0].eta, jet["eta"][0] + first["deta"], rtol=1e-5)
    names = {0: "light", 4: "charm", 5: "bottom", 15: "tau"}
    assert [jets.classes[i] for i in jets.label] == [names[i] for i in jet["HadronConeExclTruthLabelID"]]


def test_gev_is_recognised_and_what_is_unclear_is_asked(tmp_path):
    layouts.ftag(tmp_path / "gev.h5", scale=1.0)
    assert ftag.read(tmp_path / "gev.h5").origin.settings["units"] == "GeV"
    layouts.ftag(tmp_path / "odd.h5", scale=50.0)  # hardest jet between 7000 and 14000
    with pytest.raises(DataError, match='does not say its energy unit.*say units="GeV" or units="MeV"'):
        ftag.read(tmp_path / "odd.h5")
    assert ftag.read(tmp_path / "odd.h5", units="MeV").p4.pt[0] < 20


def test_units_do_not_depend_on_the_rows_asked_for(tmp_path):
    layouts.ftag(tmp_path / "a.h5", scale=1000.0)
    whole = ftag.read(tmp_path / "a.h5")
    assert ftag.read(tmp_path / "a.h5", start=3, stop=9).fingerprint == whole[3:9].fingerprint


def test_nan_in_a_valid_constituent_is_counted(tmp_path):
    layouts.ftag(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        parts = file["consts"][:]
        parts["valid"][2, :3] = True
        parts["pt"][2, :3] = np.nan
        file["consts"][:] = parts
    with pytest.raises(DataError, match="3 values of pt in a.h5 are not finite"):
        ftag.read(tmp_path / "a.h5")


@needs_shared("ftag")
def test_the_mock_file_of_puma_is_read_in_gev():
    path = SHARED / "ftag" / "puma_file1.h5"
    jets = ftag.read(path)
    with h5py.File(path) as file:
        raw, tracks = file["jets"][:], file["tracks"][:]
    assert jets.origin.settings["units"] == "MeV"
    np.testing.assert_allclose(jets.p4.mass, raw["mass"] / 1000, rtol=1e-6)
    assert jets.counts.tolist() == tracks["valid"].sum(axis=1).tolist()
    # p = 1/|q/p|: the momentum, not the pt, is what the file fixes
    strongest = 1e-3 / np.where(tracks["valid"][0], np.abs(tracks["qOverP"][0]), np.inf).min()
    assert max(jets.constituents[0].p) == pytest.approx(strongest, rel=1e-5)
