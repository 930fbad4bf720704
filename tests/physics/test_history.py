import awkward as ak
import fastjet
import numpy as np
import pytest

from workbench.errors import DataError
from workbench.physics.history import e_scheme, history, trees, winner_takes_all

from .clouds import cartesian, jets_of, random_jets

ALGORITHMS = {"kt": fastjet.kt_algorithm, "cambridge": fastjet.cambridge_algorithm}


def sequence(jets, algorithm, scheme=fastjet.E_scheme):
    return fastjet.ClusterSequence(
        cartesian(jets), fastjet.JetDefinition(ALGORITHMS[algorithm], 1000.0, scheme)
    )


def test_three_particles_merge_as_counted_by_hand():
    # Angles: 0-1 0.1, 1-2 0.3; kT: min(pt)*angle of 0-1 is 1.0, of 1-2 is 0.3.
    jets = jets_of([(100.0, 0.0, 0.0), (10.0, 0.1, 0.0), (1.0, 0.4, 0.0)])
    near, soft = history(jets, "cambridge"), history(jets, "kt")
    assert near.harder[0].tolist() == [0, 3]
    assert near.softer[0].tolist() == [1, 2]
    assert soft.harder[0].tolist() == [1, 0]
    assert soft.softer[0].tolist() == [2, 3]
    assert near.deltar[0, 0] == pytest.approx(0.1)
    assert soft.deltar[0, 0] == pytest.approx(0.3)


def test_the_last_node_is_the_whole_jet():
    jets = random_jets(40, seed=1)
    for algorithm in ALGORITHMS:
        last = history(jets, algorithm)[:, -1]
        assert ak.to_numpy(last.pt) == pytest.approx(ak.to_numpy(jets.p4.pt))
        assert ak.to_numpy(last.energy) == pytest.approx(ak.to_numpy(jets.p4.energy))
        assert ak.to_numpy(last.rapidity) == pytest.approx(ak.to_numpy(jets.p4.rapidity))


def test_every_node_but_the_last_is_used_exactly_once():
    jets = random_jets(40, seed=2)
    merges = history(jets, "kt")
    used = ak.sort(ak.concatenate([merges.harder, merges.softer], axis=1))
    assert used.tolist() == [list(range(2 * n - 2)) for n in jets.counts]


# FastJet 3.5.2 gives this warning for kT and Cambridge/Aachen too, for which it is not meant.
@pytest.mark.filterwarnings("ignore:dcut and exclusive jets")
@pytest.mark.parametrize("algorithm", ["kt", "cambridge"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_exclusive_subjets_are_those_of_fastjet(algorithm, n):
    jets = random_jets(60, seed=3)
    expected = ak.sort(sequence(jets, algorithm).exclusive_jets(n).pt)
    for tree in trees(jets, algorithm):
        there = tree.exclusive(n)
        assert (there.sum(1) == n).all()
        for row, jet in enumerate(tree.rows):
            own = np.sort(tree.momenta[row, there[row], 4])
            assert own == pytest.approx(ak.to_numpy(expected[jet]))


@pytest.mark.parametrize(
    ("ours", "theirs"), [(e_scheme, fastjet.E_scheme), (winner_takes_all, fastjet.WTA_pt_scheme)]
)
def test_kt_distances_of_the_last_merges_are_those_of_fastjet(ours, theirs):
    jets = random_jets(60, seed=4)
    oracle = sequence(jets, "kt", theirs)
    expected = np.array([ak.to_numpy(oracle.exclusive_dmerge(n)).ravel() for n in (1, 2)])
    for tree in trees(jets, "kt", ours):
        row = np.arange(len(tree.rows))
        for n in (1, 2):
            s = tree.counts - 1 - n
            softer = tree.momenta[row, tree.softer[row, s], 4]
            distance = (softer * tree.deltar[row, s]) ** 2
            # FastJet divides by the squared radius of the definition.
            assert distance == pytest.approx(expected[n - 1, tree.rows] * 1000.0**2)


def test_a_jet_of_fewer_particles_than_asked_for_shows_all_of_them():
    jets = jets_of([(3.0, 0.0, 0.0), (2.0, 0.1, 0.0)], [(1.0, 0.0, 0.0)], [])
    shown = {
        int(tree.rows[r]): int(tree.exclusive(3)[r].sum())
        for tree in trees(jets)
        for r in range(len(tree.rows))
    }
    assert shown == {0: 2, 1: 1, 2: 0}


def test_the_winner_keeps_its_direction_and_takes_all_the_pt():
    jets = jets_of([(30.0, 0.1, 0.2), (20.0, 0.5, -0.3)])
    (tree,) = trees(jets, "kt", winner_takes_all)
    assert tree.momenta[0, 2, 4:] == pytest.approx([50.0, 0.1, 0.2])


def test_jets_of_one_particle_or_none_have_no_history():
    merges = history(jets_of([(1.0, 0.0, 0.0)], [], [(2.0, 0.0, 0.0), (1.0, 0.0, 1.0)]))
    assert ak.num(merges).tolist() == [0, 0, 1]
    assert len(history(jets_of([(1.0, 0.0, 0.0)])[:0])) == 0


def test_an_unknown_algorithm_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'cambridge'"):
        trees(jets_of([(1.0, 0.0, 0.0)]), "cambrige")
