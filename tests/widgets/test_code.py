"""The lines of Python behind a pane run, and give the numbers that the pane shows."""

from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.data import parquet
from workbench.data.classes import ClassArray
from workbench.physics.outliers import unusual
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.code import NO_SOURCE, lines
from workbench.widgets.jet_explorer import JetExplorer

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

SOURCE = 'wb.load(wb.bundled("jets"))'


@pytest.fixture
def view():
    sample = SampleState()
    sample.take(parquet.read(wb.bundled("jets")), source=SOURCE)
    return sample, SelectionState(sample)


def run(text):
    names = {}
    exec(compile(text, "pane", "exec"), names)  # noqa: S102 - what the user is given to run
    return names


def test_without_a_selection_the_whole_sample_is_loaded(view):
    sample, _ = view
    assert run(lines(sample, None))["jets"].fingerprint == sample.jets.fingerprint


def test_expression_classes_and_brushes_give_the_jets_that_are_selected(view):
    sample, selection = view
    sample.choose("abs(eta) < 1")
    selection.show("top")
    selection.brush("mass", 100.0, 200.0)
    found = run(lines(sample, selection))["jets"]
    assert 0 < len(found) < len(sample)
    np.testing.assert_array_equal(np.asarray(found.p4.mass), np.asarray(sample.jets.p4.mass)[selection.mask])


def test_drawing_lines_see_the_selected_jets_and_their_imports_come_first(view):
    sample, selection = view
    selection.brush("mass", 100.0, 200.0)
    text = lines(sample, selection, "import numpy as np", "mean = np.mean(jets.p4.mass)")
    assert text.startswith("import numpy as np\nimport workbench as wb\n")
    expected = np.mean(np.asarray(sample.jets.p4.mass)[selection.mask])
    assert run(text)["mean"] == pytest.approx(expected)


def test_a_class_name_cannot_become_code():
    jets = toy_jets(20, 1)
    sample = SampleState()
    sample.take(jets)
    selection = SelectionState(sample)
    sample.expression = "pt > 0') or __import__('os').abort() or ('"
    assert compile(lines(sample, selection), "pane", "exec").co_names.count("__import__") == 0


def test_a_sample_without_a_file_says_what_to_put_in_its_place():
    sample = SampleState()
    sample.take(toy_jets(20, 1))
    assert NO_SOURCE in lines(sample, None)


@pytest.fixture(scope="module")
def explorer():
    made = JetExplorer()
    made.sample.take(parquet.read(wb.bundled("jets")), source=SOURCE)
    made.wait(120)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["mass", "sd_mass", "multiplicity", "tau21", "tau32"])
def test_the_lines_behind_a_histogram_give_its_contents(explorer, monkeypatch, name):
    drawn = []
    monkeypatch.setattr("bokeh.plotting.show", drawn.append)
    histogram = explorer.distributions.histograms[name]
    found = run(histogram.code)
    assert len(drawn) == 1
    for kind, densities in found["found"].items():
        (shown,) = [of for of in histogram.picture.drawn["classes"] if of["name"] == kind]
        expected = wb.physics.distributions.density(densities).value
        np.testing.assert_allclose(shown["value"], expected, rtol=1e-5, atol=1e-9)


def test_the_lines_behind_the_table_give_its_columns(explorer, capsys):
    explorer.selection.brush("mass", 100.0, 200.0)
    try:
        found = run(explorer.table._code())["found"]
        listed = explorer.table._listed()
        np.testing.assert_allclose(listed["m [GeV]"], found["mass"], atol=6e-4)
        np.testing.assert_allclose(listed["N"], found["multiplicity"])
    finally:
        explorer.selection.unbrush()
    assert "sd_mass" in capsys.readouterr().out


class Planted:
    """A tagger of three classes, whose scores of each are given."""

    classes, seed, parameters = ("QCD", "W", "top"), 0, 5
    engine = SimpleNamespace(network="planted")

    def score(self, jets, *, stop=None):
        mass = np.asarray(jets.p4.mass) / 1000
        scores = np.stack([1 - mass, mass / 3, 2 * mass / 3], axis=1)
        return ClassArray(scores, self.classes)


@pytest.mark.parametrize("name", ["score", "loss", "uncertainty"])
def test_the_lines_behind_a_column_of_a_tagger_of_three_classes_give_it(explorer, monkeypatch, name):
    drawn, analysis = [], explorer.analysis
    monkeypatch.setattr("bokeh.plotting.show", drawn.append)
    monkeypatch.setattr(wb, "open", lambda path: Planted())
    analysis.take(Planted(), "planted", source='wb.open("planted")')
    analysis.against("top", "QCD")
    explorer.wait(120)
    explorer.distributions.shown.value = [*explorer.distributions.shown.value, name]
    found = run(explorer.distributions.histograms[name].code)
    assert len(drawn) == 1
    np.testing.assert_allclose(found["values"], explorer.sample.column(name))


@pytest.mark.parametrize("name", ["score", "margin", "unusual"])
def test_the_lines_of_a_selection_by_an_added_column_select_the_same_jets(
    explorer, monkeypatch, name, capsys
):
    monkeypatch.setattr(wb, "open", lambda path: Planted())
    explorer.analysis.take(Planted(), "planted", source='wb.open("planted")')
    explorer.wait(120)
    explorer.sample.add(unusual=unusual(explorer.sample.jets))
    middle = float(np.median(explorer.sample.column(name)))
    try:
        explorer.selection.brush(name, middle, np.inf)
        found = run(explorer.table._code())
        assert (
            found["jets"].fingerprint
            == explorer.jets.with_columns(**{name: found["jets"].columns[name]}).fingerprint
        )
        assert explorer.distributions.histograms["score"].code.count("tagger = ") == 1
    finally:
        explorer.selection.unbrush()
