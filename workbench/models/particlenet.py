"""ParticleNet: edge convolutions on the nearest neighbours, found anew in each block."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from .edge import edge_linear
from .linear import RowLinear
from .norm import RowNorm
from .segments import edge_mean, neighbours, segment_mean

BLOCKS = ((16, (64, 64, 64)), (16, (128, 128, 128)), (16, (256, 256, 256)))
"""Neighbours and channels of each block of ParticleNet."""

LITE_BLOCKS = ((7, (32, 32, 32)), (7, (64, 64, 64)))
"""The same of ParticleNet-Lite."""


class EdgeLinear(nn.Module):
    """The bias-free layer W [x_i, x_j - x_i] on edges, initialised as a linear layer is."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(2 * features, outputs, bias=False).weight.detach().clone())

    def forward(self, x: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Returns the edges, shape (edges, outputs), of particles x, shape (particles, features)."""
        return edge_linear(x, i, j, self.weight)


class EdgeConvolution(nn.Module):
    """relu(shortcut(x_i) + mean over neighbours j of h([x_i, x_j - x_i])), h = (linear, batch norm, ReLU) per channel size.

    Args:
        k: Neighbours per particle.
        features: Inputs per particle.
        channels: Outputs of each layer of h.

    Source: arXiv:1902.08570.
    """

    def __init__(self, k: int, features: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.k = k
        self.first = EdgeLinear(features, channels[0])
        self.rest = nn.ModuleList(
            RowLinear(inputs, outputs, bias=False)
            for inputs, outputs in zip(channels[:-1], channels[1:], strict=True)
        )
        self.norms = nn.ModuleList(RowNorm(outputs) for outputs in channels)
        self.shortcut = (
            nn.Identity()
            if features == channels[-1]
            else nn.Sequential(nn.Linear(features, channels[-1], bias=False), RowNorm(channels[-1]))
        )

    def forward(self, points: Tensor, x: Tensor, counts: Tensor) -> Tensor:
        """Returns particles, shape (particles, channels[-1]); neighbours are searched in `points`."""
        i, j = neighbours(points, counts, self.k)
        edges = F.relu(self.norms[0](self.first(x, i, j)), inplace=self.training)
        for linear, norm in zip(self.rest, self.norms[1:], strict=True):
            edges = F.relu(norm(linear(edges)), inplace=self.training)
        return F.relu(self.shortcut(x) + edge_mean(edges, i, len(x)))


class ParticleNet(nn.Module):
    """ParticleNet; 366,160 parameters for 7 features and 2 classes, as in weaver-core, and Lite has 26,416.

    Neighbours are searched in the first two features (deta, dphi) by the first block and in its inputs by each
    later one. Means and batch normalisation run over real particles and real neighbours only.

    Args:
        features: Inputs per particle; the first two are deta and dphi.
        classes: Outputs.
        blocks: Neighbours and channels of each edge convolution.
        hidden: Size of the layer before the output.
        dropout: Share of its values that are dropped in training.

    Source: arXiv:1902.08570.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        blocks: Sequence[tuple[int, Sequence[int]]] = BLOCKS,
        hidden: int = 256,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        inputs = [features, *(channels[-1] for _, channels in blocks)]
        self.norm = RowNorm(features)
        self.blocks = nn.ModuleList(
            EdgeConvolution(k, size, channels) for size, (k, channels) in zip(inputs, blocks, strict=False)
        )
        self.hidden = nn.Sequential(nn.Linear(inputs[-1], hidden), nn.ReLU(), nn.Dropout(dropout))
        self.output = nn.Linear(hidden, classes)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Returns logits, shape (jets, classes).

        Args:
            x: Particles of all jets, shape (particles, features).
            counts: Particles per jet, shape (jets,), int64; 0 is allowed.
        """
        points, x = x[:, :2], self.norm(x)
        for block in self.blocks:
            x = block(points, x, counts)
            points = x
        return self.output(self.hidden(segment_mean(x, counts)))


def lite(features: int, classes: int, *, dropout: float = 0.1) -> ParticleNet:
    """Returns ParticleNet-Lite: two blocks of 7 neighbours, 128 values before the output."""
    return ParticleNet(features, classes, blocks=LITE_BLOCKS, hidden=128, dropout=dropout)
