"""Planted jets: the carriers tell the class and nothing else does."""

import awkward as ak
import numpy as np
import pytest
from scipy import stats

from workbench.errors import SimulationError
from workbench.physics.kinematics import relative
from workbench.simulate.planted import planted_jets

JETS = planted_jets(2_000, seed=1)
CARRIER = JETS.columns["carrier"]


def test_each_jet_has_its_carriers_and_no_other_lepton():
    pid = abs(JETS.constituents.pid)
    assert ak.all(ak.sum(CARRIER, axis=1) == 3)
    assert ak.all(((pid == 11) | (pid == 13)) == CARRIER)
    label = np.asarray(JETS.label)
    assert ak.all(ak.sum(pid == 11, axis=1) == np.where(label == 0, 2, 1))
    assert ak.all(ak.sum(pid == 13, axis=1) == np.where(label == 1, 2, 1))


@pytest.mark.parametrize("what", ["pt", "deltar", "rank"])
def test_nothing_but_the_kind_tells_the_class_or_the_carriers(what):
    """One particle per jet is looked at, so that all are independent; each of the six tests fails by chance once in 10,000."""
    values = {"pt": JETS.constituents.pt, "deltar": relative(JETS).deltar, "rank": ak.local_index(CARRIER)}[
        what
    ]
    # A carrier drawn at random among all particles, and one of all particles drawn at random, for each jet.
    generator = np.random.default_rng(1)
    carriers, jets = values[CARRIER], np.arange(len(JETS))
    one = ak.to_numpy(carriers[jets, generator.integers(3, size=len(JETS))])
    any_one = ak.to_numpy(values[jets, generator.integers(JETS.counts)])
    label = np.asarray(JETS.label)
    assert stats.ks_2samp(one, any_one).pvalue > 1e-4
    assert stats.ks_2samp(any_one[label == 0], any_one[label == 1]).pvalue > 1e-4


def test_the_classes_have_equally_many_particles():
    """Fails by chance once in 10,000."""
    label = np.asarray(JETS.label)
    assert stats.ks_2samp(JETS.counts[label == 0], JETS.counts[label == 1]).pvalue > 1e-4


def test_the_same_seed_gives_the_same_jets_and_shuffling_changes_only_labels():
    again, shuffled = planted_jets(50, seed=4), planted_jets(50, seed=4, shuffled=True)
    assert again.fingerprint == planted_jets(50, seed=4).fingerprint
    assert ak.all(again.constituents.pt == shuffled.constituents.pt)
    assert not np.array_equal(again.label, shuffled.label)
    assert np.bincount(np.asarray(again.label)).tolist() == np.bincount(np.asarray(shuffled.label)).tolist()


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 3, "carriers": 0}, {"n": 3, "against": 2}, {"n": 3, "particles": 0.0}]
)
def test_what_cannot_be_planted_is_refused_with_a_sentence(wrong):
    with pytest.raises(SimulationError, match="give at least one jet"):
        planted_jets(**wrong, seed=1)
