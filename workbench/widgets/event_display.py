"""One jet or event in four views that share their cuts: 3D, eta-phi, along the beam, from the side."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..data.events import Events
from ..data.jets import Jets
from ..errors import WorkbenchError, nearest
from ..state.display import KINDS, USUAL_CUTS, VIEWS, DisplayState
from ..views.deposits import deposits
from ..views.detectors import DETECTORS
from ..views.eta_phi import is_jet
from ..views.event import Scene, empty_scene, scene_of_event, scene_of_jet
from ..views.phoenix import phoenix
from . import export
from .display3d import Display3D
from .display_controls import DisplayControls
from .flat_views import FLAT, FlatViews, legend
from .object_table import ObjectTable, listed, numbers, with_deposits
from .panes import Line, fill, line, picture, say, tabs
from .standalone import standalone

NAMES = {"3d": "3D", "eta-phi": "η–φ", "x-y": "x–y", "r-z": "r–z"}
TABS = {"& .MuiTab-root": {"minWidth": 0, "padding": "6px 12px", "textTransform": "none"}}
NOTHING = "No jet or event is open."
EXPORTS = {
    "PNG": ("png", 1),
    "PNG, 2 × larger": ("png", 2),
    "PNG, 4 × larger": ("png", 4),
    "SVG of a flat view": ("svg", 1),
    "Page that works offline (HTML)": ("html", 1),
    "Phoenix (JSON)": ("phoenix", 1),
    "Cuts and colours (JSON)": ("state", 1),
}
"""Kind of file and size, by what the menu says."""

STATE_LIMIT = 100_000
"""Bytes of a saved state that is read back."""


class EventDisplay(pn.viewable.Viewer):
    """The viewer. Nothing is drawn before the first scene, and each view only when it is seen.

    Args:
        state: What is shown and how; None makes one.
        height: Of the picture in screen units.
        opening: Label and action of the one button that stands there while nothing is open.
    """

    def __init__(
        self,
        state: DisplayState | None = None,
        *,
        height: int = 420,
        opening: tuple[str, Callable[[], Any]] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.state = DisplayState() if state is None else state
        self.height = height
        self.scene: Scene = empty_scene()
        self.title, self.lacks = line(variant="body1"), line(variant="caption")
        self.told, self.kinds = (
            line(variant="body2"),
            Line("", margin=(2, 6), styles={"font-size": "12px"}),
        )
        self.nothing = pn.Column(line(NOTHING, variant="body1"), sizing_mode="stretch_width")
        if opening is not None:
            button = pmui.Button(label=opening[0], color="primary", size="small")
            button.on_click(lambda _: opening[1]())
            self.nothing.append(button)
        self.content = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
        self._objects: ObjectTable | None = None
        self.delivery = export.Delivery(self._answered)
        self.flat: FlatViews | None = None
        self.three: Display3D | None = None
        self._three_stale = False
        self._panes: list[Any] = []
        self.state.param.watch(self._seen, "view")
        self.state.param.watch(self._picked, "picked")

    def show_jet(
        self,
        jets: Jets,
        index: int,
        relevance: np.ndarray | None = None,
        event: Events | None = None,
        *,
        apart: bool = False,
    ) -> None:
        """Shows a jet, coloured by relevance where that is given, or its whole event where `event` has it.

        Args:
            jets: The sample.
            index: Row of the jet.
            relevance: Of each of its constituents, in units of the score.
            event: Events that the jets were made from, by their column "event_index".
            apart: True for a jet that is not the page's open jet; its particles are not those of other panes.
        """
        whole = event is not None and "event_index" in jets.columns
        if event is not None and whole:
            scene = scene_of_event(event, int(jets.columns["event_index"][index]))
        else:
            scene = scene_of_jet(jets, index, relevance)
        if relevance is not None and not whole:
            self._colour("relevance")
        elif self.state.colour_by == "relevance":
            self._colour("kind")
        self.state.whole = whole or apart
        self.show(scene)

    def show_event(self, events: Events, index: int) -> None:
        """Shows one event."""
        if self.state.colour_by == "relevance":
            self._colour("kind")
        self.show(scene_of_event(events, index))

    def show(self, scene: Scene) -> None:
        """Shows a scene in place of the one before."""
        with pn.io.hold():
            self._choose_cuts(scene)
            if not len(self.content):
                self.prepare()
                fill(self.content, self._panes)
            self.nothing.visible, self.content.visible = False, True
            # A detector that was chosen stays.
            other = self.state.detector == self.scene.header["detector"]
            self.scene = scene
            self.state.param.update(picked=-1, tagged=[])
            if other:
                self.state.detector = scene.header["detector"]
            self._three_stale = True
            self._say()
            if self.flat is not None:
                self.flat.show(scene)
            if self._objects is not None:
                self._objects.show(scene)
            self._seen()

    def _choose_cuts(self, scene: Scene) -> None:
        """A jet is shown whole, of an event what stands out, unless the user has other cuts."""
        if (self.state.pt_min, self.state.jet_pt_min) in USUAL_CUTS:
            low, of_jets = USUAL_CUTS[0] if is_jet(scene) else USUAL_CUTS[1]
            self.state.param.update(pt_min=low, jet_pt_min=of_jets)

    def clear(self) -> None:
        """Shows nothing, as before the first scene."""
        self.scene = empty_scene()
        with pn.io.hold():
            self.nothing.visible, self.content.visible = True, False

    def to_link(self) -> list[str]:
        """Returns cuts and colours for an address, without a detector that came with the event."""
        own = f"detector:{self.scene.header['detector']}"
        return [text for text in self.state.to_link() if text != own]

    def from_link(self, texts: Iterable[str]) -> list[str]:
        """Takes cuts and colours from an address; returns a sentence for each that cannot be used."""
        usable, notices = [], []
        for text in texts:
            name, _, value = text.partition(":")
            if name == "detector" and value not in DETECTORS:
                notices.append(f"There is no detector {value[:60]!r}; {nearest(value, DETECTORS)}")
            else:
                usable.append(text)
        return notices + self.state.from_link(usable)

    def press(self, key: str) -> None:
        """Does what a key says: 1 to 4 choose the view, + and - move the pT cut."""
        if key in {"1", "2", "3", "4"}:
            self.state.view = VIEWS[int(key) - 1]
        elif key in {"+", "-"}:
            self.state.cut(up=key == "+")

    @property
    def objects(self) -> ObjectTable:
        """The objects of the scene as a table, made when it is first asked for."""
        if self._objects is None:
            self._objects = ObjectTable(self.state, self.scene)
        return self._objects

    @property
    def figure(self) -> Any:
        """The flat figure that is seen; None in 3D."""
        return self.flat.figures.get(self.state.view) if self.flat is not None and len(self.content) else None

    def table(self) -> pd.DataFrame:
        """Returns the jets, particles and calorimeter deposits that the cuts keep, the objects hardest first."""
        kept = {
            "particles": self.state.passes(self.scene.arrays["particles"]),
            "jets": self.scene.column("jets", "pt") >= self.state.jet_pt_min,
        }
        objects = numbers(self.scene, [x for x in listed(self.scene, None) if kept[x[0]][x[1]]])
        found = deposits(self.scene, energy_min=self.state.energy_min, eta_max=self.state.eta_max)
        return with_deposits(objects, found)

    def prepare(self) -> None:
        """Makes the views, unless they are there: figures are the larger part of what showing a first scene takes."""
        if self._panes:
            return
        state = self.state
        shared = set(Display3D.param) & set(state.param) - {"name", "relevance_limit", "picked"}
        self.three = Display3D(height=self.height, **{name: getattr(state, name) for name in shared})
        self.three.param.watch(self._picked_in_3d, "picked")
        self.flat = FlatViews(state, self.height)
        self.controls = DisplayControls(state, self.flat.cuts, self.three)
        views = [self.three, *(picture(self.flat.figures[view]) for view in FLAT)]
        named = list(zip(NAMES.values(), views, strict=True))
        self.tabs = tabs(named, active=VIEWS.index(state.view), at_once=(VIEWS.index("3d"),), sx=TABS)
        self.tabs.param.watch(self._chosen, "active")
        self._panes = [
            pn.Row(self.title, self._menu(), self.delivery.place, sizing_mode="stretch_width", margin=0),
            self.tabs,
            self.kinds,
            self.told,
            self.lacks,
            self.controls.__panel__(),
        ]

    def _menu(self) -> pmui.MenuButton:
        return pmui.MenuButton(
            label="Save as",
            items=[{"label": label} for label in EXPORTS],
            variant="text",
            size="small",
            margin=0,
            on_click=lambda item: self.save(*EXPORTS[item["label"]]),
        )

    def save(self, kind: str, times: int = 1) -> None:
        """Hands the browser a file: "png", "svg", "html", "phoenix" or "state"; what cannot be saved is said."""
        name = export.file_name(self.scene.header["title"], self.state.view)
        figure, three = self.figure, self.three
        if kind == "png" and figure is None and three is not None:
            three.save_png(times)
        elif kind in {"png", "svg"} and figure is not None:
            self.delivery.ask(kind, figures=[figure.id], scale=times, name=f"{name}.{kind}")
        elif kind == "svg":
            say(self.told, "The 3D view is not made of lines; choose a flat view, or save it as PNG.")
        elif kind == "html" and three is not None:
            self._save(standalone(self.scene, three.options), "text/html", f"{name}.html")
        elif kind == "phoenix":
            self._save(json.dumps(phoenix(self.scene)), "application/json", f"{name}-phoenix.json")
        elif kind == "state":
            self._save(self.state.to_json(), "application/json", "display.json")

    def _save(self, text: str, kind: str, name: str) -> None:
        self.delivery.ask("save", content=text.encode(), type=kind, name=name)

    def restore(self, content: bytes) -> None:
        """Shows as a saved state says; why not is said if it cannot."""
        try:
            self.state.from_json(content[:STATE_LIMIT].decode("utf-8", errors="replace"))
        except WorkbenchError as error:
            say(self.told, str(error))

    def _answered(self, problem: str) -> None:
        say(self.told, problem)

    def _colour(self, by: str) -> None:
        """Colours by this from now on; the 3D view is told too, as its link to the control follows a change in the browser only."""
        self.state.colour_by = by
        if self.three is not None:
            self.three.colour_by = by

    def _chosen(self, *events: Any) -> None:
        self.state.view = VIEWS[self.tabs.active]

    def _seen(self, *events: Any) -> None:
        if self.flat is None or self.three is None:
            return
        self.tabs.active = VIEWS.index(self.state.view)
        shown = self.state.view in FLAT
        self.kinds.object = legend(self.scene) if shown else ""
        if self.state.view == "3d" and self._three_stale:
            self._three_stale = False
            self.three.show(self.scene)

    def _say(self) -> None:
        header = self.scene.header
        say(self.title, f"{header['title']}: {header['caption']}")
        lacks = "; ".join(header["missing"])
        say(self.lacks, f"Not known here: {lacks}." if lacks else "")
        say(self.told, "")

    def _picked(self, *events: Any) -> None:
        row = self.state.picked
        if self.three is not None and self.three.picked != row and not self._three_stale:
            self.three.picked = row
        say(self.told, described(self.scene, row) if row >= 0 else "")

    def _picked_in_3d(self, *events: Any) -> None:
        if self.three is not None:
            self.state.picked = self.three.picked

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.nothing, self.content, sizing_mode="stretch_width", margin=0)


def described(scene: Scene, row: int) -> str:
    """Returns one particle in words."""
    names = ("pt", "eta", "phi", "charge", "relevance")
    pt, eta, phi, charge, relevance = (float(scene.column("particles", name)[row]) for name in names)
    kind = kind_of(scene, row)
    sign = "charge not known" if np.isnan(charge) else f"charge {charge:+.0f}" if charge else "neutral"
    score = "" if np.isnan(relevance) else f", relevance {relevance:+.3f}"
    return f"Particle {row}: {kind}, {sign}, pT {pt:.2f} GeV, η {eta:.3f}, φ {phi:.3f} rad{score}."


def kind_of(scene: Scene, row: int) -> str:
    """Returns the kind of a particle in words."""
    return KINDS[int(scene.column("particles", "kind")[row])]
