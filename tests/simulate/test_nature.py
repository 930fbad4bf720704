"""Simulated jets against what was measured: CMS, masses of jets in dijet events at 13 TeV (arXiv:1807.05974)."""

import awkward as ak
import numpy as np
import pytest
from scipy import stats

from workbench import simulate
from workbench.physics.clustering import cluster
from workbench.physics.substructure import soft_drop

PT = (550.0, 650.0)
MEASURED = {
    # Tables 29 and 41 of HEPData 10.17182/hepdata.83912.v1 (CC0): edges in GeV, (1/sigma) dsigma/dm in 1/GeV, total error.
    "ungroomed": (
        [20, 40, 60, 80, 100, 150, 200, 250, 300, 350],
        [2.8583e-3, 9.6151e-3, 1.1405e-2, 8.2034e-3, 4.3257e-3, 1.9213e-3, 7.4749e-4, 1.3802e-4, 5.8481e-6],
        [1.0066e-3, 1.5999e-3, 1.8979e-3, 1.3651e-3, 4.7899e-4, 4.8969e-5, 4.3219e-5, 2.1240e-5, 2.1697e-6],
    ),
    "groomed": (
        [10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350],
        [
            1.3589e-2,
            6.3353e-3,
            4.0379e-3,
            3.2051e-3,
            2.7335e-3,
            2.0522e-3,
            1.4749e-3,
            7.1142e-4,
            1.464e-4,
            7.4653e-6,
        ],
        [
            5.7216e-4,
            1.1565e-4,
            9.4217e-5,
            6.6495e-5,
            6.4349e-5,
            5.5191e-5,
            6.0184e-5,
            3.8016e-5,
            2.1869e-5,
            2.6332e-6,
        ],
    ),
}


def dijets(n, **settings):
    """Both leading jets of events that pass the CMS selection, where they lie in the pT window."""
    events = simulate.events("QCD", n, seed=1, energy=13_000.0, pt=PT, margin=0.2, detector=None, **settings)
    jets = cluster(events, radius=0.8, pt_min=200.0, eta_max=2.4, leading=2)
    event = jets.columns["event_index"]
    jets = jets[np.bincount(event, minlength=n)[event] == 2]
    pt, phi = (ak.to_numpy(jets.p4[name]).reshape(-1, 2) for name in ("pt", "phi"))
    asymmetry = (pt[:, 0] - pt[:, 1]) / (pt[:, 0] + pt[:, 1])
    apart = np.abs((phi[:, 0] - phi[:, 1] + np.pi) % (2 * np.pi) - np.pi)
    passed = (asymmetry < 0.3) & (apart > np.pi / 2)
    return jets[(passed[:, None] & (pt > PT[0]) & (pt < PT[1])).ravel()]


def chi2(mass, table):
    """Sum over bins of (simulated - measured)^2 / (both errors)^2; the measurement's correlations are not published."""
    edges, measured, error = map(np.asarray, table)
    per_gev = 1 / (len(mass) * np.diff(edges))
    found = np.histogram(mass, edges)[0]
    statistical = np.sqrt(np.maximum(found, 1)) * per_gev
    return np.sum((found * per_gev - measured) ** 2 / (error**2 + statistical**2)), len(measured)


@pytest.mark.parametrize("n", [1_200, pytest.param(4_500, marks=pytest.mark.slow)])
def test_the_jet_mass_before_and_after_grooming_is_what_cms_measured(n):
    jets = dijets(n, multiple_interactions=True)
    groomed = soft_drop(jets, z_cut=0.1, beta=0.0, radius=0.8)
    for name, sample in (("ungroomed", jets), ("groomed", groomed)):
        value, bins = chi2(ak.to_numpy(sample.p4.mass), MEASURED[name])
        # One false alarm in a thousand, were the simulation nature and the errors independent.
        assert value < stats.chi2.isf(1e-3, bins), name


@pytest.mark.slow
def test_without_multiple_interactions_too_many_jets_are_light():
    edges, measured, error = MEASURED["ungroomed"]
    mass = ak.to_numpy(dijets(4_500).p4.mass)
    light = np.sum((mass > edges[0]) & (mass < edges[1]))
    per_gev = 1 / (len(mass) * (edges[1] - edges[0]))
    # Expected 3.4 errors with a statistical spread of 0.4: one false alarm in 250; with them it is -0.4.
    excess = (light * per_gev - measured[0]) / np.hypot(error[0], np.sqrt(light) * per_gev)
    assert excess > stats.norm.isf(0.01)
