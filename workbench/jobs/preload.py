"""What a worker does before its first job: import what takes long, then step back behind the page."""

import os
from importlib import import_module
from typing import Any

from .recipe import KINDS

NICE = 10

LATER = ("lightning_fabric", "sklearn.ensemble")
"""What engines import with their first fit only."""


def dask_setup(worker: Any) -> None:
    """Imports the engines and lowers the worker's priority."""
    for module in (*(kind.split(":")[0] for kind in KINDS.values()), *LATER):
        import_module(module)
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
