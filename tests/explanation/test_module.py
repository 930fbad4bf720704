"""Explanations of a module of the user's own: any inputs, any score, any layout of rows, no trace left."""

import copy
import random
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import workbench as wb
from workbench.errors import ExplanationError


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def built(module):
    torch.manual_seed(0)
    return module()


def rows(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=generator(), dtype=torch.float64).to(dtype)


def mlp(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


class Mixed(nn.Module):
    """Particles with kinds and a mask, and numbers of the whole jet."""

    def __init__(self):
        super().__init__()
        self.kinds, self.phi, self.last = nn.Embedding(5, 3), nn.Linear(7, 8), nn.Linear(10, 2)

    def forward(self, particles, jet, kind, mask):
        given = self.phi(torch.cat([particles, self.kinds(kind)], 2)).relu() * mask[..., None]
        return self.last(torch.cat([given.sum(1), jet], 1))


class SequenceFirst(nn.Module):
    """Turns rows to columns and back, as modules written for (steps, jets, features) do."""

    def __init__(self):
        super().__init__()
        self.attention, self.last = nn.MultiheadAttention(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        steps = x.transpose(0, 1)
        return self.last(self.attention(steps, steps, steps)[0].mean(0))


class Flattened(nn.Module):
    """Particles of all jets in one tensor, which fits no layout."""

    def __init__(self):
        super().__init__()
        self.phi, self.last = nn.Linear(4, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.last(self.phi(x.flatten(0, 1)).relu().unflatten(0, x.shape[:2]).sum(1))[:, 0]


class StepsFlattened(Flattened):
    """The same with the particles of one place in all jets side by side."""

    def forward(self, x):
        given = self.phi(x.transpose(0, 1).flatten(0, 1)).relu().unflatten(0, x.shape[:2][::-1])
        return self.last(given.sum(0))[:, 0]


class Trimmed(Flattened):
    """Needs the longest jets: four neighbours where a jet has fewer particles when it is alone."""

    def forward(self, x):
        longest = int((x != 0).any(2).sum(1).max())
        near = torch.cdist(x[:, :longest], x[:, :longest]).topk(5, largest=False).indices
        turned = self.phi(x[:, :longest].transpose(0, 1)).relu()
        return self.last(turned.sum(0) + near.sum((1, 2))[:, None] * 0)[:, 0]


class Turned(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        return self.last(x.mT.mT.T.T.sum(1))


class Comparing(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        return self.last((x - x.mean(0)).square())


def mixed_inputs(n=6):
    kind = torch.randint(0, 5, (n, 7), generator=generator())
    mask = torch.rand(n, 7, generator=generator()) > 0.3
    return rows(n, 7, 4), rows(n, 2), kind, mask


def total(explanation):
    return sum(explanation.ledger.lines.values())


@pytest.mark.parametrize(
    ("target", "weights", "words"),
    [
        (1, [0.0, 1.0, 0.0], "output 1"),
        (np.int64(1), [0.0, 1.0, 0.0], "output 1"),
        ((2, 0), [-1.0, 0.0, 1.0], "output 2 - output 0"),
        (torch.tensor([0.5, 0.0, -2.0]), [0.5, 0.0, -2.0], "outputs weighted by [0.5, 0.0, -2.0]"),
        (lambda logits: logits[:, 0] - logits[:, 1:].mean(1), [1.0, -0.5, -0.5], "<lambda>"),
    ],
)
def test_the_score_is_what_the_target_says(target, weights, words):
    network, x = mlp(), rows(9, 4)
    explanation = wb.explain(network, x, target=target)
    with torch.no_grad():
        np.testing.assert_allclose(explanation.ledger.score, network(x) @ torch.tensor(weights), atol=1e-5)
    assert explanation.how["seed"] == words
    assert explanation.ledger.closes(1e-6).all()
    assert explanation.relevance.shape == explanation.features.shape == (9, 4)
    np.testing.assert_allclose(explanation.relevance.sum(1), explanation.ledger.lines["inputs"], atol=1e-5)


@pytest.mark.parametrize("module", [lambda: mlp(1), lambda: nn.Sequential(mlp(1), nn.Flatten(0))])
def test_a_single_output_needs_no_target(module):
    network, x = module(), rows(5, 4)
    explanation = wb.explain(network, x)
    np.testing.assert_allclose(explanation.ledger.score, network(x).detach().reshape(-1), atol=1e-6)


@pytest.mark.parametrize("rule", ["0", "epsilon", "gamma-epsilon", "alpha2beta1", "w2-epsilon"])
@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_several_inputs_have_a_line_each_and_integers_are_passed_on(rule, form):
    network, inputs = built(Mixed), mixed_inputs()
    names = ("particles", "jet", "kind", "mask")
    given = inputs if form == "tuple" else dict(zip(names, inputs, strict=True))
    explanation = wb.explain(network, given, target=(1, 0), rule=rule)
    assert list(explanation.ledger.lines)[:2] == ["inputs particles", "inputs jet"]
    assert explanation.ledger.closes(1e-6).all()
    assert explanation.features.shape == (6, 7, 4)
    assert explanation.recorded["input jet"].shape == (6, 2)
    np.testing.assert_allclose(explanation.relevance, explanation.features.sum(2), atol=1e-6)
    np.testing.assert_allclose(
        explanation.recorded["input jet"].sum(1), explanation.ledger.lines["inputs jet"], atol=1e-5
    )
    assert not np.any(explanation.relevance[~inputs[3].numpy()])


def test_a_module_and_the_tagger_that_holds_it_are_explained_alike():
    torch.manual_seed(0)
    jets = wb.load(wb.bundled("jets"))[:300]
    fitted = wb.Tagger(network="mlp", observables=["mass", "girth"], epochs=1).fit(jets, seed=1)
    one = wb.explain(fitted, jets[:20])
    other = wb.explain(fitted.network, fitted.inputs(jets[:20]).x, target=(1, 0))
    np.testing.assert_allclose(one.relevance, other.relevance, atol=1e-6)
    assert one.ledger.lines.keys() == other.ledger.lines.keys()


@pytest.mark.parametrize("jets", [5, 6])
@pytest.mark.parametrize("module", [SequenceFirst, Flattened, StepsFlattened])
def test_modules_that_turn_or_mix_rows_are_explained_jet_by_jet(module, jets):
    network, x = built(module), rows(jets, 6, 4)
    target = (1, 0) if module is SequenceFirst else None
    explanation = wb.explain(network, x, target=target)
    assert explanation.ledger.closes(1e-6).all()
    alone = [wb.explain(network, row[None], target=target) for row in x]
    np.testing.assert_allclose(np.concatenate([e.features for e in alone]), explanation.features, atol=1e-6)
    for line, amount in explanation.ledger.lines.items():
        np.testing.assert_allclose(np.concatenate([e.ledger.lines[line] for e in alone]), amount, atol=1e-6)


def test_jets_of_equal_length_laid_end_to_end_are_explained_together(monkeypatch):
    calls = []

    class Counting(Flattened):
        def forward(self, x):
            calls.append(len(x))
            return super().forward(x)

    explanation = wb.explain(built(Counting), rows(12, 6, 4))
    assert set(calls) == {12}
    assert explanation.ledger.closes(1e-6).all()


def test_a_module_that_neither_tells_jets_apart_nor_takes_one_alone_is_refused():
    x = rows(5, 6, 4)
    x[2, 3:] = 0.0
    with pytest.raises(ExplanationError, match="cannot be given one jet alone"):
        wb.explain(built(Trimmed), x)


@pytest.mark.filterwarnings("ignore:The use of `x.T`")
def test_turning_a_tensor_has_no_line():
    explanation = wb.explain(built(Turned), rows(5, 6, 4), rule="0")
    assert list(explanation.ledger.lines) == ["inputs", "biases"]


def test_a_module_that_compares_jets_is_refused():
    with pytest.raises(ExplanationError, match="depends on the other jets"):
        wb.explain(built(Comparing), rows(5, 4))


def test_what_single_precision_leaves_is_explained_in_double():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    with torch.no_grad():
        network[2].weight[0, 32:] = -network[2].weight[0, :32] * 30.0
        network[2].weight[0, :32] *= 30.0
        network[0].weight[32:] = network[0].weight[:32] + 1e-3
    explanation = wb.explain(network, rows(20, 4) * 10, rule="0")
    double = wb.explain(network.double(), rows(20, 4).double() * 10, rule="0")
    assert explanation.ledger.closes(1e-6).all()
    np.testing.assert_allclose(
        explanation.features, double.features, rtol=1e-3, atol=1e-3 * np.abs(double.features).max()
    )


def test_many_jets_pass_in_portions_that_change_nothing(monkeypatch):
    network, x, steps = mlp(), rows(50, 4), []
    whole = wb.explain(network, x, target=0)
    monkeypatch.setattr("workbench.explanation.module.FIRST_JETS", 3)
    monkeypatch.setattr("workbench.explanation.module.VALUES_AT_ONCE", 100)
    portions = wb.explain(network, x, target=0, report=steps.append)
    np.testing.assert_allclose(portions.relevance, whole.relevance, atol=1e-6)
    assert [steps[0].done, steps[-1].done] == [3, 50]
    assert len(steps) > 3


def test_it_stops_when_told():
    steps = []

    class AfterTheFirst:
        def is_set(self):
            return bool(steps)

    assert len(wb.explain(mlp(), rows(50, 4), target=0, report=steps.append, stop=AfterTheFirst())) == 16
    with pytest.raises(ExplanationError, match="stopped before"):
        wb.explain(mlp(), rows(50, 4), target=0, stop=AfterTheFirst())


def test_layers_are_recorded_by_the_names_of_the_modules():
    network, x = mlp(), rows(4, 4)
    explanation = wb.explain(network, x, target=0, rule="0", record=True)
    biases = network[2].bias[0].item()
    np.testing.assert_allclose(explanation.recorded["1"] + biases, explanation.ledger.score, atol=1e-9)
    assert all(len(values) == 4 for values in explanation.recorded.values())


def test_attention_is_passed_as_asked():
    network, x = built(SequenceFirst), rows(5, 6, 4)
    one = wb.explain(network, x, target=0)
    other = wb.explain(network, x, target=0, attention="cp")
    assert "absorbed by softmax" in one.ledger.lines
    assert "absorbed by softmax" not in other.ledger.lines
    assert other.how["attention"] == "cp"


def test_explaining_leaves_no_trace():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2)
    ).train()
    x = rows(6, 4).requires_grad_()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state, other = torch.get_rng_state(), random.getstate()
    wb.explain(network, x, target=(1, 0), record=True)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(module.training for module in network.modules())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())
    assert x.grad is None
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == other


def with_nan():
    x = rows(6, 4)
    x[3, 1] = torch.nan
    return x


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Summed(nn.Module):
    def forward(self, x):
        return x.sum(0)


REFUSED = {
    "no target": (lambda: mlp(), lambda: rows(5, 4), {}, "has 3 outputs; say which"),
    "no such output": (lambda: mlp(), lambda: rows(5, 4), {"target": 3}, "outputs 0 to 2"),
    "true": (lambda: mlp(), lambda: rows(5, 4), {"target": True}, "The target is True"),
    "three": (lambda: mlp(), lambda: rows(5, 4), {"target": (0, 1, 2)}, "a pair of numbers"),
    "the same twice": (lambda: mlp(), lambda: rows(5, 4), {"target": (1, 1)}, "two different outputs"),
    "weights": (lambda: mlp(), lambda: rows(5, 4), {"target": torch.ones(2)}, "module returns 3"),
    "function": (lambda: mlp(), lambda: rows(5, 4), {"target": lambda y: y}, r"shape \(5, 3\)"),
    "names": (lambda: mlp(), lambda: rows(5, 4), {"seed": "top"}, "no class names"),
    "rule": (lambda: mlp(), lambda: rows(5, 4), {"target": 0, "rule": "epsilom"}, "did you mean 'epsilon'"),
    "attention": (lambda: mlp(), lambda: rows(5, 4), {"attention": "attn"}, "'attnlrp'"),
    "method": (lambda: mlp(), lambda: rows(5, 4), {"method": "ocllusion"}, "did you mean 'occlusion'"),
    "pair": (Pair, lambda: rows(5, 4), {}, "returns tuple; give target=function"),
    "summed": (Summed, lambda: rows(5, 4), {"target": 0}, "expected one row per jet, 5 here"),
    "images out": (nn.Identity, lambda: rows(5, 4, 4), {"target": 0}, "returns 4 x 4 per jet"),
    "nan": (lambda: mlp(), with_nan, {"target": 0}, "input 'input' of jet 3 is not a finite"),
    "no jets": (lambda: mlp(), lambda: rows(0, 4), {"target": 0}, "no jets to explain"),
    "array": (lambda: mlp(), lambda: rows(5, 4).numpy(), {"target": 0}, "found ndarray"),
    "integers": (lambda: mlp(), lambda: torch.ones(5, 4, dtype=torch.int64), {"target": 0}, "nowhere to go"),
    "jets differ": (Mixed, lambda: (rows(5, 4), rows(4, 4)), {}, "found 5 in 'particles', 4 in 'jet'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_explained_is_named(name):
    module, tensors, options, match = REFUSED[name]
    with pytest.raises(ExplanationError, match=match):
        wb.explain(module(), tensors(), **options)


def test_scripted_and_compiled_modules_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted, compiled = torch.jit.script(mlp()), torch.compile(mlp())
    for module in (scripted, compiled):
        with pytest.raises(ExplanationError, match="scripted or compiled"):
            wb.explain(module, rows(5, 4), target=0)


def test_traced_modules_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(mlp(), rows(5, 4))
    with pytest.raises(ExplanationError, match="scripted or compiled"):
        wb.explain(traced, rows(5, 4), target=0)


def test_weights_that_are_made_on_the_way_are_explained_as_weights():
    layer, last = mlp()[0], nn.Linear(8, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normed = nn.utils.weight_norm(copy.deepcopy(layer))
    one, other = (wb.explain(nn.Sequential(first, nn.ReLU(), last), rows(5, 4)) for first in (normed, layer))
    np.testing.assert_allclose(one.relevance, other.relevance, atol=1e-6)


def test_a_module_in_half_precision_is_explained_with_its_weights_in_single():
    network, x = mlp().bfloat16(), rows(9, 4)
    explanation = wb.explain(network, x, target=(1, 0))
    other = wb.explain(copy.deepcopy(network).float(), x, target=(1, 0))
    assert explanation.ledger.closes(1e-6).all()
    np.testing.assert_array_equal(explanation.relevance, other.relevance)
    assert network[0].weight.dtype == torch.bfloat16


class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 4, 3), nn.Linear(36, 2)

    def forward(self, x):
        return self.last(F.max_pool2d(self.conv(x).relu(), 2).flatten(1))


def test_an_image_that_is_all_zero_has_only_biases():
    torch.manual_seed(0)
    explanation = wb.explain(Image(), torch.zeros(3, 1, 8, 8), target=0, rule="0")
    assert not np.any(explanation.features)
    np.testing.assert_allclose(explanation.ledger.lines["biases"], explanation.ledger.score, atol=1e-6)


def test_jets_go_to_taggers_and_tensors_to_modules():
    with pytest.raises(ExplanationError, match=r"explain\(module, tensors\), found Sequential and Jets"):
        wb.explain(mlp(), wb.load(wb.bundled("jets"))[:2])
    with pytest.raises(ExplanationError, match="found str and Tensor"):
        wb.explain("mlp", rows(5, 4))
