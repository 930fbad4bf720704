"""Infrared and collinear safety: exactly nothing for a safe network, the known change for counting ones."""

from dataclasses import replace
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from workbench.data.jets import Jets, momenta, wrapped
from workbench.errors import ExplanationError
from workbench.explanation.safety import by_momentum, collinear_safety, irc_safety, soft_safety
from workbench.physics.distributions import counts

from ..toys import toy_jets

JETS = toy_jets(60, seed=3)


class EnergyFlow:
    """Score 5 sum z phi(eta, phi), z = pT / sum pT: an energy-flow network, safe by construction (arXiv:1810.05165)."""

    classes = ("QCD", "top")

    def logits(self, jets):
        particles = jets.constituents
        z = particles.pt / ak.sum(particles.pt, axis=1)
        score = 5 * ak.sum(z * np.cos(3 * particles.eta) * np.sin(particles.phi), axis=1)
        return np.stack([np.zeros(len(jets)), ak.to_numpy(score)], axis=1)


class Multiplicity(EnergyFlow):
    """Score 3 n for tops and n for others: one particle more changes it by exactly that."""

    def logits(self, jets):
        score = np.where(jets.is_class("top"), 3.0, 1.0) * jets.counts
        return np.stack([np.zeros(len(jets)), score], axis=1)


def test_an_energy_flow_network_is_safe():
    split = collinear_safety(EnergyFlow(), JETS)
    assert split.values[0] == 0
    np.testing.assert_allclose(split.changes[0], 0.0, atol=1e-12)
    # Around the pT-weighted middle the first order cancels: the second derivative of 5 phi is below 5 * (9 + 1).
    for angle, changes in zip(split.values, split.changes, strict=True):
        assert np.abs(changes).max() <= 5 * 10 * angle**2 / 8 + 1e-12
    soft = soft_safety(EnergyFlow(), JETS)
    for fraction, changes in zip(soft.values, soft.changes, strict=True):
        pt = np.asarray(ak.sum(JETS.constituents.pt, axis=1))
        assert (np.abs(changes) <= 10 * fraction * ak.to_numpy(JETS.p4.pt) / pt + 1e-12).all()
    assert split.safe
    assert soft.safe
    assert soft.sentence.endswith("safe within rounding.")


def test_counting_is_neither_and_the_change_is_that_of_one_particle():
    change = np.where(JETS.is_class("top"), 3.0, 1.0)
    for found in (soft_safety(Multiplicity(), JETS), collinear_safety(Multiplicity(), JETS)):
        np.testing.assert_array_equal(found.changes, np.tile(change, (len(found.values), 1)))
        np.testing.assert_allclose(found.size.value, 2.0)
        assert not found.safe
        assert found.sentence.endswith("not safe.")


def test_weights_count_and_the_error_is_that_of_a_mean():
    weight = np.where(JETS.is_class("top"), 3.0, 1.0)
    heavy = soft_safety(Multiplicity(), replace(JETS, weight=weight), fractions=[0.01])
    np.testing.assert_allclose(heavy.size.value, (3 * 3 + 1) / 4)
    plain = soft_safety(Multiplicity(), JETS, fractions=[0.01], draws=2000)
    # The deviation is 1; 2000 draws know their spread to 1/sqrt(4000) = 1.6 %, five of these are 8 %.
    np.testing.assert_allclose(plain.size.error, 1 / np.sqrt(len(JETS)), rtol=0.08)
    shown = counts(heavy.histogram(0, (4, -0.5, 3.5)))
    assert shown.value.tolist() == [0, 30, 0, 90]


def test_the_spread_that_changes_are_held_against_respects_weights():
    weight = np.where(JETS.is_class("top"), 3.0, 1.0)
    found = soft_safety(Multiplicity(), replace(JETS, weight=weight), fractions=[0.01])
    twice = np.repeat(found.score, weight.astype(int))
    assert found.spread == pytest.approx(np.std(twice))
    assert np.isnan(replace(found, weight=weight * 0).spread)


