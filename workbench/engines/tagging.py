"""Jet taggers: from labelled jets to a network that says which class a jet is of."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import param
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from .. import __version__
from ..data.classes import ClassArray
from ..data.jets import Jets
from ..errors import StoreError, TrainingError, nearest
from ..models.deepsets import ParticleFlowNetwork
from ..models.mlp import MLP
from ..models.particlenet import ParticleNet, lite
from ..physics.observables import OBSERVABLES
from ..physics.roc import roc
from ..progress import Never, Outcome, Report, Step, Stop, silent
from .archive import Archive, write
from .batch import Batch
from .features import FEATURES, KINEMATIC, ObservableInputs, ParticleInputs, inputs_from
from .training import PRECISIONS, SCHEDULES, Sample, Settings, State, predict, seeded, threads, train
from .trees import Halt, Trees, empty, grow

NETWORKS: Mapping[str, Callable[[Any, int, int], nn.Module]] = {
    "mlp": lambda t, n, m: MLP(n, m, hidden=t.hidden_sizes, dropout=t.dropout),
    "pfn": lambda t, n, m: ParticleFlowNetwork(n, m, phi=t.phi_sizes, f=t.f_sizes, dropout=t.dropout),
    "particlenet-lite": lambda t, n, m: lite(n, m, dropout=t.dropout),
    "particlenet": lambda t, n, m: ParticleNet(n, m, dropout=t.dropout),
}
"""Networks by name: (tagger, features, classes) -> network. Boosted trees ("trees") are grown and not built."""

ON_OBSERVABLES = ("trees", "mlp")
"""The networks whose inputs are observables of the jet; the others see its particles."""


class Tagger(param.Parameterized):
    """Learns to tell classes of jets apart; `fit` leaves it as it is and returns a `FittedTagger`."""

    network = param.Selector(
        default="particlenet-lite",
        objects=["trees", *NETWORKS],
        doc="Boosted trees or an MLP on observables; a Particle Flow Network or ParticleNet on particles.",
    )
    epochs = param.Integer(
        default=20, bounds=(1, 10_000), doc="Passes over the training jets, those before a resume included."
    )
    batch_size = param.Integer(default=256, bounds=(1, 65_536), doc="Jets per step.")
    learning_rate = param.Number(default=2e-3, bounds=(1e-7, 1.0), doc="Peak learning rate of AdamW.")
    weight_decay = param.Number(default=0.01, bounds=(0.0, 1.0), doc="Weight decay of AdamW.")
    schedule = param.Selector(
        default="one-cycle",
        objects=list(SCHEDULES),
        doc="Learning rate: up and down once over all epochs, or constant.",
    )
    dropout = param.Number(
        default=0.1, bounds=(0.0, 0.9), doc="Share of the last hidden values dropped in training."
    )
    patience = param.Integer(
        default=8,
        bounds=(1, 10_000),
        doc="Epochs (iterations of trees) without a better validation loss before the fit ends.",
    )
    validation_fraction = param.Number(
        default=0.1, bounds=(0.01, 0.9), doc="Share of each class set aside to choose the best epoch."
    )
    precision = param.Selector(
        default=PRECISIONS[0],
        objects=list(PRECISIONS),
        doc="Precision of training; scores are single precision.",
    )
    threads = param.Integer(default=1, bounds=(1, 1024), doc="Processor threads that the fit may use.")
    observables = param.ListSelector(
        default=["mass", "sd_mass", "multiplicity", "tau21", "tau32", "d2", "girth", "pt_dispersion"],
        objects=list(OBSERVABLES),
        doc="Inputs of trees and MLP.",
    )
    features = param.ListSelector(
        default=list(KINEMATIC),
        objects=list(FEATURES),
        doc="Inputs per particle; Δη and Δφ always come first.",
    )
    hidden_sizes = param.List(
        default=[64, 64, 64], item_type=int, bounds=(1, 16), doc="Hidden layers of the MLP."
    )
    phi_sizes = param.List(
        default=[100, 100, 256],
        item_type=int,
        bounds=(1, 16),
        doc="Layers of the PFN's function of a particle.",
    )
    f_sizes = param.List(
        default=[100, 100, 100],
        item_type=int,
        bounds=(1, 16),
        doc="Hidden layers of the PFN's function of the sum.",
    )
    iterations = param.Integer(default=200, bounds=(1, 10_000), doc="Boosting iterations of the trees.")
    leaves = param.Integer(default=31, bounds=(2, 1024), doc="Most leaves of a tree.")
    shrinkage = param.Number(
        default=0.1,
        bounds=(1e-4, 1.0),
        doc="Share of a tree's correction that is added (trees' learning rate).",
    )

    def fit(
        self,
        jets: Jets,
        *,
        seed: int,
        validation: Jets | None = None,
        report: Report = silent,
        stop: Stop | None = None,
        device: str = "cpu",
        resume: "FittedTagger | None" = None,
    ) -> "FittedTagger":
        """Learns from labelled jets.

        Args:
            jets: Jets of two or more classes, each labelled; weights of any sign count in the loss.
            seed: Seed of everything random; the same seed gives the same network on the same device and number of
                threads. The caller's generators are untouched.
            validation: Jets that choose the best epoch; without it a share of `jets` is set aside.
            report: Told every second and at the end of each epoch (each iteration, for trees).
            stop: Looked at before each batch.
            device: "cpu", "cuda", "cuda:1", "mps" or "auto".
            resume: A fit of the same engine, jets and seed to go on from, up to `epochs` or `iterations` in all.
                Networks go on exactly; trees are grown again, which gives the same trees.

        Raises:
            TrainingError: unlabelled jets, a class without jets, too few jets to set some aside, weights that are all 0, or a
                `resume` of something else.
        """
        _check(jets, "training")
        card = self._card(jets, validation, seed, device)
        if resume is not None:
            _check_resume(resume, card, self.network)
        learned, held = (
            _split(jets, self.validation_fraction, seed) if validation is None else (jets, validation)
        )
        held = _same_classes(held, jets.classes)
        fit = self._grow if self.network == "trees" else self._train
        start = time.monotonic()
        fitted = fit(learned, held, card, seed, report, stop or Never(), device, resume)
        fitted.card["seconds"] = time.monotonic() - start
        return fitted

    def settings(self) -> dict[str, Any]:
        """Returns every parameter by name (JSON values)."""
        return {name: value for name, value in self.param.values().items() if name != "name"}

    def build(self, features: int, classes: int) -> nn.Module:
        """Returns the untrained network, initialised by torch's generator."""
        return NETWORKS[self.network](self, features, classes)

    def _train(
        self,
        learned: Jets,
        held: Jets,
        card: dict[str, Any],
        seed: int,
        report: Report,
        stop: Stop,
        device: str,
        resume: "FittedTagger | None",
    ) -> "FittedTagger":
        normaliser: ParticleInputs | ObservableInputs = (
            ObservableInputs.fitted(learned, self.observables)
            if self.network in ON_OBSERVABLES
            else ParticleInputs(tuple(self.features))
        )
        scale = float(np.abs(learned.weight).mean())
        training, validation = (_sample(normaliser(part), part, scale) for part in (learned, held))
        with seeded(seed), threads(self.threads):
            network = self.build(len(training.batch.names), len(learned.classes))
        if resume is not None:
            network.load_state_dict(resume.network.state_dict())  # type: ignore[union-attr]
        trained = train(
            network,
            training,
            validation,
            loss=_cross_entropy,
            evaluate=_evaluation(learned.classes),
            settings=Settings(**{name: getattr(self, name) for name in Settings.__dataclass_fields__}),
            seed=seed,
            report=report,
            stop=stop,
            device=device,
            history=resume.history if resume is not None else (),
            resume=resume.state if resume is not None else None,
        )
        return self._fitted(
            network, normaliser, learned.classes, trained.outcome, trained.history, card, trained.state
        )

    def _grow(
        self,
        learned: Jets,
        held: Jets,
        card: dict[str, Any],
        seed: int,
        report: Report,
        stop: Stop,
        device: str,
        resume: "FittedTagger | None",
    ) -> "FittedTagger":
        normaliser = ObservableInputs.plain(self.observables)
        scale = float(np.abs(learned.weight).mean())
        training, validation = (_sample(normaliser(part), part, scale) for part in (learned, held))
        growth = _Growth(self, learned.classes, training, validation, report, stop)
        settings = {
            "max_iter": self.iterations,
            "max_leaf_nodes": self.leaves,
            "learning_rate": self.shrinkage,
        }
        growth.tell({}, None)
        with threadpool_limits(self.threads, user_api="openmp"):
            trees = grow(
                training.batch.x.numpy(),
                training.label.numpy(),
                training.weight.double().numpy(),
                settings=settings,
                seed=seed,
                after_each=growth.after_each,
            )
        best = growth.best() * growth.outputs
        trees = trees.first(best) if best else empty(growth.outputs)
        return self._fitted(
            trees, normaliser, learned.classes, growth.outcome(), tuple(growth.history), card, None
        )

    def _fitted(
        self,
        network: "nn.Module | Trees",
        normaliser: ParticleInputs | ObservableInputs,
        classes: tuple[str, ...],
        outcome: Outcome,
        history: tuple[Mapping[str, float], ...],
        card: dict[str, Any],
        state: State | None,
    ) -> "FittedTagger":
        engine = Tagger(**self.settings())
        best = min(history, key=lambda row: row["validation_loss"], default={})
        fitted = FittedTagger(
            engine, classes, network, normaliser, outcome, history, int(card["seed"]), card, state
        )
        card.update(
            metrics=dict(best), parameters=fitted.parameters, outcome=outcome.value, epochs=len(history)
        )
        return fitted

    def _card(self, jets: Jets, validation: Jets | None, seed: int, device: str) -> dict[str, Any]:
        return {
            "network": self.network,
            "seed": seed,
            "device": device,
            "threads": self.threads,
            "fingerprint": jets.fingerprint,
            "validation_fingerprint": None if validation is None else validation.fingerprint,
            "origin": jets.origin.to_dict(),
            "jets": {name: int(jets.is_class(name).sum()) for name in jets.classes},
            "versions": {
                "workbench": __version__,
                **{name: version(name) for name in ("torch", "numpy", "scikit-learn")},
            },
        }


