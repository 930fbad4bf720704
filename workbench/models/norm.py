"""Batch normalisation of rows."""

import torch.nn.functional as F
from torch import Tensor, nn


class RowNorm(nn.BatchNorm1d):
    """Batch normalisation over rows, shape (rows, features), every row a real particle, edge or jet.

    A training batch of fewer than two rows has no variance: it is normalised by the running statistics.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Returns the normalised rows, shape as `x`."""
        if self.training and len(x) < 2:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)
