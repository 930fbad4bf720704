"""The runs a page lists: which of them are shown, in which order, and which are chosen to be compared."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import param

from ..errors import SelectionError, nearest
from ..jobs.job import OVER, Job
from ..jobs.run import Run
from .address import query_of, short, unknown, versioned
from .run_filter import RunFilter, Value

MOST = 6
"""Runs that are compared at once; more curves in one frame cannot be told apart."""

STATUSES = ("queued", "running", *OVER)
PLAIN = ("network", "status", "sample")
"""What is filtered by one of the values there are."""
KEYS = ("v", "run", "text", "filter", "order", *PLAIN)
RUN_ID = re.compile(r"[\w-]{1,64}")

Key = Callable[[Run], Any]


def metric(run: Run, name: str) -> float:
    """Returns one of a run's metrics; nan where it has none of that name."""
    return float(run.metrics.get(name, math.nan))


def sample_name(run: Run) -> str:
    """Returns what the user calls the sample the run learned from."""
    return str(run.sample.get("name", ""))


def _falling(value: float) -> tuple[bool, float]:
    return math.isnan(value), -value


ORDERS: Mapping[str, Key] = {
    "newest first": lambda run: -run.began.timestamp(),
    "best area first": lambda run: _falling(metric(run, "auc")),
    "best rejection first": lambda run: _falling(metric(run, "rejection_50")),
    "by name": lambda run: run.name.casefold(),
    "shortest first": lambda run: (math.isnan(run.seconds), run.seconds),
    "fewest parameters first": lambda run: (
        math.isnan(metric(run, "parameters")),
        metric(run, "parameters"),
    ),
}
NEWEST = "newest first"


def values(run: Run) -> dict[str, Value]:
    """Returns what an expression may ask of a run: its numbers and words by name.

    Parameters of the engine come first, then metrics, then what every run has; the later hides the earlier.
    """
    plain = {name: value for name, value in run.parameters.items() if isinstance(value, int | float | str)}
    own: dict[str, Value] = {
        "name": run.name,
        "status": run.status,
        "kind": run.kind,
        "network": run.network,
        "sample": sample_name(run),
        "user": run.user,
        "seed": float(run.seed),
        "seconds": float(run.seconds),
        "jets": float(run.sample.get("n", math.nan)),
    }
    known = {**plain, **run.metrics, **own}
    return {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in known.items()
    }


