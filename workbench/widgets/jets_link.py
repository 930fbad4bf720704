"""What the address of the jets page says, opened piece by piece; and what the page shows, written into its address."""

import re
from typing import Any

from ..errors import DataError, JobError
from ..jobs.folder import checked
from ..jobs.registry import registry
from ..state.comparison import ComparisonState
from ..state.display import VIEWS, DisplayState
from ..state.link import LinkState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from .address import Address
from .analysis import RULES, Analysis
from .errands import Errands
from .sample_picker import SamplePicker

FIRST = "jets"
"""The sample of a page whose address names none."""
BUNDLED, RUN = "bundled", "run:"
OF_RUN = re.compile(r"registry\(\)\.open\('(\w+)'\)")


def check_network(name: str) -> None:
    """Raises a sentence for a network that a link cannot name."""
    if name != BUNDLED and not name.startswith(RUN):
        msg = f"There is no network {name[:60]!r}; a link says “{BUNDLED}” or “{RUN}” with the name of a run."
        raise DataError(msg)
    if name.startswith(RUN):
        checked(name.removeprefix(RUN))


class JetsLink:
    """Opens what a link says and keeps the address in step; `address` is its place on the page, with its notice."""

    def __init__(
        self,
        picker: SamplePicker,
        sample: SampleState,
        selection: SelectionState,
        comparison: ComparisonState,
        analysis: Analysis,
        errands: Errands,
        display: DisplayState | None = None,
    ) -> None:
        self.picker, self.sample, self.selection = picker, sample, selection
        self.comparison, self.analysis, self.errands, self.display = comparison, analysis, errands, display
        self.link = LinkState(
            {
                "sample": picker.check,
                "beside": picker.check,
                "network": check_network,
                "rule": RULES,
                "view": list(VIEWS),
            }
        )
        self.address = Address(self.link, self._capture)
        self._begun = False

    def start(self) -> None:
        """Reads the address and begins to open what it names; to be called once the page is painted."""
        self.address.read()
        self.sample.param.watch(self._on_sample, "jets")
        self.sample.param.watch(self._on_version, "version")
        if self.link.rule:
            self.analysis.rule = self.link.rule
        if self.link.view and self.display is not None:
            self.display.view = self.link.view
        self.picker.open(self.link.sample or FIRST)
        if self.link.beside:
            self.picker.open_beside(self.link.beside)
        if self.link.network.startswith(RUN):
            self._open_run(self.link.network.removeprefix(RUN))

    def beat(self) -> None:
        """Writes the address once the view is still; called by the page's timer."""
        self.address.beat()

    def _on_sample(self, *events: Any) -> None:
        wanted, first = self.link.sample or FIRST, not self._begun
        self._begun = True
        self.link.forget()
        if first and self.sample.id == wanted:
            self.link.apply(self.sample, self.selection)
        self.address.begin()

    def _on_version(self, *events: Any) -> None:
        if self._begun:
            self.link.resume(self.sample, self.selection)

    def _open_run(self, identity: str) -> None:
        source = f"wb.registry().open({identity!r})"

        def work() -> Any:
            try:
                return registry().open(identity), registry().run(identity)
            except JobError as error:
                return error

        def take(found: Any) -> None:
            if isinstance(found, JobError):
                self.link.notices = [*self.link.notices, str(found)]
            else:
                fitted, run = found
                learned = {**run.note, "selection": run.sample.get("selection", "")}
                self.analysis.take(fitted, run.name, source=source, learned=learned)

        self.errands.send("opening the run", work, take)

    def _capture(self) -> None:
        self.link.capture(self.sample, self.selection, self.comparison.reference)
        run = OF_RUN.search(self.analysis.source)
        rule, display = self.analysis.rule, self.display
        self.link.param.update(
            network=f"{RUN}{run[1]}" if run else "",
            rule=rule if rule != RULES[0] else "",
            view=display.view if display is not None and display.view != VIEWS[0] else "",
        )
