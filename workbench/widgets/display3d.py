"""The event display in three dimensions, as a Panel component and as a widget of other notebook hosts."""

from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import param
import traitlets

from ..views.detectors import detector
from ..views.event import COLUMNS, KINDS, Scene

BUNDLE = Path(__file__).with_name("display") / "display.min.js"
ARRAYS = tuple(COLUMNS)
VIEW = (
    "pt_min",
    "energy_min",
    "jet_pt_min",
    "eta_max",
    "charges",
    "kinds",
    "colour_by",
    "layers",
    "opacity",
    "projection",
    "wedge",
    "length_scale",
    "palette",
    "background",
    "preset_view",
    "relevance_limit",
    "picked",
)
"""The params that say how a scene is shown."""


def _nothing(name: str) -> np.ndarray:
    return np.zeros((0, len(COLUMNS[name])), dtype=np.float32)


# Not Panel's AnyWidgetComponent: Panel 1.9.4 keeps one render module for it and for JSComponent, whichever comes first on a
# page, and hands the other kind a model that it cannot read.
class Display3D(pn.custom.JSComponent):
    """Draws a scene in three dimensions in the browser; cuts, colours and camera need no round trip to the server.

    Energies in GeV, lengths in m. Muons follow the field up to the coil and go on straight. What is drawn, and how many of
    how many, is also told in words beside the picture and by its accessible name.
    """

    _bundle = BUNDLE

    header: dict[str, Any] = param.Dict({}, doc="Of the scene.")
    shells: list[dict[str, Any]] = param.List([], doc="Layers of the detector, made from its name.")
    particles: np.ndarray = param.Array(_nothing("particles"), doc="Of the scene.")
    towers: np.ndarray = param.Array(_nothing("towers"), doc="Of the scene.")
    cells: np.ndarray = param.Array(_nothing("cells"), doc="Of the scene.")
    jets: np.ndarray = param.Array(_nothing("jets"), doc="Of the scene.")
    points: np.ndarray = param.Array(_nothing("points"), doc="Of the scene.")

    detector: str = param.String("none", doc="Name of the detector preset.")
    pt_min: float = param.Number(0.5, bounds=(0, None), doc="Lowest pT of a particle in GeV.")
    energy_min: float = param.Number(0.3, bounds=(0, None), doc="Lowest energy of a tower or cell in GeV.")
    jet_pt_min: float = param.Number(0.0, bounds=(0, None), doc="Lowest pT of a jet in GeV.")
    eta_max: float = param.Number(5.0, bounds=(0, 10), doc="Largest |pseudorapidity|.")
    charges: str = param.Selector(default="all", objects=["all", "charged", "neutral", "+", "-"])
    kinds: list[str] = param.ListSelector(default=list(KINDS), objects=list(KINDS))
    colour_by: str = param.Selector(
        default="kind", objects=["kind", "pt", "charge", "vertex", "relevance", "one"]
    )
    layers: list[str] = param.ListSelector(
        default=["particles", "towers", "cells", "jets", "met", "detector"],
        objects=["particles", "towers", "cells", "jets", "met", "detector"],
    )
    opacity: float = param.Magnitude(0.15, doc="Of the detector.")
    projection: str = param.Selector(default="perspective", objects=["perspective", "orthographic"])
    wedge: bool = param.Boolean(True, doc="A quarter of the detector is cut away.")
    length_scale: str = param.Selector(default="sqrt", objects=["linear", "log", "sqrt"])
    palette: str = param.Selector(default="colour-blind safe", objects=["colour-blind safe", "experiment"])
    background: str = param.Selector(default="dark", objects=["dark", "light"])
    preset_view: str = param.Selector(default="home", objects=["home", "x-y", "r-z", "jet axis"])
    relevance_limit: float = param.Number(
        0.0, doc="End of the relevance scale; 0 takes the largest magnitude."
    )
    picked: int = param.Integer(-1, doc="Row of the particle that is picked, or -1.")
    request: str = param.String("", doc="What the browser shall do: png@1, png@2 or png@4 saves a picture.")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "height": 560, **params})
        self._build()

    @param.depends("detector", watch=True)
    def _build(self) -> None:
        self.shells = list(detector(self.detector).layers)

    def show(self, scene: Scene) -> None:
        """Draws a scene in place of the one before; nothing is picked in it yet."""
        self.param.update(
            header=scene.header,
            detector=scene.header["detector"],
            picked=-1,
            **{name: scene.arrays[name] for name in ARRAYS},
        )

    def save_png(self, times: int = 1) -> None:
        """Lets the browser save the picture at 1, 2 or 4 times its size on the page."""
        self.request = f"png@{times}"

    @property
    def options(self) -> dict[str, Any]:
        """How the scene is shown, as plain values."""
        return {name: getattr(self, name) for name in VIEW}


def host(scene: Scene, **options: Any) -> Any:
    """Returns the same display as an anywidget, for hosts without Panel; needs the extra "widgets".

    Args:
        scene: What is drawn; the widget's `show` draws another one.
        **options: Traits of the names in `Display3D`.
    """
    import anywidget  # noqa: PLC0415 - an optional extra

    shown = {name: Display3D.param[name].default for name in (*VIEW, "request")} | {
        "header": {},
        "shells": [],
    }
    traits = {name: traitlets.Any(value).tag(sync=True) for name, value in shown.items()}
    tables = {name: traitlets.Bytes().tag(sync=True) for name in ARRAYS}
    about = {"__doc__": "The event display in three dimensions.", "__module__": __name__}
    body = {"_esm": BUNDLE, "show": _show, **about, **traits, **tables}
    widget = type("EventDisplayWidget", (anywidget.AnyWidget,), body)()
    widget.show(scene)
    for name, value in options.items():
        widget.set_trait(name, value)
    return widget


def _show(widget: Any, scene: Scene) -> None:
    """Draws a scene in place of the one before; nothing is picked in it yet."""
    with widget.hold_sync():
        widget.header, widget.picked = scene.header, -1
        widget.shells = list(detector(scene.header["detector"]).layers)
        for name in ARRAYS:
            setattr(widget, name, scene.arrays[name].tobytes())
