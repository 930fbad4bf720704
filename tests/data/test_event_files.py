"""LHC Olympics, Delphes, NanoAOD, HepMC, Les Houches and CMS event-display files."""

import gzip
import json
import zipfile

import awkward as ak
import h5py
import numpy as np
import pandas as pd
import pyhepmc
import pytest
import zstandard

from tests.real_files import SHARED, needs_shared, real_file
from workbench.data import delphes, hepmc, ig, lhco, lhe, nanoaod
from workbench.data.jets import summed
from workbench.errors import DataError

from . import layouts

Z_MASS = 91.188
Z_WIDTH = 2.4955


def olympics(events=3):
    rng = np.random.default_rng(1)
    values = np.zeros((events, 2101))
    for event, count in zip(values, [700, 5, 1, 12][:events], strict=True):
        event[: 3 * count] = np.stack(
            [np.sort(rng.exponential(20, count))[::-1], *rng.normal(size=(2, count))], 1
        ).ravel()
    values[:, -1] = np.arange(events) % 2
    return values


@pytest.mark.parametrize("writer", ["pandas fixed", "pandas table", "h5py"])
def test_olympics_events_are_the_rows_that_are_not_padding(tmp_path, writer):
    values = olympics()
    if writer == "pandas fixed":
        pd.DataFrame(values).to_hdf(tmp_path / "a.h5", key="df", format="fixed", complib="blosc", complevel=5)
    elif writer == "pandas table":
        frame = pd.DataFrame(values[:, :1200]).join(pd.DataFrame(values[:, 1200:], columns=range(1200, 2101)))
        frame.to_hdf(tmp_path / "a.h5", key="df", format="table")
    else:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["events"] = values
    events = lhco.read(tmp_path / "a.h5")
    assert ak.num(events["particles"]).to_list() == [700, 5, 1]
    assert (events.label == "signal").tolist() == [False, True, False]
    np.testing.assert_allclose(events["particles"][1].pt, values[1, 0:15:3])
    np.testing.assert_allclose(events["particles"][1].phi, values[1, 2:15:3])
    assert lhco.read(tmp_path / "a.h5", start=1, stop=3).fingerprint == events[1:3].fingerprint


