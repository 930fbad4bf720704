"""Small networks of this field without biases, and which relevance tools are right on them.

    python -m benchmarks.toys

Writes benchmarks/results/toys.md. Every network has one building block that particle physicists use; the score is the
output of class 1. "Gap" is what a tool leaves unexplained of the score, |score - sum of relevance| / |score|, the median
over jets; for this workbench it is the rest of the ledger, whose lines also count what is no input (constants of a batch
norm, what a softmax absorbs). "Cosine" compares with gradient times input where that is what rule 0 has to give: networks
of linear layers, ReLUs, pooling and gathers. There a tool is right if its map is gradient times input to 1e-3, elsewhere
if the gap is below 1e-3; it is silently wrong where it returns something else without a word. captum and zennit are asked
for rule epsilon with a vanishing epsilon and called as their documentation says; one that cannot be imported is left out.
zennit passes a batch norm by a rule of its own, which conserves and is counted as wrong here.
"""

import argparse
import copy
import importlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import workbench as wb

RESULT = Path(__file__).parent / "results" / "toys.md"
JETS, PARTICLES, CLASSES = 4, 10, 3
CLASS = 1
RIGHT = 1e-3
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)


def optional(name):
    """Returns a module, or None where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError):
        return None


CAPTUM = optional("captum.attr")
ZENNIT = optional("zennit.composites") and optional("zennit.attribution")


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def head(size=16):
    return nn.Sequential(linear(size, 16), nn.ReLU(), linear(16, CLASSES))


def phi(size):
    return nn.Sequential(linear(size, 16), nn.ReLU(), linear(16, 16), nn.ReLU())


class Net(nn.Module):
    """Parts with a name each, and a function that uses them."""

    def __init__(self, how, **parts):
        super().__init__()
        self.how = how
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.how(self, x)


class Sum(nn.Module):
    def forward(self, one, other):
        return one + other


def around(*middle, last=16):
    """Linear, something, linear."""
    return nn.Sequential(linear(8, 16), *middle, linear(last, CLASSES))


def image(*middle):
    return Net(
        lambda net, x: net.last(net.middle(net.conv(x)).flatten(1)),
        conv=nn.Conv2d(1, 4, 3, bias=False),
        middle=nn.Sequential(*middle),
        last=nn.LazyLinear(CLASSES, bias=False),
    )


def present(x):
    return (x[..., :1] > -1).to(x)


def masked_sum(net, x):
    return net.f((net.phi(x) * present(x)).sum(1))


def masked_mean(net, x):
    return net.f((net.phi(x) * present(x)).sum(1) / present(x).sum(1))


def edges(net, x, pool):
    near = torch.cdist(x[..., :2], x[..., :2]).topk(5, largest=False).indices[..., 1:]
    other = torch.stack([jet[index] for jet, index in zip(x, near, strict=True)])
    own = x[:, :, None].expand_as(other)
    return net.f(pool(net.phi(torch.cat([own, other - own], -1))).mean(1))


def attention(net, x):
    weights = (net.q(x) @ net.k(x).transpose(1, 2) / 8**0.5).softmax(-1)
    return net.last((weights @ net.v(x)).mean(1))


def rescaled_in_place(net, x):
    x[:, 2] = x[:, 2] * 0.7
    return net.last(net.first(x).relu())


def lorentz(net, x):
    combined = torch.einsum("bnf,nm->bmf", x, net.combine.weight.t())
    mass2 = combined[..., 0] ** 2 - (combined[..., 1:] ** 2).sum(-1)
    return net.f(torch.cat([mass2, (combined[..., 1] ** 2 + combined[..., 2] ** 2).sqrt()], 1))


def shared(net, x):
    return net.last(net.middle(net.middle(net.first(x).relu()).relu()).relu())


def two(how, size=16):
    return Net(how, first=linear(8, 16), middle=linear(16, 16), act=nn.ReLU(), last=linear(size, CLASSES))


def energy_flow(net, x):
    return net.f((net.phi(x[..., 1:]) * x[..., :1].abs()).sum(1))


@dataclass(frozen=True)
class Toy:
    """A network, the shape of one jet, and whether rule 0 has to be gradient times input."""

    build: object
    shape: tuple = (8,)
    natural: bool = True


CLOUD, PIXELS = (PARTICLES, 5), (1, 8, 8)
RELU = nn.ReLU
TOYS = {
    "MLP": Toy(lambda: nn.Sequential(linear(8, 16), RELU(), linear(16, 16), RELU(), linear(16, CLASSES))),
    "one linear layer": Toy(lambda: linear(8, CLASSES)),
    "F.relu": Toy(lambda: Net(lambda n, x: n.b(F.relu(n.a(x))), a=linear(8, 16), b=linear(16, CLASSES))),
    "ReLU used twice": Toy(lambda: two(lambda n, x: n.last(n.act(n.middle(n.act(n.first(x))))))),
    "ReLU in place": Toy(lambda: around(RELU(inplace=True))),
    "identity": Toy(lambda: around(nn.Identity(), RELU())),
    "leaky ReLU": Toy(lambda: around(nn.LeakyReLU(0.1))),
    "ELU": Toy(lambda: around(nn.ELU()), natural=False),
    "GELU": Toy(lambda: around(nn.GELU()), natural=False),
    "F.gelu": Toy(
        lambda: Net(lambda n, x: n.b(F.gelu(n.a(x))), a=linear(8, 16), b=linear(16, CLASSES)), natural=False
    ),
    "sigmoid output": Toy(
        lambda: nn.Sequential(linear(8, 16), RELU(), linear(16, CLASSES), nn.Sigmoid()), natural=False
    ),
    "layer norm": Toy(lambda: around(nn.LayerNorm(16), RELU()), natural=False),
    "batch norm 1d": Toy(lambda: around(nn.BatchNorm1d(16), RELU())),
    "batch norm 2d": Toy(lambda: image(nn.BatchNorm2d(4), RELU()), PIXELS),
    "CNN, pooled": Toy(lambda: image(RELU(), nn.MaxPool2d(2)), PIXELS),
    "CNN, flatten": Toy(
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), RELU(), nn.Flatten(), linear(144, CLASSES)),
        PIXELS,
    ),
    "Conv1d": Toy(
        lambda: Net(
            lambda n, x: n.last(n.conv(x.transpose(1, 2)).relu().mean(2)),
            conv=nn.Conv1d(5, 16, 1, bias=False),
            last=linear(16, CLASSES),
        ),
        CLOUD,
    ),
    "residual": Toy(
        lambda: two(lambda n, x: (lambda h: n.last(h + n.act(n.middle(h))))(n.first(x))),
    ),
    "residual by a module": Toy(
        lambda: Net(
            lambda n, x: (lambda h: n.last(n.add(h, n.act(n.middle(h)))))(n.first(x)),
            first=linear(8, 16),
            middle=linear(16, 16),
            act=RELU(),
            add=addition(),
            last=linear(16, CLASSES),
        )
    ),
    "concatenated skip": Toy(
        lambda: Net(
            lambda n, x: n.last(torch.cat([x, n.act(n.first(x))], 1)),
            first=linear(8, 16),
            act=RELU(),
            last=linear(24, CLASSES),
        )
    ),
    "shared linear layer": Toy(lambda: two(shared)),
    "input rescaled in place": Toy(lambda: two(rescaled_in_place)),
    "input standardised": Toy(lambda: two(lambda n, x: n.last(n.act(n.first((x - 1.7) * 0.7))))),
    "PFN, masked sum": Toy(lambda: Net(masked_sum, phi=phi(5), f=head()), CLOUD),
    "PFN, masked mean": Toy(lambda: Net(masked_mean, phi=phi(5), f=head()), CLOUD),
    "EFN, z times phi": Toy(
        lambda: Net(energy_flow, phi=phi(2), f=head()),
        (PARTICLES, 3),
        natural=False,
    ),
    "EdgeConv, mean": Toy(
        lambda: Net(lambda n, x: edges(n, x, lambda e: e.mean(2)), phi=phi(10), f=head()), CLOUD
    ),
    "EdgeConv, max": Toy(
        lambda: Net(lambda n, x: edges(n, x, lambda e: e.amax(2)), phi=phi(10), f=head()), CLOUD
    ),
    "attention": Toy(
        lambda: Net(attention, q=linear(5, 8), k=linear(5, 8), v=linear(5, 8), last=linear(8, CLASSES)),
        CLOUD,
        natural=False,
    ),
    "transformer encoder layer": Toy(
        lambda: Net(
            lambda n, x: n.last(n.encoder(x).mean(1)),
            encoder=nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, bias=False),
            last=linear(8, CLASSES),
        ),
        (PARTICLES, 8),
        natural=False,
    ),
    "LSTM": Toy(
        lambda: Net(
            lambda n, x: n.last(n.lstm(x)[0][:, -1]),
            lstm=nn.LSTM(5, 8, bias=False, batch_first=True),
            last=linear(8, CLASSES),
        ),
        CLOUD,
        natural=False,
    ),
    "Lorentz layer": Toy(
        lambda: Net(lorentz, combine=linear(PARTICLES, 4), f=head(8)), (PARTICLES, 4), natural=False
    ),
}


def addition():
    """Returns a sum as a module: captum's own where there is captum, which has a rule for no other."""
    modules = optional("captum.attr._utils.custom_modules")
    return modules.Addition_Module() if modules else Sum()


