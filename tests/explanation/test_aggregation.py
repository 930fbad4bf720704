"""What a sample of explanations says, on planted explanations whose answer is known."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import workbench as wb
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import ExplanationError
from workbench.explanation import store
from workbench.explanation.aggregation import (
    ALL,
    OUTCOMES,
    PORTION,
    aggregate,
    aggregated,
    compare_pairs,
    explained,
    groups_of,
    untrained,
)
from workbench.explanation.mean_images import EXTENT, PIXELS, STEPS
from workbench.physics.images import average

from ..patience import After
from ..toys import toy_jets

JETS = toy_jets(300, seed=2)


def planted(jets, relevance, score=None):
    """Returns the explanation in which every particle has this relevance, shape (jets, var), and nothing else counts."""
    total = np.asarray(ak.sum(relevance, axis=1))
    score = total if score is None else score
    lines = {"inputs": total, "biases": score - total}
    features = ak.unflatten(ak.to_numpy(ak.flatten(relevance))[:, None] * [0.75, 0.25], ak.num(relevance))
    return Explanation(relevance, features, ("first", "second"), Ledger(score, lines))


def of(relevance, jets=JETS, draws=20, **options):
    return aggregated([(jets, planted(jets, relevance))], draws=draws, **options)


def by_charge(jets=JETS):
    pt = jets.constituents.pt
    return ak.where(jets.constituents.charge != 0, pt, -pt)


def test_relevance_in_proportion_to_pt_is_shared_as_pt_is():
    found = of(by_charge())
    for shares in (found.shares[name] for name in ("charge", "rank", "deltar", "fraction", "subjet", "lund")):
        for group in ("QCD", "top", ALL):
            absolute, momentum = shares.of(group), shares.of(group, "momentum")
            np.testing.assert_allclose(absolute.value, momentum.value, rtol=1e-12)
            np.testing.assert_allclose(absolute.error, momentum.error, rtol=1e-9)
    signed = found.shares["charge"].of(ALL, "signed").value
    np.testing.assert_allclose(signed, found.shares["charge"].of(ALL).value * [1, -1])


def test_relevance_that_is_one_for_all_is_shared_as_particles_are():
    found = of(ak.ones_like(JETS.constituents.pt))
    for shares in found.shares.values():
        if shares.name != "feature":
            np.testing.assert_allclose(shares.absolute.value, shares.particles.value)
            known = shares.particles.value > 0
            np.testing.assert_allclose(shares.mean.value[known], 1.0)
    assert found.shares["feature"].of(ALL).value.tolist() == [0.75, 0.25]


def test_shares_and_what_lies_elsewhere_make_the_whole():
    for shares in of(by_charge()).shares.values():
        np.testing.assert_allclose(shares.absolute.value.sum(1) + shares.elsewhere.value, 1.0)
        if shares.cumulative is not None:
            np.testing.assert_allclose(shares.cumulative.value[:, -1] + shares.elsewhere.value, 1.0)


def test_the_amounts_of_all_bins_are_the_inputs_line_of_the_books():
    found = of(by_charge())
    inputs = found.ledger.of("top").value[found.ledger.lines.index("inputs")]
    assert found.shares["charge"].of("top", "amount").value.sum() == pytest.approx(inputs)
    assert found.ledger.of("top").value[:-1].sum() == pytest.approx(found.ledger.of("top").value[-1])


def test_the_error_of_an_amount_is_that_of_a_mean():
    jets = replace(JETS, weight=np.random.default_rng(1).uniform(0.5, 2, len(JETS)))
    found = aggregated([(jets, planted(jets, by_charge()))], draws=2000)
    charged = np.asarray(ak.sum(jets.constituents.pt[jets.constituents.charge != 0], axis=1))
    w, top = jets.weight, jets.is_class("top")
    mean = np.average(charged[top], weights=w[top])
    expected = np.sqrt(np.sum(w[top] ** 2 * (charged[top] - mean) ** 2)) / w[top].sum()
    amount = found.shares["charge"].of("top", "amount")
    assert amount.value[0] == pytest.approx(mean)
    # A spread over 2,000 draws is known to 1.6 %; four of these, false-alarm rate 6e-5, and 1 / 150 for the small sample.
    assert amount.error[0] == pytest.approx(expected, rel=0.071)


def test_portions_and_the_order_of_particles_change_nothing():
    relevance = by_charge()
    whole = of(relevance)
    parts = [(JETS[a:b], planted(JETS[a:b], relevance[a:b])) for a, b in ((0, 7), (7, 200), (200, 300))]
    order = ak.argsort(JETS.constituents.phi, axis=1)
    turned = replace(JETS, constituents=JETS.constituents[order])
    for other in (aggregated(parts, draws=20), of(relevance[order], turned)):
        for name, shares in whole.shares.items():
            np.testing.assert_allclose(other.shares[name].absolute.value, shares.absolute.value, rtol=1e-9)
            np.testing.assert_allclose(other.shares[name].signed.error, shares.signed.error, rtol=1e-6)
        np.testing.assert_allclose(other.images.means["top"].mean, whole.images.means["top"].mean, atol=1e-3)


def test_shuffled_labels_differ_in_nothing_and_the_true_ones_do():
    label = np.random.default_rng(3).permutation(np.asarray(JETS.label))
    relevance = by_charge()
    true, shuffled = (
        aggregated([(jets, planted(jets, relevance))]) for jets in (JETS, replace(JETS, label=label))
    )
    names = ("charge", "rank", "deltar", "fraction", "subjet")
    # Largest of all bins that both classes fill well, Bonferroni: false-alarm rate 1e-4.
    z = {}
    for what, found in (("true", true), ("shuffled", shuffled)):
        parts = []
        for name in names:
            filled = found.shares[name].of(ALL).value > 0.02
            parts.append(found.shares[name].difference("top", "QCD").significance[filled])
        z[what] = np.abs(np.concatenate(parts))
    limit = stats.norm.isf(0.5e-4 / len(z["shuffled"]))
    assert z["shuffled"].max() < limit
    assert z["true"].max() > 2 * limit


def test_the_outcomes_divide_the_jets_at_the_threshold():
    score = np.linspace(-1, 1, len(JETS))
    groups = groups_of(JETS, score, "top", 0.5)
    np.testing.assert_array_equal(sum(groups[name].astype(int) for name in OUTCOMES), 1)
    assert (score[groups["true positive"]] > 0.5).all()
    np.testing.assert_array_equal(groups["true positive"] | groups["false negative"], groups["top"])
    unknown = groups_of(replace(JETS, label=np.full(len(JETS), -1)), score, "top")
    assert not any(unknown[name].any() for name in OUTCOMES)
    assert unknown[ALL].all()


def test_the_image_of_relevance_in_proportion_to_pt_is_the_jet_image():
    found = of(JETS.constituents.pt)
    for name in JETS.classes:
        jets = JETS[JETS.is_class(name)]
        expected = average(jets, pixels=PIXELS, extent=EXTENT, steps=STEPS)
        mean = found.images.means[name]
        np.testing.assert_allclose(mean.mean, expected.mean, atol=1e-4)
        np.testing.assert_allclose(mean.error, expected.error, atol=1e-3)
        assert mean.jets == len(jets)
    assert np.nanmax(np.abs(found.images.difference("top", "QCD"))) > 5
    shown = found.images.histogram("top").values().sum()
    whole = found.ledger.of("top").value[-1]
    assert 0.95 * whole < shown <= whole
    assert 0 <= found.images.outside < 0.05


def test_a_group_without_jets_is_left_out_and_unlabelled_jets_are_all_jets():
    data = replace(JETS, label=np.full(len(JETS), -1))
    assert list(of(by_charge(), data).groups) == [ALL]
    assert "false positive" not in of(by_charge(), threshold=1e9).groups


def test_results_are_histograms_and_parquet_files(tmp_path):
    found = of(by_charge())
    h = found.shares["charge"].histogram("top", "signed")
    np.testing.assert_allclose(h.values(), found.shares["charge"].of("top", "signed").value)
    np.testing.assert_allclose(np.sqrt(h.variances()), found.shares["charge"].of("top", "signed").error)
    assert found.shares["lund"].histogram("top").axes[1].label == "ln kT/GeV"
    paths = found.to_parquet(tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "shares-charge.parquet")
    np.testing.assert_allclose(table["absolute"], found.shares["charge"].absolute.value.ravel())
    assert all(len(pd.read_parquet(path)) for path in paths)


def test_a_sample_without_types_is_told_so():
    assert of(by_charge()).missing == {"species": "pid", "vertex": "vertex"}


def test_without_a_jet_there_is_a_sentence():
    with pytest.raises(ExplanationError, match="No jet was explained"):
        aggregated([])
    with pytest.raises(ExplanationError, match="no quantity"):
        of(by_charge()).shares["charge"].of(ALL, "loudness")
    with pytest.raises(ExplanationError, match="no group"):
        of(by_charge()).shares["charge"].of("W")


@pytest.fixture(scope="module")
def lite():
    return wb.Tagger(network="particlenet-lite", epochs=2).fit(toy_jets(300, seed=1), seed=1)


def test_a_study_reports_stops_and_keeps_what_is_done(lite):
    jets, steps = toy_jets(2 * PORTION + 30, seed=6), []
    found = aggregate(lite, jets, report=steps.append, stop=After(2), draws=10)
    assert [step.done for step in steps] == [PORTION, 2 * PORTION]
    assert (found.how["jets"], found.how["asked"]) == (2 * PORTION, len(jets))
    assert found.groups[ALL] == 2 * PORTION
    with pytest.raises(ExplanationError, match="No jet was explained"):
        aggregate(lite, jets, stop=After(0))


def test_a_study_of_jets_that_were_explained_before_explains_none(lite, monkeypatch, tmp_path):
    def refuse(*jets, **how):
        raise AssertionError

    jets, kept = toy_jets(PORTION + 30, seed=6), wb.Explanations(tmp_path)
    found = aggregate(lite, jets, kept=kept, draws=10)
    fresh = aggregate(lite, jets, draws=10)
    monkeypatch.setattr(store, "explain", refuse)
    again = aggregate(lite, jets, kept=kept, threshold=1.0, draws=10)
    for one in (fresh, again):
        for name, shares in found.shares.items():
            np.testing.assert_array_equal(
                one.shares[name].of("top", "absolute").value, shares.of("top", "absolute").value
            )
        assert one.how["jets"] == len(jets)
    assert again.groups != found.groups


def test_what_is_streamed_is_what_is_explained(lite):
    (jets, explanation), *rest = list(explained(lite, JETS[:50], {"rule": "0"}))
    assert not rest
    whole = wb.explain(lite, JETS[:50], rule="0")
    np.testing.assert_array_equal(ak.flatten(explanation.relevance), ak.flatten(whole.relevance))
    assert len(jets) == 50


@pytest.mark.parametrize("network", ["trees", "mlp"])
def test_observables_are_shared_as_inputs_are(network):
    settings = {"trees": {"iterations": 5, "leaves": 4}, "mlp": {"epochs": 1}}[network]
    fitted = wb.Tagger(network=network, observables=["mass", "girth"], **settings).fit(
        toy_jets(200, 1), seed=1
    )
    found = aggregate(fitted, JETS[:100], draws=10)
    assert list(found.shares) == ["feature"]
    assert found.images is None
    assert found.shares["feature"].axes[0].names == ("mass", "girth")
    np.testing.assert_allclose(found.shares["feature"].absolute.value.sum(1), 1)


def test_an_untrained_network_has_the_shape_and_not_the_weights(lite):
    state = torch.random.get_rng_state()
    first, again, other = (untrained(lite, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    weights = [network.network.output.weight for network in (lite, first, again, other)]
    assert weights[0].shape == weights[1].shape
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[1], weights[3])
    assert not torch.equal(weights[0], weights[1])


def test_pairs_of_both_networks_are_compared_with_random_ones(lite):
    found = compare_pairs(lite, JETS[:40], draws=10)
    sources = {(part.source, part.block, part.group) for part in found}
    expected = {
        (source, block, group)
        for source in ("most relevant", "random edges", "untrained network")
        for block in (0, 1)
        for group in (ALL, "QCD", "top")
    }
    assert sources == expected
    # Of all relevance that reaches a block, a part comes past its edges.
    assert all(0 < float(part.shortcut.value) < 1 for part in found)


def test_a_network_without_edges_is_refused():
    pfn = wb.Tagger(network="pfn", epochs=1, phi_sizes=[8], f_sizes=[8]).fit(toy_jets(80, 1), seed=1)
    with pytest.raises(ExplanationError, match="with edges"):
        compare_pairs(pfn, JETS[:10])
