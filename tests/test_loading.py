"""Any file becomes jets, events or showers."""

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from tests.data import layouts
from tests.data.test_event_files import olympics
from tests.data.test_formats import write_hepmc, write_olympics, write_showers
from tests.data.test_jet_files import jet_net
from tests.real_files import SHARED, needs_shared
from workbench.data.jets import summed
from workbench.errors import DataError
from workbench.loading import jets_of


def test_the_kind_follows_from_the_content(tmp_path):
    layouts.ftag(tmp_path / "jets.h5")
    write_olympics(tmp_path / "events.h5")
    write_showers(tmp_path / "showers.h5")
    for name in ("Jets", "Events", "Showers"):
        assert type(wb.load(tmp_path / f"{name.lower()}.h5")).__name__ == name


def test_events_become_the_jets_that_clustering_finds(tmp_path):
    write_olympics(tmp_path / "a.h5")
    jets = wb.load(tmp_path / "a.h5", kind="jets", radius=1.0, pt_min=30)
    events = wb.load(tmp_path / "a.h5")
    hardest = events["particles"].pt[0, 0]
    assert (np.asarray(jets.p4.pt) > 30).all()
    assert np.asarray(jets.p4.pt).max() >= hardest
    np.testing.assert_allclose(summed(jets.constituents).pt, jets.p4.pt, rtol=1e-9)
    assert jets.label.tolist() == events.label[jets.columns["event_index"]].tolist()
    assert jets.origin.steps[-1].startswith("clustered particles: antikt R=1")


def test_two_back_to_back_muons_are_two_jets(tmp_path):
    write_hepmc(tmp_path / "a.hepmc")
    jets = wb.load(tmp_path / "a.hepmc", kind="jets")
    assert jets.counts.tolist() == [1, 1, 1, 1]
    assert np.asarray(jets.p4.pt).tolist() == pytest.approx([50.0] * 4)


@needs_shared("nanoaod")
@pytest.mark.parametrize(("radius", "name"), [(0.8, "fat_jets"), (0.4, "jets")])
def test_a_file_with_constituents_gives_its_own_jets(radius, name):
    path = SHARED / "nanoaod" / "pfnano.root"
    jets, events = wb.load(path, kind="jets", radius=radius), wb.load(path)
    assert len(jets) == int(ak.sum(ak.num(events[name])))
    assert sorted(np.asarray(jets.p4.pt)) == sorted(ak.flatten(events[name].pt))
    assert jets.origin.steps == (f"took the file's own {name}: {len(jets)} of {len(jets)} jets in 10 events",)
    cut = jets_of(events, radius=radius, pt_min=200, eta_max=2.0, leading=1)
    assert (np.asarray(cut.p4.pt) > 200).all()
    assert len(set(cut.columns["event_index"].tolist())) == len(cut)


def test_jets_of_particles_linked_to_them_are_taken_with_these(tmp_path):
    layouts.nanoaod(tmp_path / "a.root")
    jets = wb.load(tmp_path / "a.root", kind="jets", radius=0.4)
    assert jets.constituents.pt.to_list() == [[30.0, 20.0], [9.0], [40.0]]
    assert np.asarray(jets.p4.pt).tolist() == [50.0, 9.0, 40.0]
    assert jets.columns["event_index"].tolist() == [0, 0, 1]
    assert jets.weight.tolist() == [1.0, 1.0, -1.0]


@needs_shared("nanoaod")
def test_a_file_with_nothing_to_cluster_says_so():
    with pytest.raises(
        DataError,
        match="nano_dy.root has neither particles to cluster nor jets with constituents .it has jets, .*kind=.events.",
    ):
        wb.load(SHARED / "nanoaod" / "nano_dy.root", kind="jets")


@needs_shared("cms-open-events")
def test_jets_clustered_from_real_hits_lie_where_cms_found_jets():
    path = SHARED / "cms-open-events" / "BJetPlusX_Run2012C_0.ig"
    events = wb.load(path)
    ours = wb.load(path, kind="jets", radius=0.5, pt_min=30, leading=1, eta_max=2.4)
    theirs = events["jets"][ours.columns["event_index"]]
    nearest = ak.to_numpy(ak.min(theirs.deltaR(ours.p4), axis=1))
    # a calorimeter jet above 30 GeV is a particle-flow jet; 39 jets per event would be within 0.3 of a random point in a third of cases
    assert np.mean(nearest < 0.3) > 0.9


