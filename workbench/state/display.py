"""What an event display shows and how: view, cuts, colours, layers, the picked object. Nothing of it draws."""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import param

from ..errors import WorkbenchError

VIEWS = ("3d", "eta-phi", "x-y", "r-z")
KINDS = ("charged hadron", "neutral hadron", "photon", "electron", "muon", "unknown", "tau")
LAYERS = ("particles", "towers", "cells", "jets", "met", "detector")
CHARGES = ("all", "charged", "neutral", "+", "-")
COLOURS = ("kind", "pt", "charge", "vertex", "relevance", "one")
CUTS = ("pt_min", "energy_min", "jet_pt_min", "eta_max", "charges", "kinds")
STEP = 1.25
"""Factor by which one key press moves the pT cut."""

OWN = ("picked", "whole", "tagged", "position", "playing", "relevance_limit")
"""What belongs to the event that is shown, not to the way of showing it."""

USUAL_CUTS = ((0.0, 0.0), (0.5, 10.0), (0.5, 0.0))
"""Lowest pT of particles and of jets in GeV that a display chooses by itself: for a jet, for an event, before either."""

USUAL_COLOURS = ("kind", "relevance")
"""What a display chooses by itself to colour the particles."""


class DisplayState(param.Parameterized):
    """Shared by the four views of one event display; energies in GeV, lengths in m."""

    view: str = param.Selector(default="3d", objects=list(VIEWS), doc="Which picture is shown.")
    preset_view: str = param.Selector(
        default="home", objects=["home", "x-y", "r-z", "jet axis"], doc="Where the camera stands."
    )
    pt_min: float = param.Number(0.5, bounds=(0, None), doc="Lowest pT of a particle in GeV.")
    energy_min: float = param.Number(0.3, bounds=(0, None), doc="Lowest energy of a tower or cell in GeV.")
    jet_pt_min: float = param.Number(0.0, bounds=(0, None), doc="Lowest pT of a jet in GeV.")
    eta_max: float = param.Number(5.0, bounds=(0, 10), doc="Largest |pseudorapidity|.")
    charges: str = param.Selector(default="all", objects=list(CHARGES), doc="Charge of the particles shown.")
    kinds: list[str] = param.ListSelector(
        default=list(KINDS), objects=list(KINDS), doc="Kinds of particle shown."
    )
    colour_by: str = param.Selector(default="kind", objects=list(COLOURS), doc="What colours the particles.")
    layers: list[str] = param.ListSelector(default=list(LAYERS), objects=list(LAYERS), doc="What is drawn.")
    detector: str = param.String("none", doc="Name of the detector preset.")
    opacity: float = param.Magnitude(0.15, doc="Of the detector.")
    projection: str = param.Selector(
        default="perspective", objects=["perspective", "orthographic"], doc="Of the 3D view."
    )
    wedge: bool = param.Boolean(False, doc="A quarter of the detector is cut away.")
    length_scale: str = param.Selector(
        default="sqrt", objects=["linear", "log", "sqrt"], doc="Length of a tower for its energy."
    )
    palette: str = param.Selector(
        default="colour-blind safe", objects=["colour-blind safe", "experiment"], doc="Colours of the kinds."
    )
    background: str = param.Selector(default="dark", objects=["dark", "light"], doc="Of the 3D view.")
    picked: int = param.Integer(-1, doc="Row of the particle that is picked, or -1.")
    whole: bool = param.Boolean(
        False, doc="Rows are the particles of the whole event or of another jet, not those of the open jet."
    )
    tagged: list[tuple[str, int]] = param.List(
        [], doc='Objects whose invariant mass is shown: ("jets" or "particles", row).'
    )
    position: int = param.Integer(0, bounds=(0, None), doc="Number of the event, or of the jet.")
    playing: bool = param.Boolean(False, doc="Events follow each other by themselves.")
    relevance_limit: float = param.Number(1.0, doc="End of the relevance scale, in units of the score.")

    def passes(self, particles: np.ndarray) -> np.ndarray:
        """Returns which rows of a scene's "particles" the cuts keep, shape (rows,).

        Columns are pt, eta, phi, charge, kind and further ones.
        """
        pt, eta, charge, kind = particles[:, 0], particles[:, 1], particles[:, 3], particles[:, 4]
        signs = {
            "all": np.ones(len(pt), dtype=bool),
            "charged": np.abs(charge) > 0,
            "neutral": charge == 0,
            "+": charge > 0,
            "-": charge < 0,
        }
        shown = np.isin(kind, [KINDS.index(name) for name in self.kinds])
        return (pt >= self.pt_min) & (np.abs(eta) <= self.eta_max) & signs[self.charges] & shown

    def cut(self, up: bool) -> None:
        """Moves the pT cut one step up or down, from and to 0 by way of 0.1 GeV."""
        if up:
            self.pt_min = max(0.1, round(self.pt_min * STEP, 3))
        else:
            lower = round(self.pt_min / STEP, 3)
            self.pt_min = lower if lower >= 0.1 else 0.0

    def tag(self, array: str, row: int) -> None:
        """Takes an object into the invariant mass, or out of it if it is there."""
        found = (array, row)
        self.tagged = (
            [x for x in self.tagged if x != found] if found in self.tagged else [*self.tagged, found]
        )

    def to_link(self) -> list[str]:
        """Returns the way of showing as texts "name:value" for an address; what is usual is left out."""
        changed = [name for name in LINKED if getattr(self, name) != self.param[name].default]
        if (self.pt_min, self.jet_pt_min) in USUAL_CUTS:
            changed = [name for name in changed if name not in ("pt_min", "jet_pt_min")]
        elif "pt_min" not in changed:
            changed.append("pt_min")
        if self.colour_by in USUAL_COLOURS:
            changed = [name for name in changed if name != "colour_by"]
        return [f"{name}:{_written(getattr(self, name))}" for name in changed]

    def from_link(self, texts: Iterable[str]) -> list[str]:
        """Shows as the texts of `to_link` say, each for itself.

        Returns:
            A sentence for each that cannot be used.
        """
        notices = []
        for text in texts:
            name, _, value = text.partition(":")
            try:
                if name not in LINKED:
                    raise ValueError
                self.param.update({name: _read(value, self.param[name])})
            except ValueError:
                notices.append(f"The link's display {text[:60]!r} cannot be used and was left out.")
        return notices

    def to_json(self) -> str:
        """Returns the way of showing as text, to be kept in a file."""
        values = {name: getattr(self, name) for name in self.param if name not in (*OWN, "name")}
        return json.dumps({"workbench": "display", "version": 1, **values}, indent=2)

    def from_json(self, text: str) -> None:
        """Shows as a text of `to_json` says; nothing changes if any of it makes no sense.

        Raises:
            WorkbenchError: not such a text, or a value that is out of bounds.
        """
        try:
            values = json.loads(text)
            if values.pop("workbench") != "display":
                raise ValueError
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
            msg = "This is not a saved state of an event display; choose a file that the display wrote."
            raise WorkbenchError(msg) from error
        known = {
            name: x
            for name, x in values.items()
            if name in self.param and name not in (*OWN, "name", "version")
        }
        if any(isinstance(x, float) and not math.isfinite(x) for x in known.values()):
            msg = "A number in this state is not finite; choose another file."
            raise WorkbenchError(msg)
        try:
            trial = type(self)()
            trial.param.update(**known)
        except (ValueError, TypeError) as error:
            msg = f"This state has a value that the display cannot show: {error}"
            raise WorkbenchError(msg) from error
        self.param.update(**known)


LINKED = tuple(name for name in DisplayState.param if name not in (*OWN, "name", "view"))
"""What of a display stands in an address, beside the view."""


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(value)
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)


def _read(text: str, parameter: param.Parameter) -> Any:
    """Returns the value of a text; a ValueError if it makes no sense for this parameter."""
    if isinstance(parameter, param.ListSelector):
        return [name for name in text.split("|") if name]
    if isinstance(parameter, param.Boolean):
        return bool(int(text))
    if isinstance(parameter, param.Number):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    return text


def mass_of(momenta: np.ndarray) -> float:
    """Returns the invariant mass in GeV of the sum of momenta given as (n, 4) pt, eta, phi, mass; nan for none."""
    if not len(momenta):
        return float("nan")
    pt, eta, phi, mass = np.asarray(momenta, dtype=np.float64).T
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    energy = np.sqrt(px**2 + py**2 + pz**2 + mass**2)
    squared: Any = energy.sum() ** 2 - px.sum() ** 2 - py.sum() ** 2 - pz.sum() ** 2
    return float(np.sqrt(max(squared, 0.0)))
