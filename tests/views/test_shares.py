"""Shares as bars and points, relevance over a plane: what is handed to the browser is what was measured."""

import numpy as np
import pytest
from bokeh.models import LogScale

from workbench.physics.bootstrap import Estimate
from workbench.physics.partitions import FRACTION, Axis
from workbench.views import relevance_map, shares
from workbench.views.palette import class_colours

NAMED = Axis("kind", names=("a", "b"))
EDGED = Axis("x", "GeV", (0.0, 1.0, 3.0))
SERIES = {
    "QCD": Estimate(np.array([0.25, 0.75]), np.array([0.05, 0.1])),
    "top": Estimate(np.array([-0.5, np.nan]), np.array([0.2, np.nan])),
}


def test_series_over_names_stand_side_by_side_and_do_not_overlap():
    columns = shares.columns(NAMED, SERIES)
    assert columns["series"].tolist() == ["QCD", "QCD", "top"]
    assert columns["bin"].tolist() == ["a", "b", "a"]
    np.testing.assert_allclose(columns["left"], [-0.4, 0.6, 0.0], atol=1e-6)
    np.testing.assert_allclose(columns["right"], [0.0, 1.0, 0.4], atol=1e-6)


def test_errors_reach_one_standard_deviation_both_ways_and_what_is_undefined_is_not_drawn():
    columns = shares.columns(EDGED, SERIES)
    np.testing.assert_allclose(columns["value"], [0.25, 0.75, -0.5])
    np.testing.assert_allclose(columns["high"] - columns["value"], [0.05, 0.1, 0.2], rtol=1e-5)
    np.testing.assert_allclose(columns["value"] - columns["low"], [0.05, 0.1, 0.2], rtol=1e-5)
    np.testing.assert_allclose(columns["centre"], [0.5, 2.0, 0.5])
    assert all(np.asarray(c).dtype in (np.float32, object) for c in columns.values())


def test_a_series_without_values_leaves_the_colours_of_the_others():
    nothing = Estimate(np.full(2, np.nan), np.full(2, np.nan))
    columns = shares.columns(NAMED, {"QCD": nothing, "top": SERIES["QCD"]})
    assert set(columns["series"]) == {"top"}
    assert set(columns["colour"]) == {class_colours(2)[1]}


def test_bins_over_decades_are_drawn_on_a_logarithmic_axis():
    assert isinstance(shares.share_figure(shares.Sources(), FRACTION, "share", name="f").x_scale, LogScale)
    assert not isinstance(shares.share_figure(shares.Sources(), EDGED, "share", name="e").x_scale, LogScale)
    columns = shares.columns(FRACTION, {"all": Estimate(np.ones(16), np.ones(16))})
    np.testing.assert_allclose(columns["centre"] ** 2, columns["left"] * columns["right"], rtol=1e-5)


def test_the_table_says_the_same():
    rows = shares.rows(EDGED, SERIES)
    assert rows[0] == ("0 to 1", "0.250 ± 0.050", "-0.500 ± 0.200")
    assert rows[1] == ("1 to 3", "0.750 ± 0.100", "–")


def test_the_axis_and_the_mouse_say_what_is_shown():
    plot = shares.share_figure(shares.Sources(), NAMED, "share", name="n")
    shares.rename(plot, "amount")
    assert plot.yaxis[0].axis_label == "amount"
    assert plot.hover[0].tooltips[-1] == ("amount", "@text")
    assert plot.xaxis[0].major_label_overrides == {0: "a", 1: "b"}


@pytest.mark.parametrize("limit", [0.5, 3.0])
def test_a_map_has_a_symmetric_scale_and_nothing_where_no_jet_is(limit):
    scale = relevance_map.relevance_scale(limit)
    assert (scale.low, scale.high) == (-limit, limit)
    assert scale.nan_color == relevance_map.NOTHING
    columns = relevance_map.columns(np.array([[1.0, np.nan]]), (0.0, 2.0), (-1.0, 1.0))
    assert [float(columns[name][0]) for name in ("x", "y", "dw", "dh")] == [0, -1, 2, 2]
    assert np.isnan(columns["image"][0][0, 1])
    relevance_map.map_figure(relevance_map.empty(), scale, "x", "y", name="m", unit="log-odds")
