"""How far networks of other seeds differ over a sample, where it is known."""

import awkward as ak
import numpy as np
import pytest

from workbench.errors import ExplanationError
from workbench.explanation.planted import planted_tagger
from workbench.explanation.seeds import judge_spread
from workbench.simulate.planted import planted_jets

JETS = planted_jets(30, seed=1)


def test_networks_of_known_weights_have_the_spread_of_their_weights():
    """Relevance is the weight per lepton: of 1, 2 and 3 the mean is 2 and the deviation 1, and all agree on every sign."""
    found = judge_spread([planted_tagger(weight=w) for w in (1.0, 2.0, 3.0)], JETS, rule="0", draws=20)
    assert (found.networks, found.jets) == (3, 30)
    assert found.size.value == pytest.approx(0.5, abs=1e-6)
    assert found.size.error == pytest.approx(0, abs=1e-6)
    assert found.sure.value == pytest.approx(1)
    columns = found.columns()
    carrier = np.asarray(ak.flatten(JETS.columns["carrier"]))
    np.testing.assert_allclose(columns["deviation"], carrier * 1.0, atol=1e-6)
    np.testing.assert_array_equal(columns["jet"], np.repeat(np.arange(30), JETS.counts))


def test_networks_that_disagree_on_every_sign_agree_on_none():
    two = [planted_tagger(weight=1.0), planted_tagger(weight=-3.0)]
    found = judge_spread(two, JETS, rule="0", draws=20)
    assert found.sure.value == 0
    assert found.coverage is None


def test_one_network_has_no_spread():
    with pytest.raises(ExplanationError, match="at least 2"):
        judge_spread([planted_tagger()], JETS)