def test_olympics_without_labels_are_unknown(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["Particles"] = olympics()[:, :2100]
    assert lhco.read(tmp_path / "a.h5").label.tolist() == [-1, -1, -1]


@needs_shared("delphes/uproot-issue513.root")
def test_constituents_found_through_references_point_along_the_delphes_jets():
    events = delphes.read(real_file("delphes/uproot-issue513.root"))
    generated, measured = (ak.flatten(events[name]) for name in ("gen_jets", "jets"))
    total = summed(generated.constituents)
    np.testing.assert_allclose(total.pt, generated.pt, rtol=1e-6)
    np.testing.assert_allclose(total.mass, generated.mass, atol=1e-4)
    # measured jets are scaled after clustering, which leaves their direction
    np.testing.assert_allclose(summed(measured.constituents).eta, measured.eta, atol=1e-6)


@needs_shared("delphes/uproot-issue513.root")
def test_delphes_rows_are_slices_of_the_whole():
    path = real_file("delphes/uproot-issue513.root")
    assert delphes.read(path, start=3, stop=6).fingerprint == delphes.read(path)[3:6].fingerprint


@needs_shared("nanoaod")
def test_dielectrons_and_dimuons_of_drell_yan_make_a_z():
    events = nanoaod.read(SHARED / "nanoaod" / "nano_dy.root")
    assert events.origin.kind == "simulation"
    masses = []
    for name in ("muons", "electrons"):
        pairs = events[name][ak.num(events[name]) == 2]
        masses += ak.to_list((pairs[:, 0] + pairs[:, 1]).mass)
    # Eleven pairs; a Z lies within 10 GeV (four widths) in more than 80 % of cases, combinatorics aside: at least half.
    assert np.mean(np.abs(np.array(masses) - Z_MASS) < 4 * Z_WIDTH) > 0.5


@needs_shared("nanoaod")
def test_candidates_of_pfnano_sum_to_the_uncorrected_jets():
    events = nanoaod.read(SHARED / "nanoaod" / "pfnano.root")
    assert events.origin.settings["times_puppi_weight"] == ["fat_jets"]
    for name in ("jets", "fat_jets"):
        jets = ak.flatten(events[name])
        total = summed(jets.constituents)
        # NanoAOD keeps about ten bits of each mantissa
        np.testing.assert_allclose(total.pt, jets.pt * (1 - jets.rawFactor), rtol=4e-3)
        np.testing.assert_allclose(total.eta, jets.eta, atol=2e-3)


@needs_shared("nanoaod")
def test_a_nanoaod_file_without_candidates_has_no_particles():
    events = nanoaod.read(SHARED / "nanoaod" / "nanoAOD_2015_CMS_Open_Data_ttbar.root", stop=5)
    with pytest.raises(DataError, match="no 'particles'"):
        _ = events["particles"]


def test_flat_branches_written_by_uproot_are_data_without_a_generator_weight(tmp_path):
    muons = ak.zip(
        {"pt": [[30.0, 20.0], []], "eta": [[1.0, -1.0], []], "phi": [[0.0, 3.0], []], "dxy": [[0.1, 0.2], []]}
    )
    layouts.root(tmp_path / "a.root", "Events", {"Muon": muons, "run": np.array([1, 1])})
    events = nanoaod.read(tmp_path / "a.root")
    assert events.origin.kind == "data"
    assert ak.num(events["muons"]).to_list() == [2, 0]
    assert events["muons"].d0[0].to_list() == [1.0, 2.0]  # cm become mm


def hepmc_event(number, unit="GEV"):
    event = pyhepmc.GenEvent(getattr(pyhepmc.Units, unit), pyhepmc.Units.MM)
    event.event_number = number
    scale = 1.0 if unit == "GEV" else 1000.0
    mother = pyhepmc.GenParticle((0, 0, 0, 100 * scale), 23, 22)
    vertex = pyhepmc.GenVertex()
    vertex.add_particle_in(mother)
    for p4, pid, status in (
        ((30, 40, 0, 50), -13, 1),
        ((-30, -40, 0, 50), 13, 1),
        ((0, 0, 7, 7), 22, 1),
        ((3, 4, 0, 5), 12, 1),
    ):
        vertex.add_particle_out(pyhepmc.GenParticle(tuple(scale * x for x in p4), pid, status))
    event.add_vertex(vertex)
    return event


@pytest.mark.parametrize("form", ["hepmc3", "hepmc2"])
@pytest.mark.parametrize("unit", ["GEV", "MEV"])
def test_stable_particles_of_hepmc_are_in_gev_whatever_the_file(tmp_path, form, unit):
    with pyhepmc.open(tmp_path / "a.dat", "w", format=form) as file:
        for number in range(3):
            file.write(hepmc_event(number, unit))
    events = hepmc.read(tmp_path / "a.dat")
    pair = events["particles"]
    assert ak.num(pair).to_list() == [2, 2, 2]
    np.testing.assert_allclose((pair[:, 0] + pair[:, 1]).mass, 100, rtol=1e-6)
    assert ak.flatten(pair.charge).to_list() == [1, -1] * 3
    assert ak.flatten(events["invisible"].pt).to_list() == pytest.approx([5.0] * 3)
    assert events.origin.settings["dropped_along_beam"]["particles"] == 3
    assert hepmc.read(tmp_path / "a.dat", start=1, stop=2).columns["event"].tolist() == [1]


def test_a_hepmc_file_cut_within_an_event_says_which(tmp_path):
    with pyhepmc.open(tmp_path / "a.hepmc", "w") as file:
        for number in range(3):
            file.write(hepmc_event(number))
    text = (tmp_path / "a.hepmc").read_bytes()
    (tmp_path / "b.hepmc").write_bytes(text[: text.rfind(b"\nP ")])
    with pytest.raises(DataError, match="breaks off within event 2"):
        hepmc.read(tmp_path / "b.hepmc")
    assert len(hepmc.read(tmp_path / "b.hepmc", stop=2)) == 2


def test_a_hepmc_file_damaged_in_its_middle_does_not_end_there_silently(tmp_path):
    with pyhepmc.open(tmp_path / "a.hepmc", "w") as file:
        for number in range(4):
            file.write(hepmc_event(number))
    lines = (tmp_path / "a.hepmc").read_text().split("\n")
    second = [i for i, line in enumerate(lines) if line.startswith("E ")][1]
    del lines[second + 3]  # a particle of the second event
    (tmp_path / "a.hepmc").write_text("\n".join(lines))
    with pytest.raises(DataError, match="within event 1, counted from 0.* with stop=1"):
        hepmc.read(tmp_path / "a.hepmc")
    assert hepmc.read(tmp_path / "a.hepmc", stop=1).columns["event"].tolist() == [0]


def test_rows_beyond_the_end_of_a_stream_name_its_true_length(tmp_path):
    with pyhepmc.open(tmp_path / "a.hepmc", "w") as file:
        for number in range(3):
            file.write(hepmc_event(number))
    (tmp_path / "a.lhe").write_text(LHE.format(events=LHE_EVENT * 3))
    for read, name in ((hepmc.read, "a.hepmc"), (lhe.read, "a.lhe")):
        with pytest.raises(DataError, match=f"no events from 9 to None in {name}, which has 3"):
            read(tmp_path / name, start=9)
        with pytest.raises(DataError, match="no events from -1 to None; count from 0"):
            read(tmp_path / name, start=-1)


@pytest.mark.parametrize(
    ("energy", "sentence"),
    [
        ("-50.", "energies in a.hepmc are negative .first: event 1, -50 GeV"),
        ("nan", "not finite numbers .first: event 1"),
    ],
)
def test_a_bad_energy_names_its_event(tmp_path, energy, sentence):
    with pyhepmc.open(tmp_path / "a.hepmc", "w") as file:
        for number in range(3):
            file.write(hepmc_event(number))
    lines = (tmp_path / "a.hepmc").read_text().split("\n")
    muon = [i for i, line in enumerate(lines) if line.startswith("P 2 ")][1]
    words = lines[muon].split()
    lines[muon] = " ".join([*words[:7], energy, *words[8:]])
    (tmp_path / "a.hepmc").write_text("\n".join(lines))
    with pytest.raises(DataError, match=sentence):
        hepmc.read(tmp_path / "a.hepmc")


@needs_shared("hepmc")
@pytest.mark.parametrize(
    ("name", "energy"), [("events.eeH.hepmc3.zst", 250.0), ("sk_example_HS.hepmc.zst", 14000.0)]
)
def test_energy_is_conserved_in_real_hepmc_files(name, energy):
    events = hepmc.read(SHARED / "hepmc" / name)
    total = ak.sum(events["particles"].energy, axis=1) + ak.sum(events["invisible"].energy, axis=1)
    np.testing.assert_allclose(total, energy, rtol=1e-6)


LHE = """<LesHouchesEvents version="3.0">
<init>
2212 2212 6500. 6500. 0 0 247000 247000 -4 1
10. 0.1 10. 1
</init>
{events}</LesHouchesEvents>
"""
LHE_EVENT = """<event>
5 1 -2.5 91.188 0.0075 0.118
21 -1 0 0 501 502 0. 0. 50. 50. 0. 0. 1.
21 -1 0 0 502 501 0. 0. -50. 50. 0. 0. 1.
23 2 1 2 0 0 0. 0. 0. 100. 100. 0. 0.
-13 1 3 3 0 0 30. 40. 0. 50. 0. 0. 1.
13 1 3 3 0 0 -30. -40. 0. 50. 0. 0. -1.
</event>
"""


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, lambda text: zstandard.ZstdCompressor().compress(text)]
)
def test_partons_of_les_houches_events(tmp_path, compress):
    (tmp_path / "a").write_bytes(compress(LHE.format(events=LHE_EVENT * 3).encode()))
    events = lhe.read(tmp_path / "a")
    assert len(events) == 3
    assert events.weight.tolist() == [-2.5] * 3
    assert events.columns["scale"].tolist() == [91.188] * 3
    pair = events["particles"]
    assert (pair[:, 0] + pair[:, 1]).mass.to_list() == pytest.approx([100.0] * 3)
    assert events["incoming"].pz.to_list() == [[50.0, -50.0]] * 3
    assert len(lhe.read(tmp_path / "a", start=1, stop=2)) == 1