@dataclass(frozen=True)
class FittedTagger:
    """A tagger that has learned.

    Attributes:
        engine: What it was fitted with.
        classes: Names of the classes, in the order of the scores' columns.
        network: A torch module in eval mode on the CPU, called as `network(*inputs(jets).inputs)`, or `Trees`.
        normaliser: What turns jets into the network's inputs.
        outcome: How the fit ended.
        history: Metrics of each epoch (iteration, for trees), oldest first.
        seed: Seed of the fit.
        card: Data, origin, versions, threads, metrics of the best epoch, number of parameters (JSON values).
        state: What `fit(resume=...)` goes on from; None where there is nothing to go on from.
    """

    engine: Tagger
    classes: tuple[str, ...]
    network: nn.Module | Trees
    normaliser: ParticleInputs | ObservableInputs
    outcome: Outcome
    history: tuple[Mapping[str, float], ...]
    seed: int
    card: dict[str, Any]
    state: State | None = None

    def inputs(self, jets: Jets) -> Batch:
        """Returns what the network sees of the jets."""
        return self.normaliser(jets)

    def logits(self, jets: Jets) -> ClassArray:
        """Returns the network's outputs, shape (jets, classes), float64; their differences are log-odds."""
        batch = self.inputs(jets)
        if isinstance(self.network, Trees):
            return ClassArray(self.network.logits(batch.x.numpy()), self.classes)
        return ClassArray(predict(self.network, batch).double().numpy(), self.classes)

    def score(self, jets: Jets) -> ClassArray:
        """Returns the probability of each class, shape (jets, classes), summing to 1 per jet."""
        return ClassArray(_softmax(np.asarray(self.logits(jets))), self.classes)

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        if isinstance(self.network, Trees):
            return self.network.parameters
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    def save(self, path: str | Path, *, resumable: bool = True) -> Path:
        """Writes one .safetensors file and returns its path.

        Args:
            path: Name of the file; one that is there is replaced once the new one is complete.
            resumable: False leaves out the optimizer's state, which makes the file about four times smaller.
        """
        if isinstance(self.network, Trees):
            arrays = {f"network/{name}": array for name, array in self.network.arrays().items()}
        else:
            arrays = _arrays("network", self.network.state_dict())
        header: dict[str, Any] = {
            "settings": self.engine.settings(),
            "classes": list(self.classes),
            "inputs": self.normaliser.header(),
            "outcome": self.outcome.name,
            "history": [dict(row) for row in self.history],
            "seed": self.seed,
            "card": self.card,
        }
        if self.state is not None and resumable:
            arrays |= _arrays("last", self.state.weights)
            for number, tensors in self.state.optimizer.items():
                arrays |= _arrays(f"optimizer/{number}", tensors)
            header["state"] = {"epoch": self.state.epoch, "since_best": self.state.since_best}
        return write(Archive("tagger", header, arrays), path)


