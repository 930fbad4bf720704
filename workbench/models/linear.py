"""A linear layer on very many rows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function

IMAGES, PIXELS = 16, range(512, 15, -1)
"""Fewest images, and rows per image, for which the detour through a convolution pays."""


def row_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns W x + b for every row: the same values as `F.linear`, faster on some processors.

    On a CPU in single precision PyTorch multiplies matrices by MKL, which leaves AVX-512 unused where the processor is not
    Intel's, but convolves by oneDNN, which uses it (2.3 times as fast, measured). So many rows are taken for pixels and
    the weight for a 1x1 convolution. An active `TorchFunctionMode` sees this function as one layer.

    Args:
        x: Shape (rows, features).
        weight: W, shape (out, features).
        bias: b, shape (out,).
    """
    inputs = (x, weight) if bias is None else (x, weight, bias)
    if has_torch_function(inputs):
        return handle_torch_function(row_linear, inputs, x, weight, bias)
    pixels = _pixels(len(x))
    if pixels is None or not _in_single_precision_on_cpu(x):
        return F.linear(x, weight, bias)
    images = x.reshape(-1, pixels, 1, x.shape[1]).permute(0, 3, 1, 2)
    convolved = F.conv2d(images, weight[:, :, None, None], bias)
    return convolved.permute(0, 2, 3, 1).reshape(len(x), -1)


class RowLinear(nn.Linear):
    """`nn.Linear` for very many rows, shape (rows, features), by `row_linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns W x + b for every row, shape (rows, outputs)."""
        return row_linear(x, self.weight, self.bias)


def _pixels(rows: int) -> int | None:
    """Returns how many rows per image leave none over, None if no number does."""
    return next((n for n in PIXELS if rows % n == 0 and rows >= IMAGES * n), None)


def _in_single_precision_on_cpu(x: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and torch.backends.mkldnn.is_available()
