"""Explanations on the disk: without loss, known again jet by jet, and gone on with after a stop."""

import json
import os
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest

import workbench as wb
from workbench.data import explanation_file
from workbench.data.explanation import concatenate
from workbench.errors import DataError, ExplanationError
from workbench.explanation import store
from workbench.explanation.rules import Epsilon, Gamma

from ..toys import toy_jets

JETS = toy_jets(30, seed=2)


@pytest.fixture(scope="module")
def fitted():
    return wb.Tagger(network="particlenet-lite", epochs=1).fit(toy_jets(60, seed=1), seed=1)


@pytest.fixture(scope="module")
def observing():
    names = ["mass", "multiplicity"]
    return wb.Tagger(network="mlp", observables=names, epochs=1).fit(toy_jets(60, seed=1), seed=1)


def same(one, other):
    """Raises unless two explanations are equal to the last bit, names, types and how they were made included."""
    assert ak.array_equal(one.relevance, other.relevance)
    assert ak.array_equal(one.features, other.features)
    assert type(one.relevance) is type(other.relevance)
    assert one.feature_names == other.feature_names
    np.testing.assert_array_equal(one.ledger.score, other.ledger.score)
    assert list(one.ledger.lines) == list(other.ledger.lines)
    for name, amount in one.ledger.lines.items():
        np.testing.assert_array_equal(amount, other.ledger.lines[name])
    assert list(one.recorded) == list(other.recorded)
    for name, values in one.recorded.items():
        assert ak.array_equal(values, other.recorded[name])
        assert type(values) is type(other.recorded[name])


class Counted:
    """`explain`, and how many jets it was given."""

    def __init__(self, monkeypatch):
        self.jets, self._explain = 0, store.explain
        monkeypatch.setattr(store, "explain", self)

    def __call__(self, fitted, jets, **how):
        self.jets += len(jets)
        return self._explain(fitted, jets, **how)


class After:
    """A stop that is set once so many steps were told."""

    def __init__(self, steps):
        self.steps, self.told = steps, []

    def is_set(self):
        return len(self.told) >= self.steps


@pytest.mark.parametrize("options", [{}, {"record": True}, {"rule": Gamma(0.5)}, {"method": "leave one out"}])
def test_what_is_written_is_read_again_to_the_last_bit(fitted, options, tmp_path):
    explanation = wb.explain(fitted, JETS[:5], **options)
    explanation_file.write(explanation, tmp_path / "e.parquet")
    found = explanation_file.read(tmp_path / "e.parquet")
    same(found, explanation)
    assert found.how == json.loads(json.dumps(explanation.how))
    assert explanation_file.read_how(tmp_path / "e.parquet") == found.how


def test_observables_stay_plain_arrays(observing, tmp_path):
    explanation = wb.explain(observing, JETS)
    explanation_file.write(explanation, tmp_path / "e.parquet")
    same(explanation_file.read(tmp_path / "e.parquet"), explanation)


