"""What the address of the relevance page says beside what every explorer's does: open section, edits of the open jet."""

from typing import Any

from ..errors import WorkbenchError
from .explorer_link import ExplorerLink
from .networks import Networks
from .relevance_explorer import RelevanceExplorer
from .sample_picker import SamplePicker
from .sections import NAMES, SECTIONS, WHAT_IF


class RelevanceLink(ExplorerLink):
    """Opens what a link says and keeps the address in step; `address` is its place on the page, with its notice."""

    def __init__(self, picker: SamplePicker, networks: Networks, explorer: RelevanceExplorer) -> None:
        super().__init__(picker, networks, explorer, NAMES)
        self.sections = explorer.sections
        self._edits, self._of = "", -1

    def show(self) -> None:
        """Takes the edits of the link, once its sample is there."""
        self._edits = self.link.edits
        self._of = -1 if self.link.jet is None else self.link.jet

    def beat(self) -> None:
        """Opens what has come, edits the jet of the link, writes the address once the view is still."""
        self._edit()
        super().beat()

    def shown(self) -> dict[str, Any]:
        """Returns what was done to the open jet, or still waits for it to be opened."""
        made = self.sections.made.get(WHAT_IF)
        return {"edits": self._edits or (made.history.to_text() if made is not None else "")}

    def offered(self) -> dict[str, Any]:
        """Returns what can be chosen, in the sections that are there too."""
        made = {s.name: self.sections.made[s.title] for s in SECTIONS if s.title in self.sections.made}
        named = {f"{name}.{key}": w for name, section in made.items() for key, w in section.choices.items()}
        return {**super().offered(), **named}

    def _edit(self) -> None:
        """Edits the jet that the link names, once it is open for editing; another jet that was opened before stays as it is."""
        made, current = self.sections.made.get(WHAT_IF), self.selection.current
        if not self._edits or current is None:
            return
        if current != self._of:
            self._edits = ""
        elif made is not None and made.jet is not None:
            text, self._edits = self._edits, ""
            try:
                made.history.from_text(text)
            except WorkbenchError as error:
                self._say([str(error)])

    def made(self) -> list[tuple[tuple[str, ...], Any]]:
        """Returns the tabs that are there by now, the sections too."""
        return [*super().made(), (NAMES, self.sections.tabs)]
