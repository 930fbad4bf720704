"""What each layer of a network knows: observables read off it by a straight line, and how alike two layers are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.jets import Jets
from ..engines.batch import Batch
from ..engines.fitted import FittedTagger
from ..engines.training import threads
from ..engines.trees import Trees
from ..errors import ExplanationError
from ..models.segments import segment_mean
from ..physics.bootstrap import resampled
from ..physics.observables import observables
from ..progress import Never, Report, Step, Stop, silent
from .lrp import frozen
from .ordering import DRAWS
from .tabular import Tabular

JETS_AT_ONCE = 256
"""Jets sent through the network between two looks at whether to stop."""

INPUTS = "inputs"
"""Name of what the network is given, beside its layers."""

COMPLETES = (
    nn.ReLU,
    nn.GELU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Dropout,
    nn.BatchNorm1d,
    nn.LayerNorm,
)
"""Modules that complete the layer before them: what they make of it is the layer, and not what they were given."""

PENALTIES = np.geomspace(1e-9, 1e4, 27)
"""Ridge penalties to choose from, per jet and in units of the variance of an activation."""

BLOCKS = 10
"""Parts of the sample that are left out one after the other, for the error of a similarity."""

OBSERVABLES_READ = ("pt", "mass", "sd_mass", "multiplicity", "tau21", "tau32", "d2", "girth", "pt_dispersion")
"""Observables that are read off unless others are asked for."""

Layers = Mapping[str, np.ndarray]
"""Activations by name of the layer, each of shape (jets, width)."""


@dataclass(frozen=True)
class Probes(Tabular):
    """How well observables can be read off each layer.

    Attributes:
        layers: Names of the layers, in the order in which the network computes them; the inputs come first.
        observables: Names of what was read off.
        r2: Share of the variance that a linear probe explains on jets that it did not learn from, shape (layers,
            observables); below 0 where it is worse than the mean.
        error: One standard deviation, same shape.
        control: The same with the observable shuffled among the jets: what a probe finds where there is nothing.
        control_error: One standard deviation, same shape.
        jets: Jets that it was measured on, shape (observables,).
    """

    layers: tuple[str, ...]
    observables: tuple[str, ...]
    r2: np.ndarray
    error: np.ndarray
    control: np.ndarray
    control_error: np.ndarray
    jets: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per layer and observable."""
        layers, names = len(self.layers), len(self.observables)
        return {
            "layer": np.repeat(np.array(self.layers, dtype=object), names),
            "observable": np.tile(np.array(self.observables, dtype=object), layers),
            "r2": self.r2.ravel(),
            "r2_error": self.error.ravel(),
            "control": self.control.ravel(),
            "control_error": self.control_error.ravel(),
            "jets": np.tile(self.jets, layers),
        }


@dataclass(frozen=True)
class Similarity(Tabular):
    """How alike the layers of two networks arrange jets, by linear CKA.

    Attributes:
        rows: Names of the layers of the first network.
        across: Names of the layers of the second one.
        value: Shape (rows, across): 1 for the same arrangement up to rotation and scale, 0 (within errors) for unrelated
            ones.
        error: One standard deviation, same shape.
        jets: Number of jets.
    """

    rows: tuple[str, ...]
    across: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    jets: int

    def columns(self) -> dict[str, np.ndarray]:
        """Returns one row per pair of layers."""
        return {
            "layer": np.repeat(np.array(self.rows, dtype=object), len(self.across)),
            "other": np.tile(np.array(self.across, dtype=object), len(self.rows)),
            "cka": self.value.ravel(),
            "cka_error": self.error.ravel(),
        }


def layers(
    fitted: FittedTagger, jets: Jets, *, report: Report = silent, stop: Stop | None = None
) -> dict[str, np.ndarray]:
    """Returns what every layer says of every jet, by name, each of shape (jets, width); the inputs come first.

    A linear step with its normalisation and its activation is one layer. Of layers that speak of particles the mean over the
    particles of the jet is taken (0 for a jet without any); layers that speak of edges are left out.

    Args:
        fitted: A tagger with a network.
        jets: Jets.
        report: Told how many jets are done.
        stop: Looked at every 256 jets; the jets so far are returned.

    Raises:
        ExplanationError: boosted trees, which have no layers, or no jets.
    """
    if isinstance(fitted.network, Trees):
        msg = "Boosted trees have no layers to look into; choose a network."
        raise ExplanationError(msg)
    if not len(jets):
        msg = "There are no jets to send through the network; give at least one."
        raise ExplanationError(msg)
    network, stop = frozen(fitted.network), stop or Never()
    parts: list[dict[str, np.ndarray]] = []
    for first in range(0, len(jets), JETS_AT_ONCE):
        if parts and stop.is_set():
            break
        batch = fitted.inputs(jets[first : first + JETS_AT_ONCE])
        with threads(fitted.engine.threads), torch.no_grad():
            parts.append(_activations(network, batch))
        report(Step(done=first + len(batch), total=len(jets), unit="jets"))
    # Where every particle has one neighbour there are as many edges as particles; such a portion shows more than the others.
    everywhere = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in everywhere}


