"""Every particle lies in one bin, and in the right one."""

import awkward as ak
import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.jets import Jets, momenta
from workbench.physics.bootstrap import Estimate
from workbench.physics.lund import primary_lund_plane
from workbench.physics.partitions import (
    ELSEWHERE,
    PARTITIONS,
    Axis,
    Sorted,
    emission_of,
    histogram,
    lacking,
    tabulated,
)

TOYS = toy_jets(60, 4)
VERTEX = ak.local_index(TOYS.constituents.pt) % 3
JETS = Jets.of(ak.with_field(TOYS.constituents, VERTEX, "vertex"), p4=TOYS.p4)
KINDS = ((211, 1), (-321, -1), (130, 0), (22, 0), (-11, 1), (13, -1), (12, 0))


def one_of_each():
    n = len(KINDS)
    pid, charge = np.array(KINDS).T
    fields = {"pt": np.arange(n, 0, -1.0), "eta": np.zeros(n), "phi": np.zeros(n), "mass": np.zeros(n)}
    fields |= {"pid": pid, "charge": charge.astype(float)}
    return Jets.of(momenta(**{name: ak.unflatten(column, [n]) for name, column in fields.items()}))


def test_the_types_are_those_of_the_particle_data_group():
    way = PARTITIONS["species"]
    found = [way.axes[0].names[i] for i in way.sort(Sorted(one_of_each()))]
    assert found == ["charged hadron"] * 2 + ["neutral hadron", "photon", "electron", "muon", "other"]
    charged = PARTITIONS["charge"].sort(Sorted(one_of_each()))
    assert charged.tolist() == [0, 0, 1, 1, 0, 0, 1]


def test_pile_up_is_what_is_charged_and_came_from_another_vertex():
    # A collision beside the hard one has a vertex above 0; cells of a calorimeter have -1.
    fields = {"pt": [5.0, 4.0, 3.0, 2.0], "eta": [0.0] * 4, "phi": [0.0] * 4, "mass": [0.0] * 4}
    fields |= {"charge": [1.0, -1.0, 1.0, 0.0], "vertex": [0, 3, 1, -1]}
    jets = Jets.of(momenta(**{name: ak.Array([values]) for name, values in fields.items()}))
    way = PARTITIONS["vertex"]
    found = [way.axes[0].names[i] for i in way.sort(Sorted(jets))]
    assert found == ["charged, hard collision", "charged, pile-up", "charged, pile-up", "neutral"]
    assert lacking(way, one_of_each()) == "vertex"


def test_ranks_count_from_the_hardest():
    assert PARTITIONS["rank"].sort(Sorted(one_of_each())).tolist() == list(range(len(KINDS)))


@pytest.mark.parametrize("name", [n for n in PARTITIONS if n != "species"])
def test_nothing_is_lost_by_sorting(name):
    way = PARTITIONS[name]
    place = way.sort(Sorted(JETS))
    assert place.shape == (JETS.counts.sum(),)
    assert place.min() >= ELSEWHERE
    assert place.max() < way.bins
    sums = tabulated(place, np.ones(len(place)), JETS.counts, way.bins)
    np.testing.assert_array_equal(sums.sum(axis=1), JETS.counts)


@pytest.mark.parametrize("name", [n for n in PARTITIONS if n != "species"])
def test_a_jet_is_sorted_the_same_alone_and_in_company(name):
    together = ak.unflatten(PARTITIONS[name].sort(Sorted(JETS)), JETS.counts)
    assert PARTITIONS[name].sort(Sorted(JETS[7])).tolist() == together[7].tolist()


def test_the_emissions_of_the_particles_are_those_of_the_primary_lund_plane():
    ln_angle, ln_kt = (ak.unflatten(values, JETS.counts) for values in emission_of(JETS))
    plane = primary_lund_plane(JETS)
    for jet in range(len(JETS)):
        angle, kt = np.asarray(ln_angle[jet]), np.asarray(ln_kt[jet])
        emitted = np.isfinite(angle)
        # What ends the hardest branch is one particle.
        assert np.count_nonzero(~emitted) == 1
        expected = sorted(zip(plane.ln_inverse_delta[jet], plane.ln_kt[jet], strict=True))
        found = sorted(set(zip(angle[emitted], kt[emitted], strict=True)))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bins_hold_their_lower_edge_and_the_last_one_both():
    axis = Axis("x", edges=(0.0, 1.0, 2.0))
    values = np.array([-0.1, 0.0, 0.99, 1.0, 2.0, 2.1, np.nan])
    assert axis.place(values).tolist() == [ELSEWHERE, 0, 0, 1, 1, ELSEWHERE, ELSEWHERE]


def test_a_missing_field_is_named():
    assert lacking(PARTITIONS["species"], JETS) == "pid"
    assert lacking(PARTITIONS["charge"], JETS) == ""


def test_two_axes_become_a_histogram_with_the_first_slowest():
    axes = (Axis("a", "GeV", (0.0, 1.0, 2.0)), Axis("b", names=("x", "y", "z")))
    made = histogram(axes, Estimate(np.arange(6.0), np.full(6, 0.5)))
    assert made.axes[0].label == "a [GeV]"
    np.testing.assert_array_equal(made.values(), [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(made.variances(), np.full((2, 3), 0.25))
