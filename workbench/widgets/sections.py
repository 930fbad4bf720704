"""The tabs below the open jet; each is made when it is looked at for the first time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import panel as pn
import panel_material_ui as pmui

from .analysis import Analysis

JETS, WHAT_IF = "Jets", "What if"


@dataclass(frozen=True)
class Section:
    """A tab: its title, its name in a link, and the viewer of an analysis that it holds, by file and name."""

    title: str
    name: str
    file: str
    viewer: str

    def __call__(self, analysis: Analysis) -> Any:
        """Returns the viewer; it is imported now, so that a page paints without it."""
        return getattr(import_module(f"{__package__}.{self.file}"), self.viewer)(analysis)


SECTIONS = (
    Section(WHAT_IF, "what-if", "what_if", "WhatIf"),
    Section("The sample", "sample", "aggregates", "Aggregates"),
    Section("What it learned", "learned", "translation", "Translation"),
    Section("Compare", "compare", "comparison_of_maps", "MapComparison"),
    Section("Trust", "trust", "trust", "Trust"),
)
"""What can be studied beside the open jet."""

NAMES = ("jets", *(section.name for section in SECTIONS))
"""Names of the tabs in a link, the one of the jets first."""


class Sections(pn.viewable.Viewer):
    """Tabs of which only the first is there from the beginning.

    Args:
        analysis: What the page looks at.
        first: What the first tab holds.
        makers: Per title what makes its viewer of the analysis.
    """

    def __init__(
        self,
        analysis: Analysis,
        first: Any,
        makers: Mapping[str, Callable[[Analysis], Any]] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        self.makers = {section.title: section for section in SECTIONS} if makers is None else dict(makers)
        self.made: dict[str, Any] = {}
        self.places = {title: pn.Column(sizing_mode="stretch_width", margin=0) for title in self.makers}
        self.tabs = pmui.Tabs(
            (JETS, first),
            *self.places.items(),
            sizing_mode="stretch_width",
            sx={"& .MuiTab-root": {"textTransform": "none", "minWidth": 0}},
        )
        self.tabs.param.watch(self._open, "active")

    def make(self, title: str) -> Any:
        """Returns the viewer of a tab; it is made if it is not there yet."""
        if title not in self.made:
            self.made[title] = self.makers[title](self.analysis)
            self.places[title].append(self.made[title])
        return self.made[title]

    def beat(self) -> None:
        """Lets those that are there take up what has happened; called by the page's timer."""
        for viewer in self.made.values():
            if hasattr(viewer, "beat"):
                viewer.beat()

    def _open(self, event: Any) -> None:
        if event.new:
            self.make(list(self.makers)[event.new - 1])

    def __panel__(self) -> pn.viewable.Viewable:
        return self.tabs
