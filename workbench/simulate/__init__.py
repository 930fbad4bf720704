"""Pythia events and a parametrised detector; each returns a data container."""
