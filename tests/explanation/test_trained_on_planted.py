"""Networks that learned from jets with planted truth: their maps find it, and find nothing where the labels are shuffled."""

import awkward as ak
import numpy as np
import pytest
from scipy import stats

import workbench as wb
from workbench.explanation.aggregation import untrained
from workbench.explanation.faithfulness import deletion_curves
from workbench.explanation.spread import coverage, explained_by, spread
from workbench.physics.intervals import ONE_SIGMA
from workbench.simulate.planted import planted_jets

FEATURES = ["log_pt_fraction", "deltar", "photon", "charged_hadron", "neutral_hadron", "electron", "muon"]
NETWORKS = 5
TEST = planted_jets(300, seed=99, carriers=3)
CARRIER = TEST.columns["carrier"]


def fits(*, shuffled):
    engine = wb.Tagger(network="pfn", features=FEATURES, epochs=12, phi_sizes=[32, 32], f_sizes=[32])
    return [
        engine.fit(planted_jets(3_000, seed, carriers=3, shuffled=shuffled), seed=seed)
        for seed in range(NETWORKS)
    ]


@pytest.fixture(scope="module")
def planted():
    return fits(shuffled=False)


@pytest.fixture(scope="module")
def shuffled():
    return fits(shuffled=True)


def mass(explanation):
    """Mean share of |relevance| that lies on the carriers."""
    size = abs(explanation.relevance)
    return float(ak.mean(ak.sum(size[CARRIER], axis=1) / ak.sum(size, axis=1)))


@pytest.mark.parametrize("method", ["lrp", "leave one out"])
def test_relevance_lies_on_the_carriers_and_by_chance_alone_where_labels_are_shuffled(
    planted, shuffled, method
):
    """Were labels of no matter, all five would lie above the other five once in 252 times."""
    explained = [
        [mass(wb.explain(fitted, TEST, method=method)) for fitted in group]
        for group in (planted, shuffled, [untrained(fitted, 50 + n) for n, fitted in enumerate(planted)])
    ]
    trained, by_chance, empty = map(np.array, explained)
    assert trained.min() > by_chance.max(), explained
    assert by_chance.mean() - empty.mean() < (trained.mean() - empty.mean()) / 5, explained


def test_the_sign_of_the_carriers_is_that_of_the_class_only_where_labels_tell_it(planted, shuffled):
    """Student's t over networks; the second assertion fails by chance once in 1,000."""
    sign = np.where(np.asarray(TEST.label) == 1, 1.0, -1.0)
    found = [
        [ak.mean(ak.sum(e.relevance[CARRIER], axis=1) * sign) for e in explained_by(group, TEST)]
        for group in (planted, shuffled)
    ]
    assert min(found[0]) > 10 * max(np.abs(found[1]))
    assert stats.ttest_1samp(found[1], 0).pvalue > 1e-3


def test_taking_the_carriers_away_takes_the_score_away(planted):
    gaps = deletion_curves(planted[0], TEST, wb.explain(planted[0], TEST)).gaps
    assert gaps["most"].value > 20 * gaps["most"].error
    assert gaps["least"].value > 20 * gaps["least"].error


@pytest.mark.parametrize("labels", ["planted", "shuffled"])
def test_the_spread_over_seeds_covers_a_further_seed_as_often_as_it_says(request, labels):
    """All particles of a network move together, so that five networks know the coverage no better than to about 0.1."""
    maps = explained_by(request.getfixturevalue(labels), TEST)
    assert coverage(maps).value == pytest.approx(ONE_SIGMA, abs=0.1)
    assert coverage(maps, level=0.95).value == pytest.approx(0.95, abs=0.05)


def test_networks_agree_on_the_sign_of_carriers_and_less_on_that_of_others(planted):
    sure = spread(explained_by(planted, TEST)).sure
    assert ak.mean(sure[CARRIER]) > 0.9
    assert ak.mean(sure[~CARRIER]) < ak.mean(sure[CARRIER])
