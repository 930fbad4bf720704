import awkward as ak
import numpy as np
import pytest

from workbench.data.jets import concatenate
from workbench.errors import DataError
from workbench.physics import substructure
from workbench.physics.observables import OBSERVABLES, observables

from .clouds import jets_of, random_jets


@pytest.fixture(scope="module")
def sample():
    return random_jets(50, seed=61)


def test_every_observable_is_documented_with_a_range():
    for name, observable in OBSERVABLES.items():
        assert observable.name == name
        assert observable.label
        assert observable.about
        number, low, high = observable.bins
        assert number > 0
        assert low < high
        assert observable.unit in {"GeV", "rad", ""}


def test_momenta_are_those_that_the_source_states():
    axis = jets_of([(100.0, 0.4, -2.0, 50.0)]).p4
    values = observables(jets_of([(60.0, 0.5, -2.1)], p4=axis), ["pt", "eta", "phi", "mass", "energy"])
    expected = [100.0, 0.4, -2.0, 50.0, np.sqrt((100 * np.cosh(0.4)) ** 2 + 50**2)]
    assert [value[0] for value in values.values()] == pytest.approx(expected)


def test_values_together_are_the_values_one_by_one(sample):
    together = observables(sample)
    assert list(together) == list(OBSERVABLES)
    for name in OBSERVABLES:
        assert together[name] == pytest.approx(observables(sample, [name])[name], nan_ok=True)
        assert together[name].shape == (50,)
        assert together[name].dtype == np.float64


def test_names_stand_for_the_functions_of_substructure(sample):
    values = observables(sample)
    tau = [substructure.n_subjettiness(sample, n) for n in (1, 2, 3)]
    assert values["tau21"] == pytest.approx(tau[1] / tau[0])
    assert values["tau32"] == pytest.approx(tau[2] / tau[1])
    assert values["c2"] == pytest.approx(substructure.c2(sample))
    assert values["d2"] == pytest.approx(substructure.d2(sample))
    assert values["girth"] == pytest.approx(substructure.girth(sample))
    groomed = substructure.soft_drop(sample, z_cut=0.1, beta=0.0)
    assert values["sd_mass"] == pytest.approx(ak.to_numpy(groomed.p4.mass))
    assert values["sd_z"] == pytest.approx(groomed.columns["sd_z"], nan_ok=True)


def test_of_two_prongs_every_value_is_known():
    z, angle = 0.4, 0.5
    values = observables(jets_of([(60.0, 0.0, 0.0), (40.0, 0.0, angle)]))
    expected = {
        "mass": np.sqrt(2 * 60 * 40 * (1 - np.cos(angle))),
        "sd_mass": np.sqrt(2 * 60 * 40 * (1 - np.cos(angle))),
        "sd_z": z,
        "sd_deltar": angle,
        "multiplicity": 2,
        "tau1": z * angle / 0.8,
        "tau2": 0.0,
        "tau21": 0.0,
        "e2": z * (1 - z) * angle,
        "e3": 0.0,
        "c2": 0.0,
        "d2": 0.0,
        "pt_dispersion": np.sqrt(0.52),
    }
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-12), name
    assert np.isnan(values["tau32"][0])


def test_values_are_missing_only_where_they_are_not_defined():
    one, none = 0, 1
    values = observables(jets_of([(5.0, 0.0, 0.0, 0.14)], []))
    missing = {name: {i for i in (one, none) if np.isnan(value[i])} for name, value in values.items()}
    undefined_for_both = {"sd_z", "sd_deltar", "tau21", "tau32", "c2", "d2"}
    undefined_for_none = {"tau1", "tau2", "tau3", "e2", "e3", "girth", "pt_dispersion"}
    for name, where in missing.items():
        expected = (
            {one, none} if name in undefined_for_both else {none} if name in undefined_for_none else set()
        )
        assert where == expected, name


def test_joined_samples_have_the_observables_of_their_parts(sample):
    joined, parts = observables(concatenate([sample[:20], sample[20:]])), observables(sample)
    for name, values in parts.items():
        assert joined[name] == pytest.approx(values, nan_ok=True)


def test_an_unknown_observable_names_the_nearest(sample):
    with pytest.raises(DataError, match="no observable 'tau_21'; did you mean 'tau21'"):
        observables(sample, ["mass", "tau_21"])


def test_a_sample_without_jets_has_values_without_entries(sample):
    assert all(value.shape == (0,) for value in observables(sample[:0]).values())
