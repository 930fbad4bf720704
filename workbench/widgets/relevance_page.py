"""The relevance page: the explorer and the steps beside it, data and network."""

import panel as pn
import panel_material_ui as pmui

from ..jobs.job import Job
from ..jobs.submit import warm
from .frame import Frame, RunChip, SampleChip
from .jobs_tray import JobsTray
from .networks import RUN, NetworkPicker, Networks
from .owner import owner
from .panes import line
from .relevance_explorer import RelevanceExplorer
from .relevance_link import RelevanceLink
from .sample_picker import SamplePicker
from .training_panel import is_fit

SIDEBAR = 300
"""Width of the steps in screen units."""

TRAIN = "Networks are trained on the jets page; a file of your own is found below WORKBENCH_DATA."


class RelevancePage(RelevanceExplorer):
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = owner()
        self.picker = SamplePicker(
            self.sample, self.selection, self.errands, self.comparison, owner=self.owner
        )
        self.networks = Networks(self.analysis, self.errands, self.picker.files)
        self.network = NetworkPicker(self.networks)
        self.link = RelevanceLink(self.picker, self.networks, self)
        self.tray = JobsTray(self.owner, self._open_job)
        self._opened = False
        self.frame = Frame(
            "Relevance",
            main=[self.viewers],
            sidebar=[self.steps],
            steps=("Data", "Network"),
            sample_chip=SampleChip(self.sample, self.errands),
            run_chip=RunChip(self.analysis),
            tray=self.tray,
            teaching=self.teaching,
            errands=self.errands,
        )
        self.frame.keys.param.watch(lambda event: self.press(self.frame.keys.key), "pressed")

    def start(self) -> None:
        """Reads sample and network; to be called once the page is painted."""
        super().start()
        self.link.start()
        pn.state.on_session_destroyed(self.picker.close)
        self.network.load()
        warm()

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
            self.picker.beat()
            self.link.beat()
            self.tray.beat()
            self._open_first()

    def press(self, key: str) -> None:
        """Does what a key says; "/" writes a selection."""
        if key == "/":
            self.picker.expression.focus()
        else:
            super().press(key)

    @property
    def steps(self) -> pn.viewable.Viewable:
        """The steps: data and network."""
        return pn.Column(
            self.link.address,
            line("1  Data", variant="h6"),
            self.picker,
            pmui.Divider(sizing_mode="stretch_width"),
            line("2  Network", variant="h6"),
            self.network,
            line(TRAIN, variant="caption"),
            width=SIDEBAR,
            margin=(0, 10),
        )

    def _open_first(self) -> None:
        """Opens a jet once there are some: a page about one jet does not begin with none."""
        if not self._opened and self.sample.jets is not None:
            self._opened = True
            if self.current is None and self.selection.count:
                self.selection.step(1)

    def _open_job(self, job: Job) -> None:
        if is_fit(job, self.owner):
            self.networks.open(f"{RUN}{job.id}", self.network.fail)
        else:
            self.errands.send(
                "opening the simulated jets",
                job.result,
                lambda jets: self.picker.take_simulated(jets, key=job.id),
            )
