"""How relevance is shared among particles of each kind, and how much of the score the particles make at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement
from bokeh.plotting import figure

from ..explanation.shares import FEATURE, QUANTITIES, Shares
from ..physics.bootstrap import Estimate
from ..physics.partitions import PARTITIONS, Axis
from ..views import shares as view
from .menu import Menu
from .panes import fold, pane, picture, row, say
from .relevance_study import BY_CLASS, BY_OUTCOME, Finding, Part
from .table import table, table_pane

OF_PARTICLES = {
    "species": "particle type",
    "charge": "charge",
    "vertex": "charge and vertex (pile-up)",
    "rank": "rank in pT",
    "deltar": "ΔR to the jet axis",
    "fraction": "share of the jet's pT",
}
WORDS = {**OF_PARTICLES, "subjet": "kT subjet", FEATURE: "input feature"}
"""Ways to sort particles that have one axis, in words."""

REFERENCE = {"absolute": "particles", "momentum": "particles"}
"""What a quantity is compared with."""

LEFT_OUT = "At most {:.1%} of the relevance of a group lies in none of these bins."


class SharesPane(Part):
    """Shares of relevance by type, rank, angle, momentum, subjet or feature, with errors; classes or outcomes beside."""

    title = "Which particles the network looks at"

    def __init__(self, **parameters: Any) -> None:
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        by = {words: name for name, words in WORDS.items()}
        self.by = pmui.Select(label="Sorted by", options=by, value="species", **small)
        what = {words: name for name, words in QUANTITIES.items() if name not in {"particles", "cumulative"}}
        self.what = pmui.Select(label="Quantity", options=what, value="absolute", **small)
        self.split = pmui.RadioButtonGroup(
            label="Beside one another",
            options=[BY_CLASS, BY_OUTCOME],
            value=BY_CLASS,
            size="small",
            margin=(4, 6),
            width=360,
        )
        self.place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.numbers = table_pane()
        self._drawn: dict[str, tuple[view.Sources, figure]] = {}
        super().__init__(**parameters)
        for widget in (self.by, self.what, self.split):
            widget.param.watch(lambda _: self.draw(), "value")

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        chosen = row([self.by, self.what], width=180, most=2)
        return [chosen, self.split, self.place, fold("As a table", self.numbers)]

    def fill(self, found: Finding) -> None:
        """Draws what is chosen of a new or the same finding."""
        # What is set below would draw once more.
        self.finding = None
        there = [name for name in WORDS if name in found.aggregate.shares]
        by = self.by.value if self.by.value in there else there[0]
        shares = found.aggregate.shares[by]
        quantities = [
            name for name in QUANTITIES if getattr(shares, name) is not None and name != "particles"
        ]
        if by == FEATURE:
            quantities.remove("momentum")
        quantity = self.what.value if self.what.value in quantities else "absolute"
        self.by.param.update(options={WORDS[name]: name for name in there}, value=by)
        self.what.param.update(options={QUANTITIES[name]: name for name in quantities}, value=quantity)
        self.finding = found
        self._show(found, shares)

    def _show(self, found: Finding, shares: Shares) -> None:
        axis, quantity = shares.axes[0], self.what.value
        series = found.series(shares, quantity, self.split.value)
        sources, plot = self._plot(shares.name, axis)
        sources.series.data = view.columns(axis, series)
        reference = REFERENCE.get(quantity, "") if shares.name != FEATURE else ""
        beside = found.series(shares, reference, self.split.value) if reference else {}
        sources.reference.data = view.columns(axis, beside)
        view.rename(plot, QUANTITIES[quantity])
        if not self.place.objects or self.place.objects[0].object is not plot:
            self.place[:] = [picture(plot)]
        self.numbers.object = table([axis.label, *series], view.rows(axis, series))
        dashes = f"Dashes: {QUANTITIES[reference]}. " if reference else ""
        lost = float(np.max(shares.elsewhere.value))
        say(self.said, dashes + (LEFT_OUT.format(lost) if lost > 0 else ""))

    def _plot(self, name: str, axis: Axis) -> tuple[view.Sources, figure]:
        key = f"{name} {axis.names}"
        if key not in self._drawn:
            sources = view.Sources()
            self._drawn[key] = sources, view.share_figure(sources, axis, "", name=f"shares {name}")
        return self._drawn[key]

    def figure(self) -> UIElement | None:
        """Returns the figure that is shown."""
        return self.place.objects[0].object if self.place.objects else None

    def numbers_shown(self) -> pd.DataFrame:
        """Returns the numbers of the way to sort that is shown, all quantities and groups."""
        if self.finding is None:
            return pd.DataFrame()
        return pd.DataFrame(self.finding.aggregate.shares[self.by.value].columns())

    def code(self) -> Sequence[str]:
        """Returns the line of Python that gives the numbers shown."""
        about = PARTITIONS[self.by.value].about if self.by.value in PARTITIONS else "by input feature"
        return (f"shares = found.shares[{self.by.value!r}]  # {about}", "print(shares.columns())")

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "shares", figure=self.figure, data=self.numbers_shown, code=self.lines, sample=self.sample
        )
        return pane(self.title, self.told, self.content, name="shares", menu=menu, check=self.said)


class LedgerPane(Part):
    """The mean of every line of the books, by class."""

    title = "Where the scores come from, on average"

    def __init__(self, **parameters: Any) -> None:
        self.place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.numbers = table_pane()
        self._drawn: dict[tuple[str, ...], tuple[view.Sources, figure]] = {}
        super().__init__(**parameters)

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        return [self.place, self.numbers]

    def fill(self, found: Finding) -> None:
        """Draws the books of a finding."""
        ledger = found.aggregate.ledger
        axis = Axis("line of the ledger", names=ledger.lines)
        series = {name: ledger.of(name) for name in found.classes if name in ledger.groups}
        if ledger.lines not in self._drawn:
            sources = view.Sources()
            unit = "mean per jet [log-odds]"
            self._drawn[ledger.lines] = sources, view.share_figure(sources, axis, unit, name="mean ledger")
        sources, plot = self._drawn[ledger.lines]
        sources.series.data = view.columns(axis, series)
        if not self.place.objects or self.place.objects[0].object is not plot:
            self.place[:] = [picture(plot)]
        gap = found.gap(ledger.of)
        shown = series if gap is None else {**series, found.gap_name: gap}
        self.numbers.object = table([axis.label, *shown], view.rows(axis, shown))
        say(self.said, "" if gap is None else sentence(ledger.lines, gap))

    def figure(self) -> UIElement | None:
        """Returns the figure that is shown."""
        return self.place.objects[0].object if self.place.objects else None

    def numbers_shown(self) -> pd.DataFrame:
        """Returns the mean of every line in every group."""
        return (
            pd.DataFrame() if self.finding is None else pd.DataFrame(self.finding.aggregate.ledger.columns())
        )

    def code(self) -> Sequence[str]:
        """Returns the line of Python that gives the numbers shown."""
        return ("print(found.ledger.columns())",)

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "mean-ledger", figure=self.figure, data=self.numbers_shown, code=self.lines, sample=self.sample
        )
        return pane(self.title, self.told, self.content, name="mean-ledger", menu=menu, check=self.said)


def sentence(lines: Sequence[str], gap: Estimate) -> str:
    """Returns how much of the distance between the scores of two classes the inputs make."""
    inputs, whole = (gap[lines.index(name)] for name in ("inputs", "score"))
    if not abs(float(whole.value)) > 0:
        return ""
    share = float(inputs.value) / float(whole.value)
    return f"Of the mean distance of the two classes' scores, {share:.0%} is relevance of the inputs; the maps below say nothing of the rest."
