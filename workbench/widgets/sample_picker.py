"""Step 1 of a page: choose a bundled sample or simulate one."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..data import parquet
from ..data.jets import Jets
from ..jobs.submit import submit_call
from ..state.run import RunState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from .errands import Errands, public
from .panes import fold, line, say
from .text import duration

BUNDLED = {
    "Top and QCD, Monash tune": "jets",
    "Top and QCD, Vincia shower": "jets-vincia",
}
SIMULATED = "simulated"
PROCESSES = ("QCD", "top", "W", "Z", "Higgs", "quark", "gluon")


class SamplePicker(pn.viewable.Viewer):
    """Fills a SampleState from the bundled samples or from a simulation in the background."""

    def __init__(
        self, sample: SampleState, selection: SelectionState, errands: Errands, **parameters: Any
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.errands = sample, selection, errands
        self.simulation = RunState()
        self.simulated: Any = None
        self.choice = pmui.Select(
            label="Sample", options=BUNDLED, value="jets", size="small", sizing_mode="stretch_width"
        )
        self.expression = pmui.TextInput(
            label="Keep only",
            placeholder="pt > 560 & abs(eta) < 1",
            size="small",
            sizing_mode="stretch_width",
        )
        self.processes = pmui.MultiChoice(
            label="Processes", options=list(PROCESSES), value=["QCD", "top"], sizing_mode="stretch_width"
        )
        self.number = pmui.IntInput(
            format="0",
            label="Jets",
            value=1000,
            start=10,
            end=100_000,
            step=500,
            size="small",
            sizing_mode="stretch_width",
        )
        self.seed = pmui.IntInput(label="Seed", value=1, start=0, size="small", sizing_mode="stretch_width")
        self.start = pmui.Button(label="Simulate", color="primary", variant="outlined", size="small")
        self.stop = pmui.Button(label="Stop", color="error", variant="outlined", size="small", disabled=True)
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width"
        )
        self.told, self.facts = line(), line(variant="caption")
        self.origin = line(
            variant="caption",
            styles={"white-space": "pre-wrap", "overflow-wrap": "anywhere"},
        )
        self.choice.param.watch(lambda event: self.open(event.new), "value")
        self.expression.param.watch(lambda event: self.choose(event.new), "value")
        self.start.on_click(lambda _: self.simulate())
        self.stop.on_click(lambda _: self.simulation.stop())
        self.simulation.param.watch(self._follow, ["status", "done", "message"])
        self.selection.param.watch(self._count, "mask")

    def open(self, name: str) -> None:
        """Shows a bundled sample or the simulated one; until it is read the old one stays."""
        if name == SIMULATED:
            self.take(self.simulated)
            return
        self.errands.send("reading the sample", lambda: parquet.read(public("bundled")(name)), self.take)

    def take(self, jets: Jets) -> None:
        """Shows these jets."""
        self.sample.take(jets)
        self.expression.value = ""
        say(self.origin, self.sample.provenance)
        self._count()

    def take_simulated(self, jets: Jets) -> None:
        """Shows simulated jets and keeps them beside the bundled ones; a newer simulation replaces an older one."""
        self.simulated = jets
        if self.choice.value == SIMULATED:
            self.take(jets)
        else:
            self.choice.param.update(
                options={**BUNDLED, "Simulated on this page": SIMULATED}, value=SIMULATED
            )

    def choose(self, expression: str) -> None:
        """Keeps the jets that pass; says why if the expression cannot be read."""
        readable = self.sample.choose(expression)
        self.expression.error_state = not readable
        say(self.told, self.sample.notice)

    def simulate(self) -> None:
        """Starts a simulation in the worker."""
        if self.simulation.busy:
            return
        if not self.processes.value:
            say(self.told, "No process is chosen; choose at least one to simulate.")
            return
        processes, number, seed = list(self.processes.value), self.number.value, self.seed.value
        self.errands.send(
            "starting the simulation",
            lambda: submit_call(public("simulate").jets, processes, number, seed=seed, name="simulation"),
            self.simulation.follow,
        )

    def beat(self) -> None:
        """Takes over what the simulation reported; called by the page's timer."""
        self.simulation.drain()

    def _follow(self, *events: Any) -> None:
        run = self.simulation
        self.start.disabled, self.stop.disabled = run.busy, not run.busy
        share = 100 * run.done / run.total if run.total else 0
        self.bar.param.update(visible=run.busy, value=round(share))
        left = f", {duration(run.remaining)} left" if run.remaining == run.remaining else ""
        say(
            self.told,
            f"{run.done:,.0f} of {run.total:,.0f} {run.unit}{left}"
            if run.busy and run.total
            else run.message,
        )
        if any(event.name == "status" for event in events) and run.status in {"done", "stopped"} and run.job:
            self.errands.send("reading the sample", run.job.result, self.take_simulated)

    def _count(self, *events: Any) -> None:
        jets = self.sample.jets
        if jets is None:
            return
        parts = [f"{int(sum(self.selection.mask & (jets.label == name))):,} {name}" for name in jets.classes]
        origin = {"simulation": "simulation", "data": "data"}.get(jets.origin.kind, "origin not stated")
        say(
            self.facts,
            f"{self.selection.count:,} of {len(jets):,} jets selected ({', '.join(parts)}), {origin}.",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.choice,
            self.expression,
            self.facts,
            self.bar,
            self.told,
            fold(
                "Simulate with Pythia 8",
                self.processes,
                self.number,
                self.seed,
                pn.Row(self.start, self.stop),
            ),
            fold("Where this sample came from", self.origin),
            sizing_mode="stretch_width",
        )
