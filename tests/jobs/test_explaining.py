"""Large samples explained in the background: in parts, stopped, gone on with, equal to what this process gives."""

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from tests.toys import toy_jets
from workbench.errors import ExplanationError
from workbench.explanation.store import Explanations
from workbench.jobs import submit as jobs
from workbench.jobs.explaining import submit_explanation

LONG = 120


@pytest.fixture(scope="module", autouse=True)
def workers():
    jobs.warm()
    yield
    jobs.close()


@pytest.fixture(scope="module")
def fitted():
    return wb.Tagger(network="pfn", epochs=1).fit(toy_jets(60, seed=1), seed=1)


def test_parts_of_two_workers_are_the_explanation_of_this_process(fitted, tmp_path):
    sample = toy_jets(41, seed=2)
    work = submit_explanation(fitted, sample, folder=tmp_path, parts=2)
    found = work.result(LONG)
    whole = wb.explain(fitted, sample)
    assert (work.done, work.total, work.over, work.error) == (41, 41, True, "")
    np.testing.assert_allclose(ak.flatten(found.relevance), ak.flatten(whole.relevance), atol=1e-5)
    np.testing.assert_allclose(found.ledger.score, whole.ledger.score, atol=1e-5)
    assert ak.num(found.relevance).tolist() == sample.counts.tolist()
    assert Explanations(tmp_path).known(fitted, sample) == 41


def test_what_is_known_is_not_done_again(fitted, tmp_path):
    sample = toy_jets(12, seed=3)
    submit_explanation(fitted, sample, folder=tmp_path, parts=1).result(LONG)
    before = {file: file.stat().st_ino for file in tmp_path.glob("*/*.parquet")}
    again = submit_explanation(fitted, sample, folder=tmp_path, parts=2)
    assert len(again.result(LONG)) == 12
    assert {file: file.stat().st_ino for file in tmp_path.glob("*/*.parquet")} == before


def test_a_stop_before_anything_began_says_so(fitted, tmp_path):
    work = submit_explanation(fitted, toy_jets(2000, seed=4), folder=tmp_path, parts=20)
    work.stop()
    assert work.wait(LONG)
    assert work.error == ""
    known = Explanations(tmp_path).known(fitted, toy_jets(2000, seed=4))
    assert known < 2000
    if known == 0:
        with pytest.raises(ExplanationError, match="stopped before"):
            work.result(LONG)


def test_a_refusal_comes_back_as_it_is(fitted, tmp_path):
    with pytest.raises(ExplanationError, match="did you mean 'epsilon'"):
        submit_explanation(fitted, toy_jets(3, seed=5), folder=tmp_path, rule="epsilom").result(LONG)
    with pytest.raises(ExplanationError, match="no jets to explain"):
        submit_explanation(fitted, toy_jets(3, seed=5)[:0], folder=tmp_path)
