"""The parametrised detector against its own closed forms."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from scipy import stats

from workbench.data.events import Events
from workbench.data.jets import momenta
from workbench.errors import SimulationError
from workbench.simulate.cards import ATLAS, CMS
from workbench.simulate.detector import Detector

ALARM = 1e-4
"""False-alarm rate of each statistical test below; seeds are fixed, so a test that passes once passes always."""
N = 20_000
PIONS, PHOTON, KLONG, MUON, ELECTRON = 211, 22, 130, 13, 11
MASS = {PIONS: 0.13957, PHOTON: 0.0, KLONG: 0.497611, MUON: 0.10566, ELECTRON: 0.000511}


def events(*particles, copies=1):
    """Events that each hold the same particles: (pid, pt, eta, phi)."""
    pid, pt, eta, phi = (np.tile(column, copies) for column in zip(*particles, strict=True))
    charge = np.where(np.isin(np.abs(pid), (PHOTON, KLONG)), 0, 1)
    mass = np.array([MASS[abs(p)] for p in pid])
    fields = {"pt": pt, "eta": eta, "phi": phi, "mass": mass, "pid": pid, "charge": charge}
    flat = momenta(
        **{
            name: np.asarray(f, dtype=float if name in ("pt", "eta", "phi") else None)
            for name, f in fields.items()
        }
    )
    return Events.of({"particles": ak.unflatten(flat, np.full(copies, len(particles)))})


def single(detector, pid, pt, eta, copies=N, phi=0.013):
    """What the detector sees of one particle per event."""
    return detector.measure(events((pid, pt, eta, phi), copies=copies), seed=1)["particles"]


def perfect(detector=ATLAS):
    """A detector that finds and measures everything, its cells as they are."""
    ones = tuple(tuple((1.0, 1.0, 1.0) for _ in region) for region in detector.tracker.efficiency)
    zeros = tuple(tuple((1e-9, 0.0) for _ in region) for region in detector.tracker.resolution)
    exact = dict.fromkeys(("phi", "cot_theta", "d0", "dz"), (0.0, 0.0))
    tracker = replace(detector.tracker, efficiency=ones, resolution=zeros, **exact)
    cells = {"resolution_edges": (5.0,), "resolution": ((1e-9, 0.0, 0.0),), "energy_min": 1e-3, "shape": ()}
    return Detector("perfect", tracker, replace(detector.ecal, **cells), replace(detector.hcal, **cells))


def energy(seen):
    return ak.to_numpy(ak.sum(seen.pt * np.cosh(seen.eta), axis=1))


def lognormal(mean, sigma):
    b = np.sqrt(np.log1p((sigma / mean) ** 2))
    return stats.lognorm(b, scale=mean * np.exp(-(b**2) / 2))


def test_tracks_are_found_as_often_as_the_card_says():
    expected = {
        (PIONS, 0.5, 0.3): 0.70,
        (PIONS, 5.0, 0.3): 0.95,
        (PIONS, 0.5, 2.0): 0.60,
        (PIONS, 5.0, 2.0): 0.85,
        (ELECTRON, 50.0, -0.3): 0.95,
        (ELECTRON, 200.0, -2.0): 0.90,
        (MUON, 5.0, 0.3): 0.99,
        (MUON, 0.5, -2.0): 0.70,
    }
    chi2 = 0.0
    for (pid, pt, eta), p in expected.items():
        found = np.sum(ak.to_numpy(ak.any(single(ATLAS, pid, pt, eta).charge != 0, axis=1)))
        chi2 += (found - N * p) ** 2 / (N * p * (1 - p))
    assert chi2 < stats.chi2.isf(ALARM, len(expected))


@pytest.mark.parametrize(("pid", "pt", "eta"), [(PIONS, 5.0, 2.6), (PIONS, 0.09, 0.0), (MUON, 50.0, -2.51)])
def test_there_are_no_tracks_outside_the_tracker(pid, pt, eta):
    assert not ak.any(single(ATLAS, pid, pt, eta, copies=2_000).charge != 0)


@pytest.mark.parametrize(
    ("detector", "eta", "sigma"),
    [
        (ATLAS, 0.3, np.hypot(0.01, 40 * 1.0e-4)),
        (ATLAS, -1.2, np.hypot(0.015, 40 * 1.5e-4)),
        (CMS, 2.2, np.hypot(0.025, 40 * 3.5e-4)),
    ],
)
def test_muon_momenta_have_the_resolution_of_the_card(detector, eta, sigma):
    pt = ak.to_numpy(ak.flatten(single(detector, MUON, 40.0, eta).pt))
    assert stats.kstest(pt, lognormal(40.0, 40.0 * sigma).cdf).pvalue > ALARM


def test_impact_parameters_and_angles_scatter_by_their_errors():
    seen = ak.flatten(single(ATLAS, MUON, 2.0, 1.1))
    sin = 1 / np.cosh(1.1)
    d0_error = np.hypot(0.011, 0.073 / (2.0 * np.sqrt(sin)))
    dz_error = np.hypot(0.087, 0.115 / (2.0 * sin**1.5))
    assert np.allclose(ak.to_numpy(seen.d0_error), d0_error)
    assert np.allclose(ak.to_numpy(seen.dz_error), dz_error)
    pulls = {
        "d0": ak.to_numpy(seen.d0) / d0_error,
        "dz": ak.to_numpy(seen.dz) / dz_error,
        "phi": (ak.to_numpy(seen.phi) - 0.013) / np.hypot(0.075e-3, 1.8e-3 / (2.0 * np.sqrt(sin))),
        "cot theta": (np.sinh(ak.to_numpy(seen.eta)) - np.sinh(1.1))
        / np.hypot(0.7e-3, 2.0e-3 / (2.0 * sin**1.5)),
    }
    for name, pull in pulls.items():
        assert stats.kstest(pull, stats.norm.cdf).pvalue > ALARM, name
    # Independent of each other: six correlation coefficients with a spread of 1/sqrt(number of tracks).
    correlations = np.corrcoef(list(pulls.values()))[np.triu_indices(4, 1)]
    assert np.all(np.abs(correlations) < stats.norm.isf(ALARM / 12) / np.sqrt(len(seen)))


@pytest.mark.parametrize(
    ("pid", "track", "mass"), [(321, 211, 0.13957), (-2212, -211, 0.13957), (-11, -11, 0.000511)]
)
def test_a_track_is_taken_for_a_pion_unless_it_is_a_lepton(pid, track, mass):
    particle = momenta(
        pt=[5.0], eta=[0.2], phi=[0.1], mass=[0.5], pid=[pid], charge=[1 if pid in (321, -11) else -1]
    )
    seen = perfect().measure(Events.of({"particles": ak.unflatten(particle, [1])}), seed=1)["particles"]
    charged = ak.flatten(seen[seen.charge != 0])
    assert charged.pid.tolist() == [track]
    assert charged.mass[0] == pytest.approx(mass)


@pytest.mark.parametrize(
    ("detector", "pid", "sigma2"),
    [
        (ATLAS, PHOTON, lambda e: (0.0017 * e) ** 2 + 0.101**2 * e),
        (ATLAS, KLONG, lambda e: (0.0302 * e) ** 2 + 0.5205**2 * e + 1.59**2),
        (CMS, KLONG, lambda e: (0.05 * e) ** 2 + 1.5**2 * e),
    ],
)
def test_neutral_energies_have_the_resolution_of_the_card(detector, pid, sigma2):
    seen = single(detector, pid, 300.0, 0.31)
    assert np.all(ak.num(seen) == 1)
    true = np.hypot(300.0 * np.cosh(0.31), MASS[pid])
    assert stats.kstest(energy(seen), lognormal(true, np.sqrt(sigma2(true))).cdf).pvalue > ALARM


def test_the_cms_crystal_resolution_depends_on_eta_as_published():
    sigma = CMS.ecal.sigma(np.array([100.0, 100.0]), np.array([0.0, 1.0]))
    assert sigma[0] == pytest.approx(np.sqrt(0.8**2 + 100 * 0.11**2 + 0.4**2))
    assert sigma[1] / sigma[0] == pytest.approx(1.64)


def test_particles_in_one_cell_are_seen_as_one_object_and_in_two_cells_as_two():
    detector = perfect()
    width = 0.0174
    together = events((PHOTON, 30.0, 0.2 * width, 0.002), (PHOTON, 20.0, 0.8 * width, 0.012))
    apart = events((PHOTON, 30.0, 0.2 * width, 0.002), (PHOTON, 20.0, 1.2 * width, 0.002))
    one, two = (detector.measure(e, seed=3)["particles"] for e in (together, apart))
    assert ak.num(one).tolist() == [1]
    assert energy(one)[0] == pytest.approx(energy(together["particles"])[0], rel=1e-6)
    assert ak.num(two).tolist() == [2]


def test_the_same_cell_in_two_events_is_two_cells():
    seen = perfect().measure(events((PHOTON, 30.0, 0.1, 0.2), copies=2), seed=3)["particles"]
    assert ak.num(seen).tolist() == [1, 1]


def test_an_object_lies_in_the_cell_it_was_seen_in():
    eta, phi = 0.31, 2.0
    seen = ak.flatten(single(ATLAS, KLONG, 100.0, eta, copies=500, phi=phi))
    cell = ATLAS.hcal.cell(np.array([eta]), np.array([phi]))
    assert np.all(ATLAS.hcal.cell(ak.to_numpy(seen.eta), ak.to_numpy(seen.phi)) == cell)
    low, high, left, right = ATLAS.hcal.borders(cell)
    across = (ak.to_numpy(seen.eta) - low) / (high - low)
    around = (ak.to_numpy(seen.phi) - left) / (right - left)
    for place in (across, around):
        assert stats.kstest(place, stats.uniform.cdf).pvalue > ALARM
    assert abs(np.corrcoef(across, around)[0, 1]) < stats.norm.isf(ALARM / 2) / np.sqrt(len(seen))


@pytest.mark.parametrize("calorimeter", [ATLAS.ecal, ATLAS.hcal, CMS.ecal, CMS.hcal])
def test_every_place_lies_between_the_borders_of_its_cell(calorimeter):
    rng = np.random.default_rng(5)
    assert len(calorimeter.phi_cells) == len(calorimeter.eta_edges) - 1
    assert np.all(np.diff(calorimeter.eta_edges) > 0)
    eta, phi = rng.uniform(-4.89, 4.89, N), rng.uniform(-np.pi, np.pi, N)
    low, high, left, right = calorimeter.borders(calorimeter.cell(eta, phi))
    assert np.all((low <= eta) & (eta < high))
    assert np.all((left - 1e-9 <= phi) & (phi < right + 1e-9))
    assert calorimeter.cell(np.array([5.1, -5.1]), np.zeros(2)).tolist() == [-1, -1]
    assert calorimeter.cell(np.array([0.0]), np.array([np.pi])) == calorimeter.cell(
        np.array([0.0]), np.array([-np.pi])
    )


def test_a_perfect_detector_conserves_the_energy_of_a_crowded_jet():
    rng = np.random.default_rng(7)
    pid = rng.choice([PIONS, -PIONS, PHOTON, KLONG, ELECTRON, MUON], 60)
    jet = [
        (int(k), pt, eta, phi)
        for k, pt, eta, phi in zip(
            pid, rng.exponential(9.0, 60) + 0.5, *rng.normal(0, 0.1, (2, 60)), strict=True
        )
    ]
    given = events(*jet, copies=20)
    seen = perfect().measure(given, seed=2)["particles"]
    particles = given["particles"]
    true = ak.to_numpy(ak.sum(np.hypot(particles.pt * np.cosh(particles.eta), particles.mass), axis=1))
    measured = ak.to_numpy(ak.sum(np.hypot(seen.pt * np.cosh(seen.eta), seen.mass), axis=1))
    # Excesses under 1 MeV, and fluctuations of 1e-9, are all that may be lost.
    assert np.allclose(measured, true, rtol=1e-4)


@pytest.mark.parametrize("detector", [ATLAS, CMS])
@pytest.mark.parametrize("pt", [5.0, 40.0, 200.0])
# |eta| = 0.3 is the border of two ATLAS cells: a track that pointed with its smeared angles would miss its own energy.
def test_a_charged_hadron_is_counted_once_though_two_subdetectors_see_it(detector, pt):
    total = energy(single(detector, PIONS, pt, 0.3)) / (pt * np.cosh(0.3))
    # Counted twice the mean would be 2. Reading only significant excesses moves it by a few per cent at low energy.
    assert 0.95 < total.mean() < 1.08


def test_track_and_calorimeter_together_are_better_than_either():
    alone = ATLAS.tracker.resolutions(np.array([0]), np.array([200.0]), np.array([0.3]))[0]
    found = single(ATLAS, PIONS, 200.0, 0.3)
    found = found[ak.any(found.charge != 0, axis=1)]
    total = energy(found) / (200.0 * np.cosh(0.3))
    assert total.std() < 0.5 * alone


def cell_with_track(true, track, error):
    """What the ATLAS hadronic cell makes of `true` GeV and a track of `track` +- `error` GeV that points to it."""
    one, eta, phi = np.ones(1), np.array([0.05]), np.array([0.02])
    common = {"eta": eta, "phi": phi, "mass": 0 * one, "event": np.array([0])}
    particles = {**common, "pt": true / np.cosh(eta)}
    tracks = {**common, "pt": track / np.cosh(eta), "sigma": error * one, "at_eta": eta, "at_phi": phi}
    towers, tracks = ATLAS.hcal.flow(particles, one, tracks, one, np.random.default_rng(4))
    return towers["energy"], tracks["pt"][0] * np.cosh(eta[0])


def test_a_track_and_its_cell_are_averaged_by_their_errors():
    # A track that knows nothing takes the energy of the cell, which is the same in both calls: same seed.
    cell = cell_with_track(100.0, 120.0, 1e9)[1]
    error = ATLAS.hcal.sigma(np.array([cell]), np.array([0.05]))[0]
    neutral, mean = cell_with_track(100.0, 120.0, 7.0)
    assert len(neutral) == 0
    assert mean == pytest.approx((120.0 / 7.0**2 + cell / error**2) / (1 / 7.0**2 + 1 / error**2))


def test_an_excess_counts_only_if_it_is_large_against_the_errors_of_cell_and_track():
    # The cell's own error is about 8 GeV: 60 GeV above the track are many of it, but not two of a track good to 40 GeV.
    neutral, track = cell_with_track(200.0, 140.0, 1.0)
    assert len(neutral) == 1
    assert track == pytest.approx(140.0)
    assert len(cell_with_track(200.0, 140.0, 40.0)[0]) == 0


@pytest.mark.parametrize(("pt", "objects"), [(0.49, 0), (0.51, 1)])
def test_a_cell_below_the_smallest_energy_is_silent(pt, objects):
    detector = replace(perfect(), ecal=replace(perfect().ecal, energy_min=0.5))
    seen = detector.measure(events((PHOTON, pt, 0.0087, 0.01)), seed=1)["particles"]
    assert ak.num(seen).tolist() == [objects]


def test_a_hadron_without_a_track_is_a_neutral_hadron():
    blind = replace(perfect(), tracker=replace(perfect().tracker, pt_edges=(1e6, 2e6, 3e6)))
    seen = blind.measure(events((PIONS, 30.0, 0.3, 0.1)), seed=1)["particles"]
    assert seen.pid.tolist() == [[KLONG]]
    assert energy(seen)[0] == pytest.approx(np.hypot(30 * np.cosh(0.3), MASS[PIONS]), rel=1e-6)


def test_a_neutral_in_a_cell_with_a_track_is_the_excess():
    seen = perfect().measure(events((PIONS, 30.0, 0.32, 0.01), (KLONG, 12.0, 0.35, 0.05)), seed=1)[
        "particles"
    ]
    assert seen.pid.tolist() == [[PIONS, KLONG]]
    assert energy(seen[:, 1:])[0] == pytest.approx(np.hypot(12 * np.cosh(0.35), MASS[KLONG]), rel=1e-4)


def test_a_kaon_that_decays_in_flight_is_shared_by_both_calorimeters():
    kaon = momenta(pt=[50.0], eta=[0.2], phi=[0.1], mass=[0.4976], pid=[310], charge=[0])
    seen = perfect().measure(Events.of({"particles": ak.unflatten(kaon, [1])}), seed=1)["particles"]
    share = dict(zip(seen.pid[0].tolist(), (seen.pt * np.cosh(seen.eta))[0].tolist(), strict=True))
    assert share[22] / (share[22] + share[130]) == pytest.approx(0.3, rel=1e-4)


def test_muons_leave_nothing_in_the_calorimeters():
    seen = perfect().measure(events((MUON, 50.0, 0.2, 0.1)), seed=1)["particles"]
    assert seen.pid.tolist() == [[-MUON]]


def test_neutrinos_leave_nothing_anywhere():
    ghost = momenta(pt=[50.0], eta=[0.2], phi=[0.1], mass=[0.0], pid=[-14], charge=[0])
    seen = perfect().measure(Events.of({"particles": ak.unflatten(ghost, [1])}), seed=1)["particles"]
    assert ak.num(seen).tolist() == [0]


def test_a_track_has_a_vertex_and_a_cell_has_none():
    given = events((PIONS, 30.0, 0.32, 0.01), (PHOTON, 12.0, 0.9, 0.05))
    particles = ak.with_field(given["particles"], np.array([[3, 3]], dtype=np.int16), "vertex")
    seen = perfect().measure(replace(given, collections={"particles": particles}), seed=1)["particles"]
    assert dict(zip(seen.pid[0].tolist(), seen.vertex[0].tolist(), strict=True)) == {PIONS: 3, PHOTON: -1}


def test_same_seed_same_objects_and_no_global_generator_is_touched():
    given = events((PIONS, 30.0, 0.32, 0.01), (PHOTON, 12.0, 0.35, 0.05), copies=50)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (ATLAS.measure(given, seed=s) for s in (1, 1, 2))
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_an_event_without_particles_stays_empty():
    given = events((PIONS, 30.0, 0.32, 0.01), copies=3)
    emptied = replace(given, collections={"particles": given["particles"][:, :0]})
    assert ak.num(ATLAS.measure(emptied, seed=1)["particles"]).tolist() == [0, 0, 0]


def test_particles_of_unknown_kind_cannot_be_measured():
    bare = momenta(pt=[1.0], eta=[0.0], phi=[0.0], mass=[0.0])
    with pytest.raises(SimulationError, match="lack pid and charge"):
        ATLAS.measure(Events.of({"particles": ak.unflatten(bare, [1])}), seed=1)
