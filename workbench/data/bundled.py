"""The samples and models that come with the workbench."""

from pathlib import Path

from ..errors import DataError, nearest

FOLDER = Path(__file__).with_name("bundle")
FILES = {
    "jets": "jets.parquet",
    "jets-vincia": "jets-vincia.parquet",
    "tagger": "tagger.safetensors",
}
"""File of each bundled thing: top and QCD jets of the default simulation; fewer of them with the Vincia shower; a network
trained on 120,000 others of the default simulation."""


def bundled(name: str) -> Path:
    """Returns the path of a bundled file; `load` reads the samples, `open` the model.

    Raises:
        DataError: there is none of that name, or this installation lacks it.
    """
    if name not in FILES:
        msg = f"Nothing called {name!r} is bundled; {nearest(name, FILES)}"
        raise DataError(msg)
    path = FOLDER / FILES[name]
    if not path.exists():
        msg = f"The bundled {name!r} is missing from this installation; install again, or make it with the commands in the README."
        raise DataError(msg)
    return path
