"""The jets page: the explorer and the steps beside it, data, network and training."""

import panel as pn

from ..jobs.job import Job
from ..physics.roc import Roc
from .explorer_page import ExplorerPage
from .jet_explorer import JetExplorer
from .jets_link import JetsLink
from .training_panel import TrainingPanel


class JetsPage(ExplorerPage, JetExplorer):
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    network_step = "Network and training"

    def equip(self) -> list[pn.viewable.Viewable | pn.viewable.Viewer]:
        """Makes the link and the panel that trains."""
        self.link = JetsLink(self.picker, self.networks, self)
        self.training = TrainingPanel(self.sample, self.selection, self.analysis, self.errands, self.owner)
        return [self.training]

    def open_fit(self, job: Job) -> None:
        """Opens the network that a job has trained."""
        self.training.open(job)

    def curve(self) -> Roc | None:
        """Returns the measured ROC curve of the network."""
        measured = self.performance.measured
        return None if measured is None else measured.curve

    def offer(self) -> None:
        """Makes the form of the training, which needs torch."""
        self.training.load()

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
            self.training.beat()
