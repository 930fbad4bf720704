"""The state of an event display: cuts, masses, what is kept in files and in the address."""

import awkward as ak
import numpy as np
import pytest
import vector

from workbench.data.events import Events
from workbench.data.jets import momenta
from workbench.errors import DataError, WorkbenchError
from workbench.state.display import LINKED, DisplayState, mass_of
from workbench.state.display_link import DisplayLink
from workbench.state.walk import AS_GIVEN, HARD, MANY, MET, Walk


def rows(*particles):
    return np.array([[*given, 0, 0, 0, np.nan, -1] for given in particles], dtype=float)


def test_cuts_keep_what_passes_all_of_them():
    state = DisplayState(pt_min=1.0, eta_max=2.0)
    particles = rows(
        (2, 0, 0, 1, 0), (0.5, 0, 0, 1, 0), (2, 3, 0, 1, 0), (2, 0, 0, 0, 2), (2, 0, 0, np.nan, 5)
    )
    assert state.passes(particles).tolist() == [True, False, False, True, True]
    state.charges = "charged"
    assert state.passes(particles).tolist() == [True, False, False, False, False]
    state.param.update(charges="all", kinds=["photon"])
    assert state.passes(particles).tolist() == [False, False, False, True, False]
    state.param.update(charges="-", kinds=list(state.param.kinds.objects))
    assert not state.passes(particles).any()


def test_the_mass_of_two_muons_is_that_of_their_sum():
    first = vector.obj(pt=45.0, eta=0.3, phi=0.1, mass=0.10566)
    second = vector.obj(pt=38.0, eta=-1.1, phi=2.9, mass=0.10566)
    found = mass_of(np.array([[p.pt, p.eta, p.phi, p.mass] for p in (first, second)]))
    assert found == pytest.approx((first + second).mass)
    assert mass_of(np.array([[10.0, 1.0, 2.0, 4.2]])) == pytest.approx(4.2)
    assert np.isnan(mass_of(np.zeros((0, 4))))


def test_a_back_to_back_pair_of_massless_particles_weighs_its_energy():
    pair = np.array([[45.6, 0.0, 0.0, 0.0], [45.6, 0.0, np.pi, 0.0]])
    assert mass_of(pair) == pytest.approx(91.2)
    turned = pair + np.array([0.0, 0.0, 1.3, 0.0])
    assert mass_of(turned) == pytest.approx(91.2)


def test_the_cut_moves_by_keys_down_to_none():
    state = DisplayState(pt_min=0.0)
    state.cut(up=True)
    assert state.pt_min == 0.1
    state.cut(up=True)
    assert state.pt_min == pytest.approx(0.125)
    state.cut(up=False)
    state.cut(up=False)
    assert state.pt_min == 0.0


def test_an_object_that_is_tagged_twice_is_no_longer_tagged():
    state = DisplayState()
    state.tag("jets", 1)
    state.tag("particles", 1)
    state.tag("jets", 1)
    assert state.tagged == [("particles", 1)]


def test_a_saved_state_shows_the_same_and_nothing_of_the_event():
    state = DisplayState(pt_min=2.5, colour_by="pt", view="r-z", kinds=["muon"], picked=7)
    other = DisplayState()
    other.from_json(state.to_json())
    assert (other.pt_min, other.colour_by, other.view, other.kinds, other.picked) == (
        2.5,
        "pt",
        "r-z",
        ["muon"],
        -1,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"workbench": "jets"}',
        '{"workbench": "display", "view": "4d"}',
        '{"workbench": "display", "pt_min": -1}',
        '{"workbench": "display", "pt_min": NaN}',
        '{"workbench": "display", "kinds": ["ghost"], "pt_min": 3}',
        '{"workbench": "display", "pt_min": "3"}',
        "[" * 100_000,
    ],
)
def test_a_state_that_makes_no_sense_changes_nothing(text):
    state = DisplayState(pt_min=1.5)
    with pytest.raises(WorkbenchError):
        state.from_json(text)
    assert state.pt_min == 1.5


def events():
    jets = momenta(**{name: ak.Array([[5.0], [9.0, 2.0], []]) for name in ("pt", "eta", "phi", "mass")})
    met = ak.zip({"pt": [3.0, 1.0, 8.0], "phi": [0.0, 0.0, 0.0]})
    return Events.of({"jets": jets, "met": met})


def test_one_walks_in_the_order_that_was_chosen_and_around():
    walk = Walk()
    walk.take(events())
    assert walk.known == [AS_GIVEN, MET, HARD]
    assert MANY not in walk.known
    walk.step(1)
    assert walk.position == 1
    walk.by = MET
    walk.go(2)
    walk.step(1)
    assert walk.position == 0
    walk.step(1)
    walk.step(1)
    assert walk.position == 2
    walk.by = HARD
    walk.step(-1)
    assert walk.position == 0


def test_one_goes_no_further_than_the_last_event():
    walk = Walk()
    walk.step(1)
    with pytest.raises(DataError, match="choose a file first"):
        walk.go(3)
    walk.take(events())
    walk.go(99)
    assert walk.position == 2


def test_the_address_opens_the_same_view():
    link = DisplayLink(file="file:data/a b&c.ig", event=12, view="x-y")
    other = DisplayLink()
    other.read(link.write())
    assert (other.file, other.event, other.view, other.notices) == ("file:data/a b&c.ig", 12, "x-y", [])


@pytest.mark.parametrize(
    "query",
    [
        "?event=-1",
        "?event=1e9",
        "?event=²",
        "?view=4d",
        "?file=/etc/passwd",
        "?file=file:/etc/passwd",
        "?v=9",
        "?x=1",
    ],
)
def test_what_an_address_cannot_mean_is_left_out_and_said(query):
    link = DisplayLink()
    link.read(query)
    assert (link.file, link.event, link.view) == ("", 0, "3d")
    assert len(link.notices) == 1


def test_cuts_and_colours_go_through_an_address():
    state = DisplayState(
        pt_min=2.5,
        eta_max=1.5,
        kinds=["photon", "muon"],
        wedge=True,
        opacity=0.4,
        charges="neutral",
        layers=[],
    )
    link = DisplayLink(display=state.to_link())
    other, received = DisplayState(), DisplayLink()
    received.read(link.write())
    assert other.from_link(received.display) == []
    assert {name: getattr(other, name) for name in LINKED} == {name: getattr(state, name) for name in LINKED}


def test_what_a_display_chooses_by_itself_stands_in_no_address():
    assert DisplayState().to_link() == []
    assert DisplayState(pt_min=0.0, colour_by="relevance").to_link() == []
    assert DisplayState(pt_min=0.5, jet_pt_min=10.0, picked=3, position=7).to_link() == []
    # With a cut on jets of one's own, the usual cut on particles is one's own too.
    assert set(DisplayState(jet_pt_min=50.0).to_link()) == {"jet_pt_min:50", "pt_min:0.5"}


@pytest.mark.parametrize(
    "text",
    [
        "pt_min:-1",
        "pt_min:nan",
        "pt_min:x",
        "kinds:ghost",
        "wedge:maybe",
        "charges:up",
        "view:3d",
        "picked:1",
        "x",
    ],
)
def test_a_cut_of_an_address_that_makes_no_sense_is_said_and_the_others_hold(text):
    state = DisplayState()
    notices = state.from_link([text, "eta_max:2"])
    assert len(notices) == 1
    assert repr(text) in notices[0]
    assert state.to_link() == ["eta_max:2"]
