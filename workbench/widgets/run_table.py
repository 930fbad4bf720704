"""The runs as a table with its filters; ticked rows are compared, a clicked one is looked at."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models.widgets.tables import NumberFormatter

from ..jobs.run import Run
from ..state.runs import MOST, ORDERS, RunsState, metric, sample_name
from .menu import Menu
from .panes import line, pane, row, say

SHAPES = {"queued": "○", "running": "▶", "done": "✓", "stopped": "■", "failed": "✕", "died": "†"}
"""A sign before the word of a status."""

NUMBERS = {
    "AUC": ("auc", "0.0000"),
    "± AUC": ("auc_error", "0.0000"),
    "1/εB at εS = 0.5": ("rejection_50", "0.0"),
    "± 1/εB": ("rejection_50_error", "0.0"),
    "parameters": ("parameters", "0,0"),
}
"""Title, metric and format of the numbers."""

TEXTS = ("name", "status", "network", "sample", "begun", "by")
ALL = "all"

ROW = 39
"""Height of a row, and of the heading with its line, in screen units."""

LATER = 2
"""Beats after which the rows of a new table are ticked: the browser drops a tick that comes with the rows."""

MOST_ROWS = 10
"""Rows that are seen at once; the others are scrolled to."""

STYLE = """
:host .tabulator { font-size: 12px; }
:host .tabulator-row.tabulator-selected, :host .tabulator-row.tabulator-selected:hover {
  background-color: color-mix(in srgb, #1F86C9 22%, transparent) !important;
  color: inherit !important;
}
:host .tabulator-row { cursor: pointer; }
"""


def status(run: Run, progress: str = "") -> str:
    """Returns a run's status as a sign and a word, with how far it is."""
    return f"{SHAPES.get(run.status, '?')} {run.status}" + (f": {progress}" if progress else "")


def rows(runs: list[Run], progress: dict[str, str]) -> pd.DataFrame:
    """Returns one row per run; always the same columns, nan where a number is not known."""
    # Always the same columns: the browser's table answers new ones with an error while it is not drawn yet.
    texts: dict[str, Any] = {
        "name": [run.name for run in runs],
        "status": [status(run, progress.get(run.id, "")) for run in runs],
        "network": [run.network or run.kind for run in runs],
        "sample": [sample_name(run) for run in runs],
    }
    numbers = {title: _known([metric(run, name) for run in runs]) for title, (name, _) in NUMBERS.items()}
    last = {
        "time [s]": np.array([run.seconds for run in runs], float),
        "begun": [run.began.astimezone().strftime("%Y-%m-%d %H:%M") for run in runs],
        "by": [run.user for run in runs],
    }
    table = pd.DataFrame({**texts, **numbers, **last})
    return table.astype(dict.fromkeys(TEXTS, object))


def _known(values: list[float]) -> np.ndarray:
    """Where no background passes the rejection is only known to be larger than a limit, which the comparison says."""
    found = np.array(values, float)
    return np.where(np.isfinite(found), found, np.nan)


class RunTable(pn.viewable.Viewer):
    """Filters, order and the table of what they leave."""

    def __init__(self, state: RunsState, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.state = state
        self.text = pmui.TextInput(
            label="Name contains", value=state.text, size="small", sizing_mode="stretch_width"
        )
        self.plain = {
            what: pmui.Select(
                label=label, options=[ALL], value=ALL, size="small", sizing_mode="stretch_width"
            )
            for what, label in (("network", "Network"), ("status", "Status"), ("sample", "Sample"))
        }
        self.expression = pmui.TextInput(
            label="Keep only",
            placeholder='auc > 0.98 & network == "particlenet"',
            description='Such as auc > 0.98 & network == "particlenet". Names are metrics, parameters of the network, name, network, status, sample, seed, seconds, jets, user.',
            size="small",
            sizing_mode="stretch_width",
        )
        self.order = pmui.Select(
            label="Order", options=list(ORDERS), size="small", sizing_mode="stretch_width"
        )
        self.told, self.wrong = (
            line(variant="caption"),
            line(variant="caption", styles={"font-weight": "600"}),
        )
        self.table = self._table()
        self.menu = Menu("runs", data=lambda: rows(state.shown, state.progress))
        self._busy, self._wait = False, 0
        self._watch()
        self._offer()
        self._fill()

    def _table(self) -> pn.widgets.Tabulator:
        formats = {**{title: form for title, (_, form) in NUMBERS.items()}, "time [s]": "0.0"}
        return pn.widgets.Tabulator(
            rows([], {}),
            show_index=False,
            disabled=True,
            height=ROW * 4,
            pagination=None,
            selectable="checkbox",
            sizing_mode="stretch_width",
            layout="fit_data_fill",
            theme_classes=["table-sm"],
            configuration={"columnDefaults": {"headerSort": False}},
            formatters={
                title: NumberFormatter(format=form, nan_format="–") for title, form in formats.items()
            },
            stylesheets=[STYLE],
        )

    def _watch(self) -> None:
        state = self.state
        self.text.param.watch(lambda event: setattr(state, "text", event.new), "value")
        self.expression.param.watch(lambda event: setattr(state, "expression", event.new), "value")
        self.order.param.watch(lambda event: setattr(state, "order", event.new), "value")
        for what, choice in self.plain.items():
            choice.param.watch(lambda event, what=what: self._keep(what, event.new), "value")
        self.table.param.watch(self._choose, "selection")
        self.table.on_click(self._open)
        state.param.watch(self._offer, ["runs", "text", "expression", "order", "network", "status", "sample"])
        state.param.watch(self._fill, "shown")
        state.param.watch(self._mark, "chosen")
        state.param.watch(self._advance, "progress")
        state.param.watch(self._say, ["shown", "chosen", "notice"])

    def _keep(self, what: str, value: str) -> None:
        setattr(self.state, what, "" if value == ALL else value)

    def _offer(self, *events: Any) -> None:
        """Brings the filters in step with the state: what there is to choose, and what is chosen."""
        state = self.state
        for what, choice in self.plain.items():
            chosen = getattr(state, what)
            options = [ALL, *dict.fromkeys([*state.offered(what), *([chosen] if chosen else [])])]
            choice.param.update(options=options, value=chosen or ALL)
        self.text.value, self.expression.value, self.order.value = state.text, state.expression, state.order

    def _fill(self, *events: Any) -> None:
        self._busy = True
        table = rows(self.state.shown, self.state.progress)
        self.table.param.update(
            value=table, selection=[], height=ROW * (max(1, min(len(table), MOST_ROWS)) + 1) + 4
        )
        self._busy = False
        self._wait = LATER
        self._say()

    def beat(self) -> None:
        """Ticks the chosen rows of a new table; called by the page's timer."""
        self._wait -= 1
        if self._wait == 0:
            self._mark()

    def _advance(self, *events: Any) -> None:
        """Changes the cells of those runs that went on, and no others."""
        table = rows(self.state.shown, self.state.progress)["status"]
        old = self.table.value["status"]
        news = [(i, text) for i, text in enumerate(table) if i < len(old) and old.iloc[i] != text]
        if news:
            self.table.patch({"status": news})

    def _mark(self, *events: Any) -> None:
        if self._wait > 0:
            return
        ids = [run.id for run in self.state.shown]
        marked = sorted(ids.index(run_id) for run_id in self.state.chosen if run_id in ids)
        if sorted(self.table.selection) != marked:
            self._busy = True
            self.table.selection = marked
            self._busy = False

    def _choose(self, *events: Any) -> None:
        if self._busy:
            return
        state = self.state
        shown = [run.id for run in state.shown]
        ticked = [shown[i] for i in self.table.selection if i < len(shown)]
        chosen = [run_id for run_id in state.chosen if run_id in shown]
        # One click ticks or unticks. Where both seem to happen, the browser had not yet got the ticks of new rows.
        crossed = self._wait > 0 or bool(set(ticked) - set(chosen) and set(chosen) - set(ticked))
        kept = [run_id for run_id in state.chosen if crossed or run_id not in shown]
        state.choose([*kept, *ticked])
        self._mark()

    def _open(self, event: Any) -> None:
        if event.column is not None and event.row < len(self.state.shown):
            self.state.look_at(self.state.shown[event.row].id)

    def _say(self, *events: Any) -> None:
        state = self.state
        of = f" of {len(state.runs)}" if len(state.shown) != len(state.runs) else ""
        hidden = len(set(state.chosen) - {run.id for run in state.shown})
        beside = f", {hidden} of them not in this list" if hidden else ""
        chosen = f" {len(state.chosen)} chosen{beside}." if state.chosen else ""
        say(
            self.told,
            f"{len(state.shown)}{of} run{'s' if len(state.runs) != 1 else ''}.{chosen} Click a run to look at it, tick up to {MOST} to compare them. "
            "Errors are one standard deviation.",
        )
        say(self.wrong, state.notice)

    def __panel__(self) -> pn.viewable.Viewable:
        filters = [self.text, *self.plain.values(), self.order]
        return pane(
            "Runs",
            row(filters, width=140, most=5),
            self.expression,
            self.wrong,
            self.told,
            self.table,
            name="runs",
            menu=self.menu,
        )
