"""Makes the bundled samples again: `python -m workbench.simulate.bundle`, three minutes on two cores."""

from typing import Any

from ..data.bundled import FILES, FOLDER
from ..data.parquet import write
from .simulation import jets

SAMPLES: dict[str, dict[str, Any]] = {
    "jets": {"n": 4_000, "seed": 2026},
    "jets-vincia": {"n": 1_000, "seed": 2027, "tune": "Vincia"},
}
"""Settings of each sample; all others are the defaults."""


def make() -> None:
    """Writes every bundled sample."""
    FOLDER.mkdir(exist_ok=True)
    for name, settings in SAMPLES.items():
        write(jets(["QCD", "top"], **settings), FOLDER / FILES[name])


if __name__ == "__main__":
    make()