def restore(archive: Archive) -> FittedTagger:
    """Rebuilds a fitted tagger from what `FittedTagger.save` wrote.

    Raises:
        StoreError: a setting is unknown here, or the weights do not fit the network.
    """
    head = archive.header
    try:
        engine = Tagger(**head["settings"])
    except (TypeError, ValueError) as error:
        msg = f"The saved tagger has settings this workbench does not know ({error}); install the version that wrote it."
        raise StoreError(msg) from error
    normaliser = inputs_from(head["inputs"])
    classes = tuple(head["classes"])
    weights = _part(archive, "network")
    network: nn.Module | Trees
    if engine.network == "trees":
        network = Trees(**weights)
    else:
        with seeded(0):
            network = engine.build(len(normaliser.names), len(classes)).eval()
        try:
            network.load_state_dict(_tensors(weights))
        except RuntimeError as error:
            msg = f"The saved weights do not fit {engine.network!r}: {str(error).splitlines()[-1].strip()}; take another copy."
            raise StoreError(msg) from error
    state = None
    if "state" in head:
        numbers = sorted(
            {int(name.split("/")[1]) for name in archive.arrays if name.startswith("optimizer/")}
        )
        optimizer = {n: _tensors(_part(archive, f"optimizer/{n}")) for n in numbers}
        state = State(
            head["state"]["epoch"], head["state"]["since_best"], _tensors(_part(archive, "last")), optimizer
        )
    history = tuple(head["history"])
    return FittedTagger(
        engine,
        classes,
        network,
        normaliser,
        Outcome[head["outcome"]],
        history,
        head["seed"],
        head["card"],
        state,
    )


