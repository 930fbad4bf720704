"""The files of the configured folders, with sub folders and a search; what is read of them; and uploads."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..errors import DataError
from ..progress import Step
from ..state.files import FOLDERS, Files, Listing, Uploads
from ..state.reading import ROWS, Wanted, needs_units, open_file
from .errands import Errands
from .panes import line, say

READING = "reading the file"
SEARCHING = "looking for files"
UPLOADED = "upload:"
UNITS = {"as the file says": "", "GeV": "GeV", "MeV": "MeV"}
UP = "↑ up"


class FileBrowser(pn.viewable.Viewer):
    """Chooses a file, which rows of it and how jets are made of its events, and reads it in the background."""

    def __init__(
        self,
        files: Files,
        uploads: Uploads,
        errands: Errands,
        take: Callable[[str, Any], None],
        opener: Callable[..., Any] = open_file,
        **parameters: Any,
    ) -> None:
        """Calls `take` with the id of a file and what `opener` read of it, which has a `format` and a `sentence`."""
        super().__init__(**parameters)
        self.files, self.uploads, self.errands, self._take = files, uploads, errands, take
        self._open = opener
        self.folder, self.chosen = "", ""
        self._path: Path | None = None
        self._stop = threading.Event()
        self._step: Step | None = None
        self._ids: list[str] = []
        self._make()
        self.search.param.watch(lambda event: self.find(event.new), "value")
        self.entries.on_click(self._on_entry)
        self.upload.param.watch(self._on_upload, "value")
        self.read.on_click(lambda _: self.begin())
        self.cancel.on_click(lambda _: self.stop())
        if files:
            self.go("" if len(files.folders) > 1 else next(iter(files.folders)))

    def _make(self) -> None:
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.search = pmui.TextInput(label="Search files", placeholder="part of a name", **small)
        self.place, self.more = line(variant="caption"), line(variant="caption")
        self.entries = pmui.MenuList(items=[], dense=True, highlight=False, sizing_mode="stretch_width")
        self.listed = pn.Column(self.entries, max_height=260, scroll=True, sizing_mode="stretch_width")
        most = int(self.uploads.limit * 1e6) or None
        self.upload = pmui.FileInput(
            label="Upload a file",
            max_file_size=most,
            max_total_file_size=most,
            variant="outlined",
            sizing_mode="stretch_width",
        )
        self.start = pmui.IntInput(label="First row", value=0, start=0, format="0", **small)
        self.end = pmui.IntInput(label="Up to row", value=ROWS, start=1, format="0", **small)
        self.units = pmui.Select(label="Energy unit", options=UNITS, value="", **small)
        self.radius = pmui.FloatInput(
            label="Radius of jets made from events", value=0.8, start=0.1, end=1.5, step=0.1, **small
        )
        self.pt_min = pmui.FloatInput(
            label="Smallest pT of such jets [GeV]", value=20.0, start=0.0, step=5.0, **small
        )
        self.read = pmui.Button(
            label="Read", color="primary", variant="outlined", size="small", disabled=True
        )
        self.cancel = pmui.Button(
            label="Stop reading", color="error", variant="outlined", size="small", disabled=True
        )
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width"
        )
        self.told = line()

    @property
    def wanted(self) -> Wanted:
        """Which rows are to be read, and how."""
        return Wanted(
            self.start.value,
            self.end.value,
            self.units.value or None,
            None if self.radius.value == 0.8 else self.radius.value,
            None if self.pt_min.value == 20.0 else self.pt_min.value,
        )

    def go(self, folder: str) -> None:
        """Lists a folder."""
        try:
            listing = self.files.listing(folder)
        except DataError as error:
            say(self.told, str(error))
            return
        self.folder = folder
        self._list(listing, f"In {folder}" if folder else "Folders", up=self._above(folder) is not None)

    def find(self, text: str) -> None:
        """Lists the files with this text in their place; an empty text lists the folder again."""
        if not text.strip():
            self.go(self.folder)
            return
        self.errands.send(
            SEARCHING,
            lambda: self.files.search(text),
            lambda listing: self._list(listing, f"Files with “{text.strip()}”", up=True),
        )

    def choose(self, id: str) -> None:
        """Chooses a file of the folders."""
        try:
            self._path, self.chosen = self.files.path(id), id
        except DataError as error:
            say(self.told, str(error))
            return
        self.read.disabled = False
        say(self.told, f"{self._path.name}, {size(self._path.stat().st_size)}.")

    def keep(self, name: str, content: bytes) -> None:
        """Takes an upload, looks into it, and reads it; what is wrong with it is said."""
        try:
            path = self.uploads.keep(name, content)
        except (DataError, OSError) as error:
            say(self.told, str(error))
            return
        self._path, self.chosen = path, f"{UPLOADED}{path.name}/{Path(name).name}"
        self.read.disabled = False
        self.begin()

    def begin(self) -> None:
        """Reads the chosen file in the background."""
        path, id, wanted = self._path, self.chosen, self.wanted
        if path is None:
            return
        uploaded = id.startswith(UPLOADED)
        name = id.partition("/")[2] if uploaded else path.name
        written = "" if uploaded else self.files.written(id)
        self._stop, self._step = threading.Event(), None
        stop = self._stop
        self.cancel.disabled = False

        def work() -> Any:
            try:
                return self._open(path, wanted, name=name, written=written, report=self._report, stop=stop)
            except DataError as error:
                return error

        say(self.told, f"Reading {name}.")
        whole = id if uploaded else f"{id}{wanted.suffix}"
        self.errands.send(READING, work, lambda found: self._done(whole, found))

    def stop(self) -> None:
        """Ends the reading after the piece that is being read; what was read is kept."""
        self._stop.set()
        self.cancel.disabled = True

    def beat(self) -> None:
        """Shows how far the reading is; called by the page's timer."""
        step = self._step
        if step is not None and step.total:
            self.bar.param.update(visible=True, value=round(100 * step.done / step.total))
            say(self.told, f"{step.done:,.0f} of {step.total:,.0f} rows read.")
            self._step = None

    def _report(self, step: Step) -> None:
        # Called in the errand's thread: nothing of the page is touched here.
        self._step = step

    def _done(self, id: str, found: Any) -> None:
        self._step = None
        self.bar.visible = False
        self.cancel.disabled = True
        if isinstance(found, DataError):
            asks = needs_units(str(found))
            hint = " Choose it under “Energy unit” and read again." if asks else ""
            say(self.told, f"{found}{hint}")
            return
        say(self.told, f"{found.format}: {found.sentence}")
        self._take(id, found)

    def _list(self, listing: Listing, title: str, *, up: bool) -> None:
        self._ids = [entry.id for entry in listing.entries]
        items = [
            {"label": f"{entry.name}/" if entry.folder else entry.name}
            | ({} if entry.folder else {"secondary": size(entry.size)})
            for entry in listing.entries
        ]
        if up:
            self._ids.insert(0, UP)
            items.insert(0, {"label": UP})
        self.entries.items = items
        say(self.place, f"{title}:" if listing.entries else f"{title}: nothing.")
        say(
            self.more,
            "There are more than are listed; search for a part of the name." if listing.more else "",
        )

    def _on_entry(self, item: Any) -> None:
        labels = [entry["label"] for entry in self.entries.items]
        label = item["label"] if isinstance(item, dict) else item
        if label not in labels:
            return
        id = self._ids[labels.index(label)]
        if id == UP:
            self._go_up()
        elif label.endswith("/"):
            self.go(id)
        else:
            self.choose(id)

    def _go_up(self) -> None:
        if self.search.value:
            self.search.value = ""
            return
        above = self._above(self.folder)
        if above is not None:
            self.go(above)

    def _above(self, folder: str) -> str | None:
        """Returns the folder above; the empty one lists all folders; None where there is none above."""
        above = folder.rpartition("/")[0]
        several = len(self.files.folders) > 1
        return above if above or (folder and several) else None

    def _on_upload(self, event: Any) -> None:
        content, name = event.new, self.upload.filename
        if isinstance(content, bytes) and isinstance(name, str):
            self.keep(name, content)
            self.upload.clear()

    def __panel__(self) -> pn.viewable.Viewable:
        none = f"No folder is configured: start the page with {FOLDERS} naming one to open files of it."
        browse = [self.search, self.place, self.listed, self.more] if self.files else [line(none)]
        notice = [line(self.files.notice)] if self.files.notice else []
        return pn.Column(
            *notice,
            *browse,
            *([self.upload] if self.uploads.limit else []),
            self.start,
            self.end,
            self.units,
            self.radius,
            self.pt_min,
            pn.Row(self.read, self.cancel),
            self.bar,
            self.told,
            sizing_mode="stretch_width",
            margin=0,
        )


def size(number: int) -> str:
    """Returns bytes in words: "3 B", "1.2 MB"."""
    amount, units = float(number), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"
