"""The lines of Python behind a pane run, and give the numbers that the pane shows."""

import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.data import parquet
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.code import NO_SOURCE, lines

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
