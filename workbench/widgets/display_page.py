"""The event display as a page: choose a file, walk through its events, look at each in four views."""

from dataclasses import replace
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..data.bundled import bundled
from ..data.events import Events
from ..errors import DataError
from ..state.display import DisplayState
from ..state.display_link import DisplayLink
from ..state.files import Files, Uploads
from ..state.reading import Wanted
from ..state.walk import Shown, Walk, open_shown
from .address import Address
from .code import NO_SOURCE
from .errands import Errands
from .event_display import STATE_LIMIT, EventDisplay
from .event_steps import EventSteps, WalkChip
from .file_browser import FileBrowser
from .frame import Frame
from .jobs_tray import JobsTray
from .menu import Menu
from .owner import owner
from .panes import fold, line, pane, say

BEAT = 200
"""Milliseconds between two looks at what the errands have done."""

BUNDLED = {"Top and QCD jets": "jets", "Top and QCD jets, Vincia shower": "jets-vincia"}
FIRST = "bundled:jets"
STEPS = {"n": 1, "p": -1, "ArrowRight": 1, "ArrowLeft": -1}


class DisplayPage:
    """Everything on the page of one session; `start` begins to work once the page is painted."""

    def __init__(self, files: Files | None = None, uploads: Uploads | None = None) -> None:
        self.errands, self.state, self.walk = Errands(), DisplayState(), Walk()
        self.link = DisplayLink()
        self.address = Address(self.link, self._capture)
        self.files = Files.configured() if files is None else files
        self.uploads = Uploads.configured() if uploads is None else uploads
        self.id, self.source = "", ""
        self.display = EventDisplay(
            self.state, height=560, opening=("Open the bundled jets", lambda: self.open(FIRST))
        )
        self.steps = EventSteps(self.walk)
        self.failed = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown, in which HTML of a file or a user would run.
        self.told = pmui.Alert(self.failed, severity="error", visible=False, sizing_mode="stretch_width")
        self.browser = FileBrowser(self.files, self.uploads, self.errands, self._take_file, open_shown)
        self.chip, self.tray = WalkChip(self.walk), JobsTray(owner())
        self.frame = Frame(
            main=[self._main()],
            sidebar=[self._sidebar()],
            steps=("Events", "Looks"),
            sample_chip=self.chip,
            tray=self.tray,
            errands=self.errands,
        )
        self.frame.keys.param.watch(lambda event: self.press(self.frame.keys.key), "pressed")
        self.walk.param.watch(self._show, ["sample", "position"])
        self.errands.param.watch(self._say, "error")

    def start(self) -> None:
        """Reads the address and opens what it says, else the bundled jets; to be called once the page is painted."""
        self.address.read()
        self.state.view = self.link.view
        self.link.notices = [*self.link.notices, *self.display.from_link(self.link.display)]
        self.open(self.link.file or FIRST, self.link.event)
        pn.state.add_periodic_callback(self.beat, period=BEAT)
        pn.state.on_session_destroyed(self.close)

    def close(self, *session: Any) -> None:
        """Ends what the session has going; fits as a callback of a session that ends."""
        self.browser.stop()
        self.errands.close(*session)
        self.uploads.close(*session)

    def open(self, id: str, position: int = 0) -> None:
        """Opens "bundled:name" or "file:id" at an event, in the background."""
        kind, _, name = id.partition(":")

        def work() -> Shown | DataError:
            try:
                place, wanted = Wanted.read(name)
                path = bundled(place) if kind == "bundled" else self.files.path(place)
                found = open_shown(
                    path,
                    wanted,
                    name=path.name,
                    written=self.files.written(place) if kind != "bundled" else "",
                )
                if kind == "bundled":
                    found = replace(found, source=f"wb.load(wb.bundled({place!r}), stop={len(found.sample)})")
                return found
            except DataError as error:
                return error

        self.errands.send("opening the events", work, lambda found: self._take(id, found, position))

    def press(self, key: str) -> None:
        """Does what a key says."""
        if key in STEPS:
            self.walk.step(STEPS[key])
        else:
            self.display.press(key)

    def beat(self) -> None:
        """Takes up everything that has happened since the last beat."""
        with pn.io.hold():
            self.errands.collect()
            self.browser.beat()
            self.steps.beat()
            self.tray.beat()
            self.address.beat()

    def _take_file(self, id: str, found: Shown) -> None:
        self._take("" if id.startswith("upload:") else f"file:{id}", found, 0)

    def _take(self, id: str, found: Shown | DataError, position: int) -> None:
        self.address.begin()
        if isinstance(found, DataError):
            self._refuse(str(found))
            return
        self._refuse("")
        self.id, self.source = id, found.source
        self.walk.take(found.sample, position)

    def _show(self, *events: Any) -> None:
        sample, position = self.walk.sample, self.walk.position
        if isinstance(sample, Events):
            self.display.show_event(sample, position)
        elif sample is not None:
            self.display.show_jet(sample, position)

    def _capture(self) -> None:
        self.link.param.update(
            file=self.id, event=self.walk.position, view=self.state.view, display=self.display.to_link()
        )

    def _say(self, *events: Any) -> None:
        self._refuse(self.errands.error)

    def _refuse(self, why: str) -> None:
        say(self.failed, why)
        self.told.visible = bool(why)

    def _main(self) -> pn.viewable.Viewable:
        display, table = self.display, self.display.objects
        views = pane(
            "The event in four views",
            self.steps,
            display,
            name="display",
            menu=Menu("event", figure=lambda: display.figure, data=display.table, code=self._code),
        )
        objects = pane(
            "Objects, and the invariant mass of those that are marked",
            table,
            name="objects",
            menu=Menu("objects", data=table.everything, code=self._code_of_objects),
        )
        for each in (views, objects):
            # Else the column squeezes what folds out of a pane under the next one.
            each.styles = {**each.styles, "flex": "none"}
        return pn.Column(
            self.told,
            self.address,
            views,
            objects,
            sizing_mode="stretch_width",
            margin=(0, 8),
        )

    def _code(self) -> str:
        """The lines of Python that show what is shown, in a notebook."""
        show = "show_event" if isinstance(self.walk.sample, Events) else "show_jet"
        return self._lines(
            "from workbench.state.display import DisplayState",
            "from workbench.widgets.event_display import EventDisplay",
            f"display = EventDisplay(DisplayState(view={self.state.view!r}))",
            f"display.{show}(sample, {self.walk.position})",
            f"display.from_link({self.display.to_link()!r})",
            "display",
        )

    def _code_of_objects(self) -> str:
        of = "event" if isinstance(self.walk.sample, Events) else "jet"
        return self._lines(
            f"from workbench.views.event import scene_of_{of}",
            "from workbench.widgets.object_table import listed, numbers",
            f"scene = scene_of_{of}(sample, {self.walk.position})",
            "print(numbers(scene, listed(scene, None)))",
        )

    def _lines(self, *drawing: str) -> str:
        load = f"sample = {self.source}" if self.source else NO_SOURCE.replace("`jets`", "`sample`")
        head = [line for line in drawing if line.startswith("from ")]
        return "\n".join([*head, "import workbench as wb", "", load, *drawing[len(head) :]]) + "\n"

    def _sidebar(self) -> pn.viewable.Viewable:
        self.choice = pmui.Select(
            label="Bundled jets", options=BUNDLED, value="jets", size="small", sizing_mode="stretch_width"
        )
        self.again = pmui.Button(label="Open", variant="outlined", size="small")
        self.again.on_click(lambda _: self.open(f"bundled:{self.choice.value}"))
        self.saved = pmui.FileInput(
            label="Cuts and colours (JSON)",
            accept=".json",
            max_file_size=STATE_LIMIT,
            variant="outlined",
            sizing_mode="stretch_width",
        )
        self.saved.param.watch(self._restore, "value")
        return pn.Column(
            line("1  Events", variant="h6"),
            self.choice,
            self.again,
            fold("A file", self.browser),
            line("2  A saved way of looking", variant="h6"),
            self.saved,
            width=300,
            margin=(0, 10),
        )

    def _restore(self, event: Any) -> None:
        if isinstance(event.new, bytes):
            self.display.restore(event.new)
