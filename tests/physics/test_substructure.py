import awkward as ak
import fastjet
import numpy as np
import pytest

from workbench.data.jets import OF_CONSTITUENTS, summed
from workbench.errors import DataError
from workbench.physics import substructure
from workbench.physics.clustering import recluster
from workbench.physics.history import e_scheme
from workbench.physics.observables import OBSERVABLES

from .clouds import cartesian, jets_of, random_jets, shuffled, split_collinearly, turned


@pytest.fixture(scope="module")
def sample():
    return random_jets(80, seed=21)


@pytest.fixture(scope="module")
def cambridge(sample):
    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0)
    return fastjet.ClusterSequence(cartesian(sample), definition)


MEASURES = {
    "tau1": lambda jets: substructure.n_subjettiness(jets, 1),
    "tau2": lambda jets: substructure.n_subjettiness(jets, 2),
    "tau3": lambda jets: substructure.n_subjettiness(jets, 3),
    "tau2, beta 2": lambda jets: substructure.n_subjettiness(jets, 2, beta=2.0),
    "e2": lambda jets: substructure.energy_correlators(jets)[0],
    "e3": lambda jets: substructure.energy_correlators(jets)[1],
    "C2": substructure.c2,
    "D2, beta 2": lambda jets: substructure.d2(jets, beta=2.0),
    "girth": substructure.girth,
    "groomed mass": lambda jets: ak.to_numpy(substructure.soft_drop(jets).p4.mass),
    "groomed angle": lambda jets: substructure.soft_drop(jets).columns["sd_deltar"],
}


# Closed forms -----------------------------------------------------------------------------------------------------


def test_of_two_massless_prongs_everything_is_known_in_closed_form():
    z, angle = 0.3, 0.5
    jets = jets_of([(70.0, 0.0, 3.0), (30.0, 0.0, 3.0 + angle - 2 * np.pi)])
    e2, e3 = substructure.energy_correlators(jets)
    assert e2 == pytest.approx(z * (1 - z) * angle)
    assert e3 == 0
    assert substructure.c2(jets) == 0
    assert substructure.d2(jets) == 0
    assert substructure.n_subjettiness(jets, 1, radius=0.8) == pytest.approx(z * angle / 0.8)
    assert substructure.n_subjettiness(jets, 1, beta=2.0, radius=0.8) == pytest.approx(z * (angle / 0.8) ** 2)
    assert substructure.n_subjettiness(jets, 2) == 0
    assert substructure.pt_dispersion(jets) == pytest.approx(np.sqrt(0.7**2 + 0.3**2))
    assert substructure.multiplicity(jets) == 2


def test_with_an_e_scheme_axis_two_prongs_lie_about_their_sum():
    jets = jets_of([(60.0, 0.0, 0.0), (40.0, 0.0, 0.02)])
    axis = np.arctan2(40 * np.sin(0.02), 60 + 40 * np.cos(0.02))
    expected = (60 * axis + 40 * (0.02 - axis)) / 100 / 0.8
    assert substructure.n_subjettiness(jets, 1, scheme=e_scheme) == pytest.approx(expected)


def test_three_equal_prongs_on_an_equilateral_triangle():
    side = 0.4
    corner = side / 2, side * np.sqrt(3) / 2
    jets = jets_of([(50.0, 0.0, 0.0), (50.0, side, 0.0), (50.0, *corner)])
    for beta in (0.0, 1.0, 2.0):
        e2, e3 = substructure.energy_correlators(jets, beta=beta)
        assert e2 == pytest.approx(3 / 9 * side**beta)
        assert e3 == pytest.approx(1 / 27 * side ** (3 * beta))
        assert substructure.c2(jets, beta=beta) == pytest.approx(side**beta / 3)
        assert substructure.d2(jets, beta=beta) == pytest.approx(1.0)
    # One axis on a corner: two prongs at `side`; two axes: one prong at `side`.
    assert substructure.n_subjettiness(jets, 1, radius=1.0) == pytest.approx(2 / 3 * side)
    assert substructure.n_subjettiness(jets, 2, radius=1.0) == pytest.approx(1 / 3 * side)
    assert substructure.n_subjettiness(jets, 3) == 0


def test_girth_is_the_mean_distance_from_the_axis_that_the_source_states():
    axis = jets_of([(100.0, 0.1, 3.1)]).p4
    jets = jets_of([(75.0, 0.1, 3.1), (25.0, 0.4, 3.5 - 2 * np.pi)], p4=axis)
    assert substructure.girth(jets) == pytest.approx(0.25 * 0.5)


@pytest.mark.parametrize(("share", "kept"), [(0.09, 1), (0.11, 2)])
def test_soft_drop_removes_the_softer_of_two_prongs_below_z_cut(share, kept):
    jets = jets_of([(1 - share, 0.0, 0.0), (share, 0.3, 0.0)])
    groomed = substructure.soft_drop(jets, z_cut=0.1, beta=0.0)
    assert groomed.counts == kept
    if kept == 2:
        assert groomed.columns["sd_z"] == pytest.approx(share)
        assert groomed.columns["sd_deltar"] == pytest.approx(0.3)
    else:
        assert np.isnan(groomed.columns["sd_z"])
        assert np.isnan(groomed.columns["sd_deltar"])
        assert ak.to_numpy(groomed.p4.mass) == 0


