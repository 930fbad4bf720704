import awkward as ak
import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.jets import Jets, momenta
from workbench.engines.features import KINEMATIC, ObservableInputs, ParticleInputs, inputs_from
from workbench.errors import DataError


def one_jet(**fields):
    """A jet of two massless particles, pt 30 and 10 GeV, eta 0, phi 0.1 and -0.1 rad, axis at 0."""
    constituents = momenta(
        pt=ak.Array([[30.0, 10.0]]),
        eta=ak.Array([[0.0, 0.0]]),
        phi=ak.Array([[0.1, -0.1]]),
        mass=ak.Array([[0.0, 0.0]]),
        **{name: ak.Array([values]) for name, values in fields.items()},
    )
    axis = momenta(pt=np.array([40.0]), eta=np.array([0.0]), phi=np.array([0.0]), mass=np.array([0.0]))
    return Jets.of(constituents, p4=axis)


def test_the_seven_kinematic_features_of_a_hand_made_jet():
    batch = ParticleInputs(KINEMATIC)(one_jet())
    assert batch.names == KINEMATIC
    assert batch.counts.tolist() == [2]
    expected = [
        [0.0, phi, (np.log(pt) - 1.7) * 0.7, (np.log(pt) - 2.0) * 0.7]
        + [(np.log(pt / 40) + 4.7) * 0.7] * 2
        + [(0.1 - 0.2) * 4]
        for pt, phi in ((30.0, 0.1), (10.0, -0.1))
    ]
    assert np.allclose(batch.x.numpy(), expected, atol=1e-6)


def test_identity_and_displacement_of_a_hand_made_jet():
    jets = one_jet(pid=[211, 22], charge=[1.0, 0.0], d0=[0.5, 0.0], dz=[-2.0, 0.0])
    names = ("charge", "charged_hadron", "neutral_hadron", "photon", "electron", "muon", "d0", "dz")
    batch = ParticleInputs(names)(jets)
    assert batch.names == ("deta", "dphi", *names)
    expected = [[1, 1, 0, 0, 0, 0, np.tanh(0.5), np.tanh(-2.0)], [0, 0, 0, 1, 0, 0, 0, 0]]
    assert np.allclose(batch.x.numpy()[:, 2:], expected, atol=1e-6)


def test_nothing_is_clipped():
    jets = one_jet()
    hard = Jets.of(jets.constituents, p4=momenta(pt=[4e9], eta=[0.0], phi=[0.0], mass=[0.0]))
    column = KINEMATIC.index("log_pt_fraction")
    found = ParticleInputs(KINEMATIC)(hard).x[0, column].item()
    assert found == pytest.approx((np.log(30 / 4e9) + 4.7) * 0.7, rel=1e-6)
    assert abs(found) > 5


def test_a_particle_without_momentum_is_refused():
    jets = one_jet()
    zero = Jets.of(ak.with_field(jets.constituents, ak.Array([[30.0, 0.0]]), "pt"), p4=jets.p4)
    with pytest.raises(DataError, match="1 particles have no finite 'log_pt'"):
        ParticleInputs(KINEMATIC)(zero)


def test_an_unknown_feature_is_named_with_the_nearest():
    with pytest.raises(DataError, match="no particle feature 'log_ptt'; did you mean 'log_pt'"):
        ParticleInputs(("log_ptt",))


def test_observables_have_mean_zero_and_deviation_one_on_the_jets_they_were_fitted_to():
    jets = toy_jets(200, seed=1)
    inputs = ObservableInputs.fitted(jets, ["mass", "multiplicity"])
    x = inputs(jets).x.double().numpy()
    assert np.allclose(x.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(x.std(axis=0), 1, atol=1e-5)


def test_an_observable_that_is_the_same_for_all_jets_is_only_shifted():
    # The mean of ten times 0.1 is not 0.1 in floating point, and its deviation not zero.
    constant = Jets.of(toy_jets(1, seed=1).constituents[[0] * 10])
    inputs = ObservableInputs.fitted(constant, ["mass", "girth"])
    assert inputs.deviation == (1.0, 1.0)


def test_an_undefined_observable_is_the_mean_for_networks_and_nan_for_trees():
    jets = toy_jets(50, seed=1)
    single = Jets.of(jets.constituents[:1, :1])
    fitted, plain = ObservableInputs.fitted(jets, ["tau21"]), ObservableInputs.plain(["tau21"])
    assert fitted(single).x.tolist() == [[0.0]]
    assert np.isnan(plain(single).x.numpy()).all()


@pytest.mark.parametrize(
    "inputs", [ParticleInputs(("deta", "dphi", "d0")), ObservableInputs(("mass",), (1.5,), (2.5,), fill=True)]
)
def test_inputs_are_rebuilt_from_their_header(inputs):
    assert inputs_from(inputs.header()) == inputs
