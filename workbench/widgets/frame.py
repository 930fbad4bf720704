"""The frame that all pages share: the header with its chips, the steps on the left, the panes."""

from collections.abc import Sequence
from typing import Any

import panel as pn

from ..state.teaching import Teaching
from .panes import page


class Frame:
    """One page of one session: give it the panes and the steps, then call `servable`.

    Args:
        title: Name of the page.
        main: The panes.
        sidebar: The numbered steps; empty for a page without.
        sample_chip: Says which sample is looked at, see `SampleChip`.
        run_chip: Says which fitted network is looked at, see `RunChip`.
        tray: The running and finished jobs.
        share: True offers to copy the address.
        teaching: State of the teaching switch; None makes one.
        header: What else stands in the header.
    """

    def __init__(
        self,
        title: str,
        *,
        main: Sequence[Any],
        sidebar: Sequence[Any] = (),
        sample_chip: Any = None,
        run_chip: Any = None,
        tray: Any = None,
        share: bool = True,
        teaching: Teaching | None = None,
        header: Sequence[Any] = (),
    ) -> None:
        self.teaching = Teaching() if teaching is None else teaching
        chips = [chip for chip in (sample_chip, run_chip, *header, tray) if chip is not None]
        self.page = page(title, main=list(main), sidebar=list(sidebar), header=[pn.Row(*chips)])

    def servable(self) -> Any:
        """Puts the page up to be served."""
        return self.page.servable()