def test_a_les_houches_file_cut_short_is_one_sentence(tmp_path):
    text = LHE.format(events=LHE_EVENT * 3)
    (tmp_path / "a.lhe").write_text(text[: text.rfind("</event>") - 20])
    with pytest.raises(DataError, match="a.lhe cannot be read as Les Houches events"):
        lhe.read(tmp_path / "a.lhe")


def test_neutrinos_of_les_houches_events_are_not_clustered_and_what_lies_along_the_beam_is_counted(tmp_path):
    (tmp_path / "a.lhe").write_text(LHE.format(events=LHE_EVENT.replace("-13 1 3", "-14 1 3") * 2))
    events = lhe.read(tmp_path / "a.lhe")
    assert ak.flatten(events["particles"].pid).to_list() == [13, 13]
    assert ak.flatten(events["invisible"].pid).to_list() == [-14, -14]
    dropped = events.origin.settings["dropped_along_beam"]
    assert dropped == {"particles": 0, "invisible": 0, "resonances": 2}


def test_weights_of_different_names_are_left_out_aloud(tmp_path):
    weights = '<rwgt>\n<wgt id="{}"> 1.5 </wgt>\n</rwgt>\n</event>'
    named = [LHE_EVENT.replace("</event>", weights.format(name)) for name in "ab"]
    (tmp_path / "same.lhe").write_text(LHE.format(events=named[0] * 2))
    (tmp_path / "mixed.lhe").write_text(LHE.format(events="".join(named)))
    assert lhe.read(tmp_path / "same.lhe").columns["weights"].tolist() == [[1.5], [1.5]]
    mixed = lhe.read(tmp_path / "mixed.lhe")
    assert "weights" not in mixed.columns
    assert "weights of different names" in mixed.origin.steps[-1]


