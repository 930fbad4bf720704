"""zennit as a second opinion on networks that are a sequence of layers; without it these tests are skipped."""

import importlib

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.explanation.rules import AlphaBeta, Gamma


def zennit(name):
    try:
        return importlib.import_module(f"zennit.{name}")
    except ImportError:
        pytest.skip("zennit and torchvision are not installed; it is an oracle for tests only.")


CLASS = 1


def network(kind):
    torch.manual_seed(0)
    if kind == "mlp":
        layers = [nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)]
    else:
        layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten()]
        layers += [nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3)]
    built = nn.Sequential(*layers).double()
    with torch.no_grad():
        # zennit's rule gamma asks for a positive output.
        built[-1].bias.fill_(3.0)
    return built.eval()


def inputs(kind):
    generator = torch.Generator().manual_seed(1)
    shape = (5, 8) if kind == "mlp" else (5, 1, 8, 8)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_zennit(built, x, rule):
    composites, attribution, types = (zennit(name) for name in ("composites", "attribution", "types"))
    layers = [*composites.layer_map_base(), (types.Linear, rule), (types.Convolution, rule)]
    score = built(x).detach()
    seed = nn.functional.one_hot(torch.full((len(x),), CLASS), 3).to(x) * score
    with attribution.Gradient(built, composites.LayerMapComposite(layers)) as attributor:
        return attributor(x.clone(), seed)[1].detach().numpy()


# Its stabiliser is all that may differ.
RULES = {
    "0": ("0", lambda rules: rules.Epsilon(epsilon=1e-9)),
    "gamma": (Gamma(0.25), lambda rules: rules.Gamma(gamma=0.25, stabilizer=1e-9)),
    "z+": (AlphaBeta(1.0), lambda rules: rules.ZPlus(stabilizer=1e-9)),
    "alpha2beta1": (AlphaBeta(2.0), lambda rules: rules.AlphaBeta(alpha=2.0, beta=1.0, stabilizer=1e-9)),
}


@pytest.mark.parametrize("kind", ["mlp", "convolutions"])
@pytest.mark.parametrize("rule", RULES)
def test_zennit_finds_the_same(rule, kind):
    built, x = network(kind), inputs(kind)
    assert (built(x)[:, CLASS] > 0).all()
    ours, theirs = RULES[rule]
    found = wb.explain(built, x, target=CLASS, rule=ours).features
    expected = by_zennit(built, x, theirs(zennit("rules")))
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
