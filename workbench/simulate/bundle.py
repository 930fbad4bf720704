"""Makes the bundled samples again: `python -m workbench.simulate.bundle`, three minutes on two cores."""

from typing import Any

from ..data.bundled import FILES, FOLDER
from ..data.parquet import write
from ..physics.observables import observables
from .simulation import jets

SAMPLES: dict[str, dict[str, Any]] = {
    "jets": {"n": 4_000, "seed": 2026},
    "jets-vincia": {"n": 1_000, "seed": 2027, "tune": "Vincia"},
}
"""Settings of each sample; all others are the defaults."""

MEASURED = ("sd_mass", "tau21", "tau32")
"""Observables that come along as columns: measuring them takes as long as opening a page."""


def make() -> None:
    """Writes every bundled sample."""
    FOLDER.mkdir(exist_ok=True)
    for name, settings in SAMPLES.items():
        made = jets(["QCD", "top"], **settings)
        write(made.with_columns(**observables(made, MEASURED)), FOLDER / FILES[name])


if __name__ == "__main__":
    make()
