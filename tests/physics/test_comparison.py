"""Differences of two taggers: planted truths, the bootstrap as oracle."""

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.physics.comparison import (
    Difference,
    Measured,
    auc_difference,
    rejection_difference,
)
from workbench.physics.roc import roc

JETS = 4000
IS_SIGNAL = np.arange(JETS) % 2 == 1


def measured(score, is_signal=IS_SIGNAL):
    return Measured(score, is_signal, roc(is_signal.astype(int), score, signal=1, background=0))


def scores(seed, shared, shift=(1.5, 1.3)):
    """Two scores of the same jets whose noise is common to the share `shared`."""
    rng = np.random.default_rng(seed)
    common, a, b = rng.normal(size=(3, JETS))
    noise = [np.sqrt(shared) * common + np.sqrt(1 - shared) * own for own in (a, b)]
    return tuple(n + s * IS_SIGNAL for n, s in zip(noise, shift, strict=True))


def test_a_score_differs_from_itself_by_nothing_and_with_certainty():
    one = measured(scores(1, 0.5)[0])
    for found in (auc_difference(one, one, "same"), rejection_difference(one, one, 0.5, "same")):
        assert (found.value, found.error, found.significance) == (0, 0, 0)


def test_a_monotonic_change_of_the_score_changes_nothing():
    score = scores(1, 0.5)[0]
    one, other = measured(score), measured(np.tanh(score / 3))
    assert auc_difference(one, other, "same") == Difference(0, 0)
    assert rejection_difference(one, other, 0.3, "same") == Difference(0, 0)


def test_of_other_jets_the_errors_add_in_quadrature():
    one, other = map(measured, scores(2, 0.0))
    found = auc_difference(one, other, "other")
    assert found.error == pytest.approx(np.hypot(one.curve.auc_error, other.curve.auc_error))
    rejections = [m.curve.rejection(0.5) for m in (one, other)]
    found = rejection_difference(one, other, 0.5, "other")
    assert found.value == pytest.approx(rejections[0].value - rejections[1].value)
    assert found.error == pytest.approx(np.hypot(*(r.error for r in rejections)))


def test_without_common_noise_the_same_jets_give_the_errors_of_other_jets():
    one, other = map(measured, scores(3, 0.0))
    for at in (0.3, 0.5):
        same = rejection_difference(one, other, at, "same").error
        assert same == pytest.approx(rejection_difference(one, other, at, "other").error, rel=0.15)
    same = auc_difference(one, other, "same").error
    assert same == pytest.approx(auc_difference(one, other, "other").error, rel=0.05)


@pytest.mark.parametrize("shared", [0.0, 0.6, 0.95])
def test_the_error_is_that_of_the_bootstrap_over_jets(shared):
    first, second = scores(4, shared)
    rng = np.random.default_rng(5)
    drawn = {"auc": [], "rejection": []}
    for _ in range(200):
        which = rng.integers(JETS, size=JETS)
        a, b = (measured(s[which], IS_SIGNAL[which]).curve for s in (first, second))
        drawn["auc"].append(a.auc - b.auc)
        drawn["rejection"].append(a.rejection(0.5).value - b.rejection(0.5).value)
    one, other = measured(first), measured(second)
    # 200 draws know a standard deviation to 5 %: 20 % is four of them; the rejection is read to first order only.
    assert auc_difference(one, other, "same").error == pytest.approx(np.std(drawn["auc"]), rel=0.2)
    assert rejection_difference(one, other, 0.5, "same").error == pytest.approx(
        np.std(drawn["rejection"]), rel=0.3
    )


def test_common_noise_makes_the_same_difference_more_significant():
    one, other = map(measured, scores(6, 0.95))
    same, apart = (auc_difference(one, other, jets) for jets in ("same", "other"))
    assert same.value == apart.value
    assert same.significance > 2 * apart.significance


def test_a_limit_has_no_difference():
    perfect, other = measured(IS_SIGNAL.astype(float)), measured(scores(7, 0.0)[0])
    assert np.isnan(rejection_difference(perfect, other, 0.5, "same").value)


def test_jets_whose_truth_differs_are_not_the_same():
    one = measured(scores(1, 0.5)[0])
    other = measured(one.score, ~one.is_signal)
    with pytest.raises(DataError, match="truth differs"):
        auc_difference(one, other, "same")
