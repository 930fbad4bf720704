"""The two samples in numbers: the mean of each observable in both, and how far the two distributions lie apart."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn

from ..physics.observables import OBSERVABLES
from ..state.comparison import ComparisonState
from ..state.sample import SampleState
from ..views.frame import axis_label
from . import code
from .menu import Menu
from .panes import line, pane, say, unseen
from .table import table, table_pane
from .text import with_error

HEAD = ("observable", "class", "first sample", "second sample", "difference", "KS distance", "p")


class SampleComparison(pn.viewable.Viewer):
    """Follows what a ComparisonState has found of the selected jets; it is there while there is a second sample."""

    def __init__(
        self,
        sample: SampleState,
        comparison: ComparisonState,
        ready: Callable[[], Sequence[str]],
        **parameters: Any,
    ) -> None:
        """Takes, besides the states, what gives the names of the observables that are shown."""
        super().__init__(**parameters)
        self.sample, self.comparison, self.ready = sample, comparison, ready
        self.table, self.told = table_pane(), line(variant="caption")
        menu = Menu("samples", data=self.numbers, code=self._code, sample=sample)
        self.place = unseen(
            pane("The two samples in numbers", self.table, name="samples", menu=menu, check=self.told)
        )
        comparison.param.watch(self._fill, ["found", "reference"])

    def numbers(self) -> pd.DataFrame:
        """Returns one row per observable and class that both samples have."""
        rows = []
        for name in self._names():
            found = self.comparison.found[name]
            for kind, separation in found.classes.items():
                first, second = found.means[kind]
                rows.append(
                    (name, OBSERVABLES[name].unit if name in OBSERVABLES else "", kind)
                    + (first.value, first.error, first.jets, second.value, second.error, second.jets)
                    + (found.shift(kind), separation.distance, separation.p)
                )
        means = [f"{of} {what}" for of in ("first", "second") for what in ("mean", "error", "jets")]
        last = ["difference [standard errors]", "KS distance", "p"]
        return pd.DataFrame(rows, columns=["observable", "unit", "class", *means, *last])

    def _names(self) -> list[str]:
        return self.comparison.order(name for name in self.ready() if name in self.comparison.found)

    def _fill(self, *events: Any) -> None:
        self.place.visible = self.comparison.reference is not None
        numbers = self.numbers()
        self.table.object = table(HEAD, map(_cells, numbers.itertuples(index=False))) if len(numbers) else ""
        say(
            self.told,
            f"{len(numbers)} comparisons of selected jets, largest distance first: of 20 of samples without any difference, "
            "one is expected to have p < 0.05."
            if len(numbers)
            else "The two samples are being compared.",
        )

    def _code(self) -> str:
        names = [name for name in self._names() if name in OBSERVABLES]
        return code.lines(
            self.sample,
            self.comparison.selection,
            "from workbench.physics.compatibility import separation",
            f"names = {names!r}",
            "a, b = (wb.physics.observables.observables(x, names) for x in (jets, second))",
            "for name in names:",
            "    print(name, separation(a[name], b[name], jets.weight, second.weight))",
            beside=self.comparison.beside,
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self.place


def _cells(row: Any) -> tuple[str, ...]:
    name, unit, kind, mean, error, _, other, its_error, _, shift, distance, p = row
    apart = f"{shift:+.1f} standard errors" if np.isfinite(shift) else "not known"
    first, second = with_error(mean, error), with_error(other, its_error)
    tested = [f"{distance:.3f}", f"{p:.2g}"] if np.isfinite(distance) else ["not known", "not known"]
    return (axis_label(name, unit), kind, first, second, apart, *tested)
