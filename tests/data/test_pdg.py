"""Charges and masses by PDG id, against the `particle` package of the Scikit-HEP project."""

import numpy as np
import pytest

from workbench.data.pdg import MASS, charges, masses

particle = pytest.importorskip("particle")


def test_charges_are_those_of_the_particle_data_group():
    listed = [
        p
        for p in particle.Particle.all()
        # exotic states of four quarks carry six more digits and never reach a detector
        if (p.pdgid.is_hadron or p.pdgid.is_lepton or p.pdgid.is_quark) and abs(int(p.pdgid)) < 10**8
    ]
    pid = np.array([int(p.pdgid) for p in listed])
    theirs = np.array([p.three_charge for p in listed]) / 3
    wrong = pid[np.abs(charges(pid) - theirs) > 1e-9]
    assert wrong.tolist() == []
    assert len(pid) > 400


def test_bosons_and_nuclei_have_their_charges():
    assert charges(np.array([24, -24, 23, 22, 21, 25, 1000010020, 1000020040])).tolist() == [
        1,
        -1,
        0,
        0,
        0,
        0,
        1,
        2,
    ]


def test_masses_are_those_of_the_particle_data_group():
    for pid, mass in MASS.items():
        # the tables of different years differ by less than a permille
        assert mass == pytest.approx(particle.Particle.from_pdgid(pid).mass / 1000, rel=1e-3)
    assert np.isnan(masses(np.array([9999]), unknown=np.nan)).all()
