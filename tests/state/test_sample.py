"""The sample of a page: selecting by expression, columns by name, provenance."""

from dataclasses import replace

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.origin import Origin
from workbench.errors import DataError
from workbench.state.sample import SampleState


@pytest.fixture
def sample():
    state = SampleState()
    state.take(toy_jets(50, seed=2))
    return state


def test_an_expression_keeps_what_it_says(sample):
    assert sample.choose("pt > 600 & label == 'top'")
    np.testing.assert_array_equal(sample.keep, (sample.jets.p4.pt > 600) & sample.jets.is_class("top"))
    assert sample.notice == ""


def test_an_empty_expression_keeps_all(sample):
    sample.choose("pt > 600")
    assert sample.choose("  ")
    assert sample.keep.all()


def test_an_expression_that_cannot_be_read_changes_nothing_but_the_notice(sample):
    sample.choose("pt > 600")
    before = sample.keep
    assert not sample.choose("pt >")
    assert not sample.choose("ptt > 3")
    assert sample.expression == "pt > 600"
    assert sample.keep is before
    assert "ptt" in sample.notice


def test_an_expression_that_nothing_passes_says_so(sample):
    assert sample.choose("pt > 1e6")
    assert sample.notice == "No jet passes pt > 1e6; widen the selection."


def test_without_a_sample_there_is_a_sentence():
    state = SampleState()
    assert not state.choose("pt > 1")
    assert state.notice == "There is no sample yet; choose one first."
    assert state.names == ()
    assert state.provenance == "No sample is chosen."


def test_columns_come_from_the_jet_the_source_and_the_observables(sample):
    np.testing.assert_array_equal(sample.column("mass"), sample.jets.p4.mass)
    np.testing.assert_array_equal(sample.column("multiplicity"), sample.jets.counts)
    np.testing.assert_array_equal(sample.column("weight"), 1.0)
    assert "prong" not in sample.names  # it is a list per jet


def test_an_unknown_column_names_the_nearest(sample):
    with pytest.raises(DataError, match="did you mean 'mass'"):
        sample.column("maas")


def test_an_added_column_can_be_selected_by_and_goes_with_the_sample(sample):
    score = np.linspace(0, 1, 50)
    sample.add(score=score)
    assert sample.choose("score > 0.5 & pt > 0")
    np.testing.assert_array_equal(sample.keep, score > 0.5)
    sample.take(toy_jets(50, seed=3))
    assert "score" not in sample.names
    assert sample.expression == ""


def test_an_added_column_of_another_length_is_refused(sample):
    with pytest.raises(DataError, match="the sample has 50 jets"):
        sample.add(score=np.zeros(49))


def test_a_new_version_of_a_column_replaces_the_old_one(sample):
    sample.add(score=np.zeros(50))
    version = sample.version
    sample.add(score=np.ones(50))
    assert sample.version > version
    assert sample.column("score").all()


def test_provenance_says_what_is_known():
    jets = toy_jets(30, seed=1)
    state = SampleState()
    state.take(jets, "mine")
    assert state.name == "mine"
    assert state.provenance == "toys (Simulation, toy)\n30 jets: 15 QCD, 15 top\nseed: 1"
    assert Origin("toys", kind="simulation", format="toy", settings={"seed": 1}) == jets.origin


def test_provenance_lays_nested_settings_out_line_by_line():
    settings = {"pt": [550.0, 650.0], "processes": {"QCD": {"cross_section_mb": 7.1e-7}}}
    state = SampleState()
    state.take(replace(toy_jets(30, seed=1), origin=Origin("made", "simulation", "toy", settings)))
    expected = "pt: 550.0, 650.0\nprocesses:\n  QCD:\n    cross_section_mb: 7.1e-07"
    assert state.provenance.endswith(expected)
