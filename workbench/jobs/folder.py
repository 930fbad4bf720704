"""The folder of runs: one folder per run, and every sample once."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..data import parquet
from ..data.events import Events
from ..data.jets import Jets
from ..data.whole_file import put
from ..errors import DataError, JobError
from ..progress import Step

ID = re.compile(r"[0-9a-f]{16}")
"""What the name of a run's folder and of a sample's file looks like; nothing else becomes part of a path."""


def runs_folder() -> Path:
    """Returns where runs are kept: `WORKBENCH_RUNS`, else the user's data folder."""
    if named := os.environ.get("WORKBENCH_RUNS"):
        return Path(named).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "workbench" / "runs"


def cache_folder() -> Path:
    """Returns where pages keep what they can work out again; what is oldest there is deleted when it grows too large."""
    return runs_folder() / "cache"


def checked(identity: str) -> str:
    """Returns the name of a run or sample if it is one.

    Raises:
        JobError: it has other characters, such as those of a path.
    """
    if not ID.fullmatch(identity):
        msg = (
            f"A run is named by 16 hexadecimal digits, and {identity[:40]!r} is not; choose one of the list."
        )
        raise JobError(msg)
    return identity


@dataclass(frozen=True)
class Samples:
    """The samples that runs learned from, each once, named by its fingerprint; deleting a file gives up reproducing.

    Attributes:
        folder: Where the Parquet files are.
    """

    folder: Path

    def file(self, fingerprint: str) -> Path:
        """Returns where the sample of this fingerprint is kept."""
        return self.folder / f"{checked(fingerprint)}.parquet"

    def keep(self, sample: Jets | Events) -> Path:
        """Returns the file of the sample, written unless it is there.

        Raises:
            DataError: the disk is full, or the folder cannot be written.
        """
        file = self.file(sample.fingerprint)
        if not file.exists():
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                msg = f"The folder {self.folder} cannot be made ({error.strerror}); choose another with WORKBENCH_RUNS."
                raise DataError(msg) from error
            parquet.write(sample, file)
        return file

    def size(self, fingerprint: str) -> int:
        """Returns the size of a sample's file in bytes, 0 if it is not kept."""
        file = self.file(fingerprint)
        return file.stat().st_size if file.exists() else 0

    def delete(self, fingerprint: str) -> None:
        """Deletes a sample; runs that learned from it can no longer be reproduced."""
        self.file(fingerprint).unlink(missing_ok=True)


EPOCH = re.compile(r"epoch-(\d+)\.safetensors")


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @property
    def model(self) -> Path:
        """The fitted model; of a run that is not over or that died, the best so far."""
        return self.folder / "model.safetensors"

    def epoch(self, number: int) -> Path:
        """The model as it was after this epoch, of those that were kept."""
        return self.folder / f"epoch-{number}.safetensors"

    @property
    def epochs(self) -> list[int]:
        """The epochs whose models were kept, in order."""
        found = [EPOCH.fullmatch(file.name) for file in self.folder.glob("epoch-*.safetensors")]
        return sorted(int(match[1]) for match in found if match)

    @property
    def arrays(self) -> Path:
        """Scores and labels of the validation jets."""
        return self.folder / "validation.npz"

    @property
    def steps(self) -> Path:
        """Every sign of life, one line of JSON each, oldest first."""
        return self.folder / "steps.jsonl"

    @property
    def silence(self) -> float:
        """Seconds since the server of this run last gave a sign of life; inf if it never did."""
        try:
            return time.time() - self._alive.stat().st_mtime
        except OSError:
            return float("inf")

    def beat(self) -> None:
        """Gives a sign that the server of this run lives."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._alive.touch()

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    def add_steps(self, steps: Iterable[Step]) -> None:
        """Appends steps; a line that a crash cuts off is skipped by `read_steps`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.steps.open("ab") as file:
            file.write(_lines(steps))

    def write_steps(self, steps: Iterable[Step]) -> None:
        """Writes all steps anew."""
        self._put(self.steps, lambda file: file.write(_lines(steps)))

    def read_steps(self) -> list[Step]:
        """Returns the steps that were added."""
        steps = []
        lines = self.steps.read_text().splitlines() if self.steps.exists() else []
        for line in lines:
            with suppress(ValueError, TypeError):
                steps.append(Step(**json.loads(line)))
        return steps

    def write_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Writes arrays by name."""
        plain = {name: np.asarray(array) for name, array in arrays.items()}
        self._put(self.arrays, lambda file: np.savez(file, allow_pickle=False, **plain))

    def read_arrays(self) -> dict[str, np.ndarray]:
        """Returns the arrays, none if there are none."""
        if not self.arrays.exists():
            return {}
        with np.load(self.arrays, allow_pickle=False) as arrays:
            return dict(arrays)

    def take_model(self, file: Path) -> None:
        """Copies a saved model into place."""
        with file.open("rb") as source:
            self._put(self.model, lambda target: shutil.copyfileobj(source, target))

    def _put(self, path: Path, write: Callable[[BinaryIO], Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        put(path, write)


def _lines(steps: Iterable[Step]) -> bytes:
    rows = ({**vars(step), "metrics": dict(step.metrics), "extra": {}} for step in steps)
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
