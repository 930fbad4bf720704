"""Pythia events and a parametrised detector; each returns a data container."""

from .cards import ATLAS, CMS
from .detector import Calorimeter, Detector, Tracker
from .simulation import JetSimulation, events, jets

__all__ = ["ATLAS", "CMS", "Calorimeter", "Detector", "JetSimulation", "Tracker", "events", "jets"]
