import numpy as np
import pytest

from workbench.data.classes import ClassArray
from workbench.errors import DataError
from workbench.physics.distributions import (
    bin_edges,
    by_class,
    count_interval,
    counts,
    density,
    distribution,
    effective_counts,
    fraction,
    outside,
    ratio,
)
from workbench.physics.intervals import garwood


def test_sums_of_weights_and_of_their_squares_are_kept():
    points = counts(distribution([0.5, 0.5, 1.5, 1.5], [0, 1, 2], [2.0, -1.0, 3.0, 1.0]))
    assert points.value.tolist() == [1.0, 4.0]
    assert points.error == pytest.approx(np.sqrt([5.0, 10.0]))


def test_what_lies_outside_is_kept_and_said():
    histogram = distribution([-1, 0.5, 7, 8, np.nan], (2, 0, 2), [1, 1, 2, 3, 9])
    left = outside(histogram)
    assert (left.below, left.above, left.undefined) == (1.0, 5.0, 1)
    assert str(left) == "1 below the range, 5 above the range, 1 undefined"
    assert str(outside(distribution([0.5], (2, 0, 2)))) == "nothing outside"


def test_the_axis_carries_its_unit():
    assert distribution([1.0], (2, 0, 2), label="mass", unit="GeV").axes[0].label == "mass [GeV]"
    assert distribution([1.0], (2, 0, 2), label="tau21").axes[0].label == "tau21"


def test_a_number_of_bins_spans_all_finite_values():
    values = [3.0, 1.0, np.inf, np.nan, 2.0]
    edges = bin_edges(values, 4)
    assert edges[0] == 1.0
    histogram = distribution(values, 4)
    assert histogram.values().sum() == 3
    assert outside(histogram).above == 1
    assert distribution([2.0, 2.0], 1).values().tolist() == [2.0]


def test_a_density_integrates_to_the_share_shown():
    histogram = distribution([0.5, 1.5, 3.0, 9.0], [0, 1, 2, 4], [1.0, 2.0, 1.0, 4.0])
    points = density(histogram)
    assert points.value == pytest.approx([1 / 8, 2 / 8, 1 / 8 / 2])
    assert np.sum(points.value * np.diff(points.edges)) == pytest.approx(0.5)


def test_the_error_of_a_share_is_binomial_and_vanishes_for_a_sure_thing():
    points = density(distribution([0.5] * 3 + [1.5] * 7, [0, 1, 2]))
    assert points.error == pytest.approx(np.sqrt(0.3 * 0.7 / 10))
    assert density(distribution([0.5] * 9, [0, 1])).error == [0.0]


def test_effective_counts_of_a_bin():
    histogram = distribution([0.5, 0.5, 0.5], [0, 1, 2], [3.0, 3.0, -3.0])
    assert effective_counts(histogram) == pytest.approx([1 / 3, 0])


def test_count_intervals_are_garwoods_scaled_by_the_weight():
    low, high = count_interval(distribution([0.5] * 4, [0, 1, 2], [2.0] * 4))
    expected = garwood([4, 0])
    assert low == pytest.approx(2 * expected[0])
    assert high == pytest.approx(2 * expected[1])


def test_a_bin_of_negative_sum_keeps_its_value_and_error():
    histogram = distribution([0.5, 1.5], [0, 1, 2], [-2.0, 5.0])
    low, high = count_interval(histogram)
    assert counts(histogram).value[0] == -2.0
    assert (low[0], high[0]) == pytest.approx((-4.0, 0.0))


def test_weights_that_cancel_leave_an_error():
    low, high = count_interval(distribution([0.5, 0.5, 1.5], [0, 1, 2], [3.0, -3.0, 5.0]))
    assert (low[0], high[0]) == pytest.approx((-np.sqrt(18), np.sqrt(18)))


@pytest.mark.parametrize("bins", [0, -3])
def test_no_bins_are_refused(bins):
    with pytest.raises(DataError, match=f"{bins} bins were asked for; ask for at least 1"):
        distribution([1.0, 2.0], bins)


def test_a_ratio_of_independent_samples_carries_both_errors():
    points = ratio(distribution([0.5] * 25, [0, 1, 2]), distribution([0.5] * 100, [0, 1, 2]))
    assert points.value[0] == 0.25
    assert points.error[0] == pytest.approx(0.25 * np.sqrt(1 / 25 + 1 / 100))
    assert np.isnan(points.value[1])
    assert np.isnan(points.error[1])


def test_a_fraction_knows_that_the_part_is_in_the_whole():
    points = fraction(distribution([0.5] * 25, [0, 1]), distribution([0.5] * 100, [0, 1]))
    assert points.error[0] == pytest.approx(np.sqrt(0.25 * 0.75 / 100))


def test_pulls_of_weighted_counts_and_ratios_have_unit_width():
    generator = np.random.default_rng(3)
    pulls = []
    for _ in range(400):
        above, below = (
            distribution(
                generator.uniform(size=n),
                (4, 0, 1),
                np.where(generator.random(n) < 0.2, -1.0, generator.uniform(0.5, 2, n)),
            )
            for n in generator.poisson(4000, 2)
        )
        points = ratio(above, below)
        pulls.append((points.value - 1) / points.error)
    # 1600 pulls: their width is known to 1/sqrt(3200) = 1.8 %; 4 sigma: false alarm 6e-5.
    assert np.std(pulls) == pytest.approx(1.0, abs=0.071)


def test_classes_share_their_edges_and_jets_without_class_are_shown():
    label = ClassArray(np.array([0, 1, 1, -1, 0]), ("QCD", "top", "W"))
    histograms = by_class(label, [1.0, 2.0, 3.0, 4.0, 5.0], 4, np.array([1.0, 1, 1, 1, -1]))
    assert list(histograms) == ["QCD", "top", "unlabelled"]
    assert histograms["QCD"].values().sum() == 0.0
    assert len({tuple(h.axes[0].edges) for h in histograms.values()}) == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: bin_edges([np.nan], 3), "no finite value"),
        (lambda: bin_edges([], [1, 1]), "increasing"),
        (lambda: distribution([1.0], (2, 0, 2), [1.0, 2.0]), "one number each per jet"),
        (lambda: density(distribution([1.0], (2, 0, 2), [-1.0])), "positive sum"),
        (lambda: ratio(distribution([1], (2, 0, 2)), distribution([1], (3, 0, 2))), "different bins"),
    ],
)
def test_bad_input_has_its_sentence(call, sentence):
    with pytest.raises(DataError, match=sentence):
        call()
