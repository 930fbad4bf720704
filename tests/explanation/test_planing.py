"""Planing: classes made alike in an observable, and what a network can no longer do."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.engines.tagging import Tagger
from workbench.errors import ExplanationError
from workbench.explanation.ordering import area, sides
from workbench.explanation.planing import planed, planing

from ..patience import After
from ..toys import toy_jets

LABEL = np.arange(4000) % 2


def shifted(seed):
    """An observable that carries the label: normal, one sigma higher for class 1."""
    return np.random.default_rng(seed).normal(LABEL * 1.0, 1.0)


def test_every_class_is_flat_over_the_bins_and_keeps_its_weight():
    values, weight = shifted(1), np.random.default_rng(2).uniform(0.5, 1.5, 4000)
    edges = np.linspace(-1, 2, 26)
    found = planed(values, LABEL, weight, edges=edges)
    for c in (0, 1):
        mine = c == LABEL
        heights, _ = np.histogram(values[mine], edges, weights=found.weight[mine])
        np.testing.assert_allclose(heights, weight[mine].sum() / 25, rtol=1e-12)


def test_a_label_carried_by_one_observable_alone_is_gone():
    """AUC 0.76 before, 1/2 after. Within a bin the classes differ by less than a bin's share of what they differed by."""
    values = shifted(3)
    found = planed(values, LABEL)
    before = area(values, sides(LABEL == 1, LABEL == 0, draws=100))
    after = area(values, sides(LABEL == 1, LABEL == 0, found.weight, draws=100))
    assert before.value == pytest.approx(0.76, abs=0.04)  # Φ(1/√2), 5 σ of 2,000 jets of each class
    assert abs(after.value - 0.5) < (before.value - 0.5) / 20


def test_what_the_label_does_not_depend_on_stays_as_it_was():
    """Planing what the classes have in common gives every jet nearly the same weight."""
    values = np.random.default_rng(4).normal(size=4000)
    found = planed(values, LABEL)
    assert found.effective > 0.9 * 4000
    assert found.left_out == 0


def test_jets_without_a_counterpart_are_left_out_and_counted():
    values = np.where(np.arange(4000) < 100, np.nan, shifted(5))
    values[100:110] = 50.0
    label = LABEL.copy()
    label[100:110] = 1
    label[110:120] = -1
    found = planed(values, label, edges=np.array([-10.0, 10.0, 100.0]))
    assert found.left_out == 120
    assert (found.weight[:120] == 0).all()
    assert (found.weight[120:] > 0).all()


def test_bins_of_equal_population_bear_many_equal_values():
    values = np.random.default_rng(6).poisson(3 + LABEL).astype(float)
    found = planed(values, LABEL)
    after = area(values, sides(LABEL == 1, LABEL == 0, found.weight, draws=10))
    assert after.value == pytest.approx(0.5, abs=0.02)


def test_planing_needs_classes_that_overlap():
    with pytest.raises(ExplanationError, match="separates them completely"):
        planed(LABEL + 0.0, LABEL, edges=[-0.5, 0.5, 1.5])
    with pytest.raises(ExplanationError, match="1 classes"):
        planed(shifted(1), np.zeros(4000))
    with pytest.raises(ExplanationError, match="rising edges"):
        planed(np.ones(4000), LABEL)


def test_a_network_that_learned_one_observable_alone_falls_to_a_coin():
    """The jets of both classes are alike but for their number of particles, and trees see nothing else.

    5 σ: one false alarm in 1.7 million.
    """
    jets = toy_jets(1200, seed=7, classes=("QCD",))
    rng = np.random.default_rng(8)
    few = jets.counts < np.quantile(jets.counts, rng.uniform(0.1, 0.9, len(jets)))
    label = np.where(few, 0, 1)
    jets = replace(jets, label=label, classes=("QCD", "top"))
    engine = Tagger(network="trees", observables=["multiplicity"], iterations=20, leaves=8)
    found = planing(engine, jets, ("multiplicity",), random=1, draws=100)
    before, after = found.rows
    assert before.auc.value > 0.7
    assert abs(after.auc.value - 0.5) < 5 * after.auc.error
    assert abs(after.alone.value - 0.5) < 0.03
    assert after.fall.value > 5 * after.fall.error
    assert found.columns()["without"].tolist() == ["nothing", "multiplicity"]


def test_a_network_that_never_needed_the_observable_keeps_its_power():
    """The direction of a jet knows nothing of its class: what is lost is lost to weights, within 5 σ nothing."""
    jets = toy_jets(1200, seed=9)
    engine = Tagger(network="trees", observables=["tau21"], iterations=20, leaves=8)
    found = planing(engine, jets, ("phi",), random=1, draws=100)
    assert abs(found.rows[1].fall.value) < 5 * found.rows[1].fall.error + 0.01


def test_a_stop_keeps_the_rows_so_far(tmp_path):
    import pandas as pd

    jets = toy_jets(300, seed=9)
    engine = Tagger(network="trees", observables=["mass"], iterations=20, leaves=4)
    found = planing(engine, jets, ("phi",), draws=10, stop=After(25))
    assert [row.name for row in found.rows] == ["nothing"]
    assert len(pd.read_parquet(found.to_parquet(tmp_path / "planing.parquet"))) == 1
    with pytest.raises(ExplanationError, match="start it again"):
        planing(engine, jets, ("phi",), draws=10, stop=After(0))
