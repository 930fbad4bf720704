"""Detectors as few cylinders and rings, so that an event has its scale; none is the detector of an experiment."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import DataError, nearest

FILE = Path(__file__).with_name("detectors.json")
CALORIMETER = (1.29, 3.0)
"""Radius and half length in m at which tracks and cones end where no detector says otherwise."""


@dataclass(frozen=True)
class Detector:
    """A schematic detector.

    Attributes:
        name: What a user chooses.
        source: Where the numbers come from.
        field: Magnetic field along z in T.
        layers: Plain values: name, kind ("barrel" or "endcap"; an endcap is drawn on both sides), role, r and z = [from, to] in m.
    """

    name: str
    source: str
    field: float
    layers: tuple[dict[str, Any], ...]

    @property
    def calorimeter(self) -> tuple[float, float]:
        """Radius and half length in m of the inner face of the electromagnetic calorimeter."""
        barrel = [x["r"][0] for x in self.layers if x["role"] == "ECAL" and x["kind"] == "barrel"]
        endcap = [x["z"][0] for x in self.layers if x["role"] == "ECAL" and x["kind"] == "endcap"]
        return (barrel or CALORIMETER)[0], (endcap or CALORIMETER[1:])[0]


def _read() -> dict[str, Detector]:
    given = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Detector(name, x["source"], float(x["field"]), tuple(x["layers"])) for name, x in given.items()
    }


DETECTORS = MappingProxyType(_read())


def detector(name: str) -> Detector:
    """Returns a detector by its name.

    Raises:
        DataError: there is none of that name.
    """
    if name not in DETECTORS:
        msg = f"There is no detector {name!r}; {nearest(name, DETECTORS)}"
        raise DataError(msg)
    return DETECTORS[name]
