"""An explorer as a page of its own: the frame around it, the sample and the network that its steps open, its address, its jobs."""

from typing import ClassVar

import panel as pn
import panel_material_ui as pmui

from ..jobs.job import Job
from ..jobs.submit import warm
from ..physics.roc import Roc
from .analysis import EXPRESS
from .explorer import Explorer
from .explorer_link import ExplorerLink
from .frame import Frame, RunChip, SampleChip
from .jobs_tray import JobsTray
from .networks import Networks
from .owner import owner
from .panes import line
from .sample_picker import READING, SamplePicker
from .training_panel import is_fit

SIDEBAR = 300
"""Width of the steps in screen units."""

UNDISTURBED = 6
"""Beats of a painted page, on which no jet is being opened, after which it is completed."""

IDLE = 40
"""Beats without an errand after which the workers are started that the first job will need."""


class ExplorerPage(Explorer):
    """Everything on the page of one session; `start` begins to work once the page is painted.

    Those who inherit, together with an explorer, make in `equip` what opens a network, and `link`.
    """

    network_step: ClassVar[str]
    ahead: ClassVar[tuple[str, ...]] = ("open", "explain")
    postpones: ClassVar[bool] = True
    link: ExplorerLink

    def __init__(self) -> None:
        super().__init__()
        self.owner = owner()
        self._painted = self._completed = self._warm = False
        self._undisturbed = self._idle = 0
        self.picker = SamplePicker(
            self.sample, self.selection, self.errands, self.comparison, owner=self.owner
        )
        self.networks = Networks(self.analysis, self.errands, self.picker.files)
        self.steps = self._steps(self.equip())
        self.tray = JobsTray(self.owner, self._open_job)
        self.frame = Frame(
            main=[self.viewers],
            sidebar=[self.steps],
            steps=("Data", "Network"),
            sample_chip=SampleChip(self.sample, self.errands),
            run_chip=RunChip(self.analysis, self.curve),
            tray=self.tray,
            teaching=self.teaching,
            errands=self.errands,
        )
        self.frame.keys.param.watch(lambda event: self.press(self.frame.keys.key), "pressed")

    def equip(self) -> list[pn.viewable.Viewable | pn.viewable.Viewer]:
        """Makes `link` and what opens a network, and returns what stands in the step of the network."""
        raise NotImplementedError

    def open_fit(self, job: Job) -> None:
        """Opens the network that a job has trained."""
        raise NotImplementedError

    def offer(self) -> None:
        """Makes what can be done beside looking, once a painted page stands still."""

    def curve(self) -> Roc | None:
        """Returns the measured ROC curve of the network, where the page measures one."""
        return None

    def prepare(self) -> None:
        """Makes what the first jet is shown in."""
        self.inspector.prepare()
        self.display.prepare()

    @property
    def expecting(self) -> bool:
        """Whether the first sample is still being read."""
        return self.sample.jets is None and READING in self.errands.waiting

    def begin(self) -> None:
        """Reads the address and sends for the sample that it names."""
        for close in (self.errands.close, self.picker.close):
            pn.state.on_session_destroyed(close)
        self.link.begin()

    def start(self) -> None:
        """Opens what else the address names; to be called once the page is painted."""
        super().start()
        self._painted = True
        self.link.start()

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
            self.picker.beat()
            self.link.beat()
            self.tray.beat()
        self._go_further()

    def _go_further(self) -> None:
        """Does once each what a page needs later, when the one before it is drawn or done."""
        drawing = not self.inspector.pulse.ready or bool(EXPRESS & self.errands.waiting)
        self._undisturbed = self._undisturbed + 1 if self._painted and not drawing else 0
        if self._undisturbed >= UNDISTURBED and not self._completed:
            self._completed = True
            with pn.io.hold():
                self.complete()
                self.offer()
        self._idle = 0 if self.errands.waiting else self._idle + 1
        if self._idle >= IDLE and not self._warm:
            # Workers are processes that take both cores of a laptop while they start.
            self._warm = True
            warm()

    def press(self, key: str) -> None:
        """Does what a key says; "/" writes a selection."""
        if key == "/":
            self.picker.expression.focus()
        else:
            super().press(key)

    def _steps(self, opening: list[pn.viewable.Viewable | pn.viewable.Viewer]) -> pn.Column:
        return pn.Column(
            self.link.address,
            line("1  Data", variant="h6"),
            self.picker,
            pmui.Divider(sizing_mode="stretch_width"),
            line(f"2  {self.network_step}", variant="h6"),
            *opening,
            width=SIDEBAR,
            margin=(0, 10),
        )

    def _open_job(self, job: Job) -> None:
        if is_fit(job, self.owner):
            self.open_fit(job)
        else:
            self.errands.send(
                "opening the simulated jets",
                job.result,
                lambda jets: self.picker.take_job(job, jets),
            )
