"""The bundled samples: what they are, and that the command makes them again."""

import awkward as ak
import numpy as np
import pytest

from workbench.data.bundled import FILES, FOLDER, bundled
from workbench.data.parquet import read
from workbench.errors import DataError
from workbench.physics.observables import observables
from workbench.simulate import JetSimulation, bundle
from workbench.simulate.chunk import made
from workbench.simulate.request import Request


@pytest.mark.parametrize("name", bundle.SAMPLES)
def test_a_bundled_sample_is_what_its_settings_say(name):
    jets = read(bundled(name))
    asked = bundle.SAMPLES[name]
    assert len(jets) == asked["n"]
    assert jets.classes == ("QCD", "top")
    assert jets.is_class("top").sum() == asked["n"] / 2
    for setting, value in asked.items():
        assert jets.origin.settings[setting] == value
    pt, eta = ak.to_numpy(jets.p4.pt), ak.to_numpy(jets.p4.eta)
    assert np.all((pt > 550) & (pt < 650) & (np.abs(eta) < 2))


@pytest.mark.parametrize("name", bundle.SAMPLES)
def test_the_observables_that_come_along_are_those_that_are_measured(name):
    jets = read(bundled(name))
    for observable, measured in observables(jets, bundle.MEASURED).items():
        # Another processor may round differently.
        np.testing.assert_allclose(jets.columns[observable], measured, rtol=1e-6)


def test_all_that_is_bundled_is_a_few_megabytes():
    assert sum((FOLDER / FILES[name]).stat().st_size for name in bundle.SAMPLES) < 8e6


def test_the_same_settings_make_the_same_jets_again():
    stored = read(bundled("jets"))
    asked = bundle.SAMPLES["jets"]
    setup = JetSimulation().setup()
    request = Request.of(setup, ["QCD", "top"], asked["n"], asked["seed"], clustered=True)
    part = next(made(request.tasks()[0]))
    # Another processor may round differently; most jets are the same to single precision all the same.
    again = np.isin(part.rows["truth_pt"].astype(np.float32), stored.columns["truth_pt"].astype(np.float32))
    assert again.mean() > 0.9


def test_an_unknown_name_is_said_with_the_nearest():
    with pytest.raises(DataError, match="Nothing called 'jet' is bundled; did you mean 'jets'"):
        bundled("jet")


def test_what_this_installation_lacks_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("workbench.data.bundled.FOLDER", tmp_path)
    with pytest.raises(DataError, match="'jets' is missing from this installation"):
        bundled("jets")
