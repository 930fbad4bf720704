"""What is selected, in one line: how many jets of which class, by what, and a button to take each part of it off."""

from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..state.teaching import Teaching
from .panes import line, say
from .text import with_error


def composition(jets: Jets, mask: np.ndarray, *, hides: bool = False) -> str:
    """Returns how many jets are selected, of which class, how pure, and with weights how many jets they are worth."""
    label, weight = np.asarray(jets.label)[mask], np.asarray(jets.weight)[mask]
    text = f"{len(label):,} of {len(jets):,} jets selected"
    if hides:
        return f"{text}; their classes are hidden."
    counts = np.bincount(label + 1, minlength=len(jets.classes) + 1)
    named = [*zip(jets.classes, counts[1:], strict=True), ("of unknown class", counts[0])]
    parts = [f"{count:,} {name}" for name, count in named if count]
    text += f": {', '.join(parts)}" if parts else ""
    return f"{text}{_purity(jets, label, weight)}{_effective(weight)}."


def _purity(jets: Jets, label: np.ndarray, weight: np.ndarray) -> str:
    """Returns the share of the last class, the signal, with its binomial error of the effective number of jets."""
    total, squares = float(weight.sum()), float(np.sum(weight**2))
    if len(jets.classes) < 2 or total <= 0:
        return ""
    share = float(weight[label == len(jets.classes) - 1].sum()) / total
    variance = share * (1 - share) * squares / total**2
    purity = with_error(100 * share, 100 * float(np.sqrt(max(variance, 0.0))))
    return f"; purity {purity} % {jets.classes[-1]}"


def _effective(weight: np.ndarray) -> str:
    squares = float(np.sum(weight**2))
    plain = bool(np.all(weight == weight[0])) if len(weight) else True
    return "" if plain or not squares else f"; worth {weight.sum() ** 2 / squares:,.0f} jets of equal weight"


UNUSED = "✕ no range"
HIDDEN = {"display": "none"}
READY = 3
"""Buttons of ranges that stand ready, unseen: another child makes the browser lay out the whole page, for half a second."""


class SelectionBar(pn.viewable.Viewer):
    """The composition of the selection, its classes as switches, its ranges as buttons that take them off."""

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        teaching: Teaching | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection = sample, selection
        self.teaching = teaching or Teaching()
        self.told = line(variant="body1", margin=(4, 6))
        self.classes = pmui.CheckButtonGroup(
            label="Classes shown",
            options=[],
            value=[],
            size="small",
            margin=(2, 6),
            sx={"& .MuiToggleButton-root": {"textTransform": "none"}},
        )
        self.clear = pmui.Button(
            label="Clear all brushes", variant="outlined", size="small", disabled=True, margin=(2, 6)
        )
        self._names = [""] * READY
        buttons = [self._button(place) for place in range(READY)]
        self.ranges = pn.Row(*buttons, margin=0, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
        self._shown: dict[str, tuple[float, float]] = {}
        self.clear.on_click(lambda _: self.selection.unbrush())
        self.classes.param.watch(self._choose, "value")
        sample.param.watch(self._renew, "jets")
        selection.param.watch(self._fill, ["mask", "ranges", "classes"])
        self.teaching.param.watch(self._hide, ["on", "revealed"])
        self._renew()

    def _renew(self, *events: Any) -> None:
        jets = self.sample.jets
        self.classes.param.update(options=list(jets.classes) if jets is not None else [], value=[])
        self._fill()

    def _hide(self, *events: Any) -> None:
        self.classes.disabled = self.teaching.hides
        self._fill()

    def _fill(self, *events: Any) -> None:
        jets = self.sample.jets
        if jets is None or len(self.selection.mask) != len(jets):
            return
        say(self.told, composition(jets, self.selection.mask, hides=self.teaching.hides))
        if self.classes.value != self.selection.classes:
            self.classes.value = list(self.selection.classes)
        ranges = dict(self.selection.ranges)
        if ranges != self._shown:
            self._shown = ranges
            self._arrange([name for name in ranges if name not in self._names])
            for name, button in zip(self._names, self.ranges, strict=True):
                if name in ranges:
                    low, high = ranges[name]
                    button.param.update(label=f"✕ {name} {low:.4g} to {high:.4g}", sx={})
                else:
                    button.param.update(label=UNUSED, sx=HIDDEN)
            self.clear.disabled = not ranges

    @property
    def labels(self) -> list[str]:
        """What stands on the buttons of the ranges."""
        return [button.label for button in self.ranges if button.label != UNUSED]

    def _arrange(self, new: list[str]) -> None:
        """Gives each new range a button; a range keeps its own, so that a second click on it takes no other one off."""
        self._names = [name if name in self._shown else "" for name in self._names]
        for name in new:
            if "" not in self._names:
                self.ranges.append(self._button(len(self._names)))
                self._names.append("")
            self._names[self._names.index("")] = name

    def _button(self, place: int) -> Any:
        button = pmui.Button(label=UNUSED, variant="text", size="small", margin=(2, 2), sx=HIDDEN)
        button.on_click(lambda _: self._take_off(place))
        return button

    def _take_off(self, place: int) -> None:
        if self._names[place] in self.selection.ranges:
            self.selection.unbrush(self._names[place])

    def _choose(self, event: Any) -> None:
        if list(event.new) != self.selection.classes:
            self.selection.show(*event.new)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(
            self.told,
            self.classes,
            self.clear,
            self.ranges,
            sizing_mode="stretch_width",
            margin=(0, 4),
            styles={"flex-wrap": "wrap", "align-items": "center"},
        )
