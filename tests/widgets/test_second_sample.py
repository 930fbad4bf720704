"""A second sample is compared everywhere: table, images, event display, numbers, and the lines of Python run."""

import contextlib
import html
import io
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

from tests.patience import settle
from tests.toys import MassCut, toy_jets
from workbench.data import parquet
from workbench.data.explanation import Explanation, Ledger
from workbench.physics import images
from workbench.physics.outliers import unusual
from workbench.state.comparison import FIRST, SECOND
from workbench.widgets.jet_explorer import JetExplorer
from workbench.widgets.jet_images import SAMPLES
from workbench.widgets.jet_views import IMAGE

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
JETS, OTHER = toy_jets(200, 3), toy_jets(150, 4)


def explain(fitted, jets, *, rule, seed):
    """Relevance of each particle is its pT, so that each jet has its own."""
    pt = ak.values_astype(jets.constituents.pt, np.float64)
    total = ak.to_numpy(ak.sum(pt, axis=1))
    return Explanation(pt, pt[..., None], ("log pt",), Ledger(total, {"inputs": total}), how={"rule": rule})


@pytest.fixture
def explorer(monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: explain)
    made = JetExplorer(JETS, MassCut(), beside=OTHER)
    made.current = 0
    settle(made.errands, made.beat)
    yield made
    made.close()


def test_the_switch_is_there_while_there_is_a_second_sample(explorer):
    assert explorer.walk.place.visible
    assert explorer.table.switch.place.visible
    assert explorer.analysis.beside_selection is explorer.comparison.beside
    explorer.beside = None
    assert explorer.analysis.beside_selection is None
    assert not explorer.walk.place.visible
    assert not explorer.table.switch.place.visible


def test_the_table_lists_either_sample_in_the_chosen_order(explorer):
    explorer.table.order.value = "highest score"
    explorer.walk.switch.choice.value = SECOND
    assert explorer.table.switch.choice.value == SECOND
    mass = np.asarray(OTHER.p4.mass)
    np.testing.assert_array_equal(explorer.table.table.value["jet"], np.argsort(-mass, kind="stable"))
    assert "150 selected jets of the second sample" in explorer.table.told.object
    explorer.selection.brush("mass", 50, 120)
    assert set(explorer.table.table.value["jet"]) == set(np.flatnonzero((mass >= 50) & (mass <= 120)))
    explorer.walk.switch.choice.value = FIRST
    shown = explorer.table.table.value["jet"].to_numpy()
    assert np.asarray(JETS.p4.mass)[shown[0]] == pytest.approx(
        np.asarray(JETS.p4.mass)[explorer.selection.mask].max()
    )


def test_a_click_opens_the_jet_of_the_second_sample_with_its_own_relevance(explorer):
    explorer.display.state.view = "eta-phi"
    explorer.comparison.walking = SECOND
    explorer.table._open(SimpleNamespace(row=3))
    settle(explorer.errands, explorer.beat)
    drawn = explorer.display.scene.column("particles", "relevance")
    np.testing.assert_allclose(drawn, ak.to_numpy(OTHER.constituents.pt[3]), rtol=1e-5)
    assert "Jet 3 of 150" in explorer.display.title.object
    assert explorer.current == 0
    assert "Jet 0:" in explorer.inspector.who.object
    # Its particles are not those of the open jet: what is picked here is not marked there.
    explorer.display.state.picked = 2
    assert explorer.inspector.picked == -1


def test_the_keys_step_through_the_sample_that_is_walked(explorer):
    explorer.comparison.walking = SECOND
    assert explorer.comparison.current == 0
    explorer.press("n")
    assert (explorer.comparison.current, explorer.current) == (1, 0)
    explorer.comparison.walking = FIRST
    explorer.press("n")
    assert (explorer.comparison.current, explorer.current) == (1, 1)
    assert "Jet 1 of 200" in explorer.display.title.object


def test_another_rule_explains_the_jet_of_the_second_sample_again(explorer):
    explorer.comparison.walking = SECOND
    settle(explorer.errands, explorer.beat)
    explorer.analysis.rule = "0"
    settle(explorer.errands, explorer.beat)
    assert explorer.analysis.beside_explanation.how["rule"] == "0"


