"""The viewer without a browser: what it shows, what it draws when, what it says."""

import json

import awkward as ak
import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data import parquet
from workbench.data.events import Events
from workbench.data.jets import Jets, momenta
from workbench.data.origin import Origin
from workbench.state.display import VIEWS, DisplayState
from workbench.state.files import Files, Uploads
from workbench.widgets.display_page import DisplayPage
from workbench.widgets.event_display import EventDisplay, described
from workbench.widgets.flat_views import legend

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
EVIL = "<img src=x onerror=alert(1)>"


def fields(*particles):
    names = ("pt", "eta", "phi", "mass", "charge", "pid")
    return momenta(**{name: ak.Array([[p[i] for p in particles]]) for i, name in enumerate(names)})


def one_jet(name="toy"):
    particles = fields((3.0, 0.1, 0.3, 0.0, 1, 211), (1.0, 0.2, 0.4, 0.0, 0, 22))
    return Jets.of(particles, origin=Origin(name, settings={"radius": 0.4}))


def dimuon():
    muons = fields((45.6, 0.0, 0.0, 0.1057, 1, -13), (45.6, 0.0, 3.141, 0.1057, -1, 13))
    return Events.of({"particles": muons, "met": ak.zip({"pt": [5.0], "phi": [1.0]})})


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_the_jet(view):
    display = EventDisplay(DisplayState(view=view))
    assert display.nothing.visible
    display.show_jet(one_jet(), 0)
    assert not display.nothing.visible
    assert "Jet 0 of 1: toy" in display.title.object
    drawn = display.three.particles if view == "3d" else display.flat.sources[view]["particles"].data["pt"]
    assert len(drawn) == 2


def test_a_view_is_drawn_when_it_is_seen():
    display = EventDisplay(DisplayState(view="x-y"))
    display.show_jet(one_jet(), 0)
    assert len(display.flat.sources["r-z"]["particles"].data["pt"]) == 0
    assert len(display.three.particles) == 0
    display.press("4")
    assert len(display.flat.sources["r-z"]["particles"].data["pt"]) == 2
    display.press("1")
    assert len(display.three.particles) == 2


def test_relevance_colours_the_jet_until_one_without_it_comes():
    display = EventDisplay(DisplayState(view="eta-phi"))
    display.show_jet(one_jet(), 0, np.array([2.0, -1.0]))
    assert display.state.colour_by == "relevance"
    assert (display.flat.scale.low, display.flat.scale.high) == (-2.0, 2.0)
    assert display.flat.bars["eta-phi"].visible
    display.show_jet(one_jet(), 0)
    assert display.state.colour_by == "kind"
    assert not display.flat.bars["eta-phi"].visible


def test_the_whole_event_of_a_jet_is_shown_where_it_is_known():
    display = EventDisplay()
    display.show_jet(one_jet().with_columns(event_index=np.array([0])), 0, event=dimuon())
    assert "Event 0 of 1" in display.title.object


def test_a_click_picks_a_particle_in_all_views():
    display = EventDisplay(DisplayState(view="x-y"))
    display.show_jet(one_jet(), 0)
    display.flat.sources["x-y"]["particles"].selected.indices = [1]
    assert display.state.picked == 1
    assert "photon" in display.told.object
    display.press("2")
    assert display.flat.sources["eta-phi"]["particles"].selected.indices == [1]
    display.flat.sources["eta-phi"]["particles"].selected.indices = []
    assert display.state.picked == -1
    display.press("1")
    display.three.picked = 0
    assert display.state.picked == 0


def test_a_click_on_a_jet_marks_it():
    display = EventDisplay(DisplayState(view="r-z"))
    display.show_jet(one_jet(), 0)
    display.flat.sources["r-z"]["jets"].selected.indices = [0]
    assert display.objects.table.selection == [0]
    assert "m(jet 0)" in display.objects.mass.object


def test_two_marked_muons_weigh_as_much_as_a_z():
    display = EventDisplay()
    display.show_event(dimuon(), 0)
    muons = [i for i, name in enumerate(display.objects.table.value["object"]) if name.startswith("muon")]
    display.objects.table.selection = muons
    assert display.objects.mass.object == "m(muon 0 + muon 1) = 91.20 GeV"
    display.show_event(dimuon(), 0)
    assert display.objects.mass.object == "Nothing is marked."


def test_a_jet_is_shown_whole_and_of_an_event_what_stands_out_unless_the_user_cuts():
    display = EventDisplay()
    display.show_jet(one_jet(), 0)
    assert (display.state.pt_min, display.state.jet_pt_min) == (0.0, 0.0)
    display.show_event(dimuon(), 0)
    assert (display.state.pt_min, display.state.jet_pt_min) == (0.5, 10.0)
    display.press("+")
    display.show_jet(one_jet(), 0)
    assert display.state.pt_min == 0.625


def test_cuts_made_before_a_page_opens_reach_its_figures():
    display = EventDisplay(DisplayState(view="x-y"))
    display.show_jet(one_jet(), 0)
    display.state.param.update(pt_min=2.0, kinds=["muon", "photon"], layers=["jets"])
    cut = display.flat.cuts.source.data
    assert (cut["pt_min"], cut["kinds"], cut["layers"]) == ([2.0], [0b10100], ["jets"])


def test_names_of_a_sample_stay_text():
    display = EventDisplay(DisplayState(view="x-y"))
    display.show_jet(one_jet(EVIL), 0)
    assert "<img" not in display.title.object
    assert "<img" not in legend(display.scene)


