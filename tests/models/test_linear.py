import pytest
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from workbench.models.linear import RowLinear, row_linear


@pytest.mark.parametrize("rows", [0, 1, 8191, 8192, 8193, 16384, 20000])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_a_linear_layer(rows, bias):
    layer = RowLinear(128, 128, bias=bias)
    x = torch.randn(rows, 128, generator=torch.Generator().manual_seed(1), requires_grad=True)
    leaves = [x, *layer.parameters()]
    found, expected = layer(x), F.linear(x, layer.weight, layer.bias)
    assert torch.allclose(found, expected, atol=1e-5)
    gradients = [torch.autograd.grad(y.square().sum(), leaves) for y in (found, expected)]
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=2e-2)


def test_a_mode_sees_one_linear_layer():
    seen = []

    class Seen(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func)
            return func(*args, **(kwargs or {}))

    layer, x = RowLinear(128, 128), torch.randn(8192, 128)
    with Seen():
        layer(x)
    assert [function for function in seen if function in (row_linear, F.linear, F.conv2d)] == [row_linear]
