import awkward as ak
import numpy as np
import pytest

from workbench.physics.kinematics import (
    fraction,
    like_length,
    padded,
    rapidity,
    rectangles,
    relative,
)

from .clouds import jets_of, random_jets


def test_rapidity_is_half_the_logarithm_of_light_cone_momenta():
    pt, eta, mass = np.array([3.0, 3.0, 0.5]), np.array([1.2, -2.0, 0.3]), np.array([0.0, 1.5, 4.0])
    pz = pt * np.sinh(eta)
    energy = np.sqrt(pt**2 + pz**2 + mass**2)
    assert rapidity(pt, eta, mass) == pytest.approx(0.5 * np.log((energy + pz) / (energy - pz)))
    assert rapidity(pt[:1], eta[:1], mass[:1]) == pytest.approx(eta[:1])


def test_rapidity_of_nothing_is_zero():
    assert rapidity(np.zeros(1), np.array([2.0]), np.zeros(1)) == 0


def test_relative_coordinates_cross_the_seam_in_azimuth():
    jets = jets_of([(60.0, 0.5, 3.1), (40.0, 0.1, -3.1)], p4=jets_of([(100.0, 0.4, np.pi)]).p4)
    seen = relative(jets)
    assert seen.deta[0].tolist() == pytest.approx([0.1, -0.3])
    assert seen.dphi[0].tolist() == pytest.approx([3.1 - np.pi, np.pi - 3.1])
    assert seen.deltar[0].tolist() == pytest.approx(np.hypot([0.1, 0.3], np.pi - 3.1))
    assert seen.pt_fraction[0].tolist() == pytest.approx([0.6, 0.4])
    energies = np.array([60 * np.cosh(0.5), 40 * np.cosh(0.1)]) / (100 * np.cosh(0.4))
    assert seen.energy_fraction[0].tolist() == pytest.approx(energies)


def test_relative_coordinates_of_a_jet_without_particles_are_an_empty_list():
    assert relative(jets_of([], [(1.0, 0.0, 0.0)])).deta.tolist() == [[], [0.0]]


def test_a_fraction_of_nothing_is_not_a_number():
    assert np.isnan(fraction(np.array([0.0, 1.0]), np.zeros(2))).all()
    assert fraction(np.array([1.0]), np.array([4.0])) == 0.25


def test_portions_of_like_length_take_every_jet_once_longest_first_within_the_bound():
    counts = np.random.default_rng(3).integers(0, 90, 1000)
    portions = list(like_length(counts, pairs=100_000))
    assert sorted(np.concatenate(portions)) == list(range(1000))
    for rows in portions:
        assert (np.diff(counts[rows]) <= 0).all()
        assert len(rows) * counts[rows].max() ** 2 <= 100_000
    assert len(list(like_length(np.array([500]), pairs=10))) == 1
    assert list(like_length(np.zeros(0, int))) == []


def test_padding_puts_zeros_behind_the_values_of_each_list():
    assert padded(np.arange(1.0, 6.0), np.array([2, 0, 3]), np.array([2, 1, 0])).tolist() == [
        [3, 4, 5],
        [0, 0, 0],
        [1, 2, 0],
    ]


def test_rectangles_hold_every_constituent_of_every_jet():
    jets = random_jets(50, seed=4)
    for particles in rectangles(jets):
        for row, jet in enumerate(particles.rows):
            n = particles.counts[row]
            assert n == jets.counts[jet]
            assert particles.pt[row, :n] == pytest.approx(ak.to_numpy(jets.constituents.pt[jet]))
            assert particles.rapidity[row, :n] == pytest.approx(ak.to_numpy(jets.constituents[jet].rapidity))
            assert (particles.pt[row, n:] == 0).all()
