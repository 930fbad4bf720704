"""Layer-wise relevance here against gradient times input, captum and zennit: one network, one batch, one thread, one run.

    python -m benchmarks.explanations [--images 64] [--pixels 40] [--repeats 9] [--jets 12]

Writes benchmarks/results/explanations.md. The network is a convolutional one on jet images (four convolutions, two
poolings, two linear layers, with biases); every line returns one value per pixel of every image for the logit of class 1.
The lines of the workbench are `wb.explain` as a user calls it, so they have their ledger, fingerprints and checks besides.
captum and zennit are called as their documentation says, with the rules that they have; one that cannot be imported is left
out. Processor seconds of this process, taken in turns: medians, and ratios as medians of the ratios within a turn.

Below, what one jet alone keeps the processor busy for in `wb.explain`, by network, after one epoch on bundled jets.
"""

import argparse
import gc
import importlib
import os
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

import workbench as wb
from workbench.physics.images import jet_images

from .toys import CAPTUM, ZENNIT

RESULT = Path(__file__).parent / "results" / "explanations.md"
CLASS = 1
PLAIN = "gradient x input"
RULES = ("0", "epsilon", "gamma", "z+", "alpha2beta1")
NETWORKS = ("mlp", "pfn", "particlenet-lite", "particlenet")


class Convolutions(nn.Module):
    """A convolutional network for images of pixels x pixels, without modules that captum has no rule for."""

    def __init__(self, pixels):
        super().__init__()
        layers = []
        for inputs, outputs in ((1, 32), (32, 32), (32, 64), (64, 64)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if inputs == outputs else []
        self.images = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(64 * (pixels // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.head(self.images(x).flatten(1))


def pictures(n, pixels):
    """Returns images of bundled jets, shape (n, 1, pixels, pixels)."""
    drawn = jet_images(wb.load(wb.bundled("jets"))[:n], pixels=pixels, extent=1.0)
    return torch.from_numpy(drawn).float()[:, None]


def gradient_times_input(network, x):
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(leaf)[:, CLASS].sum(), leaf)
    return gradient * x


def by_captum(network, x, rule):
    rules = importlib.import_module("captum.attr._utils.lrp_rules")
    chosen = {"epsilon": rules.EpsilonRule, "gamma": rules.GammaRule, "z+": rules.Alpha1_Beta0_Rule}[rule]
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.rule = chosen()  # captum forgets it after each call.
    return CAPTUM.LRP(network).attribute(x.clone(), target=CLASS)


def by_zennit(network, x, rule):
    composites, attribution, rules, types = (
        importlib.import_module(f"zennit.{name}") for name in ("composites", "attribution", "rules", "types")
    )
    chosen = {
        "epsilon": rules.Epsilon,
        "gamma": rules.Gamma,
        "z+": rules.ZPlus,
        "alpha2beta1": rules.AlphaBeta,
    }[rule]
    layers = [*composites.layer_map_base(), (types.Linear, chosen()), (types.Convolution, chosen())]
    seed = nn.functional.one_hot(torch.full((len(x),), CLASS), 2).to(x)
    with attribution.Gradient(network, composites.LayerMapComposite(layers)) as attributor:
        return attributor(x.clone(), seed)[1]


def works(network, x):
    """Returns what is timed, by name of tool and rule."""
    timed = {("torch", PLAIN): lambda: gradient_times_input(network, x)}
    for rule in RULES:
        timed["workbench", rule] = lambda rule=rule: wb.explain(network, x, target=CLASS, rule=rule)
    if CAPTUM:
        for rule in ("epsilon", "gamma", "z+"):
            timed["captum", rule] = lambda rule=rule: by_captum(network, x, rule)
    if ZENNIT:
        for rule in ("epsilon", "gamma", "z+", "alpha2beta1"):
            timed["zennit", rule] = lambda rule=rule: by_zennit(network, x, rule)
    return timed


def seconds(work):
    """Returns the processor time of some work; what others left behind is cleared away before, as `timeit` does."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def compared(images, pixels, repeats):
    """Returns the lines of the table of rules and tools."""
    torch.manual_seed(0)
    network, x = Convolutions(pixels).eval(), pictures(images, pixels)
    timed = works(network, x)
    rounds = [{name: seconds(work) for name, work in timed.items()} for _ in range(repeats + 1)][1:]

    def ratio(name, other):
        return float(np.median([r[name] / r[other] for r in rounds]))

    lines = [
        f"{images} images of {pixels} x {pixels} pixels, one thread, processor time, medians of {repeats} turns; "
        f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.0f} from this and other work.",
        "",
        "| tool | rule | ms | times gradient x input | times the workbench |",
        "|---|---|---|---|---|",
    ]
    for tool, rule in timed:
        ours = ("workbench", rule)
        against = f"{ratio((tool, rule), ours):.2f}" if ours in timed and tool != "workbench" else ""
        median = 1e3 * float(np.median([r[tool, rule] for r in rounds]))
        lines.append(
            f"| {tool} | {rule} | {median:.0f} | {ratio((tool, rule), ('torch', PLAIN)):.2f} | {against} |"
        )
    return lines


def busy(fitted, jets, rule):
    """Returns for how many ms each jet alone keeps `explain` busy."""
    wb.explain(fitted, jets[:1], rule=rule)
    return [1e3 * seconds(partial(wb.explain, fitted, jets[i : i + 1], rule=rule)) for i in range(len(jets))]


def alone(jets):
    """Returns the lines of the table of single jets."""
    sample = wb.load(wb.bundled("jets"))
    lines = ["| network | rule | ms for one jet, median | longest |", "|---|---|---|---|"]
    for name in NETWORKS:
        fitted = wb.Tagger(network=name, epochs=1).fit(sample[:100], seed=1)
        for rule in ("epsilon", "gamma"):
            taken = busy(fitted, sample[100 : 100 + jets], rule)
            lines.append(f"| {name} | {rule} | {np.median(taken):.0f} | {max(taken):.0f} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--pixels", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--jets", type=int, default=12)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    text = "\n".join(
        [
            "# Relevance against gradient times input, captum and zennit",
            "",
            *compared(options.images, options.pixels, options.repeats),
            "",
            *alone(options.jets),
        ]
    )
    missing = [name for name, tool in (("captum", CAPTUM), ("zennit", ZENNIT)) if not tool]
    text += "".join(f"\n\n{name} cannot be imported here, so its lines are missing." for name in missing)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
