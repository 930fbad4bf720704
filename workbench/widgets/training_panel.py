"""Steps 2 and 3 of a page: choose a network and train it while watching."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from ..jobs.job import Job
from ..jobs.recipe import Recipe, Setting, describe
from ..jobs.submit import everyone, submit
from ..state.run import RunState
from ..state.sample import SampleState
from ..state.selection import SelectionState
from ..views import training
from .analysis import WHOLE, Analysis, Live, held_out, number_held_out
from .errands import Errands
from .menu import Menu
from .panes import fold, line, pane, picture, say
from .text import time_left

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


HANDING_OVER = "handing over the jets"
GOING = "{name}: {jets:,} jets are being handed over to a worker."


class TrainingPanel(pn.viewable.Viewer):
    """The form of the tagger, made of the engine's own parameters; Train, Stop and the curves of the fit that is watched.

    A fit belongs to the server and not to the page: a page that is closed loses nothing, and the next one of the same
    `owner` goes on watching. What is asked for while a fit runs waits for a worker.
    """

    def __init__(
        self,
        sample: SampleState,
        selection: SelectionState,
        analysis: Analysis,
        errands: Errands,
        owner: str = "",
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.sample, self.selection, self.analysis, self.errands = sample, selection, analysis, errands
        self.owner = owner
        self.run = RunState()
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
        self.told, self.others, self.plan = line(), line(variant="caption"), line(variant="caption")
        self.sources = training.Sources()
        self.curves = pn.Column(visible=False, sizing_mode="stretch_width")
        self._said = self._ended = self._going = ""
        self.train.on_click(lambda _: self.begin())
        self.stop.on_click(lambda _: self.run.stop())
        self.run.param.watch(self._follow, ["job", "status", "done", "message", "live", "epochs"])
        self.run.param.watch(self._show_epoch, "extra")
        selection.param.watch(self._say_plan, "mask")

    def load(self) -> None:
        """Makes the form and finds the fit that runs; engines are imported in the errand thread, once the page is painted."""
        self.errands.send("loading the networks", lambda: describe("tagger"), self.build)
        self._go_on()

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

    @property
    def recipe(self) -> Recipe:
        """The tagger that the form describes: what differs from the defaults."""
        chosen = {name: widget.value for name, widget in self.fields.items()}
        return Recipe("tagger", {n: v for n, v in chosen.items() if v != self.defaults[n]})

    @property
    def mine(self) -> list[Job]:
        """The fits of this owner that wait or run, oldest first."""
        return [job for job in everyone()[::-1] if is_fit(job, self.owner) and not job.over]

    def begin(self) -> None:
        """Trains on the selected jets, less those kept to measure with; while another fit is watched, behind it."""
        jets, mask, seed = self.sample.jets, self.selection.mask, self.seed.value
        if jets is None or not mask.any():
            return
        recipe, used = self.recipe, mask & ~held_out(mask, seed)
        name = f"{recipe.parameters.get('network', self.defaults.get('network', 'tagger'))}, seed {seed}"
        told = {
            "sample": self.sample.name,
            "source": self.sample.source,
            "selection": self.selection.formula,
            "classes": list(jets.classes),
            "seed": seed,
        }
        # Two quick clicks are one wish.
        self.train.disabled, self._ended = True, ""
        self._going = GOING.format(name=name, jets=int(used.sum()))
        self.errands.send(
            HANDING_OVER,
            lambda: (jets[used], {**told, WHOLE: jets.fingerprint}),
            lambda made: self._submit(recipe, made[0], made[1], seed, name),
        )
        self._say_others()

    def _submit(self, recipe: Recipe, jets: Jets, note: dict[str, Any], seed: int, name: str) -> None:
        job = submit(recipe, jets, seed=seed, name=name, owner=self.owner, note=note)
        if not self.run.busy:
            self.watch(job)
        self._say_others()

    def watch(self, job: Job) -> None:
        """Watches a fit from its first epoch on; one that is over is opened."""
        self.analysis.live = None
        if not len(self.curves):
            self.figures = [f(self.sources) for f in (training.loss_figure, training.auc_figure)]
            self.figures.append(training.speed_figure(self.sources))
            menu = Menu(
                "training",
                figure=lambda: self.figures,
                data=self._learned,
                code=self._code,
                sample=self.sample,
            )
            shown = [picture(figure) for figure in self.figures]
            self.curves[:] = [pane("How it learns", *shown, name="training", menu=menu)]
        self.curves.visible = True
        self.run.follow(job)

    def beat(self) -> None:
        """Takes over what the fit reported; called by the page's timer."""
        self.run.drain()
        self._go_on()
        self._say_others()
        self._allow()

    def _go_on(self) -> None:
        """Watches the oldest fit of this owner if none is watched: after a reload, and when one is over."""
        if self.run.busy or not (waiting := self.mine):
            return
        self.watch(waiting[0])

    def open(self, job: Job) -> None:
        """Opens what a fit learned; its quality is measured on the jets that it never saw, if the sample is still here."""
        self.errands.send("opening the fit", job.result, lambda fitted: self._take(job, fitted))

    def _take(self, job: Job, fitted: Any) -> None:
        source = f"wb.registry().open({job.id!r})"
        self.analysis.take(fitted, job.name, source=source, learned=job.note)
        if job is self.run.job:
            self.analysis.live = None

    def _show_epoch(self, *events: Any) -> None:
        """Gives the newest epoch's validation scores to whoever measures them."""
        run, extra = self.run, self.run.extra
        if run.job is not None and "validation_scores" in extra and run.busy:
            scores = np.asarray(extra["validation_scores"])
            classes = tuple(run.job.note.get("classes", range(scores.shape[1])))
            label = np.asarray(extra["validation_label"])
            self.analysis.live = Live(run.job.name, run.epoch, run.unit, scores, label, classes)

    @pn.io.hold()
    def _follow(self, *events: Any) -> None:
        run = self.run
        self.stop.disabled = not run.busy
        share = 100 * run.done / run.total if run.total else 0
        self.bar.param.update(visible=run.busy, value=round(share))
        self.sources.fill(run.live, run.epochs)
        if run.unit and len(self.curves):
            training.count_in(run.unit, *self.figures)
        say(self.told, self._progress())
        if run.busy or run.job is None or not any(event.name == "status" for event in events):
            return
        self._ended = self._progress()
        if run.status in {"done", "stopped"} and run.job.outcome is not None:
            self.open(run.job)
        else:
            self.analysis.live = None

    def _progress(self) -> str:
        run, name = self.run, self.run.job.name if self.run.job is not None else ""
        if not run.busy:
            return f"{name}: {run.message}" if name else run.message
        if run.status == "queued" or not run.total:
            return f"{name}: {run.message}"
        speed, one = run.latest.get("jets_per_second"), training.UNITS.get(run.unit, run.unit)
        left = time_left(run.remaining)
        fast = f", {speed:,.0f} jets/s" if speed else ""
        found = training.best_columns(run.epochs)["epoch"]
        best = f" Best so far: {one} {found[0]:.0f}." if found.size else ""
        stopping = " " + run.message if run.message.startswith("Stopping") else ""
        count = f"{run.done:.0f}" if run.done == int(run.done) else f"{run.done:.1f}"
        remark = f" {run.job.remark}" if run.job is not None and run.job.remark else ""
        return f"{name}: {one} {count} of {run.total:.0f}{fast}{left}.{best}{stopping}{remark}"

    def _say_others(self) -> None:
        """Says what is on its way, what else of this owner runs or waits, and how the fit before ended."""
        others = [job for job in self.mine if job is not self.run.job]
        before = [self._ended] if self.run.busy and self._ended else []
        going = [self._going] if HANDING_OVER in self.errands.waiting else []
        sentence = " ".join([*going, *map(turn, others), *before])
        if sentence != self._said:
            self._said = sentence
            say(self.others, sentence)

    def _show_fitting(self, *events: Any) -> None:
        network = self.fields["network"].value
        special = {name for names in ONLY_FOR.values() for name in names}
        for name, widget in self.fields.items():
            mine = name not in special or name in ONLY_FOR.get(network, ())
            widget.visible = mine and not (network == "trees" and name in NOT_FOR_TREES)

    def _say_plan(self, *events: Any) -> None:
        count = self.selection.count
        unseen = number_held_out(count)
        rest = count - unseen
        self._allow()
        say(
            self.plan,
            f"Learns from {rest:,} of the selected jets; the quality is measured on {unseen:,} others.",
        )

    def _allow(self) -> None:
        """Lets the button be pressed where there is something to learn from, and what was asked for last is handed over."""
        rest = self.selection.count - number_held_out(self.selection.count)
        self.train.disabled = not (self.fields and rest > 0) or HANDING_OVER in self.errands.waiting

    def _learned(self) -> pd.DataFrame:
        return pd.DataFrame(self.run.epochs)

    def _code(self) -> str:
        run = self.run.job.id if self.run.job is not None else ""
        return (
            "import pandas as pd\n"
            "import workbench as wb\n\n"
            f"curves = wb.registry().curves({run!r})\n"
            'print(pd.DataFrame(curves["epochs"]))\n'
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
            self.others,
            self.curves,
            sizing_mode="stretch_width",
        )


def is_fit(job: Job, owner: str) -> bool:
    """Returns True for a fit that a page of this owner asked for."""
    return job.owner == owner and WHOLE in job.note


def turn(job: Job) -> str:
    """Returns what a fit that is not watched does, in one sentence."""
    if job.status == "running":
        return f"{job.name} runs too{time_left(job.remaining)}."
    return f"{job.name} waits: {'it is next' if job.place <= 1 else f'{job.place - 1} before it'}."
