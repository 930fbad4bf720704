"""Phoenix's event data: known numbers in its units, and the shape that its format asks for."""

import json
import math

import numpy as np
import pytest

from workbench.views import helix
from workbench.views.event import Scene
from workbench.views.phoenix import perigee, phoenix

NAN = float("nan")


def scene(**arrays):
    header = {
        "title": "Event 0 of 1",
        "caption": "simulation",
        "units": {},
        "field": 2.0,
        "missing": [],
        "detector": "ATLAS-like",
        "radius": 0.4,
        "met": [30.0, math.pi / 2],
    }
    return Scene(header, {name: np.array(rows, dtype=np.float32) for name, rows in arrays.items()})


def only(event):
    (found,) = event.values()
    return found


def test_a_track_from_the_origin_has_the_known_perigee():
    pt, eta, phi = 10.0, 0.5, 1.0
    found = perigee(np.array([[pt, eta, phi, -1, 0, 0, 0, 0, NAN, -1]]), 2.0)[0]
    theta = 2 * math.atan(math.exp(-eta))
    np.testing.assert_allclose(found, [0, 0, phi, theta, -1 / (1e4 * math.cosh(eta))], atol=1e-9)


def test_a_straight_track_passes_the_axis_at_d0():
    # Along x, 3 mm above the axis, seen from x = 100 mm and z = 7 mm on: the origin is to its right.
    found = perigee(np.array([[5.0, 0.2, 0.0, 0, 1, 0.1, 0.003, 0.007, NAN, -1]]), 2.0)[0]
    np.testing.assert_allclose(found[:2], [3.0, 7.0 - 100 * math.sinh(0.2)], rtol=1e-9)
    assert found[4] == 0


@pytest.mark.parametrize("charge", [1, -1])
@pytest.mark.parametrize("field", [2.0, -3.8])
def test_the_helix_from_the_perigee_passes_the_vertex(charge, field):
    row = np.array([[0.9, -0.7, 2.2, charge, 0, 0.031, -0.012, 0.05, NAN, -1]])
    d0, z0, phi, theta, curvature = perigee(row, field)[0]
    assert curvature == pytest.approx(charge / (900 * math.cosh(0.7)))
    start = [-d0 * math.sin(phi) / 1e3, d0 * math.cos(phi) / 1e3, z0 / 1e3]
    again = np.array([[0.9, -math.log(math.tan(theta / 2)), phi, charge, 0, *start, NAN, -1]])
    path = helix.along(again, field, np.linspace(-0.1, 0.1, 20001)[None])[0]
    nearest = np.linalg.norm(path - row[0, 5:8], axis=1).min()
    assert nearest < 1e-5  # half a step of the scan
    assert np.hypot(path[:, 0], path[:, 1]).min() == pytest.approx(abs(d0) / 1e3, abs=1e-7)


def test_units_are_mev_and_mm():
    found = only(
        phoenix(
            scene(
                particles=[[2.0, 0.0, 0.0, 1, 0, 0, 0, 0, NAN, 0]],
                jets=[[50.0, 0.0, 0.3, 0.0, 0.4]],
                towers=[[4.0, 1.0, 0.5, 0.1, 0.1, 0]],
            )
        )
    )
    (track,) = found["Tracks"]["Charged hadrons"]
    assert track["pT"] == pytest.approx(2000)
    assert track["dparams"][4] == pytest.approx(1 / 2000)
    assert math.hypot(*track["pos"][-1][:2]) == pytest.approx(1400, rel=1e-3)
    assert found["Jets"]["Jets"][0]["energy"] == pytest.approx(50_000)
    assert found["Jets"]["Jets"][0]["coneR"] == pytest.approx(0.4)
    assert found["CaloClusters"]["ECAL"] == [
        {"energy": pytest.approx(4000), "eta": pytest.approx(1), "phi": pytest.approx(0.5)}
    ]
    assert found["MissingEnergy"]["Missing pT"][0] == {
        "etx": pytest.approx(0, abs=1e-6),
        "ety": pytest.approx(30_000),
    }


def test_muons_and_electrons_name_their_tracks_and_photons_have_none():
    rows = [
        [20, 0.1, 0, -1, 4, 0, 0, 0, NAN, -1],
        [30, 0.2, 1, 1, 3, 0, 0, 0, NAN, -1],
        [40, 0.3, 2, 0, 2, 0, 0, 0, NAN, -1],
    ]
    found = only(phoenix(scene(particles=rows)))
    (muon,) = found["Muons"]["Muons"]
    assert muon["LinkedTracks"] == ["Muons:0"]
    assert muon["pdgId"] == 13
    assert found["Electrons"]["Electrons"][0]["pdgId"] == -11
    assert set(found["Tracks"]) == {"Muons", "Electrons"}
    assert found["Photons"]["Photons"][0]["energy"] == pytest.approx(40_000 * math.cosh(0.3), rel=1e-6)


def test_a_track_of_unknown_charge_is_straight_and_has_no_curvature():
    found = only(phoenix(scene(particles=[[2.0, 0.0, 0.0, NAN, 5, 0, 0, 0, 0.25, -1]])))
    (track,) = found["Tracks"]["Unknown kind"]
    assert "dparams" not in track
    assert len(track["pos"]) == 3  # fewer would make Phoenix bend it
    np.testing.assert_allclose([p[1] for p in track["pos"]], 0, atol=1e-6)
    assert track["relevance"] == pytest.approx(0.25)


def test_fitted_points_and_cells_keep_their_places():
    corners = np.arange(24) / 10
    found = only(
        phoenix(
            scene(
                particles=[[2.0, 0.0, 0.0, 1, 0, 0, 0, 0, NAN, -1]],
                points=[[0, 0, 0, 0], [0, 0.5, 0.1, 0.2], [0, 1, 0.4, 0.4]],
                cells=[[3.0, 1, *corners], [-0.1, 0, *corners]],
            )
        )
    )
    assert found["Tracks"]["Charged hadrons"][0]["pos"] == [[0, 0, 0], [500, 100, 200], [1000, 400, 400]]
    (cell,) = found["IrregularCaloCells"]["HCAL"]
    np.testing.assert_allclose(cell["vtx"], 1000 * corners, rtol=1e-6)
    assert "ECAL" not in found["IrregularCaloCells"]


def test_it_is_json_with_one_key_per_event():
    given = [scene(particles=[[2.0, 0.0, 0.0, 1, 0, 0, 0, 0, NAN, -1]]), scene()]
    found = json.loads(json.dumps(phoenix(given), allow_nan=False))
    assert list(found) == ["0: Event 0 of 1", "1: Event 0 of 1"]
    assert all({"event number", "run number"} <= set(event) for event in found.values())
