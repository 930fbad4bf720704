"""Particle Flow Network: a function of the sum over particles of a function of each particle."""

from collections.abc import Sequence

from torch import Tensor, nn

from .mlp import MLP, layers
from .segments import segment_sum


class ParticleFlowNetwork(nn.Module):
    """logits = F(sum over particles of Phi(particle)); 82,858 parameters for 7 features and 2 classes.

    Args:
        features: Inputs per particle.
        classes: Outputs.
        phi: Sizes of the layers of Phi; the last is the number of latent observables.
        f: Sizes of the hidden layers of F.
        dropout: Share of F's hidden values that are dropped in training.

    Source: arXiv:1810.05165; Deep Sets, arXiv:1703.06114.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        phi: Sequence[int] = (100, 100, 256),
        f: Sequence[int] = (100, 100, 100),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.phi = layers((features, *phi))
        self.f = MLP(phi[-1], classes, hidden=f, dropout=dropout)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Returns logits, shape (jets, classes).

        Args:
            x: Particles of all jets, shape (particles, features).
            counts: Particles per jet, shape (jets,), int64; 0 is allowed.
        """
        return self.f(segment_sum(self.phi(x), counts))