@needs_shared("lhe")
def test_momentum_is_conserved_in_the_real_les_houches_file():
    events = lhe.read(SHARED / "lhe" / "pylhe-testfile-madgraph5-3.5.8-pp_to_jj.lhe.gz", stop=100)
    out, incoming = events["particles"], events["incoming"]
    np.testing.assert_allclose(ak.sum(out.px, axis=1), 0, atol=1e-8)
    np.testing.assert_allclose(ak.sum(out.energy, axis=1), ak.sum(incoming.energy, axis=1), rtol=1e-9)
    assert events.columns["weights"].shape == (100, 145)


def ig_text(number=7):
    corners = [[f"{side}_{i}", "v3d"] for side in ("front", "back") for i in range(1, 5)]
    hit = [
        ["energy", "double"],
        ["eta", "double"],
        ["phi", "double"],
        ["time", "double"],
        ["detid", "int"],
        *corners,
    ]
    point = [1.0, 0.0, 0.5]
    return {
        "Types": {
            "Event_V2": [["run", "int"], ["event", "int"], ["ls", "int"], ["bx", "int"]],
            "EBRecHits_V2": hit,
            "Tracks_V3": [
                ["pos", "v3d"],
                ["dir", "v3d"],
                ["pt", "double"],
                ["phi", "double"],
                ["eta", "double"],
                ["charge", "int"],
            ],
            "PFMETs_V1": [["phi", "double"], ["pt", "double"]],
        },
        "Collections": {
            "Event_V2": [[198230, number, 1, 2]],
            "EBRecHits_V2": [[2.0, 0.5, 1.0, 0.0, 1, *[point] * 8], [-0.1, 0.5, 1.0, 0.0, 1, *[point] * 8]],
            "Tracks_V3": [[[0.001, 0.0, 0.0], [1.0, 0.0, 0.0], 3.0, 0.0, 0.0, -1]],
            "PFMETs_V1": [[0.1, 12.0]],
        },
        "Associations": {},
    }


