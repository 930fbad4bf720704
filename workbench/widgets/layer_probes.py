"""What each layer of a network knows, and how alike its layers are."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import FactorRange

from ..physics.observables import OBSERVABLES
from ..views import translation as view
from .analysis import Analysis
from .finding import Finding
from .menu import Menu
from .panes import pane, picture, row, say

USUAL = ("pt", "mass", "sd_mass", "multiplicity", "tau21", "tau32", "d2", "girth")
"""Observables that are read off unless others are chosen."""

TREES = "Boosted trees have no layers to look into; choose a network."


class LayerProbes(Finding):
    """Reads observables off every layer by a straight line, and compares the layers with one another."""

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        self.names = pmui.MultiChoice(
            label="Observables to read off",
            options=list(OBSERVABLES),
            value=list(USUAL),
            sizing_mode="stretch_width",
        )
        self.known, self.layers, self.read = view.no_matrix(), FactorRange(), FactorRange()
        self.alike, self.others, self.across = view.no_matrix(), FactorRange(), FactorRange()
        super().__init__(
            analysis,
            "Probe the layers",
            "probes.probe_layers",
            "Which observables can be read off each layer by a straight line?",
            jets=1_000,
            **parameters,
        )
        self.names.param.watch(self._require, "value")

    def arguments(self) -> dict[str, Any]:
        """Returns what is read off."""
        return {"names": tuple(self.names.value)}

    def require(self) -> str:
        """Returns what is missing."""
        if getattr(self.analysis.fitted.engine, "network", "") == "trees":
            return TREES
        return "" if self.names.value else "Choose an observable to read off."

    def layout(self) -> list[Any]:
        """Returns both matrices."""
        self.knowledge = view.matrix_figure(
            self.known, self.layers, self.read, words="R²", x="observable", y="layer", name="layer-probes"
        )
        self.likeness = view.matrix_figure(
            self.alike, self.others, self.across, words="CKA", x="layer", y="layer", name="layer-likeness"
        )
        return [row([picture(self.knowledge), picture(self.likeness)], width=380, most=2)]

    def show(self) -> None:
        """Shows what the layers know and how alike they are."""
        probes, alike = self.found
        names = probes.layers, probes.observables
        view.show_matrix(self.known, self.layers, self.read, names, probes.r2, probes.error)
        pairs = alike.rows, alike.across
        view.show_matrix(self.alike, self.others, self.across, pairs, alike.value, alike.error)
        for plot in (self.knowledge, self.likeness):
            plot.height = view.height(1 + len(probes.layers))
        largest = np.unravel_index(np.nanargmax(probes.control), probes.control.shape)
        say(
            self.check,
            f"{int(probes.jets.min()):,} jets that no probe learned from. Control, observables shuffled among the jets: R² at most "
            f"{probes.control[largest]:.3f} ± {probes.control_error[largest]:.3f}. Errors in R² at most {np.nanmax(probes.error):.3f}, "
            f"in CKA {np.nanmax(alike.error):.3f}.",
        )

    def numbers(self) -> pd.DataFrame:
        """Returns one row per layer and observable, then one per pair of layers."""
        if self.found is None:
            return pd.DataFrame()
        return pd.concat([pd.DataFrame(part.columns()) for part in self.found], ignore_index=True)

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "layer-probes",
            figure=lambda: [self.knowledge, self.likeness] if self.found is not None else None,
            data=self.numbers,
            code=lambda: self.code("print(found[0].columns(), found[1].columns())"),
            sample=self.analysis.sample,
        )
        return pane(
            "What each layer knows, and how alike the layers are",
            pn.Row(self.jets, self.names, sizing_mode="stretch_width"),
            self.study,
            self.empty,
            self.content,
            name="layer-probes",
            menu=menu,
            check=self.check,
        )
