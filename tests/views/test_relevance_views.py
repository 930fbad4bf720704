"""Relevance in the graph, the Lund plane, the image, the layers: nothing lost on the way, nothing shown that is not known."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
from bokeh.models import BoxAnnotation

from tests.toys import toy_jets
from workbench.data.explanation import Explanation, Ledger
from workbench.physics.images import STEPS
from workbench.physics.lund import primary_lund_plane
from workbench.physics.partitions import emission_of
from workbench.views import graph, image, layers, ledger, lund

JET = toy_jets(8, 3)[5:6]
N = int(JET.counts[0])
RELEVANCE = np.random.default_rng(7).normal(size=N)


def explained(lines=None, **recorded):
    """An explanation of the jet with what was recorded, `RELEVANCE` of its particles, and these lines."""
    total = np.array([RELEVANCE.sum()])
    lines = {"inputs": total} if lines is None else lines
    score = sum(lines.values())
    particles = ak.Array([RELEVANCE])
    how = {"rule": "epsilon"}
    return Explanation(particles, particles[..., None], ("pt",), Ledger(score, lines), recorded, how)


def edges(i, j, relevance):
    return ak.Array([[{"i": a, "j": b, "relevance": r} for a, b, r in zip(i, j, relevance, strict=True)]])


def test_every_recorded_edge_is_drawn_from_its_particle_to_its_neighbour_the_strongest_on_top():
    made = explained(**{"edges 0": edges([0, 1, 2], [1, 2, 0], [0.5, -2.0, 1.0])})
    links, relevance = graph.links_of(made, 0)
    deta, dphi = np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.3, 0.0])
    rows = graph.edge_columns(deta, dphi, links, relevance)
    np.testing.assert_allclose(rows["relevance"], [0.5, 1.0, -2.0])
    np.testing.assert_allclose(rows["x0"], [0.0, 0.2, 0.1])
    np.testing.assert_allclose(rows["x1"], [0.1, 0.0, 0.2])
    assert np.all(np.diff(rows["width"]) > 0)


def test_edges_without_relevance_are_thin_and_not_coloured():
    links = ak.Array([{"source": 0, "target": 1}])
    rows = graph.edge_columns(np.zeros(2), np.zeros(2), links)
    assert np.isnan(rows["relevance"]).all()
    np.testing.assert_allclose(rows["width"], 0.8)


def test_the_shortcut_beside_the_edges_is_told_with_its_share():
    made = explained(
        **{
            "edges 0": edges([0, 1], [1, 0], [1.0, -2.0]),
            "blocks.0.shortcut": ak.Array([[4.0, -1.0, 1.0]]),
            "edges 1": edges([0], [1], [1.0]),
        }
    )
    found = graph.shortcuts(made)
    assert graph.blocks(made) == (0, 1)
    np.testing.assert_allclose(found["block"], [1, 2])
    np.testing.assert_allclose(found["edges"], [-1.0, 1.0])
    np.testing.assert_allclose(found["shortcut"], [4.0, np.nan])
    np.testing.assert_allclose(found["share"], [6 / 9, np.nan])


def test_an_explanation_without_edges_has_no_blocks():
    assert graph.blocks(None) == graph.blocks(explained()) == ()
    assert all(len(column) == 0 for column in graph.shortcuts(explained()).values())


def test_the_lund_plane_holds_all_relevance_but_that_of_the_hard_end():
    emissions = primary_lund_plane(JET)[0]
    shared, rest = lund.emitted(emissions, *emission_of(JET), RELEVANCE)
    assert len(shared) == len(emissions)
    assert shared.sum() + rest == pytest.approx(RELEVANCE.sum(), abs=1e-12)


def test_a_particle_speaks_through_the_emission_that_it_came_with():
    emissions = primary_lund_plane(JET)[0]
    ln_angle, ln_kt = emission_of(JET)
    particle = int(np.flatnonzero(np.isfinite(ln_angle))[0])
    only = np.zeros(N)
    only[particle] = 1.0
    shared, rest = lund.emitted(emissions, ln_angle, ln_kt, only)
    place = int(np.argmax(shared))
    assert (shared[place], rest) == (1.0, 0.0)
    assert emissions.ln_kt[place] == ln_kt[particle]


def test_a_jet_of_one_particle_has_its_relevance_at_the_hard_end():
    one = type(JET).of(JET.constituents[:, :1], label=JET.label, classes=JET.classes)
    shared, rest = lund.emitted(primary_lund_plane(one)[0], *emission_of(one), np.array([0.7]))
    assert (len(shared), rest) == (0, 0.7)


@pytest.mark.parametrize("steps", [(), STEPS])
def test_the_image_of_relevance_holds_all_of_it_that_lies_in_the_frame(steps):
    pixels = image.relevance_pixels(JET, RELEVANCE, steps, extent=3.0)
    assert np.nansum(pixels) == pytest.approx(RELEVANCE.sum(), abs=1e-5)


def test_relevance_lies_in_the_pixel_of_its_particle():
    only = np.zeros(N)
    only[2] = -1.5
    pixels = image.relevance_pixels(JET, only, (), pixels=16, extent=0.8)
    row, column = np.unravel_index(np.nanargmin(pixels), pixels.shape)
    assert pixels[row, column] == -1.5
    assert np.nansum(pixels) == -1.5
    assert np.isfinite(pixels).sum() <= N
    around = JET.constituents[0][2]
    axis = JET.p4[0]
    assert column == int((around.eta - axis.eta + 0.8) / 1.6 * 16)
    assert row == int((around.deltaphi(axis) + 0.8) / 1.6 * 16)


def test_layers_come_inputs_first_with_their_sums_and_every_head_by_itself():
    heads = np.zeros((1, 2, 3, 4))
    heads[0, 1] = 0.25
    heads[0, 0, 0, 0] = -1.0
    made = explained(
        **{
            "output": np.array([2.0]),
            "heads of body": heads,
            "edges 0": edges([0], [1], [9.0]),
            "norm": ak.Array([[1.0, -3.0]]),
        }
    )
    rows = layers.columns(made)
    assert list(rows["layer"]) == ["norm", "heads of body, head 1", "heads of body, head 2", "output"]
    np.testing.assert_allclose(rows["relevance"], [-2.0, -1.0, 3.0, 2.0])
    np.testing.assert_allclose(rows["absolute"], [4.0, 1.0, 3.0, 2.0])


def test_what_another_method_recorded_is_no_layer():
    made = replace(explained(subjets=np.array([[1.0, 2.0, 0.0]])), how={"method": "leave one subjet out"})
    assert layers.columns(made) == {}


def ledger_of(**lines):
    lines = {name.replace("_", " "): np.array([value]) for name, value in lines.items()}
    return Ledger(sum(lines.values()), lines)


def test_a_map_is_doubted_from_one_per_cent_that_nothing_explains():
    assert ledger.unexplained(ledger_of(inputs=9.9, not_shared_out=0.1)) == pytest.approx(0.01)
    assert "Hatched" not in ledger.verdict(ledger_of(inputs=9.91, not_shared_out=0.09))
    assert ledger.verdict(ledger_of(inputs=9.0, not_shared_out=1.0)).startswith("Hatched: 10%")
    books = ledger_of(inputs=1.0)
    rest = Ledger(books.score + 0.02, books.lines)
    assert ledger.verdict(rest).startswith("Hatched: 2%")


def test_books_that_close_on_biases_say_that_the_map_is_the_smaller_part():
    assert "75% of them went to no particle" in ledger.verdict(ledger_of(inputs=1.0, biases=-3.0))
    assert ledger.verdict(ledger_of(inputs=3.0, biases=1.0)) == "The books close exactly."


def test_hatching_is_laid_over_a_map_and_hidden_until_it_is_needed():
    plot = lund.plane_figure(lund.empty())
    lines = ledger.hatch(plot)
    assert lines in plot.center
    assert isinstance(lines, BoxAnnotation)
    assert not lines.visible
