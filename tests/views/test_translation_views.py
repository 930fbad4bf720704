"""Pictures of what a network learned: numbers as they are, every number readable on its colour."""

import numpy as np
import pytest
from bokeh.models import FactorRange

from workbench.views import translation as view
from workbench.views.palette import INTENSITY
from workbench.widgets.theme import contrast


@pytest.mark.parametrize("colour", sorted(set(INTENSITY)))
def test_every_number_reads_on_the_colour_of_its_cell(colour):
    assert contrast(view.ink(colour), colour) >= 4.5


def test_a_cell_has_the_colour_and_the_text_of_its_share():
    columns = view.matrix_columns(
        ["a"], ["x", "y", "z", "u"], np.array([[0.0, 1.0, np.nan, -0.3]]), np.zeros((1, 4))
    )
    assert columns["text"].tolist() == ["0.00", "1.00", "", "-0.30"]
    assert columns["ink"].tolist() == [view.DARK_INK, view.LIGHT_INK, view.DARK_INK, view.DARK_INK]
    assert columns["row"].tolist() == ["a"] * 4
    assert columns["value"].dtype == np.float32


def test_rows_of_a_matrix_stand_from_top_to_bottom():
    source, rows, across = view.no_matrix(), FactorRange(), FactorRange()
    view.matrix_figure(source, rows, across, words="R²", x="observable", y="layer", name="m")
    view.show_matrix(
        source, rows, across, (["first", "last"], ["x"]), np.array([[0.1], [0.9]]), np.zeros((2, 1))
    )
    assert rows.factors == ["last", "first"]
    assert dict(zip(source.data["row"], source.data["text"], strict=True)) == {
        "first": "0.10",
        "last": "0.90",
    }


def test_points_have_their_errors_and_the_line_is_in_view():
    source, factors = view.no_points(tuple(view.STAGES)), FactorRange()
    plot = view.stages_figure(source, factors, view.line_at())
    assert not plot.select_one({"name": "network"}).visible
    numbers = {
        "ado": np.array([0.9]),
        "ado_error": np.array([0.01]),
        "auc": np.array([0.8]),
        "auc_error": np.array([0.02]),
    }
    view.show_points(plot, source, ["e3"], numbers, view.STAGES, 0.98)
    np.testing.assert_allclose(source.data["ado_low"], 0.89, rtol=1e-6)
    np.testing.assert_allclose(source.data["auc_high"], 0.82, rtol=1e-6)
    assert plot.x_range.start < 0.78
    assert plot.x_range.end > 0.98
    line = plot.select_one({"name": "network"})
    assert (line.location, line.visible) == (0.98, True)
    assert plot.y_range.factors == ["e3"]


def test_what_comes_later_is_added():
    assert view.places(["e3", "tau32"]) == ["e3", "+ tau32"]


def test_two_series_differ_by_more_than_colour():
    for series in (view.STAGES, view.WITHOUT):
        assert len({marker for _, _, marker, _ in series.values()}) == len(series)
