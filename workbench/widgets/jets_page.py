"""The jets page: the explorer and the steps beside it, data, network and training."""

import panel as pn
import panel_material_ui as pmui

from ..jobs.job import Job
from ..physics.roc import Roc
from .frame import Frame, RunChip, SampleChip
from .jet_explorer import JetExplorer
from .jets_link import JetsLink
from .jobs_tray import JobsTray
from .networks import Networks
from .owner import owner
from .panes import line
from .sample_picker import SamplePicker
from .training_panel import TrainingPanel, is_fit

SIDEBAR = 300
"""Width of the steps in screen units."""


class JetsPage(JetExplorer):
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = owner()
        self.picker = SamplePicker(
            self.sample, self.selection, self.errands, self.comparison, owner=self.owner
        )
        self.networks = Networks(self.analysis, self.errands, self.picker.files)
        self.link = JetsLink(self.picker, self.networks, self)
        self.training = TrainingPanel(self.sample, self.selection, self.analysis, self.errands, self.owner)
        self.tray = JobsTray(self.owner, self._open_job)
        self.frame = Frame(
            "Jets",
            main=[self.viewers],
            sidebar=[self.steps],
            steps=("Data", "Network"),
            sample_chip=SampleChip(self.sample, self.errands),
            run_chip=RunChip(self.analysis, self._curve),
            tray=self.tray,
            teaching=self.teaching,
            errands=self.errands,
        )
        self.frame.keys.param.watch(lambda event: self.press(self.frame.keys.key), "pressed")

    def start(self) -> None:
        """Reads the first sample, and what needs torch after it; to be called once the page is painted."""
        super().start()
        self.link.start()
        pn.state.on_session_destroyed(self.picker.close)
        self.training.load()

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
            self.picker.beat()
            self.link.beat()
            self.training.beat()
            self.tray.beat()

    def press(self, key: str) -> None:
        """Does what a key says; "/" writes a selection."""
        if key == "/":
            self.picker.expression.focus()
        else:
            super().press(key)

    @property
    def steps(self) -> pn.viewable.Viewable:
        """The steps: data, network and training."""
        return pn.Column(
            self.link.address,
            line("1  Data", variant="h6"),
            self.picker,
            pmui.Divider(sizing_mode="stretch_width"),
            line("2  Network and training", variant="h6"),
            self.training,
            width=SIDEBAR,
            margin=(0, 10),
        )

    def _curve(self) -> Roc | None:
        measured = self.performance.measured
        return None if measured is None else measured.curve

    def _open_job(self, job: Job) -> None:
        if is_fit(job, self.owner):
            self.training.open(job)
        else:
            self.errands.send(
                "opening the simulated jets",
                job.result,
                lambda jets: self.picker.take_simulated(jets, key=job.id),
            )
