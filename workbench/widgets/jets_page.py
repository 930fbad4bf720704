"""The jets page: its viewers around one sample, one selection and one tagger."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state.sample import SampleState
from ..state.selection import SelectionState
from .analysis import EXPLAINING, Analysis
from .distributions import Distributions
from .errands import Errands, public
from .jet_inspector import JetInspector
from .jet_table import JetTable
from .panes import line, row, say
from .performance import Performance
from .sample_picker import SamplePicker
from .training_panel import TrainingPanel

BEAT = 100
"""Milliseconds between two looks at what the errands and the worker have done."""

SIDEBAR = 300
"""Width of the steps in screen units."""

TAGGER = "tagger"
"""The bundled tagger that is looked at until one is trained."""


class JetsPage:
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(self) -> None:
        self.errands = Errands(express={EXPLAINING})
        self.sample = SampleState()
        self.selection = SelectionState(self.sample)
        self.analysis = Analysis(self.sample, self.selection, self.errands)
        self.picker = SamplePicker(self.sample, self.selection, self.errands)
        self.training = TrainingPanel(self.sample, self.selection, self.analysis, self.errands)
        self.distributions = Distributions(self.sample, self.selection, self.errands)
        self.performance = Performance(self.analysis, self.errands)
        self.table = JetTable(self.sample, self.selection)
        self.inspector = JetInspector(self.sample, self.selection, self.analysis)
        self.analysis.param.watch(lambda event: self.distributions.cut(event.new), "cut")
        self.failed = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown, in which HTML of a file or a user would run.
        self.told = pmui.Alert(self.failed, severity="error", visible=False, sizing_mode="stretch_width")
        self.doing = line("", variant="caption", styles={"color": "white"})
        self.bar = pmui.LinearProgress(variant="indeterminate", visible=False, sizing_mode="stretch_width")
        self.errands.param.watch(self._say, ["doing", "error"])

    def start(self) -> None:
        """Reads the first sample, and what needs torch after it; to be called once the page is painted."""
        self.picker.open(self.picker.choice.value)
        self.training.load()
        self.errands.send("opening the bundled tagger", _bundled_tagger, self._take_bundled)
        pn.state.add_periodic_callback(self.beat, period=BEAT)
        pn.state.on_session_destroyed(self.errands.close)

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            self.errands.collect()
            self.picker.beat()
            self.training.beat()

    @property
    def header(self) -> pn.viewable.Viewable:
        """What is being done."""
        return pn.Column(
            self.doing, self.bar, width=240, align="center", margin=(0, 30), styles={"color": "white"}
        )

    @property
    def sidebar(self) -> pn.viewable.Viewable:
        """The steps: data, network and training."""
        return pn.Column(
            line("1  Data", variant="h6"),
            self.picker,
            pmui.Divider(sizing_mode="stretch_width"),
            line("2  Network and training", variant="h6"),
            self.training,
            width=SIDEBAR,
            margin=(0, 10),
        )

    @property
    def main(self) -> pn.viewable.Viewable:
        """The panes."""
        return pn.Column(
            self.told,
            self.distributions,
            row([self.table.__panel__(), self.inspector.__panel__()], width=380, most=2),
            self.inspector.more,
            self.performance,
            sizing_mode="stretch_width",
            margin=(0, 8),
        )

    def _take_bundled(self, fitted: Any) -> None:
        if self.analysis.fitted is None:
            self.analysis.take(fitted, f"Bundled {fitted.engine.network}")

    def _say(self, *events: Any) -> None:
        self.bar.visible = bool(self.errands.doing)
        say(self.doing, self.errands.doing)
        say(self.failed, self.errands.error)
        self.told.visible = bool(self.errands.error)


def _bundled_tagger() -> Any:
    return public("open")(public("bundled")(TAGGER))
