"""Jet taggers: from labelled jets to a network that says which class a jet is of."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import param
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from ..data.jets import Jets
from ..errors import StoreError, TrainingError, nearest
from ..models.deepsets import ParticleFlowNetwork
from ..models.mlp import MLP
from ..models.particlenet import ParticleNet, lite
from ..physics.observables import OBSERVABLES
from ..progress import Never, Outcome, Report, Stop, silent
from .archive import Archive
from .features import FEATURES, KINEMATIC, ObservableInputs, ParticleInputs, inputs_from
from .fitted import FittedTagger
from .growth import Growth
from .metrics import cross_entropy, evaluation
from .samples import check, labelled, same_classes, split
from .training import (
    PRECISIONS,
    SCHEDULES,
    Sample,
    Settings,
    State,
    Trained,
    check_device,
    seeded,
    threads,
    train,
)
from .trees import Trees, empty, grow

NETWORKS: Mapping[str, Callable[[Any, int, int], nn.Module]] = {
    "mlp": lambda t, n, m: MLP(n, m, hidden=t.hidden_sizes, dropout=t.dropout),
    "pfn": lambda t, n, m: ParticleFlowNetwork(n, m, phi=t.phi_sizes, f=t.f_sizes, dropout=t.dropout),
    "particlenet-lite": lambda t, n, m: lite(n, m, dropout=t.dropout),
    "particlenet": lambda t, n, m: ParticleNet(n, m, dropout=t.dropout),
}
"""Networks by name: (tagger, features, classes) -> network. Boosted trees ("trees") are grown and not built."""

MAY_CHANGE = ("epochs", "iterations", "patience", "schedule", "learning_rate", "precision", "threads")
"""Settings that a resumed fit may have different from the fit it goes on from."""

BACKGROUND_JETS = 100
"""Training jets kept with boosted trees, for explanations to compare with."""

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
    batch_size = param.Integer(default=128, bounds=(1, 65_536), doc="Jets per step.")
    learning_rate = param.Number(default=3e-3, bounds=(1e-7, 1.0), doc="Peak learning rate of AdamW.")
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
    threads = param.Integer(
        default=1, bounds=(1, 1024), doc="Processor threads for fitting, scoring and explaining."
    )
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

    def __init__(self, **settings: Any) -> None:
        for name in settings:
            if name not in self.param:
                msg = f"A tagger has no setting {name!r}; {nearest(name, self.param)}"
                raise TrainingError(msg)
        try:
            super().__init__(**settings)
        except (TypeError, ValueError) as error:
            msg = f"A setting is not as expected: {error}"
            raise TrainingError(msg) from error

    def fit(
        self,
        jets: Jets,
        *,
        seed: int,
        validation: Jets | None = None,
        report: Report = silent,
        stop: Stop | None = None,
        device: str = "cpu",
        resume: FittedTagger | None = None,
        keep: Callable[[FittedTagger], None] | None = None,
    ) -> FittedTagger:
        """Learns from labelled jets.

        Args:
            jets: Jets of two or more classes, each labelled; weights of any sign count in the loss.
            seed: Seed of everything random; the same seed gives the same network on the same device and number of
                threads. The caller's generators are untouched.
            validation: Jets that choose the best epoch; without it a share of `jets` is set aside.
            report: Told every second and at the end of each epoch (each iteration, for trees).
            stop: Looked at before each batch.
            device: "cpu", "cuda", "cuda:1", "mps" or "auto"; trees grow on the processor whatever it is.
            resume: A fit of the same engine, jets and seed to go on from, up to `epochs` or `iterations` in all.
                Networks go on exactly; trees are grown again, which gives the same trees.
            keep: Given the best so far after each epoch, so that it can be saved; not for trees.

        Raises:
            TrainingError: not jets, unlabelled jets, a class without jets, too few jets to set some aside, weights of a class
                that do not sum to a positive number, a seed, size or device that cannot be, or a `resume` of something else.
        """
        check(jets, "training")
        self._check(seed, device)
        card = self._card(jets, validation, seed, device)
        if resume is not None:
            _check_resume(resume, card, self.settings())
        learned, held = (
            split(jets, self.validation_fraction, seed) if validation is None else (jets, validation)
        )
        held = same_classes(held, jets.classes)
        fit = self._grow if self.network == "trees" else self._train
        start = time.monotonic()
        fitted = fit(_Task(learned, held, card, seed, report, stop or Never(), device, resume, keep))
        fitted.card["seconds"] = time.monotonic() - start
        return fitted

    def settings(self) -> dict[str, Any]:
        """Returns every parameter by name (JSON values)."""
        return {name: value for name, value in self.param.values().items() if name != "name"}

    def build(self, features: int, classes: int) -> nn.Module:
        """Returns the untrained network, initialised by torch's generator."""
        return NETWORKS[self.network](self, features, classes)

    def _check(self, seed: int, device: str) -> None:
        if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
            msg = f"The seed is {seed!r}; give a whole number from 0 to {2**32 - 1}."
            raise TrainingError(msg)
        for name in ("hidden_sizes", "phi_sizes", "f_sizes"):
            if min(getattr(self, name)) < 1:
                msg = f"The {name} are {getattr(self, name)}; every layer needs at least one value."
                raise TrainingError(msg)
        check_device(device, PRECISIONS[0] if self.network == "trees" else self.precision)

    def _train(self, task: "_Task") -> FittedTagger:
        learned, seed, resume = task.learned, task.seed, task.resume
        normaliser: ParticleInputs | ObservableInputs = (
            ObservableInputs.fitted(learned, self.observables)
            if self.network in ON_OBSERVABLES
            else ParticleInputs(tuple(self.features))
        )
        training, validation = task.samples(normaliser)
        with seeded(seed), threads(self.threads):
            network = self.build(len(training.batch.names), len(learned.classes))
        if resume is not None:
            network.load_state_dict(resume.network.state_dict())  # type: ignore[union-attr]

        def keep(so_far: Trained, best: Mapping[str, Tensor]) -> None:
            kept = copy.deepcopy(network).cpu().eval()
            kept.load_state_dict(best)
            history, card = so_far.history, dict(task.card)
            fitted = self._fitted(
                kept, normaliser, learned.classes, so_far.outcome, history, card, so_far.state
            )
            task.keep(fitted)  # type: ignore[misc]

        trained = train(
            network,
            training,
            validation,
            loss=cross_entropy,
            evaluate=evaluation(learned.classes),
            settings=Settings(**{name: getattr(self, name) for name in Settings.__dataclass_fields__}),
            seed=seed,
            report=task.report,
            stop=task.stop,
            device=task.device,
            history=resume.history if resume is not None else (),
            resume=resume.state if resume is not None else None,
            keep=keep if task.keep is not None else None,
        )
        return self._fitted(
            network, normaliser, learned.classes, trained.outcome, trained.history, task.card, trained.state
        )

    def _grow(self, task: "_Task") -> FittedTagger:
        normaliser, classes = ObservableInputs.plain(self.observables), task.learned.classes
        training, validation = task.samples(normaliser)
        growth = Growth(classes, training, validation, task.report, task.stop, self.iterations, self.patience)
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
                seed=task.seed,
                after_each=growth.after_each,
            )
        best = growth.best() * growth.outputs
        trees = trees.first(best) if best else empty(growth.outputs)
        fitted = self._fitted(
            trees, normaliser, classes, growth.outcome(), tuple(growth.history), task.card, None
        )
        drawn = np.random.default_rng(task.seed).permutation(len(training))[:BACKGROUND_JETS]
        return replace(fitted, background=training.batch.x.numpy()[drawn])

    def _fitted(
        self,
        network: nn.Module | Trees,
        normaliser: ParticleInputs | ObservableInputs,
        classes: tuple[str, ...],
        outcome: Outcome,
        history: tuple[Mapping[str, float], ...],
        card: dict[str, Any],
        state: State | None,
    ) -> FittedTagger:
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
            "device": "cpu" if self.network == "trees" else device,
            "threads": self.threads,
            "fingerprint": jets.fingerprint,
            "validation_fingerprint": None if validation is None else validation.fingerprint,
            "origin": jets.origin.to_dict(),
            "jets": {name: int(jets.is_class(name).sum()) for name in jets.classes},
            "versions": {name: version(name) for name in ("hep-workbench", "torch", "numpy", "scikit-learn")},
        }


