"""What the address of the jets page says, opened piece by piece; and what the page shows, written into its address."""

import re
from typing import Any

from ..errors import DataError, JobError, nearest
from ..jobs.folder import checked
from ..jobs.registry import registry
from ..state.display import VIEWS
from ..state.link import LinkState
from . import jet_views
from .address import Address
from .analysis import RULES
from .distributions import SHOWN
from .jet_explorer import JetExplorer
from .performance import LESSON_OF_TAB
from .sample_picker import SamplePicker

FIRST = "jets"
"""The sample of a page whose address names none."""
BUNDLED, RUN = "bundled", "run:"
NONE = "none"
"""No distribution at all."""
TABS = (*jet_views.LESSON_OF_TAB, *LESSON_OF_TAB)
"""Names of the tabs of the page."""
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

    def __init__(self, picker: SamplePicker, explorer: JetExplorer) -> None:
        self.picker, self.explorer = picker, explorer
        self.sample, self.selection = explorer.sample, explorer.selection
        self.comparison, self.analysis = explorer.comparison, explorer.analysis
        self.errands, self.display = explorer.errands, explorer.display
        self._tabs: list[str] = []
        self.link = LinkState(
            {
                "sample": picker.check,
                "beside": picker.check,
                "network": check_network,
                "rule": RULES,
                "view": list(VIEWS),
                "tab": TABS,
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
        if self.link.view:
            self.display.state.view = self.link.view
        self._say(self.display.from_link(self.link.display))
        self._tabs = list(self.link.tabs)
        self.picker.open(self.link.sample or FIRST)
        if self.link.beside:
            self.picker.open_beside(self.link.beside)
        if self.link.network.startswith(RUN):
            self._open_run(self.link.network.removeprefix(RUN))

    def beat(self) -> None:
        """Opens tabs that have come, writes the address once the view is still; called by the page's timer."""
        self._open_tabs()
        self.address.beat()

    def _on_sample(self, *events: Any) -> None:
        wanted, first = self.link.sample or FIRST, not self._begun
        self._begun = True
        self.link.forget()
        if first and self.sample.id == wanted:
            self.link.apply(self.sample, self.selection)
            self._show()
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
                self._say([str(found)])
            else:
                fitted, run = found
                learned = {**run.note, "selection": run.sample.get("selection", "")}
                self.analysis.take(fitted, run.name, source=source, learned=learned)

        self.errands.send("opening the run", work, take)

    def _capture(self) -> None:
        self.link.capture(self.sample, self.selection, self.comparison.reference)
        run = OF_RUN.search(self.analysis.source)
        rule, view = self.analysis.rule, self.display.state.view
        self.link.param.update(
            network=f"{RUN}{run[1]}" if run else "",
            rule=rule if rule != RULES[0] else "",
            view=view if view != VIEWS[0] else "",
            display=self.display.to_link(),
            shown=self._shown(),
            tabs=[*self._tabs, *(names[tabs.active] for names, tabs in self._made() if tabs.active)],
        )

    def _say(self, notices: list[str]) -> None:
        self.link.notices = [*self.link.notices, *notices]

    def _show(self) -> None:
        """Shows the distributions that the link names."""
        shown, wanted = self.explorer.distributions.shown, self.link.shown
        known = [name for name in wanted if name in shown.options]
        if known or wanted == [NONE]:
            shown.value = known
        missing = [name for name in wanted if name not in (*known, NONE)]
        self._say([f"There is no distribution {x[:60]!r}; {nearest(x, shown.options)}" for x in missing])

    def _shown(self) -> list[str]:
        """What is shown, if it is not the usual."""
        shown = self.explorer.distributions.shown
        usual = [name for name in SHOWN if name in shown.options]
        return [] if shown.value == usual else list(shown.value) or [NONE]

    def _made(self) -> list[tuple[tuple[str, ...], Any]]:
        """The tabs that are there by now, with their names in a link; they are made when they are first needed."""
        inspector, performance = self.explorer.inspector, self.explorer.performance
        made = [(jet_views.LESSON_OF_TAB, inspector.tabs)] if len(inspector.below) else []
        return made + ([(LESSON_OF_TAB, performance.tabs)] if len(performance.content) else [])

    def _open_tabs(self) -> None:
        for names, tabs in self._made() if self._tabs else ():
            for name in [name for name in self._tabs if name in names]:
                tabs.active = names.index(name)
                self._tabs.remove(name)
