"""Networks as graphs of ONNX operators, on jets of equal length: what real particles are is said by a mask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from ..errors import StoreError
from ..models.deepsets import ParticleFlowNetwork
from ..models.mlp import MLP
from ..models.norm import RowNorm
from ..models.particlenet import EdgeConvolution, ParticleNet

FAR = np.float32(1e30)
"""Squared distance to what is no neighbour: of another length than any between two particles."""


@dataclass(frozen=True)
class Operator:
    """One operator of ONNX, by its name there, with the names of what it takes and gives."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass
class Graph:
    """Operators in the order in which they are computed, and the constants they take.

    Attributes:
        operators: In order; each output has its own name.
        constants: Weights and other fixed numbers by name.
    """

    operators: list[Operator] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Adds an operator and returns the name of its output."""
        output = name or f"{kind.lower()}_{len(self.operators)}"
        self.operators.append(Operator(kind, inputs, output, attributes))
        return output

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Adds a constant and returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(values.detach() if isinstance(values, Tensor) else values, dtype)
        return name

    def axes(self, *axes: int) -> str:
        """Adds axes, or a shape, as a constant."""
        return self.constant(axes, np.int64)

    def linear(self, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
        """Adds W x + b on the last axis."""
        x = self.add("MatMul", x, self.constant(weight.detach().T.contiguous()))
        return x if bias is None else self.add("Add", x, self.constant(bias))

    def affine(self, x: str, scale: Any, shift: Any) -> str:
        """Adds scale * x + shift on the last axis."""
        return self.add("Add", self.add("Mul", x, self.constant(scale)), self.constant(shift))

    def norm(self, x: str, norm: RowNorm) -> str:
        """Adds batch normalisation by the running statistics."""
        mean, variance = (_double(buffer) for buffer in (norm.running_mean, norm.running_var))
        scale = _double(norm.weight) / np.sqrt(variance + norm.eps)
        return self.affine(x, scale, _double(norm.bias) - mean * scale)

    def sequence(self, x: str, layers: nn.Module) -> str:
        """Adds layers one after the other; dropout does nothing in a fitted network."""
        for layer in layers.children():
            if isinstance(layer, nn.Linear):
                x = self.linear(x, layer.weight, layer.bias)
            elif isinstance(layer, RowNorm):
                x = self.norm(x, layer)
            elif isinstance(layer, nn.ReLU):
                x = self.add("Relu", x)
            elif not isinstance(layer, nn.Dropout):
                msg = f"A layer of the kind {type(layer).__name__} has no form in ONNX here; save the network as .safetensors."
                raise StoreError(msg)
        return x

    def sum_of(self, x: str, mask: str, axis: int) -> str:
        """Adds the sum of what the mask, of one more axis, keeps along one axis."""
        return self.add("ReduceSum", self.add("Mul", x, mask), self.axes(axis), keepdims=0)

    def mean_of(self, x: str, mask: str, axis: int) -> str:
        """Adds the mean of what the mask keeps; zero where it keeps nothing."""
        count = self.add("ReduceSum", mask, self.axes(axis), keepdims=0)
        count = self.add("Max", count, self.constant(1.0))
        return self.add("Div", self.sum_of(x, mask, axis), count)


def _double(tensor: Tensor | None) -> np.ndarray:
    assert tensor is not None
    return tensor.detach().double().numpy()


def perceptron(graph: Graph, network: MLP, x: str, mask: str = "") -> str:
    """Adds an MLP on x (jets, features) and returns its logits."""
    return graph.linear(graph.sequence(x, network.hidden), network.output.weight, network.output.bias)


def particle_flow(graph: Graph, network: ParticleFlowNetwork, x: str, mask: str) -> str:
    """Adds a Particle Flow Network on x (jets, particles, features) and mask (jets, particles); returns its logits."""
    real = graph.add("Unsqueeze", mask, graph.axes(-1))
    return perceptron(graph, network.f, graph.sum_of(graph.sequence(x, network.phi), real, 1))


def particle_net(graph: Graph, network: ParticleNet, x: str, mask: str) -> str:
    """Adds ParticleNet on x (jets, particles, features) and mask (jets, particles); returns its logits."""
    real = graph.add("Unsqueeze", mask, graph.axes(-1))
    starts, ends, axis = (graph.axes(n) for n in (0, 2, 2))
    points, x = graph.add("Slice", x, starts, ends, axis), graph.norm(x, network.norm)
    unseen = _unseen(graph, mask)
    for block in network.blocks:
        assert isinstance(block, EdgeConvolution)
        x = points = _edge_convolution(graph, block, points, x, unseen)
    hidden = graph.sequence(graph.mean_of(x, real, 1), network.hidden)
    return graph.linear(hidden, network.output.weight, network.output.bias)


def _unseen(graph: Graph, mask: str) -> tuple[str, str]:
    """Returns where a pair of particles is no pair of neighbours (jets, particles, particles), and the number of particles."""
    size = graph.add("Gather", graph.add("Shape", mask), graph.constant(1, np.int64), axis=0)
    every = graph.add("Range", graph.constant(0, np.int64), size, graph.constant(1, np.int64))
    rows, columns = (graph.add("Unsqueeze", every, graph.axes(axis)) for axis in (1, 0))
    itself = graph.add("Equal", rows, columns)
    padding = graph.add("Less", graph.add("Unsqueeze", mask, graph.axes(1)), graph.constant(0.5))
    return graph.add("Or", padding, itself), size


def _neighbours(graph: Graph, points: str, unseen: tuple[str, str], k: int) -> tuple[str, str]:
    """Returns index and mask of the k nearest, shape (jets, particles, k); `segments.neighbours` on rectangles."""
    square = graph.add("ReduceSum", graph.add("Mul", points, points), graph.axes(2), keepdims=1)
    both = graph.add("Add", square, graph.add("Transpose", square, perm=[0, 2, 1]))
    product = graph.add("MatMul", points, graph.add("Transpose", points, perm=[0, 2, 1]))
    distance = graph.add("Sub", both, graph.add("Mul", product, graph.constant(2.0)))
    where, size = unseen
    distance = graph.add("Where", where, graph.constant(FAR), distance)
    most = graph.add("Reshape", graph.add("Min", size, graph.constant(k, np.int64)), graph.axes(1))
    nearest = graph.add("Neg", distance)
    index = graph.add("TopK", nearest, most, axis=-1, largest=1, sorted=1)
    value = graph.add("GatherElements", distance, index, axis=2)
    found = graph.add("Less", value, graph.constant(FAR / 2))
    return index, graph.add("Unsqueeze", graph.add("Cast", found, to=1), graph.axes(-1))


def _edge_convolution(
    graph: Graph, block: EdgeConvolution, points: str, x: str, unseen: tuple[str, str]
) -> str:
    index, real = _neighbours(graph, points, unseen, block.k)
    own, difference = block.first.weight.chunk(2, dim=1)
    one = graph.add("Unsqueeze", graph.linear(x, own - difference), graph.axes(2))
    # Each index is a row of its own jet: the first axis is that of the batch.
    rows = graph.add("Unsqueeze", index, graph.axes(-1))
    edges = graph.add("Add", one, graph.add("GatherND", graph.linear(x, difference), rows, batch_dims=1))
    first, *norms = block.norms
    edges = graph.add("Relu", graph.norm(edges, cast(RowNorm, first)))
    for layer, norm in zip(block.rest, norms, strict=True):
        linear = graph.linear(edges, cast(nn.Linear, layer).weight)
        edges = graph.add("Relu", graph.norm(linear, cast(RowNorm, norm)))
    mean = graph.mean_of(edges, real, 2)
    return graph.add("Relu", graph.add("Add", graph.sequence(x, block.shortcut), mean))


NETWORKS: Mapping[type, Callable[[Graph, Any, str, str], str]] = {
    MLP: perceptron,
    ParticleFlowNetwork: particle_flow,
    ParticleNet: particle_net,
}
"""What adds each kind of network to a graph: (graph, network, x, mask) -> logits."""
