import pytest
import torch
from torch.overrides import TorchFunctionMode

from workbench.models.edge import edge_linear, plain_edge_linear


@pytest.fixture
def layer():
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    i = torch.tensor([0, 0, 1, 2, 2, 3])
    j = torch.tensor([1, 2, 0, 3, 4, 3])
    return draw(5, 3), i, j, draw(4, 6), draw(4)


class Seen(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.functions = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.functions.append(func)
        return func(*args, **(kwargs or {}))


def test_the_factorised_layer_equals_the_definition(layer):
    assert torch.allclose(edge_linear(*layer), plain_edge_linear(*layer), atol=1e-12)
    assert torch.allclose(edge_linear(*layer[:4]), plain_edge_linear(*layer[:4]), atol=1e-12)


def test_its_gradients_equal_those_of_the_definition(layer):
    x, i, j, weight, bias = layer
    leaves = [t.clone().requires_grad_() for t in (x, weight, bias)]
    found = torch.autograd.grad(edge_linear(leaves[0], i, j, *leaves[1:]).square().sum(), leaves)
    expected = torch.autograd.grad(plain_edge_linear(leaves[0], i, j, *leaves[1:]).square().sum(), leaves)
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-10)


def test_a_mode_sees_one_layer_and_none_of_its_parts(layer):
    with Seen() as mode:
        edge_linear(*layer)
    assert mode.functions == [edge_linear]
