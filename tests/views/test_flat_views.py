"""The flat views of an event: paths, bars, circles and wedges that are known in closed form."""

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.views import eta_phi, helix, kinds, longitudinal, transverse
from workbench.views.deposits import Deposits, deposits, lengths
from workbench.views.detectors import DETECTORS, detector
from workbench.views.event import COLUMNS, Scene, empty_scene

NAN = np.nan
CYLINDER = (1.29, 3.0)


def scene(met=None, jet=False, **arrays):
    header = {**empty_scene().header, "met": met, **({"jet": 0} if jet else {})}
    return Scene(
        header,
        {
            name: np.array(rows, dtype=float).reshape(len(rows), len(COLUMNS[name]))
            for name, rows in arrays.items()
        },
    )


def particle(pt=1.0, eta=0.0, phi=0.0, charge=1.0, kind=0, x=0.0, y=0.0, z=0.0, relevance=NAN):
    return [pt, eta, phi, charge, kind, x, y, z, relevance, -1]


def test_a_track_bends_on_the_radius_of_its_momentum():
    rows = np.array([particle(pt=0.5), particle(pt=0.5, charge=-1)])
    radius = helix.radius(rows[:, 0], rows[:, 3], 3.8)
    assert radius == pytest.approx(0.5 / (0.299792458 * 3.8))
    for path, side in zip(helix.paths(rows, 3.8, CYLINDER), (-1, 1), strict=True):
        assert np.hypot(path[:, 0], path[:, 1] - side * radius[0]) == pytest.approx(radius[0], rel=1e-5)
        assert np.sign(path[1:-1, 1]).tolist() == [side] * (len(path) - 2)


def test_paths_end_on_the_calorimeter_or_after_one_turn():
    random = np.random.default_rng(4)
    n = 500
    rows = np.array([particle()] * n)
    rows[:, 0] = random.exponential(1.0, n) + 0.05
    rows[:, 1], rows[:, 2] = random.normal(0, 2, n), random.uniform(-np.pi, np.pi, n)
    rows[:, 3] = random.integers(-1, 2, n)
    rows[:, 5:8] = random.normal(0, 0.05, (n, 3))
    end = helix.exits(rows, 3.8, CYLINDER)
    steps = helix.along(rows, 3.8, end[:, None] * np.linspace(0, 1, 300))
    across, last = np.hypot(steps[..., 0], steps[..., 1]), steps[:, -1]
    outside = np.isclose(across[:, -1], CYLINDER[0]) | np.isclose(np.abs(last[:, 2]), CYLINDER[1])
    turned = np.isclose(end, 2 * np.pi * helix.radius(rows[:, 0], rows[:, 3], 3.8))
    assert (outside | turned).all()
    assert across.max() <= CYLINDER[0] + 1e-9
    assert np.abs(steps[..., 2]).max() <= CYLINDER[1] + 1e-9


def test_what_has_no_charge_or_none_known_flies_straight():
    rows = np.array([particle(charge=0, phi=1.0), particle(charge=NAN, phi=1.0)])
    for path in helix.paths(rows, 3.8, CYLINDER):
        assert len(path) == 2
        assert path[-1] == pytest.approx([1.29 * np.cos(1), 1.29 * np.sin(1), 0], rel=1e-6)


def test_the_map_keeps_the_energy_and_repeats_the_band_at_the_other_end():
    towers = [[10.0, 0.5, 3.1, 0.1, 0.1, 0], [4.0, -2.0, -3.1, 0.1, 0.1, 1], [9.0, 0.0, 0.0, 0.1, 0.1, 2]]
    found = deposits(scene(towers=towers))
    image = eta_phi.energy_map(found)
    assert image.shape == (63, 100)
    assert image.sum() == pytest.approx((np.array([10, 4, 9]) / np.cosh([0.5, -2.0, 0.0])).sum(), rel=1e-6)
    columns = eta_phi.map_columns(found)
    whole, more = columns["image"][0], (len(columns["image"][0]) - 63) // 2
    assert (whole[:more] == whole[63 : 63 + more]).all()
    assert (whole[-more:] == whole[more : 2 * more]).all()
    assert columns["y"][0] + columns["dh"][0] == pytest.approx(-columns["y"][0], rel=1e-6)
    assert columns["y"][0] <= -np.pi - eta_phi.BAND


