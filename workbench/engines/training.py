"""The one training loop: seeded, stoppable, resumable; it alone knows train and eval, early stopping and best weights."""

import copy
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor, nn

from ..errors import TrainingError
from ..progress import Outcome, Report, Step, Stop
from .batch import Batch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

FABRIC = "lightning_fabric"
"""Imported with the first fit: who only opens a network need not wait two seconds for it."""

OPENMP = ThreadpoolController().select(user_api="openmp")
"""What torch computes with on several cores."""

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
"""Precisions of a fit, in Fabric's words."""

SCHEDULES = ("one-cycle", "constant")
"""How the learning rate goes: up over the first 30 % of all steps and down to nothing, or not at all."""


@dataclass(frozen=True)
class Settings:
    """How to train; see `Tagger` for what each means."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    schedule: str
    patience: int
    precision: str
    threads: int


@dataclass(frozen=True)
class Sample:
    """Inputs with what the loss compares them to and how much each jet counts.

    Attributes:
        batch: Inputs.
        label: Target, first axis jets.
        weight: Shape (jets,), float32; mean of |weight| is 1, any sign.
    """

    batch: Batch
    label: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, jets: Tensor) -> "Sample":
        return Sample(self.batch[jets], self.label[jets], self.weight[jets])

    def to(self, device: torch.device) -> "Sample":
        """Returns the sample on another device."""
        return Sample(self.batch.to(device), self.label.to(device), self.weight.to(device))


@dataclass(frozen=True)
class State:
    """Everything that a fit needs to go on as if it had never ended.

    Attributes:
        epoch: Epochs completed.
        since_best: Epochs since the validation loss was best.
        weights: The network's state after the last epoch (the fitted network has those of the best one).
        optimizer: The optimizer's state by parameter number and name.
    """

    epoch: int
    since_best: int
    weights: Mapping[str, Tensor]
    optimizer: Mapping[int, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Trained:
    """What the loop returns; the network itself is left with the best weights, in eval mode, on the CPU.

    Attributes:
        outcome: How the fit ended.
        history: Metrics of each epoch, oldest first.
        state: For going on; None before the first epoch ended.
    """

    outcome: Outcome
    history: tuple[Mapping[str, float], ...]
    state: State | None


Loss = Callable[[Tensor, Tensor], Tensor]
"""(network output, label) -> loss of each jet, shape (jets,)."""

Evaluate = Callable[[Tensor, Sample], tuple[Mapping[str, float], Mapping[str, Any]]]
"""(output on the validation sample, that sample) -> metrics and arrays for live views."""

Keep = Callable[[Trained, Mapping[str, Tensor]], None]
"""(what came of the fit so far, the best weights) after each epoch."""


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Runs its body with torch's generators seeded, and leaves the caller's as they were.

    Args:
        seed: Any integer from 0.
        device: Where the body computes; a GPU is not touched for a body on the CPU.
    """
    on_gpu = device != "cpu" and torch.cuda.is_available()
    before, gpu_before = torch.get_rng_state(), torch.cuda.get_rng_state_all() if on_gpu else []
    _seed(seed, on_gpu)
    try:
        yield
    finally:
        torch.set_rng_state(before)
        if on_gpu:
            torch.cuda.set_rng_state_all(gpu_before)


def _seed(seed: int, on_gpu: bool) -> None:
    # torch.manual_seed would also seed the caller's GPU generators, which seeded() did not save.
    torch.default_generator.manual_seed(seed)
    if on_gpu:
        torch.cuda.manual_seed_all(seed)


def threads(number: int) -> AbstractContextManager[Any]:
    """Runs its body with torch on so many threads; all other threads of this process keep theirs.

    Not by torch.set_num_threads, which is of the whole process: of two sessions that score at once, each setting and
    restoring it, the last would leave whatever comes after them on the number of the first.
    """
    # Asking makes torch set up this thread, which would undo the limit later.
    torch.get_num_threads()
    return OPENMP.limit(limits=number)


