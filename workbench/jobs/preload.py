"""What a worker does before its first job: step back behind the page, then import what takes long."""

import os
from importlib import import_module
from typing import Any

from .recipe import KINDS

NICE = 10

LATER = ("lightning_fabric", "sklearn.ensemble")
"""What engines import with their first fit only."""


def dask_setup(worker: Any) -> None:
    """Lowers the worker's priority and imports the engines."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    for module in (*(kind.split(":")[0] for kind in KINDS.values()), *LATER):
        import_module(module)