@dataclass
class _Growth:
    """Watches trees grow: books their validation loss, reports, and ends the growing."""

    engine: Tagger
    classes: tuple[str, ...]
    training: Sample
    validation: Sample
    report: Report
    stop: Stop
    history: list[Mapping[str, float]] = field(default_factory=list)
    told: float = 0.0
    stopped: bool = False

    def __post_init__(self) -> None:
        self.start = time.monotonic()
        self.outputs = 1 if len(self.classes) == 2 else len(self.classes)
        self.raw: dict[str, np.ndarray] = {}
        self.evaluate = _evaluation(self.classes)

    def best(self) -> int:
        """Number of iterations up to the best validation loss."""
        losses = [row["validation_loss"] for row in self.history]
        return int(np.argmin(losses)) + 1 if losses else 0

    def outcome(self) -> Outcome:
        if self.stopped:
            return Outcome.STOPPED if self.history else Outcome.UNLEARNED
        return Outcome.FINISHED if len(self.history) == self.engine.iterations else Outcome.EARLY

    def after_each(self, trees: Trees) -> None:
        if self.stop.is_set():
            self.stopped = True
            raise Halt
        loss, _ = self._loss("training", self.training, trees)
        validation_loss, logits = self._loss("validation", self.validation, trees)
        metrics, extra = self.evaluate(logits, self.validation)
        speed = len(self.training) * (len(self.history) + 1) / (time.monotonic() - self.start)
        self.history.append(
            {"loss": loss, "jets_per_second": speed, "validation_loss": validation_loss, **metrics}
        )
        self.tell(self.history[-1], extra)
        if len(self.history) - self.best() >= self.engine.patience:
            raise Halt

    def tell(self, metrics: Mapping[str, float], extra: Mapping[str, Any] | None) -> None:
        done = len(self.history)
        self.report(
            Step(done, self.engine.iterations, "iterations", metrics, done, extra is not None, extra or {})
        )

    def _loss(self, name: str, sample: Sample, trees: Trees) -> tuple[float, Tensor]:
        added = trees.raw(sample.batch.x.numpy())
        self.raw[name] = self.raw[name] + added - trees.baseline if name in self.raw else added
        raw = self.raw[name]
        logits = torch.from_numpy(np.concatenate([0 * raw, raw], axis=1) if self.outputs == 1 else raw)
        losses = _cross_entropy(logits, sample.label) * sample.weight
        return float(losses.sum()) / len(sample), logits


def _cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    return F.cross_entropy(logits.float(), label, reduction="none")


