"""The toy networks of the benchmark: every rule keeps their score, closes their books and leaves no row out."""

import numpy as np
import pytest
import torch

import workbench as wb
from benchmarks.toys import CLASS, TOYS, built, gradient_times_input, score
from workbench.explanation.rules import RULES

from .every_rule import EVERY


def explained(name, rule, dtype):
    network, x = built(name, dtype)
    return wb.explain(network, x, target=CLASS, rule=EVERY.get(rule, rule)), score(network, x).detach(), x


def test_there_are_32_of_them():
    assert len(TOYS) == 32


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", TOYS)
def test_the_score_is_the_networks_own_and_every_line_together_is_the_score(name, rule, dtype, tolerance):
    explanation, found, _ = explained(name, rule, dtype)
    ledger = explanation.ledger
    np.testing.assert_allclose(ledger.score, found, atol=10 * tolerance, rtol=10 * tolerance)
    # Rounding goes with the sizes of what is added up, and that is the relevance of every single input.
    sizes = np.abs(explanation.features).reshape(len(found), -1).sum(1)
    assert (np.abs(ledger.rest) <= tolerance * (ledger.scale + sizes)).all(), ledger.lines


@pytest.mark.parametrize("name", [name for name, toy in TOYS.items() if toy.natural])
def test_rule_0_is_gradient_times_input_on_networks_of_lines_and_corners(name):
    network, x = built(name, torch.float64)
    explanation = wb.explain(network, x, target=CLASS, rule="0")
    np.testing.assert_allclose(explanation.features, gradient_times_input(network, x), atol=1e-10)
