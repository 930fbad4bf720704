"""The relevance page: the explorer and the steps beside it, data and network."""

import panel as pn

from ..jobs.job import Job
from .explorer_page import ExplorerPage
from .networks import RUN, NetworkPicker
from .panes import line
from .relevance_explorer import RelevanceExplorer
from .relevance_link import RelevanceLink

TRAIN = "Networks are trained on the jets page; a file of your own is found below WORKBENCH_DATA."


class RelevancePage(ExplorerPage, RelevanceExplorer):
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    network_step = "Network"

    def equip(self) -> list[pn.viewable.Viewable | pn.viewable.Viewer]:
        """Makes the link and the picker of networks."""
        self.network = NetworkPicker(self.networks)
        self.link = RelevanceLink(self.picker, self.networks, self)
        self._opened = False
        return [self.network, line(TRAIN, variant="caption")]

    def open_fit(self, job: Job) -> None:
        """Opens the network that a job has trained."""
        self.networks.open(f"{RUN}{job.id}", self.network.fail)

    def start(self) -> None:
        """Lists the networks and opens one; to be called once the page is painted."""
        super().start()
        self.network.load()

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            super().beat()
            self._open_first()

    def _open_first(self) -> None:
        """Opens a jet once there are some: a page about one jet does not begin with none."""
        if not self._opened and self.sample.jets is not None:
            self._opened = True
            if self.current is None and self.selection.count:
                self.selection.step(1)
