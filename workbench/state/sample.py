"""The sample a page shows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import param

from ..data.events import Events
from ..data.jets import MOMENTUM, Jets
from ..errors import DataError, SelectionError, nearest
from ..physics.expressions import parse
from ..physics.observables import OBSERVABLES, observables
from ..physics.selection import evaluate


class SampleState(param.Parameterized):
    """Jets, the expression that selects among them, and the columns that panes draw.

    `jets` are all jets of the sample; nothing is cut away. What the expression keeps is `keep`; what is brushed and
    picked on top of it belongs to `SelectionState`. `making`, where it is set, gives the lines of Python that make an added
    column: `values` of `jets`.
    """

    jets: Jets | None = param.ClassSelector(class_=Jets, allow_None=True, doc="All jets of the sample.")
    name: str = param.String("", constant=False, doc="What the user calls the sample.")
    id: str = param.String("", doc="What a link calls the sample; empty if no link can open it again.")
    source: str = param.String("", doc="Python expression that gives the jets again; empty if there is none.")
    events: Events | None = param.ClassSelector(
        class_=Events,
        allow_None=True,
        doc='Events the jets came from, where they are known; `jets.columns["event_index"]` names that of each jet.',
    )
    expression: str = param.String(
        "", doc="Selection such as `pt > 560 & abs(eta) < 1`; set it with `choose`."
    )
    keep: np.ndarray = param.Array(
        np.zeros(0, bool), doc="True for jets the expression keeps, shape (jets,)."
    )
    notice: str = param.String("", doc="One sentence on the last thing that could not be done, else empty.")
    version: int = param.Integer(0, bounds=(0, None), doc="Grows when the jets or a column change.")

    def __init__(self, **parameters: Any) -> None:
        self._columns: dict[str, np.ndarray] = {}
        self._added: dict[str, np.ndarray] = {}
        self.making: Callable[[str], Sequence[str]] | None = None
        super().__init__(**parameters)

    def __len__(self) -> int:
        return 0 if self.jets is None else len(self.jets)

    def take(
        self, jets: Jets, name: str = "", source: str = "", *, id: str = "", events: Events | None = None
    ) -> None:
        """Shows other jets; the expression is taken off, added columns are forgotten."""
        self._columns, self._added = {}, {}
        self.param.update(
            jets=jets,
            name=name or jets.origin.name,
            id=id,
            source=source,
            events=events if events is not None and "event_index" in jets.columns else None,
            expression="",
            keep=np.ones(len(jets), bool),
            notice="",
            version=self.version + 1,
        )

    def choose(self, expression: str) -> bool:
        """Keeps the jets that pass `expression`; one that cannot be read changes nothing but `notice`.

        Returns:
            True if the expression could be read.
        """
        expression = expression.strip()
        if self.jets is None:
            self.notice = "There is no sample yet; choose one first."
            return False
        try:
            keep = self._passed(expression) if expression else np.ones(len(self), bool)
        except (SelectionError, DataError) as error:
            self.notice = str(error)
            return False
        notice = "" if keep.any() else f"No jet passes {expression}; widen the selection."
        self.param.update(expression=expression, keep=keep, notice=notice)
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that can be drawn, brushed and sorted by."""
        if self.jets is None:
            return ()
        plain = (name for name, column in self.jets.columns.items() if _is_plain(column))
        return tuple(dict.fromkeys((*self._added, *MOMENTUM, "weight", *plain, *OBSERVABLES)))

    def added(self, names: Iterable[str]) -> list[str]:
        """Returns those of the names that are added columns, of which a file knows nothing."""
        return [name for name in dict.fromkeys(names) if name in self._added]

    @property
    def known(self) -> tuple[str, ...]:
        """Those of `names` whose numbers are at hand: what a pane may ask for without stalling the page."""
        jets = self.jets
        made = set() if jets is None else {*self._columns, *MOMENTUM, "weight", *jets.columns}
        return tuple(name for name in self.names if name in made)

    def column(self, name: str) -> np.ndarray:
        """Returns one number per jet, shape (jets,): added, of the jet's four-momentum, of the source, or an observable.

        Raises:
            DataError: there is no such column.
        """
        if name not in self._columns:
            self._columns[name] = self._find(name)
        return self._columns[name]

    def add(self, **columns: np.ndarray) -> None:
        """Adds columns such as the score or the loss of each jet.

        Raises:
            DataError: a column does not have one number per jet.
        """
        for name, column in columns.items():
            if np.shape(column) != (len(self),):
                msg = f"The column {name!r} has shape {np.shape(column)}; the sample has {len(self)} jets."
                raise DataError(msg)
        self._added.update({name: np.asarray(column) for name, column in columns.items()})
        self._columns.update(self._added)
        self.version += 1

    def drop(self, *names: str) -> None:
        """Forgets columns that were added; one that is not there is passed over."""
        gone = [name for name in names if name in self._added]
        for name in gone:
            del self._added[name], self._columns[name]
        if gone:
            self.version += 1

    @property
    def provenance(self) -> str:
        """Where the sample came from, in a few lines of plain text."""
        return "No sample is chosen." if self.jets is None else provenance(self.jets)

    def _passed(self, expression: str) -> np.ndarray:
        assert self.jets is not None
        read = parse(expression)
        added = {name: self._added[name] for name in read.names if name in self._added}
        return evaluate(self.jets.with_columns(**added) if added else self.jets, read).keep

    def _find(self, name: str) -> np.ndarray:
        if self.jets is None or name not in self.names:
            msg = f"There is no column {name!r}; {nearest(name, self.names)}"
            raise DataError(msg)
        if name in MOMENTUM:
            return np.asarray(self.jets.p4[name])
        if name == "weight":
            return np.asarray(self.jets.weight)
        if name in self.jets.columns:
            return np.asarray(self.jets.columns[name])
        return np.asarray(observables(self.jets, [name])[name])


def counted(sample: Jets | Events) -> str:
    """Returns how many there are, in words: "30 jets"."""
    one = "event" if isinstance(sample, Events) else "jet"
    return f"{len(sample):,} {one}{'s' if len(sample) != 1 else ''}"


def provenance(sample: Jets | Events) -> str:
    """Returns where jets or events came from, in a few lines of plain text."""
    origin, label = sample.origin, np.asarray(sample.label)
    kind = {"simulation": "Simulation", "data": "Data"}.get(origin.kind, "Origin not stated")
    classes = [f"{np.sum(label == i):,} {name}" for i, name in enumerate(sample.classes)]
    unknown = int(np.sum(label < 0))
    lines = [
        f"{origin.name} ({kind}{', ' + origin.format if origin.format else ''})",
        f"{counted(sample)}: " + ", ".join(classes + ([f"{unknown:,} of unknown class"] if unknown else [])),
        *outline(origin.settings),
        *origin.steps,
    ]
    return "\n".join(lines)


def _is_plain(column: Any) -> bool:
    return getattr(column, "ndim", 0) == 1 and np.asarray(column).dtype.kind in "iufb"


def outline(settings: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yields settings one a line, what is within a setting indented."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from outline(value, indent + "  ")
        elif isinstance(value, list | tuple):
            yield f"{indent}{name}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{name}: {value:.4g}" if isinstance(value, float) else f"{indent}{name}: {value}"