def test_a_particle_near_the_end_of_the_period_is_drawn_at_both_ends():
    columns = eta_phi.particle_columns(
        scene(particles=[particle(phi=3.0), particle(phi=-3.0), particle(phi=0.5)])
    )
    assert columns["row"].tolist() == [0, 1, 2, 0, 1]
    assert columns["at"] == pytest.approx([3.0, -3.0, 0.5, 3.0 - 2 * np.pi, -3.0 + 2 * np.pi])


def test_a_jet_at_the_end_of_the_period_is_two_arcs_of_one_circle():
    columns = eta_phi.jet_columns(scene(jets=[[50, 1.0, 3.1, 5, 0.4], [40, 0.0, 0.0, 5, 0.4]]))
    assert columns["row"].tolist() == [0, 1, 0]
    for row, xs, ys in zip(columns["row"], columns["xs"], columns["ys"], strict=True):
        phi = (3.1, 0.0)[row]
        away = (ys - phi + np.pi) % (2 * np.pi) - np.pi
        assert np.hypot(xs - (1.0, 0.0)[row], away)[np.isfinite(ys)] == pytest.approx(0.4, abs=1e-5)


def test_a_jet_is_a_wedge_of_its_radius_and_the_arrow_points_where_the_momentum_is_missing():
    drawn = scene(met=[30.0, 2.0], jets=[[100, 0.0, 1.0, 5, 0.4]])
    wedge = transverse.jet_columns(drawn, detector("CMS-like"))
    assert (wedge["start"][0], wedge["end"][0]) == pytest.approx((0.6, 1.4))
    arrow = transverse.met_columns(drawn, detector("CMS-like"))
    assert np.arctan2(arrow["y"][0], arrow["x"][0]) == pytest.approx(2.0)
    assert arrow["text"] == ["missing pT 30.0 GeV"]
    assert len(transverse.met_columns(scene(), detector("none"))["x"]) == 0


@pytest.mark.parametrize("scale", ["linear", "log", "sqrt"])
def test_bars_hold_all_the_energy_and_the_longest_is_the_largest(scale):
    random = np.random.default_rng(2)
    energy, eta = random.exponential(5, 200), random.normal(0, 1, 200)
    found = Deposits(energy, eta, random.uniform(-np.pi, np.pi, 200), random.integers(0, 2, 200))
    total = (energy / np.cosh(eta)).sum()
    around = transverse.bar_columns(found, detector("CMS-like"), scale)
    along = longitudinal.bar_columns(found, detector("CMS-like"), scale)
    for columns in (around, along):
        assert columns["energy"].sum() == pytest.approx(total, rel=1e-5)
    length = around["outer"] - around["inner"]
    assert length.argmax() == around["energy"].argmax()
    assert length.max() == pytest.approx(transverse.LONGEST * 1.29, rel=1e-5)


def test_bars_turn_with_the_event_and_cuts_leave_out_what_is_soft():
    found = Deposits(np.array([5.0]), np.array([0.0]), np.array([0.01]), np.array([0]))
    turned = Deposits(found.energy, found.eta, found.phi + np.radians(50), found.layer)
    here, there = (transverse.bar_columns(x, detector("none"), "sqrt") for x in (found, turned))
    assert there["start"] - here["start"] == pytest.approx(np.radians(50), abs=1e-6)
    towers = [
        [0.2, 0.0, 0.0, 0.1, 0.1, 0],
        [5.0, 4.0, 0.0, 0.1, 0.1, 0],
        [2.0, 0.0, 0.0, 0.1, 0.1, 0],
        [-1.0, 0, 0, 1, 1, 0],
    ]
    kept = deposits(scene(towers=towers), energy_min=0.3, eta_max=3.0)
    assert kept.energy.tolist() == [2.0]
    assert not len(deposits(scene(towers=towers), layers=["cells"]).energy)


