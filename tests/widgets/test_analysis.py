"""The tagger that a page looks at: what it remembers of single jets, and what it never mixes up."""

import threading
import time
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.data.classes import ClassArray
from workbench.data.explanation import Explanation, Ledger
from workbench.errors import DataError
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import (
    NEIGHBOURS,
    WHOLE,
    Analysis,
    Explanations,
    entropy,
    held_out,
    neighbours,
)
from workbench.widgets.errands import Errands, alone

JETS = toy_jets(60, 3)


class Planted:
    """A tagger whose scores are given."""

    classes = ("QCD", "top")
    seed = 0
    engine = SimpleNamespace(network="planted")

    def __init__(self, factor):
        self.factor = factor

    def score(self, jets, *, stop=None):
        top = np.linspace(0, 1, len(jets))
        return ClassArray(np.stack([1 - top, top], axis=1), self.classes)


def explain(fitted, jets, *, rule, seed):
    """Relevance of every particle: its pT times the tagger's factor, with another sign under the rule 0."""
    relevance = jets.constituents.pt * fitted.factor * (1 if rule == "epsilon" else -1)
    total = ak.to_numpy(ak.sum(relevance, axis=1))
    return Explanation(relevance, relevance[..., None], ("pt",), Ledger(total, {"inputs": total}))


def expected(index, factor=1):
    return ak.to_list(JETS.constituents.pt[index] * factor)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def analysis(monkeypatch, asked):
    def noted(fitted, jets, *, rule, seed):
        asked.append(len(jets))
        return explain(fitted, jets, rule=rule, seed=seed)

    monkeypatch.setattr("workbench.widgets.analysis.public", lambda name: noted)
    sample = SampleState()
    made = Analysis(sample, SelectionState(sample), Errands())
    sample.take(JETS)
    made.take(Planted(1), "planted")
    settle(made.errands)
    yield made
    made.errands.close()


def test_the_jet_that_was_open_before_shows_the_identical_explanation_at_once(analysis):
    analysis.selection.pick(5)
    settle(analysis.errands)
    first = analysis.explanation
    analysis.selection.pick(30)
    settle(analysis.errands)
    analysis.selection.pick(5)
    assert analysis.explanation is first


def test_no_jet_is_ever_given_the_explanation_of_another(analysis):
    for index in (5, 6, 7, 5, 30, 4, 8, 29, 6):
        analysis.selection.pick(index)
        settle(analysis.errands)
        assert ak.to_list(analysis.explanation.relevance[0]) == expected(index)


def test_the_neighbours_in_the_order_of_the_selection_are_there_before_they_are_asked_for(analysis, asked):
    analysis.selection.order("score", descending=True)
    analysis.selection.pick(30)
    settle(analysis.errands)
    assert asked == [1, 2 * NEIGHBOURS]
    for index in (29, 28, 27):
        analysis.selection.step(1)
        assert analysis.selection.current == index
        assert ak.to_list(analysis.explanation.relevance[0]) == expected(index)