def test_other_files_are_told_apart(tmp_path):
    (tmp_path / "e.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        explanation_file.read(tmp_path / "e.parquet")
    ak.to_parquet(ak.Array({"x": [1.0]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="no explanation"):
        explanation_file.read(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="no file"):
        explanation_file.read(tmp_path / "none.parquet")


def test_parts_become_the_whole_again(fitted):
    whole = wb.explain(fitted, JETS)
    same(concatenate([whole[:7], whole[7:8], whole[8:]]), whole)


def test_a_line_that_a_part_lacks_is_zero_there(fitted):
    one, other = wb.explain(fitted, JETS[:2], rule="0"), wb.explain(fitted, JETS[2:4])
    joined = concatenate([one, other])
    assert joined.ledger.lines["absorbed by epsilon"][:2].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(joined.ledger.rest, 0.0, atol=1e-5)


def test_explanations_of_different_features_do_not_become_one(fitted, observing):
    with pytest.raises(ExplanationError, match="different features"):
        concatenate([wb.explain(fitted, JETS[:2]), wb.explain(observing, JETS[:2])])


def test_what_is_kept_is_what_explain_gives_and_is_worked_out_once(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHARD", 8)
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    first = kept.explained(fitted, JETS)
    assert counted.jets == len(JETS)
    again = kept.explained(fitted, JETS)
    assert counted.jets == len(JETS)
    same(again, first)
    whole = wb.explain(fitted, JETS)
    # A jet's relevance in other company differs by the rounding of single precision.
    np.testing.assert_allclose(ak.flatten(first.relevance), ak.flatten(whole.relevance), atol=1e-5)
    assert first.how == whole.how


def test_jets_are_known_again_in_any_sample_and_order(fitted, monkeypatch, tmp_path):
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    whole = kept.explained(fitted, JETS)
    chosen = np.array([20, 3, 3, 11])
    same(kept.explained(fitted, JETS[chosen]), whole[chosen])
    relabelled = replace(JETS[5:9], weight=np.full(4, 2.0), label=np.zeros(4, dtype=np.int64))
    same(kept.explained(fitted, relabelled), whole[5:9])
    assert counted.jets == len(JETS)
    assert kept.known(fitted, toy_jets(4, seed=9)) == 0


def test_another_network_rule_score_or_method_is_another_explanation(fitted, monkeypatch, tmp_path):
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    jets = JETS[:4]
    ways = [
        {},
        {"rule": "gamma"},
        {"rule": Epsilon(0.2)},
        {"seed": ("QCD", "top")},
        {"method": "occlusion"},
        {"attention": "cp"},
    ]
    for way in ways:
        kept.explained(fitted, jets, **way)
    other = wb.Tagger(network="particlenet-lite", epochs=1).fit(toy_jets(60, seed=1), seed=2)
    kept.explained(other, jets)
    assert counted.jets == 4 * (len(ways) + 1)
    # The defaults written out are the same way.
    kept.explained(fitted, jets, rule=Epsilon(), seed="top", method="lrp", attention="attnlrp", record=False)
    assert counted.jets == 4 * (len(ways) + 1)


def test_a_stopped_run_goes_on_where_it_was(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHARD", 8)
    kept, counted, stop = store.Explanations(tmp_path), Counted(monkeypatch), After(3)
    part = kept.explained(fitted, JETS, report=stop.told.append, stop=stop)
    # The first step tells what was known; then one per portion of eight.
    assert len(part) == 16
    assert [step.done for step in stop.told] == [0, 8, 16]
    assert kept.known(fitted, JETS) == 16
    steps = []
    whole = kept.explained(fitted, JETS, report=steps.append)
    assert counted.jets == len(JETS)
    assert (steps[0].done, steps[-1].done, steps[-1].total) == (16, 30, 30)
    same(whole[:16], replace(part, how=whole.how))


def test_stopped_before_the_first_jet_there_is_no_explanation(fitted, tmp_path):
    with pytest.raises(ExplanationError, match="stopped before"):
        store.Explanations(tmp_path).explained(fitted, JETS, stop=After(0))


def test_a_damaged_file_is_worked_out_again(fitted, monkeypatch, tmp_path):
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    whole = kept.explained(fitted, JETS)
    (file,) = tmp_path.glob("*/*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    same(kept.explained(fitted, JETS), whole)
    assert counted.jets == 2 * len(JETS)


def test_portions_are_the_jets_in_order_with_what_is_known_read_and_the_rest_worked_out(
    fitted, monkeypatch, tmp_path
):
    monkeypatch.setattr(store, "SHARD", 8)
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    known = kept.explained(fitted, JETS[4:10])
    parts = list(kept.portions(fitted, JETS))
    assert counted.jets == len(JETS)
    assert [len(part) for part, _ in parts] == [len(found) for _, found in parts] == [8, 8, 8, 6]
    whole = concatenate([found for _, found in parts])
    same(whole[4:10], known)
    same(whole, kept.explained(fitted, JETS))
    assert all(found.how["sample"] == part.fingerprint for part, found in parts)
    stopped = kept.portions(fitted, JETS, stop=(stop := After(1)))
    for part, _ in stopped:
        stop.told.append(len(part))
    assert stop.told == [8]


def test_what_cannot_be_kept_is_explained_all_the_same_and_once(fitted, monkeypatch, tmp_path):
    counted = Counted(monkeypatch)
    (tmp_path / "file").write_text("no folder")
    ((_, found),) = store.Explanations(tmp_path / "file").portions(fitted, JETS[:5])
    assert counted.jets == 5
    same(found, wb.explain(fitted, JETS[:5]))


def test_a_file_that_somebody_deletes_meanwhile_costs_no_jet(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHARD", 8)
    kept = store.Explanations(tmp_path)
    whole = kept.explained(fitted, JETS)
    found = []
    for _, part in kept.portions(fitted, JETS):
        found.append(part)
        kept.delete()
    np.testing.assert_allclose(
        ak.flatten(concatenate(found).relevance), ak.flatten(whole.relevance), atol=1e-5
    )


def test_explanations_that_are_deleted_while_others_are_worked_out_are_not_left_out_in_silence(
    fitted, monkeypatch, tmp_path
):
    monkeypatch.setattr(store, "SHARD", 8)
    kept = store.Explanations(tmp_path)
    kept.explained(fitted, JETS[:8])
    explain = store.explain
    monkeypatch.setattr(store, "explain", lambda *args, **how: kept.delete() or explain(*args, **how))
    with pytest.raises(ExplanationError, match=r"deleted|stopped before"):
        kept.explained(fitted, JETS)


def test_what_was_not_used_for_longest_makes_room(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHARD", 10)
    kept, counted = store.Explanations(tmp_path), Counted(monkeypatch)
    kept.explained(fitted, JETS)
    for age, file in enumerate(sorted(tmp_path.glob("*/*.parquet"))):
        os.utime(file, (age, age))
    list(kept.portions(fitted, JETS[10:20]))
    size = sum(file.stat().st_size for file in tmp_path.glob("*/*.parquet"))
    # Two of three files fit, and then none but the newest.
    list(replace(kept, most=size - 1).portions(fitted, JETS[10:20]))
    assert (kept.known(fitted, JETS), kept.known(fitted, JETS[10:20])) == (20, 10)
    list(replace(kept, most=size // 2).portions(fitted, JETS[10:20]))
    assert (kept.known(fitted, JETS), kept.known(fitted, JETS[10:20])) == (10, 10)
    assert counted.jets == len(JETS)


def test_what_is_deleted_is_gone(fitted, tmp_path):
    kept = store.Explanations(tmp_path)
    kept.explained(fitted, JETS[:3])
    kept.delete()
    assert kept.known(fitted, JETS) == 0


def test_a_rule_that_hides_its_settings_is_not_kept(fitted, tmp_path):
    class Own:
        absorbs = "absorbed"

        def __call__(self, layer):
            return Epsilon()(layer)

    with pytest.raises(ExplanationError, match="does not tell its settings"):
        store.Explanations(tmp_path).explained(fitted, JETS, rule=Own())


def test_a_jet_is_known_by_its_particles_and_momentum_alone():
    keys = store.keys_of(JETS)
    assert len(set(keys)) == len(JETS)
    assert store.keys_of(JETS[4:6]) == keys[4:6]
    name = ak.fields(JETS.p4)[0]
    moved = replace(JETS, p4=ak.with_field(JETS.p4, JETS.p4[name] * (1 + 1e-15), name))
    assert not set(store.keys_of(moved)) & set(keys)
    assert store.keys_of(JETS[:0]) == []
