"""What can be seen of a file without reading it: its container and the names inside."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import h5py
import hdf5plugin
import pyarrow.parquet as pq
import uproot
import zstandard

from ..errors import DataError
from .source import reading

FILTERS = hdf5plugin.FILTERS
"""Compression filters of HDF5 that plain h5py lacks; importing the package registers them."""

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Content:
    """A first look into a file.

    Attributes:
        path: The file.
        container: "HDF5", "ROOT", "Parquet", "zip", "text" or "binary".
        names: What is inside: paths of datasets and, behind a dot, of their fields; tree and branch names;
            columns; member names.
        head: First 4096 characters of a text, decompressed.
    """

    path: Path
    container: str
    names: tuple[str, ...] = ()
    head: str = ""

    def has(self, *names: str) -> bool:
        """Returns True where all `names` are inside."""
        return set(names) <= set(self.names)

    def __str__(self) -> str:
        inside = f" with {', '.join(self.names[:6])}" if self.names else ""
        if self.head:
            inside = f" that begins with {self.head.splitlines()[0][:40]!r}"
        more = f" and {len(self.names) - 6} more" if len(self.names) > 6 else ""
        return f"a {self.container} file{inside}{more}"


def look(path: str | Path) -> Content:
    """Returns the content of a file, recognised by its first bytes, never by its name.

    Raises:
        DataError: there is no such file, it is empty, or its container is damaged.
    """
    path = Path(path)
    if path.is_dir():
        msg = f"{path.name} is a folder; give a file, or a list of files."
        raise DataError(msg)
    with reading(path, "a file"), path.open("rb") as file:
        start = file.read(8)
    if not start:
        msg = f"{path.name} is empty; give a file with content."
        raise DataError(msg)
    for magic, container, names in (
        (b"\x89HDF\r\n\x1a\n", "HDF5", _hdf5_names),
        (b"root", "ROOT", _root_names),
        (b"PAR1", "Parquet", _parquet_names),
        (b"PK\x03\x04", "zip", _zip_names),
    ):
        if start.startswith(magic):
            with reading(path, container):
                return Content(path, container, names(path))
    with reading(path, "text"), opened(path) as stream:
        first = stream.read(4096)
    if b"\0" in first:
        return Content(path, "binary")
    return Content(path, "text", head=first.decode("utf-8", errors="replace"))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Gives the bytes of a file as a stream, decompressed where it starts like gzip or zstandard."""
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        start = file.read(4)
        file.seek(0)
        if start.startswith(GZIP):
            file = cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=file)))
        elif start.startswith(ZSTD):
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            file = stack.enter_context(io.BufferedReader(cast(io.RawIOBase, reader)))
        yield file


def _hdf5_names(path: Path) -> tuple[str, ...]:
    names: list[str] = []

    def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
        names.append(name)
        if isinstance(item, h5py.Dataset) and item.dtype.names:
            names.extend(f"{name}.{field}" for field in item.dtype.names)

    with h5py.File(path) as file:
        file.visititems(note)
    return tuple(names)


def _root_names(path: Path) -> tuple[str, ...]:
    with uproot.open(path) as file:
        trees = file.keys(filter_classname=["TTree", "ROOT::RNTuple"], cycle=False)
        names = list(dict.fromkeys(trees))
        return tuple(names + [f"{tree}/{branch}" for tree in names for branch in file[tree].keys()])  # noqa: SIM118


def _parquet_names(path: Path) -> tuple[str, ...]:
    schema = pq.read_schema(path)
    marks = [key.decode() for key in schema.metadata or {} if key == b"workbench"]
    return tuple([f"#{mark}" for mark in marks] + schema.names)


def _zip_names(path: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(path) as file:
        return tuple(file.namelist())
