"""A network in terms of a few named observables."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import FactorRange

from ..physics.energy_flow import named
from ..views import translation as view
from .analysis import Analysis
from .finding import Finding
from .menu import Menu
from .panes import line, pane, picture, row, say
from .table import table, table_pane
from .text import with_error

DEGREES = {f"up to degree {d}": d for d in (2, 3, 4, 5)} | {"none": 0}
SURROGATES = {"boosted trees": "trees", "a weighted sum": "linear"}
HEAD = ("observable", "pairs in order", "AUC", "AUC lost", "gained", "of the pairs left")


class NamedObservables(Finding):
    """Searches the few observables that put jets into the network's order, and says how much they leave unsaid."""

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        self.degree = pmui.Select(
            label="Energy-flow polynomials",
            options=DEGREES,
            value=4,
            size="small",
            sizing_mode="stretch_width",
        )
        self.surrogate = pmui.Select(
            label="Made of several",
            options=SURROGATES,
            value="trees",
            size="small",
            sizing_mode="stretch_width",
        )
        self.points, self.factors = view.no_points(tuple(view.STAGES)), FactorRange()
        self.network, self.table = view.line_at(), table_pane()
        self.ended = line(variant="body2")
        super().__init__(
            analysis,
            "Search observables",
            "translation.translate",
            "Which few observables put jets into the same order as the network? The search says how many pairs they leave.",
            **parameters,
        )

    def arguments(self) -> dict[str, Any]:
        """Returns what is searched."""
        return {**super().arguments(), "degree": self.degree.value, "surrogate": self.surrogate.value}

    def layout(self) -> list[Any]:
        """Returns figure and table."""
        self.figure = view.stages_figure(self.points, self.factors, self.network)
        return [self.ended, picture(self.figure), self.table]

    def show(self) -> None:
        """Shows the stages."""
        found = self.found
        numbers, places = found.columns(), view.places(found.names)
        view.show_points(self.figure, self.points, places, numbers, view.STAGES, found.network.value)
        self.table.object = table(HEAD, map(_cells, places, found.stages))
        say(self.ended, self._sentence())
        say(
            self.check,
            f"{found.jets:,} jets that nothing was chosen or fitted on; {found.candidates} observables to choose from; dashed: "
            f"the network itself, AUC {with_error(*found.network)}. Errors: jets drawn again with replacement.",
        )

    def _sentence(self) -> str:
        found = self.found
        names = ", ".join(found.names)
        left = with_error(100 * found.left.value, 100 * found.left.error)
        return f"{names}: all but {left} % of the pairs in the order of the network. {found.ended} {_spelled(found.names)}"

    def numbers(self) -> pd.DataFrame:
        """Returns one row per observable."""
        return pd.DataFrame(self.found.columns() if self.found is not None else {})

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "translation",
            figure=lambda: self.figure if self.found is not None else None,
            data=self.numbers,
            code=lambda: self.code("print(found.names, found.left, found.ended)"),
            sample=self.analysis.sample,
        )
        controls = row([self.jets, self.degree, self.surrogate], width=140, most=3)
        return pane(
            "A few observables that order jets as the network does",
            controls,
            self.study,
            self.empty,
            self.content,
            name="translation",
            menu=menu,
            check=self.check,
        )


def _spelled(names: Sequence[str]) -> str:
    """Returns what the energy-flow polynomials among some observables are."""
    written = []
    for name in names:
        if name.startswith("efp_"):
            graph, _, power = name.partition(" β=")
            written.append(f"{name} = {named(graph).formula} with θ = ΔR^{power}")
    return f"Of the polynomials, {'; '.join(written)}, z = pT / Σ pT." if written else ""


def _cells(place: str, stage: Any) -> tuple[str, ...]:
    values = (stage.ado, stage.auc, stage.lost, stage.gain)
    return (place, *(with_error(*value) for value in values), f"{stage.alone:.0%} in order")
