import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from workbench.data.classes import ClassArray
from workbench.errors import DataError
from workbench.physics.roc import WORKING_POINTS, discriminant, roc

CLASSES = ("QCD", "top")
SEPARATION = 1.5


def gaussians(n_signal, n_background, generator):
    """Labels and scores of two unit Gaussians `SEPARATION` apart."""
    label = ClassArray(np.repeat([1, 0], [n_signal, n_background]), CLASSES)
    return label, generator.normal(size=len(label)) + SEPARATION * np.asarray(label)


def true_background_efficiency(signal_efficiency):
    return stats.norm.cdf(stats.norm.ppf(signal_efficiency) - SEPARATION)


def top_roc(label, scores, weight=None):
    return roc(label, scores, signal="top", background="QCD", weight=weight)


def signed_weights(n, generator):
    """Weights of mean 0.9 with one in ten negative."""
    return np.where(generator.random(n) < 0.1, -1.0, 1.0) * generator.uniform(0.5, 1.75, n)


@pytest.fixture(scope="module")
def large():
    generator = np.random.default_rng(11)
    label, scores = gaussians(100_000, 100_000, generator)
    return top_roc(label, scores)


@pytest.fixture(scope="module")
def large_weighted():
    generator = np.random.default_rng(12)
    label, scores = gaussians(100_000, 100_000, generator)
    return top_roc(label, scores, signed_weights(len(label), generator))


# Values within 4.5 of their own errors: false alarm 7e-6 each.
@pytest.mark.parametrize("sample", ["large", "large_weighted"])
def test_two_gaussians_have_the_analytic_area_and_rejection(sample, request):
    curve = request.getfixturevalue(sample)
    assert abs(curve.auc - stats.norm.cdf(SEPARATION / np.sqrt(2))) < 4.5 * curve.auc_error
    assert curve.auc_error < 0.002
    for signal_efficiency in (0.1, 0.3, 0.5, 0.9):
        value, error = curve.rejection(signal_efficiency)
        assert abs(value - 1 / true_background_efficiency(signal_efficiency)) < 4.5 * error
        assert error < 0.1 * value


def test_the_curve_starts_at_nothing_and_ends_at_everything(large_weighted):
    for efficiency in (large_weighted.signal_efficiency, large_weighted.background_efficiency):
        assert efficiency[0] == 0
        assert efficiency[-1] == pytest.approx(1)


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_are_the_spread_of_toys(weighted):
    generator = np.random.default_rng(7)
    pulls = []
    for _ in range(400):
        label, scores = gaussians(1500, 3000, generator)
        curve = top_roc(label, scores, signed_weights(len(label), generator) if weighted else None)
        value, error = curve.rejection(0.5)
        pulls.append(
            (
                (curve.auc - stats.norm.cdf(SEPARATION / np.sqrt(2))) / curve.auc_error,
                (1 / value - true_background_efficiency(0.5)) / (error / value**2),
            )
        )
    # 400 pulls: width known to 1/sqrt(800) = 3.5 %, mean to 5 %; 4 sigma: false alarm 6e-5 each. The rejection's error
    # reads the slope of the curve off the same jets, which may widen it by 3 % more.
    assert np.std(pulls, axis=0) == pytest.approx([1, 1], abs=0.14 + 0.03)
    assert np.mean(pulls, axis=0) == pytest.approx([0, 0], abs=0.2 + 0.05)


def test_the_signal_sample_enters_the_error_of_a_rejection():
    generator = np.random.default_rng(4)
    few = top_roc(*gaussians(100, 20_000, generator)).rejection(0.5)
    many = top_roc(*gaussians(20_000, 20_000, generator)).rejection(0.5)
    assert few.error / few.value > 2 * many.error / many.value


def test_the_band_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(9)
    at = np.array([0.3, 0.7])
    covered = []
    for _ in range(400):
        band = top_roc(*gaussians(1500, 3000, generator)).band(at)
        covered.append(
            (band.low < 1 / true_background_efficiency(at)) & (1 / true_background_efficiency(at) < band.high)
        )
    # Binomial: 0.683 +- 0.023; 4 sigma: false alarm 6e-5 each.
    assert np.mean(covered, axis=0) == pytest.approx([0.683, 0.683], abs=0.094)


def test_an_integer_weight_equals_that_many_copies():
    generator = np.random.default_rng(2)
    label, scores = gaussians(200, 300, generator)
    scores = np.round(scores, 1)
    copies = generator.integers(0, 4, len(label))
    weighted = top_roc(label, scores, copies)
    repeated = top_roc(ClassArray(np.repeat(np.asarray(label), copies), CLASSES), np.repeat(scores, copies))
    assert weighted.auc == pytest.approx(repeated.auc, abs=1e-12)
    for rule in WORKING_POINTS:
        assert weighted.rejection(0.5, rule).value == pytest.approx(repeated.rejection(0.5, rule).value)
        assert weighted.cut(0.5, rule) == repeated.cut(0.5, rule)


