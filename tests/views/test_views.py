"""What each plot is given to draw: numbers, units and signs, without a browser."""

import ast
import json
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from bokeh.models import ColumnDataSource, FactorRange, LinearColorMapper

from tests.toys import toy_jets
from workbench import views
from workbench.data.explanation import Explanation, Ledger
from workbench.data.jets import Jets, momenta
from workbench.physics.distributions import Points
from workbench.physics.partitions import Axis
from workbench.physics.roc import Band
from workbench.state.display import DisplayState
from workbench.views import (
    agreement,
    comparison,
    cuts,
    deletion,
    distributions,
    edited,
    emissions,
    equal_score,
    eta_phi,
    features,
    forgetting,
    graph,
    image,
    ledger,
    longitudinal,
    lund,
    palette,
    particles,
    performance,
    relevance_map,
    shares,
    training,
    translation,
    transverse,
)
from workbench.views.frame import axis_label
from workbench.widgets.flat_views import cut_row

EDGES = np.array([0.0, 1.0, 3.0])
TWO = {
    "QCD": Points(EDGES, np.array([0.5, 0.25]), np.array([0.05, 0.1])),
    "top": Points(EDGES, np.array([0.25, 0.0]), np.array([0.05, 0.0])),
}


def jet_across_the_seam():
    """Two particles on both sides of phi = pi, the axis between them."""
    constituents = momenta(
        pt=ak.Array([[30.0, 10.0]]),
        eta=ak.Array([[0.1, -0.2]]),
        phi=ak.Array([[3.1, -3.1]]),
        mass=ak.Array([[0.0, 0.0]]),
        pid=ak.Array([[22, -211]]),
    )
    return Jets.of(constituents, p4=momenta(pt=[40.0], eta=[0.0], phi=[np.pi], mass=[5.0]))


def books():
    lines = {"inputs": np.array([2.0]), "biases": np.array([-0.5]), "absorbed by epsilon": np.array([0.25])}
    return Ledger(np.array([1.75]), lines)


def test_particles_are_placed_around_the_axis_also_across_the_seam_of_phi():
    rows = particles.columns(jet_across_the_seam())
    np.testing.assert_allclose(rows["deta"], [0.1, -0.2], atol=1e-6)
    np.testing.assert_allclose(rows["dphi"], [3.1 - np.pi, np.pi - 3.1], atol=1e-6)


def test_the_area_of_a_marker_grows_with_pt_and_its_shape_tells_the_kind():
    rows = particles.columns(jet_across_the_seam())
    assert (rows["size"][0] - 5) ** 2 / (rows["size"][1] - 5) ** 2 == pytest.approx(3, rel=1e-5)
    assert list(rows["kind"]) == ["photon", "charged hadron"]
    assert len(set(rows["marker"])) == 2


def test_a_sample_without_particle_types_says_particle_and_no_more():
    bare = toy_jets(2, 1)[0]
    assert set(particles.kinds(bare.constituents[0][["pt", "eta", "phi", "mass"]])) == {"particle"}


def test_no_relevance_is_nan_and_not_zero():
    assert np.isnan(particles.columns(jet_across_the_seam())["relevance"]).all()


def test_everything_that_travels_is_in_single_precision():
    for rows in (
        particles.columns(jet_across_the_seam(), np.array([1.0, -1.0])),
        lund.columns(ak.Array([{"ln_inverse_delta": 2.0, "ln_kt": 1.0, "z": 0.3}])),
    ):
        assert {column.dtype for column in rows.values() if column.dtype.kind == "f"} == {np.dtype("float32")}