def test_the_mean_images_of_both_samples_and_their_difference_are_of_one_class(explorer):
    explorer.inspector.tabs.active = IMAGE
    shown = explorer.inspector.images
    assert SAMPLES in shown.shown.options
    shown.shown.value = SAMPLES
    shown.of.value = "top"
    settle(explorer.errands, explorer.beat)
    a, b = (images.average(jets[jets.is_class("top")], extent=0.8) for jets in (JETS, OTHER))
    np.testing.assert_allclose(shown.sources[0].data["image"][0], a.mean, atol=1e-6)
    np.testing.assert_allclose(shown.sources[1].data["image"][0], b.mean, atol=1e-6)
    np.testing.assert_allclose(
        shown.differing.data["image"][0], images.difference(a, b), rtol=1e-4, atol=1e-5
    )
    assert all(place.visible for place in shown.places)
    assert f"Mean of {b.jets} jets: top, second sample" == shown.titles[1].object
    assert set(shown.table()["image"]) == {"first", "second", "difference [standard errors]"}
    explorer.beside = None
    assert SAMPLES not in shown.shown.options
    assert shown.shown.value != SAMPLES


def test_a_sample_beside_itself_has_no_difference_in_any_pixel(explorer):
    explorer.beside = JETS
    explorer.inspector.tabs.active = IMAGE
    explorer.inspector.images.shown.value = SAMPLES
    settle(explorer.errands, explorer.beat)
    pixels = explorer.inspector.images.differing.data["image"][0]
    assert np.nanmax(np.abs(pixels)) == 0


def test_the_numbers_say_both_means_with_errors_for_every_class(explorer):
    settle(explorer.errands, explorer.beat)
    numbers = explorer.distributions.numbers.numbers().set_index(["observable", "class"])
    row = numbers.loc["multiplicity", "top"]
    counts = OTHER.counts[OTHER.is_class("top")]
    assert row["second mean"] == pytest.approx(counts.mean())
    assert row["second error"] == pytest.approx(counts.std() / np.sqrt(len(counts)))
    assert row["second jets"] == len(counts)
    assert "score" in numbers.index.get_level_values(0)
    assert explorer.distributions.numbers.place.visible


def test_the_lines_of_python_compare_as_the_page_does(explorer, tmp_path):
    paths = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for jets, path in zip((JETS, OTHER), paths, strict=True):
        parquet.write(jets, path)
    explorer.sample.source = f"wb.load({str(paths[0])!r})"
    explorer.comparison.take(OTHER, "other", f"wb.load({str(paths[1])!r})")
    explorer.selection.brush("mass", 20, 300)
    settle(explorer.errands, explorer.beat)
    said = run(explorer.distributions.numbers._code())
    found = explorer.comparison.found["multiplicity"]
    assert "multiplicity Separation" in said
    assert found.distance > 0
    explorer.inspector.tabs.active = IMAGE
    explorer.inspector.images.shown.value = SAMPLES
    settle(explorer.errands, explorer.beat)
    names = {}
    run(explorer.inspector._code(""), names)
    drawn = explorer.inspector.images.differing.data["image"][0]
    np.testing.assert_allclose(names["shift"], drawn, rtol=1e-3, atol=1e-4)


def run(code, names=None):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(html.unescape(code), "exported", "exec"), {} if names is None else names)
    return said.getvalue()


def test_the_most_uncertain_jet_is_the_one_that_the_tagger_cannot_decide(explorer):
    explorer.table.order.value = "most uncertain"
    mass = np.asarray(JETS.p4.mass)
    assert explorer.table.table.value["jet"].iloc[0] == np.argmin(np.abs(mass - 90))
    assert "entropy" in explorer.table.told.object


def test_unusual_jets_are_looked_for_when_they_are_asked_for_in_either_sample(explorer):
    assert "unusual" not in explorer.sample.known
    explorer.table.order.value = "most unusual"
    assert "known once the jets are measured" in explorer.table.told.object
    settle(explorer.errands, explorer.beat)
    assert explorer.table.table.value["jet"].iloc[0] == np.argmax(unusual(JETS))
    assert "Mahalanobis" in explorer.table.told.object
    explorer.comparison.walking = SECOND
    settle(explorer.errands, explorer.beat)
    assert explorer.table.table.value["jet"].iloc[0] == np.argmax(unusual(OTHER))
