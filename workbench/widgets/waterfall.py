"""The ledger of a jet as a picture: lines that add up to the score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.explanation import Ledger
from ..views import ledger as view
from .drawing import Drawing, drawn_by


class Waterfall(Drawing):
    """The picture of a ledger; `books` are its columns as `views.ledger.columns` gives them, empty while there is none."""

    _esm = drawn_by("waterfall.js")

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.books: Mapping[str, np.ndarray] = {}

    def show(self, ledger: Ledger | None, among: Sequence[Ledger] = ()) -> None:
        """Shows the ledger of one jet, or none, on the axes that those `among` which it stands share."""
        self.books = {} if ledger is None else view.columns(ledger)
        others = [view.columns(other) for other in among]
        self.drawn = view.drawing(self.books, others or [self.books]) if self.books else {}
