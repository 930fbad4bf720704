"""The files a page may open: those below the folders it was given, and those uploaded to it, nothing else."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from ..data.formats import recognise
from ..errors import DataError

FOLDERS = "WORKBENCH_DATA"
"""Environment variable with the folders whose files a page may open, separated as in PATH."""
UPLOAD = "WORKBENCH_UPLOAD"
"""Environment variable with the largest upload in MB; without it nothing can be uploaded."""
LISTED = 500
"""Entries of a folder, and files found by a search, that are shown; the page says if there are more."""
SEARCHED = 50_000
"""Entries that a search looks at."""
UPLOADS = 5
"""Files that one session may upload."""


@dataclass(frozen=True)
class Entry:
    """A file or folder as a page lists it.

    Attributes:
        id: What links call it: the name of its top folder and its place below, with "/" between.
        name: What stands in a list.
        size: Bytes; 0 for a folder.
        folder: True for a folder.
    """

    id: str
    name: str
    size: int = 0
    folder: bool = False


@dataclass(frozen=True)
class Listing:
    """Entries of a folder or of a search; `more` if not all are among them."""

    entries: tuple[Entry, ...]
    more: bool = False


class Files:
    """Folders whose files may be opened. Files are named by id; an id that leads outside is refused."""

    def __init__(self, folders: Sequence[str | Path] = ()) -> None:
        """Takes the folders; one that does not exist is left out and named in `notice`."""
        given = [Path(folder) for folder in folders]
        self.notice = " ".join(
            f"There is no folder {str(folder)!r}; check {FOLDERS}." for folder in given if not folder.is_dir()
        )
        self.folders: dict[str, Path] = {}
        for folder in given:
            if folder.is_dir():
                self.folders[self._free(folder.resolve().name or "data")] = folder

    @classmethod
    def configured(cls, environment: Mapping[str, str] = os.environ) -> "Files":
        """Returns the folders named in `WORKBENCH_DATA`."""
        named = environment.get(FOLDERS, "").split(os.pathsep)
        return cls([Path(name).expanduser() for name in named if name.strip()])

    def __bool__(self) -> bool:
        return bool(self.folders)

    def path(self, id: str) -> Path:
        """Returns the file of this id.

        Raises:
            DataError: the id leads outside, there is nothing, or it is not a file.
        """
        found = self._resolved(id)
        if not found.is_file():
            what = "a folder" if found.is_dir() else "not a file"
            msg = f"{_short(id)} is {what}; choose a file."
            raise DataError(msg)
        return found

    def written(self, id: str) -> str:
        """Returns the path of this id as its folder was given, for a line of Python."""
        self._resolved(id)
        top, _, rest = id.partition("/")
        return (self.folders[top] / rest).as_posix()

    def listing(self, id: str = "") -> Listing:
        """Returns what is in a folder, folders first; the empty id lists the folders themselves.

        Raises:
            DataError: the id leads outside or is not a folder.
        """
        if not id:
            return Listing(tuple(Entry(name, name, folder=True) for name in self.folders))
        folder = self._resolved(id)
        if not folder.is_dir():
            msg = f"{_short(id)} is not a folder; choose one." if folder.exists() else _missing(id)
            raise DataError(msg)
        found = sorted(self._entries(id, folder), key=lambda e: (not e.folder, e.name.lower()))
        return Listing(tuple(found[:LISTED]), len(found) > LISTED)

    def search(self, text: str) -> Listing:
        """Returns the files below all folders with `text` in their place, letters of either case."""
        wanted, looked = text.strip().lower(), 0
        found: list[Entry] = []
        waiting = [(name, folder.resolve()) for name, folder in self.folders.items()]
        while waiting and looked < SEARCHED and len(found) <= LISTED:
            id, folder = waiting.pop(0)
            # A folder that may not be read, or has gone, hides what is in it and nothing else.
            with suppress(DataError):
                for entry in islice(self._entries(id, folder), SEARCHED - looked):
                    looked += 1
                    if entry.folder:
                        waiting.append((entry.id, self._resolved(entry.id)))
                    elif wanted in entry.id.lower():
                        found.append(Entry(entry.id, entry.id, entry.size))
        shown = sorted(found, key=lambda e: e.name.lower())[:LISTED]
        return Listing(tuple(shown), bool(waiting) or len(found) > LISTED)

    def _resolved(self, id: str) -> Path:
        parts = PurePosixPath(id).parts
        odd = "\0" in id or "\\" in id or ".." in parts or not parts or parts[0] not in self.folders
        # What is hidden is not listed, and no id opens it.
        odd = odd or any(part.startswith(".") for part in parts[1:])
        if odd:
            raise DataError(_outside(id))
        root = self.folders[parts[0]].resolve()
        try:
            found = root.joinpath(*parts[1:]).resolve()
            if not found.is_relative_to(root):
                raise DataError(_outside(id))
            return found.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise DataError(_missing(id)) from error

    def _entries(self, id: str, folder: Path) -> Iterator[Entry]:
        """Yields what is visible in a folder and leads to nothing outside."""
        try:
            inside = list(os.scandir(folder))
        except OSError as error:
            msg = f"The folder {_short(id)} cannot be read ({error.strerror}); ask for the permission to."
            raise DataError(msg) from error
        for item in inside:
            below = f"{id}/{item.name}"
            if item.name.startswith(".") or not _is_text(item.name):
                continue
            try:
                found = self._resolved(below)
            except DataError:
                continue
            # A folder behind a link may hold itself; a search would not end.
            if found.is_dir() and not item.is_symlink():
                yield Entry(below, item.name, folder=True)
            elif found.is_file():
                yield Entry(below, item.name, found.stat().st_size)

    def _free(self, name: str) -> str:
        number = 2
        wanted = name
        while name in self.folders:
            name, number = f"{wanted}-{number}", number + 1
        return name


class Uploads:
    """Files that one session uploaded, in a folder of their own until the session ends."""

    def __init__(self, limit: float) -> None:
        """Takes the largest size of a file in MB; 0 allows none."""
        self.limit = limit
        self._folder: Path | None = None
        self._kept: list[Path] = []

    @classmethod
    def configured(cls, environment: Mapping[str, str] = os.environ) -> "Uploads":
        """Returns uploads up to the size in `WORKBENCH_UPLOAD`; what is not a positive number allows none."""
        try:
            limit = float(environment.get(UPLOAD, "0") or 0)
        except ValueError:
            limit = 0.0
        return cls(limit if 0 < limit < float("inf") else 0.0)

    def keep(self, name: str, content: bytes) -> Path:
        """Writes an upload into the session's folder and returns its path; its format is recognised by content.

        Raises:
            DataError: nothing may be uploaded, too large, too many, empty, or of no known format.
        """
        shown = _short(PurePosixPath(name.replace("\\", "/")).name)
        self._check(shown, len(content))
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="workbench-upload-"))
        # The name of the file is ours: a user's may be anything.
        path = self._folder / f"upload-{len(self._kept) + 1}"
        path.write_bytes(content)
        try:
            recognise(path)
        except DataError as error:
            path.unlink()
            raise DataError(str(error).replace(path.name, shown)) from error
        self._kept.append(path)
        return path

    def close(self, *session: object) -> None:
        """Deletes all uploads; fits as a callback of a session that ends."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._kept = None, []

    def _check(self, shown: str, size: int) -> None:
        if not self.limit:
            msg = f"Nothing can be uploaded here; put files below a folder named in {FOLDERS}."
            raise DataError(msg)
        if not size:
            msg = f"{shown} is empty; give a file with content."
            raise DataError(msg)
        if size > self.limit * 1e6:
            msg = f"{shown} has {size / 1e6:,.1f} MB and an upload at most {self.limit:g} MB; put it below a folder named in {FOLDERS}."
            raise DataError(msg)
        if len(self._kept) >= UPLOADS:
            msg = f"{UPLOADS} files were uploaded already; reload the page to begin anew."
            raise DataError(msg)


def _outside(id: str) -> str:
    return f"{_short(id)} is not below a folder of this page; choose a file from its list."


def _missing(id: str) -> str:
    return f"There is no file {_short(id)}; choose one from the list."


def _short(id: str) -> str:
    return repr(id if len(id) <= 80 else id[:77] + "...")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not {"\\", "|"} & set(name)
