"""Edits by hand: the score follows, every edit is one step back, the picked particle stays, nothing of another jet is shown."""

import time
from dataclasses import replace
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.data.explanation import Explanation, Ledger
from workbench.explanation.edits import EDITS
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.what_if import NOBODY, WhatIf

JETS = toy_jets(20, 3)

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


class Counting:
    """A tagger whose log-odds are the number of particles."""

    classes = ("QCD", "top")
    engine = SimpleNamespace(network="planted")

    def score(self, jets, *, stop=None):
        top = 1 / (1 + np.exp(-jets.counts.astype(float)))
        return ClassArray(np.stack([1 - top, top], axis=1), self.classes)


def explain(fitted, jets, **how):
    """Each particle has relevance 1, so that the score is their number."""
    one = ak.ones_like(jets.constituents.pt)
    total = jets.counts.astype(float)
    return Explanation(
        one, one[..., None], ("pt",), Ledger(total, {"inputs": total}), how={"rule": "epsilon", **how}
    )


def settle(errands):
    ends = time.monotonic() + 60
    while errands.waiting and time.monotonic() < ends:
        errands.collect()
        time.sleep(0.002)
    assert not errands.waiting


@pytest.fixture
def what_if(monkeypatch):
    for room in ("analysis", "what_if"):
        monkeypatch.setattr(f"workbench.widgets.{room}.public", lambda name: explain)
    sample = SampleState()
    selection = SelectionState(sample)
    analysis = Analysis(sample, selection, Errands())
    made = WhatIf(analysis)
    sample.take(JETS)
    analysis.take(Counting(), "planted")
    selection.pick(5)
    settle(analysis.errands)
    yield made
    analysis.errands.close()


def click(what_if, name):
    what_if.do(name, *what_if.tools.numbers(name))
    settle(what_if.analysis.errands)


def score(what_if):
    settle(what_if.analysis.errands)
    return float(what_if.explanation.ledger.score[0])


def test_every_edit_changes_the_jet_and_the_score_follows(what_if):
    n = JETS.counts[5]
    changes = {"drop": -1, "split": 1, "add": 1, "radiate": 10}
    for name in EDITS:
        if name == "delete":
            continue
        click(what_if, name)
        assert what_if.notice.object == ""
        n += changes.get(name, 0)
        assert score(what_if) == n == len(what_if.sources["after"].data["pt"])
    click(what_if, "delete")
    assert score(what_if) < n
    assert len(what_if.sources["before"].data["pt"]) == JETS.counts[5]
    assert what_if.steps.object.count("<tr>") == len(EDITS) + 1
    assert len(what_if.analysis.sample) == len(JETS)


def test_undo_and_redo_go_back_and_forth_through_the_same_jets(what_if):
    click(what_if, "rescale")
    one = what_if.jet
    click(what_if, "drop")
    two = what_if.jet
    what_if.history.undo()
    assert what_if.jet is one
    what_if.history.redo()
    assert what_if.jet.fingerprint == two.fingerprint
    what_if.history.reset()
    assert score(what_if) == JETS.counts[5]
    assert "not edited yet" in what_if.verdict.object
    assert (what_if.undo.disabled, what_if.redo.disabled) == (True, False)


def test_the_sentence_tells_score_and_change(what_if):
    click(what_if, "drop")
    n = JETS.counts[5]
    assert f"{n:+.3f} → {n - 1:+.3f} log-odds, a change of -1.000" in what_if.verdict.object
    assert f"{n} → {n - 1} particles" in what_if.who.object


def test_a_slider_moves_the_edit_that_was_just_made_and_no_other(what_if):
    click(what_if, "rescale")
    factor = what_if.tools.sliders["rescale", "Factor"]
    for value in (0.6, 0.7):
        factor.value = value
    assert what_if.history.done == [("rescale", 0, 0.7)]
    assert ak.max(what_if.jet.constituents.pt) >= 0.7 * ak.max(JETS.constituents.pt[5]) - 1e-6
    click(what_if, "drop")
    factor.value = 2.0
    what_if.tools.sliders["add", "pT [GeV]"].value = 99.0
    assert [edit[0] for edit in what_if.history.done] == ["rescale", "drop"]


