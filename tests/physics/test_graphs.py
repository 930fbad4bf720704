import awkward as ak
import numpy as np
import pytest
from scipy.spatial import cKDTree

from workbench.errors import DataError
from workbench.physics.graphs import edges, knn

from .clouds import jets_of, random_jets, turned


def test_neighbours_of_points_on_a_line_are_the_next_ones():
    jets = jets_of([(5.0, 0.0, 0.0), (4.0, 0.1, 0.0), (3.0, 0.3, 0.0), (2.0, 0.7, 0.0)])
    assert knn(jets.constituents, 2).tolist() == [[[1, 2], [0, 2], [1, 0], [2, 1]]]


def test_azimuth_closes_on_itself():
    jets = jets_of([(5.0, 0.0, 3.1), (4.0, 0.0, 2.5), (3.0, 0.0, -3.1)])
    assert knn(jets.constituents, 1).tolist() == [[[2], [0], [0]]]


def test_neighbours_are_those_of_a_search_tree():
    # On a cylinder unrolled thrice, a tree in the plane sees the neighbours across the seam.
    jets = random_jets(30, seed=41)
    near = knn(jets.constituents, 5)
    for i in range(len(jets)):
        eta, phi = (ak.to_numpy(jets.constituents[name][i]) for name in ("eta", "phi"))
        n = len(eta)
        copies = np.stack([np.tile(eta, 3), np.concatenate([phi, phi - 2 * np.pi, phi + 2 * np.pi])], axis=1)
        _, found = cKDTree(copies).query(copies[:n], k=min(6, n))
        assert near[i].tolist() == [[int(j) % n for j in row[1:]] for row in found]


def test_the_convention_for_azimuth_has_no_influence():
    jets = random_jets(30, seed=43)
    assert knn(turned(jets).constituents, 5).tolist() == knn(jets.constituents, 5).tolist()


def test_a_jet_has_at_most_one_neighbour_less_than_constituents():
    jets = jets_of([(1.0, 0.0, 0.0)], [], [(3.0, 0.0, 0.0), (2.0, 0.1, 0.0), (1.0, 0.3, 0.0)])
    assert knn(jets.constituents, 7).tolist() == [[[]], [], [[1, 2], [0, 2], [1, 0]]]


def test_neighbours_are_the_same_alone_and_in_company():
    jets = random_jets(30, seed=42)
    assert knn(jets[4].constituents, 7).tolist() == knn(jets.constituents, 7)[4:5].tolist()


def test_edges_list_who_sees_whom():
    jets = jets_of([(5.0, 0.0, 0.0), (4.0, 0.1, 0.0), (3.0, 0.3, 0.0)], [(1.0, 0.0, 0.0)])
    pairs = edges(jets.constituents, 1)
    assert pairs.source.tolist() == [[0, 1, 2], []]
    assert pairs.target.tolist() == [[1, 0, 1], []]


def test_no_neighbours_at_all_cannot_be_asked_for():
    with pytest.raises(DataError, match="0 neighbours were asked for"):
        knn(jets_of([(1.0, 0.0, 0.0)]).constituents, 0)
