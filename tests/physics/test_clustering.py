import awkward as ak
import fastjet
import numpy as np
import pytest

from workbench.data import Events
from workbench.data.jets import momenta, summed
from workbench.errors import DataError
from workbench.physics.clustering import cluster, recluster

from .clouds import jets_of, random_jets


def events_of(*clouds, **more):
    return Events.of({"particles": jets_of(*clouds).constituents}, **more)


@pytest.fixture(scope="module")
def busy():
    rng = np.random.default_rng(11)
    counts = rng.integers(0, 120, 30)
    total = counts.sum()
    particles = momenta(
        pt=rng.exponential(5, total),
        eta=rng.uniform(-3, 3, total),
        phi=rng.uniform(-np.pi, np.pi, total),
        mass=np.full(total, 0.14),
        pid=np.arange(total),
    )
    return Events.of(
        {"particles": ak.unflatten(particles, counts)},
        label=np.arange(30) % 2,
        classes=("QCD", "top"),
        weight=np.arange(30) - 5.0,
        columns={"run": np.arange(30) * 7},
    )


def test_two_close_particles_make_one_jet_and_a_far_one_another():
    jets = cluster(events_of([(100.0, 0.0, 3.1), (50.0, 0.3, -3.1), (80.0, 2.0, 0.0)]), radius=0.8)
    assert jets.counts.tolist() == [2, 1]
    assert ak.to_numpy(jets.p4.pt)[1] == pytest.approx(80.0)
    invariant = np.sqrt(2 * 100 * 50 * (np.cosh(0.3) - np.cos(2 * np.pi - 6.2)))
    assert ak.to_numpy(jets.p4.mass)[0] == pytest.approx(invariant)


def test_the_radius_decides_whether_two_particles_are_one_jet():
    pair = events_of([(100.0, 0.0, 0.0), (50.0, 0.5, 0.0)])
    assert len(cluster(pair, radius=0.49)) == 2
    assert len(cluster(pair, radius=0.51)) == 1


@pytest.mark.parametrize("algorithm", ["antikt", "kt", "cambridge"])
def test_jets_are_those_that_fastjet_finds_event_by_event(busy, algorithm):
    definition = fastjet.JetDefinition(
        {
            "antikt": fastjet.antikt_algorithm,
            "kt": fastjet.kt_algorithm,
            "cambridge": fastjet.cambridge_algorithm,
        }[algorithm],
        0.6,
    )
    jets = cluster(busy, radius=0.6, algorithm=algorithm, pt_min=15.0)
    place = 0
    for i in range(len(busy)):
        particles = busy["particles"][i]
        columns = [ak.to_list(getattr(particles, name)) for name in ("px", "py", "pz", "energy")]
        vectors = [fastjet.PseudoJet(*row) for row in zip(*columns, strict=True)]
        sequence = fastjet.ClusterSequence(vectors, definition)
        expected = fastjet.sorted_by_pt(sequence.inclusive_jets(15.0))
        own = jets[place : place + len(expected)]
        place += len(expected)
        assert ak.to_numpy(own.p4.pt) == pytest.approx([j.pt() for j in expected])
        assert ak.to_numpy(own.p4.mass) == pytest.approx([j.m() for j in expected], abs=1e-6)
        assert own.counts.tolist() == [len(j.constituents()) for j in expected]
        assert (own.columns["event_index"] == i).all()
    assert place == len(jets)


def test_a_jet_is_the_sum_of_its_constituents(busy):
    jets = cluster(busy, pt_min=5.0)
    total = summed(jets.constituents)
    for name in ("pt", "eta", "phi", "mass"):
        assert ak.to_numpy(jets.p4[name]) == pytest.approx(ak.to_numpy(total[name]), abs=1e-7)


def test_constituents_keep_their_fields_and_none_is_used_twice(busy):
    jets = cluster(busy, pt_min=0.0)
    pid = ak.to_numpy(ak.flatten(jets.constituents.pid))
    assert sorted(pid) == list(range(len(pid)))
    original = ak.flatten(busy["particles"])
    assert ak.to_numpy(ak.flatten(jets.constituents.pt)) == pytest.approx(ak.to_numpy(original.pt[pid]))


def test_label_weight_and_columns_of_an_event_go_to_its_jets(busy):
    jets = cluster(busy, pt_min=10.0)
    event = jets.columns["event_index"]
    assert (jets.label == np.asarray(busy.label)[event]).all()
    assert (jets.weight == busy.weight[event]).all()
    assert (jets.columns["run"] == 7 * event).all()
    assert jets.classes == ("QCD", "top")
    assert "antikt" in jets.origin.steps[-1]


def test_the_leading_jets_are_the_hardest_of_those_that_pass_the_cuts(busy):
    every = cluster(busy, pt_min=10.0, eta_max=1.5)
    two = cluster(busy, pt_min=10.0, eta_max=1.5, leading=2)
    assert (abs(ak.to_numpy(every.p4.eta)) < 1.5).all()
    for i in range(len(busy)):
        pt = np.sort(ak.to_numpy(every.p4.pt)[every.columns["event_index"] == i])[::-1]
        assert ak.to_numpy(two.p4.pt)[two.columns["event_index"] == i] == pytest.approx(pt[:2])


def test_events_without_particles_and_samples_without_events_give_no_jets(busy):
    assert len(cluster(events_of([], []))) == 0
    assert len(cluster(busy[:0])) == 0
    assert len(cluster(busy, pt_min=1e6)) == 0


def test_what_cannot_be_clustered_is_refused_with_a_sentence(busy):
    with pytest.raises(DataError, match=r"no jet algorithm 'anti-kt'; did you mean 'antikt'"):
        cluster(busy, algorithm="anti-kt")
    with pytest.raises(DataError, match="must be positive"):
        cluster(busy, radius=0.0)
    with pytest.raises(DataError, match="did you mean 'particles'"):
        cluster(busy, collection="particle")
    with pytest.raises(DataError, match="lacks eta, mass"):
        cluster(Events.of({"met": ak.Array([[{"pt": 1.0, "phi": 0.0}]])}), collection="met")


def test_subjets_by_radius_share_out_the_constituents_of_their_jet():
    jets = random_jets(20, seed=5)
    small = recluster(jets, radius=0.2)
    index = small.columns["jet_index"]
    pt = np.bincount(index, weights=ak.to_numpy(ak.sum(small.constituents.pt, axis=1)))
    assert pt == pytest.approx(ak.to_numpy(ak.sum(jets.constituents.pt, axis=1)))
    assert (small.columns["truth"] == jets.columns["truth"][index]).all()
    assert (np.bincount(index) > 1).any()
    whole = recluster(jets, radius=50.0)
    assert ak.to_numpy(whole.p4.mass) == pytest.approx(ak.to_numpy(jets.p4.mass))
