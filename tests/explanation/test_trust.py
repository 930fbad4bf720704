"""All checks of one way to explain together: their verdicts, on networks of which the answer is known."""

from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from workbench.errors import ExplanationError
from workbench.explanation.planted import planted_tagger
from workbench.explanation.resampling import mean, written
from workbench.explanation.trust import DOUBTFUL, FAILS, HOLDS, assess
from workbench.simulate.planted import planted_jets

from ..apps.browser import needs_tagger
from ..patience import After
from ..toys import toy_jets

JETS = planted_jets(60, seed=1)
WAYS = ("LRP ε", "LRP γ", "leave one out")


def verdicts(trust):
    return {badge.check: badge.verdict for badge in trust.badges}


def test_a_map_that_is_known_to_be_right_passes():
    found = assess(planted_tagger(), JETS, way="LRP 0", others=WAYS)
    assert {"Ledger": HOLDS, "Deletion": HOLDS, "Agreement": HOLDS, "Steady": HOLDS}.items() <= verdicts(
        found
    ).items()
    assert found.infidelity.value == pytest.approx(0, abs=1e-6)
    assert not found.blind
    assert found.missing == {}
    assert found.jets == 60


@needs_tagger
def test_z_plus_gets_the_badge_and_epsilon_does_not():
    jets, tagger = wb.load(wb.bundled("jets"))[::150][:20], wb.open(wb.bundled("tagger"))
    rules = {way: assess(tagger, jets, way=way, others=()) for way in ("LRP ε", "LRP z⁺")}
    assert not rules["LRP ε"].blind
    assert rules["LRP z⁺"].blind
    sentence = next(badge.sentence for badge in rules["LRP z⁺"].badges if badge.check == "Class")
    assert sentence.startswith("This rule cannot tell signal from background.")
    assert verdicts(rules["LRP z⁺"])["Class"] == FAILS
    deletion = next(badge for badge in rules["LRP ε"].badges if badge.check == "Deletion")
    assert deletion.verdict != FAILS
    assert deletion.sentence.startswith("Taking particles away follows the map")


def test_a_map_of_noise_is_no_better_than_chance():
    """Both gaps lie beyond three standard errors once in a million."""
    found = assess(planted_tagger(), JETS, others=())
    random = np.random.default_rng(3)
    scores = {order: random.normal(size=values.shape) for order, values in found.curves.scores.items()}
    noise = replace(found, curves=replace(found.curves, scores=scores))
    assert verdicts(noise)["Deletion"] == FAILS


def test_a_network_without_particles_is_judged_as_far_as_it_can_be():
    sample = toy_jets(80, seed=1)
    mlp = wb.Tagger(network="mlp", observables=["mass", "girth", "multiplicity"], epochs=1).fit(
        sample, seed=1
    )
    found = assess(mlp, sample, others=("LRP γ", "occlusion"))
    assert set(found.missing) == {"curves", "infidelity"}
    assert "observables" in found.missing["curves"]
    assert found.agreement.ways == ("LRP ε", "LRP γ", "occlusion")
    trees = wb.Tagger(network="trees", observables=["mass", "girth"], iterations=3).fit(sample, seed=1)
    assert {"randomisation", "curves"} <= set(assess(trees, sample, others=()).missing)


def test_a_stop_leaves_what_was_done():
    found = assess(planted_tagger(), JETS, others=WAYS, stop=After(1))
    assert found.classes is not None
    assert (found.curves, found.agreement, found.missing) == (None, None, {})
    assert set(verdicts(found)) == {"Ledger", "Class"}


def test_progress_rises_to_the_number_of_checks():
    steps = []
    assess(planted_tagger(), JETS[:10], others=("LRP γ",), report=steps.append)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert steps[-1].done == steps[-1].total == 6


def test_amounts_that_tell_no_loss_are_doubtful_although_the_order_is_right():
    found = assess(planted_tagger(), JETS, others=())
    wrong = replace(found, infidelity=mean(np.array([1.2, 1.4, 1.3])))
    assert verdicts(wrong)["Deletion"] == DOUBTFUL


def test_one_jet_neither_holds_nor_fails_against_chance():
    found = assess(planted_tagger(), JETS[:1], way="LRP 0", others=())
    assert verdicts(found)["Deletion"] == DOUBTFUL
    badge = next(badge for badge in found.badges if badge.check == "Deletion")
    assert "no error" in badge.sentence


def test_maps_of_zeros_tell_nothing_and_no_verdict_says_that_they_do():
    found = assess(planted_tagger(0.0), JETS, way="LRP 0", others=())
    assert {check: verdicts(found)[check] for check in ("Class", "Learned", "Steady")} == dict.fromkeys(
        ("Class", "Learned", "Steady"), DOUBTFUL
    )


def test_disagreement_is_said():
    found = assess(planted_tagger(), JETS, others=WAYS)
    rank = replace(found.agreement.rank, value=np.where(np.eye(3) > 0, 1.0, 0.1))
    told = replace(found, agreement=replace(found.agreement, rank=rank))
    assert verdicts(told)["Agreement"] == DOUBTFUL


def test_an_unknown_way_is_refused():
    with pytest.raises(ExplanationError, match="tarot"):
        assess(planted_tagger(), JETS, way="tarot")


@pytest.mark.parametrize(
    ("values", "text"),
    [([1.0, 3.0], "2.00"), ([2.0, 2.0], "2.00 ± 0.00"), ([np.nan] * 2, "not known"), ([1.0], "1.00")],
)
def test_a_mean_is_written_with_its_error_where_it_has_one(values, text):
    assert written(mean(np.array(values))).startswith(text)
