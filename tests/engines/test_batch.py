import awkward as ak
import numpy as np
import pytest
import torch

from workbench.engines.batch import of_jets, of_particles

COUNTS = np.array([2, 0, 3, 1])


@pytest.fixture
def batch():
    return of_particles({"a": np.arange(6.0), "b": 10 * np.arange(6.0)}, COUNTS)


def test_values_come_back_in_the_shape_of_the_jets(batch):
    assert ak.to_list(batch.ragged(batch.x[:, 0])) == [[0, 1], [], [2, 3, 4], [5]]
    assert ak.to_list(batch.ragged(batch.x))[0] == [[0, 0], [1, 10]]


def test_chosen_jets_keep_their_particles_and_the_order_asked_for(batch):
    chosen = batch[torch.tensor([3, 1, 0, 3])]
    assert chosen.counts.tolist() == [1, 0, 2, 1]
    assert chosen.x[:, 0].tolist() == [5, 0, 1, 5]
    assert len(chosen) == 4


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 100])
def test_portions_are_the_jets_in_order(batch, rows):
    portions = list(batch.portions(rows))
    assert torch.equal(torch.cat([p.x for p in portions]), batch.x)
    assert torch.equal(torch.cat([p.counts for p in portions]), batch.counts)
    assert all(len(p.x) == p.counts.sum() for p in portions)
    assert all(len(p) == 1 or len(p.x) <= rows for p in portions)


def test_one_row_per_jet_needs_no_counts():
    batch = of_jets({"mass": np.array([1.0, 2.0, 3.0])})
    assert len(batch.inputs) == 1
    assert batch[torch.tensor([2, 0])].x.tolist() == [[3.0], [1.0]]
    assert batch.ragged(batch.x).tolist() == [[1.0], [2.0], [3.0]]
