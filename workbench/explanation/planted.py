"""Networks wired by hand, whose relevance is known before any method is asked."""

import torch
from torch import Tensor, nn

from ..engines.features import ParticleInputs
from ..engines.fitted import FittedTagger
from ..engines.tagging import Tagger
from ..progress import Outcome

CLASSES = ("electrons", "muons")


class KindSum(nn.Module):
    """Score: the pT of each kind of particle times the kind's weight, summed or averaged over the particles.

    Args:
        weights: One per kind; a negative one is a veto.
        mean: Whether to average.
    """

    weights: Tensor

    def __init__(self, weights: tuple[float, ...], *, mean: bool = False) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))
        self.mean = mean

    def forward(self, x: Tensor) -> Tensor:
        """Returns the score, shape (jets,), of pT per kind, shape (jets, particles, kinds), zero but in one kind."""
        pooled = x.relu().mean(1) if self.mean else x.relu().sum(1)
        return nn.functional.linear(pooled, self.weights[None].to(pooled))[:, 0]

    def truth(self, x: Tensor) -> Tensor:
        """Returns the relevance of every particle, shape (jets, particles): its pT times the weight of its kind."""
        return (x * self.weights.to(x)).sum(2) / (x.shape[1] if self.mean else 1)


class PairCount(nn.Module):
    """Score: the number of pairs of marked particles, as the sum over pairs of relu(x_i + x_j - 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor([-1.0]))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the score, shape (jets,), of the marks, 0 or 1, shape (jets, particles, 1)."""
        i, j = torch.triu_indices(x.shape[1], x.shape[1], 1)
        pairs = torch.cat([x[:, i], x[:, j]], 2)
        return nn.functional.linear(pairs, pairs.new_ones(1, 2), self.bias.to(pairs)).relu().sum((1, 2))

    def truth(self, x: Tensor) -> Tensor:
        """Returns the relevance of every particle, shape (jets, particles): of a marked one the number of its partners.

        The bias takes one off per pair, so that the inputs have twice the score.
        """
        marks = x[..., 0]
        return marks * (marks.sum(1, keepdim=True) - 1)


class Attended(nn.Module):
    """Score: the mean of a value over particles, weighted by a softmax of log pT; it looks at the hard and adds up the marked."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the score, shape (jets,), of (log pT, value), shape (jets, particles, 2)."""
        return (self.attention(x)[:, None] @ x[..., 1:])[:, 0, 0]

    def attention(self, x: Tensor) -> Tensor:
        """Returns the attention, shape (jets, particles), summing to 1 per jet."""
        return x[..., 0].softmax(1)

    def truth(self, x: Tensor) -> Tensor:
        """Returns the relevance of every particle with attention taken as given, shape (jets, particles)."""
        return self.attention(x) * x[..., 1]


def planted_tagger(weight: float = 2.0, bias: float = 0.0) -> FittedTagger:
    """Returns a Particle Flow Network wired by hand for `simulate.planted.planted_jets`.

    Its score "muons - electrons" is `weight` per muon less `weight` per electron, plus `bias`: under rule 0 these are the
    relevances of the particles, and all others have none.

    Args:
        weight: Log-odds per lepton.
        bias: Log-odds of a jet without any.
    """
    features = ("electron", "muon", "log_pt_fraction")
    engine = Tagger(network="pfn", features=list(features), phi_sizes=[2], f_sizes=[2], dropout=0.0)
    inputs = ParticleInputs(features)
    network = engine.build(len(inputs.names), len(CLASSES))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        phi, hidden, output = (module for module in network.modules() if isinstance(module, nn.Linear))
        for unit, name in enumerate(features[:2]):
            phi.weight[unit, inputs.names.index(name)] = 1.0
            hidden.weight[unit, unit] = 1.0
            output.weight[unit, unit] = weight
        output.bias[1] = bias
    card = {"network": "pfn", "wired": "by hand", "seed": 0}
    return FittedTagger(engine, CLASSES, network.eval(), inputs, Outcome.FINISHED, (), 0, card)
