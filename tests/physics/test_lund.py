import awkward as ak
import fastjet
import numpy as np
import pytest

from workbench.physics.lund import FIELDS, primary_lund_plane

from .clouds import cartesian, jets_of, random_jets, shuffled


def test_the_emission_of_a_two_particle_jet_is_known_in_closed_form():
    hard, soft = (80.0, 0.1, 3.1), (20.0, 0.4, 3.5 - 2 * np.pi)
    (emission,) = primary_lund_plane(jets_of([soft, hard]))[0]
    assert emission.delta == pytest.approx(0.5)
    assert emission.kt == pytest.approx(20 * 0.5)
    assert emission.z == pytest.approx(0.2)
    assert emission.kappa == pytest.approx(0.1)
    assert emission.psi == pytest.approx(np.arctan2(0.3, 0.4))
    assert emission.ln_inverse_delta == pytest.approx(np.log(2))
    assert emission.ln_kt == pytest.approx(np.log(10))


def test_emissions_come_in_order_of_angle_along_the_harder_branch():
    jets = jets_of([(100.0, 0.0, 0.0), (10.0, 0.0, 0.05), (1.0, 0.6, 0.0), (0.9, 0.6, 0.04)])
    plane = primary_lund_plane(jets)[0]
    # The two soft ones at 0.6 merge first and are one emission; what happens between them is not primary.
    assert len(plane) == 2
    assert plane.kt[0] == pytest.approx(1.9 * 0.6, rel=0.01)
    assert plane.kt[1] == pytest.approx(10 * 0.05)


def test_the_planes_are_those_of_fastjet_contrib():
    jets = random_jets(60, seed=31)
    sequence = fastjet.ClusterSequence(
        cartesian(jets), fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0)
    )
    expected = sequence.exclusive_jets_lund_declusterings(1)[:, 0]
    plane = primary_lund_plane(jets)
    assert ak.num(plane).tolist() == ak.num(expected).tolist()
    assert ak.to_numpy(ak.flatten(plane.delta)) == pytest.approx(ak.to_numpy(ak.flatten(expected.Delta)))
    assert ak.to_numpy(ak.flatten(plane.kt)) == pytest.approx(ak.to_numpy(ak.flatten(expected.kt)))


def test_momentum_fractions_are_those_of_the_softer_branch():
    plane = primary_lund_plane(random_jets(60, seed=32))
    assert ak.all((plane.z > 0) & (plane.z <= 0.5))


def test_the_order_of_particles_has_no_influence():
    jets = random_jets(30, seed=33)
    one, other = primary_lund_plane(jets), primary_lund_plane(shuffled(jets, seed=1))
    for name in FIELDS:
        assert ak.to_numpy(ak.flatten(one[name])) == pytest.approx(ak.to_numpy(ak.flatten(other[name])))


def test_jets_of_one_particle_or_none_emit_nothing():
    plane = primary_lund_plane(jets_of([(1.0, 0.0, 0.0)], [], [(2.0, 0.0, 0.0), (1.0, 0.0, 1.0)]))
    assert ak.num(plane).tolist() == [0, 0, 1]
    nothing = primary_lund_plane(jets_of([(1.0, 0.0, 0.0)], []))
    assert ak.num(nothing).tolist() == [0, 0]
    assert ak.fields(nothing) == list(FIELDS)


def test_an_exactly_collinear_emission_lies_infinitely_deep_in_the_plane():
    plane = primary_lund_plane(jets_of([(2.0, 0.3, 0.1), (1.0, 0.3, 0.1)]))
    assert plane.ln_inverse_delta[0, 0] == np.inf
    assert plane.ln_kt[0, 0] == -np.inf
