"""How good the tagger is: measured live while it learns, finally on jets that it never saw, and on a second sample."""

import html
from types import SimpleNamespace

import numpy as np
import pytest

from tests.patience import settle
from tests.toys import MassCut, toy_jets
from workbench.data.classes import ClassArray
from workbench.physics.roc import roc
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.views.performance import CURVE
from workbench.widgets.analysis import WHOLE, Analysis, Live, held_out
from workbench.widgets.errands import Errands
from workbench.widgets.performance import Performance
from workbench.widgets.text import with_error

JETS = toy_jets(400, 3)
NAMES = ("QCD", "top")


def live(epoch, power):
    """A planted epoch: 300 jets whose score is the truth, blurred by another noise for another power."""
    random = np.random.default_rng(epoch)
    label = np.arange(300) % 2
    top = (0.3 * label + random.uniform(size=300) ** power) / 1.3
    return Live("mlp, seed 1", epoch, "epochs", np.stack([1 - top, top], axis=1), label, NAMES)


@pytest.fixture
def panes():
    sample = SampleState()
    errands = Errands()
    analysis = Analysis(sample, SelectionState(sample), errands)
    made = SimpleNamespace(analysis=analysis, errands=errands, pane=Performance(analysis, errands))
    sample.take(JETS)
    yield made
    errands.close()


def expected(planted):
    return roc(
        ClassArray(planted.label, NAMES), ClassArray(planted.scores, NAMES), signal="top", background="QCD"
    )


def test_the_live_curve_is_the_roc_of_the_validation_scores_and_moves_with_every_epoch(panes):
    for planted in (live(1, 0.3), live(2, 2.0)):
        panes.analysis.live = planted
        settle(panes.errands)
        band = expected(planted).band(CURVE)
        known = np.isfinite(band.value)
        shown = panes.pane.curves.live.data
        np.testing.assert_allclose(shown["signal"], band.signal_efficiency[known], rtol=1e-6)
        np.testing.assert_allclose(shown["rejection"], band.value[known], rtol=1e-5)
        assert panes.pane.figures["auc"][1].object.startswith(f"{expected(planted).auc:.3f}"[:4])
        assert f"epoch {planted.epoch}, validation sample" in html.unescape(panes.pane.rule.object)


def test_the_shape_of_the_score_moves_with_the_epoch(panes):
    planted = live(3, 1.0)
    panes.analysis.live = planted
    settle(panes.errands)
    shown = panes.pane.curves.live_scores.data
    for name, which in (("QCD", planted.label == 0), ("top", planted.label == 1)):
        mine = shown["class"] == name
        counts, edges = np.histogram(planted.scores[which, 1], 40, (0, 1))
        np.testing.assert_allclose(shown["left"][mine], edges[:-1][counts > 0], atol=1e-5)
        np.testing.assert_allclose(shown["density"][mine], counts[counts > 0] / counts.sum() * 40, rtol=1e-5)


def test_an_epoch_that_comes_while_another_is_measured_is_not_lost(panes):
    panes.analysis.live = live(1, 1.0)
    panes.analysis.live = live(2, 1.0)
    panes.analysis.live = live(9, 1.0)
    settle(panes.errands)
    assert "epoch 9" in panes.pane.rule.object


def test_when_the_fit_is_over_the_numbers_are_those_on_unseen_jets(panes):
    panes.analysis.live = live(3, 1.0)
    settle(panes.errands)
    unseen = np.arange(len(JETS)) < 200
    panes.analysis.take(MassCut(), "mass cut", unseen)
    panes.analysis.live = None
    settle(panes.errands)
    assert "that the fit never saw" in panes.pane.rule.object
    assert "100 top against 100 QCD" in panes.pane.rule.object
    assert len(panes.pane.curves.live.data["signal"]) == 0
    assert len(panes.pane.curves.tagger.data["signal"]) > 0
    assert panes.pane.roc.n_signal == 100


def test_a_fit_that_ends_without_a_tagger_leaves_what_was_measured_before(panes):
    panes.analysis.take(MassCut(), "mass cut")
    settle(panes.errands)
    before = panes.pane.figures["auc"][1].object
    panes.analysis.live = live(1, 0.3)
    settle(panes.errands)
    assert panes.pane.figures["auc"][1].object != before
    panes.analysis.live = None
    assert panes.pane.figures["auc"][1].object == before
    assert "mass cut" in panes.pane.rule.object


def test_a_second_sample_is_drawn_beside_the_first_with_its_own_area(panes):
    panes.analysis.take(MassCut(), "mass cut")
    other, jets = SampleState(), toy_jets(300, 8)
    other.take(jets, "another tune")
    panes.analysis.beside = other
    settle(panes.errands)
    curve = roc(jets.label, MassCut().score(jets), signal="top", background="QCD")
    assert f"another tune, AUC {curve.auc:.3f}"[:-1] in html.unescape(panes.pane.second.object)
    assert len(panes.pane.curves.beside.data["signal"]) > 0
    np.testing.assert_allclose(other.column("score"), np.asarray(MassCut().score(jets))[:, 1], rtol=1e-9)


def test_of_a_second_sample_without_classes_only_the_shape_is_compared(panes):
    panes.analysis.take(MassCut(), "mass cut")
    other = SampleState()
    other.take(toy_jets(300, 8, classes=("W", "Z")), "data")
    panes.analysis.beside = other
    settle(panes.errands)
    assert "only the shape" in panes.pane.second.object
    assert len(panes.pane.curves.beside.data["signal"]) == 0
    assert len(panes.pane.curves.beside_scores.data["density"]) > 0


def test_a_click_on_the_curve_opens_the_jet_at_the_threshold_of_that_efficiency(panes):
    panes.analysis.take(MassCut(), "mass cut")
    settle(panes.errands)
    panes.pane._open_at(SimpleNamespace(x=0.3))
    cut = panes.pane.measured.curve.cut(0.3, "interpolated")
    score = panes.analysis.sample.column("score")
    assert panes.analysis.selection.current == int(np.argmin(np.abs(score - cut)))


def test_only_curves_that_are_there_stand_in_the_legend(panes):
    panes.analysis.take(MassCut(), "mass cut")
    settle(panes.errands)
    legend = {item.label.value: item.visible for item in panes.pane.rejection.legend[0].items}
    assert legend == {"this tagger": True, "being trained": False, "second sample": False, "guessing": True}


def test_of_a_second_sample_that_it_learned_from_only_the_jets_it_never_saw_are_measured(panes):
    jets = toy_jets(300, 8)
    note = {WHOLE: jets.fingerprint, "selection": "pt > 0", "seed": 4}
    panes.analysis.take(MassCut(), "mass cut", learned=note)
    other = SampleState()
    other.take(jets, "where it learned")
    panes.analysis.beside = other
    settle(panes.errands)
    unseen = jets[held_out(np.ones(300, bool), 4)]
    curve = roc(unseen.label, MassCut().score(unseen), signal="top", background="QCD")
    said = html.unescape(panes.pane.second.object)
    assert with_error(curve.auc, curve.auc_error) in said
    assert "75 jets that the fit never saw" in said
    panes.analysis.take(MassCut(), "mass cut", learned={**note, "selection": "pt >"})
    settle(panes.errands)
    assert "may look too good" in html.unescape(panes.pane.second.object)
