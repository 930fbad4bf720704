"""Pythia events and a parametrised detector; each returns a data container."""

from .cards import ATLAS, CMS
from .detector import Calorimeter, Detector, Tracker
from .planted import planted_jets
from .simulation import JetSimulation, events, jets

__all__ = [
    "ATLAS",
    "CMS",
    "Calorimeter",
    "Detector",
    "JetSimulation",
    "Tracker",
    "events",
    "jets",
    "planted_jets",
]
