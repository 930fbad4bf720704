"""Runs side by side: what was set otherwise, how they learned, how well they separate and how sure their difference is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import panel as pn

from ..data.classes import ClassArray
from ..engines.archive import read
from ..errors import WorkbenchError
from ..jobs.registry import Registry
from ..jobs.run import Run
from ..physics.comparison import Difference, Measured, auc_difference, rejection_difference
from ..physics.roc import LIMIT_LEVEL, Rejection, discriminant, roc
from ..state.runs import RunsState, differing, sample_name
from ..views import comparison as view
from ..views.performance import WORKING_POINTS
from .errands import Errands
from .menu import Menu
from .panes import fill, line, pane, picture, row, say
from .table import Marked, table, table_pane
from .text import with_error

READING = "reading the runs"
"""What the page says while it does so."""

Relation = Literal["reference", "same", "shared", "other", "unknown"]
"""How the validation jets of a run relate to those of the first: none of them is "same" unless it is certain."""

WORDS: dict[Relation, str] = {
    "reference": "the others are compared with it",
    "same": "same jets as A",
    "shared": "other jets of A's sample",
    "other": "another sample than A",
    "unknown": "",
}

NOTES: dict[Relation, str] = {
    "same": "Runs measured on the same jets go up and down together: their difference is known better than either number.",
    "shared": "Runs measured on other jets of a sample of the same name may have jets in common: the errors are added as if they "
    "had none, so that a difference is at least as significant as it says.",
    "other": "Runs measured on another sample are not comparable: a harder sample gives a lower curve to the same network. Their "
    "differences are those of network and sample together; the errors are added as of independent samples.",
}


@dataclass(frozen=True)
class Known:
    """What is compared of a run.

    Attributes:
        run: The run.
        rows: Metrics per epoch by name.
        settings: All settings of the engine where the model is kept, else those that are not the default.
        classes: Names of the classes, empty if not known.
        measured: Scores of the validation jets, None if they are not kept.
        why: One sentence on what is missing, else "".
        label: Truth of the validation jets.
        held: What identifies the validation jets.
    """

    run: Run
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    measured: Measured | None = None
    why: str = ""
    label: np.ndarray | None = None
    held: tuple[Any, ...] = ()

    @property
    def over(self) -> bool:
        """True when nothing of it changes any more."""
        return self.run.status not in {"queued", "running"}


def known(registry: Registry, run: Run) -> Known:
    """Reads what is compared of a run: curves, settings and the ROC curve of its stored scores.

    Raises:
        JobError: the registry cannot be read.
        StoreError: the model is damaged.
    """
    rows = registry.curves(run.id).get("epochs", {})
    head = read(run.file).header if run.file is not None else {}
    settings = {**run.parameters, **head.get("settings", {})}
    classes = tuple(head.get("classes", ()))
    told = run.sample.get("validation") or head.get("card", {}).get("validation_fingerprint")
    drawn = (run.sample.get("fingerprint", ""), run.seed, settings.get("validation_fraction"))
    found = Known(run, rows, settings, classes, held=(told,) if told else drawn)
    stored = registry.scores(run.id)
    if "validation_scores" not in stored or "validation_label" not in stored:
        why = "has not ended yet" if not found.over else "kept no scores of its validation jets"
        return replace(found, why=f"{run.name} {why}.")
    label = np.asarray(stored["validation_label"])
    try:
        measured = _measured(np.asarray(stored["validation_scores"]), label)
    except WorkbenchError as error:
        return replace(found, why=f"{run.name}: {error}")
    return replace(found, measured=measured, label=label)


def _measured(scores: np.ndarray, label: np.ndarray) -> Measured:
    """The last class against the first, as everywhere on the pages."""
    last = scores.shape[1] - 1
    names = tuple(map(str, range(last + 1)))
    pair = (label == 0) | (label == last)
    kept, truth = ClassArray(scores[pair], names), label[pair]
    curve = roc(ClassArray(truth, names), kept, signal=names[-1], background=names[0])
    return Measured(discriminant(kept, signal=names[-1], background=names[0]), truth == last, curve)


def relation(first: Known, other: Known) -> Relation:
    """Returns how the validation jets of two runs relate."""
    if first.label is None or other.label is None:
        return "unknown"
    if first.held == other.held and any(first.held) and np.array_equal(first.label, other.label):
        return "same"
    samples = [(sample_name(one.run), one.run.sample.get("selection", "")) for one in (first, other)]
    prints = [one.run.sample.get("fingerprint") for one in (first, other)]
    alike = prints[0] == prints[1] if all(prints) else False
    return "shared" if alike or samples[0] == samples[1] else "other"


def settings_rows(runs: Sequence[Known]) -> list[list[str]]:
    """Returns what was set otherwise: its name, and a value per run; a setting that a run does not say has the default."""
    full = [_full(one) for one in runs]
    return [
        [name.replace("_", " "), *("default" if value is None else _short(value) for value in values)]
        for name, values in differing(full).items()
    ]


def _full(one: Known) -> Run:
    return replace(one.run, parameters=one.settings)


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def numbers(runs: Sequence[Known]) -> list[list[str]]:
    """Returns the numbers of every run with their errors, and their differences to the first with their significance."""
    first = runs[0] if runs else None
    return [_numbers(one, first, letter) for letter, one in zip(view.LETTERS, runs, strict=False)]


HEAD = (
    "Run",
    "Jets",
    "AUC",
    "− A",
    *(text for point in WORKING_POINTS for text in (f"1/εB at εS = {point}", "− A")),
    "Measured on",
)


def _numbers(one: Known, first: Known | None, letter: str) -> list[str]:
    name = f"{letter}  {one.run.name}"
    if one.measured is None:
        return [name, "–", "–", "", *["–", ""] * len(WORKING_POINTS), one.why]
    curve, reference = one.measured.curve, first.measured if first is not None else None
    how: Relation = "reference" if one is first else relation(first, one) if first is not None else "unknown"
    jets: Literal["same", "other"] = "same" if how == "same" else "other"
    cells = [name, f"{len(one.measured.score):,}", with_error(curve.auc, curve.auc_error)]
    compares = reference is not None and one is not first
    cells.append(difference(auc_difference(one.measured, reference, jets)) if compares and reference else "")
    for point in WORKING_POINTS:
        cells.append(_rejection(curve.rejection(point)))
        found = rejection_difference(one.measured, reference, point, jets) if compares and reference else None
        cells.append(difference(found) if found is not None else "")
    return [*cells, WORDS[how]]


def _rejection(found: Rejection) -> str:
    if found.is_limit:
        return f"> {found.low:.3g} ({LIMIT_LEVEL:.0%} CL)"
    return with_error(found.value, found.error)


def difference(found: Difference) -> str:
    """Returns "−0.012 ± 0.003 (4.0 σ)"; "not known" where one of the two is only a limit."""
    if not np.isfinite(found.value):
        return "not known"
    if found.value == 0 and found.error == 0:
        return "0, exactly"
    sign = "−" if found.value < 0 else "+"
    return f"{sign}{with_error(abs(found.value), found.error)} ({abs(found.significance):.1f} σ)"


def caption(runs: Sequence[Known]) -> str:
    """Returns which class is told from which, and what differing validation samples mean."""
    pairs = {(one.classes[-1], one.classes[0]) for one in runs if one.classes}
    told = "; ".join(f"{signal} against {background}" for signal, background in sorted(pairs))
    notes = {relation(runs[0], one) for one in runs[1:]} if runs else set()
    warned = "Not the same classes: these curves answer different questions." if len(pairs) > 1 else ""
    said = [told[:1].upper() + told[1:] + "." if told else "", warned]
    said += [text for how, text in NOTES.items() if how in notes]
    if any(one.run.sample.get("weighted") for one in runs):
        said.append(
            "Areas and rejections count every jet once, without weights, although a sample has weights."
        )
    return " ".join(text for text in said if text)


class RunComparison(pn.viewable.Viewer):
    """The chosen runs: curves of one alone, everything side by side of two and more."""

    def __init__(
        self, state: RunsState, registry: Callable[[], Registry], errands: Errands, **parameters: Any
    ) -> None:
        super().__init__(**parameters)
        self.state, self.registry, self.errands = state, registry, errands
        self.known: dict[str, Known] = {}
        self.compared: list[Known] = []
        self.places = view.places()
        self.settings, self.numbers = table_pane(), table_pane()
        self.settings_told, self.told, self.missing = line(), line(variant="caption"), line(variant="caption")
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.figures: dict[str, Any] = {}
        state.param.watch(self.read, ["chosen", "runs"])

    def read(self, *events: Any, quiet: bool = False) -> None:
        """Reads the chosen runs; of those that are over only what was not read before."""
        runs = self.state.compared
        if not runs:
            self.errands.drop(READING)
            self.show([])
            return
        quiet = quiet or any(event.name == "runs" for event in events)
        have = {k.run.id: k for k in self.known.values() if k.over}

        def work() -> list[Known]:
            registry = self.registry()
            return [
                have[run.id] if run.id in have and have[run.id].run == run else known(registry, run)
                for run in runs
            ]

        self.errands.send(READING, work, self.show, quiet=quiet)

    @property
    def goes_on(self) -> bool:
        """True while one of the compared runs is not over, so that its curves grow."""
        return any(not one.over for one in self.compared)

    @pn.io.hold()
    def show(self, runs: list[Known]) -> None:
        """Shows these runs, the first of which the others are compared with."""
        self.compared, self.known = runs, {one.run.id: one for one in runs}
        if not runs and not self.figures:
            return
        if not self.figures:
            self._make()
        reference = runs[0].measured.curve if runs and runs[0].measured is not None else None
        for place, one in zip(self.places, self._padded(runs), strict=True):
            curve = one.measured.curve if one is not None and one.measured is not None else None
            view.fill(place, curve, reference, one.rows if one is not None else {})
        # Curves of a rejection fill their frame: names stand in the table above, the legend has the letters.
        view.name_runs(self.figures["rejections"], [""] * len(runs))
        for name in ("losses", "areas"):
            view.name_runs(self.figures[name], [one.run.name for one in runs])
        self._tell(runs)
        if not runs:
            self.content.clear()
        elif not len(self.content):
            fill(self.content, self._layout())

    def _padded(self, runs: list[Known]) -> Iterable[Known | None]:
        return [*runs, *[None] * (len(self.places) - len(runs))]

    def _tell(self, runs: list[Known]) -> None:
        rows = settings_rows(runs)
        names = [f"{letter}  {one.run.name}" for letter, one in zip(view.LETTERS, runs, strict=False)]
        marks = [Marked(*mark) for mark in zip(view.SIGNS, view.COLOURS, names, strict=False)]
        self.settings.object = table(["Setting", *marks], rows) if rows else ""
        alone = "Tick a second run to see what was set otherwise."
        same = "All settings, the seed and the sample are the same."
        say(self.settings_told, alone if len(runs) < 2 else "" if rows else same)
        marked = [[mark, *row[1:]] for mark, row in zip(marks, numbers(runs), strict=True)]
        self.numbers.object = table(HEAD, marked) if runs else ""
        say(self.told, caption(runs))
        say(self.missing, " ".join(one.why for one in runs if one.why))

    def _make(self) -> None:
        # Made when first needed: figures are the larger part of what painting a page takes.
        rejections = view.rejection_figure(self.places)
        self.figures = {
            "rejections": rejections,
            "ratio": view.ratio_figure(self.places, rejections),
            "losses": view.loss_figure(self.places),
            "areas": view.auc_figure(self.places),
        }

    def _layout(self) -> list[Any]:
        shown = {name: picture(figure) for name, figure in self.figures.items()}
        rule = "The band is one standard deviation, in the ratio that of the run alone; working points at εS = 0.3 and 0.5."
        marked = "Curve: validation jets; thin: training jets; ringed: the epoch with the lowest validation loss, which is kept."
        return [
            pane(
                "How well they separate, in numbers",
                self.numbers,
                name="run-numbers",
                menu=Menu("run-numbers", data=self._numbers_frame, code=self._code),
                check=self.told,
            ),
            row([self._curves(shown, rule), self._learning(shown, marked)], width=430, most=2),
            pane(
                "What was set otherwise",
                self.settings_told,
                self.settings,
                name="run-settings",
                menu=Menu("run-settings", data=self._settings_frame, code=self._settings_code),
            ),
        ]

    def _curves(self, shown: dict[str, Any], rule: str) -> Any:
        menu = Menu(
            "run-rejection",
            figure=lambda: [self.figures["rejections"], self.figures["ratio"]],
            data=self._curve_frame,
            code=self._code,
        )
        return pane(
            "Background rejection",
            shown["rejections"],
            shown["ratio"],
            self.missing,
            name="run-rejection",
            menu=menu,
            check=line(rule, variant="caption"),
        )

    def _learning(self, shown: dict[str, Any], marked: str) -> Any:
        menu = Menu(
            "run-learning",
            figure=lambda: [self.figures["losses"], self.figures["areas"]],
            data=self._epoch_frame,
            code=self._learning_code,
        )
        return pane(
            "How they learned",
            shown["losses"],
            shown["areas"],
            name="run-learning",
            menu=menu,
            check=line(marked, variant="caption"),
        )

    def _numbers_frame(self) -> pd.DataFrame:
        head = [*HEAD[:3], "AUC − A", HEAD[4], f"{HEAD[4]} − A", HEAD[6], f"{HEAD[6]} − A", HEAD[8]]
        return pd.DataFrame(numbers(self.compared), columns=head)

    def _settings_frame(self) -> pd.DataFrame:
        rows = settings_rows(self.compared)
        ids = [one.run.id for one in self.compared]
        return pd.DataFrame(rows, columns=["setting", *ids])

    def _curve_frame(self) -> pd.DataFrame:
        return self._joined(lambda place: place.curve.data)

    def _epoch_frame(self) -> pd.DataFrame:
        return self._joined(lambda place: place.epochs.data)

    def _joined(self, columns: Callable[[view.Place], Any]) -> pd.DataFrame:
        parts = [
            pd.DataFrame({"run": one.run.id, **columns(place)})
            for one, place in zip(self.compared, self.places, strict=False)
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def _code(self) -> str:
        ids = ", ".join(f'"{one.run.id}"' for one in self.compared)
        return (
            "import workbench as wb\n"
            "from workbench.jobs.registry import registry\n\n"
            f"for run in [{ids}]:\n"
            "    stored = registry().scores(run)\n"
            '    label, scores = stored["validation_label"], stored["validation_scores"]\n'
            "    curve = wb.roc(label, scores, signal=scores.shape[1] - 1, background=0)\n"
            "    print(run, curve)\n"
        )

    def _learning_code(self) -> str:
        ids = ", ".join(f'"{one.run.id}"' for one in self.compared)
        return (
            "import pandas as pd\n"
            "from workbench.jobs.registry import registry\n\n"
            f"for run in [{ids}]:\n"
            '    print(run, pd.DataFrame(registry().curves(run)["epochs"]), sep="\\n")\n'
        )

    def _settings_code(self) -> str:
        ids = ", ".join(f'"{one.run.id}"' for one in self.compared)
        return (
            "import pandas as pd\n"
            "import workbench as wb\n\n"
            f"runs = [wb.registry().run(run) for run in [{ids}]]\n"
            "print(pd.DataFrame({run.name: run.parameters for run in runs}))\n"
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self.content