def test_the_scale_of_relevance_is_symmetric_and_grey_where_nothing_is_said():
    scale = particles.relevance_scale(0.7)
    assert (scale.low, scale.high) == (-0.7, 0.7)
    middle = palette.RELEVANCE[len(palette.RELEVANCE) // 2]
    assert middle[1:3] == middle[3:5] == middle[5:7]
    assert palette.symmetric_limit([0.2, -0.9]) == 0.9
    assert palette.symmetric_limit([]) == palette.symmetric_limit([0.0]) == 1.0


def test_each_line_of_the_ledger_starts_where_the_last_one_ended_and_the_last_one_ends_at_the_score():
    rows = ledger.columns(books())
    assert list(rows["line"]) == ["inputs", "biases", "absorbed by epsilon", "rest", "score"]
    np.testing.assert_allclose(rows["start"], [0, 2, 1.5, 1.75, 0])
    np.testing.assert_allclose(rows["end"], [2, 1.5, 1.75, 1.75, 1.75])


def test_two_ledgers_are_drawn_on_the_same_axes_with_the_lines_of_both():
    first = ledger.columns(books())
    other = {
        **first,
        "line": np.array(["inputs", "constants", "absorbed by epsilon", "rest", "score"], object),
    }
    other["end"] = other["end"] + 3.0
    drawn = [ledger.drawing(one, [first, other]) for one in (first, other)]
    assert drawn[0]["lines"] == drawn[1]["lines"]
    assert drawn[0]["lines"] == ["inputs", "biases", "absorbed by epsilon", "constants", "rest", "score"]
    assert [(d["low"], d["high"]) for d in drawn] == [(0.0, 5.0)] * 2
    assert [row["line"] for row in drawn[1]["rows"]] == list(other["line"])
    np.testing.assert_allclose([row["end"] for row in drawn[1]["rows"]], [5, 4.5, 4.75, 4.75, 4.75])


def test_a_ledger_that_is_not_finite_is_still_drawn_and_says_so():
    broken = Ledger(np.array([np.nan]), {"inputs": np.array([np.nan])})
    drawn = ledger.drawing(ledger.columns(broken), [ledger.columns(broken)])
    assert json.loads(json.dumps(drawn, allow_nan=False)) == drawn
    assert [row["text"] for row in drawn["rows"]] == ["+nan"] * 3


def test_the_ledger_is_also_a_line_of_arithmetic():
    assert ledger.sentence(books()) == (
        "score +1.750 = +2.000 inputs -0.500 biases +0.250 absorbed by epsilon +0.000 rest"
    )


def test_a_rest_that_is_small_but_there_does_not_read_as_zero():
    assert ledger.written(3e-7) == "+3e-07"
    assert ledger.written(-0.1234) == "-0.123"


def test_cells_of_the_heat_map_carry_the_relevance_of_their_particle_and_feature():
    explanation = Explanation(
        ak.Array([[3.0, 7.0]]), ak.Array([[[1.0, 2.0], [3.0, 4.0]]]), ("log pt", "deta"), books()
    )
    rows = features.columns(explanation)
    cells = {(f, p): r for f, p, r in zip(rows["feature"], rows["particle"], rows["relevance"], strict=True)}
    assert cells == {("log pt", 1): 1, ("log pt", 2): 3, ("deta", 1): 2, ("deta", 2): 4}


def test_observables_as_inputs_make_a_heat_map_of_one_column():
    explanation = Explanation(np.array([[1.0, -2.0]]), np.array([[1.0, -2.0]]), ("mass", "tau32"), books())
    rows = features.columns(explanation)
    assert list(rows["feature"]) == ["mass", "tau32"]
    np.testing.assert_allclose(rows["relevance"], [1, -2])


def test_every_class_is_drawn_with_its_density_and_error_in_every_bin():
    drawn = distributions.drawing(TWO, "QCD")
    assert drawn["edges"] == list(EDGES)
    assert [of["name"] for of in drawn["classes"]] == ["QCD", "top"]
    for of in drawn["classes"]:
        np.testing.assert_allclose(of["value"], TWO[of["name"]].value, rtol=1e-6)
        np.testing.assert_allclose(of["error"], TWO[of["name"]].error, rtol=1e-6)


def test_what_is_drawn_fits_on_its_axes():
    linear, log = (distributions.drawing(TWO, "QCD", logarithmic=log) for log in (False, True))
    assert linear["low"] == 0
    assert linear["high"] > 0.55  # the highest bar with its error
    assert 0 < log["low"] < 0.25 < 0.5 < log["high"]
    nothing = distributions.drawing({}, "", bins=(2, 1.0, 5.0))
    assert nothing["edges"] == [1, 3, 5]
    assert nothing["classes"] == nothing["ratio"] == []
    assert nothing["low"] < nothing["high"]


def test_a_density_that_is_no_number_is_left_out_and_the_others_are_drawn():
    odd = Points(EDGES, np.array([np.nan, 0.5]), np.array([np.nan, 0.1]))
    for logarithmic in (False, True):
        drawn = distributions.drawing({"odd": odd}, "odd", logarithmic=logarithmic)
        assert drawn["classes"][0]["value"] == [None, 0.5]
        assert drawn["low"] < 0.5 < drawn["high"]
        json.dumps(drawn, allow_nan=False)


def test_classes_differ_without_colour():
    drawn = distributions.drawing({str(n): TWO["QCD"] for n in range(10)}, "0")
    assert len({(of["hatch"], of["colour"]) for of in drawn["classes"]}) == 10
    assert len({of["hatch"] for of in drawn["classes"][:8]}) == 8


def test_the_ratio_is_left_out_where_it_is_undefined_and_its_error_is_added_in_quadrature():
    (rows,) = distributions.ratios(TWO, "QCD")
    np.testing.assert_allclose(rows["ratio"], [0.5])
    np.testing.assert_allclose(rows["high"] - rows["ratio"], [0.5 * np.hypot(0.2, 0.1)], rtol=1e-5)


def test_a_metric_that_was_not_reported_leaves_a_gap():
    rows = training.epoch_columns({"epoch": np.array([1, 2]), "loss": np.array([0.6, 0.5])})
    np.testing.assert_allclose(rows["loss"], [0.6, 0.5], rtol=1e-6)
    assert np.isnan(rows["auc"]).all()


def test_signs_of_life_are_placed_within_their_epoch():
    rows = training.live_columns({"done": np.array([0.25, 1.5]), "loss": np.array([0.7, 0.4])})
    np.testing.assert_allclose(rows["epoch"], [0.25, 1.5])
    np.testing.assert_allclose(rows["loss"], [0.7, 0.4], rtol=1e-6)


def test_the_image_has_eta_to_the_right_and_phi_upwards():
    pixels = np.zeros((4, 4))
    pixels[0, 3] = 1.0
    drawn = image.columns(pixels, 0.8)["image"][0]
    assert drawn[0, 3] == 1.0
    assert drawn.sum() == 1.0


def test_an_edge_across_the_seam_is_drawn_at_its_true_length():
    edges = graph.edge_columns(
        np.array([0.0, 0.0]), np.array([3.1, -3.1]), ak.Array([{"source": 0, "target": 1}])
    )
    assert abs(edges["y1"][0] - edges["y0"][0]) == pytest.approx(2 * np.pi - 6.2, abs=1e-5)


def test_markers_of_the_lund_plane_grow_with_the_momentum_share():
    rows = lund.columns(ak.Array({"ln_inverse_delta": [2.0, 3.0], "ln_kt": [1.0, 0.0], "z": [0.1, 0.4]}))
    np.testing.assert_allclose(rows["ln_angle"], [2, 3])
    assert rows["size"][0] < rows["size"][1]
    np.testing.assert_allclose(rows["order"], [1, 2])


def test_the_rejection_curve_leaves_out_where_no_background_is_left():
    band = Band(
        np.array([0.1, 0.3, 0.5]),
        np.array([np.inf, 100.0, 10.0]),
        np.array([300.0, 80.0, 9.0]),
        np.array([np.inf, 130.0, 11.0]),
    )
    curve = performance.rejection_columns(band)
    np.testing.assert_allclose(curve["signal"], [0.3, 0.5])
    np.testing.assert_allclose(curve["rejection"], [100, 10])
    np.testing.assert_allclose(curve["low"], [80, 9])


def test_axes_carry_their_units():
    figure = performance.rate_figure(
        _source(performance.rate_columns(EDGES, *[tuple(np.zeros((3, 2)))] * 2)),
        "mass", "GeV", signal="top", background="QCD", name="rate",
    )  # fmt: skip
    assert figure.xaxis.axis_label == "mass [GeV]"
    assert axis_label("τ32", "1") == axis_label("τ32") == "τ32"


def every_figure():
    """One of each figure that the views can build."""
    scale = LinearColorMapper()
    dots, edges = particles.empty(), graph.empty()
    rates = performance.rate_columns(EDGES, *[tuple(np.zeros((3, 2)))] * 2)
    return [
        particles.map_figure(dots, scale),
        graph.graph_figure(edges, dots, scale),
        image.image_figure(image.empty(), image.intensity_scale()),
        lund.plane_figure(lund.empty()),
        training.loss_figure(training.Sources()),
        training.auc_figure(training.Sources()),
        training.speed_figure(training.Sources()),
        features.heat_figure(features.empty(), scale, FactorRange()),
        performance.rejection_figure(performance.Curves()),
        performance.score_figure(performance.Curves()),
        performance.calibration_figure(_source(performance.calibration_columns(*np.full((4, 1), 0.5)))),
        performance.rate_figure(_source(rates), "mass", "GeV", signal="top", background="QCD", name="rate"),
        *flat_figures(),
        *run_figures(),
        *trust_figures(),
        *sample_figures(),
    ]


def trust_figures():
    """What tells whether a map can be trusted, and what a network does when a jet is edited."""
    scale = LinearColorMapper()
    return [
        agreement.matrix_figure(agreement.empty(), FactorRange(), FactorRange()),
        deletion.deletion_figure(deletion.empty()),
        forgetting.forgetting_figure(forgetting.empty(), FactorRange()),
        edited.map_figure(edited.empty(), graph.empty(), scale, "before"),
        emissions.change_figure(emissions.empty(), "angle", "collinear", logarithmic=False),
    ]


def sample_figures():
    """What a network uses in a sample, and what it has learned."""
    scale, names = LinearColorMapper(), FactorRange()
    axis = Axis("particle type", names=("photon", "muon"))
    words = {"words": "R²", "x": "observable", "y": "layer", "name": "knowledge"}
    return [
        equal_score.shares_figure(equal_score.empty(), FactorRange()),
        relevance_map.map_figure(relevance_map.empty(), scale, "x", "y", name="mean", unit="log-odds"),
        shares.share_figure(shares.Sources(), axis, "share", name="shares"),
        translation.stages_figure(translation.no_points(translation.STAGES), names, translation.line_at()),
        translation.without_figure(
            translation.no_points(translation.WITHOUT), FactorRange(), translation.line_at()
        ),
        translation.matrix_figure(translation.no_matrix(), FactorRange(), FactorRange(), **words),
    ]


def run_figures():
    """The figures that compare runs."""
    places = comparison.places()
    rejection = comparison.rejection_figure(places)
    ratio = comparison.ratio_figure(places, rejection)
    return [rejection, ratio, comparison.loss_figure(places), comparison.auc_figure(places)]


def flat_figures():
    """The flat views of an event, without cuts."""
    cut = cuts.Cuts(cut_row(DisplayState()))
    return [
        eta_phi.map_figure(eta_phi.empty(), cut, eta_phi.intensity()),
        transverse.transverse_figure(transverse.empty(), cut),
        longitudinal.longitudinal_figure(longitudinal.empty(), cut),
    ]


def test_a_second_sample_keeps_the_colours_of_its_classes_and_has_signs_of_its_own():
    second = {"top": TWO["top"], "W": TWO["QCD"]}
    drawn = distributions.drawing(TWO, "QCD", second)
    colours = {of["name"]: of["colour"] for of in drawn["classes"]}
    top, other = drawn["second"]
    assert (top["name"], top["colour"]) == ("top", colours["top"])
    assert other["colour"] not in colours.values()
    assert top["marker"] != other["marker"]


def test_the_ratio_of_a_sample_with_itself_is_one_and_its_errors_are_those_of_two_samples():
    rows = distributions.second_ratios(TWO, TWO)
    for of in rows:
        np.testing.assert_allclose(of["ratio"], 1)
    np.testing.assert_allclose(rows[0]["high"][0] - 1, np.sqrt(2) * 0.1, rtol=1e-5)
    assert distributions.ratio_span(rows) == distributions.SMALLEST_SPAN


def test_data_without_classes_stand_over_all_jets():
    data = {"unlabelled": TWO["QCD"]}
    assert distributions.second_ratios(TWO, data) == []
    (rows,) = distributions.second_ratios(TWO, data, TWO["QCD"])
    np.testing.assert_allclose(rows["ratio"], 1)
    assert rows["colour"] not in {of["colour"] for of in distributions.drawing(TWO, "QCD")["classes"]}


def test_the_axis_of_a_ratio_holds_its_points_and_its_ticks():
    span = distributions.ratio_span([{"ratio": np.array([0.02, 3.0])}])
    assert 1 / span < 0.02 < 3 < span
    for span in (1.5, 20, 1e4):
        ticks = distributions.ratio_ticks(span)
        assert len(ticks) >= 1
        assert all(1 / span <= tick <= span for tick in ticks)


def test_every_figure_has_a_name_and_labelled_axes():
    figures = every_figure()
    assert len({figure.name for figure in figures}) == len(figures)
    assert all(figure.xaxis.axis_label for figure in figures)


def test_no_figure_of_any_view_is_left_out_of_these_tests():
    files = Path(views.__file__).parent.glob("*.py")
    defined = {
        f"{file.stem}.{node.name}"
        for file in files
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _returns_a_figure(node)
    }
    called, before = set(), sys.getprofile()

    def note(frame, event, arg):
        if event == "call":
            called.add(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")

    sys.setprofile(note)
    try:
        every_figure()
    finally:
        sys.setprofile(before)
    assert defined - called == set()


def _source(columns):
    return ColumnDataSource(columns)


def test_colours_of_an_empty_plot_are_no_numbers():
    rows = particles.empty().data
    words = [rows[name] for name in ("colour", "hatch", "class", "marker") if name in rows]
    assert all(np.asarray(word).dtype == object for word in words)


def _returns_a_figure(node):
    return isinstance(node.returns, ast.Name) and node.returns.id == "figure"
