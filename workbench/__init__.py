"""An interactive analysis workbench for machine learning in high-energy physics.

The public names below are imported when they are first used, so that a page paints without torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "load": "workbench.loading",
    "bundled": "workbench.data.bundled",
    "Jets": "workbench.data.jets",
    "Events": "workbench.data.events",
    "Showers": "workbench.data.showers",
    "Explanation": "workbench.data.explanation",
    "WorkbenchError": "workbench.errors",
    "select": "workbench.physics.selection",
    "roc": "workbench.physics.roc",
    "Tagger": "workbench.engines.tagging",
    "open": "workbench.engines.store",
    "explain": "workbench.explanation.explain",
    "edited": "workbench.explanation.edits",
    "irc_safety": "workbench.explanation.safety",
    "aggregate": "workbench.explanation.aggregation",
    "compare_pairs": "workbench.explanation.aggregation",
    "assess": "workbench.explanation.trust",
    "at_equal_score": "workbench.explanation.comparing",
    "Explanations": "workbench.explanation.store",
    "submit_explanation": "workbench.jobs.explaining",
    "submit": "workbench.jobs.submit",
    "registry": "workbench.jobs.registry",
    "JetExplorer": "workbench.widgets.jet_explorer",
    "RelevanceExplorer": "workbench.widgets.relevance_explorer",
}
_PAGES = {
    "IndexPage": "workbench.widgets.index_page",
    "JetsPage": "workbench.widgets.jets_page",
    "DisplayPage": "workbench.widgets.display_page",
    "RelevancePage": "workbench.widgets.relevance_page",
    "RunsPage": "workbench.widgets.runs_page",
}
"""What `apps/` serves; a browser has the frame of a page before these are imported."""
_NOUNS = (
    "calibration",
    "clustering",
    "distributions",
    "efficiency",
    "graphs",
    "images",
    "intervals",
    "kinematics",
    "lund",
    "observables",
    "roc",
    "selection",
    "substructure",
)
_ROOMS = {"physics": _NOUNS, "simulate": ()}
"""Rooms that are public as they are, with the files that come along."""

__all__ = [*_PUBLIC, *_ROOMS]


def __getattr__(name: str) -> Any:
    module = _PUBLIC.get(name) or _PAGES.get(name)
    if module is not None:
        return getattr(import_module(module), name)
    if name in _ROOMS:
        for noun in _ROOMS[name]:
            import_module(f"workbench.{name}.{noun}")
        return import_module(f"workbench.{name}")
    msg = f"module 'workbench' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
