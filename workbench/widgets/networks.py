"""The networks that a page can open: the bundled one, those of registered runs, files below the configured folders."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..errors import DataError, JobError, WorkbenchError
from ..jobs.folder import checked
from ..jobs.registry import registry
from ..jobs.run import Run
from ..state.files import Files
from .analysis import Analysis
from .errands import Errands, public
from .panes import line, say
from .text import with_error

BUNDLED, PLANTED, RUN, FILE = "bundled", "planted", "run:", "file:"
"""How networks are named in a link."""

ENDING = ".safetensors"
LISTED = 50
"""Runs that are listed, newest first; a link opens older ones too."""

TAGGER = "tagger"
OF_BUNDLED = f'wb.open(wb.bundled("{TAGGER}"))'
OF_PLANTED, BY_HAND = "planted_tagger()", "Planted, wired by hand"
OF_RUN = re.compile(r"registry\(\)\.open\('(\w+)'(?:, epoch=(\d+))?\)")
AFTER = "@"
"""Between a run and the epoch after which its network is wanted."""
OPENING, LISTING = "opening the network", "listing the networks"


class Networks:
    """Opens networks by name for an analysis: "bundled", "planted", "run:" and the run, "file:" and a file below the folders.

    "run:…@4" is the network of a run as it was after epoch 4.
    """

    def __init__(self, analysis: Analysis, errands: Errands, files: Files | None = None) -> None:
        self.analysis, self.errands = analysis, errands
        self.files = Files.configured() if files is None else files
        self._named: dict[str, str] = {OF_BUNDLED: BUNDLED, OF_PLANTED: PLANTED}

    @property
    def name(self) -> str:
        """Name of the network that is looked at; "" if no link can name it."""
        run = OF_RUN.search(self.analysis.source)
        if run and run[2]:
            return f"{RUN}{run[1]}{AFTER}{run[2]}"
        return f"{RUN}{run[1]}" if run else self._named.get(self.analysis.source, "")

    def check(self, name: str) -> None:
        """Raises a DataError with a sentence for a network that cannot be opened by this name."""
        if name.startswith(RUN):
            identity, _, epoch = name.removeprefix(RUN).partition(AFTER)
            checked(identity)
            if epoch and not (epoch.isascii() and epoch.isdigit()):
                msg = f"An epoch is a whole number, and the link says {epoch[:60]!r}; leave it out for the run's best."
                raise DataError(msg)
        elif name.startswith(FILE):
            if not name.endswith(ENDING):
                msg = (
                    f"A network is a file that ends in {ENDING}, as a run exports it; {name[:60]!r} does not."
                )
                raise DataError(msg)
            self.files.path(name.removeprefix(FILE))
        elif name not in {BUNDLED, PLANTED}:
            msg = (
                f"There is no network {name[:60]!r}; a link says “{BUNDLED}”, “{PLANTED}”, “{RUN}” with the name of a run, or "
                f"“{FILE}” with a file."
            )
            raise DataError(msg)

    def open(self, name: str, failed: Callable[[str], None], *, unasked: bool = False) -> None:
        """Opens a network in an errand; `failed` is called with a sentence where it cannot be opened.

        One that nobody asked for gives way to what is looked at by then.
        """

        def work() -> Any:
            try:
                self.check(name)
                return self.read(name)
            except WorkbenchError as error:
                return error

        def take(found: Any) -> None:
            if isinstance(found, WorkbenchError):
                failed(str(found))
                return
            fitted, title, source, learned = found
            self._named[source] = name
            if unasked and self.analysis.fitted is not None:
                return
            self.analysis.take(fitted, title, source=source, learned=learned)

        self.errands.send(OPENING, work, take)

    def read(self, name: str) -> tuple[Any, str, str, Mapping[str, Any]]:
        """Returns the network, its title, the Python that gives it again, and the note of its fit."""
        if name == BUNDLED:
            fitted = public("open")(public("bundled")(TAGGER))
            return fitted, f"Bundled {fitted.engine.network}", OF_BUNDLED, {}
        if name == PLANTED:
            planted = import_module("workbench.explanation.planted")
            return planted.planted_tagger(), BY_HAND, OF_PLANTED, {}
        if name.startswith(FILE):
            place = name.removeprefix(FILE)
            fitted = public("open")(self.files.path(place))
            return fitted, place.rpartition("/")[2], f"wb.open({self.files.written(place)!r})", {}
        identity, _, epoch = name.removeprefix(RUN).partition(AFTER)
        after = int(epoch) if epoch else None
        fitted, run = registry().open(identity, after), registry().run(identity)
        learned = {**run.note, "selection": run.sample.get("selection", "")}
        title, asked = (f"{run.name}, epoch {epoch}", f", epoch={after}") if epoch else (run.name, "")
        return fitted, title, f"wb.registry().open({identity!r}{asked})", learned

    def _epochs(self, identity: str) -> dict[str, str]:
        """Returns the networks that the run that is looked at had on its way, words to names."""
        try:
            name, epochs = registry().run(identity).name, registry().epochs(identity)
        except JobError:
            return {}
        return {f"Run {name} ({identity[:4]}) after epoch {n}": f"{RUN}{identity}{AFTER}{n}" for n in epochs}

    def listed(self) -> dict[str, str]:
        """Returns the networks there are, words to names; may take a moment."""
        try:
            runs = [run for run in registry().runs() if run.file is not None][:LISTED]
        except JobError:
            # A registry that cannot be read hides its runs and nothing else.
            runs = []
        looked_at = self.name.removeprefix(RUN).partition(AFTER)[0]
        epochs = self._epochs(looked_at) if looked_at else {}
        found = self.files.search(ENDING).entries if self.files else ()
        files = [entry.id for entry in found if entry.id.endswith(ENDING)]
        return {
            "Bundled tagger": BUNDLED,
            BY_HAND: PLANTED,
            **epochs,
            **{in_words(run): f"{RUN}{run.id}" for run in runs},
            **{f"File {id}": f"{FILE}{id}" for id in files},
        }


def of_runs(found: Mapping[str, str]) -> dict[str, str]:
    """Returns what of `Networks.listed` is a network that a fit ended with, and no epoch on its way."""
    return {label: name for label, name in found.items() if AFTER not in name}


def in_words(run: Run) -> str:
    """Returns what a list says of a run; its id tells two of one name apart."""
    area = run.metrics.get("auc")
    merit = "" if area is None else f", AUC {with_error(area, run.metrics.get('auc_error', float('nan')))}"
    return f"Run {run.name} ({run.network or run.kind}{merit}, {run.id[:4]})"


class NetworkPicker(pn.viewable.Viewer):
    """Step 2 of a page that explains: which network."""

    def __init__(self, networks: Networks, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.networks = networks
        self.choice = pmui.Select(
            label="Network",
            options={"Bundled tagger": BUNDLED},
            value=BUNDLED,
            size="small",
            sizing_mode="stretch_width",
        )
        self.again = pmui.Button(label="List again", variant="text", size="small")
        self.told, self.facts = line(), line(variant="caption")
        self._following = False
        self.choice.param.watch(self._choose, "value")
        self.again.on_click(lambda _: self.load())
        networks.analysis.param.watch(self._follow, ["fitted", "title"])
        networks.analysis.param.watch(self._list_epochs, "source")

    def load(self) -> None:
        """Lists the networks there are; to be called once the page is painted."""
        self.networks.errands.send(LISTING, self.networks.listed, self._offer)

    def _list_epochs(self, *events: Any) -> None:
        """Another run has other epochs."""
        if any(AFTER in name for name in self.choice.options.values()) or self.networks.name.startswith(RUN):
            self.load()

    def _offer(self, found: Mapping[str, str]) -> None:
        self._set(found, self.choice.value)
        self._follow()

    def _set(self, options: Mapping[str, str], value: str) -> None:
        self._following = True
        self.choice.param.update(options=dict(options), value=value)
        self._following = False

    def _choose(self, event: Any) -> None:
        if not self._following:
            say(self.told, "")
            self.networks.open(event.new, self.fail)

    def fail(self, why: str) -> None:
        """Says why a network could not be opened."""
        say(self.told, why)
        self._follow()

    def _follow(self, *events: Any) -> None:
        """Shows which network is looked at, whoever opened it."""
        analysis, name = self.networks.analysis, self.networks.name
        if analysis.fitted is None:
            return
        options = dict(self.choice.options)
        if name and name not in options.values():
            options[analysis.title] = name
        self._set(options, name or self.choice.value)
        fitted = analysis.fitted
        say(self.facts, f"{analysis.title}: {fitted.engine.network}, {' / '.join(fitted.classes)}.")

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.choice, self.again, self.told, self.facts, sizing_mode="stretch_width", margin=0
        )