@dataclass(frozen=True)
class _Task:
    """What one fit is asked to do; the fields are the arguments of `Tagger.fit`."""

    learned: Jets
    held: Jets
    card: dict[str, Any]
    seed: int
    report: Report
    stop: Stop
    device: str
    resume: FittedTagger | None
    keep: Callable[[FittedTagger], None] | None = None

    def samples(self, normaliser: ParticleInputs | ObservableInputs) -> tuple[Sample, Sample]:
        """Returns what is learned from and what chooses the best epoch, weights in units of the former's mean."""
        scale = float(np.abs(self.learned.weight).mean())
        training, validation = (labelled(normaliser(part), part, scale) for part in (self.learned, self.held))
        return training, validation


def restore(archive: Archive) -> FittedTagger:
    """Rebuilds a fitted tagger from what `FittedTagger.save` wrote.

    Raises:
        StoreError: something is missing, a setting is unknown here, or the weights do not fit the network.
    """
    try:
        return _restored(archive)
    except (KeyError, TypeError, IndexError) as error:
        msg = f"The saved tagger is not as this workbench writes it ({type(error).__name__}: {error}); take another copy."
        raise StoreError(msg) from error


def _restored(archive: Archive) -> FittedTagger:
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
        if not network.sound(len(normaliser.names)):
            msg = "The saved trees hold nodes that lead nowhere; take another copy."
            raise StoreError(msg)
    else:
        with seeded(0):
            network = engine.build(len(normaliser.names), len(classes)).eval()
        try:
            network.load_state_dict(_tensors(weights))
        except RuntimeError as error:
            msg = f"The saved weights do not fit {engine.network!r}: {str(error).splitlines()[-1].strip()}; take another copy."
            raise StoreError(msg) from error
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
        _state(archive),
        archive.arrays.get("background"),
    )


