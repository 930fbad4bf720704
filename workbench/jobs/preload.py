"""What a worker does before its first job: step back behind the page, and import what takes long."""

import os
from importlib import import_module
from typing import Any

from .recipe import KINDS

NICE = 10


def dask_setup(worker: Any) -> None:
    """Lowers the worker's priority and imports the engines."""
    os.nice(NICE)
    for module in KINDS.values():
        import_module(module.split(":")[0])
