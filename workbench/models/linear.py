"""A linear layer on very many rows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function

IMAGES, PIXELS = 16, 512
"""Rows go through the convolution in multiples of IMAGES * PIXELS: oneDNN compiles and keeps a kernel for every new shape, so
batches of ever new lengths must come in few shapes, or memory grows and the time is lost again."""

WIDE = 128 * 128
"""Least size of a weight for which the detour pays."""


def row_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns W x + b for every row: the same values as `F.linear`, faster on some processors.

    On a CPU in single precision PyTorch multiplies matrices by MKL, which leaves AVX-512 unused where the processor is not
    Intel's, but convolves by oneDNN, which uses it (on wide layers a fifth faster, measured). So many rows are taken for
    pixels and the weight for a 1x1 convolution. An active `TorchFunctionMode` sees this function as one layer.

    Args:
        x: Shape (rows, features).
        weight: W, shape (out, features).
        bias: b, shape (out,).
    """
    inputs = (x, weight) if bias is None else (x, weight, bias)
    if has_torch_function(inputs):
        return handle_torch_function(row_linear, inputs, x, weight, bias)
    whole = len(x) - len(x) % (IMAGES * PIXELS)
    if not whole or weight.numel() < WIDE or not _in_single_precision_on_cpu(x):
        return F.linear(x, weight, bias)
    images = x[:whole].reshape(-1, PIXELS, 1, x.shape[1]).permute(0, 3, 1, 2)
    convolved = F.conv2d(images, weight[:, :, None, None], bias)
    rows = convolved.permute(0, 2, 3, 1).reshape(whole, -1)
    return torch.cat([rows, F.linear(x[whole:], weight, bias)]) if whole < len(x) else rows


class RowLinear(nn.Linear):
    """`nn.Linear` for very many rows, shape (rows, features), by `row_linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns W x + b for every row, shape (rows, outputs)."""
        return row_linear(x, self.weight, self.bias)


def _in_single_precision_on_cpu(x: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and torch.backends.mkldnn.is_available()
