"""The shared selection: masks equal to their formula, crossfilter, order, the open jet."""

import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.errors import DataError, SelectionError
from workbench.physics.selection import select
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState


@pytest.fixture
def sample():
    state = SampleState()
    state.take(toy_jets(60, seed=2))
    return state


@pytest.fixture
def selection(sample):
    return SelectionState(sample)


def test_at_first_all_jets_are_selected_and_none_is_open(selection):
    assert selection.mask.all()
    assert selection.current is None
    assert selection.formula == ""


def test_the_mask_is_expression_and_classes_and_ranges(sample, selection):
    sample.choose("pt > 570")
    selection.show("top")
    selection.brush("multiplicity", 10, 18)
    n = sample.jets.counts
    expected = (sample.column("pt") > 570) & sample.jets.is_class("top") & (n >= 10) & (n <= 18)
    np.testing.assert_array_equal(selection.mask, expected)
    assert selection.count == expected.sum()


def test_the_formula_selects_the_same_jets(sample, selection):
    sample.choose("pt > 570 | mass < 50")
    selection.show("top", "QCD")
    low, high = np.quantile(sample.column("mass"), [0.2, 0.8])
    selection.brush("mass", low, high)
    selection.brush("eta", -np.inf, 0.9)
    assert 0 < selection.count < 60
    assert select(sample.jets, selection.formula).fingerprint == sample.jets[selection.mask].fingerprint


def test_a_histogram_sees_the_brushes_of_all_others(sample, selection):
    selection.brush("mass", 0, 50)
    selection.brush("pt", 600, 700)
    pt, mass = sample.column("pt"), sample.column("mass")
    np.testing.assert_array_equal(selection.others("mass"), pt >= 600)
    np.testing.assert_array_equal(selection.others("pt"), mass <= 50)


def test_taking_a_brush_off_gives_the_jets_back(selection):
    selection.brush("mass", 0, 50)
    selection.brush("pt", 600, 700)
    selection.unbrush("mass")
    assert set(selection.ranges) == {"pt"}
    selection.unbrush()
    assert selection.mask.all()


def test_a_value_that_is_not_a_number_is_in_no_range(sample, selection):
    sample.add(score=np.where(np.arange(60) % 2, np.nan, 0.5))
    selection.brush("score", -np.inf, np.inf)
    np.testing.assert_array_equal(selection.mask, np.arange(60) % 2 == 0)


def test_a_brushed_column_that_changes_changes_the_mask(sample, selection):
    sample.add(score=np.zeros(60))
    selection.brush("score", 0.5, 1)
    assert selection.count == 0
    sample.add(score=np.ones(60))
    assert selection.count == 60


def test_wrong_ranges_classes_and_columns_are_refused_and_change_nothing(selection):
    with pytest.raises(SelectionError, match="give the smaller number first"):
        selection.brush("mass", 2, 1)
    with pytest.raises(SelectionError, match="give the smaller number first"):
        selection.brush("mass", np.nan, 1)
    with pytest.raises(SelectionError, match="did you mean 'top'"):
        selection.show("topp")
    with pytest.raises(DataError, match="did you mean 'mass'"):
        selection.brush("mas", 0, 1)
    assert selection.mask.all()
    assert selection.ranges == {}


def test_another_sample_takes_every_selection_off(sample, selection):
    selection.brush("mass", 0, 50)
    selection.show("top")
    selection.pick(3)
    sample.take(toy_jets(7, seed=1))
    assert selection.mask.shape == (7,)
    assert selection.mask.all()
    assert (selection.ranges, selection.classes, selection.current) == ({}, [], None)


def test_the_order_is_that_of_the_column_with_undefined_values_last(sample, selection):
    score = np.arange(60.0) % 7
    score[10] = np.nan
    sample.add(score=score)
    for descending in (True, False):
        selection.order("score", descending=descending)
        ordered = score[selection.indices]
        assert np.isnan(ordered[-1])
        steps = np.diff(ordered[:-1])
        assert (steps <= 0).all() if descending else (steps >= 0).all()


def test_equals_keep_the_order_of_the_sample(sample, selection):
    sample.add(score=np.zeros(60))
    selection.order("score")
    np.testing.assert_array_equal(selection.indices, np.arange(60))


def test_next_and_previous_walk_the_selected_jets_in_order(selection):
    selection.show("top")
    selection.order("mass")
    walked = []
    while selection.step():
        walked.append(selection.current)
    np.testing.assert_array_equal(walked, selection.indices)
    assert selection.notice == "There is no further jet in this selection."
    assert selection.step(-1)
    assert selection.current == walked[-2]


def test_previous_without_an_open_jet_opens_the_last(selection):
    selection.order("mass")
    selection.step(-1)
    assert selection.current == selection.indices[-1]


def test_walking_from_a_jet_that_is_not_selected_opens_its_neighbour_in_order(sample, selection):
    selection.show("top")
    outside = int(np.flatnonzero(sample.jets.is_class("QCD"))[3])
    selection.pick(outside)
    selection.step()
    assert selection.current == np.flatnonzero(sample.jets.is_class("top") & (np.arange(60) > outside))[0]


def test_a_click_on_a_bin_opens_its_first_jet_in_order(sample, selection):
    selection.order("pt")
    mass, pt = sample.column("mass"), sample.column("pt")
    low, high = np.quantile(mass, [0.4, 0.6])
    assert selection.pick_in("mass", low, high)
    inside = np.flatnonzero((mass >= low) & (mass < high))
    assert selection.current == inside[np.argmax(pt[inside])]


def test_an_empty_bin_opens_nothing_and_says_so(selection):
    assert not selection.pick_in("mass", 1e5, 2e5)
    assert selection.current is None
    assert selection.notice == "No selected jet has 100000 <= mass < 200000."


def test_the_nearest_selected_jet_is_opened(sample, selection):
    selection.show("top")
    mass, top = sample.column("mass"), sample.jets.is_class("top")
    assert selection.pick_nearest("mass", 100.0)
    assert abs(mass[selection.current] - 100) == np.abs(mass[top] - 100).min()


def test_a_jet_that_does_not_exist_is_refused(selection):
    for index in (-1, 60):
        with pytest.raises(SelectionError, match="the sample has 60"):
            selection.pick(index)


@pytest.mark.parametrize("by", ["", "rounded", "holes", "nothing"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("number", [1, 5, 17, 100])
def test_the_first_of_an_order_are_those_of_the_whole_order(by, descending, number):
    sample = SampleState()
    sample.take(toy_jets(60, seed=4))
    rounded = np.round(np.random.default_rng(1).uniform(size=60), 1)
    sample.add(rounded=rounded, holes=np.where(rounded > 0.3, np.nan, rounded), nothing=np.full(60, np.nan))
    selection = SelectionState(sample)
    selection.brush("mass", 20, 200)
    selection.order(by, descending=descending)
    np.testing.assert_array_equal(selection.first(number), selection.indices[:number])


def test_who_watches_ranges_and_mask_is_called_once_and_sees_them_agree():
    sample = SampleState()
    sample.take(toy_jets(60, seed=4))
    selection, seen = SelectionState(sample), []
    selection.param.watch(
        lambda *_: seen.append((dict(selection.ranges), selection.count)), ["mask", "ranges"]
    )
    selection.brush("mass", 20, 60)
    assert seen == [({"mass": (20, 60)}, selection.count)]
