"""Relevance explored: one jet in all its pictures, what if it were another, what a sample says, and whether to trust it."""

from typing import Any

import numpy as np
import panel as pn

from ..physics.observables import observables
from .cell import Cell
from .explorer import Explorer
from .sections import Sections

DESCRIBING = "measuring the jets"
TOLD = ("multiplicity", "sd_mass")
"""Observables of the table."""


class RelevanceExplorer(Explorer):
    """What a tagger looks at, in one jet and in a sample; shown as the last line of a cell.

        explorer = wb.RelevanceExplorer(jets, tagger)
        explorer.current = 7                # opens a jet
        explorer.analysis.explanation       # and what is explained on the screen is read here

    Args:
        jets: The sample; it can be exchanged later with `show`.
        tagger: A fitted tagger, which is explained.
        events: The events that the jets came from, where known; the column "event_index" of the jets names the event of each.
        beside: A second sample, compared with the first under the same selection.
    """

    def build(self) -> None:
        """Makes the tabs below the open jet."""
        self.sections = Sections(self.analysis, self.table)
        self.sample.param.watch(self._describe, "jets")

    def _describe(self, *events: Any) -> None:
        """Sends for what the table tells of each jet beside its momentum."""
        jets = self.sample.jets
        if jets is None:
            return

        def take(found: dict[str, np.ndarray]) -> None:
            if jets is self.sample.jets:
                self.sample.add(**found)

        self.errands.send(DESCRIBING, lambda: observables(jets, TOLD), take)

    def follow(self) -> None:
        """Takes up what the tabs have found since the last beat."""
        self.sections.beat()

    @property
    def viewers(self) -> pn.viewable.Viewable:
        """All panes."""
        return Cell(self.told, *self.open_jet, self.sections, sizing_mode="stretch_width", margin=(0, 8))
