"""Networks as ONNX operators give the same logits: computed here operator by operator, and by onnxruntime where it is."""

import json
import sys

import awkward as ak
import numpy as np
import pytest
import torch

import workbench as wb
from tests.toys import toy_jets
from workbench.data.jets import Jets
from workbench.engines import onnx_file
from workbench.engines.onnx_file import LOGITS, MASK, SCORES, graph_of, padded
from workbench.engines.tagging import Tagger
from workbench.errors import StoreError

TOLERANCE = 1e-4
"""Logits in single precision: the sums of hundreds of terms of order one are taken in another order."""

OPERATORS = {
    "MatMul": torch.matmul, "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Max": torch.maximum,
    "Min": torch.minimum, "Relu": torch.relu, "Neg": torch.neg, "Where": torch.where, "IsNaN": torch.isnan, "Less": torch.lt,
    "Equal": torch.eq, "Or": torch.logical_or, "Identity": lambda x: x, "Range": torch.arange,
    "Shape": lambda x: torch.tensor(x.shape), "Reshape": lambda x, shape: x.reshape(*shape.tolist()),
    "Unsqueeze": lambda x, axes: x.unsqueeze(int(axes)), "Gather": lambda x, i, axis: x[i],
    "Softmax": lambda x, axis: torch.softmax(x, axis), "Cast": lambda x, to: x.float(),
    "Transpose": lambda x, perm: x.permute(*perm), "GatherElements": lambda x, i, axis: torch.gather(x, axis, i),
    "Slice": lambda x, start, end, axis: x[:, :, int(start) : int(end)],
    "ReduceSum": lambda x, axes, keepdims: x.sum(int(axes), keepdim=bool(keepdims)),
    "TopK": lambda x, k, axis, largest, sorted: x.topk(int(k), dim=axis).indices,
    "GatherND": lambda x, i, batch_dims: x[torch.arange(len(x))[:, None, None], i[..., 0]],
}  # fmt: skip


def computed(graph, inputs):
    """Computes a graph by the definitions of its operators."""
    known = {name: torch.from_numpy(x) for name, x in {**graph.constants, **inputs}.items()}
    for x in graph.operators:
        known[x.output] = OPERATORS[x.kind](*(known[name] for name in x.inputs), **x.attributes)
    return {name: known[name].numpy() for name in (LOGITS, SCORES)}


def jets_of_all_lengths():
    """Toys of 0, 1, 2, … 39 particles."""
    toys = toy_jets(40, seed=5, mean_constituents=80)
    assert toys.counts.min() >= 40
    kept = ak.local_index(toys.constituents.pt) < np.arange(40)[:, None]
    return Jets.of(toys.constituents[kept], label=toys.label, classes=toys.classes)


@pytest.fixture(scope="module", params=["mlp", "pfn", "particlenet-lite", "particlenet"])
def fitted(request):
    # So large a rate that the logits are far from zero after a few steps.
    return Tagger(network=request.param, epochs=2, batch_size=16).fit(toy_jets(80, seed=1), seed=1)


def test_the_operators_give_the_logits_and_scores_of_the_network(fitted):
    jets = toy_jets(30, seed=2)
    found, expected = computed(graph_of(fitted), padded(fitted, jets)), np.asarray(fitted.logits(jets))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(found[LOGITS], expected, atol=TOLERANCE * np.abs(expected).max())
    np.testing.assert_allclose(found[SCORES], np.asarray(fitted.score(jets)), atol=TOLERANCE)


def test_jets_of_any_number_of_particles_are_filled_up_and_not_changed_by_it(fitted):
    jets = jets_of_all_lengths()
    if fitted.normaliser.header()["of"] == "observables":
        jets = jets[jets.counts > 1]
    expected = np.asarray(fitted.logits(jets))
    together = computed(graph_of(fitted), padded(fitted, jets))[LOGITS]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(together, expected, atol=TOLERANCE * scale)
    alone = [computed(graph_of(fitted), padded(fitted, jets[i : i + 1]))[LOGITS][0] for i in range(len(jets))]
    np.testing.assert_allclose(alone, expected, atol=TOLERANCE * scale)


def test_the_bundled_tagger_says_the_same_of_real_jets():
    fitted, jets = wb.open(wb.bundled("tagger")), wb.load(wb.bundled("jets"))[:60]
    found = computed(graph_of(fitted), padded(fitted, jets))[SCORES]
    np.testing.assert_allclose(found, np.asarray(fitted.score(jets)), atol=1e-4)
    assert np.ptp(found[:, 1]) > 0.5


def test_the_inputs_are_the_plain_features_and_the_mask_says_which_are_real(fitted):
    jets, given = toy_jets(5, seed=3), padded(fitted, toy_jets(5, seed=3))
    if MASK not in given:
        mass = list(fitted.normaliser.names).index("mass")
        np.testing.assert_allclose(given["x"][:, mass], np.asarray(jets.p4.mass), rtol=1e-4)
        return
    np.testing.assert_array_equal(given[MASK].sum(axis=1), jets.counts)
    log_pt = list(fitted.normaliser.names).index("log_pt")
    expected = np.log(np.asarray(jets.constituents.pt[2]))
    np.testing.assert_allclose(given["x"][2, : jets.counts[2], log_pt], expected, rtol=1e-4, atol=1e-5)


def test_boosted_trees_are_refused_with_a_sentence(tmp_path):
    trees = Tagger(network="trees", iterations=2).fit(toy_jets(60, seed=1), seed=1)
    with pytest.raises(StoreError, match="kind 'trees' has no ONNX form here; save it as .safetensors"):
        graph_of(trees)


def test_without_the_package_it_is_said_what_to_install(fitted, tmp_path, monkeypatch):
    # None among the modules makes an import fail as if there were none.
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(StoreError, match=r"install it with: pip install 'hep-workbench\[onnx\]'"):
        fitted.to_onnx(tmp_path / "x.onnx")


def test_onnxruntime_gives_the_same_scores_from_the_file(fitted, tmp_path):
    onnx = pytest.importorskip("onnx", reason="The extra 'onnx' is not installed.")
    runtime = pytest.importorskip("onnxruntime", reason="The package onnxruntime is not installed.")
    path = fitted.to_onnx(tmp_path / "tagger.onnx")
    jets = toy_jets(30, seed=2)
    logits, scores = runtime.InferenceSession(str(path)).run([LOGITS, SCORES], padded(fitted, jets))
    np.testing.assert_allclose(scores, np.asarray(fitted.score(jets)), atol=TOLERANCE)
    props = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
    assert props["classes"] == list(fitted.classes)
    assert props["features"] == list(fitted.normaliser.names)


def test_a_place_that_cannot_be_written_is_said(fitted, tmp_path):
    pytest.importorskip("onnx", reason="The extra 'onnx' is not installed.")
    with pytest.raises(StoreError, match="could not be written to x.onnx"):
        onnx_file.write(fitted, tmp_path / "missing" / "x.onnx")
