"""The detectors that have a name, and any detector as a few JSON values.

The Delphes cards `delphes_card_ATLAS.tcl` and `delphes_card_CMS.tcl` are the source of the efficiencies, momentum and energy
resolutions, thresholds and cell edges (of the ATLAS hadronic cells, which are not the same at +eta and -eta, the edges at |eta| =
3.2 are left out). The cards say nothing of angles and impact parameters:

* ATLAS: the parametrisation of the Inner Detector TDR (CERN/LHCC 97-16) as it is commonly quoted [not verified in the TDR itself].
  `cards/ATLAS_Run2/trackResolutionATLAS.tcl` of Delphes, read off figures of that TDR, has for cot theta 1.75e-3 at 1 GeV and
  0.73e-3 at 20 GeV (|eta| < 0.25) where this one has 2.1e-3 and 0.71e-3, for phi 1.51 and 0.15 mrad where this one has 1.80 and 0.12.
* CMS: d0 and dz through 90 and 150 um at 1 GeV, 25 and 45 um at 10 GeV, the range that CMS papers quote from arXiv:1405.6569 for
  tracks of 1 to 10 GeV and |eta| < 1.4 [not verified]; angles as for ATLAS.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..errors import SimulationError, nearest
from .detector import Calorimeter, Detector

ATLAS = Detector()
"""ATLAS as in its Delphes card."""

CMS = Detector(
    name="CMS",
    tracker=replace(
        ATLAS.tracker,
        resolution=(
            ((0.01, 1.5e-4), (0.015, 2.5e-4), (0.025, 5.5e-4)),
            ((0.03, 1.3e-3), (0.05, 1.7e-3), (0.15, 3.1e-3)),
            ((0.01, 1.0e-4), (0.015, 1.5e-4), (0.025, 3.5e-4)),
        ),
        d0=(0.0235, 0.0869),
        dz=(0.0427, 0.1438),
    ),
    ecal=replace(
        ATLAS.ecal,
        resolution_edges=(1.5, 2.5, 5.0),
        resolution=((0.008, 0.11, 0.40), (0.008, 0.11, 0.40), (0.107, 2.08, 0.0)),
        shape=((1.0, 0.64, 0.0), (2.16, 5.6, 2.0), (1.0, 0.0, 0.0)),
    ),
    hcal=Calorimeter(
        eta_edges=(
            *(-5, -4.7, -4.525, -4.35, -4.175, -4, -3.825, -3.65, -3.475, -3.3, -3.125, -2.95, -2.868),
            *(-2.65, -2.5, -2.322, -2.172, -2.043, -1.93, -1.83, -1.74),
            *np.round(np.arange(-19, 20) * 0.087, 3).tolist(),
            *(1.74, 1.83, 1.93, 2.043, 2.172, 2.322, 2.5, 2.65),
            *(2.868, 2.95, 3.125, 3.3, 3.475, 3.65, 3.825, 4, 4.175, 4.35, 4.525, 4.7, 5),
        ),
        phi_cells=(*[18] * 2, *[36] * 19, *[72] * 38, *[36] * 19, *[18] * 2),
        resolution_edges=(3.0, 5.0),
        resolution=((0.05, 1.50, 0.0), (0.13, 2.70, 0.0)),
        energy_min=1.0,
        significance_min=2.0,
    ),
)
"""CMS as in its Delphes card."""

CARDS = {"ATLAS": ATLAS, "CMS": CMS}
"""Samples refer to a card by its name: its numbers never change, better ones get a new name."""


def described(detector: Detector | None) -> str | dict[str, Any] | None:
    """Returns JSON values that `detector_of` makes into the same detector.

    The name of a card, or what differs from the card that is most alike, whose name stands under "like"; None for no detector.
    """
    if detector is None:
        return None
    differences = {name: _differences(detector, card) for name, card in CARDS.items()}
    like = min(differences, key=lambda name: len(json.dumps(differences[name])))
    return {"like": like, **differences[like]} if differences[like] else like


def detector_of(description: Any) -> Detector | None:
    """Returns the detector that `described` described; a `Detector` and None stay what they are.

    Raises:
        SimulationError: there is no such card, or a detector has no such property.
    """
    if description is None or isinstance(description, Detector):
        return description
    changes = dict(description) if isinstance(description, Mapping) else {"like": description}
    like = changes.pop("like", "ATLAS")
    if not isinstance(like, str):
        msg = f"A detector is {', '.join(CARDS)}, a Detector of your own or None; found {like!r}."
        raise SimulationError(msg)
    if like not in CARDS:
        msg = f"There is no detector {like!r}; {nearest(like, CARDS)}"
        raise SimulationError(msg)
    detector: Detector = _changed(CARDS[like], changes)
    return detector


def _differences(own: Any, card: Any) -> dict[str, Any]:
    found = {}
    for field in fields(card):
        mine, theirs = getattr(own, field.name), getattr(card, field.name)
        if mine != theirs:
            found[field.name] = _differences(mine, theirs) if is_dataclass(theirs) else mine
    return found


def _changed(card: Any, changes: Mapping[str, Any]) -> Any:
    known = [field.name for field in fields(card)]
    values = {}
    for name, value in changes.items():
        if name not in known:
            msg = f"A {type(card).__name__.lower()} has no property {name!r}; {nearest(name, known)}"
            raise SimulationError(msg)
        old = getattr(card, name)
        values[name] = _changed(old, value) if is_dataclass(old) else _tuples(value)
    return replace(card, **values)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list | tuple) else value
