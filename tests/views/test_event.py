"""What an event display draws, from jets and events whose picture is known beforehand."""

import awkward as ak
import numpy as np
import pytest

from tests.real_files import needs_shared, real_file
from workbench.data.events import Events
from workbench.data.jets import Jets, momenta
from workbench.data.origin import Origin
from workbench.errors import DataError
from workbench.loading import load
from workbench.views.event import (
    CHARGED,
    COLUMNS,
    KINDS,
    MUON,
    NEUTRAL,
    PHOTON,
    UNKNOWN,
    Scene,
    empty_scene,
    momentum_of,
    scene_of_event,
    scene_of_jet,
)


def jets_of(constituents, columns=None, **origin):
    return Jets.of(
        momenta(**{name: ak.Array(values) for name, values in constituents.items()}),
        columns=columns,
        origin=Origin("toy", **origin),
    )


def two_particles(**more):
    return {
        "pt": [[3.0, 1.0]],
        "eta": [[0.1, 0.2]],
        "phi": [[0.3, 0.4]],
        "mass": [[0.0, 0.0]],
        **more,
    }


def event_of(**collections):
    return Events.of(
        {
            name: momenta(**{k: ak.Array([v]) for k, v in fields.items()})
            for name, fields in collections.items()
        }
    )


def test_a_particle_starts_at_its_point_nearest_to_the_beam():
    jet = jets_of(two_particles(d0=[[2.0, 0.0]], dz=[[5.0, 0.0]], charge=[[1, -1]]))
    scene = scene_of_jet(jet, 0)
    x, y, z = (scene.column("particles", axis)[0] for axis in "xyz")
    assert (x, y, z) == pytest.approx((-0.002 * np.sin(0.3), 0.002 * np.cos(0.3), 0.005))
    assert x * np.cos(0.3) + y * np.sin(0.3) == pytest.approx(0, abs=1e-9)


def test_what_a_sample_lacks_is_said_and_has_its_code():
    scene = scene_of_jet(jets_of(two_particles()), 0)
    assert np.isnan(scene.column("particles", "charge")).all()
    assert (scene.column("particles", "kind") == UNKNOWN).all()
    told = " ".join(scene.header["missing"])
    for word in ("charge", "kind", "vertex", "radius", "missing energy"):
        assert word in told


def test_kinds_come_from_the_pdg_code_and_else_from_the_charge():
    pid = [[211, 130, 22, 11, 13, 15, 0, 12, 2]]
    n = len(pid[0])
    fields = {name: [np.linspace(9, 1, n).tolist()] for name in ("pt",)}
    zero = [[0.0] * n]
    jet = jets_of(
        {
            **fields,
            "eta": zero,
            "phi": zero,
            "mass": zero,
            "pid": pid,
            "charge": [[1, 0, 0, -1, -1, -1, 0, 0, 0]],
        }
    )
    kinds = [KINDS[int(kind)] for kind in scene_of_jet(jet, 0).column("particles", "kind")]
    assert kinds == [
        "charged hadron",
        "neutral hadron",
        "photon",
        "electron",
        "muon",
        "tau",
        "unknown",
        "unknown",
        "photon",
    ]
    bare = scene_of_jet(jets_of(two_particles(charge=[[1, 0]])), 0)
    assert bare.column("particles", "kind").tolist() == [CHARGED, NEUTRAL]


def test_jets_of_one_event_are_drawn_together_the_opened_one_first():
    four = {name: [[float(i + 1)] for i in range(4)] for name in ("pt",)} | {
        name: [[0.1 * i] for i in range(4)] for name in ("eta", "phi", "mass")
    }
    jets = jets_of(four, columns={"event_index": np.array([0, 1, 1, 0])}, settings={"radius": 0.4})
    scene = scene_of_jet(jets, 2, np.array([1.5]))
    assert scene.column("jets", "pt").tolist() == [3.0, 2.0]
    assert scene.column("particles", "jet").tolist() == [0, 1]
    assert scene.column("particles", "relevance")[0] == 1.5
    assert np.isnan(scene.column("particles", "relevance")[1])
    assert len(scene_of_jet(jets, 3).arrays["jets"]) == 1


