"""The selected jets as a table, in an order that pays; a click on a row opens the jet."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..physics.outliers import MEASURED
from ..state.comparison import ComparisonState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..state.teaching import Teaching
from . import code
from .menu import Menu
from .panes import line, pane, say
from .row_table import row_table
from .sample_switch import SampleSwitch

ROWS = 200
"""Rows of the table: the first of the order; the pane says how many more there are."""

ORDERS = {
    "as in the sample": ("", False),
    "most confident and wrong": ("loss", True),
    "most uncertain": ("uncertainty", True),
    "nearest to the threshold": ("margin", False),
    "most unusual": ("unusual", True),
    "highest score": ("score", True),
    "lowest score": ("score", False),
    "largest mass": ("mass", True),
    "most constituents": ("multiplicity", True),
    "hardest": ("pt", True),
}
MEANT = {
    "uncertainty": "Uncertain: the entropy −Σ p ln p of the tagger's probabilities is large.",
    "unusual": "Unusual: far from the mean of all jets of this sample in "
    f"{', '.join(MEASURED)} (Mahalanobis distance); rare jets of a known kind are found too.",
}
"""What an order goes by, where its name does not say it."""

COLUMNS = {
    "score": "score",
    "loss": "loss",
    "mass": "m [GeV]",
    "sd_mass": "m SD [GeV]",
    "pt": "pT [GeV]",
    "multiplicity": "N",
}
DIGITS = {
    "score": "0.000",
    "loss": "0.00",
    "m [GeV]": "0.0",
    "m SD [GeV]": "0.0",
    "pT [GeV]": "0.0",
    "N": "0",
}


def rows(sample: SampleState, indices: np.ndarray, teaching: Teaching | None = None) -> pd.DataFrame:
    """Returns one row per jet: its place in the sample, its class, and `COLUMNS`, NaN where they are not known.

    What would tell the class is not shown while `teaching` hides it.
    """
    # Always the same columns: the browser's table answers new ones with an error while it is not drawn yet.
    jets = sample.jets
    if jets is None:
        nothing = {title: np.zeros(0) for title in COLUMNS.values()}
        return pd.DataFrame({"jet": np.zeros(0, int), "class": np.zeros(0, object), **nothing})
    told = (teaching or Teaching()).told
    names = np.array([told(name) for name in (*jets.classes, "unknown")], dtype=object)
    table = {"jet": indices, "class": names[np.asarray(jets.label)[indices]]}
    for name, title in COLUMNS.items():
        known = name in sample.known and not (name == "loss" and teaching is not None and teaching.hides)
        table[title] = (
            np.round(sample.column(name)[indices].astype(float), 3)
            if known
            else np.full(len(indices), np.nan)
        )
    return pd.DataFrame(table)


class JetTable(pn.viewable.Viewer):
    """The first rows of the selection in the chosen order, of the sample that is walked through."""

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        teaching: Teaching | None = None,
        comparison: ComparisonState | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.comparison = comparison or ComparisonState(selection)
        self.switch = SampleSwitch(self.comparison)
        self.teaching = teaching or Teaching()
        self.wanted: Callable[[str], bool] | None = None
        self.waits: Callable[[], bool] = lambda: False
        self._stale = False
        self.order = pmui.Select(
            label="Order", options=list(ORDERS), value="as in the sample", size="small", width=230
        )
        self.told = line(variant="caption")
        # The names of classes come from files; as text they are escaped by the table, so they are not escaped before.
        self.table = row_table(rows(sample, np.zeros(0, int)), {"class": "", **DIGITS}, height=470)
        self.order.param.watch(self._reorder, "value")
        self.table.on_click(self._open)
        selection.param.watch(self._change_rows, ["mask", "by", "descending"])
        self.teaching.param.watch(self._fill, ["on", "revealed"])
        sample.param.watch(self._renew, "version")
        selection.param.watch(self._mark, "current")
        self.comparison.param.watch(self._mark, "current")
        self.comparison.param.watch(self._change, "walking")
        self.comparison.param.watch(self._follow, "beside")

    @property
    def selection(self) -> SelectionState:
        """The selection that is listed."""
        return self.comparison.walked

    @property
    def sample(self) -> SampleState:
        """The sample that is listed."""
        return self.selection.sample

    @property
    def walks_second(self) -> bool:
        """True while the jets of the second sample are listed."""
        return self.selection is not self.comparison.selection

    def _change(self, *events: Any) -> None:
        """Lists the other sample, in the order that is chosen."""
        self._fill()
        self._reorder()

    def _follow(self, *events: Any) -> None:
        if self.walks_second:
            self._renew()

    def show_order(self, by: str, descending: bool) -> None:
        """Chooses an order by its column; one that is not offered changes nothing."""
        named = [name for name, how in ORDERS.items() if how == (by, descending)]
        if by and named:
            self.order.value = named[0]

    def _reorder(self, *events: Any) -> None:
        by, descending = ORDERS[self.order.value]
        if by and by not in self.sample.known:
            made = self.wanted is not None and self.wanted(by)
            after = "the jets are measured" if made else "a tagger has scored the jets"
            say(self.told, f"This order is known once {after}.")
            return
        self.selection.order(by, descending=descending)
        if self.walks_second:
            self._fill()

    def _renew(self, *events: Any) -> None:
        """Lists the jets anew; an order whose column has come, or come back, holds again."""
        by, _ = ORDERS[self.order.value]
        if by in self.sample.known and not self.selection.by:
            self._reorder()
        self._fill()

    def _change_rows(self, *events: Any) -> None:
        self._stale = True
        if all(event.name == "mask" for event in events):
            self.beat()
        else:
            self._fill()

    def beat(self) -> None:
        """Lists the jets that are selected now once `waits` says that nothing comes first; called by the page's timer."""
        if self._stale and not self.waits():
            self._fill()

    def _fill(self, *events: Any) -> None:
        self._stale = False
        count = self.selection.count
        self.table.value = rows(self.sample, self.selection.first(ROWS), self.teaching)
        of = " of the second sample" if self.walks_second else ""
        more = f"; the first {ROWS} are listed" if count > ROWS else ""
        text = f"{count:,} selected jets{of}{more}. Click one to open it. SD: soft drop, N: constituents."
        say(self.told, f"{text} {MEANT.get(self.selection.by, '')}".strip())
        self._mark()

    def _open(self, event: Any) -> None:
        with pn.io.hold():
            self.selection.pick(int(self.table.value["jet"].iloc[event.row]))

    def _mark(self, *events: Any) -> None:
        found = np.flatnonzero(self.table.value["jet"].to_numpy() == self.selection.current)
        self.table.selection = [int(found[0])] if found.size else []

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu("jets", data=self._listed, code=self._code, sample=self.sample)
        return pane(
            "Jets of the selection",
            self.switch,
            self.order,
            self.table,
            name="jets",
            menu=menu,
            check=self.told,
        )

    def _listed(self) -> pd.DataFrame:
        return rows(self.sample, self.selection.indices, self.teaching)

    def _code(self) -> str:
        shown = "found = wb.physics.observables.observables(jets, ['mass', 'sd_mass', 'pt', 'multiplicity'])"
        return code.lines(
            self.sample, self.selection, "import pandas as pd", shown, "print(pd.DataFrame(found))"
        )
