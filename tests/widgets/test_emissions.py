"""The safety of a tagger as a page measures it: what is shown is what was measured, and nothing of another tagger."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.explanation.safety import irc_safety
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.emissions import ABOUT, EmissionSafety
from workbench.widgets.errands import Errands

JETS = toy_jets(30, 3)


class Counting:
    """A tagger whose log-odds are the number of particles."""

    classes = ("QCD", "top")
    engine = SimpleNamespace(network="planted")

    def logits(self, jets):
        return np.stack([np.zeros(len(jets)), jets.counts], axis=1).astype(float)

    def score(self, jets, *, stop=None):
        top = 1 / (1 + np.exp(-self.logits(jets)[:, 1]))
        return ClassArray(np.stack([1 - top, top], axis=1), self.classes)


def explain(fitted, jets, **how):
    raise AssertionError("no jet is open")


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: explain)
    sample = SampleState()
    analysis = Analysis(sample, SelectionState(sample), Errands())
    made = EmissionSafety(analysis)
    yield made
    analysis.errands.close()


def prepared(shown):
    shown.analysis.sample.take(JETS)
    shown.analysis.take(Counting(), "planted")
    ends = time.monotonic() + 60
    while shown.analysis.errands.waiting and time.monotonic() < ends:
        shown.analysis.errands.collect()
        time.sleep(0.002)
    shown._asked = shown._now
    return irc_safety(Counting(), JETS)


def test_what_is_missing_is_said(shown):
    assert shown.study.start.disabled
    assert "Train or open a tagger first" in shown.study.told.object
    prepared(shown)
    assert not shown.study.start.disabled
    assert shown.told.object == ABOUT


def test_figures_table_and_numbers_show_what_was_measured(shown):
    found = prepared(shown)
    shown._take(found)
    for safety in found:
        np.testing.assert_allclose(shown.sources[safety.emission].data["size"], 1.0)
        np.testing.assert_allclose(shown.sources[safety.emission].data["value"], safety.values, rtol=1e-6)
    assert shown.told.object.count("not safe.") == 2
    assert shown.table.object.count("<tr>") == 1 + sum(len(safety.values) for safety in found)
    numbers = shown._numbers()
    assert isinstance(numbers, pd.DataFrame)
    assert (numbers["size [log-odds]"] == 1).all()
    compile(shown._code(), "code", "exec")


def test_the_part_before_a_stop_is_shown_too(shown):
    (soft, _) = prepared(shown)
    shown._take((soft,))
    assert len(shown.sources["collinear split"].data["size"]) == 0
    assert len(shown.sources["soft emission"].data["size"]) == len(soft.values)


def test_what_was_found_of_another_tagger_is_not_shown(shown):
    found = prepared(shown)
    shown._take(found)
    assert shown.content.visible
    shown.analysis.take(Counting(), "another")
    assert not shown.content.visible
    assert shown.found == ()
    shown._take(found)
    assert shown.found == ()
