"""Steps 2 and 3 of a page: choose a network and train it while watching."""

from collections.abc import Callable
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..jobs.recipe import Recipe, Setting, describe
from ..jobs.submit import submit, warm
from ..state.run import RunState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import training
from .analysis import Analysis, held_out
from .errands import Errands
from .panes import fold, line, picture, say
from .text import duration

FIRST = ("network", "epochs", "batch_size", "learning_rate")
"""Settings that are always in view; the others are folded away."""

ONLY_FOR = {
    "trees": ("observables", "iterations", "leaves", "shrinkage"),
    "mlp": ("observables", "hidden_sizes"),
    "pfn": ("features", "phi_sizes", "f_sizes"),
    "particlenet": ("features",),
    "particlenet-lite": ("features",),
}
"""Settings that mean something only to some networks."""

NOT_FOR_TREES = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule", "dropout", "precision")


def field(setting: Setting) -> Any:
    """Returns the widget of one setting, with its bounds and its meaning as help."""
    common = {
        "label": setting.name.replace("_", " ").capitalize(),
        "description": setting.doc,
        "value": setting.default,
        "size": "small",
        "sizing_mode": "stretch_width",
        "margin": (4, 6),
    }
    low, high = setting.bounds or (None, None)
    match setting.kind:
        case "Selector":
            return pmui.Select(options=list(setting.objects), **common)
        case "Integer":
            return pmui.IntInput(start=low, end=high, format="0", **common)
        case "Number":
            return pmui.FloatInput(
                start=low, end=high, step=setting.step or setting.default / 4 or 0.1, **common
            )
        case "Boolean":
            return pmui.Checkbox(**{k: v for k, v in common.items() if k != "description"})
        case "ListSelector":
            return pmui.MultiChoice(
                options=list(setting.objects), **{k: v for k, v in common.items() if k != "size"}
            )
        case _:
            return pmui.LiteralInput(type=type(setting.default), **common)


class TrainingPanel(pn.viewable.Viewer):
    """The form of the tagger, made of the engine's own parameters; Train, Stop and the curves of the running fit."""

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        analysis: Analysis,
        errands: Errands,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.analysis, self.errands = sample, selection, analysis, errands
        self.run = RunState()
        self._then: Callable[[Any], None] = lambda fitted: None
        self.defaults: dict[str, Any] = {}
        self.fields: dict[str, Any] = {}
        self.form = pn.Column(line("The networks are being loaded."), sizing_mode="stretch_width")
        self.more = pn.Column(sizing_mode="stretch_width")
        self.seed = pmui.IntInput(label="Seed", value=1, start=0, size="small", sizing_mode="stretch_width")
        self.train = pmui.Button(label="Train", color="primary", disabled=True)
        self.stop = pmui.Button(label="Stop", color="error", variant="outlined", disabled=True)
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width"
        )
        self.told, self.plan = line(), line(variant="caption")
        self.sources = training.Sources()
        self.curves = pn.Column(visible=False, sizing_mode="stretch_width")
        self.train.on_click(lambda _: self.begin())
        self.stop.on_click(lambda _: self.run.stop())
        self.run.param.watch(self._follow, ["status", "done", "message", "live", "epochs"])
        selection.param.watch(self._say_plan, "mask")

    def load(self) -> None:
        """Makes the form; the engines are imported in the errand thread, so call it once the page is painted."""
        self.errands.send("loading the networks", lambda: describe("tagger"), self.build)

    def build(self, settings: tuple[Setting, ...]) -> None:
        """Makes the form of these settings."""
        shown = [s for s in settings if s.precedence is None or s.precedence >= 0]
        self.fields = {setting.name: field(setting) for setting in shown}
        self.defaults = {setting.name: setting.default for setting in shown}
        self.form[:] = [self.fields[name] for name in FIRST if name in self.fields]
        self.more[:] = [widget for name, widget in self.fields.items() if name not in FIRST]
        if "network" in self.fields:
            self.fields["network"].param.watch(self._show_fitting, "value")
            self._show_fitting()
        self._say_plan()
        warm()

    @property
    def recipe(self) -> Recipe:
        """The tagger that the form describes: what differs from the defaults."""
        chosen = {name: widget.value for name, widget in self.fields.items()}
        return Recipe("tagger", {n: v for n, v in chosen.items() if v != self.defaults[n]})

    def begin(self) -> None:
        """Trains on the selected jets, less those kept to measure with."""
        jets, mask = self.sample.jets, self.selection.mask
        if self.run.busy or jets is None:
            return
        unseen = held_out(mask, self.seed.value)
        recipe = self.recipe
        self._then = lambda fitted: self._take(fitted, jets, unseen)
        self.run.follow(submit(recipe, jets[mask & ~unseen], seed=self.seed.value))
        if not len(self.curves):
            figures = (training.loss_figure, training.auc_figure, training.speed_figure)
            self.curves[:] = [picture(figure(self.sources)) for figure in figures]
        self.curves.visible = True

    def beat(self) -> None:
        """Takes over what the fit reported; called by the page's timer."""
        self.run.drain()

    def _take(self, fitted: Any, jets: Any, unseen: np.ndarray) -> None:
        title = f"{fitted.engine.network}, seed {fitted.seed}"
        self.analysis.take(fitted, title, unseen if jets is self.sample.jets else None)

    def _follow(self, *events: Any) -> None:
        run = self.run
        self.train.disabled, self.stop.disabled = run.busy, not run.busy
        share = 100 * run.done / run.total if run.total else 0
        self.bar.param.update(visible=run.busy, value=round(share))
        self.sources.fill(run.live, run.epochs)
        say(self.told, self._progress())
        ended = any(event.name == "status" for event in events) and run.status in {"done", "stopped"}
        if ended and run.job is not None and run.job.outcome is not None:
            self.errands.send("opening the fit", run.job.result, self._then)

    def _progress(self) -> str:
        run = self.run
        if not run.busy or not run.total:
            return run.message
        speed = run.latest.get("jets_per_second")
        left = f", {duration(run.remaining)} left" if run.remaining == run.remaining else ""
        fast = f", {speed:,.0f} jets/s" if speed else ""
        stopping = " " + run.message if run.message.startswith("Stopping") else ""
        return f"{run.unit.rstrip('s').capitalize()} {run.done:.1f} of {run.total:.0f}{fast}{left}.{stopping} Keep this tab open: a reload loses sight of the fit."

    def _show_fitting(self, *events: Any) -> None:
        network = self.fields["network"].value
        special = {name for names in ONLY_FOR.values() for name in names}
        for name, widget in self.fields.items():
            mine = name not in special or name in ONLY_FOR.get(network, ())
            widget.visible = mine and not (network == "trees" and name in NOT_FOR_TREES)

    def _say_plan(self, *events: Any) -> None:
        unseen = int(np.count_nonzero(held_out(self.selection.mask, 0)))
        rest = self.selection.count - unseen
        ready = bool(self.fields) and rest > 0
        self.train.disabled = self.run.busy or not ready
        say(
            self.plan,
            f"Learns from {rest:,} of the selected jets; the quality is measured on {unseen:,} others.",
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.form,
            fold("All settings", self.more),
            self.seed,
            self.plan,
            pn.Row(self.train, self.stop),
            self.bar,
            self.told,
            self.curves,
            sizing_mode="stretch_width",
        )
