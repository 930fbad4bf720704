"""The objects of a scene as a table, and the invariant mass of those that are marked."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn

from ..state.display import DisplayState, mass_of
from ..views.deposits import Deposits, deposits
from ..views.event import ELECTRON, KINDS, MUON, TAU, Scene, momentum_of
from ..views.transverse import LAYERS
from .panes import line, say

PARTICLES = 200
"""Particles that are listed, hardest first, after all jets and leptons."""

DIGITS = {"pT [GeV]": 2, "η": 3, "φ [rad]": 3, "m [GeV]": 3}


class ObjectTable(pn.viewable.Viewer):
    """Rows that are ticked are the `tagged` of the state; the text below says their invariant mass."""

    def __init__(self, state: DisplayState, scene: Scene, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.state = state
        self.scene, self.objects = scene, listed(scene)
        self.mass, self.how = line(variant="body1"), line(variant="caption")
        self.table = pn.widgets.Tabulator(
            rows(scene, self.objects),
            show_index=False,
            disabled=True,
            selectable="checkbox",
            pagination="local",
            page_size=12,
            layout="fit_data_stretch",
            sizing_mode="stretch_width",
            height=430,
        )
        self.table.param.watch(self._ticked, "selection")
        state.param.watch(self._tagged, "tagged")
        self._count()
        self._tagged()

    def show(self, scene: Scene) -> None:
        """Lists the objects of a scene; nothing is ticked."""
        self.scene, self.objects = scene, listed(scene)
        self.table.selection = []
        self.table.value = rows(scene, self.objects)
        self._count()
        self._say()

    def _count(self) -> None:
        total = len(self.scene.arrays["particles"])
        some = f"The {PARTICLES} hardest of {total:,} particles are listed. " if total > PARTICLES else ""
        say(self.how, f"{some}Tick rows to see the invariant mass of their sum.")

    def everything(self) -> pd.DataFrame:
        """Returns all objects of the scene, also those that the table leaves out, and the energy in the calorimeter."""
        return with_deposits(numbers(self.scene, listed(self.scene, None)), deposits(self.scene))

    def _ticked(self, *events: Any) -> None:
        tagged = [self.objects[i] for i in self.table.selection if i < len(self.objects)]
        if tagged != self.state.tagged:
            self.state.tagged = tagged

    def _tagged(self, *events: Any) -> None:
        ticked = [self.objects.index(x) for x in self.state.tagged if x in self.objects]
        if sorted(ticked) != sorted(self.table.selection):
            self.table.selection = ticked
        self._say()

    def _say(self) -> None:
        tagged = self.state.tagged
        if not tagged:
            say(self.mass, "Nothing is marked.")
            return
        momenta = np.stack([momentum_of(self.scene, *found) for found in tagged])
        names = " + ".join(name_of(self.scene, *found) for found in tagged)
        say(self.mass, f"m({names}) = {mass_of(momenta):.2f} GeV")

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.mass, self.table, self.how, sizing_mode="stretch_width", margin=0)


def listed(scene: Scene, most: int | None = PARTICLES) -> list[tuple[str, int]]:
    """Returns the objects of a scene: jets, then leptons, then at most so many other particles, each hardest first."""
    kind, pt = scene.column("particles", "kind"), scene.column("particles", "pt")
    hardest = np.argsort(-pt, kind="stable")
    is_lepton = np.isin(kind, (ELECTRON, MUON, TAU))[hardest]
    jets = np.argsort(-scene.column("jets", "pt"), kind="stable")
    particles = [*hardest[is_lepton], *hardest[~is_lepton][:most]]
    return [("jets", int(row)) for row in jets] + [("particles", int(row)) for row in particles]


def name_of(scene: Scene, array: str, row: int) -> str:
    """Returns what an object is called: "jet 0", "muon 12"."""
    return f"jet {row}" if array == "jets" else f"{KINDS[int(scene.column('particles', 'kind')[row])]} {row}"


def sign(charge: float) -> str:
    """Returns a charge in units of e in words; "?" where it is not known."""
    return "?" if np.isnan(charge) else f"{charge:+g}" if charge else "0"


def rows(scene: Scene, objects: list[tuple[str, int]]) -> pd.DataFrame:
    """Returns one row per object as the table shows it, with the same columns for every scene."""
    return numbers(scene, objects).round(DIGITS)


def numbers(scene: Scene, objects: list[tuple[str, int]]) -> pd.DataFrame:
    """Returns one row per object with all digits."""
    momenta = np.array([momentum_of(scene, *found) for found in objects]).reshape(-1, 4)
    charge = [
        sign(float(scene.column("particles", "charge")[row])) if array == "particles" else ""
        for array, row in objects
    ]
    table: dict[str, Any] = {"object": np.array([name_of(scene, *found) for found in objects], dtype=object)}
    for i, title in enumerate(DIGITS):
        table[title] = momenta[:, i]
    return pd.DataFrame({**table, "charge": np.array(charge, dtype=object)})


def with_deposits(table: pd.DataFrame, found: Deposits) -> pd.DataFrame:
    """Returns the table with the energy of its objects, and a row per deposit below: "ECAL 0", "HCAL 1", …"""
    pt, eta, mass = (table[name].to_numpy(float) for name in ("pT [GeV]", "η", "m [GeV]"))
    above = table.assign(**{"E [GeV]": np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)})
    below = pd.DataFrame(
        {
            "object": [f"{LAYERS[int(layer)][0]} {row}" for row, layer in enumerate(found.layer)],
            "pT [GeV]": found.transverse,
            "η": found.eta,
            "φ [rad]": found.phi,
            "charge": "",
            "E [GeV]": found.energy,
        }
    )
    return pd.concat([above, below], ignore_index=True) if len(below) else above
