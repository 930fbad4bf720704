"""A second sample beside the first: the same selection, planted differences found, nothing made up where it lacks something."""

from dataclasses import replace

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.physics.distributions import UNLABELLED
from workbench.state.binned import ALL
from workbench.state.comparison import FIRST, SECOND, Column, ComparisonState, Mean, differences
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState


@pytest.fixture
def comparison():
    sample = SampleState()
    sample.take(toy_jets(200, 1))
    return ComparisonState(SelectionState(sample))


def test_the_second_sample_is_seen_through_the_selection_of_the_first(comparison):
    selection = comparison.selection
    selection.sample.choose("pt > 580")
    second = toy_jets(150, 2)
    comparison.take(second, "other tune", "wb.load('x')", id="jets-vincia")
    selection.brush("mass", 20, 150)
    selection.show("top")
    pt, mass = np.asarray(second.p4.pt), np.asarray(second.p4.mass)
    expected = (pt > 580) & (mass >= 20) & (mass <= 150) & second.is_class("top")
    np.testing.assert_array_equal(comparison.beside.mask, expected)
    np.testing.assert_array_equal(comparison.others("mass"), (pt > 580) & second.is_class("top"))
    selection.unbrush()
    selection.show()
    selection.sample.choose("")
    assert comparison.beside.mask.all()
    assert comparison.notice == ""
    assert (comparison.reference.name, comparison.reference.id) == ("other tune", "jets-vincia")


def test_what_the_second_sample_lacks_is_said_and_left_out(comparison):
    comparison.take(toy_jets(90, 2, classes=("QCD", "W")))
    comparison.selection.show("top")
    assert "It has no class top." in comparison.notice
    comparison.selection.sample.add(score=np.linspace(0, 1, 200))
    comparison.selection.brush("score", 0.5, 1)
    assert "It has no score yet" in comparison.notice
    comparison.reference.add(score=np.linspace(0, 1, 90))
    assert "score" not in comparison.notice


def test_classes_are_paired_by_name_and_data_with_all_jets(comparison):
    comparison.take(toy_jets(90, 2, classes=("top", "W")))
    assert comparison.pairs == {"top": "top", UNLABELLED: UNLABELLED}
    second = toy_jets(90, 2)
    comparison.take(replace(second, label=np.full(90, -1)))
    comparison.selection.show("QCD")
    assert comparison.pairs == {ALL: ALL}
    assert comparison.beside.mask.all()


def test_the_difference_is_found_where_it_was_planted():
    rng = np.random.default_rng(3)
    jets, other = toy_jets(2000, 4), toy_jets(2000, 5)
    pairs = {"QCD": "QCD", "top": "top"}
    everything = np.ones(2000, bool)
    first = {n: Column.of(jets, rng.normal(size=2000), everything) for n in ("mass", "pt", "tau21")}
    shifted = rng.normal(size=2000) + 0.5 * other.is_class("top")
    second = {n: Column.of(other, rng.normal(size=2000), everything) for n in ("pt", "tau21")}
    found = differences(first, {**second, "mass": Column.of(other, shifted, everything)}, pairs)
    state = ComparisonState(SelectionState(SampleState()))
    state.found = found
    assert state.order(["tau21", "unmeasured", "pt", "mass"])[0] == "mass"
    assert state.order(["tau21", "unmeasured", "pt", "mass"])[-1] == "unmeasured"
    assert found["mass"].p < 1e-6
    assert found["mass"].classes["top"].p < 1e-6 < found["mass"].classes["QCD"].p
    # The false alarm is 1e-3 for each of the two columns without a difference.
    assert min(found["pt"].p, found["tau21"].p) > 1e-3


def test_a_sample_beside_itself_does_not_differ(comparison):
    jets = comparison.selection.sample.jets
    comparison.take(jets)
    mass = Column.of(jets, np.asarray(jets.p4.mass), comparison.selection.mask)
    found = differences({"mass": mass}, {"mass": mass}, comparison.pairs)["mass"]
    assert (found.distance, found.p) == (0, 1)


def test_without_a_second_sample_there_is_nothing_to_compare(comparison):
    assert comparison.pairs == {}
    assert comparison.others("mass").size == 0
    comparison.take(toy_jets(5, 1))
    comparison.clear()
    assert comparison.reference is None
    comparison.selection.brush("mass", 0, 1)


def test_a_new_first_sample_keeps_the_second(comparison):
    comparison.take(toy_jets(50, 9))
    comparison.selection.brush("mass", 0, 30)
    comparison.selection.sample.take(toy_jets(30, 8))
    assert comparison.beside.mask.all()
    assert comparison.beside.ranges == {}


def test_an_expression_that_the_second_sample_cannot_follow_stays_said_until_it_can(comparison):
    selection = comparison.selection
    selection.sample.add(score=np.linspace(0, 1, 200))
    comparison.take(toy_jets(90, 2))
    selection.sample.choose("score > 0.5")
    selection.brush("pt", 0, 1e5)
    assert "score" in comparison.notice
    assert comparison.reference.expression == ""
    comparison.reference.add(score=np.linspace(0, 1, 90))
    assert comparison.notice == ""
    np.testing.assert_array_equal(comparison.beside.mask, np.linspace(0, 1, 90) > 0.5)


def test_the_mean_and_its_error_are_those_of_the_closed_form_and_leave_out_what_is_no_number():
    values = np.array([1.0, 2.0, 4.0, np.nan])
    found = Mean.of(values, np.array([1.0, 1.0, 2.0, 5.0]))
    mean = (1 + 2 + 8) / 4
    error = np.sqrt((1 - mean) ** 2 + (2 - mean) ** 2 + (2 * (4 - mean)) ** 2) / 4
    assert (found.value, found.error, found.jets) == pytest.approx((mean, error, 3))
    # Without weights it is the standard deviation over the square root of the number.
    plain = Mean.of(np.arange(9.0), np.ones(9))
    assert plain.error == pytest.approx(np.std(np.arange(9.0)) / 3)
    assert np.isnan(Mean.of(np.array([np.nan]), np.ones(1)).value)


def test_a_planted_shift_is_found_in_standard_errors():
    generator = np.random.default_rng(5)
    first, second = toy_jets(4000, 1), toy_jets(4000, 2)
    values = [generator.normal(0, 1, 4000), generator.normal(0.3, 1, 4000)]
    columns = [Column.of(j, x, np.ones(4000, bool)) for j, x in zip((first, second), values, strict=True)]
    found = differences({"x": columns[0]}, {"x": columns[1]}, {"top": "top"})["x"]
    # 2000 jets of the class in each: the shift is -0.3 / sqrt(2/2000) = -9.5 with an error of 1.
    # Five standard deviations: false alarm 6e-7.
    assert found.shift("top") == pytest.approx(-0.3 / np.sqrt(2 / 2000), abs=5)


def test_one_walks_through_either_sample_and_its_order_and_open_jet_are_its_own(comparison):
    comparison.take(toy_jets(150, 2))
    assert comparison.walked is comparison.selection
    comparison.walking = SECOND
    comparison.walked.order("pt")
    comparison.walked.step(1)
    second = comparison.reference.jets
    assert comparison.current == int(np.argmax(np.asarray(second.p4.pt)))
    assert comparison.selection.current is None
    assert comparison.selection.by == ""
    comparison.take(toy_jets(90, 3))
    assert (comparison.walking, comparison.current) == (FIRST, None)
    comparison.walking = SECOND
    comparison.clear()
    assert comparison.walked is comparison.selection