def test_the_scale_of_the_weights_has_no_influence():
    label, scores = gaussians(200, 300, np.random.default_rng(2))
    one, other = (top_roc(label, scores, np.full(500, w)) for w in (1.0, 0.1))
    assert other.rejection(0.3).value == pytest.approx(one.rejection(0.3).value)
    assert other.rejection(0.3).error == pytest.approx(one.rejection(0.3).error)
    assert other.auc_error == pytest.approx(one.auc_error)


def test_area_and_curve_equal_those_of_scikit_learn_with_ties_and_weights():
    generator = np.random.default_rng(3)
    label, scores = gaussians(400, 500, generator)
    scores = np.round(scores, 1)
    weight = generator.uniform(0.1, 3, 900)
    curve = top_roc(label, scores, weight)
    assert curve.auc == pytest.approx(
        roc_auc_score(np.asarray(label), scores, sample_weight=weight), abs=1e-12
    )
    fpr, tpr, threshold = roc_curve(np.asarray(label), scores, sample_weight=weight, drop_intermediate=False)
    assert curve.signal_efficiency == pytest.approx(tpr)
    assert curve.background_efficiency == pytest.approx(fpr)
    assert np.array_equal(curve.threshold, threshold)


def test_a_tie_counts_half():
    label = ClassArray([1, 0], CLASSES)
    assert top_roc(label, [0.5, 0.5]).auc == 0.5
    curve = top_roc(ClassArray([1, 1, 0, 0], CLASSES), [3, 1, 1, 0])
    assert curve.auc == pytest.approx((1 + 1 + 0.5 + 1) / 4)


def test_delong_error_by_hand():
    # Placements of the signal 1, 1/2 and of the background 1/2, 1; area 3/4: variance (1/8)/2 + (1/8)/2.
    curve = top_roc(ClassArray([1, 1, 0, 0], CLASSES), [4, 2, 3, 1])
    assert curve.auc == 0.75
    assert curve.auc_error == pytest.approx(np.sqrt(1 / 8))
    assert np.isnan(top_roc(ClassArray([1, 0, 0], CLASSES), [4, 2, 3]).auc_error)


def test_the_rules_read_different_points_of_a_coarse_curve():
    # Cuts at 3, 2, 1: signal efficiencies 0.2, 0.6, 1; background 0.01, 0.04, 1.
    label = ClassArray(np.repeat([1, 1, 1, 0, 0, 0], [2, 4, 4, 1, 3, 96]), CLASSES)
    scores = np.repeat([3, 2, 1, 3, 2, 1], [2, 4, 4, 1, 3, 96])
    curve = top_roc(label, scores)
    assert curve.rejection(0.4).value == pytest.approx(50)  # geometric mean of 100 and 25
    assert curve.rejection(0.6, "first").value == pytest.approx(1)
    assert curve.rejection(0.6, "interpolated").value == pytest.approx(25)
    assert curve.rejection(0.3, "nearest").value == pytest.approx(100)
    assert curve.rejection(0.3, "first").value == pytest.approx(25)
    assert curve.cut(0.3, "first") == 2
    assert curve.rejection(0.3).rule == WORKING_POINTS["interpolated"]


@pytest.mark.parametrize("signal_efficiency", [0.3, 0.5, 0.123])
def test_the_rules_of_weaver_and_lorentznet_on_the_same_scores(signal_efficiency):
    label, scores = gaussians(1000, 2000, np.random.default_rng(6))
    fpr, tpr, _ = roc_curve(np.asarray(label), scores, drop_intermediate=False)
    curve = top_roc(label, scores)
    weaver = 1 / fpr[np.flatnonzero(tpr > signal_efficiency)[0]]
    lorentznet = 1 / fpr[np.argmin(np.abs(tpr - signal_efficiency))]
    assert curve.rejection(signal_efficiency, "first").value == pytest.approx(weaver)
    assert curve.rejection(signal_efficiency, "nearest").value == pytest.approx(lorentznet)


def test_a_rejection_without_passing_background_is_a_stated_limit():
    label, scores = ClassArray(np.repeat([1, 0], [10, 300]), CLASSES), np.repeat([1.0, 0.0], [10, 300])
    rejection = top_roc(label, scores).rejection(0.5)
    assert rejection.is_limit
    assert rejection.value == np.inf
    assert np.isnan(rejection.error)
    assert (1 - 1 / rejection.low) ** 300 == pytest.approx(0.05)
    assert str(rejection) == "> 101 (95% lower limit, no background passes)"


