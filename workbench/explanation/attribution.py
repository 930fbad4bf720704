"""Other ways to explain, to compare relevance with: captum's, and leaving one particle out.

What a method does not share out among the inputs stands in the ledger, as what the score is without them does.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import DeepLift, FeatureAblation, IntegratedGradients, ShapleyValueSampling
from torch import Tensor, nn

from ..data.explanation import Explanation, Ledger
from ..data.jets import Jets
from ..data.origin import fingerprint
from ..engines.batch import Batch
from ..engines.fitted import FittedTagger
from ..engines.trees import Trees
from ..engines.weights import as_array
from ..errors import ExplanationError
from ..progress import Report, Step, Stop
from .lrp import Flow, frozen
from .module import Inputs, Score, Target, Tensors, how_of, inputs_of, score_of

STEPS = 50
"""Points of the path from the baseline to the jet, for integrated gradients."""

ORDERS = 25
"""Orders in which the inputs are put in, for Shapley sampling."""

ORDERS_SEED = 1
"""Seed of these orders, so that the same jets are explained the same way."""

PIXELS = 16
"""An image is covered patch by patch, this many along its last axis or fewer."""

ROWS_AT_ONCE = 2048
"""Particles in one pass through a network."""

VALUES_PER_ROW = 1024
"""Values that a network is taken to hold per particle on the way."""

JETS_AT_ONCE = 64
"""Jets of a module in one pass."""

BASELINE, NOT_SHARED = "baseline", "not shared out"


@dataclass(frozen=True)
class Case:
    """What a method is given.

    Attributes:
        network: Called with the leaves and what is passed on; returns one score per jet.
        leaves: Inputs that are explained, axis 0 counts jets.
        baselines: What stands for absence, shaped as the leaves.
        passed: Other inputs.
    """

    network: nn.Module
    leaves: tuple[Tensor, ...]
    baselines: tuple[Tensor, ...]
    passed: tuple[Tensor, ...]

    def masks(self) -> tuple[Tensor, ...]:
        """Returns per leaf which values are taken away together: a particle, one observable, or a patch of an image."""
        masks, first = [], 0
        for leaf in self.leaves:
            mask = _groups(leaf) + first
            first = int(mask.max()) + 1
            masks.append(mask)
        return tuple(masks)


Method = Callable[[Case], tuple[Tensor, ...]]


def _groups(leaf: Tensor) -> Tensor:
    """Returns the numbers of the groups, shape (1, *one jet)."""
    shape = leaf.shape[1:]
    if len(shape) < 2:
        return torch.arange(leaf[0].numel()).reshape(1, *shape)
    if len(shape) == 2:
        return torch.arange(shape[0])[None, :, None].expand(1, *shape)
    size = max(1, shape[-1] // PIXELS)
    rows, columns = torch.arange(shape[-2]) // size, torch.arange(shape[-1]) // size
    return (rows[:, None] * (int(columns[-1]) + 1) + columns).expand(1, *shape)


def _integrated_gradients(case: Case) -> tuple[Tensor, ...]:
    leaves = tuple(leaf.clone().requires_grad_() for leaf in case.leaves)
    return IntegratedGradients(case.network).attribute(
        leaves,
        case.baselines,
        additional_forward_args=case.passed or None,
        n_steps=STEPS,
        internal_batch_size=len(leaves[0]),
    )


def _deeplift(case: Case) -> tuple[Tensor, ...]:
    leaves = tuple(leaf.clone().requires_grad_() for leaf in case.leaves)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting forward, backward hooks", UserWarning)
        try:
            return DeepLift(case.network).attribute(
                leaves, case.baselines, additional_forward_args=case.passed or None
            )
        except RuntimeError as error:
            if "used more than once" not in str(error):
                raise
            msg = "DeepLift needs every activation to be a module of its own, and one is used twice here; take another method."
            raise ExplanationError(msg) from None


def _occlusion(case: Case) -> tuple[Tensor, ...]:
    masks = case.masks()
    with torch.no_grad():
        found = FeatureAblation(case.network).attribute(
            case.leaves, case.baselines, additional_forward_args=case.passed or None, feature_mask=masks
        )
    return _per_group(found, masks)


def _shapley_sampling(case: Case) -> tuple[Tensor, ...]:
    masks, sampling = case.masks(), ShapleyValueSampling(case.network)
    sampling.permutation_generator = _orders  # type: ignore[assignment]
    found = sampling.attribute(
        case.leaves,
        case.baselines,
        additional_forward_args=case.passed or None,
        feature_mask=masks,
        n_samples=ORDERS,
    )
    return _per_group(found, masks)


def _orders(features: int, samples: int) -> Iterator[Sequence[int]]:
    """Yields orders from generators of their own: torch's is left alone.

    They sort keys drawn feature by feature, so that a jet's particles come in the same order next to longer jets.
    """
    for sample in range(samples):
        yield np.argsort(np.random.default_rng([ORDERS_SEED, sample]).random(features)).tolist()


def _per_group(found: tuple[Tensor, ...], masks: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Returns what each group got once: a particle as one value, a patch evenly over its pixels."""
    return tuple(
        values[..., :1]
        if mask.dim() == 3
        else values / mask.unique(return_counts=True)[1][mask - mask.min()].to(values)
        for values, mask in zip(found, masks, strict=True)
    )


