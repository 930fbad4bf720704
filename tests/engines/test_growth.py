import numpy as np
import pytest
import torch

from workbench.engines.batch import Batch
from workbench.engines.growth import Growth
from workbench.engines.training import Sample
from workbench.engines.trees import grow
from workbench.progress import Never, silent


@pytest.mark.parametrize("classes", [("QCD", "top"), ("QCD", "W", "top")])
def test_the_loss_of_each_iteration_is_that_of_all_trees_so_far(classes):
    generator = np.random.default_rng(1)
    # Far more of the last class, so that the trees start from log-odds other than zero.
    label = np.minimum(generator.integers(0, 6, 400), len(classes) - 1)
    x = generator.normal(size=(400, 3)) + label[:, None]
    weight = generator.uniform(-0.2, 2, 400).astype(np.float32)
    names = ("a", "b", "c")
    sample = Sample(
        Batch(torch.from_numpy(x), None, names), torch.from_numpy(label), torch.from_numpy(weight)
    )
    growth = Growth(classes, sample, sample, silent, Never(), iterations=5, patience=5)
    settings = {"max_iter": 5, "max_leaf_nodes": 4, "learning_rate": 0.3}
    trees = grow(x, label, weight, settings=settings, seed=1, after_each=growth.after_each)
    for iteration, row in enumerate(growth.history, start=1):
        logits = trees.first(iteration * growth.outputs).logits(x)
        log_sum = np.log(np.exp(logits).sum(axis=1))
        expected = np.mean(weight * (log_sum - logits[np.arange(400), label]))
        # The loss is computed in single precision.
        assert row["loss"] == pytest.approx(expected, rel=1e-5)
        assert row["validation_loss"] == row["loss"]
    assert len(growth.history) == 5
