import random

import numpy as np
import pytest
import torch
from torch import nn

from tests.toys import toy_jets
from workbench.engines.batch import Batch
from workbench.engines.tagging import Tagger
from workbench.engines.training import Sample, Settings, order, predict, rate, seeded, train
from workbench.errors import TrainingError
from workbench.progress import Never, Outcome, silent

SETTINGS = Settings(
    epochs=200,
    batch_size=64,
    learning_rate=0.05,
    weight_decay=0.0,
    schedule="one-cycle",
    patience=200,
    precision="32-true",
    threads=1,
)


def line(n=256, weight=None):
    """y = 3 x0 - 2 x1 + 1 without noise."""
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(1))
    y = 3 * x[:, 0] - 2 * x[:, 1] + 1
    return Sample(Batch(x, None, ("a", "b")), y, torch.ones(n) if weight is None else weight)


def squared(output, label):
    return (output[:, 0] - label).square()


def fit(network, training, validation, settings=SETTINGS, **options):
    arguments = {"seed": 1, "report": silent, "stop": Never()} | options
    return train(
        network,
        training,
        validation,
        loss=squared,
        evaluate=lambda output, sample: ({}, {}),
        settings=settings,
        **arguments,
    )


def changed(**changes):
    return Settings(**{**SETTINGS.__dict__, **changes})


def test_the_loop_finds_the_line_that_made_the_data():
    network = nn.Linear(2, 1)
    trained = fit(network, line(), line())
    assert trained.outcome is Outcome.FINISHED
    assert torch.allclose(network.weight, torch.tensor([[3.0, -2.0]]), atol=1e-3)
    assert torch.allclose(network.bias, torch.tensor([1.0]), atol=1e-3)


def test_a_jet_of_weight_minus_one_takes_away_one_of_weight_one():
    # 64 jets that say y = 5 enter with weight 1 and with weight -1: what is left is the line.
    lies = line(64)
    lies = Sample(lies.batch, torch.full((64,), 5.0), lies.weight)
    parts = [line(), lies, lies]
    weight = torch.cat([torch.ones(256), torch.ones(64), -torch.ones(64)])
    sample = Sample(
        Batch(torch.cat([p.batch.x for p in parts]), None, ("a", "b")),
        torch.cat([p.label for p in parts]),
        weight,
    )
    network = nn.Linear(2, 1)
    fit(network, sample, line(), changed(batch_size=len(sample), epochs=400))
    assert torch.allclose(network.weight, torch.tensor([[3.0, -2.0]]), atol=1e-2)


def test_the_best_epoch_is_kept_and_not_the_last():
    network = nn.Linear(2, 1)
    wrong = line()
    # The validation sample wants the opposite line, so that every epoch is worse than the one before.
    wrong = Sample(wrong.batch, -wrong.label, wrong.weight)
    weights = []
    trained = fit(
        network,
        line(),
        wrong,
        changed(schedule="constant", patience=3, learning_rate=0.01),
        report=lambda step: weights.append(network.weight.detach().clone()) if step.final else None,
    )
    losses = [row["validation_loss"] for row in trained.history]
    assert trained.outcome is Outcome.EARLY
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    assert torch.equal(network.weight, weights[int(np.argmin(losses))])


def test_a_loss_that_is_not_a_number_ends_the_fit_with_a_sentence():
    training = line()
    training.label[3] = torch.nan
    with pytest.raises(TrainingError, match="The loss became nan in epoch 1; lower the learning rate"):
        fit(nn.Linear(2, 1), training, line())


def test_a_validation_loss_that_is_not_a_number_ends_the_fit_with_a_sentence():
    validation = line()
    validation.label[3] = torch.nan
    with pytest.raises(TrainingError, match="The validation loss became nan in epoch 1"):
        fit(nn.Linear(2, 1), line(), validation)


def test_the_learning_rate_goes_up_and_down_once():
    shares = np.array([rate("one-cycle", t) for t in np.linspace(0, 1, 101)])
    assert shares[0] == pytest.approx(0.04)
    assert shares[30] == pytest.approx(1)
    assert shares[100] == pytest.approx(0, abs=1e-12)
    assert (np.diff(shares[:31]) > 0).all()
    assert (np.diff(shares[30:]) < 0).all()
    assert {rate("constant", t) for t in (0.0, 0.5, 1.0)} == {1.0}


def test_every_epoch_sees_every_jet_once_in_an_order_of_its_own():
    first, second, again = (torch.cat(order(100, 32, 1, epoch)) for epoch in (0, 1, 0))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100))
    assert not torch.equal(first, second)
    assert torch.equal(first, again)
    assert [len(batch) for batch in order(100, 32, 1, 0)] == [32, 32, 32, 4]


def test_seeded_gives_the_same_numbers_and_gives_the_generator_back():
    torch.manual_seed(9)
    before = torch.get_rng_state()
    with seeded(4):
        one = torch.rand(3)
    with seeded(4):
        two = torch.rand(3)
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), before)


def test_predicting_in_portions_gives_what_one_call_gives():
    counts = torch.tensor([3, 0, 5, 1, 40])
    batch = Batch(torch.randn(49, 2), counts, ("a", "b"))

    class Sums(nn.Linear):
        def forward(self, x, counts):
            return torch.stack([super(Sums, self).forward(part).sum(0) for part in x.split(counts.tolist())])

    network = Sums(2, 3).train()
    assert torch.allclose(predict(network, batch, rows=4), network(*batch.inputs), atol=1e-5)
    assert network.training


def test_an_unknown_device_is_named():
    with pytest.raises(TrainingError, match="The device 'abacus' is not there; known here are cpu"):
        fit(nn.Linear(2, 1), line(), line(), device="abacus")


def test_mixed_precision_learns_the_same_jets():
    jets = toy_jets(200, seed=1, mean_constituents=8)
    fitted = Tagger(network="pfn", epochs=3, batch_size=32, learning_rate=1e-3, precision="bf16-mixed").fit(
        jets, seed=1
    )
    # One prong against two is told apart almost always; by chance 90 % of 20 jets would be right once in 5,000 fits.
    assert fitted.card["metrics"]["accuracy"] >= 0.9
    assert {p.dtype for p in fitted.network.parameters()} == {torch.float32}


def test_python_s_own_generator_is_not_used():
    random.seed(1)
    expected = random.random()
    random.seed(1)
    fit(nn.Linear(2, 1), line(), line(), changed(epochs=1))
    assert random.random() == expected
