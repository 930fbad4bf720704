"""Relevance with its ledger here against plain gradient times input of the same networks on the same jets.

    python -m benchmarks.relevance [--jets 400] [--repeats 9] [--networks pfn particlenet]

Both make the network's inputs from `Jets` and return one value per particle and feature, on one thread; gradient times
input has no ledger. "all" is what a user waits for, `wb.explain` with its fingerprints and checks; "passes" is the way
through the network and back only, in the portions that `explain` takes. CPU seconds of this process, medians of repeats
taken in turns; the networks have learned for one epoch from the bundled jets.
"""

import argparse
import time

import awkward as ak
import numpy as np
import torch

import workbench as wb
from workbench.explanation.explain import VALUES_AT_ONCE
from workbench.explanation.lrp import frozen, propagate
from workbench.explanation.rules import RULES

WIDEST = {"mlp": 64, "pfn": 256, "particlenet-lite": 7 * 64, "particlenet": 16 * 256}
"""Values per row of the largest tensor, which sets the portions."""


def gradient_times_input(network, batch):
    """Returns x times d(logit 1 - logit 0)/dx, shape as x."""
    x = batch.x.clone().requires_grad_()
    logits = network(x) if batch.counts is None else network(x, batch.counts)
    (gradient,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), x)
    return batch.x * gradient


def works(fitted, jets, portions):
    """Returns what is timed, by name."""
    network, batch, seed = frozen(fitted.network), fitted.inputs(jets), torch.tensor([-1.0, 1.0])

    def plain():
        batch = fitted.inputs(jets)
        values = torch.cat([gradient_times_input(fitted.network, b) for b in batch.portions(portions)])
        return ak.sum(batch.ragged(values), axis=-1)

    return {
        "all, gradient x input": plain,
        "all, relevance": lambda: wb.explain(fitted, jets),
        "passes, gradient x input": lambda: [
            gradient_times_input(fitted.network, b) for b in batch.portions(portions)
        ],
        "passes, relevance": lambda: [
            propagate(network, b.x, b.counts, seed, RULES["epsilon"]) for b in batch.portions(portions)
        ],
    }


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jets", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--networks", nargs="+", default=list(WIDEST), choices=list(WIDEST))
    options = parser.parse_args()
    torch.set_num_threads(1)
    sample = wb.load(wb.bundled("jets"))
    for name in options.networks:
        fitted = wb.Tagger(network=name, epochs=1).fit(sample[:300], seed=1)
        jets = sample[-options.jets :]
        timed = works(fitted, jets, VALUES_AT_ONCE // WIDEST[name])
        rounds = [{what: seconds(work) for what, work in timed.items()} for _ in range(options.repeats)]
        median = {what: float(np.median([r[what] for r in rounds])) for what in timed}
        best = {what: min(r[what] for r in rounds) for what in timed}
        for part in ("all", "passes"):
            plain, ours = f"{part}, gradient x input", f"{part}, relevance"
            print(
                f"{name:17s} {part:7s} gradient x input {1e3 * median[plain] / len(jets):7.3f} ms per jet, relevance "
                f"{1e3 * median[ours] / len(jets):7.3f}: {median[ours] / median[plain]:.2f} times "
                f"(best of each: {best[ours] / best[plain]:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
