"""Simulated jets against their definition, against Pythia itself and against what is known of W, Z, H and top."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import pythia8mc

from workbench import simulate
from workbench.errors import SimulationError
from workbench.simulate import chunk, distribution
from workbench.simulate.generator import Generator
from workbench.simulate.processes import PROCESSES, TUNES

GEN = {"detector": None, "cores": 1}


class After:
    """A stop that is set when so many reports with jets have come."""

    def __init__(self, reports):
        self.left = reports

    def __call__(self, step):
        self.left -= step.done > 0

    def is_set(self):
        return self.left <= 0


@pytest.fixture(scope="module")
def tops():
    return simulate.jets("top", 200, seed=1, **GEN)


@pytest.fixture(scope="module")
def measured():
    return simulate.jets(["QCD", "top"], 60, seed=4, cores=1)


@pytest.fixture(scope="module")
def events():
    return simulate.events("top", 30, seed=5, **GEN)


def test_the_default_is_the_definition_of_the_reference_set():
    settings = simulate.JetSimulation()
    assert (settings.energy, settings.pt, settings.eta_max, settings.radius) == (14_000, (550, 650), 2, 0.8)
    assert (settings.multiple_interactions, settings.pileup, settings.matching) == (False, 0, 1)
    assert settings.detector == simulate.ATLAS


def test_every_jet_keeps_the_definition(tops):
    pt, eta = ak.to_numpy(tops.p4.pt), ak.to_numpy(tops.p4.eta)
    assert np.all((pt > 550) & (pt < 650) & (np.abs(eta) < 2))
    assert np.all(tops.columns["truth_distance"] < 0.8)
    assert np.all(tops.columns["truth_spread"] < 0.8)
    assert np.all(np.abs(tops.columns["truth_pid"]) == 6)
    assert np.all((tops.columns["pt_hat"] > 495) & (tops.columns["pt_hat"] < 715))


def test_classes_share_the_jets_evenly_and_any_slice_is_a_mixture(measured):
    assert measured.classes == ("QCD", "top")
    assert [int(measured.is_class(name).sum()) for name in measured.classes] == [30, 30]
    assert 0 < measured[:20].is_class("top").sum() < 20
    assert not np.isin(np.abs(measured.columns["truth_pid"][measured.is_class("QCD")]), (6,)).any()


def test_the_sum_of_the_constituents_is_the_jet(measured):
    for name in ("px", "py", "pz", "energy"):
        total = ak.to_numpy(ak.sum(getattr(measured.constituents, name), axis=1))
        # Constituents are single precision: 2^-24 relative each.
        assert np.allclose(total, getattr(measured.p4, name), rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(("process", "mass"), [("W", 80.4), ("Z", 91.2), ("Higgs", 125.0)])
def test_the_jet_mass_peaks_at_the_mass_of_the_boson(process, mass):
    jets = simulate.jets(process, 60, seed=2, **GEN)
    # Core width about 5 GeV: the median of 60 is good to 0.8 GeV. Radiation into the jet and neutrinos out of it (H -> bb) shift
    # it by up to 4 GeV; 5 standard deviations and that shift stay below 8 GeV.
    assert abs(np.median(ak.to_numpy(jets.p4.mass)) - mass) < 8
    # A Breit-Wigner of width at most 2.5 GeV: its median of 60 is good to 0.25 GeV.
    assert abs(np.median(jets.columns["truth_mass"]) - mass) < 1.3


def test_the_jet_mass_of_tops_peaks_at_the_top_mass(tops):
    mass = ak.to_numpy(tops.p4.mass)
    # Core width about 10 GeV, median of 200 good to 0.9 GeV, shifted by radiation by a few GeV.
    assert abs(np.median(mass) - 173) < 8
    assert abs(np.median(tops.columns["truth_mass"]) - pythia8mc.Pythia("", False).particleData.m0(6)) < 0.6


def test_two_of_three_quarks_of_a_top_have_the_mass_of_the_w(events):
    quarks = events["partons"]
    light = quarks[(abs(quarks.pid) <= 4) & (abs(quarks.pid) > 0)]
    assert ak.all(ak.num(quarks) == 6)
    # b quarks from W decay (V_cb) are as rare as 1 in 1000, events with one are left out.
    light = light[ak.num(light) == 4]
    # Both quarks of one W stand together: the record lists the decays one after the other.
    pairs = light[:, 0] + light[:, 1], light[:, 2] + light[:, 3]
    masses = np.concatenate([ak.to_numpy(pair.mass) for pair in pairs])
    # Width 2.1 GeV: the median of 60 is good to 0.2 GeV.
    assert abs(np.median(masses) - 80.4) < 1.0


def test_the_charges_of_an_event_add_up_to_those_of_two_protons(events):
    assert ak.all(ak.sum(events["particles"].charge, axis=1) == 2)


def test_only_long_lived_visible_particles_are_left(events):
    kinds = set(np.abs(ak.to_numpy(ak.flatten(events["particles"].pid))).tolist())
    assert kinds <= {11, 13, 22, 130, 211, 310, 321, 2112, 2212, 3112, 3122, 3222, 3312, 3322, 3334}


def test_impact_parameters_are_those_of_the_nearest_point_to_the_beam():
    rng = np.random.default_rng(3)
    x, y, z, phi, eta = rng.normal(0, [[2.0], [2.0], [5.0], [1.5], [1.0]], (5, 50))
    final = {name: rng.random(50) for name in ("pt", "mass")}
    final |= {"eta": eta, "phi": phi, "pid": np.full(50, 211), "event": np.zeros(50, dtype=int)}
    made = SimpleNamespace(prt=SimpleNamespace(vProd=ak.Array([ak.zip({"px": x, "py": y, "pz": z})])))
    generator = Generator(simulate.JetSimulation().setup().pythia(PROCESSES["QCD"]), 1)
    found = generator._particles(final, made, np.ones(50, dtype=bool))
    # By brute force: points on the straight line, 1 um apart in the transverse plane.
    path = np.linspace(-8, 8, 16_001)[:, None]
    distance = np.hypot(x + path * np.cos(phi), y + path * np.sin(phi))
    nearest = np.argmin(distance, axis=0)
    assert np.allclose(np.abs(found["d0"]), distance.min(axis=0), atol=1e-3)
    assert np.allclose(found["dz"], z + path[nearest, 0] * np.sinh(eta), atol=1e-3 * np.cosh(eta).max())


def test_b_jets_have_displaced_tracks():
    def far(process):
        jets = simulate.jets(process, 60, seed=3, cores=1)
        tracks = jets.constituents[(jets.constituents.charge != 0) & (jets.constituents.pt > 2)]
        return np.mean(ak.to_numpy(ak.sum(abs(tracks.d0 / tracks.d0_error) > 5, axis=1)))

    # Two b hadrons give about six displaced tracks, light quarks about one.
    assert far("Higgs") > 2 * far("quark")


def test_gluon_jets_have_more_particles_than_quark_jets():
    jets = simulate.jets(["quark", "gluon"], 160, seed=6, **GEN)
    quark, gluon = (jets.counts[jets.is_class(name)] for name in jets.classes)
    error = np.hypot(quark.std() / np.sqrt(80), gluon.std() / np.sqrt(80))
    assert gluon.mean() - quark.mean() > 4 * error
    assert set(np.unique(np.abs(jets.columns["truth_pid"][jets.is_class("quark")]))) <= {1, 2, 3}
    assert np.all(jets.columns["truth_pid"][jets.is_class("gluon")] == 21)


def test_same_seed_same_jets_on_one_core_and_on_two():
    alone = simulate.jets(["QCD", "top"], 40, seed=7, cores=1)
    together = simulate.jets(["QCD", "top"], 40, seed=7, cores=2)
    other = simulate.jets(["QCD", "top"], 40, seed=8, cores=1)
    assert alone.fingerprint == together.fingerprint
    assert alone.origin == together.origin
    assert alone.fingerprint != other.fingerprint


def test_the_global_generators_are_not_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate.jets("QCD", 2, seed=7, cores=1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.fixture
def workers(monkeypatch):
    """The processes that a simulation starts."""
    started, start = [], distribution._started
    monkeypatch.setattr(distribution, "_started", lambda: started.append(start()) or started[-1])
    return started


@pytest.mark.parametrize("cores", [1, 2])
def test_a_stop_keeps_what_was_made_and_leaves_no_process(cores, workers):
    stop = After(1)
    jets = simulate.jets(["QCD", "top"], 20_000, seed=9, cores=cores, report=stop, stop=stop)
    assert 0 < len(jets) < 20_000
    assert f"stopped after {len(jets)} of 20000" in jets.origin.steps[-1]
    assert [worker.poll() is None for worker in workers] == [False] * (cores if cores > 1 else 0)


def test_a_killed_worker_is_said_and_the_others_end(workers):
    def kill(step):
        if step.done:
            workers[0].kill()

    with pytest.raises(SimulationError, match="ended with code -9"):
        simulate.jets(["QCD", "top"], 2_000, seed=1, cores=2, report=kill)
    assert all(worker.poll() is not None for worker in workers)


def test_a_stop_before_anything_was_made_gives_an_empty_sample_of_the_same_form(measured):
    jets = simulate.jets(["QCD", "top"], 1_000, seed=9, cores=2, stop=After(0))
    assert len(jets) == 0
    assert ak.fields(jets.constituents) == ak.fields(measured.constituents)
    assert list(jets.columns) == list(measured.columns)


def test_one_jet_may_be_asked_for():
    assert len(simulate.jets("QCD", 1, seed=2, **GEN)) == 1


def test_progress_ends_with_all_jets():
    steps = []
    simulate.jets("QCD", 30, seed=1, report=steps.append, **GEN)
    assert [steps[0].done, steps[-1].done, steps[-1].total, steps[-1].unit] == [0, 30, 30, "jets"]
    assert steps[-1].metrics["jets_per_second"] > 0


def test_the_cross_section_is_that_of_pythia(tops):
    stated = tops.origin.settings["processes"]["top"]
    pythia = pythia8mc.Pythia("", False)
    for line in (
        *tops.origin.settings["pythia"]["top"],
        "Print:verbosity = 0",
        "HadronLevel:all = off",
        "PartonLevel:all = off",
    ):
        assert pythia.readString(line)
    pythia.init()
    for _ in range(3_000):
        pythia.next()
    info = pythia.infoPython()
    error = np.hypot(stated["cross_section_error_mb"], info.sigmaErr())
    # Five standard deviations: one false alarm in 1.7 million.
    assert abs(stated["cross_section_mb"] - info.sigmaGen()) < 5 * error
    assert stated["passed"] >= 200
    assert stated["events"] > stated["passed"]


def test_pileup_adds_its_mean_number_of_collisions_with_their_vertices():
    jets = simulate.jets("QCD", 40, seed=2, pileup=15.0, cores=1)
    number = jets.columns["pileup"]
    # Poisson: the mean of 40 is good to 0.61; 4 standard deviations are one false alarm in 16,000.
    assert abs(number.mean() - 15) < 4 * np.sqrt(15 / 40)
    vertex = jets.constituents.vertex
    assert ak.all(ak.max(vertex, axis=1) <= number)
    tracks = jets.constituents[jets.constituents.charge != 0]
    assert ak.all(tracks.vertex >= 0)
    assert ak.all(vertex[jets.constituents.charge == 0] == -1)
    assert np.std(ak.to_numpy(ak.flatten(tracks.dz[tracks.vertex > 0]))) > 20


def test_multiple_interactions_add_particles():
    without = simulate.events("QCD", 20, seed=3, **GEN)
    with_them = simulate.events("QCD", 20, seed=3, multiple_interactions=True, **GEN)
    # About 300 against 600; the spread of a mean of 20 is about 20.
    assert np.mean(ak.num(with_them["particles"])) > 1.3 * np.mean(ak.num(without["particles"]))


@pytest.mark.parametrize(
    ("tune", "setting", "value"),
    [
        ("Monash", "TimeShower:alphaSvalue", 0.1365),
        ("A14", "TimeShower:alphaSvalue", 0.127),
        ("CP5-like", "TimeShower:alphaSvalue", 0.118),
        ("CP5-like", "MultipartonInteractions:pT0Ref", 1.41),
    ],
)
def test_a_tune_has_its_published_values(tune, setting, value):
    setup = simulate.JetSimulation(tune=tune).setup()
    assert Generator(setup.pythia(PROCESSES["top"]), 1).pythia.settings.parm(setting) == pytest.approx(value)


def test_every_tune_makes_other_jets():
    made = {tune: simulate.jets("top", 2, seed=1, tune=tune, **GEN).fingerprint for tune in TUNES}
    assert len(set(made.values())) == len(TUNES)


def test_detected_events_keep_the_generated_particles():
    events = simulate.events(["QCD", "top"], 6, seed=1, cores=1)
    assert set(events.collections) == {"particles", "partons", "gen_particles"}
    assert "d0_error" in ak.fields(events["particles"])
    assert "d0_error" not in ak.fields(events["gen_particles"])


def test_every_setting_is_documented_and_in_the_origin(measured):
    settings = simulate.JetSimulation.param
    for name in settings:
        if name != "name":
            assert settings[name].doc, name
            assert name in measured.origin.settings, name
    assert measured.origin.kind == "simulation"


def test_what_the_origin_says_of_a_sample_makes_it_again():
    own = replace(simulate.CMS, name="blunt", hcal=replace(simulate.CMS.hcal, energy_min=3.0))
    first = simulate.jets("QCD", 3, seed=4, cores=1, detector=own)
    stated = {name: first.origin.settings[name] for name in simulate.JetSimulation.param if name != "name"}
    again = simulate.jets("QCD", 3, seed=first.origin.settings["seed"], cores=1, **stated)
    assert again.fingerprint == first.fingerprint
    assert again.origin == first.origin


def test_an_unguarded_script_may_simulate_on_two_cores(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from workbench import simulate\nprint(len(simulate.jets(['QCD', 'top'], 4, seed=1, cores=2)), 'jets')\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["4 jets"], done.stderr


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: simulate.jets(["QDC"], 10, seed=1), "no process 'QDC'; did you mean 'QCD'"),
        (lambda: simulate.jets(["QCD", "top"], 1, seed=1), "ask for one jet of each"),
        (lambda: simulate.jets([], 10, seed=1), "name at least one process"),
        (lambda: simulate.jets("QCD", 10, seed=1, pt_range=(1, 2)), "no setting 'pt_range'"),
        (lambda: simulate.jets("QCD", 10, seed=1, radius=-1.0), "out of bounds"),
        (lambda: simulate.jets("QCD", 10, seed=1, tune="Monasch"), "Monasch"),
        (lambda: simulate.jets("QCD", 0, seed=1), "0 jets of 1 processes"),
        (lambda: simulate.jets("QCD", -5, seed=1), "whole number from 0; found -5"),
        (lambda: simulate.jets("QCD", 1e3, seed=1), "whole number from 0; found 1000.0"),
        (lambda: simulate.jets("QCD", 10, seed=-1), "A seed is a whole number from 0; found -1"),
        (lambda: simulate.jets("QCD", 10, seed=None), "A seed is a whole number from 0; found None"),
        (lambda: simulate.jets("QCD", 10, seed=1, cores=0), "on 0 cores"),
        (lambda: simulate.jets("QCD", 10, seed=1, pt=(650, 550)), "window 650 to 550 GeV is empty"),
        (lambda: simulate.events("QCD", 10, seed=1, pt=(600, 600)), "window 600 to 600 GeV is empty"),
        (lambda: simulate.jets("QCD", 10, seed=1, detector="CMD"), "no detector 'CMD'; did you mean 'CMS'"),
        (lambda: simulate.jets("QCD", 10, seed=1, detector=4), "a Detector of your own or None; found 4"),
        (lambda: simulate.jets("QCD", 10, seed=1, energy=900.0, cores=1), "Pythia could not start"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_a_sentence(ask, sentence):
    with pytest.raises(SimulationError, match=sentence):
        ask()


def test_a_request_that_no_event_meets_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(chunk, "PATIENCE", 40)
    with pytest.raises(SimulationError, match="None of .* top events had a jet"):
        simulate.jets("top", 5, seed=1, radius=0.1, matching=0.1, **GEN)


def test_an_error_in_a_worker_reaches_the_user():
    with pytest.raises(SimulationError, match="Pythia could not start"):
        simulate.jets(["QCD", "top"], 10, seed=1, energy=900.0, cores=2)
