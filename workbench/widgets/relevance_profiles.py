"""How score and relevance go with the observables of a jet, also at fixed mass."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement

from ..explanation.dependence import AGAINST, MASS, OF_JETS, Dependence
from ..physics.bootstrap import Estimate
from ..physics.observables import OBSERVABLES
from ..physics.partitions import Axis
from ..views import shares as view
from ..views.frame import axis_label
from .menu import Menu
from .panes import fold, pane, picture, row, say
from .relevance_study import ALL, Finding, Part
from .table import table, table_pane


class ProfilesPane(Part):
    """The mean score or relevance in bins of an observable, and rank correlations."""

    title = "What the score and the relevance go with"

    def __init__(self, **parameters: Any) -> None:
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        names = {OBSERVABLES[name].label: name for name in AGAINST}
        self.against = pmui.Select(label="Observable", options=names, value=AGAINST[0], **small)
        of = {words: name for name, words in OF_JETS.items()}
        self.of = pmui.Select(label="Of each jet", options=of, value="score", **small)
        self.sources, self.numbers = view.Sources(), table_pane()
        self.bins = table_pane()
        super().__init__(**parameters)
        for widget in (self.against, self.of):
            widget.param.watch(lambda _: self.draw(), "value")

    def build(self) -> Sequence[Any]:
        """Returns the content of the pane."""
        axis = Axis("observable", edges=(0.0, 1.0))
        self.plot = view.share_figure(self.sources, axis, "", name="profiles")
        chosen = row([self.against, self.of], width=180, most=2)
        return [
            chosen,
            picture(self.plot),
            self.numbers,
            fold("The profile as a table", self.bins),
        ]

    def fill(self, found: Finding) -> None:
        """Draws the profile that is chosen."""
        groups = [name for name in found.classes if name in found.aggregate.groups] or [ALL]
        of = self.of.value
        parts = [d for d in found.aggregate.dependences if d.quantity == of and d.group in groups]
        shown = {d.group: d for d in parts if d.observable == self.against.value}
        axis = next(iter(shown.values())).axis
        series = {name: shown[name].profile for name in groups}
        self.sources.series.data = view.columns(axis, series)
        self.plot.xaxis.axis_label = axis_label(axis.label, axis.unit)
        view.rename(self.plot, OF_JETS[of])
        self.bins.object = table([axis_label(axis.label, axis.unit), *series], view.rows(axis, series))
        self.numbers.object = table(["rank correlation", *_heads(groups)], _rows(parts, groups))
        lost = sum(d.undefined for d in shown.values())
        say(self.said, f"{lost:,} jets have no {axis.label} and are left out." if lost else "")

    def figure(self) -> UIElement | None:
        """Returns the figure that is shown."""
        return self.plot if len(self.content) else None

    def numbers_shown(self) -> pd.DataFrame:
        """Returns all profiles and correlations."""
        if self.finding is None:
            return pd.DataFrame()
        return pd.concat(
            [pd.DataFrame(d.columns()) for d in self.finding.aggregate.dependences], ignore_index=True
        )

    def code(self) -> Sequence[str]:
        """Returns the lines of Python that give the numbers shown."""
        return (
            "for part in found.dependences:",
            "    print(part.observable, part.quantity, part.group, part.correlation)",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        menu = Menu(
            "dependence", figure=self.figure, data=self.numbers_shown, code=self.lines, sample=self.sample
        )
        return pane(self.title, self.told, self.content, name="dependence", menu=menu, check=self.said)


def _heads(groups: Sequence[str]) -> list[str]:
    return [f"{name}{words}" for name in groups for words in ("", ", at fixed mass")]


def _rows(parts: Sequence[Dependence], groups: Sequence[str]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for observable in AGAINST:
        found = {d.group: d for d in parts if d.observable == observable}
        cells: list[Estimate] = [
            e for name in groups for e in (found[name].correlation, found[name].at_fixed_mass)
        ]
        words = ["" if observable == MASS and k % 2 else view.written(e) for k, e in enumerate(cells)]
        rows.append((OBSERVABLES[observable].label, *words))
    return rows
