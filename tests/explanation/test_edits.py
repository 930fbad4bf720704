"""Edited jets: closed forms of every edit, the policy of the four-momentum, and jets at the edge of what a jet is."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.jets import Jets, momenta, summed
from workbench.data.pdg import MASS
from workbench.errors import DataError
from workbench.explanation import edits
from workbench.explanation.edits import CAME_FROM, EDITS, edited
from workbench.physics.kinematics import relative

from ..toys import toy_jets

SAMPLE = toy_jets(12, seed=4)
JET = SAMPLE[1:2]


def planted(pt=(50.0, 30.0, 20.0), deta=(0.0, 0.3, -0.1), dphi=(0.0, 0.0, 0.2), at=(0.5, 3.1), **more):
    """One jet whose stated four-momentum is not the sum of its particles."""
    n = len(pt)
    fields = {
        "pt": pt,
        "eta": np.add(at[0], deta),
        "phi": (np.add(at[1], dphi) + np.pi) % (2 * np.pi) - np.pi,
        "mass": np.full(n, 0.13957),
        "pid": np.full(n, 211),
        "charge": np.ones(n),
        "d0_error": np.linspace(0.1, 0.3, n),
        **more,
    }
    constituents = momenta(**{name: ak.Array([list(x)]) for name, x in fields.items()})
    stated = momenta(pt=np.array([100.0]), eta=np.array([at[0]]), phi=np.array([at[1]]), mass=np.array([9.0]))
    return Jets.of(constituents, p4=stated)


def vector_of(records):
    return np.stack([ak.to_numpy(getattr(records, c)) for c in ("px", "py", "pz", "energy")])


def values(jets, name):
    return np.asarray(ak.to_numpy(jets.constituents[name][0]), dtype=float)


def test_a_dropped_particle_takes_its_momentum_along():
    less = edits.drop(JET, 2)
    assert less.counts[0] == JET.counts[0] - 1
    expected = vector_of(JET.p4) - vector_of(JET.constituents[:, 2])
    np.testing.assert_allclose(vector_of(less.p4), expected, rtol=1e-9)
    assert ak.to_list(less.columns[CAME_FROM][0]) == [0, 1, *range(3, JET.counts[0])]


def test_an_added_particle_lies_where_it_was_asked_for_and_is_what_it_was_asked_to_be():
    more = edits.add(planted(), 40.0, -0.2, 0.1, 11)
    assert ak.to_list(more.columns[CAME_FROM][0]) == [0, -1, 1, 2]
    seen = relative(replace(more, p4=planted().p4))[0][1]
    assert (seen.deta, seen.dphi) == (pytest.approx(-0.2), pytest.approx(0.1))
    found = more.constituents[0][1]
    assert (found.pt, found.pid, found.charge) == (40.0, 11, -1.0)
    assert found.mass == pytest.approx(MASS[11])
    assert found.d0_error == pytest.approx(0.2)  # as the median of the others


def test_a_rescaled_particle_has_its_four_momentum_times_the_factor_and_its_new_rank():
    grown = edits.rescale(planted(), 1, 3.0)
    assert ak.to_list(grown.columns[CAME_FROM][0]) == [1, 0, 2]
    np.testing.assert_allclose(
        vector_of(grown.constituents[:, 0]), 3 * vector_of(planted().constituents[:, 1])
    )
    gone = edits.rescale(planted(), 1, 0.0)
    assert ak.to_list(gone.columns[CAME_FROM][0]) == [0, 2]


def test_particles_turn_around_the_axis_and_keep_their_distance_from_it():
    turned = edits.rotate(planted(), 0.7, axis="kept")
    before, after = relative(planted())[0], relative(turned)[0]
    np.testing.assert_allclose(after.deltar, before.deltar, atol=1e-12)
    angles = np.arctan2(after.dphi, after.deta) - np.arctan2(before.dphi, before.deta)
    np.testing.assert_allclose(np.cos(angles[1:] - 0.7), 1.0)
    back = edits.rotate(turned, -0.7, axis="kept")
    for name in ("eta", "phi"):
        np.testing.assert_allclose(values(back, name), values(planted(), name), atol=1e-12)
    one = edits.rotate(planted(), np.pi, 1, axis="kept")
    np.testing.assert_allclose(relative(one)[0].deta, [0.0, -0.3, -0.1], atol=1e-12)


def test_a_collinear_split_at_angle_zero_adds_up_to_the_particle():
    for share in (0.1, 0.5, 0.8):
        two = edits.split(JET, 0, share)
        assert two.counts[0] == JET.counts[0] + 1
        np.testing.assert_allclose(
            vector_of(summed(two.constituents)), vector_of(summed(JET.constituents)), rtol=1e-12
        )
        np.testing.assert_allclose(vector_of(two.p4), vector_of(JET.p4), rtol=1e-9)


def test_a_split_pair_is_as_far_apart_as_asked_with_the_middle_where_it_was():
    two = edits.split(planted(), 0, 0.25, 0.4, np.pi / 2, axis="kept")
    assert ak.to_list(two.columns[CAME_FROM][0]) == [0, 1, 2, -1]
    assert values(two, "pt").tolist() == [37.5, 30.0, 20.0, 12.5]
    seen = relative(two)[0]
    np.testing.assert_allclose(seen.dphi[[0, 3]], [-0.1, 0.3], atol=1e-12)
    np.testing.assert_allclose(seen.deta[[0, 3]], 0.0, atol=1e-12)
    assert values(two, "pid")[[0, 3]].tolist() == [211, 22]
    assert values(two, "charge").sum() == values(planted(), "charge").sum()


def test_another_type_changes_mass_and_charge_and_nothing_else():
    other = edits.retype(planted(), 1, 13)
    assert values(other, "pid").tolist() == [211, 13, 211]
    assert values(other, "charge").tolist() == [1, -1, 1]
    assert values(other, "mass")[1] == pytest.approx(MASS[13])
    for name in ("pt", "eta", "phi"):
        np.testing.assert_array_equal(values(other, name), values(planted(), name))
    charge_only = edits.retype(toy_jets(2, seed=1)[:1], 0, 22)
    assert values(charge_only, "charge")[0] == 0
    with pytest.raises(DataError, match="do not say what their particles are"):
        edits.retype(replace(planted(), constituents=planted().constituents[["pt", "eta", "phi", "mass"]]), 0, 22)  # fmt: skip


def test_a_subjet_moves_as_a_whole_and_leaves_the_others_where_they_are():
    three = planted(
        pt=(100.0, 60.0, 40.0, 9.0, 5.0),
        deta=(0.5, -0.5, 0.0, 0.52, -0.48),
        dphi=(0.0, 0.0, 0.5, 0.01, 0.02),
    )
    moved = edits.move_subjet(three, 0, 3, 0.1, -0.2, axis="kept")
    way = values(moved, "eta") - values(three, "eta")
    np.testing.assert_allclose(way, [0.1, 0, 0, 0.1, 0], atol=1e-12)
    np.testing.assert_allclose(relative(moved)[0].dphi, [-0.2, 0, 0.5, -0.19, 0.02], atol=1e-12)


@pytest.mark.parametrize("algorithm", ["kt", "cambridge"])
def test_the_subjets_that_are_deleted_one_by_one_are_the_jet(algorithm):
    left = [
        ak.to_list(edits.delete_subjet(JET, rank, 3, algorithm).columns[CAME_FROM][0]) for rank in range(3)
    ]
    gone = [set(range(JET.counts[0])) - set(kept) for kept in left]
    assert sorted(place for places in gone for place in places) == list(range(JET.counts[0]))
    pts = [sum(values(JET, "pt")[list(places)]) for places in gone]
    assert pts[0] >= 0.5 * pts[1]
    assert all(gone)


def test_soft_radiation_falls_into_the_disc_at_the_same_places_for_every_share():
    soft, softer = (edits.radiate(planted(), 30, share, 0.6, axis="kept") for share in (1e-3, 1e-5))
    for jets, pt in ((soft, 0.1), (softer, 1e-3)):
        assert jets.counts[0] == 33
        np.testing.assert_allclose(values(jets, "pt")[3:], pt)
        distance = ak.to_numpy(relative(jets)[0].deltar)[3:]
        assert (distance < 0.6).all()
    np.testing.assert_allclose(values(soft, "eta"), values(softer, "eta"))
    # A disc evenly filled has half of its particles beyond 0.42; 30 fair coins show fewer than 5 with p = 2e-5.
    assert 5 <= np.sum(ak.to_numpy(relative(soft)[0].deltar)[3:] > 0.6 / np.sqrt(2)) <= 25


ANY = st.one_of(
    st.tuples(st.just("rescale"), st.integers(0, 1), st.floats(0.01, 9)),
    st.tuples(st.just("shift"), st.integers(0, 1), st.floats(-1, 1), st.floats(-4, 4)),
    st.tuples(
        st.just("split"), st.integers(0, 2), st.floats(0.01, 0.99), st.floats(0, 0.8), st.floats(-3, 3)
    ),
    st.tuples(st.just("retype"), st.integers(0, 2), st.sampled_from([11, 13, 22, 130, 211])),
    st.tuples(st.just("add"), st.floats(0.1, 300), st.floats(-1, 1), st.floats(-1, 1), st.just(22)),
    st.tuples(st.just("radiate"), st.integers(1, 20), st.floats(1e-4, 0.02)),
    st.tuples(st.just("rotate"), st.floats(-3.14, 3.14)),
    st.tuples(st.just("move"), st.integers(0, 1), st.just(2), st.floats(-1, 1), st.floats(-1, 1)),
)


@settings(deadline=None, max_examples=40)
@given(steps=st.lists(ANY, max_size=6))
def test_the_stated_momentum_keeps_its_distance_from_the_sum_through_any_edits(steps):
    jet = planted()
    after = edited(jet, steps)
    gap = vector_of(jet.p4) - vector_of(summed(jet.constituents))
    scale = 1e-9 * float(np.sum(values(after, "pt") * np.cosh(values(after, "eta"))))
    pt = values(after, "pt")
    assert (np.diff(pt) <= 0).all()
    new = vector_of(after.p4) - vector_of(summed(after.constituents))
    # A mass below zero, which a stated momentum may be left with, is shown as zero: then the energy differs.
    assert np.abs(new - gap)[:3].max() < scale + 1e-9
    if steps:
        assert {*ak.to_list(after.columns[CAME_FROM][0])} - {-1} == {0, 1, 2}
    assert edited(jet, steps).fingerprint == after.fingerprint


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_can_leave_the_stated_momentum_as_it_is(name):
    arguments = [max(argument.low, argument.start) for argument in EDITS[name][1]]
    jet = planted()
    kept = edited(jet, [(name, *arguments)], axis="kept")
    for field in ("pt", "eta", "phi", "mass"):
        assert kept.p4[field][0] == jet.p4[field][0]
    assert kept.fingerprint != jet.fingerprint
    assert len(kept.origin.steps) == len(jet.origin.steps) + 1


def test_a_jet_can_lose_its_last_particle_and_get_one_again():
    one = planted(pt=(50.0,), deta=(0.0,), dphi=(0.0,))
    for none in (edits.drop(one, 0), edits.delete_subjet(one, 0, 3), edits.rescale(one, 0, 0)):
        assert none.counts[0] == 0
        assert vector_of(none.p4).tolist() == [[0], [0], [0], [0]]
    again = edits.add(none, 10.0, 0.1, 0.2, 22)
    assert values(again, "pt").tolist() == [10.0]
    np.testing.assert_allclose(vector_of(again.p4), vector_of(again.constituents[:, 0]))
    with pytest.raises(DataError, match="no momentum that soft radiation could be a share of"):
        edits.radiate(none)
    with pytest.raises(DataError, match="the jet has 0"):
        edits.drop(none, 0)


def test_a_whole_sample_is_edited_at_once_as_jet_by_jet():
    place = np.arange(len(SAMPLE)) % 3
    together = edits.split(SAMPLE, place, 0.3, 0.1, np.linspace(0, 3, len(SAMPLE)))
    for jet, azimuth in ((0, 0.0), (11, 3.0)):
        alone = edits.split(SAMPLE[jet], int(place[jet]), 0.3, 0.1, azimuth)
        assert together[jet].fingerprint == alone.fingerprint


def test_a_particle_across_the_seam_of_phi_stays_near():
    there = edits.shift(planted(at=(0.0, 3.1)), 0, 0.0, 0.1)
    assert values(there, "phi")[0] == pytest.approx(3.2 - 2 * np.pi)


def test_what_cannot_be_done_is_said():
    for edit, words in [
        (("drop", 9), "There is no particle 9: the jet has 3"),
        (("drop", -1), "There is no particle -1"),
        (("rescale", 0, -1.0), "must be 0 or more"),
        (("split", 0, 1.0, 0.0, 0.0), "the share lies between 0 and 1"),
        (("add", 0.0, 0, 0, 22), "needs a positive pT"),
        (("radiate", 0, 1e-3), "must be above 0"),
        (("delete", 3, 3), "There is no subjet 3: the jet has 3"),
        (("rescal", 0, 1.0), "did you mean 'rescale'"),
        (("rescale", 0), "takes the numbers Particle, Factor"),
        (("rotate", float("nan")), "takes the numbers"),
        (("rotate", "0.3"), "takes the numbers"),
    ]:
        with pytest.raises(DataError, match=words):
            edited(planted(), [edit])
    with pytest.raises(DataError, match="no way 'sum'"):
        edits.drop(planted(), 0, axis="sum")
    with pytest.raises(DataError, match="which is charged"):
        edits.split(planted(), 0, 0.5, pid=211)