def _activations(network: nn.Module, batch: Batch) -> dict[str, np.ndarray]:
    like = next(network.parameters())
    counts = None if batch.counts is None else batch.counts.to(like.device)
    x = batch.x.to(like)
    with _kept(network) as kept:
        network(x) if counts is None else network(x, counts)
    found = {INPUTS: x, **kept}
    return {
        name: _of_jets(tensor, counts).double().cpu().numpy()
        for name, tensor in found.items()
        if tensor.dim() == 2 and len(tensor) in {len(batch), len(x)}
    }


def _of_jets(tensor: Tensor, counts: Tensor | None) -> Tensor:
    """Returns one row per jet."""
    return tensor if counts is None or len(tensor) == len(counts) else segment_mean(tensor, counts)


@contextmanager
def _kept(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Yields a dict that, after a forward pass, holds the output of each layer by its name.

    The tensors are held until the end, so that each has an address of its own: of several modules that return one tensor the
    outermost names it.
    """
    held: dict[int, tuple[str, Tensor]] = {}
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            given = inputs[0].data_ptr() if inputs and isinstance(inputs[0], Tensor) else 0
            completed = given if isinstance(module, COMPLETES) else 0
            for address in {output.data_ptr(), completed} & set(held):
                kept.pop(held[address][0], None)
            held[output.data_ptr()] = (name, output)
            kept[name] = output

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in network.named_modules() if name]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def probe(
    activations: Layers,
    targets: Mapping[str, np.ndarray],
    weight: np.ndarray | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Probes:
    """Returns how well a linear probe reads each target off each layer, and off nothing.

    Half of the jets, drawn by `seed`, teach a ridge regression whose penalty is the one with the smallest leave-one-out
    error among them; R² is that of the other half. Jets for which a target is not defined are left out for it.

    Args:
        activations: Layers by name, each of shape (jets, width).
        targets: Observables by name, each of shape (jets,); nan where one is not defined.
        weight: Of each jet, shape (jets,), magnitudes are used.
        draws: Samples drawn with replacement, for errors.
        seed: Of these, of the division and of the shuffling.

    Raises:
        ExplanationError: no layers or targets, or fewer than 20 jets for which a target is defined.
    """
    if not activations or not targets:
        msg = f"Found {len(activations)} layers and {len(targets)} observables; a probe needs one of each."
        raise ExplanationError(msg)
    n = len(next(iter(activations.values())))
    weight = np.ones(n) if weight is None else np.abs(np.asarray(weight, dtype=float))
    columns, jets = [], []
    for name, values in targets.items():
        known = np.flatnonzero(np.isfinite(values))
        if len(known) < 20:
            msg = f"{name!r} is defined for {len(known)} jets; a probe needs 20."
            raise ExplanationError(msg)
        generator = np.random.default_rng(seed)
        known = generator.permutation(known)
        y = np.stack([values[known], generator.permutation(values[known])], axis=1)
        taught = len(known) // 2
        jets.append(len(known) - taught)
        columns.append([_read(x[known], y, weight[known], taught, draws, seed) for x in activations.values()])
    found = np.array(columns).transpose(2, 3, 1, 0)
    (r2, control), (error, control_error) = found
    return Probes(tuple(activations), tuple(targets), r2, error, control, control_error, np.array(jets))


def _read(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, taught: int, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns R² and its error of each column of y, shapes (targets,)."""
    root = np.sqrt(weight[:taught, None])
    with np.errstate(invalid="ignore"):
        centre = np.average(x[:taught], axis=0, weights=weight[:taught])
        spread = np.sqrt(np.average((x[:taught] - centre) ** 2, axis=0, weights=weight[:taught]))
    alive = spread > 1e-12 * (np.abs(centre) + spread.max(initial=0.0))
    design = (x[:, alive] - centre[alive]) / spread[alive]
    mean = np.average(y[:taught], axis=0, weights=weight[:taught])
    weights = _ridge(
        design[:taught] * root, (y[:taught] - mean) * root, weight[:taught] / weight[:taught].sum()
    )
    wrong = (y[taught:] - mean - design[taught:] @ weights) ** 2
    return _explained(y[taught:], wrong, weight[taught:], draws, seed)


def _ridge(x: np.ndarray, y: np.ndarray, of_mean: np.ndarray) -> np.ndarray:
    """Returns the weights, shape (width, targets), whose penalty has the smallest leave-one-out error for each target.

    With x = U S Vᵀ and d = S² / (S² + λ), the left-out residual of row i is (y − U d Uᵀ y)_i / (1 − h_i − Σ_k U_ik² d_k),
    where h_i is what the row adds to the mean that was taken off.
    """
    u, s, v = np.linalg.svd(x, full_matrices=False)
    turned = u.T @ y
    best, weights = np.full(y.shape[1], np.inf), np.zeros((x.shape[1], y.shape[1]))
    for penalty in PENALTIES * len(x):
        shrunk = s**2 / (s**2 + penalty)
        left = 1 - of_mean - u**2 @ shrunk
        error = (((y - u @ (shrunk[:, None] * turned)) / np.maximum(left, 1e-12)[:, None]) ** 2).sum(0)
        better = error < best
        best = np.where(better, error, best)
        weights[:, better] = (v.T @ ((s / (s**2 + penalty))[:, None] * turned))[:, better]
    return weights


def _explained(
    y: np.ndarray, wrong: np.ndarray, weight: np.ndarray, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns 1 − Σ w wrong / Σ w (y − mean)² and its error, shapes (targets,); jets are drawn with replacement."""
    n = len(y)
    times = resampled(n, draws, seed)
    counted = np.concatenate([np.ones((1, n)), times]) * weight
    far = y - y.mean(0)
    total, first, second = counted.sum(1)[:, None], counted @ far, counted @ far**2
    variance = second - first**2 / total
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - (counted @ wrong) / variance
    return r2[0], np.std(r2[1:], axis=0, ddof=1)


def probe_layers(
    fitted: FittedTagger,
    jets: Jets,
    names: Sequence[str] = OBSERVABLES_READ,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    report: Report = silent,
    stop: Stop | None = None,
) -> tuple[Probes, Similarity]:
    """Returns what each layer of a tagger knows of some observables, and how alike its layers are; see `probe` and `similarity`."""
    found = layers(fitted, jets, report=report, stop=stop)
    jets = jets[: len(found[INPUTS])]
    probes = probe(found, observables(jets, names), jets.weight, draws=draws, seed=seed)
    return probes, similarity(found, found, seed=seed)


def similarity(one: Layers, other: Layers, *, seed: int = 0) -> Similarity:
    """Returns how alike layers arrange the same jets: linear CKA with the unbiased estimate of HSIC.

    Errors are by the jackknife over ten parts of the jets: in samples drawn with replacement a jet would meet itself, which
    looks like likeness. Weights are not used.

    Args:
        one: Layers of a network by name, each of shape (jets, width).
        other: Layers of the same or another network on the same jets.
        seed: Of the division into parts.

    Raises:
        ExplanationError: fewer than 40 jets, or different numbers of them.

    Source: arXiv:1905.00414, eqs. (2) and (3); arXiv:2010.15327, eq. (3), for the unbiased estimate.
    """
    sizes = {len(values) for values in (*one.values(), *other.values())}
    if len(sizes) != 1 or (n := sizes.pop()) < 4 * BLOCKS:
        msg = f"The layers speak of {sorted(sizes) or n} jets; similarity needs the same jets for all, {4 * BLOCKS} or more."
        raise ExplanationError(msg)
    grams = [{name: _gram(values) for name, values in side.items()} for side in (one, other)]
    part = np.random.default_rng(seed).permutation(n) % BLOCKS
    without = [_table(grams[0], grams[1], np.flatnonzero(part != block)) for block in range(BLOCKS)]
    error = np.sqrt((BLOCKS - 1) * np.var(without, axis=0))
    return Similarity(tuple(one), tuple(other), _table(grams[0], grams[1], np.arange(n)), error, n)


def cka(one: np.ndarray, other: np.ndarray) -> float:
    """Returns linear CKA of two layers, each of shape (jets, width), see `similarity`."""
    everyone = np.arange(len(one))
    return float(_table({"": _gram(one)}, {"": _gram(other)}, everyone)[0, 0])


def hsic(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the unbiased estimate of HSIC of two Gram matrices, shape (jets, jets); their diagonals are not used.

    Source: arXiv:2010.15327, eq. (3).
    """
    n = len(one)
    one, other = (gram * (1 - np.eye(n)) for gram in (one, other))
    sums = one.sum(0), other.sum(0)
    total = np.vdot(one, other) + sums[0].sum() * sums[1].sum() / ((n - 1) * (n - 2))
    return float((total - 2 * np.vdot(*sums) / (n - 2)) / (n * (n - 3)))


def _gram(values: np.ndarray) -> np.ndarray:
    far = values - values.mean(0)
    return far @ far.T


def _table(one: Layers, other: Layers, jets: np.ndarray) -> np.ndarray:
    """Returns CKA of every layer with every other, of some of the jets; nan for a layer that says the same of all.

    The unbiased estimate of a layer with itself may fall below zero where it is noise alone: then nan too.
    """
    places = np.ix_(jets, jets)
    parts = [{name: gram[places] for name, gram in side.items()} for side in (one, other)]
    own = [np.array([hsic(gram, gram) for gram in side.values()]) for side in parts]
    both = np.array([[hsic(a, b) for b in parts[1].values()] for a in parts[0].values()])
    with np.errstate(divide="ignore", invalid="ignore"):
        return both / (np.sqrt(own[0])[:, None] * np.sqrt(own[1]))