@pytest.mark.parametrize("spelling", ["json", "python"])
def test_event_texts_are_read_as_json_and_as_python_literals(tmp_path, spelling):
    text = json.dumps(ig_text())
    if spelling == "python":
        text = (
            repr(ig_text())
            .replace("[2.0, 0.5", "(2.0, 0.5")
            .replace("]], [-0.1", "]), [-0.1")
            .replace("-0.1, 0.5, 1.0, 0.0", "-0.1, 0.5, 1.0, nan")
        )
    with zipfile.ZipFile(tmp_path / "a.ig", "w") as file:
        file.writestr("Header", "x")
        file.writestr("Events/Run_198230/Event_7", text)
    events = ig.read(tmp_path / "a.ig")
    assert events.columns["event"].tolist() == [7]
    assert events["ecal"].energy.to_list() == [[2.0, -0.1]]
    assert events["ecal"].corners[0, 0, 0].to_list() == [1000.0, 0.0, 500.0]  # metres become mm
    assert events["tracks"].position[0, 0].to_list() == [1.0, 0.0, 0.0]
    assert events["met"].pt.to_list() == [12.0]
    # only the hit above threshold is a particle: E / cosh(eta)
    assert events["particles"].pt.to_list() == [[pytest.approx(2.0 / np.cosh(0.5))]]


def test_code_in_an_event_text_is_not_run(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.ig", "w") as file:
        file.writestr("Events/Run_1/Event_1", f"__import__('os').mkdir('{tmp_path}/hacked')")
    with pytest.raises(DataError, match="Event_1 in a.ig is not an event text"):
        ig.read(tmp_path / "a.ig")
    assert not (tmp_path / "hacked").exists()


@needs_shared("cms-open-events")
def test_tracks_of_real_collisions_fly_where_their_momentum_points():
    events = ig.read(SHARED / "cms-open-events" / "BJetPlusX_Run2012C_0.ig", stop=5)
    tracks = ak.flatten(events["tracks"])
    assert events.origin.kind == "data"
    direction = np.arctan2(tracks.direction[:, 1], tracks.direction[:, 0])
    np.testing.assert_allclose(np.cos(direction - tracks.phi), 1, atol=1e-9)
    np.testing.assert_allclose(
        ak.to_numpy(tracks.direction[:, 2]) / np.hypot(*ak.to_numpy(tracks.direction[:, :2]).T),
        np.sinh(tracks.eta),
        rtol=1e-3,
    )


@needs_shared("cms-open-events")
def test_cells_of_real_collisions_lie_where_cms_has_its_calorimeters():
    events = ig.read(SHARED / "cms-open-events" / "BJetPlusX_Run2012C_0.ig", stop=5)
    barrel = ak.flatten(events["ecal"][events["ecal"].part == 0])
    corners = ak.to_numpy(barrel.corners)
    radius = np.hypot(corners[..., 0], corners[..., 1])
    # the ECAL barrel is 1.29 m from the beam and its crystals are 230 mm long (JINST 3 S08004)
    assert 1230 < radius[:, :4].min() < radius[:, :4].max() < 1450
    assert radius[:, 4:].max() < 1800
    centre = corners[:, :4].mean(axis=1)
    np.testing.assert_allclose(np.arctan2(centre[:, 1], centre[:, 0]), barrel.phi, atol=0.02)


@needs_shared("cms-open-events")
def test_the_hardest_calorimeter_energy_points_along_the_hardest_jet_of_cms():
    events = ig.read(SHARED / "cms-open-events" / "BJetPlusX_Run2012C_0.ig")
    hardest = events["jets"][ak.argsort(events["jets"].pt, axis=1, ascending=False)][:, 0]
    near = events["particles"].deltaR(hardest) < 0.5
    inside = ak.sum(events["particles"].pt[near], axis=1)
    # hadronic response and tracks below threshold: a calorimeter sees a good half of a jet, and no more than it all
    assert 0.4 < np.median(inside / hardest.pt) < 1.1