METHODS: dict[str, tuple[Method, dict[str, Any]]] = {
    "integrated gradients": (_integrated_gradients, {"steps": STEPS}),
    "deeplift": (_deeplift, {}),
    "occlusion": (_occlusion, {}),
    "shapley sampling": (_shapley_sampling, {"orders": ORDERS, "seed": ORDERS_SEED}),
}
"""Methods that compare with a baseline, with their numbers."""


def _accounts(case: Case, relevance: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Returns the score, that of the baseline, and the sum over each leaf, shapes (jets,), float64."""
    with torch.no_grad():
        score = case.network(*case.leaves, *case.passed).double()
        baseline = case.network(*case.baselines, *case.passed).double()
    return score, baseline, [values.double().flatten(1).sum(1) for values in relevance]


class TaggerScore(nn.Module):
    """The score of a tagger for jets that are padded to the same number of particles.

    Args:
        network: A frozen network.
        direction: Weights of its logits.
    """

    def __init__(self, network: nn.Module, direction: np.ndarray) -> None:
        super().__init__()
        self.network, self.direction = network, torch.from_numpy(direction)

    def forward(self, x: Tensor, counts: Tensor | None = None) -> Tensor:
        """Returns the scores, shape (jets,), of x, shape (jets, particles, features) or (jets, observables)."""
        given = (x,) if counts is None else (x[_present(counts, x.shape[1])], counts)
        logits = self.network(*given)
        return logits @ self.direction.to(logits)


def _present(counts: Tensor, width: int) -> Tensor:
    return torch.arange(width, device=counts.device) < counts[:, None]


def of_tagger(
    fitted: FittedTagger, direction: np.ndarray, method: str, background: Jets | None
) -> tuple[Callable[[Batch], Flow], dict[str, Any]]:
    """Returns what explains a batch of a tagger's inputs by a method, and how.

    Raises:
        ExplanationError: boosted trees, an empty background, or a method that needs particles where there are none.
    """
    if isinstance(fitted.network, Trees):
        msg = f"Boosted trees have exact Shapley values, so {method} is not for them; leave the method out."
        raise ExplanationError(msg)
    network = TaggerScore(frozen(fitted.network), direction)
    if method == "leave one out":
        return partial(_without_each, network), {"method": method}
    made, settings = METHODS[method]
    empty = _mean(fitted, background)
    how = {"method": method, "settings": settings}
    how |= {"background": "zeros" if background is None else background.fingerprint}
    return partial(_against, network, made, empty), how


def _mean(fitted: FittedTagger, background: Jets | None) -> Tensor | None:
    if background is None:
        return None
    x = fitted.inputs(background).x
    if not len(x):
        msg = "The background has no jets with particles; give at least one, or none to compare with zeros."
        raise ExplanationError(msg)
    return x.mean(0)


def _against(network: TaggerScore, method: Method, empty: Tensor | None, batch: Batch) -> Flow:
    """Returns what a method gives to each particle of a batch."""
    padded, passed = _padded(batch)
    padded = padded.to(next(network.parameters(), padded))
    baseline = torch.zeros_like(padded) if empty is None else empty.to(padded).expand_as(padded).clone()
    case = Case(network, (padded,), (baseline,), passed)
    (relevance,) = method(case)
    if batch.counts is not None:
        present = _present(batch.counts, padded.shape[1])
        relevance = relevance * present[..., None]
    score, without, (inputs,) = _accounts(case, [relevance])
    rows = relevance if batch.counts is None else relevance[present]
    return _flow(rows, score, without, inputs, len(batch.x))


def _padded(batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Returns the inputs with one row per jet, and the numbers of particles where there are particles."""
    if batch.counts is None:
        return batch.x, ()
    width = max(1, int(batch.counts.max()))
    padded = batch.x.new_zeros(len(batch), width, batch.x.shape[1])
    padded[_present(batch.counts, width)] = batch.x
    return padded, (batch.counts,)


def _flow(rows: Tensor, score: Tensor, without: Tensor, inputs: Tensor, size: int) -> Flow:
    lines = {"inputs": inputs, BASELINE: without, NOT_SHARED: score - without - inputs}
    lines = {name: line.detach().cpu() for name, line in lines.items()}
    return Flow(rows.detach().cpu(), score.cpu(), lines, max(1, size) * VALUES_PER_ROW)


def _without_each(network: TaggerScore, batch: Batch) -> Flow:
    """Returns what the score loses when a particle is left out and the neighbours are found again.

    Raises:
        ExplanationError: the tagger sees observables of the whole jet.
    """
    if batch.counts is None:
        msg = "The tagger sees observables and no particles, so none can be left out; take occlusion."
        raise ExplanationError(msg)
    like = next(network.parameters(), batch.x)

    def scores(batch: Batch) -> Tensor:
        with torch.no_grad():
            parts = [network.network(p.x.to(like), p.counts) for p in batch.portions(ROWS_AT_ONCE)]
        logits = torch.cat(parts).double()
        return logits @ network.direction.to(logits)

    score = scores(batch)
    nothing = scores(replace(batch, x=batch.x[:0], counts=torch.zeros(1, dtype=torch.int64)))
    lost = [
        score[jet] - scores(_copies(batch, rows)) if len(rows) else rows.new_zeros(0)
        for jet, rows in enumerate(batch.x.split(batch.counts.tolist()))
    ]
    inputs = torch.stack([values.double().sum() for values in lost])
    return _flow(torch.cat(lost)[:, None], score, nothing.expand_as(score), inputs, len(batch.x))


def _copies(batch: Batch, rows: Tensor) -> Batch:
    """Returns as many copies of a jet as it has particles, each without one of them."""
    n = len(rows)
    kept = torch.arange(n).expand(n, n)[~torch.eye(n, dtype=torch.bool)]
    return replace(batch, x=rows[kept], counts=torch.full((n,), n - 1))


class ModuleScore(nn.Module):
    """The score of a module of the user's, called with its leaves first and its other inputs after them.

    Args:
        network: A frozen module.
        inputs: Its inputs, for their order and names.
        score: Which score.
    """

    def __init__(self, network: nn.Module, inputs: Inputs, score: Score) -> None:
        super().__init__()
        self.network, self.inputs, self.score = network, inputs, score

    def forward(self, *values: Tensor) -> Tensor:
        """Returns the scores, shape (jets,)."""
        leaves, passed = values[: len(self.inputs.leaves)], iter(values[len(self.inputs.leaves) :])
        given = tuple(t if t.is_floating_point() else next(passed) for t in self.inputs.tensors)
        output = replace(self.inputs, tensors=given).passed_to(self.network, leaves)
        return self.score(output, len(leaves[0]))


def attribute_module(
    module: nn.Module,
    tensors: Tensors,
    method: str,
    target: Target,
    background: Tensors | None,
    report: Report,
    stop: Stop,
) -> Explanation:
    """Returns the relevance of the inputs of a module by a method; see `explain`."""
    network, score = frozen(module), score_of(target)
    inputs = inputs_of(module, tensors)
    how = {"method": method, "settings": METHODS.get(method, (None, {}))[1], **how_of(module, inputs, score)}
    inputs = inputs.like(network)
    baselines = _baselines(module, inputs, background)
    how["background"] = "zeros" if background is None else fingerprint(as_array(b) for b in baselines)
    seen, parts = ModuleScore(network, inputs, score), []
    for first in range(0, len(inputs), JETS_AT_ONCE):
        if stop.is_set():
            break
        at = slice(first, first + JETS_AT_ONCE)
        part = inputs[at]
        passed = tuple(tensor for tensor in part.tensors if not tensor.is_floating_point())
        case = Case(seen, part.leaves, tuple(baseline[at] for baseline in baselines), passed)
        parts.append(_leaving_out(case, part) if method == "leave one out" else _shared(case, method, part))
        report(Step(done=min(len(inputs), first + JETS_AT_ONCE), total=len(inputs), unit="jets"))
    if not parts:
        msg = "The explanation was stopped before the first jet was explained; start it again."
        raise ExplanationError(msg)
    return _explanation(inputs, parts, how)


def _baselines(module: nn.Module, inputs: Inputs, background: Tensors | None) -> tuple[Tensor, ...]:
    if background is None:
        return tuple(torch.zeros_like(leaf) for leaf in inputs.leaves)
    given = inputs_of(module, background).leaves
    shapes = [tuple(leaf.shape) for leaf in inputs.leaves]
    if [tuple(g.shape[1:]) for g in given] != [s[1:] for s in shapes] or len(given[0]) not in (
        1,
        len(inputs),
    ):
        msg = (
            f"The background has shapes {[tuple(g.shape) for g in given]}; it needs those of the inputs, {shapes}, with as "
            "many jets or one."
        )
        raise ExplanationError(msg)
    return tuple(
        g.to(leaf).expand_as(leaf).contiguous() for g, leaf in zip(given, inputs.leaves, strict=True)
    )


Part = tuple[list[Tensor], dict[str, Tensor]]
"""Relevance of each leaf, and the lines of the ledger with the score among them."""


def _shared(case: Case, method: str, inputs: Inputs) -> Part:
    relevance = [values.detach() for values in METHODS[method][0](case)]
    score, without, sums = _accounts(case, relevance)
    lines = {**dict(zip(inputs.lines, sums, strict=True)), BASELINE: without}
    return relevance, {"score": score, **lines, NOT_SHARED: score - without - sum(sums)}


def _leaving_out(case: Case, inputs: Inputs) -> Part:
    """Returns what the score loses when an entry of axis 1 is left out of every input that has as many."""
    first = inputs.leaves[0]
    if first.dim() < 3:
        msg = "The first floating input has no axis of particles, so none can be left out; take occlusion."
        raise ExplanationError(msg)
    n = first.shape[1]
    counted = [tensor.dim() > 1 and tensor.shape[1] == n for tensor in (*case.leaves, *case.passed)]
    lost = []
    with torch.no_grad():
        score = case.network(*case.leaves, *case.passed).double()
        for particle in range(n):
            kept = [number for number in range(n) if number != particle]
            values = [
                tensor[:, kept] if has else tensor
                for tensor, has in zip((*case.leaves, *case.passed), counted, strict=True)
            ]
            try:
                lost.append(score - case.network(*values).double())
            except RuntimeError:
                msg = f"The module cannot be given {n - 1} particles where it had {n}; take occlusion, which keeps their number."
                raise ExplanationError(msg) from None
    relevance = torch.stack(lost, 1)[..., None]
    total = relevance.sum((1, 2))
    zeros = [torch.zeros_like(leaf) for leaf in case.leaves[1:]]
    lines = dict(zip(inputs.lines, [total, *[torch.zeros_like(total)] * len(zeros)], strict=True))
    return [relevance, *zeros], {"score": score, **lines, NOT_SHARED: score - total}


def _explanation(inputs: Inputs, parts: Sequence[Part], how: dict[str, Any]) -> Explanation:
    lines = {name: as_array(torch.cat([part[name] for _, part in parts])) for name in parts[0][1]}
    first, *others = (
        as_array(torch.cat(leaf)) for leaf in zip(*(values for values, _ in parts), strict=True)
    )
    ledger = Ledger(lines.pop("score"), lines)
    features = first[:, None] if first.ndim == 1 else first
    shape = inputs.leaves[0].shape
    grouped = len(shape) == 3 and features.shape[-1] != shape[-1]
    names = ("particle",) if grouped else tuple(str(number) for number in range(features.shape[-1]))
    relevance = features.sum(axis=-1) if features.ndim > 2 else features
    beside = {f"input {name}": values for name, values in zip(inputs.leaf_names[1:], others, strict=True)}
    return Explanation(relevance, features, names, ledger, beside, how)
