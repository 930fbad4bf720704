"""The runs page: every fit that was asked for, to find, compare, open, repeat and put away."""

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..jobs.job import Job
from ..jobs.registry import Registry
from ..jobs.registry import registry as of_this_process
from ..jobs.submit import everyone
from ..state.runs import RunsState
from .address import Address
from .errands import Errands
from .frame import Frame
from .jobs_tray import JobsTray
from .owner import owner
from .panes import fill, line, pane, say
from .run_card import RunCard
from .run_comparison import RunComparison
from .run_table import RunTable

BEAT = 200
"""Milliseconds between two looks at the jobs of this server and at what the errands have done."""

AGAIN = 25
"""Beats after which the registry is asked again: other servers and scripts may write it."""

GROWS = 10
"""Beats after which the curves of a run that goes on are read again."""

LISTING = "listing the runs"


class RunsPage:
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(
        self,
        registry: Callable[[], Registry] = of_this_process,
        jobs: Callable[[], list[Job]] = everyone,
    ) -> None:
        """Takes what gives the registry and the jobs of this server; both are called once the page is painted."""
        self.registry, self.jobs = registry, jobs
        self.errands = Errands()
        self.state = RunsState()
        self.address = Address(self.state)
        self.table: RunTable | None = None
        whose = owner()
        self.card = RunCard(self.state, registry, jobs, self.errands, self.list, whose)
        self.comparison = RunComparison(self.state, registry, self.errands)
        self.content = pn.Column(
            pane("Runs", line("The runs are being listed."), name="runs"),
            sizing_mode="stretch_width",
            margin=0,
        )
        self.failed = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown, in which HTML of a file or a user would run.
        self.told = pmui.Alert(self.failed, severity="error", visible=False, sizing_mode="stretch_width")
        self.unread = line(variant="caption")
        self.tray = JobsTray(whose)
        self.frame = Frame(main=[self.main], tray=self.tray, errands=self.errands)
        self._beats, self._news = 0, False
        self.errands.param.watch(self._say, "error")
        self.state.param.watch(self._lay_out, ["listed", "runs"])

    def start(self) -> None:
        """Reads the address and lists the runs; to be called once the page is painted."""
        self.address.read()
        self.list()
        pn.state.add_periodic_callback(self.beat, period=BEAT)
        pn.state.on_session_destroyed(self.errands.close)

    def list(self, *, quiet: bool = False) -> None:
        """Asks the registry for its runs."""
        self.errands.send(LISTING, lambda: self.registry().runs(), self._take, quiet=quiet)

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            self.errands.collect()
            self._beats += 1
            self._news |= self.state.poll(self.jobs())
            if not self.errands.waiting:
                if self._news or self._beats % AGAIN == 0:
                    self._news = False
                    self.list(quiet=True)
                elif self.comparison.goes_on and self._beats % GROWS == 0:
                    self.comparison.read(quiet=True)
            if self.table is not None:
                self.table.beat()
            self.tray.beat()
            self.address.beat()

    def _take(self, runs: Any) -> None:
        self.state.take(runs)
        number = self.registry().unread
        entries = "entries" if number != 1 else "entry"
        say(self.unread, f"{number} {entries} of the list could not be read." if number else "")
        self.address.begin()

    def _lay_out(self, *events: Any) -> None:
        """Shows the table once there are runs; an empty registry is one sentence and one button."""
        if self.table is not None:
            return
        if self.state.runs:
            self.table = RunTable(self.state)
            fill(self.content, [self.table, self.card, self.comparison])
        elif self.state.listed:
            train = pmui.Button(
                label="Train one on the jets page", href="jets", variant="contained", margin=6
            )
            self.content[:] = [
                pane("Runs", line("No network has been trained yet.", variant="body1"), train, name="runs")
            ]

    @property
    def main(self) -> pn.viewable.Viewable:
        """The panes."""
        return pn.Column(
            self.told, self.address, self.unread, self.content, sizing_mode="stretch_width", margin=(0, 8)
        )

    def _say(self, *events: Any) -> None:
        say(self.failed, self.errands.error)
        self.told.visible = bool(self.errands.error)
