"""What the address of the relevance page says beside what every explorer's does: which section is open."""

from typing import Any

from .explorer_link import ExplorerLink
from .networks import Networks
from .relevance_explorer import RelevanceExplorer
from .sample_picker import SamplePicker
from .sections import NAMES


class RelevanceLink(ExplorerLink):
    """Opens what a link says and keeps the address in step; `address` is its place on the page, with its notice."""

    def __init__(self, picker: SamplePicker, networks: Networks, explorer: RelevanceExplorer) -> None:
        super().__init__(picker, networks, explorer, NAMES)
        self.sections = explorer.sections

    def made(self) -> list[tuple[tuple[str, ...], Any]]:
        """Returns the tabs that are there by now, the sections too."""
        return [*super().made(), (NAMES, self.sections.tabs)]
