"""What a worker does before its first job: import what takes long, then step back behind the page."""

import os
from importlib import import_module
from typing import Any

from .recipe import KINDS

NICE = 10


def dask_setup(worker: Any) -> None:
    """Imports the engines and lowers the worker's priority."""
    for module in KINDS.values():
        import_module(module.split(":")[0])
    os.nice(NICE)