def train(
    network: nn.Module,
    training: Sample,
    validation: Sample,
    *,
    loss: Loss,
    evaluate: Evaluate,
    settings: Settings,
    seed: int,
    report: Report,
    stop: Stop,
    device: str = "cpu",
    history: tuple[Mapping[str, float], ...] = (),
    resume: State | None = None,
    keep: Keep | None = None,
) -> Trained:
    """Trains `network` in place; returns how it went.

    All randomness of an epoch (order, dropout) depends on the seed and the epoch's number alone, so that a resumed fit
    repeats what an uninterrupted one would have done. An epoch that is stopped halfway is forgotten.

    Args:
        network: Called as `network(*batch.inputs)`.
        training: What is learned from.
        validation: What decides which epoch is best, by its weighted mean loss.
        loss: Loss of each jet.
        evaluate: Metrics on the validation sample.
        settings: How to train.
        seed: Seed of everything random.
        report: Told every second and at the end of each epoch.
        stop: Looked at before each batch.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto".
        history: Metrics of the epochs before `resume`.
        resume: State to go on from; `network` has the best weights until then.
        keep: Given the best so far after each epoch.

    Raises:
        TrainingError: the loss is not a number, or the device is not there or does not have the precision.
    """
    with seeded(seed, device), threads(settings.threads):
        loop = _Loop(
            network, training, validation, loss, evaluate, settings, seed, report, stop, device, keep
        )
        loop.resume(history, resume)
        outcome = loop.run()
    network.cpu().eval().load_state_dict(loop.best)
    return Trained(outcome, tuple(loop.history), loop.state)


def predict(network: nn.Module, batch: Batch, *, rows: int = 1024, stop: Stop | None = None) -> Tensor:
    """Returns the network's outputs in eval mode and single precision, first axis jets, on the CPU.

    Args:
        network: Called as `network(*batch.inputs)`, on the device where it lies; its mode is left as it was.
        batch: Any number of jets, also none.
        rows: Rows of x at a time.
        stop: Looked at before each portion; a set stop ends with fewer outputs.
    """
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    try:
        with torch.no_grad():
            outputs = []
            for portion in batch.portions(rows):
                if stop is not None and stop.is_set():
                    break
                outputs.append(network(*portion.to(device).inputs).float().cpu())
            if not outputs:
                # What a network returns for no jet has the right shape.
                outputs.append(network(*batch[torch.arange(0)].to(device).inputs).float().cpu())
            return torch.cat(outputs)
    finally:
        network.train(was_training)


def rate(schedule: str, done: float) -> float:
    """Returns the learning rate as a share of its peak after a share `done` of all steps.

    One-cycle: from 1/25 up by a half cosine until 30 %, down to 0 by another. Source: arXiv:1708.07120.
    """
    if schedule == "constant":
        return 1.0
    if done < 0.3:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * done / 0.3)) / 2
    return (1 + math.cos(math.pi * min(1.0, (done - 0.3) / 0.7))) / 2


def order(jets: int, size: int, seed: int, epoch: int) -> list[Tensor]:
    """Returns the jets of each batch of an epoch, a new order every epoch; the last batch may be smaller."""
    shuffled = np.random.default_rng([seed, epoch]).permutation(jets)
    return list(torch.from_numpy(shuffled).split(size))


