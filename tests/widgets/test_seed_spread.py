"""Networks of other seeds on the page: chosen by name, judged in the way of the page, nothing old under a new name."""

import numpy as np
import pytest

from tests.widgets.test_trust import JETS, TAGGER, made  # noqa: F401
from workbench.explanation.planted import planted_tagger
from workbench.explanation.seeds import judge_spread
from workbench.jobs.job import Answer, Job
from workbench.widgets import study
from workbench.widgets.networks import PLANTED
from workbench.widgets.relevance_study import STALE
from workbench.widgets.seed_spread import FEW, SeedSpread

TAGGERS = {"one": TAGGER, "other": planted_tagger(weight=1.0), "third": planted_tagger(weight=3.0)}


@pytest.fixture
def pane(made, monkeypatch):  # noqa: F811
    def at_once(function, *args, name="", owner="", note=None, urgent=False, **how):
        job = Job(name)
        job.finish(Answer(value=function(*args, **how)))
        return job

    monkeypatch.setattr(study, "submit_call", at_once)
    pane = SeedSpread(made.analysis)
    made.settle()
    assert PLANTED in pane.chosen.options.values()
    pane.networks.check = lambda name: None
    pane.networks.read = lambda name: (TAGGERS[name], name, f"wb.open('{name}')", {})
    pane.chosen.options = {name: name for name in TAGGERS}
    pane.settle = made.settle
    return pane


def run(pane):
    pane.study.ask()
    for _ in range(3):
        pane.settle()
        pane.beat()
    assert pane.found is not None, pane.study.told.object


def test_fewer_than_two_networks_have_no_spread(pane):
    pane.chosen.value = ["one"]
    assert (pane.study.told.object, pane.study.start.disabled) == (FEW, True)


def test_what_stands_there_is_what_the_study_found(pane):
    pane.chosen.value = list(TAGGERS)
    pane.number.value = 50
    run(pane)
    drawn = JETS[np.random.default_rng(1).permutation(len(JETS))[:50]]
    found = judge_spread(list(TAGGERS.values()), drawn, seed=pane.analysis.seed)
    assert found.size == pane.found.size
    assert f"{float(found.size.value):.3f}" in pane.numbers.object
    assert "3 networks, 50 jets" in pane.told.object
    assert len(pane.frame()) == drawn.counts.sum()
    for name in TAGGERS:
        assert f"wb.open('{name}')" in pane.code()
    compile(pane.code(), "", "exec")


@pytest.mark.parametrize(
    "change",
    [
        lambda pane: pane.analysis.param.update(rule="gamma"),
        lambda pane: pane.analysis.param.update(method="occlusion"),
        lambda pane: pane.analysis.selection.choose("multiplicity > 14"),
        lambda pane: pane.chosen.param.update(value=["one", "third"]),
    ],
    ids=["rule", "method", "selection", "networks"],
)
def test_what_was_found_of_anything_else_is_said_to_be_old(pane, change):
    pane.chosen.value = ["one", "other"]
    run(pane)
    assert STALE not in pane.stale.object
    change(pane)
    assert STALE in pane.stale.object


def test_another_sample_takes_it_away(pane):
    pane.chosen.value = ["one", "other"]
    run(pane)
    pane.analysis.sample.take(JETS[:20])
    assert pane.found is None
    assert not pane.numbers.object
