"""The file formats that can be read, recognised by content."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, nearest
from . import (
    calochallenge,
    delphes,
    ftag,
    hepmc,
    ig,
    jetclass,
    jetnet,
    lhco,
    lhe,
    nanoaod,
    parquet,
    quarkgluon,
    toptagging,
)
from .content import Content, look
from .events import Events
from .jets import Jets
from .showers import Showers


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: What a user reads.
        is_one: Whether a content is of this format.
        read: Reads rows `start` to `stop` of a path.
        options: What `read` takes besides.
    """

    name: str
    is_one: Callable[[Content], bool]
    read: Callable[..., Jets | Events | Showers]
    options: tuple[str, ...] = ()


FORMATS = (
    Format(parquet.FORMAT, parquet.is_one, parquet.read),
    Format(toptagging.FORMAT, toptagging.is_one, toptagging.read),
    Format(jetclass.FORMAT, jetclass.is_one, jetclass.read),
    Format(quarkgluon.FORMAT, quarkgluon.is_one, quarkgluon.read),
    Format(jetnet.FORMAT, jetnet.is_one, jetnet.read, ("class_name",)),
    Format(ftag.FORMAT, ftag.is_one, ftag.read, ("units",)),
    Format(calochallenge.FORMAT, calochallenge.is_one, calochallenge.read, ("units", "geometry")),
    Format(lhco.FORMAT, lhco.is_one, lhco.read),
    Format(delphes.FORMAT, delphes.is_one, delphes.read),
    Format(nanoaod.FORMAT, nanoaod.is_one, nanoaod.read),
    Format(hepmc.FORMAT, hepmc.is_one, hepmc.read),
    Format(lhe.FORMAT, lhe.is_one, lhe.read),
    Format(ig.FORMAT, ig.is_one, ig.read),
)


def recognise(path: str | Path) -> Format:
    """Returns the format of a file, by what is in it; its name has no influence.

    Raises:
        DataError: no such file, damaged, or of no known format.
    """
    content = look(path)
    for known in FORMATS:
        if known.is_one(content):
            return known
    msg = f"{content.path.name} is {content}, of no known format; known are {', '.join(known.name for known in FORMATS)}."
    raise DataError(msg)


def read(
    path: str | Path, *, start: int = 0, stop: int | None = None, units: str | None = None, **options: Any
) -> Jets | Events | Showers:
    """Returns the rows `start` to `stop` of a file of any known format.

    Args:
        path: The file.
        start: First row (jet, event or shower).
        stop: One past the last row; beyond the end is the end.
        units: Energy unit of the file, where the format leaves it open: "GeV", "MeV" or "TeV".
        options: What the format takes besides.

    Raises:
        DataError: unknown format, damaged file, an option the format does not take.
    """
    known = recognise(path)
    if units is not None and ("units" in known.options or units != "GeV"):
        options["units"] = units
    for name in options:
        if name == "units" and name not in known.options:
            msg = f"{known.name} is in GeV by definition; leave out units={units!r}."
            raise DataError(msg)
        if name not in known.options:
            msg = f"{known.name} takes no option {name!r}; {nearest(name, known.options)}"
            raise DataError(msg)
    return known.read(path, start=start, stop=stop, **options)
