"""What a network can do when an observable is taken away from it."""

from typing import Any

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
from .table import table, table_pane
from .text import with_error

HEAD = ("without", "as it was", "trained again", "fall", "the observable alone", "effective jets", "left out")
NOTHING = "nothing"
WORDS = {"trees": "Boosted trees on observables"}
QUICK, SAME = "boosted trees: seconds", "this network: minutes"


class WithoutObservable(Finding):
    """Weights make the classes alike in an observable, the network is trained again, and its area falls by what it had of it."""

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        self.names = pmui.MultiChoice(
            label="Observables to take away, one at a time",
            options=list(OBSERVABLES),
            value=["mass", "multiplicity", "tau32"],
            sizing_mode="stretch_width",
        )
        self.network = pmui.Select(
            label="What is trained again",
            options={QUICK: "trees", SAME: ""},
            value="trees",
            size="small",
            sizing_mode="stretch_width",
        )
        self.points, self.factors = view.no_points(tuple(view.WITHOUT)), FactorRange()
        self.own, self.table = view.line_at(), table_pane()
        super().__init__(
            analysis,
            "Take away and train again",
            "planing.without",
            "How well does a network do when the mass tells it nothing any more?",
            **parameters,
        )
        self.names.param.watch(self._require, "value")

    def arguments(self) -> dict[str, Any]:
        """Returns what is taken away, and from what."""
        return {**super().arguments(), "names": tuple(self.names.value), "network": self.network.value}

    def require(self) -> str:
        """Returns what is missing."""
        return "" if self.names.value else "Choose an observable to take away."

    def layout(self) -> list[Any]:
        """Returns figure and table."""
        self.figure = view.without_figure(self.points, self.factors, self.own)
        return [picture(self.figure), self.table]

    def show(self) -> None:
        """Shows the areas."""
        found = self.found
        plain, *rows = found.rows
        numbers = {name: values[1:] for name, values in found.columns().items()}
        names = [row.name for row in rows]
        view.show_points(self.figure, self.points, names, numbers, view.WITHOUT, plain.auc.value)
        self.table.object = table(HEAD, map(_cells, found.rows))
        say(
            self.check,
            f"{WORDS.get(found.network, found.network)}, trained on as many jets as the {found.jets:,} that it is measured on. Dashed: as it is, AUC "
            f"{with_error(*plain.auc)}. Planing did its work where the observable alone is at 0.5.",
        )

    def numbers(self) -> pd.DataFrame:
        """Returns one row per observable."""
        return pd.DataFrame(self.found.columns() if self.found is not None else {})

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "planing",
            figure=lambda: self.figure if self.found is not None else None,
            data=self.numbers,
            code=lambda: self.code("print(found.columns())"),
            sample=self.analysis.sample,
        )
        return pane(
            "What a network can do without an observable",
            row([self.jets, self.network], width=140, most=2),
            self.names,
            self.study,
            self.empty,
            self.content,
            name="planing",
            menu=menu,
            check=self.check,
        )


def _cells(row: Any) -> tuple[str, ...]:
    plain = row.name == NOTHING
    fall, alone = ("–" if plain else with_error(*area) for area in (row.fall, row.alone))
    areas = (with_error(*row.before), "–" if plain else with_error(*row.auc))
    return (row.name, *areas, fall, alone, f"{row.effective:,.0f}", f"{row.left_out:,}")
