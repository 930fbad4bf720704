"""Does a map depend on what the network learned, and on which class is asked for?"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np
import torch
from torch import nn

from ..data.explanation import Explanation
from ..data.jets import Jets
from ..engines.fitted import FittedTagger
from ..engines.trees import Trees
from ..errors import ExplanationError
from ..physics.bootstrap import Estimate
from ..progress import Never, Report, Step, Stop, silent
from .explain import explain
from .resampling import DRAWS, mean
from .rules import Rule
from .score import Seed
from .tabular import Tabular

SAME = 0.9
"""Mean cosine above which two maps are taken for the same. Source: arXiv:1912.09818, whose class-insensitive rules lie above."""

HEAD = 2
"""Matrices next to the output that decide what speaks for which class."""


@dataclass(frozen=True)
class ClassSensitivity(Tabular):
    """How alike the maps of the classes' logits are, cosine by cosine over the inputs of a jet.

    Attributes:
        pairs: The two classes of each row.
        cosine: Mean over jets, shape (pairs,): 1 for the same map, 0 for unrelated, -1 for opposite maps.
        size: Its magnitude, mean over jets, shape (pairs,).
    """

    pairs: tuple[tuple[str, str], ...]
    cosine: Estimate
    size: Estimate

    @property
    def blind(self) -> bool:
        """True if the maps of two classes are the same, so that the rule cannot tell one from the other.

        The sign counts: the two logits of a tagger mirror one another, and opposite maps tell them apart.
        """
        return bool((self.cosine.value > SAME).any())

    def columns(self) -> dict[str, Any]:
        """Returns one row per pair of classes."""
        return (
            {"first": [a for a, _ in self.pairs], "second": [b for _, b in self.pairs]}
            | self.cosine.columns("cosine")
            | self.size.columns("size")
        )


@dataclass(frozen=True)
class Randomisation(Tabular):
    """What is left of a map when the network forgets, layer by layer from the last one down.

    Attributes:
        layers: Name of the layer that was forgotten last, from the output to the inputs.
        cosine: Of the new map with the true one, mean over jets, shape (layers,); nan for maps of a single number, which
            are alike but for their sign whatever was learned.
        size: Its magnitude, shape (layers,).
    """

    layers: tuple[str, ...]
    cosine: Estimate
    size: Estimate

    @property
    def head(self) -> Estimate:
        """The size when the last `HEAD` matrices have forgotten, which decide what speaks for which class."""
        return self.size[min(HEAD, len(self.layers)) - 1]

    @property
    def blind(self) -> bool:
        """True if the map stays as it is while the network forgets what speaks for which class: it cannot tell them apart."""
        return bool(self.head.value > SAME)

    def columns(self) -> dict[str, Any]:
        """Returns one row per layer."""
        return {"layer": list(self.layers)} | self.cosine.columns("cosine") | self.size.columns("size")


def class_sensitivity(
    fitted: FittedTagger,
    jets: Jets,
    *,
    rule: str | Rule = "epsilon",
    attention: str = "attnlrp",
    method: str = "lrp",
    draws: int = DRAWS,
    seed: int = 0,
) -> ClassSensitivity:
    """Returns how alike the maps of the logits of the classes are.

    Args:
        fitted: A tagger.
        jets: Some hundred jets.
        rule: As `explain` takes it.
        attention: As `explain` takes it.
        method: As `explain` takes it.
        draws: Samples drawn for the errors.
        seed: Of these draws.

    Raises:
        ExplanationError: what `explain` refuses.

    Source: arXiv:1912.09818.
    """
    how = {"rule": rule, "attention": attention, "method": method}
    maps = [explain(fitted, jets, seed=(name,), **how) for name in fitted.classes]  # type: ignore[call-overload]
    pairs = [(i, j) for i in range(len(maps)) for j in range(i)]
    cosines = np.stack([alike(maps[i], maps[j]) for i, j in pairs], axis=1)
    weight = np.asarray(jets.weight)
    named = tuple((fitted.classes[i], fitted.classes[j]) for i, j in pairs)
    settings = {"draws": draws, "seed": seed}
    return ClassSensitivity(
        named, mean(cosines, weight, **settings), mean(np.abs(cosines), weight, **settings)
    )


def randomisation(
    fitted: FittedTagger,
    jets: Jets,
    *,
    rule: str | Rule = "epsilon",
    attention: str = "attnlrp",
    method: str = "lrp",
    score: Seed = None,
    last: int | None = None,
    repeats: int = 3,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> Randomisation:
    """Returns what is left of the map when layers are drawn anew, from the last one down, each on top of those before.

    A layer is what holds a matrix; normalisations between layers keep what they learned.

    Args:
        fitted: A network.
        jets: Some hundred jets.
        rule: As `explain` takes it.
        attention: As `explain` takes it.
        method: As `explain` takes it.
        score: Which score.
        last: How many layers are drawn anew, counted from the output; None for all.
        repeats: How often everything is drawn anew; the cosines are averaged.
        draws: Samples drawn for the errors.
        seed: Of these draws and of the weights.
        report: Told after each layer.
        stop: When set, an error says that it was stopped: part of the cascade does not tell how it ends.

    Raises:
        ExplanationError: boosted trees, or what `explain` refuses.

    Source: arXiv:1810.03292 (cascading randomisation).
    """
    if isinstance(fitted.network, Trees):
        msg = "Boosted trees have no layers to draw anew; take a network."
        raise ExplanationError(msg)
    how = {"rule": rule, "attention": attention, "method": method, "seed": score}
    true = explain(fitted, jets, **how)  # type: ignore[call-overload]
    names, stop = layers(fitted.network)[:last], stop or Never()
    cosines = np.zeros((len(jets), len(names), repeats))
    for repeat in range(repeats):
        for place, network in enumerate(_forgetting(fitted.network, names, seed + repeat)):
            if stop.is_set():
                msg = "Stopped before all layers were drawn anew; start again, with fewer jets if it takes too long."
                raise ExplanationError(msg)
            now = explain(replace(fitted, network=network), jets, **how)  # type: ignore[call-overload]
            cosines[:, place, repeat] = np.where(_single(true), np.nan, alike(true, now))
            report(Step(done=repeat * len(names) + place + 1, total=repeats * len(names), unit="layers"))
    weight, settings = np.asarray(jets.weight), {"draws": draws, "seed": seed}
    size = mean(np.abs(cosines).mean(2), weight, **settings)
    return Randomisation(tuple(names), mean(cosines.mean(2), weight, **settings), size)


def layers(network: nn.Module) -> list[str]:
    """Returns the names of the modules that hold matrices, from the output to the inputs, in the order of definition."""
    held = [
        name
        for name, module in network.named_modules()
        if any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))
    ]
    return held[::-1]


def _forgetting(network: nn.Module, names: Sequence[str], seed: int) -> list[nn.Module]:
    """Returns copies that have forgotten one layer more each: matrices drawn anew at the same root mean square, biases zero."""
    generator = torch.Generator().manual_seed(seed)
    found, now = [], network
    for name in names:
        now = copy.deepcopy(now)
        with torch.no_grad():
            for parameter in now.get_submodule(name).parameters(recurse=False):
                if parameter.dim() > 1:
                    size = (
                        parameter.square().mean().sqrt().cpu()
                    )  # A spread about zero: a single number has one too.
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * size)
                else:
                    parameter.zero_()
        found.append(now)
    return found


def alike(first: Explanation, second: Explanation) -> np.ndarray:
    """Returns the cosine of two maps of each jet over all of its inputs, shape (jets,); nan where one of them is zero."""
    one, two = (_inputs(explanation) for explanation in (first, second))
    if not np.array_equal(one[1], two[1]):
        msg = "The explanations are of different jets; explain the same jets twice."
        raise ExplanationError(msg)
    jet = np.repeat(np.arange(len(first)), one[1])
    product, a, b = (
        np.bincount(jet, weights.sum(1), len(first))
        for weights in (one[0] * two[0], one[0] ** 2, two[0] ** 2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return product / np.sqrt(a * b)


def _single(explanation: Explanation) -> np.ndarray:
    """Returns True for jets with a single input, shape (jets,)."""
    relevance, rows = _inputs(explanation)
    return rows * relevance.shape[1] == 1


def _inputs(explanation: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Returns the relevance of the inputs, shape (rows, features), and the rows of each jet."""
    features = ak.Array(explanation.features)
    if features.ndim == 2:
        return np.asarray(explanation.features, dtype=float), np.ones(len(explanation), dtype=int)
    counts = ak.to_numpy(ak.num(features, axis=1))
    return np.asarray(ak.to_numpy(ak.flatten(features, axis=1)), dtype=float), counts
