import numpy as np
import pytest
from scipy.special import softmax

from workbench.data.classes import ClassArray
from workbench.errors import DataError
from workbench.physics.calibration import per_class, reliability, temperature, top_label

CLASSES = ("QCD", "W", "top")


def calibrated(n, generator):
    """Labels drawn from the very probabilities that are the scores."""
    scores = softmax(2 * generator.normal(size=(n, 3)), axis=1)
    label = (generator.random((n, 1)) > np.cumsum(scores, axis=1)).sum(axis=1)
    return ClassArray(label, CLASSES), ClassArray(scores, CLASSES)


def test_two_bins_by_hand():
    result = reliability([0.2, 0.2, 0.2, 0.2, 0.7, 1.0], [1, 0, 0, 0, 1, 1], bins=2)
    assert result.predicted == pytest.approx([0.2, 0.85])
    assert result.observed == pytest.approx([0.25, 1.0])
    assert result.counts.tolist() == [4, 2]
    assert result.ece == pytest.approx(4 / 6 * 0.05 + 2 / 6 * 0.15)
    assert result.covered == 1


def test_the_floor_is_the_exact_mean_deviation_of_coins():
    # Two jets at p = 1/2: |k/2 - 1/2| is 1/2 with probability 1/2. Its spread is 1/4.
    result = reliability([0.5, 0.5], [1, 0], bins=1)
    assert result.floor == pytest.approx(0.25)
    assert result.floor_error == pytest.approx(0.25)
    # One jet at p = 0.1: 2 p (1 - p).
    assert reliability([0.1], [0], bins=1).floor == pytest.approx(0.18)
    assert reliability([0.0, 1.0], [0, 1], bins=2).floor == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_calibrated_scores_give_the_floor_on_average(weighted):
    generator = np.random.default_rng(1)
    results = []
    for _ in range(300):
        label, scores = calibrated(1000, generator)
        weight = np.where(generator.random(1000) < 0.1, -1.0, 1.0) if weighted else None
        results.append(top_label(label, scores, weight=weight))
    ece, floor, spread = (np.array([getattr(r, k) for r in results]) for k in ("ece", "floor", "floor_error"))
    # The mean of 300 is known to spread / sqrt(300); 4 sigma: false alarm 6e-5. 3 % because in a bin the probabilities
    # differ and the deviation under weights is only approximately binomial.
    assert ece.mean() == pytest.approx(
        floor.mean(), abs=4 * spread.mean() / np.sqrt(300) + 0.03 * floor.mean()
    )
    # A spread from 300 values is known to 4.1 %; 4 sigma.
    assert ece.std(ddof=1) == pytest.approx(spread.mean(), rel=0.17)


def test_intervals_of_calibrated_scores_cover_as_often_as_they_say():
    generator = np.random.default_rng(3)
    inside = []
    for _ in range(100):
        label, scores = calibrated(2000, generator)
        for result in per_class(label, scores).values():
            inside.append((result.low <= result.predicted) & (result.predicted <= result.high))
    # 3000 bins, the three classes of one jet correlated (at most as 1000 independent): 0.683 +- 0.015; 4 sigma, false
    # alarm 6e-5; 0.02 for the discreteness of Wilson's interval.
    assert np.mean(inside) == pytest.approx(0.683, abs=0.06 + 0.02)


def test_overconfident_scores_stand_out_of_the_floor_and_the_temperature_mends_them():
    generator = np.random.default_rng(4)
    label, scores = calibrated(20_000, generator)
    sharp = ClassArray(softmax(1.7 * np.log(np.asarray(scores)), axis=1), CLASSES)
    assert top_label(label, sharp).excess > 10
    fitted = temperature(label, sharp)
    # 4.5 sigma: false alarm 7e-6.
    assert abs(fitted.value - 1.7) < 4.5 * fitted.error
    assert fitted.error < 0.05
    assert fitted.loss_after < fitted.loss_before
    mended = fitted.apply(sharp)
    assert mended.classes == CLASSES
    assert abs(top_label(label, mended).excess) < 4.5
    assert np.array_equal(np.argmax(mended, axis=1), np.argmax(sharp, axis=1))


def test_pulls_of_the_temperature_have_unit_width():
    generator = np.random.default_rng(5)
    pulls = []
    for _ in range(200):
        label, scores = calibrated(800, generator)
        fitted = temperature(label, scores, weight=np.where(generator.random(800) < 0.1, -1.0, 1.0))
        pulls.append((fitted.value - 1) / fitted.error)
    # 200 pulls: width known to 5 %; 4 sigma, false alarm 6e-5.
    assert np.std(pulls) == pytest.approx(1, abs=0.2)


def test_the_scores_names_decide_which_column_is_whose():
    label = ClassArray([0, 1, 1], ("QCD", "top"))
    scores = ClassArray([[0.1, 0.9], [0.8, 0.2], [0.9, 0.1]], ("top", "QCD"))
    assert top_label(label, scores, bins=1).observed == [1.0]
    assert per_class(label, scores, bins=1)["top"].predicted == pytest.approx([0.6])
    assert per_class(label, scores, bins=1)["top"].observed == pytest.approx([2 / 3])


def test_jets_without_a_known_class_do_not_enter():
    label = ClassArray([0, -1, 1], ("QCD", "top"))
    assert top_label(label, [[0.9, 0.1]] * 3).counts.sum() == 2


def test_a_bin_that_negative_weights_empty_is_said():
    result = reliability([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1], bins=2, weight=[1.0, -1.0, 1.0, 1.0])
    assert np.isnan(result.observed[0])
    assert result.covered == 0.5
    assert result.ece == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: reliability([1.2], [1]), "1 of 1 probabilities are not between 0 and 1"),
        (lambda: reliability([np.nan], [1]), "1 of 1 probabilities are not between 0 and 1"),
        (lambda: reliability([], []), "0 jets"),
        (lambda: top_label([0, 1], [[3.0, -2.0], [0.5, 0.5]]), "1 of 2 jets are no probabilities"),
        (lambda: top_label([0, 5], [[0.5, 0.5]] * 2), "expected one for every label"),
        (
            lambda: top_label(ClassArray([0], ("H",)), ClassArray([[0.5, 0.5]], ("a", "b"))),
            "one for every label",
        ),
        (lambda: temperature([0, 1], [[0.9, 0.1], [0.1, 0.9]]), "No temperature"),
    ],
)
def test_bad_input_has_its_sentence(call, sentence):
    with pytest.raises(DataError, match=sentence):
        call()


def test_no_jets_and_no_bins_are_said():
    nobody = np.zeros((0, 2))
    with pytest.raises(DataError, match="0 jets with weights that sum to 0"):
        temperature(np.zeros(0, dtype=int), nobody)
    with pytest.raises(DataError, match="0 bins were asked for"):
        reliability([0.5], [True], bins=0)
