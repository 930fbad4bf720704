"""Several runs in one frame: what is drawn is what was planted."""

import numpy as np
import pytest
from bokeh.models import Legend

from tests.state.fake_registry import MARKUP, learned, scores
from workbench.physics.roc import roc
from workbench.views import comparison as view


def curve(seed, shift=1.5):
    stored = scores(seed, shift=shift)
    return roc(stored["validation_label"], stored["validation_scores"], signal=1, background=0)


@pytest.fixture
def places():
    return view.places()


def test_the_drawn_rejections_are_those_of_the_roc_of_the_stored_scores(places):
    one, other = curve(0), curve(1, 1.2)
    view.fill(places[0], one, one, {})
    view.fill(places[1], other, one, {})
    drawn = places[1].curve.data
    # At the points as they were asked for: in single precision some fall on the other side of a step.
    wanted, reference = other.band(view.CURVE), one.band(view.CURVE)
    assert np.isfinite(wanted.value).all()
    for name, values in (("rejection", wanted.value), ("low", wanted.low)):
        np.testing.assert_allclose(drawn[name], values, rtol=1e-4)
    below = np.where(np.isfinite(reference.value), reference.value, np.nan)
    np.testing.assert_allclose(drawn["ratio"], wanted.value / below, rtol=1e-4)
    own = places[0].curve.data["ratio"]
    np.testing.assert_allclose(own, np.ones(len(own)), rtol=1e-6)
    assert len(own) > 150
    points = places[1].points.data
    np.testing.assert_allclose(points["rejection"], [other.rejection(x).value for x in (0.3, 0.5)], rtol=1e-6)


def test_where_no_background_passes_nothing_is_drawn(places):
    label = np.arange(100) % 2
    perfect = roc(label, label.astype(float), signal=1, background=0)
    view.fill(places[0], perfect, perfect, {})
    assert np.isfinite(places[0].curve.data["rejection"]).all()


def test_without_scores_or_epochs_a_place_is_empty_with_all_its_columns(places):
    view.fill(places[0], None, None, {})
    assert all(len(column) == 0 for column in places[0].curve.data.values())
    assert set(places[0].curve.data) == set(view.ROC)
    assert set(places[0].best.data) == set(view.EPOCHS)
    assert all(len(column) == 0 for column in places[0].best.data.values())


def test_the_best_epoch_is_that_of_the_lowest_validation_loss(places):
    view.fill(places[0], None, None, learned(epochs=6, best=4)["epochs"])
    assert places[0].epochs.data["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert places[0].best.data["epoch"].tolist() == [4]
    assert places[0].best.data["auc"] == pytest.approx([0.9])


def test_a_metric_that_was_not_reported_is_a_gap(places):
    view.fill(places[0], None, None, {"epoch": np.arange(3.0), "loss": np.ones(3)})
    assert np.isnan(places[0].epochs.data["auc"]).all()
    assert len(places[0].best.data["epoch"]) == 0


def figures(places):
    rejection = view.rejection_figure(places)
    return [
        rejection,
        view.ratio_figure(places, rejection),
        view.loss_figure(places),
        view.auc_figure(places),
    ]


def test_every_axis_has_a_label_and_every_run_its_colour_dash_and_marker(places):
    for plot in figures(places):
        assert plot.xaxis.axis_label
        assert plot.yaxis.axis_label
    assert len(set(view.COLOURS)) == len(set(view.DASHES)) == len(set(view.MARKERS)) == len(view.LETTERS)
    assert len(view.SIGNS) == len(view.MARKERS)


def test_names_stand_in_the_legend_as_text_and_unused_places_are_not_named(places):
    plot = view.rejection_figure(places)
    view.name_runs(plot, ["mine", MARKUP, "a" * 80])
    items = plot.select_one(Legend).items
    assert [item.label.value for item in items[:2]] == ["A  mine", f"B  {MARKUP}"]
    assert len(items[2].label.value) < 40
    assert [item.visible for item in items] == [True, True, True, False, False, False, True]