def test_several_files_are_joined_and_their_classes_merged(tmp_path):
    jet_net(tmp_path / "t.hdf5")
    jet_net(tmp_path / "g.hdf5")
    jets = wb.load([tmp_path / "t.hdf5", tmp_path / "g.hdf5"], stop=3)
    assert jets.classes == ("top", "gluon")
    assert jets.label.tolist() == [0, 0, 0, 1, 1, 1]
    assert [part["name"] for part in jets.origin.settings["parts"]] == ["t.hdf5", "g.hdf5"]


def test_event_and_shower_files_are_joined_too(tmp_path):
    write_olympics(tmp_path / "a.h5")
    write_showers(tmp_path / "b.h5")
    events = wb.load([tmp_path / "a.h5"] * 2)
    assert len(events) == 2 * len(olympics())
    assert events.label.tolist() == [0, 1, 0] * 2
    assert len(wb.load([tmp_path / "b.h5"] * 2)) == 4
    with pytest.raises(DataError, match="different things .events, showers."):
        wb.load([tmp_path / "a.h5", tmp_path / "b.h5"])


def test_what_cannot_be_made_into_the_kind_is_said(tmp_path):
    write_showers(tmp_path / "b.h5")
    with pytest.raises(DataError, match="b.h5 holds showers, which cannot be made into jets"):
        wb.load(tmp_path / "b.h5", kind="jets")
    with pytest.raises(DataError, match="Unknown kind 'jet'; did you mean 'jets'"):
        wb.load(tmp_path / "b.h5", kind="jet")
    with pytest.raises(DataError, match="No file to load"):
        wb.load([])


def test_cuts_on_jets_are_refused_where_no_jets_are_made(tmp_path):
    layouts.ftag(tmp_path / "jets.h5")
    write_olympics(tmp_path / "events.h5")
    with pytest.raises(
        DataError, match="pt_min cut on jets made from events, but jets.h5 gives jets; use select"
    ):
        wb.load(tmp_path / "jets.h5", kind="jets", pt_min=500)
    with pytest.raises(DataError, match='radius, leading cut .* events.h5 gives events; say kind="jets"'):
        wb.load(tmp_path / "events.h5", radius=1.0, leading=2)
    with pytest.raises(DataError, match="At most -1 jets per event were asked for"):
        wb.load(tmp_path / "events.h5", kind="jets", leading=-1)
    with pytest.raises(DataError, match="jet radius of 0 was asked for; it must be positive"):
        wb.load(tmp_path / "events.h5", kind="jets", radius=0)


def test_joined_events_keep_the_fields_in_common_and_name_the_others(tmp_path):
    muon = {"pt": [[30.0, 20.0], []], "eta": [[1.0, -1.0], []], "phi": [[0.0, 3.0], []]}
    flags = {"run": np.array([1, 1]), "event": np.array([1, 2])}
    layouts.root(tmp_path / "a.root", "Events", {"Muon": ak.zip({**muon, "dxy": muon["eta"]}), **flags})
    layouts.root(tmp_path / "b.root", "Events", {"Muon": ak.zip(muon), "run": flags["run"]})
    events = wb.load([tmp_path / "a.root", tmp_path / "b.root"])
    assert events["muons"].px.to_list() == [[30.0, pytest.approx(20 * np.cos(3.0))], []] * 2
    assert ak.fields(events["muons"]) == ["pt", "eta", "phi", "mass"]
    assert isinstance(events.columns["run"], np.ndarray)
    assert events.origin.steps[-1] == "joined; not in every part and left out: muons.d0, event"


def test_two_jets_of_one_particle_and_an_event_without_any(tmp_path):
    particle = ak.zip({"pt": [[50.0], [], [60.0]], "eta": [[0.1], [], [0.2]], "phi": [[1.0], [], [2.0]]})
    layouts.root(tmp_path / "a.root", "Events", {"PFCands": particle})
    jets = wb.load(tmp_path / "a.root", kind="jets")
    assert jets.counts.tolist() == [1, 1]
    assert jets.columns["event_index"].tolist() == [0, 2]
    assert np.asarray(jets.p4.pt).tolist() == pytest.approx([50.0, 60.0])
    assert len(wb.load(tmp_path / "a.root", kind="jets", start=1, stop=2)) == 0
