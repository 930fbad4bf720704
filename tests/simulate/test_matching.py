"""Truth found in event records written by hand."""

import numpy as np
import pytest

from workbench.simulate.matching import match, truth
from workbench.simulate.processes import PROCESSES


def record(*lines):
    """An event record from (pid, status, mother, eta, phi) per line; pT 100 GeV each."""
    pid, status, mother, eta, phi = (np.array(column) for column in zip(*lines, strict=True))
    return {
        "pid": pid,
        "status": status,
        "mother": mother,
        "eta": eta.astype(float),
        "phi": phi.astype(float),
        "pt": np.full(len(pid), 100.0),
        "mass": np.abs(pid).astype(float),
        "event": np.zeros(len(pid), dtype=int),
    }


TOP_EVENT = record(
    (90, -11, 0, 0, 0),
    (21, -21, 0, 0, 0),
    (6, -22, 1, 0.9, 0.9),
    (6, -44, 2, 0.5, 0.4),
    (-6, -22, 1, -0.5, -2.0),
    (24, -22, 3, 0.6, 0.5),
    (5, -23, 3, 0.1, 0.1),
    (24, -52, 5, 0.6, 0.5),
    (2, -23, 7, 0.8, 0.5),
    (-1, -23, 7, 0.5, 0.9),
    (-5, -23, 4, -0.5, -2.3),
    (3, -23, 4, -0.6, -2.1),
    (-4, -23, 4, -0.4, -2.0),
)


def test_the_last_copy_of_a_top_and_its_three_quarks_are_found():
    found = truth(TOP_EVENT, PROCESSES["top"])
    assert found.sources["pid"].tolist() == [6, -6]
    assert found.sources["eta"].tolist() == [0.5, -0.5]
    assert found.quarks["pid"].tolist() == [5, 2, -1, -5, 3, -4]
    assert found.quarks["source"].tolist() == [0, 0, 0, 1, 1, 1]


def test_a_jet_is_matched_when_all_quarks_lie_within():
    found = truth(TOP_EVENT, PROCESSES["top"])
    axis = np.array([0]), np.array([0.5]), np.array([0.4])
    # The farthest: anti-d at (0.5, 0.9), distance 0.5; b at (0.1, 0.1), distance 0.5; u at (0.8, 0.5), sqrt(0.1).
    near, columns = match(found, PROCESSES["top"], *axis, within=0.51)
    far, _ = match(found, PROCESSES["top"], *axis, within=0.49)
    assert (near.tolist(), far.tolist()) == ([True], [False])
    assert columns["pid"].tolist() == [6]
    assert columns["distance"][0] == pytest.approx(0.0)
    assert columns["spread"][0] == pytest.approx(0.5)


def test_the_nearer_of_two_sources_is_taken_across_the_seam_of_phi():
    event = record((21, -21, 0, 0, 0), (1, -23, 0, 0.0, 3.1), (21, -23, 0, 0.0, 2.6))
    found = truth(event, PROCESSES["quark"])
    passed, columns = match(
        found, PROCESSES["quark"], np.array([0]), np.array([0.0]), np.array([-3.1]), within=0.4
    )
    assert passed.tolist() == [True]
    assert columns["pid"].tolist() == [1]
    assert columns["distance"][0] == pytest.approx(2 * np.pi - 6.2)
    assert not match(found, PROCESSES["gluon"], np.array([0]), np.array([0.0]), np.array([-3.1]), within=0.4)[
        0
    ][0]


def test_an_event_without_a_source_is_said_to_have_none():
    event = record((21, -21, 0, 0, 0), (11, 23, 0, 0.0, 0.0))
    axis = np.array([0]), np.array([0.0]), np.array([0.0])
    passed, columns = match(truth(event, PROCESSES["QCD"]), PROCESSES["QCD"], *axis, within=0.8)
    assert passed.tolist() == [True]
    assert columns["pid"].tolist() == [0]
    assert np.isnan(columns["pt"][0])
    assert not match(truth(event, PROCESSES["top"]), PROCESSES["top"], *axis, within=0.8)[0][0]
