"""Jets explored: distributions to brush, the open jet, the table, and how good the tagger is."""

import panel as pn

from .cell import Cell
from .distributions import Distributions
from .explorer import Explorer
from .panes import row, served
from .performance import Performance


class JetExplorer(Explorer):
    """Jets to look at, brush, sort and open, and what a tagger makes of them; shown as the last line of a cell.

        explorer = wb.JetExplorer(jets, tagger)
        explorer.selection = "pt > 600"     # what is shown follows
        explorer.jets                       # and what is brushed on the screen is read here

    Args:
        jets: The sample; it can be exchanged later with `show`.
        tagger: A fitted tagger that scores and explains the jets, or None.
        events: The events that the jets came from, where known; the column "event_index" of the jets names the event of each.
        beside: A second sample, compared with the first under the same selection.
    """

    def build(self) -> None:
        """Makes the distributions and what measures the tagger."""
        self.distributions = Distributions(
            self.sample,
            self._selection,
            self.errands,
            comparison=self.comparison,
            teaching=self.teaching,
            giving=self.analysis.giving,
        )
        self.distributions.moved = self.analysis.at
        # What follows the hand comes first.
        self.table.waits = lambda: not self.distributions.pulse.ready
        self.performance = Performance(self.analysis, self.errands)
        self.analysis.param.watch(lambda event: self.distributions.cut(event.new), "cut")
        self.below = pn.Column(sizing_mode="stretch_width", margin=0)

    def follow(self) -> None:
        """Takes up what the distributions have found since the last beat."""
        self.distributions.beat()

    def complete(self) -> None:
        """Shows the table of jets and how good the tagger is: half of what a browser builds for the page."""
        if not len(self.below):
            self.below[:] = [row([self.table.__panel__(), self.performance.__panel__()], width=380, most=2)]

    @property
    def viewers(self) -> pn.viewable.Viewable:
        """All panes; the last ones come later where the page `postpones` them."""
        if not (self.postpones and served()):
            self.complete()
        return Cell(
            self.told,
            self.distributions,
            *self.open_jet,
            self.below,
            sizing_mode="stretch_width",
            margin=(0, 8),
        )
