"""Energy-flow polynomials against closed forms, direct sums, the correlators of the workbench and the energyflow package."""

import importlib.util

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.physics.energy_flow import Graph, energy_flow_polynomials, graphs, named, up_to
from workbench.physics.kinematics import rectangles
from workbench.physics.substructure import energy_correlators

from .clouds import jets_of, random_jets, shuffled, split_collinearly, turned

ALL = up_to(5)


def colouring(graph):
    """Returns which side of a two-colouring each vertex is on, or None where an odd cycle forbids one."""
    side = {0: 0}
    for _ in range(graph.vertices):
        for a, b in graph.edges:
            for here, there in ((a, b), (b, a)):
                if here in side:
                    if side.get(there, 1 - side[here]) == side[here]:
                        return None
                    side[there] = 1 - side[here]
    return side


def direct(z, theta, graph):
    """The definition: one sum over all particles at once, for one jet."""
    letters = "abcdefgh"[: graph.vertices]
    operands = [z] * graph.vertices + [theta] * graph.degree
    subscripts = [*letters, *(letters[a] + letters[b] for a, b in graph.edges)]
    return np.einsum(",".join(subscripts) + "->", *operands, optimize="greedy")


def test_there_are_as_many_connected_multigraphs_as_mathematics_says():
    """OEIS A076864; table I of arXiv:1712.07124."""
    assert [len(graphs(degree)) for degree in range(1, 6)] == [1, 2, 5, 12, 33]
    assert len({graph.name for graph in ALL}) == 53


@pytest.mark.parametrize("graph", ALL, ids=lambda graph: graph.name)
def test_a_jet_of_two_particles_has_the_closed_form(graph):
    """Each edge needs both particles: a two-colouring with a and b vertices gives θ^d (z1^a z2^b + z1^b z2^a), an odd cycle 0."""
    z, theta = 0.3, 0.4
    jets = jets_of([(70.0, 0.0, 0.0), (30.0, 0.0, theta)])
    side = colouring(graph)
    expected = 0.0
    if side is not None:
        a = sum(side.values())
        b = graph.vertices - a
        expected = theta**graph.degree * ((1 - z) ** a * z**b + (1 - z) ** b * z**a)
    value = energy_flow_polynomials(jets, [graph])[graph.name][0]
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_every_polynomial_is_its_defining_sum():
    jets = random_jets(4, seed=5, mean=4)
    found = energy_flow_polynomials(jets, 5, beta=1.3, kappa=0.7)
    for particles in rectangles(jets):
        for row, n in enumerate(particles.counts):
            pt, y, phi = (x[row, :n] for x in (particles.pt, particles.rapidity, particles.phi))
            apart = np.abs(phi[:, None] - phi)
            theta = ((y[:, None] - y) ** 2 + np.minimum(apart, 2 * np.pi - apart) ** 2) ** (1.3 / 2)
            for graph in ALL:
                expected = direct((pt / pt.sum()) ** 0.7, theta, graph)
                assert found[graph.name][particles.rows[row]] == pytest.approx(expected, rel=1e-10)


def test_edge_and_triangle_are_the_energy_correlators():
    """Sums over all pairs count each 2! times, over triples 3! times."""
    jets = random_jets(50, seed=1)
    found = energy_flow_polynomials(jets, 3)
    e2, e3 = energy_correlators(jets)
    np.testing.assert_allclose(found["efp_01"] / 2, e2, rtol=1e-12)
    np.testing.assert_allclose(found["efp_01_02_12"] / 6, e3, rtol=1e-12)


def test_order_of_particles_and_whole_turns_mean_nothing():
    jets = random_jets(20, seed=2)
    found = energy_flow_polynomials(jets, 5)
    for other in (shuffled(jets, seed=3), turned(jets)):
        again = energy_flow_polynomials(other, 5)
        for name, values in found.items():
            np.testing.assert_allclose(again[name], values, rtol=1e-9)


def test_a_collinear_split_changes_nothing():
    jets = random_jets(20, seed=4, mass=0.0)
    before, after = energy_flow_polynomials(jets, 5), energy_flow_polynomials(split_collinearly(jets), 5)
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=1e-9)


def test_a_collinear_split_is_seen_for_other_powers_of_the_momentum():
    jets = random_jets(5, seed=4, mass=0.0)
    before = energy_flow_polynomials(jets, 1, kappa=2.0)["efp_01"]
    after = energy_flow_polynomials(split_collinearly(jets), 1, kappa=2.0)["efp_01"]
    # Each z² becomes (0.3² + 0.7²) z², in both particles of the pair.
    np.testing.assert_allclose(after, before * 0.58**2, rtol=1e-9)


def test_a_soft_particle_is_forgotten_in_proportion_to_its_momentum():
    hard = [(60.0, 0.1, 0.0), (40.0, -0.2, 0.3), (30.0, 0.0, -0.3)]
    soft = [[*hard, (130.0 * z, 0.5, 0.5)] for z in (1e-3, 1e-4)]
    found = energy_flow_polynomials(jets_of(hard, *soft), 5)
    for values in found.values():
        far, near = np.abs(values[1:] - values[0])
        # The change is linear in z; the next order is a thousandth of it times at most the number of vertices squared.
        assert far / near == pytest.approx(10, rel=0.1)


def test_one_particle_has_no_angles_and_none_has_no_value():
    found = energy_flow_polynomials(jets_of([(50.0, 0.0, 0.0)], [], [(0.0, 0.0, 0.0)]), 5)
    for values in found.values():
        np.testing.assert_array_equal(values, [0.0, np.nan, np.nan])


def test_many_jets_are_the_same_as_one():
    jets = random_jets(300, seed=6)
    together = energy_flow_polynomials(jets, 4)
    alone = energy_flow_polynomials(jets[17:18], 4)
    for name, values in alone.items():
        assert values[0] == pytest.approx(together[name][17], rel=1e-12)


def test_what_cannot_be_computed_is_refused():
    jets = random_jets(1, seed=0)
    with pytest.raises(DataError, match="degree from 1 to 5"):
        energy_flow_polynomials(jets, 6)
    with pytest.raises(DataError, match="positive power"):
        energy_flow_polynomials(jets, 2, beta=0.0)
    four = Graph(((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)))
    with pytest.raises(DataError, match="no matrix products"):
        energy_flow_polynomials(jets, [four])


def test_names_say_what_is_summed():
    graph = Graph(((0, 1), (0, 1), (0, 2)))
    assert graph.name == "efp_01_01_02"
    assert named(graph.name) == graph
    with pytest.raises(DataError, match="did you mean 'efp_01'"):
        named("efp_00")
    assert graph.formula == "Σ z0 z1 z2 θ01² θ02"


@pytest.mark.skipif(
    importlib.util.find_spec("energyflow") is None,
    reason="energyflow, the authors' own package, is not installed (pip install hep-workbench[bench])",
)
def test_the_authors_package_says_the_same():
    import energyflow

    jets = random_jets(10, seed=8, mass=0.0)
    found = energy_flow_polynomials(jets, 5, beta=2.0)
    for graph in ALL:
        theirs = energyflow.EFP(list(graph.edges), measure="hadr", beta=2, kappa=1, normed=True)
        for jet in range(len(jets)):
            c = jets.constituents[jet]
            # Their hadronic measure has unwrapped azimuths.
            phi = np.asarray(c.phi)
            phi = phi[0] + (phi - phi[0] + np.pi) % (2 * np.pi) - np.pi
            event = np.stack([np.asarray(c.pt), np.asarray(c.eta), phi], axis=1)
            assert found[graph.name][jet] == pytest.approx(theirs.compute(event), rel=1e-8)
