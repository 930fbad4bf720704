"""Sums, means and nearest neighbours on the flat layout: all particles in one tensor, `counts` of them per jet."""

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

BUCKET = 16
"""Jets whose counts round up to the same multiple share one rectangle in the search for neighbours."""


def owner(counts: Tensor) -> Tensor:
    """Returns the index of the jet that each particle belongs to, shape (particles,)."""
    return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)


def segment_sum(x: Tensor, counts: Tensor) -> Tensor:
    """Returns the sum over the particles of each jet, shape (jets, features); zero for an empty jet."""
    return x.new_zeros(len(counts), x.shape[1]).index_add(0, owner(counts), x)


def segment_mean(x: Tensor, counts: Tensor) -> Tensor:
    """Returns the mean over the particles of each jet, shape (jets, features); zero for an empty jet."""
    return segment_sum(x, counts) / counts.clamp(min=1).to(x.dtype).unsqueeze(1)


def edge_mean(x: Tensor, i: Tensor, particles: int) -> Tensor:
    """Returns the mean over the edges of each particle, shape (particles, features); zero where there is none.

    An active `TorchFunctionMode` sees this function as one step, so that an explanation can record the edges.

    Args:
        x: Edges, shape (edges, features).
        i: Particle that each edge belongs to, shape (edges,).
        particles: Number of particles.
    """
    if has_torch_function((x,)):
        return handle_torch_function(edge_mean, (x,), x, i, particles)
    total = x.new_zeros(particles, x.shape[1]).index_add(0, i, x)
    return total / torch.bincount(i, minlength=particles).clamp(min=1).to(x.dtype).unsqueeze(1)


@torch.no_grad()
def neighbours(points: Tensor, counts: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the edges (i, j) to the min(k, n - 1) nearest particles of the same jet, grouped by i.

    A particle is not its own neighbour, a jet of one particle has no edge, and no gradient flows.

    Args:
        points: Coordinates, shape (particles, dimensions).
        counts: Particles per jet, shape (jets,), int64.
        k: Number of neighbours.
    """
    points = points.detach().float() if points.dtype != torch.float64 else points.detach()
    starts = counts.cumsum(0) - counts
    bucket = (counts + BUCKET - 1) // BUCKET
    found = [
        _in_rectangle(points, counts[jets], starts[jets], k)
        for size in torch.unique(bucket).tolist()
        for jets in ((bucket == size) & (counts > 1)).nonzero()[:, 0].split(_jets_at_once(size))
        if len(jets)
    ]
    if not found:
        nothing = counts.new_zeros(0)
        return nothing, nothing
    return torch.cat([i for i, _ in found]), torch.cat([j for _, j in found])


def _jets_at_once(size: int) -> int:
    """Returns how many jets keep the distance matrices near 4 MB, inside a processor's cache."""
    return max(1, 2**20 // max(1, size * BUCKET) ** 2)


def _in_rectangle(points: Tensor, counts: Tensor, starts: Tensor, k: int) -> tuple[Tensor, Tensor]:
    slots = int(counts.max())
    slot = torch.arange(slots, device=points.device)
    real = slot < counts[:, None]
    index = starts[:, None] + torch.where(real, slot, 0)
    p = points[index]
    distance = _squared_distance(p).masked_fill_(~real[:, None, :], torch.inf)
    distance.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    value, near = distance.topk(min(k, slots - 1), dim=2, largest=False)
    keep = torch.isfinite(value) & real[:, :, None]
    i = index[:, :, None].expand(keep.shape)[keep]
    return i, (starts[:, None, None] + near)[keep]


def _squared_distance(p: Tensor) -> Tensor:
    square = p.square().sum(2)
    return torch.baddbmm(square[:, None, :] + square[:, :, None], p, p.transpose(1, 2), alpha=-2)
