"""The jets page: the explorer and the steps beside it, data, network and training."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from .errands import public
from .jet_explorer import JetExplorer
from .panes import line, say
from .sample_picker import SamplePicker
from .training_panel import TrainingPanel

SIDEBAR = 300
"""Width of the steps in screen units."""

TAGGER = "tagger"
"""The bundled tagger that is looked at until one is trained."""


class JetsPage(JetExplorer):
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.picker = SamplePicker(self.sample, self.selection, self.errands)
        self.training = TrainingPanel(self.sample, self.selection, self.analysis, self.errands)
        self.doing = line("", variant="caption", styles={"color": "white"})
        self.bar = pmui.LinearProgress(variant="indeterminate", visible=False, sizing_mode="stretch_width")
        self.errands.param.watch(self._show_doing, "doing")

    def start(self) -> None:
        """Reads the first sample, and what needs torch after it; to be called once the page is painted."""
        super().start()
        self.picker.open(self.picker.choice.value)
        self.training.load()
        self.errands.send("opening the bundled tagger", _bundled_tagger, self._take_bundled)

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
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

    def _take_bundled(self, fitted: Any) -> None:
        if self.tagger is None:
            self.analysis.take(fitted, f"Bundled {fitted.engine.network}")

    def _show_doing(self, *events: Any) -> None:
        self.bar.visible = bool(self.errands.doing)
        say(self.doing, self.errands.doing)


def _bundled_tagger() -> Any:
    return public("open")(public("bundled")(TAGGER))
