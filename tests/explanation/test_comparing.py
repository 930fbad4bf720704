"""Two explanations side by side: differences that were planted are found, others are not."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

import workbench as wb
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import ExplanationError
from workbench.explanation.comparing import compare_samples, difference
from workbench.explanation.planted import planted_tagger
from workbench.simulate.planted import planted_jets

ONE, OTHER = planted_jets(150, seed=1), planted_jets(150, seed=2)


def explained(jets, more=0.0, score=None):
    """Relevance drawn at random, with `more` for photons; the score is given or drawn too."""
    generator = np.random.default_rng(len(jets) + int(jets.counts.sum()))
    values = generator.exponential(size=int(jets.counts.sum()))
    values *= 1 + more * (ak.to_numpy(ak.ravel(jets.constituents.pid)) == 22)
    relevance = ak.unflatten(values, jets.counts)
    score = generator.normal(size=len(jets)) if score is None else score
    return Explanation(relevance, relevance, ("particle",), Ledger(score, {}))


def test_the_difference_of_two_networks_is_the_difference_of_their_weights():
    one, other = (wb.explain(planted_tagger(weight), ONE, rule="0") for weight in (1.0, 3.0))
    found = difference(one, other)
    np.testing.assert_allclose(ak.ravel(found.relevance), 2 * ak.ravel(one.relevance), atol=1e-5)
    np.testing.assert_allclose(found.score, 2 * one.ledger.score, atol=1e-5)
    np.testing.assert_allclose(found.cosine, 1, atol=1e-6)
    np.testing.assert_allclose(sum(found.lines.values()), found.score, atol=1e-5)


def test_a_line_that_one_ledger_lacks_is_zero_there():
    one, other = (wb.explain(planted_tagger(), ONE[:5], rule=rule) for rule in ("0", "epsilon"))
    found = difference(one, other)
    np.testing.assert_allclose(found.lines["absorbed by epsilon"], other.ledger.lines["absorbed by epsilon"])


def test_explanations_of_different_jets_are_refused():
    one = wb.explain(planted_tagger(), ONE, rule="0")
    with pytest.raises(ExplanationError, match="different jets"):
        difference(one, one[:4])


def test_samples_that_do_not_differ_are_said_to_differ_as_often_as_the_p_value_says():
    """Twenty p-values of samples of one kind are uniform: the test fails by chance once in 1,000."""
    found = []
    for number in range(20):
        one, other = planted_jets(60, seed=100 + number), planted_jets(60, seed=200 + number)
        pair = (one, explained(one)), (other, explained(other))
        found.append(compare_samples(*pair, "species", bins=2, permutations=99, seed=number).p)
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_a_difference_in_one_kind_is_found_and_named():
    found = compare_samples((ONE, explained(ONE)), (OTHER, explained(OTHER, more=1.5)), "species")
    photons = found.axis.names.index("photon")
    assert found.p == pytest.approx(1 / 500)
    assert found.p_of_bin[photons] == pytest.approx(1 / 500)
    assert found.second.value[photons] - found.first.value[photons] > 5 * found.second.error[photons]
    assert found.frame()["bin"][photons] == "photon"


def test_samples_that_differ_only_in_their_scores_do_not_differ_at_equal_score():
    """The relevance depends on the score alone; the p-value is below 0.01 by chance once in 100."""
    scores = [np.random.default_rng(seed).normal(shift, 1, 150) for seed, shift in ((1, 0.0), (2, 0.7))]

    def telling(jets, score):
        photon = ak.to_numpy(ak.ravel(jets.constituents.pid)) == 22
        # A step within the bins would be a difference within them; the steps are at their edges.
        edges = np.quantile(np.concatenate(scores), [0.2, 0.4, 0.6, 0.8])
        strength = np.searchsorted(edges, score)[np.repeat(np.arange(len(jets)), jets.counts)]
        base = explained(jets, score=score)
        values = ak.to_numpy(ak.ravel(base.relevance)) * np.where(photon, 1 + strength, 1)
        return replace(base, relevance=ak.unflatten(values, jets.counts))

    pairs = [(jets, telling(jets, score)) for jets, score in zip((ONE, OTHER), scores, strict=True)]
    assert compare_samples(*pairs, "species", bins=5).p > 0.01
    # Without regard to the score they do differ.
    assert compare_samples(*pairs, "species", bins=1).p < 0.01


def test_the_distances_are_those_of_scipy():
    found = compare_samples(
        (ONE, explained(ONE)), (OTHER, explained(OTHER)), "charge", bins=1, permutations=1
    )
    shares = []
    for jets in (ONE, OTHER):
        relevance, charged = explained(jets).relevance, jets.constituents.charge != 0
        share = ak.to_numpy(ak.sum(relevance[charged], axis=1) / ak.sum(relevance, axis=1))
        shares.append(np.stack([share, 1 - share], axis=1))
    a, b = shares
    energy = 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()
    assert found.distance == pytest.approx(energy, abs=1e-6)
    np.testing.assert_allclose(found.separation, stats.ks_2samp(a[:, 0], b[:, 0]).statistic, atol=1e-9)
    np.testing.assert_allclose(found.first.value, a.mean(0))
    np.testing.assert_allclose(found.second.error, b.std(0, ddof=1) / np.sqrt(len(b)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "colour"}, "cannot be sorted by 'colour'"),
        ({"name": "lund"}, "cannot be sorted by 'lund'"),
        ({"shift": 100.0, "bins": 2}, "No score is reached by both"),
        ({"few": True}, "explain these jets"),
        ({"without": "pid"}, "lack the field 'pid'"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(change, sentence):
    one, other = explained(ONE), explained(OTHER)
    jets = ONE
    if "shift" in change:
        one = replace(one, ledger=Ledger(one.ledger.score + change.pop("shift"), {}))
    if change.pop("few", False):
        one = one[:10]
    if gone := change.pop("without", ""):
        jets = replace(
            ONE, constituents=ONE.constituents[[n for n in ak.fields(ONE.constituents) if n != gone]]
        )
    with pytest.raises(ExplanationError, match=sentence):
        compare_samples((jets, one), (OTHER, other), permutations=3, **change)


def test_one_network_looks_at_two_samples_of_one_kind_alike():
    """Five p-values; one of them is below 0.002 by chance once in 100."""
    steps = []
    found = wb.at_equal_score(planted_tagger(), ONE, OTHER, way="LRP 0", report=steps.append)
    assert list(found) == ["species", "charge", "rank", "deltar", "fraction"]
    assert min(part.p for part in found.values()) > 0.002
    assert [steps[-1].done, steps[-1].total] == [300, 300]
    # Muon jets are compared with muon jets: all relevance lies on leptons in both.
    np.testing.assert_allclose(found["species"].first.value[[3, 4]].sum(), 1, atol=1e-6)


def test_what_the_particles_do_not_have_is_not_compared():
    kept = [name for name in ak.fields(ONE.constituents) if name not in ("pid", "charge")]
    bare = replace(ONE, constituents=ak.with_name(ONE.constituents[kept], "Momentum4D"))
    with pytest.raises(ExplanationError, match="tarot"):
        wb.at_equal_score(planted_tagger(), bare, bare, way="tarot")
    pfn = wb.Tagger(network="pfn", epochs=1, phi_sizes=[8], f_sizes=[8]).fit(ONE, seed=1)
    assert list(wb.at_equal_score(pfn, bare[:60], bare[60:], permutations=3)) == [
        "rank",
        "deltar",
        "fraction",
    ]


def shares_of(jets, explanation):
    """Share of |relevance| of charged particles of each jet."""
    charged = jets.constituents.charge != 0
    return ak.to_numpy(ak.sum(explanation.relevance[charged], axis=1) / ak.sum(explanation.relevance, axis=1))


def test_the_first_sample_is_weighted_to_the_scores_of_the_second():
    scores = [np.random.default_rng(seed).normal(shift, 1, 150) for seed, shift in ((1, 0.0), (2, 1.0))]
    (a, b), (one, other) = (
        (ONE, OTHER),
        (explained(j, score=s) for j, s in zip((ONE, OTHER), scores, strict=True)),
    )
    found = compare_samples((a, one), (b, other), "charge", bins=4, permutations=1)
    edges = np.quantile(np.concatenate(scores), [0.25, 0.5, 0.75])
    first, second = (np.searchsorted(edges, score, side="right") for score in scores)
    weight = np.bincount(second, minlength=4)[first] / np.bincount(first, minlength=4)[first]
    assert found.first.value[0] == pytest.approx(np.average(shares_of(a, one), weights=weight))
    assert found.second.value[0] == pytest.approx(shares_of(b, other).mean())


def test_jets_of_equal_shares_are_separated_by_none_of_them():
    """Relevance lies on electrons or on muons, so that many jets have the same share of either."""
    pair = [(jets, wb.explain(planted_tagger(), jets, rule="0")) for jets in (ONE, OTHER)]
    found = compare_samples(*pair, "species", bins=1, permutations=1)
    for column, name in ((3, 11), (4, 13)):
        a, b = (
            ak.to_numpy(
                ak.sum(abs(e.relevance)[abs(jets.constituents.pid) == name], axis=1)
                / ak.sum(abs(e.relevance), axis=1)
            )
            for jets, e in pair
        )
        assert found.separation[column] == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-9)


def test_samples_of_far_apart_scores_and_equal_maps_do_not_differ():
    """Jets are dealt within their bin of the score, where one sample is rare; p is below 0.01 by chance once in 100."""
    scores = [np.random.default_rng(seed).normal(shift, 1, 150) for seed, shift in ((1, 0.0), (2, 2.5))]
    pair = [(jets, explained(jets, score=score)) for jets, score in zip((ONE, OTHER), scores, strict=True)]
    assert compare_samples(*pair, "species", permutations=199).p > 0.01
