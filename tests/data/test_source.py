"""What every reader does to numbers and says of files."""

from pathlib import Path

import numpy as np
import pytest

from workbench.data.source import Place, from_cartesian, hardest_first, list_sums, mass_from_energy
from workbench.errors import DataError

PLACE = Place(Path("a.root"), np.array([1, 1]), 40)


def test_a_mass_below_zero_by_rounding_is_zero_and_by_more_is_refused():
    momentum = np.array([100.0, 3.0])
    assert mass_from_energy(PLACE, np.array([np.float32(99.99999), 5.0]), momentum).tolist() == [0.0, 4.0]
    with pytest.raises(
        DataError, match="1 momenta in a.root exceed their energy by more than rounding .first: jet 40"
    ):
        mass_from_energy(PLACE, np.array([90.0, 5.0]), momentum)


def test_cartesian_momenta_become_those_of_vector():
    rng = np.random.default_rng(0)
    px, py, pz, mass = rng.normal(0, 50, (4, 1000))
    energy = np.sqrt(px**2 + py**2 + pz**2 + mass**2)
    fields = from_cartesian(PLACE, px, py, pz, energy)
    np.testing.assert_allclose(fields["pt"] * np.cos(fields["phi"]), px, atol=1e-12)
    np.testing.assert_allclose(fields["pt"] * np.sinh(fields["eta"]), pz, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(fields["mass"] ** 2, mass**2, atol=1e-8)


def test_a_momentum_along_the_beam_has_no_eta():
    with pytest.raises(DataError, match="1 momenta in a.root lie along the beam .first: jet 41"):
        from_cartesian(PLACE, *np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 5.0], [1.0, 5.0]]))


def test_lists_are_summed_and_ordered_one_by_one():
    counts = np.array([2, 0, 3, 0])
    assert list_sums(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), counts).tolist() == [3.0, 0.0, 12.0, 0.0]
    fields = {"pt": np.array([9.0, 8.0, 3.0, 5.0, 4.0]), "eta": np.arange(5.0)}
    hardest_first(counts, fields)
    assert fields["pt"].tolist() == [9.0, 8.0, 5.0, 4.0, 3.0]
    assert fields["eta"].tolist() == [0.0, 1.0, 3.0, 4.0, 2.0]