def _state(archive: Archive) -> State | None:
    if "state" not in archive.header:
        return None
    numbers = sorted({int(name.split("/")[1]) for name in archive.arrays if name.startswith("optimizer/")})
    optimizer = {n: _tensors(_part(archive, f"optimizer/{n}")) for n in numbers}
    return State(**archive.header["state"], weights=_tensors(_part(archive, "last")), optimizer=optimizer)


def _part(archive: Archive, part: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{part}/"): array
        for name, array in archive.arrays.items()
        if name.startswith(f"{part}/")
    }


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def _check_resume(resume: FittedTagger, card: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    if not isinstance(resume, FittedTagger):
        msg = f"resume= is of {type(resume).__name__}; give the fitted tagger to go on from, as wb.open returns it."
        raise TrainingError(msg)
    fixed = {name: value for name, value in settings.items() if name not in MAY_CHANGE}
    was, now = {**resume.card, **resume.engine.settings()}, {**card, **fixed}
    for what in ("seed", "fingerprint", "validation_fingerprint", *fixed):
        if was[what] != now[what]:
            msg = f"A fit goes on with the same {what}: it was {was[what]!r} and is now {now[what]!r}; start a new fit instead."
            raise TrainingError(msg)
    if resume.state is None and resume.history and settings["network"] != "trees":
        msg = (
            "This tagger was saved without the optimizer's state (resumable=False); start a new fit instead."
        )
        raise TrainingError(msg)