@pytest.mark.parametrize(("angle", "kept"), [(0.39, 2), (0.41, 1)])
def test_with_beta_one_soft_drop_is_gentler_at_small_angle(angle, kept):
    # z = 0.05 passes 0.1 * (angle / 0.8) below angle 0.4.
    jets = jets_of([(95.0, 0.0, 0.0), (5.0, angle, 0.0)])
    assert substructure.soft_drop(jets, z_cut=0.1, beta=1.0, radius=0.8).counts == kept


def test_soft_drop_walks_past_soft_wide_radiation_to_the_hard_prongs():
    # The particle at 0.7 comes off first with z of 2 %, then 60 and 40 share evenly enough.
    jets = jets_of([(60.0, 0.0, 0.0), (40.0, 0.2, 0.0), (2.0, 0.0, 0.7)])
    groomed = substructure.soft_drop(jets)
    assert groomed.constituents.pt.tolist() == [[60.0, 40.0]]
    assert groomed.columns["sd_z"] == pytest.approx(0.4, rel=0.01)
    invariant = np.sqrt(2 * 60 * 40 * (np.cosh(0.2) - 1))
    assert ak.to_numpy(groomed.p4.mass) == pytest.approx(invariant)


# FastJet as oracle ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("z_cut", "beta"), [(0.1, 0.0), (0.1, 1.0), (0.05, 2.0)])
def test_soft_drop_is_that_of_fastjet_contrib(sample, cambridge, z_cut, beta):
    expected = cambridge.exclusive_jets_softdrop_grooming(1, beta=beta, symmetry_cut=z_cut, R0=0.8)
    groomed = substructure.soft_drop(sample, z_cut=z_cut, beta=beta, radius=0.8)
    assert ak.to_numpy(groomed.p4.mass) == pytest.approx(ak.to_numpy(expected.msoftdrop), abs=1e-8)
    assert ak.to_numpy(groomed.p4.pt) == pytest.approx(ak.to_numpy(expected.ptsoftdrop))
    assert groomed.columns["sd_deltar"] == pytest.approx(ak.to_numpy(expected.deltaRsoftdrop))
    assert groomed.columns["sd_z"] == pytest.approx(ak.to_numpy(expected.symmetrysoftdrop))
    assert groomed.counts.tolist() == ak.num(expected.constituents.px).tolist()


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_n_subjettiness_is_that_of_fastjet_contrib(sample, beta):
    sequence = fastjet.ClusterSequence(
        cartesian(sample), fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0)
    )
    for axes, scheme in (("WTA_KT_Axes", substructure.winner_takes_all), ("KT_Axes", e_scheme)):
        expected = ak.to_numpy(sequence.njettiness("NormalizedMeasure", axes, [1, 2, 3], beta, 0.8))
        own = substructure.n_subjettinesses(sample, (1, 2, 3), beta=beta, radius=0.8, scheme=scheme)
        assert own == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_energy_correlator_ratios_are_those_of_fastjet_contrib(sample, cambridge, beta):
    for name, own in (("c2", substructure.c2), ("d2", substructure.d2)):
        expected = cambridge.exclusive_jets_energy_correlator(1, beta=beta, func=name)
        assert own(sample, beta=beta) == pytest.approx(ak.to_numpy(expected).ravel(), rel=1e-8)


# FastJet 3.5.2 gives this warning for kT and Cambridge/Aachen too, for which it is not meant.
@pytest.mark.filterwarnings("ignore:dcut and exclusive jets")
@pytest.mark.parametrize("algorithm", ["kt", "cambridge"])
def test_subjets_are_those_of_fastjet_hardest_first(sample, algorithm):
    name = {"kt": fastjet.kt_algorithm, "cambridge": fastjet.cambridge_algorithm}[algorithm]
    sequence = fastjet.ClusterSequence(cartesian(sample), fastjet.JetDefinition(name, 1000.0))
    expected = ak.sort(sequence.exclusive_jets(3).pt, axis=1, ascending=False)
    owner = substructure.subjets(sample, 3, algorithm=algorithm)
    for k in range(3):
        own = summed(sample.constituents[owner == k])
        assert ak.to_numpy(own.pt) == pytest.approx(ak.to_numpy(expected[:, k]))


