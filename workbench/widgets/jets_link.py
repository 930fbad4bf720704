"""What the address of the jets page says beside what every explorer's does: distributions, and tabs of performance."""

from typing import Any

from ..errors import nearest
from .distributions import SHOWN
from .explorer_link import ExplorerLink
from .jet_explorer import JetExplorer
from .networks import Networks
from .performance import LESSON_OF_TAB
from .sample_picker import SamplePicker

NONE = "none"
"""No distribution at all."""


class JetsLink(ExplorerLink):
    """Opens what a link says and keeps the address in step; `address` is its place on the page, with its notice."""

    def __init__(self, picker: SamplePicker, networks: Networks, explorer: JetExplorer) -> None:
        super().__init__(picker, networks, explorer, LESSON_OF_TAB)
        self.distributions, self.performance = explorer.distributions, explorer.performance

    def show(self) -> None:
        """Shows the distributions that the link names, in its bins."""
        shown, wanted = self.distributions.shown, self.link.shown
        known = [name for name in wanted if name in shown.options]
        if known or wanted == [NONE]:
            shown.value = known
        missing = [name for name in wanted if name not in (*known, NONE)]
        self._say([f"There is no distribution {x[:60]!r}; {nearest(x, shown.options)}" for x in missing])
        for name, bins in self.link.bins.items():
            self.distributions.binning.use(name, bins)

    def shown(self) -> dict[str, Any]:
        """Returns which distributions are shown, if not the usual, and which bins are not."""
        shown = self.distributions.shown
        usual = [name for name in SHOWN if name in shown.options]
        seen = {name: self.distributions.histograms[name] for name in shown.value}
        return {
            "shown": [] if shown.value == usual else list(shown.value) or [NONE],
            "bins": {name: h.bins for name, h in seen.items() if h.bins != h.observable.bins},
        }

    def offered(self) -> dict[str, Any]:
        """Returns what can be chosen, of the distributions too."""
        distributions = self.distributions
        axes = {"log": distributions.logarithmic, "by-difference": distributions.by_difference}
        return {**super().offered(), **axes}

    def made(self) -> list[tuple[tuple[str, ...], Any]]:
        """Returns the tabs that are there by now, those of performance too."""
        performance = self.performance
        made = [(LESSON_OF_TAB, performance.tabs)] if len(performance.content) else []
        return [*super().made(), *made]
