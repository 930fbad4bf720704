"""Fitted taggers as ONNX files, for programs that know neither Python nor this workbench."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from ..data.jets import Jets
from ..errors import StoreError
from .features import FEATURES, ObservableInputs, ParticleInputs
from .operators import NETWORKS, Graph

if TYPE_CHECKING:
    from .fitted import FittedTagger

OPSET = 17
INPUT, MASK = "x", "mask"
LOGITS, SCORES = "logits", "scores"
MISSING = "ONNX files need the package onnx, which is not installed; install it with: pip install 'hep-workbench[onnx]'."


def graph_of(fitted: "FittedTagger") -> Graph:
    """Returns the operators of a fitted tagger, from the features as they are to logits and scores.

    Inputs: "x", the features before shift and scale, float32, of shape (jets, particles, features) with jets of fewer
    particles filled up, and "mask" (jets, particles), 1 for what is real and 0 for what fills up; of networks on observables
    "x" (jets, observables) alone. Outputs: "logits" and "scores", the probabilities, both (jets, classes).

    Raises:
        StoreError: boosted trees, or a layer without a form in ONNX.
    """
    build = NETWORKS.get(type(fitted.network))
    if build is None:
        kind = fitted.engine.network
        msg = f"A tagger of the kind {kind!r} has no ONNX form here; save it as .safetensors, which holds all of it."
        raise StoreError(msg)
    graph = Graph()
    logits = build(graph, fitted.network, _scaled(graph, fitted.normaliser), MASK)
    graph.add("Identity", logits, name=LOGITS)
    graph.add("Softmax", logits, name=SCORES, axis=-1)
    return graph


def _scaled(graph: Graph, inputs: ParticleInputs | ObservableInputs) -> str:
    if isinstance(inputs, ParticleInputs):
        scale = np.array([FEATURES[name].scale for name in inputs.names])
        shift = np.array([FEATURES[name].shift for name in inputs.names])
        return graph.affine(INPUT, scale, -shift * scale)
    mean, deviation = np.array(inputs.mean), np.array(inputs.deviation)
    centred = graph.add("Sub", INPUT, graph.constant(mean))
    scaled = graph.add("Div", centred, graph.constant(deviation))
    if not inputs.fill:
        return scaled
    return graph.add("Where", graph.add("IsNaN", scaled), graph.constant(0.0), scaled)


def padded(fitted: "FittedTagger", jets: Jets) -> dict[str, np.ndarray]:
    """Returns the inputs of the ONNX file for these jets by name, as `graph_of` says; jets are filled up to the longest.

    Raises:
        DataError: jets that lack what the network was trained on.
    """
    batch, inputs = fitted.inputs(jets), fitted.normaliser
    if isinstance(inputs, ObservableInputs):
        return {INPUT: (batch.x.double().numpy() * inputs.deviation + inputs.mean).astype(np.float32)}
    scale = np.array([FEATURES[name].scale for name in inputs.names])
    shift = np.array([FEATURES[name].shift for name in inputs.names])
    plain = batch.x.double().numpy() / scale + shift
    most = max(1, int(jets.counts.max(initial=0)))
    rows = ak.fill_none(ak.pad_none(ak.unflatten(np.arange(len(plain)), jets.counts), most, clip=True), -1)
    place = np.asarray(rows)
    real = place >= 0
    filled = np.vstack([plain, np.zeros(plain.shape[1])])[place]
    return {INPUT: filled.astype(np.float32), MASK: real.astype(np.float32)}


def write(fitted: "FittedTagger", path: str | Path) -> Path:
    """Writes a fitted tagger as an ONNX file and returns its path; `graph_of` says what goes in and what comes out.

    Names and order of features and classes stand in the file's metadata, as JSON.

    Raises:
        StoreError: the package onnx is not installed, the tagger has no such form, or the file cannot be written.
    """
    try:
        import onnx  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise StoreError(MISSING) from error
    model = _model(onnx, fitted)
    onnx.checker.check_model(model, full_check=True)
    path = Path(path)
    try:
        path.write_bytes(model.SerializeToString())
    except OSError as error:
        msg = f"The model could not be written to {path.name} ({error.strerror}); choose another place."
        raise StoreError(msg) from error
    return path


def _model(onnx: Any, fitted: "FittedTagger") -> Any:
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    graph, inputs = graph_of(fitted), fitted.normaliser
    of_particles = isinstance(inputs, ParticleInputs)
    shape = ["jets", "particles", len(inputs.names)] if of_particles else ["jets", len(inputs.names)]
    given = [helper.make_tensor_value_info(INPUT, number, shape)]
    if of_particles:
        given.append(helper.make_tensor_value_info(MASK, number, ["jets", "particles"]))
    found = [
        helper.make_tensor_value_info(name, number, ["jets", len(fitted.classes)])
        for name in (LOGITS, SCORES)
    ]
    nodes = [
        # Of the two outputs of TopK only the second, the index, is used.
        helper.make_node(
            x.kind,
            x.inputs,
            [f"{x.output}_values", x.output] if x.kind == "TopK" else [x.output],
            **x.attributes,
        )
        for x in graph.operators
    ]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "tagger", given, found, constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="hep-workbench",
        producer_version=version("hep-workbench"),
    )
    helper.set_model_props(model, {name: json.dumps(x) for name, x in _described(fitted).items()})
    return model


def _described(fitted: "FittedTagger") -> dict[str, Any]:
    return {
        "network": fitted.engine.network,
        "classes": list(fitted.classes),
        "features": list(fitted.normaliser.names),
        "training_fingerprint": fitted.card.get("fingerprint", ""),
        "seed": fitted.seed,
    }
