"""The history of edits: undo and redo are inverse, text gives the same edits again, nonsense changes nothing."""

from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.state.edits import MOST, EditHistory

NUMBER = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6))
EDITS = st.lists(st.tuples(st.sampled_from(["drop", "rescale", "kept"]), NUMBER, NUMBER), max_size=8)


def filled(edits, follows=True):
    history = EditHistory(follows=follows)
    for edit in edits:
        history.do(*edit)
    return history


@settings(deadline=None)
@given(edits=EDITS)
def test_undo_and_redo_are_inverse(edits):
    history = filled(edits)
    before = history.done
    for _ in range(len(edits) + 1):
        history.undo()
    assert history.done == []
    for _ in range(len(edits) + 1):
        history.redo()
    assert history.done == before
    history.reset()
    assert history.done == []
    for _ in edits:
        history.redo()
    assert history.done == before


@settings(deadline=None)
@given(edits=EDITS, follows=st.booleans())
def test_text_gives_the_same_edits_again(edits, follows):
    history, by_text, by_json = filled(edits, follows), EditHistory(), EditHistory()
    by_text.from_text(history.to_text())
    by_json.from_json(history.to_json())
    assert by_text.done == by_json.done == history.done
    assert by_json.follows == follows
    assert by_text.follows == (follows or not edits)


def test_the_text_is_short_and_needs_no_escapes():
    text = filled([("drop", 3), ("rescale", 0, 1.5), ("shift", 2, -0.1, 1e-5)], follows=False).to_text()
    assert text == "kept~drop_3~rescale_0_1.5~shift_2_-0.1_1e-05"
    assert quote_plus(text) == text
    assert EditHistory().to_text() == ""


def test_a_new_edit_forgets_what_was_undone_and_a_slider_leaves_one_edit():
    history = filled([("drop", 1), ("drop", 2)])
    history.undo()
    history.do("rescale", 0, 0.5)
    history.redo()
    for factor in (0.6, 0.7):
        history.amend("rescale", 0, factor)
    assert history.done == [("drop", 1), ("rescale", 0, 0.7)]
    history.undo()
    assert history.done == [("drop", 1)]


@pytest.mark.parametrize(
    "text",
    ["drop_x", "Drop_1", "drop_nan", "drop_inf", "drop_1e300", "~", "drop_1~", "a_1_2_3_4_5_6_7", "<b>_1", "x" * 5000,
     "~".join(["drop_1"] * (MOST + 1))],
)  # fmt: skip
def test_a_link_that_makes_no_sense_changes_nothing(text):
    history = filled([("drop", 1)])
    with pytest.raises(WorkbenchError, match="the jet is shown as it is") as caught:
        history.from_text(text)
    assert len(str(caught.value)) < 200
    assert history.done == [("drop", 1)]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"workbench": "edits"}', '{"workbench": "display", "version": 1, "edits": [], "follows": true}',
     '{"workbench": "edits", "version": 1, "follows": 1, "edits": []}',
     '{"workbench": "edits", "version": 1, "follows": true, "edits": [["drop", "1"]]}',
     '{"workbench": "edits", "version": 1, "follows": true, "edits": [["drop", NaN]]}',
     '{"workbench": "edits", "version": 1, "follows": true, "edits": [[]]}',
     "[" * 100_000],
)  # fmt: skip
def test_a_file_that_makes_no_sense_changes_nothing(text):
    history = filled([("drop", 1)])
    with pytest.raises(WorkbenchError, match="not a saved list of edits"):
        history.from_json(text)
    assert history.done == [("drop", 1)]


def test_no_edit_is_lost_silently():
    history = filled([("drop", 0)] * MOST)
    with pytest.raises(WorkbenchError, match=f"holds {MOST} edits"):
        history.do("drop", 0)
    with pytest.raises(WorkbenchError, match="is not an edit"):
        EditHistory().do("drop", True)