@dataclass
class _Loop:
    network: nn.Module
    training: Sample
    validation: Sample
    loss: Loss
    evaluate: Evaluate
    settings: Settings
    seed: int
    report: Report
    stop: Stop
    device: str
    keep: Keep | None = None
    history: list[Mapping[str, float]] = field(default_factory=list)
    state: State | None = None

    def __post_init__(self) -> None:
        self.fabric = _fabric(self.device, self.settings.precision)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.settings.learning_rate, weight_decay=self.settings.weight_decay
        )
        self.wrapped, self.stepper = self.fabric.setup(self.network, self.optimizer)
        self.best = _copied(self.network.state_dict())
        self.epoch, self.since_best = 0, 0
        self.told = time.monotonic()

    def resume(self, history: tuple[Mapping[str, float], ...], state: State | None) -> None:
        """Continues from an earlier fit."""
        if state is None:
            return
        self.history, self.state = list(history), state
        self.epoch, self.since_best = state.epoch, state.since_best
        self.network.load_state_dict(state.weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict(
            {"state": copy.deepcopy(dict(state.optimizer)), "param_groups": groups}
        )

    def run(self) -> Outcome:
        self._tell({}, 0.0)
        while self.epoch < self.settings.epochs and self.since_best < self.settings.patience:
            if not self._one_epoch():
                return Outcome.STOPPED if self.history else Outcome.UNLEARNED
        return Outcome.FINISHED if self.since_best < self.settings.patience else Outcome.EARLY

    def _one_epoch(self) -> bool:
        """Returns False if it was stopped halfway, and then leaves no trace of the epoch."""
        start = time.monotonic()
        derived = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1)
        _seed(int(derived[0]), self.fabric.device.type == "cuda")
        total, seen = 0.0, 0
        batches = order(len(self.training), self.settings.batch_size, self.seed, self.epoch)
        self.network.train()
        for number, jets in enumerate(batches):
            if self._stopped():
                return False
            total += self._one_batch(jets, number / len(batches))
            seen += len(jets)
            if time.monotonic() - self.told > 1:
                speed = seen / (time.monotonic() - start)
                self._tell({"loss": total / seen, "jets_per_second": speed}, seen / len(self.training))
        speed = seen / (time.monotonic() - start)
        self._share_buffers()
        output = predict(self.network, self.validation.batch, stop=self.stop)
        if len(output) < len(self.validation):
            return False
        self._close({"loss": total / seen, "jets_per_second": speed}, output)
        return True

    def _one_batch(self, jets: Tensor, done: float) -> float:
        """Takes one step; returns the batch's summed loss."""
        share = rate(self.settings.schedule, (self.epoch + done) / self.settings.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * share
        mine = jets[self.fabric.global_rank :: self.fabric.world_size]
        sample = self.training[mine].to(self.fabric.device)
        self.stepper.zero_grad()
        losses = self.loss(self.wrapped(*sample.batch.inputs), sample.label) * sample.weight
        mean = losses.sum() / max(1, len(mine))
        value = self._finite("loss", float(mean.detach()))
        self.fabric.backward(mean)
        self.stepper.step()
        return value * len(jets)

    def _finite(self, what: str, value: float) -> float:
        if not math.isfinite(value):
            msg = (
                f"The {what} became {value} in epoch {self.epoch + 1}; lower the learning rate "
                f"({self.settings.learning_rate:g}) or look for extreme weights and inputs."
            )
            raise TrainingError(msg)
        return value

    def _close(self, metrics: Mapping[str, float], output: Tensor) -> None:
        """Books a completed epoch."""
        losses = self.loss(output, self.validation.label) * self.validation.weight
        validation_loss = self._finite("validation loss", float(losses.sum()) / len(self.validation))
        validation_loss = self.fabric.broadcast(validation_loss)
        found, extra = self.evaluate(output, self.validation)
        before = min((row["validation_loss"] for row in self.history), default=math.inf)
        self.history.append({**metrics, "validation_loss": validation_loss, **found})
        self.since_best = 0 if validation_loss < before else self.since_best + 1
        weights = _copied(self.network.state_dict())
        if self.since_best == 0:
            self.best = weights
        self.epoch += 1
        optimizer = {n: _copied(state) for n, state in self.optimizer.state_dict()["state"].items()}
        self.state = State(self.epoch, self.since_best, weights, optimizer)
        self._tell(self.history[-1], 0.0, extra)
        if self.keep is not None and self.fabric.global_rank == 0:
            self.keep(Trained(Outcome.STOPPED, tuple(self.history), self.state), self.best)

    def _share_buffers(self) -> None:
        """Gives every process the running statistics of the first, so that all end with one network."""
        if self.fabric.world_size > 1:
            for buffer in self.network.buffers():
                buffer.copy_(self.fabric.broadcast(buffer))

    def _stopped(self) -> bool:
        # Every process must leave the loop at the same batch, or the others wait for it for ever.
        return bool(self.fabric.broadcast(self.stop.is_set()))

    def _tell(
        self, metrics: Mapping[str, float], share: float, extra: Mapping[str, Any] | None = None
    ) -> None:
        self.told = time.monotonic()
        if self.fabric.global_rank == 0:
            step = Step(
                self.epoch + share,
                self.settings.epochs,
                "epochs",
                metrics,
                self.epoch,
                extra is not None,
                extra or {},
            )
            self.report(step)


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def check_device(device: str, precision: str) -> None:
    """Raises TrainingError if a device is not there, or cannot compute in that precision."""
    gpus = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    there = ["cpu", "auto", *(["cuda", *gpus] if gpus else [])]
    if torch.backends.mps.is_available():
        there.append("mps")
    if device not in there:
        msg = f"The device {device!r} is not there; known here are {', '.join(there)}."
        raise TrainingError(msg)
    if precision == "16-mixed" and (device == "cpu" or there == ["cpu", "auto"]):
        msg = f"The precision {precision!r} needs a GPU; on a processor choose 'bf16-mixed' or '32-true'."
        raise TrainingError(msg)


def _fabric(device: str, precision: str) -> "Fabric":
    """Returns Fabric on one device, or on all processes that a launcher (torchrun) started."""
    check_device(device, precision)
    kind, _, number = device.partition(":")
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    made = import_module(FABRIC).Fabric
    if processes > 1:
        local = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
        fabric: Fabric = made(
            accelerator=kind,
            devices=local,
            num_nodes=processes // local,
            strategy="ddp",
            precision=precision,
        )
    else:
        devices = [int(number)] if number else 1
        fabric = made(accelerator=kind, devices=devices, precision=precision)
    fabric.launch()
    return fabric