# Symmetries and safety --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_the_order_of_particles_has_no_influence(sample, measure):
    assert measure(shuffled(sample, seed=5)) == pytest.approx(measure(sample), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_the_convention_for_azimuth_has_no_influence(sample, measure):
    assert measure(turned(sample)) == pytest.approx(measure(sample), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_a_collinear_split_of_every_particle_has_no_influence(measure):
    jets = random_jets(40, seed=22, mass=0.0)
    assert measure(split_collinearly(jets)) == pytest.approx(measure(jets), rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_an_infinitely_soft_particle_has_no_influence(measure):
    jets = random_jets(40, seed=23, mass=0.0)
    extra = ak.with_field(jets.constituents[:, :1], jets.constituents.pt[:, :1] * 1e-12, "pt")
    extra = ak.with_field(extra, extra.eta + 0.35, "eta")
    more = type(jets).of(ak.concatenate([jets.constituents, extra], axis=1), p4=jets.p4)
    assert measure(more) == pytest.approx(measure(jets), rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_particles_without_momentum_have_no_influence(measure):
    jets = random_jets(20, seed=25, mass=0.0)
    nothing = ak.with_field(jets.constituents[:, :2], jets.constituents.pt[:, :2] * 0, "pt")
    more = type(jets).of(ak.concatenate([jets.constituents, nothing], axis=1), p4=jets.p4)
    assert measure(more) == pytest.approx(measure(jets), rel=1e-9, nan_ok=True)


def test_a_collinear_split_doubles_the_multiplicity():
    jets = random_jets(5, seed=24)
    assert (substructure.multiplicity(split_collinearly(jets)) == 2 * substructure.multiplicity(jets)).all()


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_a_jet_measures_the_same_alone_and_in_company(sample, measure):
    assert measure(sample[7]) == pytest.approx(measure(sample)[[7]], rel=1e-9, nan_ok=True)


def test_grooming_again_changes_nothing(sample):
    once = substructure.soft_drop(sample)
    assert substructure.soft_drop(once).counts.tolist() == once.counts.tolist()


# What travels along, and the ends of the range --------------------------------------------------------------------


def test_what_was_measured_of_other_constituents_does_not_come_along(sample):
    assert set(OBSERVABLES) == OF_CONSTITUENTS
    measured = sample.with_columns(tau21=np.full(len(sample), -1.0), other=np.arange(len(sample)))
    for made in (substructure.soft_drop(measured), recluster(measured, radius=0.3)):
        assert "tau21" not in made.columns
        assert "other" in made.columns


def test_groomed_jets_keep_label_weight_and_columns(sample):
    groomed = substructure.soft_drop(sample)
    assert (groomed.label == sample.label).all()
    assert (groomed.weight == sample.weight).all()
    assert (groomed.columns["truth"] == sample.columns["truth"]).all()
    assert groomed.classes == sample.classes
    assert "soft drop z_cut=0.1" in groomed.origin.steps[-1]


def test_one_particle_has_no_substructure_and_no_particle_has_no_measure():
    jets = jets_of([(5.0, 1.3, 0.2, 0.14)], [])
    one, none = 0, 1
    tau = substructure.n_subjettinesses(jets, (1, 2))
    e2, e3 = substructure.energy_correlators(jets)
    assert tau[one].tolist() == [0, 0]
    assert e2[one] == e3[one] == 0
    assert np.isnan(substructure.c2(jets)).all()
    assert np.isnan(substructure.d2(jets)).all()
    assert substructure.pt_dispersion(jets)[one] == 1
    assert substructure.girth(jets)[one] == pytest.approx(0, abs=1e-12)
    for undefined in (
        tau[none, 0],
        e2[none],
        e3[none],
        *(f(jets)[none] for f in (substructure.girth, substructure.pt_dispersion)),
    ):
        assert np.isnan(undefined)
    groomed = substructure.soft_drop(jets)
    assert groomed.counts.tolist() == [1, 0]
    assert ak.to_numpy(groomed.p4.pt).tolist() == pytest.approx([5.0, 0.0])
    assert substructure.subjets(jets, 2).tolist() == [[0], []]


def test_an_empty_sample_gives_empty_measures():
    jets = jets_of([(1.0, 0.0, 0.0)])[:0]
    for measure in MEASURES.values():
        assert measure(jets).shape == (0,)


def test_meaningless_settings_are_refused_with_a_sentence(sample):
    with pytest.raises(DataError, match="0 subjets or axes were asked for"):
        substructure.n_subjettiness(sample, 0)
    with pytest.raises(DataError, match="must be positive"):
        substructure.soft_drop(sample, radius=0.0)
    with pytest.raises(DataError, match="no clustering algorithm"):
        substructure.subjets(sample, 2, algorithm="antikt")


def test_soft_drop_of_negative_beta_drops_what_lies_at_no_angle():
    # two collinear particles share a direction: (0 / R)^-1 is more than any z, so only the harder one is left
    jets = jets_of([(30.0, 0.1, 0.2), (20.0, 0.1, 0.2)])
    assert substructure.soft_drop(jets, beta=-1).counts.tolist() == [1]
    assert substructure.soft_drop(jets, beta=0).counts.tolist() == [2]


@pytest.mark.parametrize("z_cut", [-0.1, 0.5, 0.7])
def test_a_z_cut_that_nothing_or_everything_passes_is_refused(z_cut):
    with pytest.raises(DataError, match=f"z_cut of {z_cut} was asked for"):
        substructure.soft_drop(jets_of([(30.0, 0.1, 0.2)]), z_cut=z_cut)
