"""Pandas frames in HDF5, read without pandas: plain numbers, no pickled object is ever opened."""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ..errors import DataError
from .source import require


@dataclass(frozen=True)
class Block:
    """Columns of one type, stored as one two-dimensional array.

    Attributes:
        columns: Their names.
        dataset: Where they lie, rows first.
        field: Field of a structured dataset, or "" where the dataset is the array itself.
    """

    columns: tuple[str, ...]
    dataset: h5py.Dataset
    field: str


class Frame:
    """A pandas frame, as PyTables stores it in the layouts "fixed" and "table"."""

    def __init__(self, group: h5py.Group, path: Path) -> None:
        self.path = path
        self.blocks = _table_blocks(group["table"]) if "table" in group else _fixed_blocks(group)
        self.columns = tuple(name for block in self.blocks for name in block.columns)
        self.place = {
            name: (number, i)
            for number, block in enumerate(self.blocks)
            for i, name in enumerate(block.columns)
        }
        self.length = int(self.blocks[0].dataset.shape[0]) if self.blocks else 0

    def rows(self, start: int, stop: int) -> "Rows":
        """Returns the rows; what lies together in the file is read once."""
        read: dict[str, np.ndarray] = {}
        values = []
        for block in self.blocks:
            name = block.dataset.name
            if name not in read:
                read[name] = block.dataset[start:stop]
            stored = read[name][block.field] if block.field else read[name]
            values.append(stored.reshape(stop - start, len(block.columns)))
        return Rows(self, start, values)


@dataclass(frozen=True)
class Rows:
    """Some rows of a frame, from row `first` on: one array of shape (rows, columns) per block."""

    frame: Frame
    first: int
    values: list[np.ndarray]

    def __getitem__(self, columns: str | list[str]) -> np.ndarray:
        """Returns one column, or several of one type side by side (without a copy where they lie so).

        Raises:
            DataError: a column is missing, or they are of different types.
        """
        wanted = [columns] if isinstance(columns, str) else columns
        require(self.frame.path, self.frame.columns, wanted, "column")
        block, index = np.array([self.frame.place[name] for name in wanted]).T
        if (block != block[0]).any():
            values = [self.values[b][:, i] for b, i in zip(block, index, strict=True)]
            if len({value.dtype for value in values}) == 1:
                return np.stack(values, axis=1)
            msg = f"The columns {wanted[0]} to {wanted[-1]} of {self.frame.path.name} have different types; store them as one."
            raise DataError(msg)
        adjacent = (np.diff(index) == 1).all()
        values_of = self.values[block[0]]
        chosen = values_of[:, index[0] : index[-1] + 1] if adjacent else values_of[:, index]
        return chosen[:, 0].copy() if isinstance(columns, str) else chosen


def pieces(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yields consecutive row ranges of at most `size`."""
    for first in range(start, stop, size):
        yield first, min(first + size, stop)


def _fixed_blocks(group: h5py.Group) -> list[Block]:
    blocks = []
    for i in range(int(group.attrs["nblocks"])):
        items = group[f"block{i}_items"][:]
        names = tuple(item.decode() if isinstance(item, bytes) else str(item) for item in items.tolist())
        blocks.append(Block(names, group[f"block{i}_values"], ""))
    return blocks


def _table_blocks(table: h5py.Dataset) -> list[Block]:
    fields = [name for name in table.dtype.names if name != "index"]
    return [Block(_names(table.attrs[f"{field}_kind"]), table, field) for field in fields]


def _names(pickled: bytes | np.bytes_) -> tuple[str, ...]:
    # PyTables stores the list of names as a pickle; its instructions are listed here, none is carried out.
    texts = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
    integers = ("INT", "BININT", "BININT1", "BININT2", "LONG")
    return tuple(
        str(value) for code, value, _ in pickletools.genops(bytes(pickled)) if code.name in texts + integers
    )