def test_the_picked_particle_stays_picked_when_its_rank_changes(what_if):
    what_if.picked = 2
    what_if.do("rescale", 4.0)
    settle(what_if.analysis.errands)
    assert what_if.jet.columns["came_from"][0][what_if.picked] == 2
    assert what_if.sources["before"].selected.indices == [2]
    assert what_if.sources["after"].selected.indices == [what_if.picked]
    assert what_if.number.value == what_if.picked + 1
    assert what_if.table.selection == [what_if.picked]
    what_if.sources["before"].selected.indices = [1]
    assert what_if.jet.columns["came_from"][0][what_if.picked] == 1


def test_what_was_dropped_and_what_is_new_have_rings(what_if):
    what_if.picked = 1
    click(what_if, "drop")
    click(what_if, "add")
    before, after = (np.flatnonzero(what_if.sources[side].data["ring"]) for side in ("before", "after"))
    assert before.tolist() == [1]
    assert [what_if.sources["after"].data["before"][i] for i in after] == ["new"]


def test_under_a_slow_method_the_score_that_is_chosen_is_the_one_that_is_shown(what_if):
    analysis = what_if.analysis
    analysis.method = "shapley sampling"
    settle(analysis.errands)
    assert "Score top against QCD: +" in what_if.verdict.object
    assert what_if.explanation.how["seed"] == ("top", "QCD")
    analysis.against("QCD", "top")
    settle(analysis.errands)
    assert "Score QCD against top: +" in what_if.verdict.object
    assert what_if.explanation.how["seed"] == ("QCD", "top")


def test_another_jet_starts_as_it_is(what_if):
    click(what_if, "drop")
    what_if.analysis.selection.pick(6)
    assert score(what_if) == JETS.counts[6]
    assert what_if.history.done == what_if.history.undone == []
    np.testing.assert_allclose(what_if.sources["after"].data["pt"], JETS.constituents.pt[6], rtol=1e-6)


def test_a_jet_of_one_particle_can_lose_it_and_get_another(what_if):
    few = replace(JETS, constituents=JETS.constituents[:, :1], columns={})
    what_if.analysis.sample.take(few)
    what_if.analysis.selection.pick(0)
    settle(what_if.analysis.errands)
    click(what_if, "drop")
    assert score(what_if) == 0
    assert what_if.picked == -1
    assert "no particles left" in what_if.told.object
    assert what_if.tools.buttons["drop"].disabled
    click(what_if, "radiate")
    assert "no momentum that soft radiation could be a share of" in what_if.notice.object
    assert what_if.history.done == [("drop", 0)]
    click(what_if, "add")
    assert score(what_if) == 1
    assert what_if.notice.object == ""


def test_an_edit_that_cannot_be_done_leaves_a_sentence_and_no_trace(what_if):
    click(what_if, "drop")
    what_if.do("delete", 5, 2)
    assert "There is no subjet 5: the jet has 2" in what_if.notice.object
    what_if.history.from_text("drop_0~nonsense_1~drop_0")
    assert what_if.history.done == [("drop", 0)]
    assert "no edit &#x27;nonsense&#x27;" in what_if.notice.object


def test_the_axis_follows_or_stays(what_if):
    click(what_if, "drop")
    moved = what_if.jet.p4.pt[0]
    what_if.follows.value = False
    assert what_if.jet.p4.pt[0] == JETS.p4.pt[5] != moved
    assert what_if.history.to_text() == "kept~drop_0"


def test_without_a_tagger_the_jet_can_be_edited_and_without_a_jet_nothing():
    sample = SampleState()
    analysis = Analysis(sample, SelectionState(sample), Errands())
    alone = WhatIf(analysis)
    assert alone.who.object == NOBODY.replace("'", "&#x27;")
    alone.do("drop")
    assert alone.history.done == []
    sample.take(JETS)
    analysis.selection.pick(3)
    alone.do("drop")
    assert len(alone.sources["after"].data["pt"]) == JETS.counts[3] - 1
    assert "Choose or train a tagger" in alone.verdict.object
    analysis.errands.close()


def test_numbers_and_code_repeat_what_is_shown(what_if):
    click(what_if, "drop")
    numbers = what_if._numbers()
    n = JETS.counts[5]
    assert numbers["jet"].tolist() == ["before"] * n + ["after"] * (n - 1)
    assert {"pT [GeV]", "Δφ [rad]", "relevance [log-odds]"} <= set(numbers.columns)
    code = what_if._code()
    assert "after = edited(jet, [('drop', 0)], axis='follows')" in code
    compile(code, "code", "exec")