def test_relevance_of_another_number_of_particles_is_refused():
    with pytest.raises(DataError, match="one per particle"):
        scene_of_jet(jets_of(two_particles()), 0, np.ones(3))
    with pytest.raises(DataError, match="counted from 0"):
        scene_of_jet(jets_of(two_particles()), 7)


def test_turning_an_event_turns_its_scene():
    turn = 2.5
    fields = two_particles(charge=[[1, -1]], d0=[[1.0, -2.0]], dz=[[0.0, 3.0]])
    here = scene_of_jet(jets_of(fields), 0)
    turned = scene_of_jet(jets_of({**fields, "phi": (np.array(fields["phi"]) + turn).tolist()}), 0)
    back = (turned.column("particles", "phi") - here.column("particles", "phi") - turn + np.pi) % (
        2 * np.pi
    ) - np.pi
    assert back == pytest.approx(np.zeros(2), abs=1e-6)
    assert (np.abs(turned.column("particles", "phi")) <= np.pi + 1e-6).all()
    start = here.column("particles", "x") + 1j * here.column("particles", "y")
    moved = turned.column("particles", "x") + 1j * turned.column("particles", "y")
    assert moved == pytest.approx(start * np.exp(1j * turn), abs=1e-8)
    for same in ("pt", "eta", "charge", "z"):
        assert (turned.column("particles", same) == here.column("particles", same)).all()


def test_particles_without_a_place_are_left_out_and_counted():
    particles = {
        "pt": [1.0, np.nan, 2.0, 0.0],
        "eta": [0.0, 0.0, 999.9, 0.5],
        "phi": [0.0, 0.0, 0.0, np.inf],
        "mass": [0.0] * 4,
        "charge": [1, 1, 1, 1],
    }
    scene = scene_of_event(event_of(particles=particles), 0)
    assert len(scene.arrays["particles"]) == 1
    told = " ".join(scene.header["missing"])
    assert "2 of 4 have values that are not finite" in told
    assert "1 of 4 fly along the beam" in told


def test_a_lepton_that_is_also_a_particle_is_drawn_once():
    particles = {
        "pt": [20.0, 5.0],
        "eta": [0.5, 1.0],
        "phi": [3.14, 0.0],
        "mass": [0.1, 0.1],
        "charge": [1, -1],
    }
    muons = {
        "pt": [20.1, 9.0],
        "eta": [0.505, -1.0],
        "phi": [-3.14, 1.0],
        "mass": [0.1, 0.1],
        "charge": [1, -1],
    }
    scene = scene_of_event(event_of(particles=particles, muons=muons), 0)
    assert scene.column("particles", "kind").tolist() == [MUON, CHARGED, MUON]
    assert scene.column("particles", "pt") == pytest.approx([20.0, 5.0, 9.0])


def test_towers_keep_their_energy_and_split_it_between_the_calorimeters():
    eta = [0.0, 1.5, -2.0]
    towers = {
        "pt": [10.0, 4.0, 2.0],
        "eta": eta,
        "phi": [0.0, 1.0, 2.0],
        "mass": [0.0] * 3,
        "energy_em": [1.0, 0.0, 3.0],
        "energy_had": [3.0, 2.0, 0.0],
        **{
            edge: [value] * 3
            for edge, value in (("eta_low", 0.0), ("eta_high", 0.1), ("phi_low", 0.0), ("phi_high", 0.2))
        },
    }
    scene = scene_of_event(event_of(towers=towers), 0)
    energy, layer = scene.column("towers", "energy"), scene.column("towers", "layer")
    assert energy.sum() == pytest.approx((np.array([10, 4, 2]) * np.cosh(eta)).sum(), rel=1e-6)
    assert energy[layer == 0] == pytest.approx([2.5, 2 * np.cosh(2.0)], rel=1e-6)
    assert scene.column("towers", "width_phi") == pytest.approx(0.2)