def test_a_cell_lies_where_its_middle_is():
    corners = np.array(
        [[1, 1, 2], [1, 1, 2], [1, 1, 2], [1, 1, 2], [2, 2, 4], [2, 2, 4], [2, 2, 4], [2, 2, 4]]
    )
    found = deposits(scene(cells=[[7.0, 1, *corners.ravel()]]))
    assert found.phi == pytest.approx([np.pi / 4])
    assert found.eta == pytest.approx([np.arcsinh(2 / np.sqrt(2))])
    assert found.layer.tolist() == [1]


def test_guides_and_the_calorimeter_lie_on_lines_of_constant_pseudorapidity():
    columns = longitudinal.guide_columns(detector("CMS-like"))
    eta = np.arcsinh(columns["z"] / np.abs(columns["r"]))
    said = [float(text.removeprefix("η = ")) for text in columns["text"] if text]
    assert eta[: len(said)] == pytest.approx(said, abs=1e-4)
    distance = longitudinal.surface(np.array([0.0, 5.0]), detector("CMS-like"))
    assert distance == pytest.approx([1.29, 3.15], rel=1e-3)


def test_what_flies_downwards_is_drawn_below_the_beam():
    drawn = scene(
        particles=[particle(charge=0, phi=1.0), particle(charge=0, phi=-1.0)], jets=[[9, 1.0, -2.0, 1, 0.4]]
    )
    up, down = longitudinal.particle_columns(drawn, detector("none"))["ys"]
    assert up[-1] > 0 > down[-1]
    assert longitudinal.jet_columns(drawn, detector("none"))["ys"][0].max() <= 0


def test_endcaps_are_drawn_on_both_sides():
    boxes = longitudinal.outline_columns(detector("CMS-like"))
    layers = detector("CMS-like").layers
    assert len(boxes["name"]) == sum(2 if x["kind"] == "barrel" else 4 for x in layers)
    assert (boxes["left"] + boxes["right"]).sum() == pytest.approx(0, abs=1e-5)


def test_lengths_follow_their_scale():
    energy = np.array([0.0, 1.0, 4.0])
    assert lengths(energy, "linear", 2.0) == pytest.approx([0, 0.5, 2])
    assert lengths(energy, "sqrt", 2.0) == pytest.approx([0, 1, 2])
    assert lengths(energy, "log", 2.0) == pytest.approx([0, 2 * np.log(2) / np.log(5), 2])
    assert lengths(np.zeros(2), "sqrt", 1.0).tolist() == [0, 0]


def test_relevance_is_coloured_symmetrically_about_zero():
    drawn = scene(
        particles=[
            particle(relevance=-2.0),
            particle(relevance=0.5),
            particle(relevance=NAN),
            particle(relevance=2.0),
        ]
    )
    low, high, palette, title = kinds.scale(drawn, "relevance")
    assert (low, high) == (-2.0, 2.0)
    assert "score" in title
    colours = kinds.colours(drawn, "relevance")
    assert colours[0] == palette[0]
    assert colours[3] == palette[-1]
    assert colours[2] == kinds.WITHOUT


def test_kinds_differ_without_their_colour_too():
    assert len({look.marker for look in kinds.LOOKS}) == len(kinds.LOOKS)
    assert len({(look.dash, look.wide) for look in kinds.LOOKS}) == len(kinds.LOOKS)


@pytest.mark.parametrize("by", ["kind", "pt", "charge", "vertex", "relevance", "one"])
@pytest.mark.parametrize("rows", [[], [particle(charge=NAN)]])
def test_every_colouring_gives_every_particle_one_colour(by, rows):
    drawn = scene(particles=np.array(rows).reshape(-1, len(COLUMNS["particles"])))
    assert len(kinds.colours(drawn, by)) == len(rows)


def test_detectors_are_ordered_and_say_their_source():
    for known in DETECTORS.values():
        assert known.source
        assert known.field > 0
        for layer in known.layers:
            assert 0 <= layer["r"][0] < layer["r"][1]
            assert layer["z"][0] < layer["z"][1]
    with pytest.raises(DataError, match="CMS-like"):
        detector("CMS")
