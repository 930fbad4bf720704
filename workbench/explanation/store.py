"""Explanations kept on the disk: what was explained once, of the same jet by the same network in the same way, is read."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from ..data import explanation_file
from ..data.explanation import Explanation, concatenate
from ..data.jets import Jets
from ..data.origin import fingerprint
from ..engines.fitted import FittedTagger
from ..errors import DataError, ExplanationError
from ..progress import Never, Report, Step, Stop, silent
from .closing import versions
from .explain import explain
from .rules import rule_named
from .score import direction

SHARD = 256
"""Jets of one file: what a stop or a crash can cost at most."""

USUAL = {"method": "lrp", "attention": "attnlrp", "record": False}
"""What `explain` does unless it is told otherwise, besides its rule, score and background."""

AT_HAND = 64
"""Files that are kept in memory while portions are read: another selection scatters its jets over many of them."""

ROOMS = ("data", "physics", "models", "engines", "explanation")
CODE = fingerprint(
    file.read_text(encoding="utf-8")
    for room in ROOMS
    for file in sorted((Path(__file__).parents[1] / room).glob("*.py"))
)
"""What tells the text of the programs that explain, as this process knows it, from any other."""

JETS = "jets"
"""Under which name a file tells in its metadata which jets it holds."""


@dataclass(frozen=True)
class Explanations:
    """Explanations in a folder, a file per few hundred jets; several processes may read and write it at once.

    A jet is known again by its particles and its momentum, in whatever sample it comes; its network by its weights and
    inputs; the way by rule, score, method, attention, background, the versions of the programs and the text of this one.

    Attributes:
        folder: Where the files are; it is made when the first is written.
        most: Bytes beyond which `portions` deletes the files that were not used for longest; 0 deletes none.
    """

    folder: Path
    most: int = 0

    def explained(
        self,
        fitted: FittedTagger,
        jets: Jets,
        *,
        report: Report = silent,
        stop: Stop | None = None,
        **how: Any,
    ) -> Explanation:
        """Returns what `explain(fitted, jets, **how)` returns; only what is not known yet is worked out, and is kept.

        Args:
            fitted: A fitted tagger.
            jets: Jets.
            report: Told how many jets are done, those that were known included.
            stop: When set, what was worked out so far is kept, and the explanation of the leading jets that are known is
                returned; the next call goes on from there.
            how: rule, seed, method, attention, background and record of `explain`.

        Raises:
            ExplanationError: as of `explain`, or a rule of your own that does not tell its settings.
            DataError: the folder cannot be written.
        """
        way, keys, stop = self.folder / _way(fitted, how), keys_of(jets), stop or Never()
        known = _index(way)
        missing = [i for i, key in enumerate(keys) if key not in known]
        done = len(jets) - len(missing)
        report(Step(done=done, total=len(jets), unit="jets"))
        for block in (missing[first : first + SHARD] for first in range(0, len(missing), SHARD)):
            if stop.is_set():
                break
            told = _shifted(report, done, len(jets))
            part = explain(fitted, jets[block], report=told, stop=stop, **how)
            chosen = [keys[i] for i in block[: len(part)]]
            _keep(part, chosen, way)
            done += len(chosen)
        found = _assembled(_index(way), keys, jets)
        if len(found) < len(jets) and not stop.is_set():
            msg = f"Explanations were deleted from {self.folder.name} while others were worked out; start again."
            raise ExplanationError(msg)
        return found

    def portions(
        self, fitted: FittedTagger, jets: Jets, *, stop: Stop | None = None, **how: Any
    ) -> Iterator[tuple[Jets, Explanation]]:
        """Yields the jets with their explanations, a few hundred at a time, until all are done or it is stopped.

        What cannot be kept, because the disk is full, is explained all the same.

        Args:
            fitted: A fitted tagger.
            jets: Jets, as many as you like.
            stop: Looked at before each portion.
            how: As of `explained`.

        Raises:
            ExplanationError: as of `explained`.
        """
        way, stop = self.folder / _way(fitted, how), stop or Never()
        known, read = _index(way), lru_cache(AT_HAND)(explanation_file.read)
        try:
            for number, first in enumerate(range(0, len(jets), SHARD), 1):
                if stop.is_set():
                    break
                part = jets[first : first + SHARD]
                yield part, _portion(fitted, part, way, known, read, how)
                if number % AT_HAND == 0:
                    self._make_room()
        finally:
            self._make_room()

    def known(self, fitted: FittedTagger, jets: Jets, **how: Any) -> int:
        """Returns how many of the jets are known."""
        index = _index(self.folder / _way(fitted, how))
        return sum(key in index for key in keys_of(jets))

    def delete(self) -> None:
        """Deletes what is kept; all of it can be worked out again."""
        for file in self.folder.glob("*/*.parquet"):
            file.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Deletes the files that were not used for longest, until what is left fits; others may do so too."""
        found: list[tuple[float, int, Path]] = []
        for file in self.folder.glob("*/*.parquet") if self.most else ():
            with suppress(OSError):
                stat = file.stat()
                found.append((stat.st_mtime, stat.st_size, file))
        size = sum(of for _, of, _ in found)
        for _, of, file in sorted(found):
            if size <= self.most:
                return
            with suppress(OSError):
                file.unlink()
            size -= of


