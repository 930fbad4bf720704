"""The settings of a simulation as a form, and the simulation in the background."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from ..data.jets import Jets
from ..errors import DataError
from ..jobs.job import Job
from ..jobs.submit import submit_call
from ..state.run import RunState
from .errands import Errands, public
from .panes import fold, line, say
from .text import duration

PROCESSES = ("QCD", "top", "W", "Z", "Higgs", "quark", "gluon")
FIRST = ("pt", "tune")
"""Settings that are always in view; the others are folded away."""
MOST = 1_000_000
"""Largest number of jets that a page simulates."""
MOST_OF_LINK = 20_000
"""Largest number of jets that a link simulates again: it starts work that nobody has pressed a button for."""
ASKED = "asked"
"""In the note of a simulation: its settings."""
NOT_OF_LINK = {"report", "stop", "cores", "function", "name", "note", "owner", "urgent"}
"""Arguments of `simulate.jets` and of `submit_call` that are no settings."""
UNREADABLE = "The link's sample was simulated on a page that is no longer open and was not kept; choose or simulate one."


def name_of(asked: Mapping[str, Any], n: int) -> str:
    """Returns what `n` jets of a simulation are called."""
    return f"{' + '.join(asked['processes'])}, {n:,} jets, seed {asked['seed']}"


def source_of(asked: Mapping[str, Any], n: int) -> str:
    """Returns the Python that simulates `n` jets again, nothing for those of a simulation that was stopped."""
    if n != asked["n"]:
        return ""
    return f"wb.simulate.jets({', '.join(f'{name}={value!r}' for name, value in asked.items())})"


def to_key(asked: Mapping[str, Any], n: int) -> str:
    """Returns a key of `n` jets that were made: the settings where these give them all again, digits where it was stopped."""
    text = json.dumps(asked, separators=(",", ":"))
    return text if n == asked["n"] else hashlib.sha256(f"{text} {n}".encode()).hexdigest()[:16]


def from_key(key: str) -> dict[str, Any]:
    """Returns the arguments of `simulate.jets` that a key of a link stands for; their bounds are seen to by the simulation.

    Raises:
        DataError: it stands for none, or for more jets than a link may simulate.
    """
    try:
        asked = json.loads(key)
        processes, n, seed = asked["processes"], asked["n"], asked["seed"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(UNREADABLE) from error
    listed = isinstance(processes, list) and processes and all(name in PROCESSES for name in processes)
    if not listed or type(n) is not int or type(seed) is not int or NOT_OF_LINK & asked.keys():
        raise DataError(UNREADABLE)
    pileup = asked.get("pileup", 0)
    if type(pileup) not in {int, float} or not 0 <= pileup <= MOST_OF_LINK:
        raise DataError(UNREADABLE)
    if not 0 < n * (1 + pileup) <= MOST_OF_LINK:
        of = f" with {pileup:g} further collisions each" if pileup else ""
        msg = f"The link asks to simulate {n:,} jets{of}; a link does at most {MOST_OF_LINK:,} collisions, so simulate them in step 1."
        raise DataError(msg)
    return {name: tuple(v) if isinstance(v, list) and v is not processes else v for name, v in asked.items()}


def begun(asked: Mapping[str, Any], owner: str) -> Job:
    """Returns the job that simulates the jets; its note has the settings."""
    note = {ASKED: dict(asked)}
    return submit_call(public("simulate").jets, name="simulation", owner=owner, note=note, **asked)


class SimulationForm(pn.viewable.Viewer):
    """Simulates jets in a worker process; the form is made of the simulation's own parameters."""

    def __init__(
        self,
        errands: Errands,
        take: Callable[[Jets, str, str, str], None],
        owner: str = "",
        **parameters: Any,
    ) -> None:
        """Calls `take` with the jets, their name, a key made of all settings, and the Python that gives them again.

        `owner` is the token by which the tray of jobs finds the simulation.
        """
        super().__init__(**parameters)
        self.errands, self._take, self.owner = errands, take, owner
        self.run = RunState()
        self.fields: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.processes = pmui.MultiChoice(
            label="Processes", options=list(PROCESSES), value=["QCD", "top"], sizing_mode="stretch_width"
        )
        self.number = pmui.IntInput(
            label="Jets", format="0", value=1000, start=10, end=MOST, step=500, **small
        )
        self.seed = pmui.IntInput(label="Seed of the simulation", format="0", value=1, start=0, **small)
        self.main = pn.Column(sizing_mode="stretch_width", margin=0)
        self.rest = pn.Column(line("The settings are being loaded."), sizing_mode="stretch_width", margin=0)
        self.start = pmui.Button(label="Simulate", color="primary", variant="outlined", size="small")
        self.stop = pmui.Button(
            label="Stop simulating", color="error", variant="outlined", size="small", disabled=True
        )
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width"
        )
        self.told = line()
        self.start.on_click(lambda _: self.begin())
        self.stop.on_click(lambda _: self.run.stop())
        self.run.param.watch(self._follow, ["status", "done", "message"])

    def load(self) -> None:
        """Makes the form, once; the simulation is imported in the errand thread, so call it when the form is wanted."""
        if self.fields:
            return
        self.errands.send(
            "loading the simulation",
            lambda: public("simulate").JetSimulation.param.objects("existing"),
            self.build,
        )

    def build(self, settings: dict[str, param.Parameter]) -> None:
        """Makes the form of these parameters."""
        self.fields = {name: field(parameter) for name, parameter in settings.items() if name != "name"}
        self.defaults = {name: widget.value for name, widget in self.fields.items()}
        self.main[:] = [self.fields[name] for name in FIRST if name in self.fields]
        self.rest[:] = [widget for name, widget in self.fields.items() if name not in FIRST]

    @property
    def settings(self) -> dict[str, Any]:
        """What differs from the defaults."""
        return {n: w.value for n, w in self.fields.items() if w.value != self.defaults[n]}

    def begin(self) -> None:
        """Starts the simulation in a worker."""
        if self.run.busy:
            return
        if not self.processes.value:
            say(self.told, "No process is chosen; choose at least one to simulate.")
            return
        asked = {
            "processes": list(self.processes.value),
            "n": self.number.value,
            "seed": self.seed.value,
            **self.settings,
        }
        self._asked = asked
        self.errands.send(
            "starting the simulation",
            lambda: begun(asked, self.owner),
            self.run.follow,
        )

    def beat(self) -> None:
        """Takes over what the simulation reported; called by the page's timer."""
        self.run.drain()

    def _follow(self, *events: Any) -> None:
        run = self.run
        self.start.disabled, self.stop.disabled = run.busy, not run.busy
        share = 100 * run.done / run.total if run.total else 0
        self.bar.param.update(visible=run.busy, value=round(share))
        left = f", {duration(run.remaining)} left" if run.remaining == run.remaining else ""
        progress = f"{run.done:,.0f} of {run.total:,.0f} {run.unit}{left}"
        say(self.told, progress if run.busy and run.total else run.message)
        if any(event.name == "status" for event in events) and run.status in {"done", "stopped"} and run.job:
            asked = dict(self._asked)
            self.errands.send("reading the simulation", run.job.result, lambda jets: self._done(jets, asked))

    def _done(self, jets: Jets, asked: dict[str, Any]) -> None:
        if len(jets) == 0:
            say(self.told, "Stopped before the first jet was made.")
            return
        n = len(jets)
        self._take(jets, name_of(asked, n), to_key(asked, n), source_of(asked, n))

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.processes,
            self.number,
            self.seed,
            self.main,
            fold("All settings of the simulation", self.rest),
            pn.Row(self.start, self.stop),
            self.bar,
            self.told,
            line(f"A link simulates up to {MOST_OF_LINK:,} jets again.", variant="caption"),
            sizing_mode="stretch_width",
            margin=0,
        )


def field(parameter: param.Parameter) -> Any:
    """Returns the widget of one parameter, with its bounds and its meaning as help."""
    unit = {"energy": " [GeV]", "pt": " of the jets [GeV]"}.get(parameter.name, "")
    common: dict[str, Any] = {
        "label": parameter.name.replace("_", " ").capitalize().replace("Pt", "pT") + unit,
        "value": parameter.default,
        "sizing_mode": "stretch_width",
        "margin": (4, 6),
    }
    doc = {"description": (parameter.doc or "").strip()}
    match parameter:
        case param.Range():
            low, high = parameter.bounds
            return pmui.RangeSlider(start=low, end=min(high, 3_000.0), step=10.0, **common)
        case param.Boolean():
            return pmui.Checkbox(**common)
        case param.Selector():
            names = dict(parameter.names) or {str(one): one for one in parameter.objects}
            default = next(name for name, one in names.items() if one == parameter.default)
            return pmui.Select(options=list(names), size="small", **{**common, "value": default}, **doc)
        case _:
            low, high = parameter.bounds
            step = parameter.step or parameter.default / 10 or 1.0
            return pmui.FloatInput(start=low, end=high, step=step, size="small", **common, **doc)
