"""Where a sample came from."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np


@dataclass(frozen=True)
class Origin:
    """Where a sample came from and how it was made; travels with it through every selection.

    Attributes:
        name: What a user calls it, a file name or "QCD + top, Pythia 8".
        kind: "simulation", "data" or "unknown".
        format: File format or generator that it was read from, in words.
        settings: Everything needed to make or read it again (JSON values): process, tune, pT window, seed,
            cross-section in mb, units that were declared, number of jets dropped and why.
        steps: What was done to it since, in words, oldest first ("selected pt > 560: 312 of 400").
    """

    name: str
    kind: str = "unknown"
    format: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[str, ...] = ()

    def then(self, step: str) -> "Origin":
        """Returns this origin with one more step."""
        return Origin(self.name, self.kind, self.format, self.settings, (*self.steps, step))

    @classmethod
    def joined(cls, origins: Sequence["Origin"]) -> "Origin":
        """Returns the origin of samples put one after the other; each is kept whole in the settings, under "parts"."""
        return cls(
            " + ".join(dict.fromkeys(origin.name for origin in origins)),
            kind=origins[0].kind if len({origin.kind for origin in origins}) == 1 else "unknown",
            format=" + ".join(dict.fromkeys(origin.format for origin in origins)),
            settings={"parts": [origin.to_dict() for origin in origins]},
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "format": self.format,
            "settings": dict(self.settings),
            "steps": list(self.steps),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Origin":
        """Rebuilds an origin from `to_dict`."""
        return cls(
            values["name"], values["kind"], values["format"], dict(values["settings"]), tuple(values["steps"])
        )


def fingerprint(arrays: Iterable[ak.Array | np.ndarray | str]) -> str:
    """Returns 16 hex digits that depend on every value, name and list length of `arrays`."""
    digest = hashlib.sha256()
    for array in arrays:
        if isinstance(array, str):
            digest.update(array.encode() + b"\0")
            continue
        form, length, buffers = ak.to_buffers(ak.to_packed(ak.Array(array)))
        digest.update(f"{ak.fields(array)} {length}".encode())
        for key in sorted(buffers):
            digest.update(key.encode())
            digest.update(np.ascontiguousarray(buffers[key]).view(np.uint8).data)
    return digest.hexdigest()[:16]
