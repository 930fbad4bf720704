"""Fully connected layers."""

from collections.abc import Sequence

from torch import Tensor, nn


def layers(sizes: Sequence[int], *, dropout: float = 0.0) -> nn.Sequential:
    """Returns Linear and ReLU (and dropout) from sizes[0] to sizes[-1], He-initialised, a ReLU after the last."""
    parts: list[nn.Module] = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        linear = nn.Linear(inputs, outputs)
        nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        parts += [linear, nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*parts)


class MLP(nn.Module):
    """A multilayer perceptron on one row per jet.

    Args:
        features: Inputs per jet.
        classes: Outputs.
        hidden: Sizes of the hidden layers.
        dropout: Share of hidden values that are dropped in training.
    """

    def __init__(
        self, features: int, classes: int, *, hidden: Sequence[int] = (64, 64, 64), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.hidden = layers((features, *hidden), dropout=dropout)
        self.output = nn.Linear((features, *hidden)[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits, shape (jets, classes), of inputs of shape (jets, features)."""
        return self.output(self.hidden(x))