def differing(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Returns what was set otherwise in some of the runs: a value per run by name; None where a run does not say."""
    said = [_settings(run) for run in runs]
    names = dict.fromkeys(name for one in said for name in one)
    rows = {name: [one.get(name) for one in said] for name in names}
    return {name: row for name, row in rows.items() if any(_plain(v) != _plain(row[0]) for v in row)}


def _settings(run: Run) -> dict[str, Any]:
    sample = {f"sample {name}": run.sample[name] for name in ("name", "n", "selection") if name in run.sample}
    return {"network": run.network, **run.parameters, "seed": run.seed, **sample}


def _plain(value: Any) -> Any:
    """What was a tuple and came back as a list is the same setting."""
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


class RunsState(param.Parameterized):
    """All runs of the registry as last listed, what of them is shown, and which are chosen.

    Unlike a page it can be tested without a browser. What an address says is checked piece by piece: the good pieces
    hold, every bad one leaves a sentence in `notices`.
    """

    runs: list[Run] = param.List([], doc="All runs, as the registry listed them.")
    listed: bool = param.Boolean(False, doc="True once the registry has answered.")
    text: str = param.String("", doc="Part of a name, of any case.")
    network: str = param.String("", doc="Only runs of this network; empty for all.")
    status: str = param.Selector(default="", objects=["", *STATUSES], doc="Only runs of this status.")
    sample: str = param.String("", doc="Only runs that learned from the sample of this name.")
    expression: str = param.String("", doc='Only runs that pass, such as `auc > 0.98 & network == "mlp"`.')
    order: str = param.Selector(default=NEWEST, objects=list(ORDERS), doc="Order of the table.")
    shown: list[Run] = param.List([], doc="The runs that pass all filters, in order.")
    chosen: list[str] = param.List(
        [], item_type=str, doc="Ids of the runs that are compared, in order of choice."
    )
    current: str = param.String("", doc="Id of the run that is looked at; one of `chosen`, or empty.")
    awaited: str = param.String("", doc="Id of a run that was asked for and is looked at once it is listed.")
    progress: dict[str, str] = param.Dict({}, doc="How far the runs are that are not over, by id.")
    deleted: list[tuple[str, str]] = param.List(
        [], doc="Id and name of what this page has put in the bin, oldest first."
    )
    notice: str = param.String("", doc="One sentence on the filter that could not be used, else empty.")
    notices: list[str] = param.List([], item_type=str, doc="What of the last address could not be used.")

    def __init__(self, **parameters: Any) -> None:
        self._jobs: dict[str, tuple[int, str]] = {}
        self._at: dict[str, tuple[float, float, str]] = {}
        super().__init__(**parameters)
        filters = ["runs", "text", "network", "status", "sample", "expression", "order"]
        self.param.watch(self._filter, filters)

    def take(self, runs: Iterable[Run]) -> None:
        """Shows another list of runs; what was chosen and is gone is no longer chosen."""
        runs = list(runs)
        ids = {run.id for run in runs}
        gone = [run_id for run_id in self.chosen if run_id not in ids]
        wrong = [_no_run(run_id) for run_id in gone if not self.listed]
        kept = [run_id for run_id in self.chosen if run_id in ids]
        current = self.current if self.current in kept else (kept[-1] if kept else "")
        # A run without a metric has nan there, which is not equal to itself: every list would be taken for another.
        if not self.listed or [*map(repr, runs)] != [*map(repr, self.runs)]:
            self.param.update(runs=runs, listed=True)
        self.param.update(chosen=kept, current=current, notices=[*self.notices, *wrong])
        if self.awaited in ids:
            self.look_at(self.awaited)
            self.awaited = ""

    def choose(self, ids: Iterable[str]) -> None:
        """Chooses these runs, at most `MOST` of them; the one chosen last is looked at."""
        wanted = list(dict.fromkeys(ids))
        kept = [run_id for run_id in self.chosen if run_id in wanted]
        new = [run_id for run_id in wanted if run_id not in kept]
        chosen = [*kept, *new]
        if len(chosen) > MOST:
            self.notice = f"At most {MOST} runs are compared at once; the first {MOST} are."
        chosen = chosen[:MOST]
        current = new[-1] if new and new[-1] in chosen else self.current
        if current not in chosen:
            current = chosen[-1] if chosen else ""
        self.param.update(chosen=chosen, current=current)

    def look_at(self, run_id: str) -> None:
        """Looks at one run; it is chosen, too."""
        if run_id in self.chosen:
            self.current = run_id
        else:
            self.choose([*self.chosen, run_id] if len(self.chosen) > 1 else [run_id])

    def find(self, run_id: str) -> Run | None:
        """Returns the run of this id, None where there is none."""
        return next((run for run in self.runs if run.id == run_id), None)

    @property
    def compared(self) -> list[Run]:
        """The chosen runs, in order of choice."""
        return [run for run in map(self.find, self.chosen) if run is not None]

    @property
    def known(self) -> tuple[str, ...]:
        """The names that an expression may use."""
        return tuple(dict.fromkeys(name for run in self.runs for name in values(run)))

    def offered(self, what: str) -> list[str]:
        """Returns the values that runs have of "network", "status" or "sample", sorted."""
        return sorted({str(values(run)[what]) for run in self.runs} - {""})

    def poll(self, jobs: Iterable[Job]) -> bool:
        """Looks at the jobs of this server and returns whether the registry should be asked again: one began or ended."""
        jobs = [job for job in jobs if job.id]
        now = {job.id: job.status for job in jobs}
        changed = now != {run_id: status for run_id, (_, status) in self._jobs.items()}
        for job in jobs:
            version, _ = self._jobs.get(job.id, (-1, ""))
            if job.version != version:
                version, _, steps = job.since(version)
                if steps:
                    self._at[job.id] = steps[-1].done, steps[-1].total, steps[-1].unit
            self._jobs[job.id] = version, now[job.id]
        self._jobs = {run_id: seen for run_id, seen in self._jobs.items() if run_id in now}
        self._at = {run_id: at for run_id, at in self._at.items() if run_id in now}
        progress = {job.id: self._how_far(job) for job in jobs if not job.over}
        if progress != self.progress:
            self.progress = progress
        return changed

    def _how_far(self, job: Job) -> str:
        if job.status == "queued":
            return f"place {job.place} in the queue" if job.place else "waiting for the worker"
        done, total, unit = self._at.get(job.id, (0.0, 0.0, ""))
        if not total:
            return "begins"
        left = job.remaining
        soon = f", {_duration(left)} left" if math.isfinite(left) else ""
        return f"{done:.0f} of {total:.0f} {unit}{soon}"

    def _filter(self, *events: Any) -> None:
        kept, notice = self.runs, ""
        try:
            if self.expression.strip() and self.runs:
                wanted = RunFilter(self.expression, self.known)
                kept = [run for run in kept if wanted.passes(values(run))]
        except SelectionError as error:
            notice = f"{error} The expression is not used."
        kept = sorted(filter(self._passes, kept), key=ORDERS[self.order])
        self.param.update(shown=kept, notice=notice)

    def _passes(self, run: Run) -> bool:
        said = values(run)
        plain = all(getattr(self, what) in ("", said[what]) for what in PLAIN)
        return plain and self.text.strip().casefold() in run.name.casefold()

    def write(self) -> str:
        """Returns the query part of the address, with "?"; defaults are left out."""
        pairs = [("run", run_id) for run_id in self.chosen]
        pairs += [("text", self.text), *((what, getattr(self, what)) for what in PLAIN)]
        pairs += [("filter", self.expression), ("order", "" if self.order == NEWEST else self.order)]
        return query_of(pairs)

    def read(self, query: str) -> None:
        """Takes the query part of an address; what cannot be used is named in `notices`."""
        pairs, notices = versioned(query)
        taken: dict[str, Any] = {"chosen": []}
        for key, text in pairs:
            try:
                self._take(key, text, taken)
            except ValueError as error:
                notices.append(str(error))
        chosen = list(dict.fromkeys(taken["chosen"]))
        if len(chosen) > MOST:
            notices.append(f"The link names {len(chosen)} runs; the first {MOST} are compared.")
        taken |= {"chosen": chosen[:MOST], "current": chosen[:MOST][-1] if chosen else ""}
        names = ("text", "expression", "order", *PLAIN)
        defaults = {name: self.param[name].default for name in names}
        self.param.update(**{**defaults, **taken, "notices": notices})

    def _take(self, key: str, text: str, taken: dict[str, Any]) -> None:
        if key not in KEYS:
            raise ValueError(unknown(key, KEYS))
        if key == "run":
            if not RUN_ID.fullmatch(text):
                raise ValueError(_no_run(text))
            taken["chosen"].append(text)
        elif key in ("status", "order"):
            objects = STATUSES if key == "status" else tuple(ORDERS)
            if text not in objects:
                msg = f"There is no {key} {short(text)}; {nearest(text, objects)}"
                raise ValueError(msg)
            taken[key] = text
        elif key != "v":
            taken["expression" if key == "filter" else key] = text


def _no_run(run_id: str) -> str:
    return f"There is no run {short(run_id)} here; choose one from the table."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
