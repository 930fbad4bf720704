"""Kinematics, clustering, observables, images, graphs, distributions, figures of merit."""
