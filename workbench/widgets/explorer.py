"""What explorers share: one sample, one selection, one tagger, the open jet in all its pictures, in a cell or on a page."""

import time
from typing import Any, ClassVar

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data.events import Events
from ..data.jets import Jets
from ..physics.outliers import unusual
from ..state.comparison import SECOND, ComparisonState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..state.teaching import Teaching
from ..views.features import of_particles
from . import code, distributions
from .analysis import EXPRESS, SCORING, Analysis
from .errands import Errands
from .event_display import EventDisplay
from .jet_inspector import JetInspector
from .jet_table import JetTable
from .latency import hasten
from .menu import Menu
from .panes import line, pane, row, say
from .sample_switch import JetWalk

BEAT = 100
"""Milliseconds between two looks at what the errands and the worker have done."""

MEASURING = "finding unusual jets"

PATIENCE = 600.0
"""Seconds that `wait` waits at most if not told otherwise."""


STEPS = {"ArrowRight": 1, "ArrowLeft": -1, "n": 1, "p": -1}
"""Keys that open another jet of the selection, and how many further on."""


class Explorer(pn.viewable.Viewer):
    """Jets, the tagger that is looked at, and the open jet; those who inherit say in `build` and `viewers` what is beside it.

    Args:
        jets: The sample; it can be exchanged later with `show`.
        tagger: A fitted tagger that scores and explains the jets, or None.
        events: The events that the jets came from, where known; the column "event_index" of the jets names the event of each.
        beside: A second sample, compared with the first under the same selection.
    """

    postpones: ClassVar[bool] = False
    """True for a page that calls `complete` itself."""

    def __init__(
        self,
        jets: Jets | None = None,
        tagger: Any = None,
        *,
        events: Events | None = None,
        beside: Jets | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        hasten()
        behind = (SCORING, distributions.MEASURING, distributions.MEASURING_SECOND)
        self.errands = Errands(express=EXPRESS, behind=behind)
        self.sample = SampleState()
        self._selection = SelectionState(self.sample)
        self.analysis = Analysis(self.sample, self._selection, self.errands)
        self.comparison, self.teaching = ComparisonState(self._selection), Teaching()
        self.comparison.param.watch(self._put_beside, "reference")
        self.table = JetTable(self.sample, self._selection, self.teaching, self.comparison)
        self.table.wanted = self._measure
        self.inspector = JetInspector(self.sample, self._selection, self.analysis, self.comparison)
        self.display = EventDisplay(self.inspector.state)
        self.walk = JetWalk(self.comparison)
        self.failed = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown, in which HTML of a file or a user would run.
        self.told = pmui.Alert(self.failed, severity="error", visible=False, sizing_mode="stretch_width")
        self.errands.param.watch(self._say, "error")
        self._selection.param.watch(self._draw_first, "current")
        self.analysis.param.watch(self._draw_first, "explanation")
        self.analysis.param.watch(self._draw_second, "beside_explanation")
        self.comparison.param.watch(self._explain_second, "current")
        chosen = ["rule", "method", "attention", "opposed", "fitted", "signal", "background"]
        self.analysis.param.watch(self._explain_second, chosen)
        self.comparison.param.watch(self._draw, "walking")
        self._drawn: tuple[Any, ...] = (None,) * 5
        self._timer: Any = None
        self._shown: list[pn.viewable.Viewable] = []
        self.build()
        if jets is not None:
            self.show(jets, events)
        if beside is not None:
            self.beside = beside
        if tagger is not None:
            self.tagger = tagger

    def build(self) -> None:
        """Makes what is beside the open jet, before there is a sample."""
        raise NotImplementedError

    def follow(self) -> None:
        """Takes up what has happened beside the open jet since the last beat."""
        raise NotImplementedError

    def complete(self) -> None:
        """Shows what is below the first screen, once nothing above it is being drawn."""

    def show(self, jets: Jets, events: Events | None = None) -> None:
        """Shows another sample; the selection is taken off."""
        self.sample.take(jets, events=events)

    @property
    def jets(self) -> Jets:
        """The selected jets, in the order of the sample.

        Raises:
            SelectionError: there is no sample yet.
        """
        return self._selection.jets()

    @property
    def selection(self) -> SelectionState:
        """The selection that all panes share; an expression that is assigned to it replaces the one before.

        Raises:
            SelectionError: the assigned expression cannot be read.
        """
        return self._selection

    @selection.setter
    def selection(self, expression: str) -> None:
        self._selection.choose(expression)

    @property
    def beside(self) -> Jets | None:
        """The second sample, or None; one that is assigned is compared with the first everywhere."""
        return None if self.comparison.reference is None else self.comparison.reference.jets

    @beside.setter
    def beside(self, jets: Jets | None) -> None:
        if jets is None:
            self.comparison.clear()
        else:
            self.comparison.take(jets)

    @property
    def tagger(self) -> Any:
        """The fitted tagger that is looked at, or None."""
        return self.analysis.fitted

    @tagger.setter
    def tagger(self, fitted: Any) -> None:
        self.analysis.take(fitted, fitted.engine.network)

    @property
    def current(self) -> int | None:
        """Index in the sample of the open jet, or None; assign one to open another.

        Raises:
            SelectionError: there is no jet of the assigned index.
        """
        return self._selection.current

    @current.setter
    def current(self, index: int) -> None:
        self._selection.pick(index)

    def start(self) -> None:
        """Begins to take up what the session's threads have done; a page that is shown does it by itself."""
        if self._timer is None:
            self._timer = pn.state.add_periodic_callback(self.beat, period=BEAT)
            if pn.state.curdoc is not None:
                pn.state.on_session_destroyed(self.close)

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            self.errands.collect()
            self.inspector.beat()
            self.table.beat()
            self.follow()
        if self._shown:
            # In a notebook nothing else sends on what cells have changed in figures.
            pn.io.push_notebook(*self._shown)

    def wait(self, timeout: float = PATIENCE) -> None:
        """Waits until scores, numbers and relevance are there: a cell that needs them says so.

        Raises:
            TimeoutError: they are not there after `timeout` seconds.
        """
        ends = time.monotonic() + timeout
        while True:
            self.beat()
            if not self.errands.doing:
                return
            if time.monotonic() > ends:
                msg = f"After {timeout:g} s the explorer is still {self.errands.doing}; wait longer."
                raise TimeoutError(msg)
            time.sleep(BEAT / 1000)

    def close(self, *session: Any) -> None:
        """Ends the threads; what is shown stays as it is. A session that ends does it by itself."""
        self.errands.close()
        if self._timer is not None and not session:
            self._timer.stop()

    @property
    def viewers(self) -> pn.viewable.Viewable:
        """All panes."""
        raise NotImplementedError

    @property
    def open_jet(self) -> list[pn.viewable.Viewable]:
        """The panes of the open jet, from top to bottom."""
        inspector, whole = self.inspector, {"sizing_mode": "stretch_width", "margin": 0}
        left = pn.Column(self._event_display, inspector.others, **whole)
        right = pn.Column(inspector.__panel__(), inspector.account, **whole)
        return [row([left, right], width=380, most=2), inspector.listed]

    @property
    def _event_display(self) -> pn.viewable.Viewable:
        display = self.display
        menu = Menu(
            "event", figure=lambda: display.figure, data=display.table, code=self._code, sample=self.sample
        )
        return pane("Event display", self.walk, self.display, name="event", menu=menu)

    def _code(self) -> str:
        walked = self.comparison.walked
        return code.lines(walked.sample, None, f"print(jets.constituents[{walked.current or 0}].tolist())")

    def press(self, key: str) -> None:
        """Does what a key says: the next or the previous jet, another view of it, another cut."""
        with pn.io.hold():
            if key in STEPS:
                self.comparison.walked.step(STEPS[key])
            else:
                self.display.press(key)

    def ipywidget(self) -> Any:
        """Returns the explorer as an ipywidget, for hosts that know no other; needs the extra `widgets`."""
        return pn.ipywidget(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        # What cells need to draw comes from this installation; Panel's own default asks another host for it.
        if not pn.extension._loaded:
            pn.extension("tabulator", inline=True)
        # What is made after the cell is drawn would ask for its style sheets elsewhere, so all panes are made before.
        if self.current is None and self._selection.count:
            self._selection.step(1)
        self.wait()
        return super()._repr_mimebundle_(include, exclude)

    def _measure(self, name: str) -> bool:
        """Begins to make a column that is made when it is first asked for; False for any other."""
        sample = self.comparison.walked.sample
        jets = sample.jets
        if name != "unusual" or jets is None:
            return False

        def take(found: np.ndarray) -> None:
            if jets is sample.jets:
                sample.add(unusual=found)

        self.errands.send(MEASURING, lambda: unusual(jets), take)
        return True

    def _draw(self, *events: Any) -> None:
        """Shows the open jet of the sample that is walked through."""
        walked, second = self.comparison.walked, self.comparison.walking == SECOND
        jets, current = walked.sample.jets, walked.current
        explanation = self.analysis.beside_explanation if second else self.analysis.explanation
        shown = jets, walked.sample.events, explanation, current, second
        if all(new is old for new, old in zip(shown, self._drawn, strict=True)):
            # An explanation that was there at once has drawn the jet that it is of.
            return
        self._drawn = shown
        if jets is None or current is None:
            self.display.clear()
            return
        relevance = None if explanation is None else of_particles(explanation)
        self.display.show_jet(jets, current, relevance, walked.sample.events, apart=second)

    def _put_beside(self, *events: Any) -> None:
        self.analysis.param.update(beside=self.comparison.reference, beside_selection=self.comparison.beside)

    def _draw_first(self, *events: Any) -> None:
        if self.comparison.walking != SECOND:
            self._draw()

    def _draw_second(self, *events: Any) -> None:
        if self.comparison.walking == SECOND:
            self._draw()

    def _explain_second(self, *events: Any) -> None:
        if self.comparison.walking == SECOND:
            self.analysis.explain_beside(self.comparison.current)
            self._draw()

    def _say(self, *events: Any) -> None:
        say(self.failed, self.errands.error)
        self.told.visible = bool(self.errands.error)

    def __panel__(self) -> pn.viewable.Viewable:
        pn.state.onload(self.start)
        view = self.viewers
        if pn.state.curdoc is None:
            self._shown.append(view)
        return view
