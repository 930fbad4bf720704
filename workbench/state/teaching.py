"""What a lesson adds to a page: a "Why?" under every pane, and the truth hidden until it is asked for."""

import param

HIDDEN = "hidden"
"""Stands where a truth label would, until it is revealed."""


class Teaching(param.Parameterized):
    """One per session; panes that show a true class watch `on` and `revealed` and show `told(class)`."""

    on: bool = param.Boolean(False, doc="Each pane explains itself, and truth labels are hidden.")
    revealed: bool = param.Boolean(False, doc="Truth labels are shown in spite of that.")

    @property
    def hides(self) -> bool:
        """True while the truth is to be guessed."""
        return self.on and not self.revealed

    def told(self, truth: str) -> str:
        """Returns a true class as it may be shown now."""
        return HIDDEN if self.hides else truth

    @param.depends("on", watch=True)
    def _begin_hidden(self) -> None:
        self.revealed = False