def _evaluation(
    classes: tuple[str, ...],
) -> Callable[[Tensor, Sample], tuple[Mapping[str, float], Mapping[str, Any]]]:
    """Returns the metrics of an epoch: accuracy, and the area under the ROC curve, each class against all others, averaged."""

    def evaluate(logits: Tensor, sample: Sample) -> tuple[Mapping[str, float], Mapping[str, Any]]:
        label, weight = sample.label.numpy(), sample.weight.numpy().astype(np.float64)
        scores = _softmax(logits.double().numpy())
        signals = range(1, 2) if len(classes) == 2 else range(len(classes))
        curves = [
            roc(label, scores, signal=s, background=[b for b in range(len(classes)) if b != s], weight=weight)
            for s in signals
        ]
        metrics = {"accuracy": curves[0].accuracy, "auc": float(np.mean([curve.auc for curve in curves]))}
        extra = {
            "validation_scores": ClassArray(scores, classes),
            "validation_label": ClassArray(label, classes),
        }
        return metrics, extra

    return evaluate


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return odds / odds.sum(axis=1, keepdims=True)


def _sample(batch: Batch, jets: Jets, scale: float) -> Sample:
    label = torch.from_numpy(np.array(jets.label, dtype=np.int64))
    return Sample(batch, label, torch.from_numpy((jets.weight / scale).astype(np.float32)))


def _check(jets: Jets, what: str) -> None:
    if len(jets) == 0:
        msg = f"The {what} sample has no jets; give labelled jets of two or more classes."
        raise TrainingError(msg)
    unknown = int(np.sum(np.asarray(jets.label) < 0))
    if unknown:
        msg = f"{unknown} of {len(jets)} {what} jets have no label; select those that have one (jets[jets.label >= 0])."
        raise TrainingError(msg)
    if len(jets.classes) < 2:
        msg = f"The {what} sample has the classes {jets.classes}; a tagger needs two or more."
        raise TrainingError(msg)
    for name in jets.classes:
        if not jets.is_class(name).any():
            msg = f"The {what} sample has no jets of class {name!r}; add some or build the sample without that class."
            raise TrainingError(msg)
        if jets.weight[jets.is_class(name)].sum() <= 0:
            msg = f"The weights of the {what} jets of class {name!r} do not sum to a positive number; check them."
            raise TrainingError(msg)


def _check_resume(resume: FittedTagger, card: Mapping[str, Any], network: str) -> None:
    for what in ("network", "seed", "fingerprint", "validation_fingerprint"):
        if resume.card[what] != card[what]:
            msg = f"A fit goes on with the same {what}: it was {resume.card[what]!r} and is now {card[what]!r}; start a new fit instead."
            raise TrainingError(msg)
    if resume.state is None and resume.history and network != "trees":
        msg = (
            "This tagger was saved without the optimizer's state (resumable=False); start a new fit instead."
        )
        raise TrainingError(msg)


def _split(jets: Jets, fraction: float, seed: int) -> tuple[Jets, Jets]:
    """Returns (training, validation) jets, the same share of every class set aside at random."""
    generator = np.random.default_rng(seed)
    held = np.zeros(len(jets), dtype=bool)
    for name in jets.classes:
        members = np.flatnonzero(jets.is_class(name))
        if len(members) < 2:
            msg = f"Class {name!r} has one jet; at least two are needed, one to learn from and one to validate with."
            raise TrainingError(msg)
        aside = min(len(members) - 1, max(1, round(fraction * len(members))))
        held[generator.permutation(members)[:aside]] = True
    return jets[~held], jets[held]


def _same_classes(jets: Jets, classes: Sequence[str]) -> Jets:
    """Returns the validation jets with labels in the order of the training classes."""
    _check(jets, "validation")
    for name in jets.classes:
        if name not in classes:
            msg = f"The validation sample has a class {name!r} that the training sample lacks; {nearest(name, classes)}"
            raise TrainingError(msg)
    order = np.array([list(classes).index(name) for name in jets.classes])
    return Jets(
        jets.constituents,
        p4=jets.p4,
        label=order[np.asarray(jets.label)],
        classes=tuple(classes),
        weight=jets.weight,
        columns=jets.columns,
        origin=jets.origin,
    )


def _arrays(part: str, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {f"{part}/{name}": tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _part(archive: Archive, part: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{part}/"): array
        for name, array in archive.arrays.items()
        if name.startswith(f"{part}/")
    }


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
