"""A tagger that has learned: it scores, and it can be saved."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from ..data.classes import ClassArray
from ..data.jets import Jets
from ..data.origin import fingerprint
from ..errors import DataError
from ..progress import Outcome, Stop
from . import onnx_file
from .archive import Archive, write
from .batch import Batch
from .features import ObservableInputs, ParticleInputs
from .metrics import softmax
from .training import State, predict, threads
from .trees import Trees
from .weights import network_fingerprint

if TYPE_CHECKING:
    from .tagging import Tagger


PORTION = 20_000
"""Jets whose inputs are made at a time: those of a million jets at once take gigabytes."""


def _only_jets(jets: object) -> Jets:
    if not isinstance(jets, Jets):
        msg = f"A tagger scores Jets, and was given {type(jets).__name__}; load or simulate jets."
        raise DataError(msg)
    return jets


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
        background: For trees: inputs of 100 training jets (fewer if there are fewer), shape (jets, observables), that
            explanations compare with.
    """

    engine: "Tagger"
    classes: tuple[str, ...]
    network: nn.Module | Trees
    normaliser: ParticleInputs | ObservableInputs
    outcome: Outcome
    history: tuple[Mapping[str, float], ...]
    seed: int
    card: dict[str, Any]
    state: State | None = None
    background: np.ndarray | None = None

    def __repr__(self) -> str:
        return f"FittedTagger({self.engine.network}, {' / '.join(self.classes)}, {self.parameters:,} parameters, {self.outcome.value})"

    def inputs(self, jets: Jets) -> Batch:
        """Returns what the network sees of the jets.

        Raises:
            DataError: not jets, or jets that lack what the network was trained on.
        """
        return self.normaliser(_only_jets(jets))

    def logits(self, jets: Jets, *, stop: Stop | None = None) -> ClassArray:
        """Returns the network's outputs, shape (jets, classes), float64; their differences are log-odds.

        Args:
            jets: Any number of jets, also none.
            stop: Looked at again and again; a set stop ends with fewer rows.
        """
        outputs = [np.zeros((0, len(self.classes)))]
        for first in range(0, max(len(_only_jets(jets)), 1), PORTION):
            if stop is not None and stop.is_set():
                break
            outputs.append(self._outputs(self.inputs(jets[first : first + PORTION]), stop))
        return ClassArray(np.concatenate(outputs), self.classes)

    def _outputs(self, batch: Batch, stop: Stop | None) -> np.ndarray:
        if isinstance(self.network, Trees):
            return self.network.logits(batch.x.numpy())
        with threads(self.engine.threads):
            return predict(self.network, batch, stop=stop).double().numpy()

    def score(self, jets: Jets, *, stop: Stop | None = None) -> ClassArray:
        """Returns the probability of each class, shape (jets, classes), summing to 1 per jet; `stop` as in `logits`."""
        return ClassArray(softmax(np.asarray(self.logits(jets, stop=stop))), self.classes)

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        if isinstance(self.network, Trees):
            return self.network.parameters
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    @property
    def fingerprint(self) -> str:
        """What tells it from others: its weights and settings, its classes and how it sees a jet."""
        told = [self.classes, self.normaliser.header(), self.engine.settings()]
        against = [] if self.background is None else [self.background]
        words = json.dumps(told, sort_keys=True, default=repr)
        return fingerprint([network_fingerprint(self.network), words, *against])

    def latest(self) -> "FittedTagger":
        """Returns the tagger as it was after its last epoch, where this one is that of the best; nothing can go on from it."""
        if self.state is None or isinstance(self.network, Trees):
            return self
        network = copy.deepcopy(self.network)
        network.load_state_dict(self.state.weights)
        return replace(self, network=network, card={**self.card, "epoch": self.state.epoch}, state=None)

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
        if self.background is not None:
            arrays["background"] = self.background
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

    def to_onnx(self, path: str | Path) -> Path:
        """Writes the network as an ONNX file and returns its path; see `onnx_file.graph_of` for what goes in and out.

        Raises:
            StoreError: the package onnx is not installed, boosted trees, or the file cannot be written.
        """
        return onnx_file.write(self, path)


def _arrays(part: str, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {f"{part}/{name}": tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
