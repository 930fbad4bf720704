import numpy as np
import pytest
import torch

from workbench.models.segments import edge_mean, neighbours, owner, segment_mean, segment_sum


@pytest.fixture
def cloud():
    """Points of jets with 0, 1, 2, 5, 40 and 17 particles."""
    counts = torch.tensor([0, 1, 2, 5, 40, 17])
    generator = torch.Generator().manual_seed(1)
    return torch.randn(int(counts.sum()), 3, generator=generator, dtype=torch.float64), counts


def brute_force(points, counts, k):
    """The k nearest by sorting all distances, one particle at a time."""
    edges, start = set(), 0
    for n in counts.tolist():
        for i in range(n):
            distance = np.linalg.norm(points[start : start + n] - points[start + i], axis=1)
            distance[i] = np.inf
            edges |= {(start + i, start + int(j)) for j in np.argsort(distance)[: min(k, n - 1)]}
        start += n
    return edges


@pytest.mark.parametrize("k", [1, 4, 16])
def test_neighbours_are_those_found_by_sorting_all_distances(cloud, k):
    points, counts = cloud
    i, j = neighbours(points, counts, k)
    found = list(zip(i.tolist(), j.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == brute_force(points.numpy(), counts, k)


def test_edges_of_a_particle_stand_together(cloud):
    i, _ = neighbours(*cloud, 4)
    changes = int((i[1:] != i[:-1]).sum())
    assert changes == len(i.unique()) - 1


def test_neighbours_carry_no_gradient_and_stay_within_their_jet(cloud):
    points, counts = cloud
    i, j = neighbours(points.requires_grad_(), counts, 16)
    assert (owner(counts)[i] == owner(counts)[j]).all()
    assert not i.requires_grad
    assert (i != j).all()


def test_jets_without_a_pair_have_no_edges():
    i, j = neighbours(torch.zeros(2, 2), torch.tensor([1, 0, 1]), 7)
    assert len(i) == len(j) == 0


def test_sums_and_means_of_hand_made_jets():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    counts = torch.tensor([2, 0, 1])
    assert segment_sum(x, counts).tolist() == [[4.0, 6.0], [0.0, 0.0], [5.0, 6.0]]
    assert segment_mean(x, counts).tolist() == [[2.0, 3.0], [0.0, 0.0], [5.0, 6.0]]


def test_the_mean_over_edges_counts_only_edges_that_are_there():
    x = torch.tensor([[2.0], [4.0], [10.0]])
    assert edge_mean(x, torch.tensor([2, 2, 0]), 3).tolist() == [[10.0], [0.0], [3.0]]
