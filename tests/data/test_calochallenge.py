"""CaloChallenge showers, written by h5py."""

import h5py
import numpy as np
import pytest

from tests.real_files import SHARED, needs_shared
from workbench.data import Geometry, calochallenge
from workbench.errors import DataError

BINS = '<Bins><Bin pid="22" name="photon">{layers}</Bin></Bins>'
LAYER = '<Layer id="{i}" r_edges="0,5,10,20" n_bin_alpha="{alpha}"/>'


def write(path, values):
    with h5py.File(path, "w") as file:
        file["showers"], file["incident_energies"] = values, np.full((len(values), 1), 2000.0)


def test_cells_are_layer_by_layer_angle_by_angle_outwards(tmp_path):
    xml = tmp_path / "bins.xml"
    xml.write_text(BINS.format(layers="".join(LAYER.format(i=i, alpha=4) for i in range(2))))
    write(tmp_path / "a.h5", np.arange(3 * 24, dtype=float).reshape(3, 24))
    showers = calochallenge.read(tmp_path / "a.h5", geometry=xml)
    assert showers.geometry == Geometry("photon", 2, 4, (0.0, 5.0, 10.0, 20.0))
    assert showers.energies.shape == (3, 2, 4, 3)
    # MeV become GeV; cell (layer 1, angle 2, ring 1) is number 12 + 2*3 + 1
    assert showers.energies[0, 1, 2, 1] == pytest.approx(0.019)
    assert showers.incident.tolist() == [2.0, 2.0, 2.0]


def test_data_set_2_is_recognised_by_its_number_of_cells(tmp_path):
    write(tmp_path / "a.h5", np.ones((2, 6480), np.float32))
    showers = calochallenge.read(tmp_path / "a.h5", start=1)
    assert showers.energies.shape == (1, 45, 16, 9)


def test_another_number_of_cells_asks_for_the_geometry(tmp_path):
    write(tmp_path / "a.h5", np.ones((2, 24)))
    with pytest.raises(DataError, match="has 24 cells.*say geometry="):
        calochallenge.read(tmp_path / "a.h5")


def test_layers_of_different_bins_are_refused(tmp_path):
    xml = tmp_path / "bins.xml"
    xml.write_text(BINS.format(layers="".join(LAYER.format(i=i, alpha=i + 1) for i in range(2))))
    with pytest.raises(DataError, match="2 different binnings"):
        calochallenge.geometry_from(xml)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_bad_cell_energy_names_the_first_shower(tmp_path, value):
    values = np.ones((4, 6480), np.float32)
    values[2, 17] = value
    write(tmp_path / "a.h5", values)
    with pytest.raises(DataError, match="1 of 4 showers in a.h5 have cell energies .*first: shower 2"):
        calochallenge.read(tmp_path / "a.h5")


@needs_shared("calochallenge")
@pytest.mark.parametrize(
    ("name", "cells"), [("binning_dataset_2.xml", 6480), ("binning_dataset_3.xml", 40500)]
)
def test_the_published_geometries_are_those_of_the_xml_files(name, cells):
    assert calochallenge.geometry_from(SHARED / "calochallenge" / name) == calochallenge.PUBLISHED[cells]


@needs_shared("calochallenge")
def test_real_electron_showers_deposit_most_but_not_more_than_their_energy():
    showers = calochallenge.read(SHARED / "calochallenge" / "hepemshow_e_shared.h5")
    share = showers.energies.sum(axis=(1, 2, 3)) / showers.incident
    assert showers.origin.settings["not_read"] == ["gap_layer_energies"]
    assert 0.5 < np.median(share) < 1
    assert share.max() < 1
    assert showers.incident.min() > 0.9
    assert showers.incident.max() < 51