def built(name, dtype=torch.float32):
    """Returns a toy in evaluation mode and its jets."""
    torch.manual_seed(0)
    toy = TOYS[name]
    network, x = toy.build(), torch.randn(JETS, *toy.shape)
    with torch.no_grad():
        network.eval()(x.clone())
        for module in network.modules():
            if isinstance(module, BATCH_NORM):
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
    return network.to(dtype), x.to(dtype)


def score(network, x):
    return network(x.clone())[:, CLASS]


def gradient_times_input(network, x):
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(network, leaf).sum(), leaf)
    return gradient * x


def by_captum(network, x):
    return CAPTUM.LRP(copy.deepcopy(network)).attribute(x.clone(), target=CLASS).detach()


def by_zennit(network, x):
    composites, attribution = (importlib.import_module(f"zennit.{n}") for n in ("composites", "attribution"))
    rules, types = (importlib.import_module(f"zennit.{n}") for n in ("rules", "types"))
    layers = [*composites.layer_map_base(), (types.Linear, rules.Epsilon(1e-9))]
    seed = F.one_hot(torch.full((len(x),), CLASS), CLASSES).to(x) * network(x.clone()).detach()
    with attribution.Gradient(copy.deepcopy(network), composites.LayerMapComposite(layers)) as attributor:
        return attributor(x.clone(), seed)[1].detach()