def explained(
    fitted: FittedTagger,
    jets: Jets,
    folder: str,
    *,
    report: Report = silent,
    stop: Stop | None = None,
    **how: Any,
) -> Explanation:
    """Returns `Explanations(folder).explained(...)`; what a worker process calls."""
    return Explanations(Path(folder)).explained(fitted, jets, report=report, stop=stop, **how)


def keys_of(jets: Jets) -> list[str]:
    """Returns 32 hex digits per jet that depend on its particles, their number and order, and its momentum; on nothing else."""
    particles = ak.flatten(jets.constituents, axis=1)
    fields = sorted(ak.fields(particles))
    rows = np.stack([np.asarray(particles[name], dtype=np.float64) for name in fields], axis=1)
    axes = [np.asarray(jets.p4[name], dtype=np.float64) for name in sorted(ak.fields(jets.p4))]
    of_jets, ends = np.stack(axes, axis=1), np.cumsum(jets.counts)
    names = hashlib.blake2b(json.dumps([fields, sorted(ak.fields(jets.p4))]).encode(), digest_size=16)
    found, first = [], 0
    for momentum, end in zip(of_jets, ends.tolist(), strict=True):
        digest = names.copy()
        digest.update(momentum.tobytes())
        digest.update(rows[first:end].tobytes())
        found.append(digest.hexdigest())
        first = end
    return found


def _way(fitted: FittedTagger, how: Mapping[str, Any]) -> str:
    """Returns what tells a network and a way to explain it from others."""
    rule, background = rule_named(how.get("rule", "epsilon")), how.get("background")
    if not is_dataclass(rule):
        msg = f"The rule {type(rule).__name__} does not tell its settings, so what it gives cannot be kept; make it a dataclass."
        raise ExplanationError(msg)
    if background is None and fitted.background is not None:
        against = fingerprint([fitted.background])
    else:
        against = "" if background is None else background.fingerprint
    weights, words = direction(fitted.classes, how.get("seed"))
    told = {
        "network": fitted.fingerprint,
        "code": CODE,
        "rule": repr(rule),
        "score": [words, weights.tolist()],
        "background": against,
        "versions": versions(),
        **{name: how.get(name, usual) for name, usual in USUAL.items()},
    }
    return fingerprint([json.dumps(told, sort_keys=True, default=repr)])


def _index(way: Path) -> dict[str, tuple[Path, int]]:
    """Returns where each jet lies; a file that cannot be read is as if it were not there."""
    found: dict[str, tuple[Path, int]] = {}
    for file in sorted(way.glob("*.parquet")):
        try:
            keys = explanation_file.read_how(file)[JETS]
        except DataError:
            continue
        found |= {key: (file, row) for row, key in enumerate(keys)}
    return found


def _portion(
    fitted: FittedTagger,
    jets: Jets,
    way: Path,
    known: dict[str, tuple[Path, int]],
    read: Callable[[Path], Explanation],
    how: Mapping[str, Any],
) -> Explanation:
    """Returns the explanation of a few jets: what is known is read, and the rest is worked out and kept."""
    keys = keys_of(jets)
    missing = [i for i, key in enumerate(keys) if key not in known]
    try:
        if missing:
            fresh, chosen = explain(fitted, jets[missing], **how), [keys[i] for i in missing]
            try:
                file = _keep(fresh, chosen, way)
            except DataError:
                # The disk is full.
                return fresh if len(missing) == len(jets) else explain(fitted, jets, **how)
            known |= {key: (file, row) for row, key in enumerate(chosen)}
        return _assembled(known, keys, jets, read)
    except DataError:
        # Somebody deleted a file.
        return explain(fitted, jets, **how)


def _keep(part: Explanation, keys: Sequence[str], way: Path) -> Path:
    try:
        way.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"The folder {way.parent.name} for explanations cannot be made ({error.strerror}); choose another."
        raise DataError(msg) from error
    kept = replace(part, how={**part.how, JETS: list(keys)})
    file = way / f"{fingerprint(keys)}.parquet"
    explanation_file.write(kept, file)
    return file


def _assembled(
    known: Mapping[str, tuple[Path, int]],
    keys: Sequence[str],
    jets: Jets,
    read: Callable[[Path], Explanation] = explanation_file.read,
) -> Explanation:
    """Returns the explanation of the leading jets that are known, in their order; the files count as used now."""
    ready = next((i for i, key in enumerate(keys) if key not in known), len(keys))
    places = [known[key] for key in keys[:ready]]
    if not places:
        msg = "The explanation was stopped before the first jet was explained; start it again."
        raise ExplanationError(msg)
    files = list(dict.fromkeys(file for file, _ in places))
    parts = [read(file) for file in files]
    for file in files:
        with suppress(OSError):
            file.touch()
    first = dict(zip(files, np.cumsum([0, *(len(part) for part in parts)]).tolist(), strict=False))
    whole = concatenate(parts)[np.array([first[file] + row for file, row in places])]
    how = {name: value for name, value in whole.how.items() if name != JETS}
    return replace(whole, how={**how, "sample": jets[:ready].fingerprint})


def _shifted(report: Report, done: int, total: int) -> Report:
    return lambda step: report(Step(done=done + step.done, total=total, unit="jets"))
