"""The score of a network as a formula of observables."""

from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..physics.observables import OBSERVABLES
from .analysis import Analysis
from .finding import Finding
from .menu import Menu
from .panes import pane, say
from .table import table, table_pane
from .text import with_error

USUAL = ("mass", "sd_mass", "multiplicity", "tau21", "tau32", "e2", "e3", "girth", "pt_dispersion")
HEAD = (
    "terms",
    "formula for the score [log-odds]; pT and masses in GeV, angles in rad",
    "R²",
    "pairs in order",
)


class ScoreFormula(Finding):
    """Looks for the sum of a few terms of observables that follows the score best, and says how much it explains."""

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        self.names = pmui.MultiChoice(
            label="Observables that may stand in it",
            options=list(OBSERVABLES),
            value=list(USUAL),
            sizing_mode="stretch_width",
        )
        self.table = table_pane()
        super().__init__(
            analysis,
            "Look for a formula",
            "formula.write_out",
            "Can the score be written as a sum of a few terms of observables?",
            **parameters,
        )
        self.names.param.watch(self._require, "value")

    def arguments(self) -> dict[str, Any]:
        """Returns what may stand in the formula."""
        return {**super().arguments(), "names": tuple(self.names.value)}

    def require(self) -> str:
        """Returns what is missing."""
        return "" if self.names.value else "Choose an observable that may stand in the formula."

    def layout(self) -> list[Any]:
        """Returns the table."""
        return [self.table]

    def show(self) -> None:
        """Shows one formula per number of terms."""
        found = self.found.found
        rows = [(len(f.terms), str(f), with_error(*f.r2), with_error(*f.ado)) for f in found]
        self.table.object = table(HEAD, rows)
        say(
            self.check,
            f"{found[0].jets:,} jets that nothing was fitted to; {found[0].left_out:,} jets left out, in which an observable is not "
            f"defined. A stepwise search among sums of {self.found.candidates} terms, not among all formulas.",
        )

    def numbers(self) -> pd.DataFrame:
        """Returns one row per formula."""
        return pd.DataFrame(self.found.columns() if self.found is not None else {})

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "formula",
            data=self.numbers,
            code=lambda: self.code("print(*found.found, sep='\\n')"),
            sample=self.analysis.sample,
        )
        return pane(
            "The score as a formula",
            pn.Row(self.jets, self.names, sizing_mode="stretch_width"),
            self.study,
            self.empty,
            self.content,
            name="formula",
            menu=menu,
            check=self.check,
        )
