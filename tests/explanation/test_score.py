"""The score of edited jets is the score of explanations."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation import score
from workbench.explanation.score import direction, log_odds

from ..toys import toy_jets

JETS = toy_jets(9, seed=2)
THREE = ("QCD", "W", "top")


class Counting:
    """Logits that are known: class c gets c times the number of particles."""

    classes = THREE

    def logits(self, jets):
        return jets.counts[:, None] * np.arange(3.0)


@pytest.fixture(scope="module")
def tagger():
    return wb.Tagger(network="pfn", epochs=1).fit(toy_jets(100, seed=1), seed=1)


def test_it_is_the_score_in_the_ledger(tagger):
    np.testing.assert_allclose(log_odds(tagger, JETS), wb.explain(tagger, JETS).ledger.score, atol=1e-5)
    turned = log_odds(tagger, JETS, ("QCD", "top"))
    np.testing.assert_allclose(turned, -log_odds(tagger, JETS), atol=1e-12)


def test_the_seed_names_the_difference():
    counts = JETS.counts.astype(float)
    np.testing.assert_allclose(log_odds(Counting(), JETS, ("top", "W")), counts)
    np.testing.assert_allclose(log_odds(Counting(), JETS, ("QCD", "top")), -2 * counts)
    np.testing.assert_allclose(log_odds(Counting(), JETS), 1.5 * counts)
    assert direction(THREE, "W")[1] == "W - mean of QCD, top"


def test_portions_change_nothing_and_a_stop_leaves_what_was_done(monkeypatch):
    whole = log_odds(Counting(), JETS)
    monkeypatch.setattr(score, "JETS_AT_ONCE", 4)
    steps = []
    np.testing.assert_array_equal(log_odds(Counting(), JETS, report=steps.append), whole)
    assert [step.done for step in steps] == [4, 8, 9]
    stop = SimpleNamespace(is_set=lambda: len(steps) > 3)
    np.testing.assert_array_equal(log_odds(Counting(), JETS, report=steps.append, stop=stop), whole[:4])


def test_no_jets_and_jets_without_particles_have_scores(tagger):
    assert log_odds(tagger, JETS[:0]).shape == (0,)
    empty = replace(JETS, constituents=JETS.constituents[:, :0])
    assert np.isfinite(log_odds(tagger, empty)).all()


def test_what_has_no_score_is_named():
    class Broken(Counting):
        def logits(self, jets):
            return np.full((len(jets), 3), np.nan)

    with pytest.raises(ExplanationError, match=r"of 9 jets is not a finite number \(first: jet 0\)"):
        log_odds(Broken(), JETS)
    with pytest.raises(ExplanationError, match="knows no class 'tpo'; did you mean 'top'"):
        log_odds(Counting(), JETS, "tpo")
    with pytest.raises(ExplanationError, match="name two different classes"):
        log_odds(Counting(), JETS, ("W", "W"))
