"""Which of two samples one walks through."""

from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state.comparison import FIRST, SECOND, ComparisonState
from .panes import line, say, unseen


class SampleSwitch(pn.viewable.Viewer):
    """The choice between the first and the second sample, there while there is a second."""

    def __init__(self, comparison: ComparisonState, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.comparison = comparison
        self.choice = pmui.RadioButtonGroup(
            label="Jets of", options=[FIRST, SECOND], value=comparison.walking, size="small", margin=(4, 6)
        )
        self.place = unseen(self.choice)
        self.choice.param.watch(lambda event: comparison.param.update(walking=event.new), "value")
        comparison.param.watch(self._follow, ["reference", "walking"])
        self._follow()

    def _follow(self, *events: Any) -> None:
        self.place.visible = self.comparison.reference is not None
        self.choice.value = self.comparison.walking

    def __panel__(self) -> pn.viewable.Viewable:
        return self.place


class JetWalk(pn.viewable.Viewer):
    """The same choice with the steps to the next and the previous jet, and what the other panes show meanwhile."""

    def __init__(self, comparison: ComparisonState, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.comparison = comparison
        self.switch = SampleSwitch(comparison)
        self.previous = pmui.Button(label="Previous jet", variant="outlined", size="small", margin=(4, 4))
        self.next = pmui.Button(label="Next jet", variant="outlined", size="small", margin=(4, 4))
        self.told = line(variant="caption")
        self.previous.on_click(partial(self._step, -1))
        self.next.on_click(partial(self._step, 1))
        steps = pn.Row(self.previous, self.next, self.told, sizing_mode="stretch_width", margin=0)
        self.place = unseen(self.switch, steps)
        comparison.param.watch(self._follow, ["reference", "walking"])
        self._follow()

    def _step(self, by: int, *events: Any) -> None:
        self.comparison.walked.step(by)

    def _follow(self, *events: Any) -> None:
        comparison = self.comparison
        self.place.visible = comparison.reference is not None
        if comparison.walking == SECOND:
            # The second sample has no open jet before the first step.
            if comparison.walked.current is None:
                comparison.walked.step(1)
            say(self.told, "A jet of the second sample; the other panes stay with the open jet of the first.")
        else:
            say(self.told, "")

    def __panel__(self) -> pn.viewable.Viewable:
        return self.place