def compared(name, network, x, relevance, rest):
    """Returns the gap, the cosine where it counts, and whether the map is right."""
    gap = float((rest.abs() / score(network, x).detach().abs().clamp(min=1e-12)).median())
    if not TOYS[name].natural:
        return f"{gap:.0e}", gap < RIGHT
    natural = gradient_times_input(network, x)
    cosine = float(F.cosine_similarity(relevance.flatten(1), natural.flatten(1)).median())
    return f"{gap:.0e}, {cosine:+.3f}", float((relevance - natural).norm() / natural.norm()) < RIGHT


def by_others(name, tool):
    """Returns what a tool gives as text, and "right", "raises" or "wrong"."""
    network, x = built(name)
    try:
        relevance = tool(network, x)
    except Exception as error:  # noqa: BLE001
        return f"raises {type(error).__name__}", "raises"
    rest = score(network, x).detach() - relevance.flatten(1).sum(1)
    text, right = compared(name, network, x, relevance, rest)
    return (text, "right") if right else (f"**{text}**", "wrong")


def by_us(name):
    network, x = built(name)
    explanation = wb.explain(network, x, target=CLASS, rule="0")
    ledger = explanation.ledger
    text, right = compared(
        name, network, x, torch.from_numpy(explanation.features), torch.from_numpy(ledger.rest)
    )
    beside = ", ".join(
        line for line, amount in ledger.lines.items() if line != "inputs" and np.abs(amount).max() > 1e-6
    )
    return text + (f" (with {beside})" if beside else ""), "right" if right else "wrong"


def table(cells):
    """Returns the lines of the table."""
    names = list(next(iter(cells.values())))
    return [
        "Gap, and cosine with gradient times input where it counts; bold is silently wrong (`python -m benchmarks.toys`).",
        "",
        f"| network | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
        *(f"| {name} | {' | '.join(found[tool][0] for tool in names)} |" for name, found in cells.items()),
    ]


def counted(tool, cells):
    """Returns in words how often a tool is right."""
    right, raises, wrong = (
        sum(found[tool][1] == what for found in cells.values()) for what in ("right", "raises", "wrong")
    )
    return f"{tool}: right on {right} of {len(cells)}, raises on {raises}, silently wrong on {wrong}."


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    tools = {"captum": CAPTUM and by_captum, "zennit": ZENNIT and by_zennit}
    missing = [name for name, tool in tools.items() if not tool]
    columns = {name: tool for name, tool in tools.items() if tool}
    cells = {
        name: {
            **{tool: by_others(name, work) for tool, work in columns.items()},
            "workbench": by_us(name),
        }
        for name in TOYS
    }
    text = "\n".join([*table(cells), "", *(counted(tool, cells) for tool in (*columns, "workbench"))])
    text += "".join(f"\n{name} cannot be imported here, so its column is missing." for name in missing)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
