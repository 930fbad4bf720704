"""The index: a card per page in the order of an analysis, the lessons beside them, and what ran last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..jobs.registry import Registry
from ..jobs.registry import registry as of_this_process
from ..jobs.run import Run
from .errands import Errands
from .frame import Frame
from .jobs_tray import JobsTray
from .owner import owner
from .panes import line, pane, row, say
from .text import safe_text, with_error

BEAT = 500
"""Milliseconds between two looks at the jobs."""

LAST = 5
"""Runs that are listed, newest first."""

THUMBNAILS = Path(__file__).parent / "thumbnails"
"""Made of the bundled jets by `python -m benchmarks.thumbnails`."""

WRAPPED = {"overflow-wrap": "anywhere"}
NO_RUNS = "No network has been trained yet. Open Jets, choose a network in step 2 and press Train."


@dataclass(frozen=True)
class Card:
    """A page: its name in the address, its title, one sentence, and the notebooks that teach with it."""

    name: str
    title: str
    sentence: str
    lessons: tuple[tuple[str, str], ...] = ()


CARDS = (
    Card(
        "jets",
        "Jets",
        "See jets, train a network on them while watching, and open any of them: which particle made its score.",
        (
            ("01_from_jets_to_an_explained_tagger", "From jets to an explained tagger"),
            ("02_explore_jets_from_a_cell", "Explore jets from a cell"),
        ),
    ),
    Card(
        "display",
        "Event display",
        "Events and jets in space, in η–φ, x–y and r–z: real collisions, simulated ones, and your own files.",
    ),
    Card(
        "relevance",
        "Relevance",
        "What a network looked at, in one jet and in a sample; what if the jet were another; and whether to trust the map.",
        (("03_can_you_trust_this_map", "Can you trust this map?"),),
    ),
    Card(
        "runs",
        "Runs",
        "Every network that was trained: compare, open again, repeat with the same seed, export.",
    ),
)
"""In the order of an analysis."""


class IndexPage:
    """The cards of the pages that are there; `start` lists the last runs once the page is painted.

    Args:
        pages: Names of the pages that are served beside this one.
        lessons: Names of the notebooks that are there.
        registry: Gives the registry of runs; called once the page is painted.
        token: Whose jobs are shown.
    """

    def __init__(
        self,
        pages: Sequence[str],
        lessons: Sequence[str] = (),
        registry: Callable[[], Registry] = of_this_process,
        token: str | None = None,
    ) -> None:
        self.registry = registry
        self.errands = Errands()
        self.cards = [card for card in CARDS if card.name in pages]
        self.lessons = tuple(lessons)
        self.tray = JobsTray(owner() if token is None else token)
        self.runs = pn.pane.HTML("", sizing_mode="stretch_width", margin=(0, 6))
        self.told = line("The last runs are being listed.")
        self.frame = Frame(main=[self.main], tray=self.tray, share=False, plain=True, errands=self.errands)
        self.errands.param.watch(self._say, "error")

    def start(self) -> None:
        """Lists the last runs; to be called once the page is painted."""
        self.errands.send("listing the last runs", lambda: self.registry().runs()[:LAST], self.take)
        pn.state.add_periodic_callback(self.beat, period=BEAT)
        pn.state.on_session_destroyed(self.errands.close)

    def beat(self) -> None:
        """Takes up what has happened since the last beat."""
        with pn.io.hold():
            self.errands.collect()
            self.tray.beat()

    def take(self, runs: Sequence[Run]) -> None:
        """Lists these runs; without any, says how to make one."""
        say(self.told, "" if runs else NO_RUNS)
        self.runs.object = f"<ul>{''.join(map(listed, runs))}</ul>" if runs else ""

    @property
    def main(self) -> pn.viewable.Viewable:
        """The cards, and the last runs below."""
        last = pane("Last runs", self.told, self.runs, name="last")
        return pn.Column(
            row([self._card(card) for card in self.cards], width=280, most=3),
            last,
            sizing_mode="stretch_width",
            margin=(8, 8),
        )

    def _card(self, card: Card) -> pn.viewable.Viewable:
        drawn = THUMBNAILS / f"{card.name}.svg"
        thumbnail = drawn.read_text() if drawn.exists() else ""
        opens = pmui.Button(
            label=f"Open {card.title}",
            href=card.name,
            target="_self",
            variant="contained",
            size="small",
            margin=6,
        )
        names = [(name, title) for name, title in card.lessons if name in self.lessons]
        lessons = [
            line(f"Lesson: {title} (notebooks/{name}.ipynb)", variant="caption", styles=WRAPPED)
            for name, title in names
        ]
        return pane(
            card.title,
            pn.pane.HTML(thumbnail, sizing_mode="stretch_width", margin=(6, 6)),
            line(card.sentence),
            opens,
            *lessons,
            name=f"card-{card.name}",
        )

    def _say(self, *events: Any) -> None:
        if self.errands.error:
            say(self.told, self.errands.error)


def listed(run: Run) -> str:
    """Returns one run as an entry of a list: name, network, figure of merit with its error, state, when; text escaped."""
    area = run.metrics.get("auc", np.nan)
    merit = f" · AUC {with_error(area, run.metrics.get('auc_error', np.nan))}" if np.isfinite(area) else ""
    when = f"{run.began:%d %B %Y, %H:%M}"
    said = safe_text(f"{run.network or run.kind}{merit} · {run.status} · {when}")
    where = f"runs?v=1&amp;run={quote(run.id, safe='')}"
    return f'<li><a href="{where}" style="color: inherit">{safe_text(run.name)}</a> · {said}</li>'