def test_what_can_be_saved_is_handed_to_the_browser_and_what_cannot_is_said():
    display = EventDisplay(DisplayState(view="3d"))
    display.show_event(dimuon(), 0)
    display.save("svg")
    assert "flat view" in display.told.object
    display.save("png", 2)
    assert display.three.request == "png@2"
    display.save("phoenix")
    assert json.loads(display.delivery.courier.order["content"])
    display.save("html")
    assert b"workbench-scene" in display.delivery.courier.order["content"]
    display.save("state")
    display.state.pt_min = 9.0
    display.restore(display.delivery.courier.order["content"])
    assert display.state.pt_min == 0.5
    display.restore(b"\xff\x00")
    assert "saved state" in display.told.object
    display.press("3")
    display.save("svg")
    assert display.delivery.courier.order["figures"] == [display.figure.id]


def test_a_particle_is_told_in_words():
    display = EventDisplay()
    display.show_jet(one_jet(), 0)
    assert (
        described(display.scene, 0)
        == "Particle 0: charged hadron, charge +1, pT 3.00 GeV, η 0.100, φ 0.300 rad."
    )


def test_the_page_opens_the_bundled_jets_and_walks():
    page = DisplayPage(Files([]), Uploads(0))
    page.open("bundled:jets", 3)
    wait(page)
    assert page.walk.position == 3
    page.press("n")
    assert "Jet 4 of" in page.display.title.object
    page.press("p")
    page.press("3")
    assert (page.walk.position, page.state.view) == (3, "x-y")
    page.close()


def test_a_link_with_rows_of_a_file_opens_those_rows(tmp_path):
    jets = toy_jets(20, 1)
    parquet.write(jets, tmp_path / "toys.parquet")
    page = DisplayPage(Files([tmp_path]), Uploads(0))
    page.open(f"file:{tmp_path.name}/toys.parquet|start=5|stop=12", 2)
    wait(page)
    assert len(page.walk.sample) == 7
    np.testing.assert_array_equal(page.walk.sample.p4.pt, jets.p4.pt[5:12])
    page.close()


def test_the_header_says_what_is_walked_through_and_its_card_where_it_came_from():
    page = DisplayPage(Files([]), Uploads(0))
    chip = page.chip
    assert chip.button.label == "No events yet"
    jets = toy_jets(30, 1)
    page.walk.take(jets)
    assert chip.button.label == "toys · 30 jets · simulation"
    chip.open()
    assert chip.body.object.startswith("toys (Simulation, toy)\n30 jets: 15 QCD, 15 top")
    assert jets.fingerprint in chip.body.object
    page.walk.take(dimuon())
    assert chip.button.label == "unnamed · 1 event · origin not stated"
    chip.open()
    assert "1 event: 1 of unknown class" in chip.body.object
    assert page.tray.button.label == "Jobs"
    page.close()


def test_a_name_with_markup_stays_text_in_the_header():
    page = DisplayPage(Files([]), Uploads(0))
    page.walk.take(one_jet(EVIL))
    page.chip.open()
    assert EVIL in page.chip.button.label
    assert EVIL not in page.chip.body.object
    page.close()


@pytest.mark.parametrize("id", ["bundled:jetz", "file:../etc/passwd", "file:none/a.root", "bundled:"])
def test_the_page_says_what_it_cannot_open_and_lives_on(id, tmp_path):
    page = DisplayPage(Files([tmp_path]), Uploads(0))
    page.open(id)
    wait(page)
    assert page.told.visible
    assert page.walk.sample is None
    page.open("bundled:jets")
    wait(page)
    assert not page.told.visible
    assert page.walk.sample is not None
    page.close()


def wait(page):
    for future, *_ in list(page.errands._sent.values()):
        future.exception(60)
    page.errands.collect()


def calorimeter():
    eta, energy = np.array([1.0, 0.0]), np.array([50.0, 0.2])
    towers = momenta(
        pt=ak.Array([energy / np.cosh(eta)]),
        eta=ak.Array([eta]),
        phi=ak.Array([[0.5, 1.0]]),
        mass=ak.Array([[0.0, 0.0]]),
    )
    return Events.of({"particles": fields((3.0, 0.1, 0.3, 0.14, 1, 211)), "towers": towers})


def test_the_numbers_have_the_towers_that_the_cuts_keep_and_the_energy_of_all():
    display = EventDisplay(DisplayState(energy_min=0.3))
    display.show_event(calorimeter(), 0)
    kept = display.table()
    towers = kept[kept["object"].str.match("ECAL|HCAL|calorimeter")]
    np.testing.assert_allclose(towers["E [GeV]"], [50.0], rtol=1e-6)
    np.testing.assert_allclose(towers["pT [GeV]"], [50.0 / np.cosh(1.0)], rtol=1e-6)
    pion = kept[kept["object"].str.startswith("charged hadron")]
    np.testing.assert_allclose(pion["E [GeV]"], np.sqrt((3.0 * np.cosh(0.1)) ** 2 + 0.14**2), rtol=1e-3)
    everything = display.objects.everything()
    assert len(everything[everything["object"].str.match("ECAL|HCAL|calorimeter")]) == 2


@pytest.mark.parametrize("objects", [False, True])
def test_the_lines_of_the_display_page_show_the_same_event(objects, capsys):
    page = DisplayPage(Files([]), Uploads(0))
    page.open("bundled:jets", 3)
    for future, *_ in list(page.errands._sent.values()):
        future.result(60)
    page.errands.collect()
    page.state.param.update(view="x-y", pt_min=2.0)
    names = {}
    exec(compile(page._code_of_objects() if objects else page._code(), "pane", "exec"), names)  # noqa: S102
    if objects:
        assert "charged hadron" in capsys.readouterr().out
    else:
        assert names["display"].title.object == page.display.title.object
        assert (names["display"].state.view, names["display"].state.pt_min) == ("x-y", 2.0)
    page.errands.close()
