"""Counting in bins made once gives what filling a histogram gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.classes import labels
from workbench.physics.distributions import UNLABELLED, by_class, density
from workbench.state.binned import Binned

EDGES = np.linspace(0, 10, 6)


@given(
    st.lists(
        st.tuples(
            st.floats(-5, 15) | st.just(np.nan) | st.sampled_from([0.0, 2.0, 10.0]),
            st.integers(-1, 1),
            st.floats(0.1, 3),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_every_selection_is_counted_as_a_histogram_fills_it(rows):
    values, label, weight, keep = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else 4 * [np.zeros(0)]
    )
    keep, label = keep.astype(bool), label.astype(int)
    binned = Binned(values.astype(float), EDGES, label, ("a", "b"), weight)
    found = binned.sums(np.flatnonzero(keep)).densities()
    hists = by_class(labels(label[keep], ("a", "b")), values[keep], EDGES, weight[keep])
    expected = {n: density(h) for n, h in hists.items() if h.values(flow=True).sum() > 0}
    assert set(found) == set(expected)
    for name, points in expected.items():
        np.testing.assert_allclose(found[name].value, points.value, rtol=1e-9)
        np.testing.assert_allclose(found[name].error, points.error, rtol=1e-6, atol=1e-7)


def test_what_is_outside_has_bins_of_its_own_and_what_is_undefined_is_told_apart():
    binned = Binned(np.array([-1, 0, 10, np.inf, np.nan]), EDGES, np.array([0, 0, 0, 0, -1]), ("a",))
    w, _ = binned.whole.of("a")
    np.testing.assert_array_equal(w, [1, 1, 0, 0, 0, 0, 2])
    assert binned.whole.w[:, -1].tolist() == [0, 1]
    assert binned.whole.classes == ("a", UNLABELLED)


def test_an_empty_sample_has_no_densities():
    assert Binned(np.zeros(0), EDGES, np.zeros(0, int), ("a",)).whole.densities() == {}


def test_many_classes_and_bins_are_still_told_apart():
    names = [str(i) for i in range(300)]
    values, label = np.full(300, 5.0), np.arange(300)
    binned = Binned(values, np.linspace(0, 10, 301), label, names)
    assert all(binned.whole.of(name)[0].sum() == 1 for name in names)
    assert binned.whole.w.sum() == pytest.approx(300)