def test_with_negative_weights_the_point_is_the_first_crossing():
    label = ClassArray([1, 1, 1, 0, 0], CLASSES)
    curve = top_roc(label, [5.0, 3.0, 1.0, 4.0, 2.0], [2.0, -1.0, 1.0, 1.0, 1.0])
    assert curve.signal_efficiency == pytest.approx([0, 1, 1, 0.5, 0.5, 1])
    assert curve.cut(0.8) == 5.0
    assert curve.rejection(0.8).is_limit
    assert curve.auc == pytest.approx((2 * 1 - 1 * 0.5 + 1 * 0) / 2)


def test_the_signal_is_compared_with_all_backgrounds_and_others_stay_out():
    label = ClassArray([0, 1, 2, 3], ("QCD", "W", "top", "H"))
    scores = ClassArray(
        [[0.6, 0.2, 0.1, 0.1], [0.1, 0.5, 0.3, 0.1], [0.1, 0.1, 0.4, 0.4], [np.nan] * 4], label.classes
    )
    curve = roc(label, scores, signal="top", background=("QCD", "W"))
    assert (curve.n_signal, curve.n_background, curve.background) == (1, 2, ("QCD", "W"))
    assert curve.threshold[1:] == pytest.approx([0.4 / 0.6, 0.3 / 0.9, 0.1 / 0.9])
    assert curve.accuracy == 1
    assert discriminant(scores[:3], signal="top", background=("QCD", "W")) == pytest.approx(
        [0.1 / 0.9, 0.3 / 0.9, 0.4 / 0.6]
    )


def test_the_columns_follow_the_names_of_the_scores_not_of_the_labels():
    label = ClassArray([0, 1], ("QCD", "top"))
    curve = top_roc(label, ClassArray([[0.1, 0.9], [0.8, 0.2]], ("top", "QCD")))
    assert (curve.auc, curve.accuracy) == (1, 1)


def test_the_order_in_which_backgrounds_are_named_has_no_influence_on_the_accuracy():
    label = ClassArray([2, 0, 1, 1], ("a", "b", "c"))
    scores = ClassArray([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], label.classes)
    for background in (("a", "c"), ("c", "a")):
        assert roc(label, scores, signal="b", background=background).accuracy == 0.75


def test_plain_integers_and_one_column_do_as_well():
    curve = roc([0, 1, 1, 0], [0.1, 0.9, 0.4, 0.6], signal=1, background=0)
    assert curve.accuracy == 0.5
    assert curve.signal == "1"
    assert np.isnan(roc([0, 1], [-3.0, 2.0], signal=1, background=0).accuracy)


def test_the_accuracy_of_two_gaussian_posteriors_is_analytic():
    label, x = gaussians(40_000, 40_000, np.random.default_rng(8))
    p = 1 / (1 + np.exp(-SEPARATION * (x - SEPARATION / 2)))
    curve = top_roc(label, ClassArray(np.stack([1 - p, p], 1), CLASSES))
    # Binomial error 0.15 %; 4.5 sigma: false alarm 7e-6.
    assert curve.accuracy_error == pytest.approx(np.sqrt(0.773 * 0.227 / 80_000), rel=0.02)
    assert abs(curve.accuracy - stats.norm.cdf(SEPARATION / 2)) < 4.5 * curve.accuracy_error


def named(label, scores, **options):
    return roc(ClassArray(label, CLASSES), scores, **{"signal": "top", "background": "QCD", **options})


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: named([0, 0], [0.1, 0.2]), "no jet of class 'top'"),
        (lambda: named([0, 1], [0.1, np.nan]), "1 of 2 scores are not a finite number"),
        (lambda: named([0, 1], [0.1, 0.2], signal="tpo"), "did you mean 'top'"),
        (lambda: named([0, 1], [0.1, 0.2], background="top"), "each once"),
        (lambda: named([0, 1], [0.1, 0.2, 0.3]), "one entry per jet"),
        (lambda: named([0, 1], [[0.1], [0.2]]), "1 columns"),
        (lambda: named([0, 1], [[0.0, 0.0], [0.2, 0.8]]), "1 of 2 jets have negative or all-zero scores"),
        (lambda: named([0, 1], [0.1, 0.2], weight=[1, -1]), "weights of the signal sum to -1"),
        (lambda: named([0, 1], [0.1, 0.2], weight=[1, np.inf]), "1 of 2 weights are not finite"),
        (lambda: roc([0, 1], [0.1, 0.2], signal="top", background=0), "carry no class names"),
        (lambda: named([0, 1], [0.1, 0.2]).rejection(0), "above 0 and at most 1"),
        (lambda: named([0, 1], [0.1, 0.2]).rejection(0.5, "last"), "no rule 'last'"),
    ],
)
def test_bad_input_has_its_sentence(call, sentence):
    with pytest.raises(DataError, match=sentence):
        call()