def test_another_tagger_another_rule_and_another_sample_are_explained_anew(analysis, monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.PATIENCE", 0.0)
    analysis.selection.pick(5)
    settle(analysis.errands)
    analysis.rule = "0"
    assert analysis.explanation is None
    settle(analysis.errands)
    assert ak.to_list(analysis.explanation.relevance[0]) == expected(5, -1)
    analysis.take(Planted(2), "another")
    settle(analysis.errands)
    assert ak.to_list(analysis.explanation.relevance[0]) == expected(5, -2)
    analysis.sample.take(JETS[::-1])
    assert analysis.explanation is None
    analysis.selection.pick(5)
    settle(analysis.errands)
    assert ak.to_list(analysis.explanation.relevance[0]) == expected(len(JETS) - 6, -2)


def test_what_was_not_looked_at_for_the_longest_time_is_forgotten_first():
    kept = Explanations(2)
    tagger, one = Planted(1), explain(Planted(1), JETS[:1], rule="0", seed=None)
    kept.keep(tagger, JETS, 0, explanation=one)
    kept.keep(tagger, JETS, 1, explanation=one)
    kept.find(tagger, JETS, 0)
    kept.keep(tagger, JETS, 2, explanation=one)
    assert [kept.find(tagger, JETS, i) is one for i in range(3)] == [True, False, True]


def test_neighbours_are_the_next_and_the_previous_in_turn_and_end_with_the_selection():
    order = np.array([9, 4, 7, 1, 3])
    assert neighbours(order, 7, 2) == [1, 4, 3, 9]
    assert neighbours(order, 3, 2) == [1, 7]
    assert neighbours(order, 5, 2) == []


def test_what_is_quick_is_taken_up_before_the_page_goes_on_and_what_is_slow_later():
    errands, taken, go = Errands(), [], threading.Event()
    errands.send("quick", lambda: 1, taken.append, patience=60)
    assert taken == [1]
    assert errands.doing == ""
    errands.send("slow", lambda: go.wait(60), taken.append, patience=0.01)
    assert taken == [1]
    assert errands.doing == "slow"
    go.set()
    settle(errands)
    assert taken == [1, True]
    errands.close()


def test_after_a_slow_one_nobody_waits_for_the_next_of_its_kind_until_one_was_quick():
    errands, taken = Errands(), []
    errands.send("one", lambda: time.sleep(0.05), lambda _: taken.append("slow"), patience=0.01)
    settle(errands)
    errands.send("one", lambda: None, lambda _: taken.append("quick"), patience=0.02)
    assert taken == ["slow"]
    settle(errands)
    errands.send("one", lambda: None, lambda _: taken.append("at once"), patience=60)
    assert taken == ["slow", "quick", "at once"]
    errands.close()


def test_what_fails_at_once_is_said_at_once():
    def fail():
        raise DataError("There is no jet.")

    errands = Errands()
    errands.send("quick", fail, lambda _: None, patience=60)
    assert errands.error == "There is no jet."
    assert not errands.waiting
    errands.close()


def test_an_explanation_that_is_there_at_once_never_leaves_the_jet_without_one(analysis, monkeypatch):
    monkeypatch.setattr("workbench.widgets.analysis.PATIENCE", 60.0)
    seen = []
    analysis.param.watch(lambda event: seen.append(event.new), "explanation")
    for index in (5, 30, 6):
        analysis.selection.pick(index)
        assert ak.to_list(analysis.explanation.relevance[0]) == expected(index)
    analysis.rule = "0"
    assert ak.to_list(analysis.explanation.relevance[0]) == expected(6, -1)
    assert len(seen) == 4
    assert None not in seen


def test_what_nobody_waits_for_is_not_said_to_be_done():
    errands = Errands()
    errands.send("looking ahead", lambda: 1, lambda _: None, quiet=True)
    assert errands.doing == ""
    assert errands.waiting
    errands.drop("looking ahead")
    assert not errands.waiting
    errands.close()


@pytest.mark.parametrize("ends", ["dropped", "replaced", "closed"])
def test_what_nobody_wants_any_more_is_told_to_stop(ends):
    errands, begun, stopped = Errands(), threading.Event(), threading.Event()

    def work(unwanted):
        begun.set()
        if unwanted.wait(20):
            stopped.set()

    errands.send("scoring", work, lambda found: None, stops=True)
    assert begun.wait(20)
    assert not stopped.is_set()
    if ends == "dropped":
        errands.drop("scoring")
    elif ends == "replaced":
        errands.send("scoring", lambda: None, lambda found: None)
    else:
        errands.close()
    assert stopped.wait(10)
    errands.close()


def test_the_jets_that_a_fit_never_saw_are_found_again_on_coming_back_to_its_sample(analysis):
    mask = np.asarray(JETS.p4.pt) > 560
    note = {WHOLE: JETS.fingerprint, "selection": "pt > 560", "seed": 4}
    analysis.take(Planted(2), "trained here", learned=note)
    settle(analysis.errands)
    np.testing.assert_array_equal(analysis.unseen, held_out(mask, 4))
    analysis.sample.take(toy_jets(40, 9))
    settle(analysis.errands)
    assert analysis.unseen is None
    assert not analysis.partly_seen
    analysis.sample.take(JETS)
    settle(analysis.errands)
    np.testing.assert_array_equal(analysis.unseen, held_out(mask, 4))


def test_a_fit_whose_jets_cannot_be_told_says_that_it_saw_some_of_the_sample(analysis):
    analysis.take(
        Planted(2), "trained here", learned={WHOLE: JETS.fingerprint, "selection": "pt >", "seed": 4}
    )
    settle(analysis.errands)
    assert analysis.unseen is None
    assert analysis.partly_seen


def test_another_pair_of_classes_gives_the_second_sample_its_score_too(analysis):
    second = SampleState()
    second.take(toy_jets(30, 5))
    analysis.beside = second
    settle(analysis.errands)
    before = second.column("score")
    analysis.against("QCD", "top")
    settle(analysis.errands)
    np.testing.assert_allclose(second.column("score"), 1 - before)


class Elsewhere(Planted):
    """A tagger of classes that the sample does not have."""

    classes = ("W", "Z")


class Failing(Planted):
    """A tagger that cannot score the sample."""

    def score(self, jets, *, stop=None):
        msg = "The jets have no tracks; give jets with tracks."
        raise DataError(msg)


def test_nothing_of_the_tagger_before_is_left_where_another_cannot_say_it(analysis):
    assert {"score", "loss"} <= set(analysis.sample.known)
    analysis.selection.brush("loss", 0, 1)
    analysis.selection.order("loss")
    analysis.take(Elsewhere(1), "of other classes")
    settle(analysis.errands)
    assert "loss" not in analysis.sample.known
    assert (analysis.selection.ranges, analysis.selection.by) == ({}, "")
    assert analysis.selection.count == len(JETS)
    analysis.take(Failing(1), "failing")
    settle(analysis.errands)
    assert "no tracks" in analysis.errands.error
    assert not {"score", "loss", "margin"} & set(analysis.sample.known)


class Cores:
    """What stands for the threads of this process: a limit is set and later put back to what was found."""

    now = 4

    def select(self, user_api):
        return self if user_api == "blas" else Cores()

    def limit(self, limits):
        return Limit(self, limits)


class Limit:
    def __init__(self, cores, limits):
        self.cores, self.found = cores, cores.now
        cores.now = limits

    def restore_original_limits(self):
        self.cores.now = self.found

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.restore_original_limits()


def test_work_that_overlaps_gives_all_cores_back_when_the_last_is_done(monkeypatch):
    cores = Cores()
    monkeypatch.setattr("workbench.widgets.errands.ThreadpoolController", lambda: cores)
    first, second = threading.Event(), threading.Event()
    both = threading.Barrier(3)
    threads = [
        threading.Thread(target=alone, args=(lambda done=done: both.wait(60) + done.wait(60),))
        for done in (first, second)
    ]
    for thread in threads:
        thread.start()
    both.wait(60)
    for done, thread, left in zip((first, second), threads, (1, 4), strict=True):
        done.set()
        thread.join()
        assert cores.now == left


def test_the_entropy_of_scores_is_that_of_the_closed_form():
    scores = np.array([[1.0, 0.0], [0.5, 0.5], [0.1, 0.9]])
    expected = [0.0, np.log(2), -0.1 * np.log(0.1) - 0.9 * np.log(0.9)]
    np.testing.assert_allclose(entropy(scores), expected)
    assert entropy(np.full((1, 5), 0.2)) == pytest.approx(np.log(5))