def test_the_error_does_not_follow_the_places_that_the_same_seed_drew():
    """2000 draws know their spread to 1.6 %; five of these. Places and draws of one generator would give half as much again."""

    class Angle(EnergyFlow):
        """Score: the distance of the last photon from the axis, which the seed decides."""

        def logits(self, jets):
            last = jets.constituents[ak.argmin(jets.constituents.pt, axis=1, keepdims=True)][:, 0]
            score = np.hypot(last.eta - jets.p4.eta, wrapped(ak.to_numpy(last.phi - jets.p4.phi)))
            return np.stack([np.zeros(len(jets)), ak.to_numpy(score)], axis=1)

    jets = toy_jets(1000, seed=4)
    found = soft_safety(Angle(), jets, fractions=[1e-6], draws=2000)
    closed = found.changes[0].std() / np.sqrt(len(jets))
    assert found.drift.error[0] == pytest.approx(closed, rel=0.08)
    # On a disc of radius R squared distances are even between 0 and R^2; five standard errors.
    squares = (found.changes[0] + found.score) ** 2 / 0.8**2
    assert squares.mean() == pytest.approx(1 / 2, abs=5 / np.sqrt(12 * len(jets)))
    assert squares.max() <= 1


def test_a_particle_flow_network_is_not_safe():
    tagger = wb.Tagger(network="pfn", epochs=3).fit(toy_jets(200, seed=1), seed=1)
    for found in (soft_safety(tagger, JETS), collinear_safety(tagger, JETS)):
        assert not found.safe
        # The finding stands by five of its errors: by chance once in three million.
        assert found.size.value[0] > 5 * found.size.error[0]


def test_what_is_split_is_drawn_as_the_momentum_is_shared():
    jets = Jets.of(momenta(**{n: ak.Array([[3.0, 1.0]] * 4000) for n in ("pt", "eta", "phi", "mass")}))
    place = by_momentum(jets, np.random.default_rng(1).uniform(size=4000))
    # Five standard deviations of 4000 coins.
    assert abs(np.mean(place == 0) - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 4000)
    assert by_momentum(jets[:2], np.array([0.0, np.nextafter(1, 0)])).tolist() == [0, 1]


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    first, again, other = (collinear_safety(EnergyFlow(), JETS, draw_seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.changes, again.changes)
    np.testing.assert_array_equal(first.size.error, again.size.error)
    assert not np.array_equal(first.changes[-1], other.changes[-1])


def test_jets_that_cannot_emit_are_left_out_and_counted(tmp_path):
    some = replace(JETS, constituents=ak.concatenate([JETS.constituents[:50], JETS.constituents[50:, :0]]))
    found = collinear_safety(Multiplicity(), some)
    assert (found.left_out, found.changes.shape) == (10, (7, 50))
    found.to_parquet(tmp_path / "safety.parquet")
    assert set(found.columns()) == {"value", "size", "size_error", "drift", "drift_error", "jets"}
    with pytest.raises(ExplanationError, match="None of the 10 jets has particles"):
        soft_safety(Multiplicity(), some[50:])


def test_a_stop_leaves_the_values_that_were_done():
    steps = []
    stop = SimpleNamespace(is_set=lambda: len(steps) >= 3)
    found = soft_safety(Multiplicity(), JETS, report=steps.append, stop=stop)
    assert found.values.tolist() == [1e-6, 1e-5]
    assert [step.done for step in steps] == [60, 120, 180]
    assert steps[0].total == 480
    with pytest.raises(ExplanationError, match="stopped before the first value"):
        soft_safety(Multiplicity(), JETS, stop=stop)


def test_both_are_measured_in_one_go_and_a_stop_keeps_what_is_whole():
    steps = []
    soft, collinear = irc_safety(EnergyFlow(), JETS, report=steps.append)
    np.testing.assert_array_equal(soft.changes, soft_safety(EnergyFlow(), JETS).changes)
    np.testing.assert_array_equal(collinear.changes, collinear_safety(EnergyFlow(), JETS).changes)
    assert [step.done for step in steps] == [60 * n for n in range(1, 17)]
    assert {step.total for step in steps} == {960}
    steps.clear()
    stop = SimpleNamespace(is_set=lambda: len(steps) >= 5)
    (part,) = irc_safety(EnergyFlow(), JETS, report=steps.append, stop=stop)
    assert (part.emission, len(part.values)) == ("soft emission", 4)


def test_what_makes_no_sense_is_said():
    for values in ([], [0.0, 0.1], [-1.0], [np.nan]):
        with pytest.raises(ExplanationError, match="give numbers above 0"):
            soft_safety(Multiplicity(), JETS, fractions=values)
    with pytest.raises(ExplanationError, match="give numbers from 0 on"):
        collinear_safety(Multiplicity(), JETS, angles=[-0.1])
