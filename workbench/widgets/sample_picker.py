"""Step 1 of a page: choose a sample, open or upload a file, simulate one, and put a second one beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..data import parquet
from ..data.events import Events
from ..data.jets import Jets
from ..errors import DataError, WorkbenchError, nearest
from ..jobs.job import Job
from ..state.comparison import ComparisonState
from ..state.files import Files, Uploads
from ..state.reading import Opened, Wanted, open_file
from ..state.sample import SampleState
from ..state.selection import SelectionState
from .errands import Errands, public
from .file_browser import FileBrowser
from .panes import fold, line, say
from .simulation_form import ASKED, SimulationForm, begun, from_key, name_of, source_of, to_key

BUNDLED = {
    "Top and QCD, Monash tune": "jets",
    "Top and QCD, Vincia shower": "jets-vincia",
}
PLANTED, OF_PLANTED, PLANTED_JETS = "planted", "wb.simulate.planted_jets(2000, seed=1)", 2000
"""Jets whose class a few known leptons tell: every map of them can be marked."""
OFFERED = {**BUNDLED, "Planted truth: electrons or muons": PLANTED}
FILE, UPLOADED, SIMULATED = "file:", "upload:", "simulated:"
"""How the ids of samples begin that are not bundled."""
NONE = ""
READING = "reading the sample"
READING_SECOND = "reading the second sample"
KEPT = 6
"""Samples of this page that stay in memory beside those shown; the oldest goes first."""


@dataclass(frozen=True)
class Kept:
    """A sample that was made or read on this page."""

    jets: Jets
    name: str
    source: str
    events: Events | None = None


class SamplePicker(pn.viewable.Viewer):
    """Fills a SampleState, and a ComparisonState with the second sample.

    A sample is named by its id: a bundled name, "file:…" for a file below the configured folders, "upload:…" and
    "simulated:…" for what was made on a page: a link of that simulates it again.
    """

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        errands: Errands,
        comparison: ComparisonState | None = None,
        *,
        files: Files | None = None,
        uploads: Uploads | None = None,
        owner: str = "",
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.errands = sample, selection, errands
        self.comparison = comparison or ComparisonState(selection)
        self.files = Files.configured() if files is None else files
        self.uploads = Uploads.configured() if uploads is None else uploads
        self.browser = FileBrowser(self.files, self.uploads, errands, self._take_file)
        self.simulator = SimulationForm(errands, self.take_simulated, owner)
        self.kept: dict[str, Kept] = {}
        self._wanted: dict[str, tuple[Job, str, Callable[[Kept], None]]] = {}
        self.choice = pmui.Select(
            label="Sample", options=OFFERED, value="jets", size="small", sizing_mode="stretch_width"
        )
        self.second = pmui.Select(
            label="Second sample beside it",
            options={"none": NONE, **OFFERED},
            value=NONE,
            size="small",
            sizing_mode="stretch_width",
        )
        self.expression = pmui.TextInput(
            label="Keep only",
            placeholder="pt > 560 & abs(eta) < 1",
            size="small",
            sizing_mode="stretch_width",
            css_classes=["wb-expression"],
        )
        self.told, self.facts, self.beside = line(), line(variant="caption"), line(variant="caption")
        self.origin = line(variant="caption", styles={"white-space": "pre-wrap", "overflow-wrap": "anywhere"})
        self._following = False
        self._watch()

    def _watch(self) -> None:
        self.choice.param.watch(self._choose_sample, "value")
        self.second.param.watch(self._choose_second, "value")
        self.expression.param.watch(lambda event: self.choose(event.new), "value")
        self.selection.param.watch(self._count, "mask")
        self.sample.param.watch(self._follow, ["jets", "expression"])
        self.comparison.param.watch(self._follow_second, "reference")

    def check(self, id: str) -> None:
        """Raises a DataError with a sentence for an id that a link cannot open."""
        if id in self.kept:
            return
        if id.startswith(FILE):
            self.files.path(Wanted.read(id.removeprefix(FILE))[0])
        elif id.startswith(SIMULATED):
            from_key(id.removeprefix(SIMULATED))
        elif id.startswith(UPLOADED):
            msg = "The link's sample was uploaded to a page that is no longer open and was not kept; choose or simulate one."
            raise DataError(msg)
        elif id not in OFFERED.values():
            msg = f"There is no sample {id[:60]!r}; {nearest(id, OFFERED.values())}"
            raise DataError(msg)

    def open(self, id: str, then: Callable[[], None] | None = None) -> None:
        """Shows the sample of this id; until it is read the old one stays. `then` is called once it is shown.

        Raises:
            DataError: there is no such sample.
        """
        self.check(id)
        self._get(id, READING, lambda kept: self._show(id, kept, then))

    def open_beside(self, id: str) -> None:
        """Shows the sample of this id beside the first; the empty id takes the second sample away.

        Raises:
            DataError: there is no such sample.
        """
        if not id:
            self._give_up(READING_SECOND)
            self.comparison.clear()
            return
        self.check(id)
        self._get(id, READING_SECOND, lambda kept: self._show_beside(id, kept))

    def take(self, jets: Jets) -> None:
        """Shows these jets."""
        self.sample.take(jets)

    def take_job(self, job: Job, jets: Jets) -> None:
        """Shows what a simulation has made, found again among the jobs."""
        asked, n = job.note.get(ASKED), len(jets)
        if asked is None:
            self.take_simulated(jets, key=job.id)
        else:
            self.take_simulated(jets, name_of(asked, n), to_key(asked, n), source_of(asked, n))

    def take_simulated(self, jets: Jets, name: str = "", key: str = "", source: str = "") -> None:
        """Shows simulated jets and keeps them within reach beside the bundled ones."""
        self._keep(SIMULATED + (key or jets.fingerprint), Kept(jets, name or jets.origin.name, source))

    def choose(self, expression: str) -> None:
        """Keeps the jets that pass; says why if the expression cannot be read."""
        with pn.io.hold():
            same = expression.strip() == self.sample.expression
            self._tell(same or self.sample.choose(expression))

    def beat(self) -> None:
        """Takes over what simulation and reading reported; called by the page's timer."""
        self.simulator.beat()
        self.browser.beat()
        self._collect()

    def close(self, *session: Any) -> None:
        """Deletes what was uploaded and stops what a link began; fits as a callback of a session that ends."""
        for kind in list(self._wanted):
            self._give_up(kind)
        self.uploads.close()
        self.browser.stop()

    def _get(self, id: str, kind: str, show: Callable[[Kept], None]) -> None:
        """Shows what is kept, else reads it or simulates it again; what was asked for before is no longer wanted."""
        self._give_up(kind)
        if id in self.kept:
            show(self.kept[id])
        elif id.startswith(SIMULATED):
            asked = from_key(id.removeprefix(SIMULATED))
            say(self.told, f"The link's sample is simulated: {name_of(asked, asked['n'])}.")
            self.errands.send(
                kind,
                lambda: begun(asked, self.simulator.owner),
                lambda job: self._wanted.update({kind: (job, id, show)}),
            )
        else:
            self.errands.send(kind, lambda: self._read(id), show)

    def _give_up(self, kind: str) -> None:
        self.errands.drop(kind)
        if kind in self._wanted:
            self._wanted.pop(kind)[0].stop()

    def _collect(self) -> None:
        """Takes up the simulations of a link that are over."""
        for kind, (job, id, show) in list(self._wanted.items()):
            if job.over:
                del self._wanted[kind]
                self.errands.send(kind, partial(_result, job), partial(self._simulated, job, id, show))

    def _simulated(
        self, job: Job, id: str, show: Callable[[Kept], None], found: Jets | WorkbenchError
    ) -> None:
        asked = job.note[ASKED]
        if isinstance(found, Jets) and len(found) == asked["n"]:
            kept = Kept(found, name_of(asked, len(found)), source_of(asked, len(found)))
            say(self.told, "")
            self._remember(id, kept)
            show(kept)
            return
        why = str(found) if isinstance(found, WorkbenchError) else "It was stopped."
        if self.sample.jets is None:
            self.open(next(iter(BUNDLED.values())))
        say(self.told, f"The link's sample could not be simulated. {why}")

    def _read(self, id: str) -> Kept:
        if id.startswith(FILE):
            place, wanted = Wanted.read(id.removeprefix(FILE))
            opened = open_file(self.files.path(place), wanted, written=self.files.written(place))
            return Kept(opened.jets, opened.jets.origin.name, opened.source, opened.events)
        title = next(title for title, name in OFFERED.items() if name == id)
        if id == PLANTED:
            return Kept(public("simulate").planted_jets(PLANTED_JETS, seed=1), title, OF_PLANTED)
        jets = parquet.read(public("bundled")(id))
        assert isinstance(jets, Jets)
        return Kept(jets, title, f'wb.load(wb.bundled("{id}"))')

    def _take_file(self, id: str, opened: Opened) -> None:
        prefix = "" if id.startswith(UPLOADED) else FILE
        name = opened.jets.origin.name
        self._keep(prefix + id, Kept(opened.jets, name, opened.source, opened.events))

    def _keep(self, id: str, kept: Kept) -> None:
        """Adds a sample to the choice and shows it."""
        self._remember(id, kept)
        self._set(self.choice, id, self.choice.options)
        self._show(id, kept)

    def _remember(self, id: str, kept: Kept) -> None:
        """Adds a sample to both choices."""
        self.kept.pop(id, None)
        self.kept[id] = kept
        for old in list(self.kept)[: max(len(self.kept) - KEPT, 0)]:
            del self.kept[old]
        offered = {**OFFERED, **_titled(self.kept)}
        shown = bool(self.sample.id) and self.sample.id == self.choice.value
        first = self._with(offered, self.sample) if shown else offered
        self._set(self.choice, self.choice.value if self.choice.value in first.values() else id, first)
        reference, others = self.comparison.reference, {"none": NONE, **offered}
        if reference is not None and reference.id:
            others = self._with(others, reference)
        self._set(self.second, self.second.value if self.second.value in others.values() else NONE, others)

    def _show(self, id: str, kept: Kept, then: Callable[[], None] | None = None) -> None:
        self.sample.take(kept.jets, kept.name, kept.source, id=id, events=kept.events)
        if then is not None:
            then()

    def _show_beside(self, id: str, kept: Kept) -> None:
        self.comparison.take(kept.jets, kept.name, kept.source, id=id)

    def _choose_sample(self, event: Any) -> None:
        if not self._following:
            self._try(self.open, event.new)

    def _choose_second(self, event: Any) -> None:
        if not self._following:
            self._try(self.open_beside, event.new)

    def _try(self, act: Callable[[str], None], id: str) -> None:
        try:
            act(id)
        except DataError as error:
            say(self.told, str(error))

    def _follow(self, *events: Any) -> None:
        """Shows what the page's sample has become, whoever changed it."""
        self.expression.value = self.sample.expression
        self._tell(True)
        if self.sample.id and self.sample.id != self.choice.value:
            self._set(self.choice, self.sample.id, self._with(self.choice.options, self.sample))
        say(self.origin, self.sample.provenance)
        self._count()

    def _follow_second(self, *events: Any) -> None:
        reference = self.comparison.reference
        self._set(
            self.second,
            reference.id if reference is not None else NONE,
            self._with(self.second.options, reference) if reference is not None else self.second.options,
        )
        say(self.beside, reference.provenance if reference is not None else "")

    def _with(self, options: Mapping[str, str], sample: SampleState) -> dict[str, str]:
        """Returns the options with this sample, which a link may have opened."""
        there = dict(options)
        return there if sample.id in there.values() else {**there, sample.name or sample.id: sample.id}

    def _set(self, select: Any, value: str, options: Mapping[str, str]) -> None:
        """Sets a choice to what is shown already, so that nothing is opened by it."""
        self._following = True
        try:
            select.param.update(options=dict(options), value=value)
        finally:
            self._following = False

    def _tell(self, readable: bool) -> None:
        self.expression.error_state = not readable
        say(self.told, self.sample.notice)

    def _count(self, *events: Any) -> None:
        jets = self.sample.jets
        if jets is None or len(jets) != len(self.selection.mask):
            return
        counts = np.bincount(np.asarray(jets.label)[self.selection.mask] + 1, minlength=len(jets.classes) + 1)
        parts = [f"{n:,} {name}" for name, n in zip(jets.classes, counts[1:], strict=True)]
        parts += [f"{counts[0]:,} of unknown class"] if counts[0] else []
        origin = {"simulation": "simulation", "data": "data"}.get(jets.origin.kind, "origin not stated")
        say(
            self.facts,
            f"{self.selection.count:,} of {len(jets):,} jets selected ({', '.join(parts)}), {origin}.",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.choice,
            self.expression,
            self.told,
            self.facts,
            fold("Open a file", self.browser),
            fold("Simulate with Pythia 8", self.simulator, opened=self.simulator.load),
            fold("Compare with a second sample", self.second, self.beside),
            fold("Where this sample came from", self.origin),
            sizing_mode="stretch_width",
        )


def _result(job: Job) -> Any:
    try:
        return job.result()
    except WorkbenchError as error:
        return error


def _titled(kept: Mapping[str, Kept]) -> dict[str, str]:
    """Returns the ids by what stands in the list; of equal names the later ones are numbered."""
    titled: dict[str, str] = {}
    for id, one in kept.items():
        title = _title(id, one)
        same = sum(1 for other in titled if other == title or other.startswith(f"{title} ("))
        titled[f"{title} ({same + 1})" if same else title] = id
    return titled


def _title(id: str, kept: Kept) -> str:
    """Returns what stands in the list: the name and what tells two of one name apart."""
    if id.startswith(SIMULATED):
        return f"Simulated: {kept.name}"
    return f"Uploaded: {kept.name}" if id.startswith(UPLOADED) else Path(id.removeprefix(FILE)).as_posix()
