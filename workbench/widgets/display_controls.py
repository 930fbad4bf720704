"""Cuts, colours and layers of an event display: what they cut, they cut in the browser."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state.display import CHARGES, COLOURS, KINDS, LAYERS, DisplayState
from ..views.cuts import Cuts
from ..views.detectors import DETECTORS
from .panes import fold, row

SET = "cuts.data = {{...cuts.data, {name}: [source.value]}}"
SET_KINDS = (
    "cuts.data = {...cuts.data, kinds: [source.value.reduce((sum, x) => sum | (1 << names.indexOf(x)), 0)]}"
)
SET_LAYERS = "cuts.data = {...cuts.data, layers: [source.value.join(',')]}"
ONLY_3D = ("preset_view", "projection", "wedge", "opacity", "background")


class DisplayControls:
    """The widgets of a DisplayState; each also tells the flat views' cuts and the 3D view in the browser."""

    def __init__(self, state: DisplayState, cuts: Cuts, three: Any) -> None:
        self.state = state
        self.widgets = {**self._cuts(), **self._looks(), **self._camera()}
        for name, widget in self.widgets.items():
            self._tell(name, widget, cuts, three)

    def _slider(self, name: str, label: str, end: float, step: float) -> pmui.FloatSlider:
        return pmui.FloatSlider.from_param(
            self.state.param[name],
            label=label,
            start=0,
            end=end,
            step=step,
            size="small",
            sizing_mode="stretch_width",
        )

    def _select(self, name: str, label: str, options: list[str]) -> pmui.Select:
        return pmui.Select.from_param(
            self.state.param[name], label=label, options=options, size="small", sizing_mode="stretch_width"
        )

    def _many(self, name: str, label: str, options: list[str]) -> pmui.MultiChoice:
        return pmui.MultiChoice.from_param(
            self.state.param[name], label=label, options=options, sizing_mode="stretch_width"
        )

    def _cuts(self) -> dict[str, Any]:
        return {
            "pt_min": self._slider("pt_min", "Lowest pT of a particle [GeV]", 50, 0.1),
            "energy_min": self._slider("energy_min", "Lowest energy of a cell or tower [GeV]", 20, 0.1),
            "jet_pt_min": self._slider("jet_pt_min", "Lowest pT of a jet [GeV]", 200, 1),
            "eta_max": self._slider("eta_max", "Largest |η|", 5, 0.1),
            "charges": self._select("charges", "Charge", list(CHARGES)),
            "kinds": self._many("kinds", "Kinds of particle", list(KINDS)),
        }

    def _looks(self) -> dict[str, Any]:
        return {
            "colour_by": self._select("colour_by", "Colour by", list(COLOURS)),
            "palette": self._select("palette", "Colours", ["colour-blind safe", "experiment"]),
            "length_scale": self._select("length_scale", "Length of bars", ["linear", "log", "sqrt"]),
            "layers": self._many("layers", "Drawn", list(LAYERS)),
            "detector": self._select("detector", "Detector", list(DETECTORS)),
        }

    def _camera(self) -> dict[str, Any]:
        param = self.state.param
        return {
            "preset_view": self._select("preset_view", "Look from", ["home", "x-y", "r-z", "jet axis"]),
            "projection": self._select("projection", "Projection", ["perspective", "orthographic"]),
            "background": self._select("background", "Background of 3D", ["dark", "light"]),
            "opacity": self._slider("opacity", "Opacity of the detector", 1, 0.05),
            "wedge": pmui.Switch.from_param(param.wedge, label="Cut a quarter of the detector away"),
        }

    def _tell(self, name: str, widget: Any, cuts: Cuts, three: Any) -> None:
        widget.jslink(three, value=name)
        code, names = SET.format(name=name), {}
        if name == "kinds":
            code, names = SET_KINDS, {"names": list(KINDS)}
        elif name == "layers":
            code = SET_LAYERS
        if name in cuts.source.data:
            widget.jscallback(args={"cuts": cuts.source, **names}, value=code)

    def __panel__(self) -> pn.viewable.Viewable:
        cut = ("pt_min", "energy_min", "jet_pt_min", "eta_max", "charges", "kinds")
        rest = [name for name in self.widgets if name not in cut]
        return fold(
            "Cuts, colours and camera",
            row([self.widgets[name] for name in cut], width=220, most=3),
            row([self.widgets[name] for name in rest], width=220, most=4),
            at_once=True,
        )
