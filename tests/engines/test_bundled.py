"""The tagger that comes with the package is what its card says."""

import numpy as np

import workbench as wb


def test_the_bundled_tagger_has_not_seen_the_bundled_jets_and_knows_tops():
    tagger, jets = wb.open(wb.bundled("tagger")), wb.load(wb.bundled("jets"))
    assert tagger.card["jets"] == {"QCD": 60_000, "top": 60_000}
    assert tagger.card["origin"]["settings"]["seed"] != jets.origin.settings["seed"]
    roc = wb.roc(jets.label, tagger.score(jets), signal="top", background="QCD")
    # Measured 0.988 with an error of 0.0014: five of them leave no room for chance (3e-7).
    assert roc.auc > 0.988 - 5 * 0.0014


def test_the_bundled_tagger_is_explained_with_closed_books():
    tagger, jets = wb.open(wb.bundled("tagger")), wb.load(wb.bundled("jets"))[:20]
    explanation = wb.explain(tagger, jets)
    logits = np.asarray(tagger.logits(jets))
    np.testing.assert_allclose(explanation.ledger.score, logits[:, 1] - logits[:, 0], atol=1e-4)
    assert explanation.ledger.closes(1e-6).all()