def test_events_without_jets_get_some_and_missing_energy_comes_from_the_neutrinos():
    particles = {"pt": [50.0, 40.0], "eta": [0.0, 0.1], "phi": [0.0, 3.0], "mass": [0.0, 0.0]}
    unseen = {"pt": [3.0, 4.0], "eta": [0.0, 1.0], "phi": [0.0, np.pi / 2], "mass": [0.0, 0.0]}
    scene = scene_of_event(event_of(particles=particles, invisible=unseen), 0)
    assert scene.column("jets", "pt") == pytest.approx([50, 40], rel=1e-4)
    assert scene.column("particles", "jet").tolist() == [0, 1]
    assert scene.header["met"] == pytest.approx([5.0, np.arctan2(4, 3)])
    assert "made here by anti-kT" in " ".join(scene.header["missing"])


def test_a_scene_refuses_what_cannot_be_drawn():
    header = empty_scene().header
    with pytest.raises(DataError, match="columns"):
        Scene(header, {"jets": np.zeros((1, 4))})
    with pytest.raises(DataError, match="not finite"):
        Scene(header, {"jets": np.full((1, 5), np.nan)})
    with pytest.raises(DataError, match="no planets"):
        Scene(header, {"planets": np.zeros((1, 4))})
    assert not any(len(rows) for rows in empty_scene().arrays.values())


def test_the_momentum_of_a_muon_has_its_mass():
    scene = scene_of_jet(jets_of(two_particles(charge=[[1, 0]], pid=[[-13, 22]])), 0)
    assert momentum_of(scene, "particles", 0)[3] == pytest.approx(0.10566, abs=1e-5)
    assert momentum_of(scene, "particles", 1)[3] == 0
    assert scene.column("particles", "kind").tolist() == [MUON, PHOTON]


@needs_shared("cms-open-events/BJetPlusX_Run2012C_0.ig")
def test_a_real_collision_has_all_its_tracks_cells_and_jets():
    events = load(real_file("cms-open-events/BJetPlusX_Run2012C_0.ig"), stop=2)
    scene = scene_of_event(events, 1)
    given = {name: array[1] for name, array in events.collections.items()}
    assert len(scene.arrays["particles"]) >= len(given["tracks"])
    assert len(scene.arrays["cells"]) == len(given["ecal"]) + len(given["hcal"])
    energy = ak.sum(given["ecal"].energy) + ak.sum(given["hcal"].energy)
    assert scene.column("cells", "energy").sum() == pytest.approx(energy, rel=1e-4)
    assert len(scene.arrays["jets"]) == len(given["jets"])
    assert scene.header["met"][0] == pytest.approx(given["met"].pt)
    assert scene.header["detector"] == "CMS-like"
    assert "data" in scene.header["caption"]
    tracks = scene.arrays["points"]
    first = tracks[tracks[:, 0] == tracks[0, 0], 1:]
    assert first[0] == pytest.approx(np.asarray(given["tracks"].position[int(tracks[0, 0])]) / 1000, abs=1e-4)
    assert first[-1] == pytest.approx(
        np.asarray(given["tracks"].outer_position[int(tracks[0, 0])]) / 1000, abs=1e-4
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=needs_shared(name))
        for name in (
            "delphes/uproot-issue513.root",
            "nanoaod/pfnano.root",
            "nanoaod/nano_dy.root",
            "hepmc/sk_example_HS.hepmc.zst",
            "cms-open-events/MinimumBias_Run2012C_0.ig",
        )
    ],
)
def test_every_event_file_gives_scenes(name):
    events = load(real_file(name), stop=3, kind="events")
    for index in range(len(events)):
        scene = scene_of_event(events, index)
        assert any(len(rows) for rows in scene.arrays.values())
        for array, columns in COLUMNS.items():
            assert scene.arrays[array].shape[1] == len(columns)
            assert scene.arrays[array].dtype == np.float32
            assert scene.arrays[array].flags.c_contiguous
