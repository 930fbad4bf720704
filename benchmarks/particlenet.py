"""ParticleNet here against weaver-core's: same parameters, same jets, same batch, one after the other in one run.

    python -m benchmarks.particlenet [--batch 128] [--repeats 3] [--threads 2] [--clock wall]

Needs weaver-core (`pip install .[bench]`). Both networks have the same weights, and the logits of real jets are compared
before anything is timed. On a busy machine take `--threads 1 --clock cpu`, which counts processor time.
A training step is forward, backward and AdamW; the time is the best of the repeats, in turns.
Multiplicities are drawn as those of jets of 550-650 GeV (mean 50, width 18, at most 128); weaver's rectangles are padded to
the longest jet of the batch ("longest"), to 128 slots as its published configurations do ("128"), or trimmed at
random by its own trimmer ("trimmed": drops particles in training).
"""

import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from weaver.nn.model.ParticleNet import ParticleNet as WeaverParticleNet

from workbench.engines.batch import Batch
from workbench.engines.training import predict
from workbench.models.particlenet import BLOCKS, LITE_BLOCKS, ParticleNet

SLOTS = 128
BATCHES = 4
"""Batches of different lengths per measurement, as in a real epoch; a batch seen again would flatter caches of shapes."""
NETWORKS = {"particlenet": (BLOCKS, 256), "particlenet-lite": (LITE_BLOCKS, 128)}


def jets(n, seed):
    """Returns x (particles, 7) and counts (n,) of jets with realistic multiplicities."""
    generator = np.random.default_rng(seed)
    counts = np.clip(generator.gamma((50 / 18) ** 2, 18**2 / 50, n).round(), 2, SLOTS).astype(np.int64)
    x = generator.normal(size=(counts.sum(), 7)).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(counts)


def padded(x, counts, slots):
    """Returns weaver's layout: points (jets, 2, slots), features (jets, 7, slots), mask (jets, 1, slots)."""
    real = torch.arange(slots) < counts[:, None]
    features = x.new_zeros(len(counts), slots, x.shape[1])
    features[real] = x
    features = features.transpose(1, 2).contiguous()
    return features[:, :2].contiguous(), features, real[:, None]


def ours(blocks, hidden):
    return ParticleNet(7, 2, blocks=blocks, hidden=hidden)


def weavers(blocks, hidden, trim):
    return WeaverParticleNet(
        7, 2, conv_params=list(blocks), fc_params=[(hidden, 0.1)], use_fusion=False, trim=trim
    )


def copy_weights(source, target):
    """Copies weaver's weights into our network (in the order that both define them)."""
    theirs = [(n, t) for n, t in source.state_dict().items() if "num_batches" not in n]
    shared = {}
    shared |= {f"norm.{n.removeprefix('bn_fts.')}": t for n, t in theirs if n.startswith("bn_fts.")}
    for name, tensor in theirs:
        parts = name.split(".")
        if parts[0] == "edge_convs":
            block, layer, rest = f"blocks.{parts[1]}", parts[2], parts[3:]
            if layer == "convs":
                first = rest[0] == "0"
                key = f"{block}.first.weight" if first else f"{block}.rest.{int(rest[0]) - 1}.weight"
            elif layer == "bns":
                key = f"{block}.norms.{'.'.join(rest)}"
            else:
                key = f"{block}.shortcut.{0 if layer == 'sc' else 1}.{rest[0]}"
            shared[key] = tensor.flatten(1) if tensor.ndim > 1 else tensor
        elif parts[0] == "fc":
            shared[f"{'hidden.0' if parts[1] == '0' else 'output'}.{parts[-1]}"] = tensor
    missing = target.load_state_dict(shared, strict=False)
    assert not missing.unexpected_keys
    assert all("num_batches" in key for key in missing.missing_keys)


def step(network, optimizer, inputs, label):
    """One training step."""
    network.train()
    optimizer.zero_grad()
    F.cross_entropy(network(*inputs), label).backward()
    optimizer.step()


def infer(network, inputs):
    """One inference of the batch, by weaver's network; ours goes through `predict`, as a fitted tagger does."""
    network.eval()
    with torch.no_grad():
        network(*inputs)


def best_times(actions, repeats, clock=time.perf_counter):
    """Returns the least time in s of each action, taken in turns."""
    found = dict.fromkeys(actions, np.inf)
    for _ in range(repeats + 1):
        for name, action in actions.items():
            start = clock()
            action()
            found[name] = min(found[name], clock() - start)
    return found


def compare(name, batch, repeats, clock):
    """Prints one row of the table per layout of weaver's input."""
    blocks, hidden = NETWORKS[name]
    batches = [jets(batch, seed=1 + number) for number in range(BATCHES)]
    label = torch.arange(batch) % 2
    network = ours(blocks, hidden)
    layouts = {"longest": (None, False), "128": (SLOTS, False), "trimmed": (SLOTS, True)}
    networks, inputs = {"ours": network}, {"ours": batches}
    for layout, (slots, trim) in layouts.items():
        networks[layout] = weavers(blocks, hidden, trim)
        inputs[layout] = [padded(x, counts, slots or int(counts.max())) for x, counts in batches]
    with torch.no_grad():
        copy_weights(networks["longest"], network)
        difference = (
            networks["longest"].eval()(*inputs["longest"][0]) - network.eval()(*inputs["ours"][0])
        ).abs()[batches[0][1] > max(k for k, _ in blocks)]
    sizes = [sum(p.numel() for p in n.parameters()) for n in (network, networks["longest"])]
    optimizers = {n: torch.optim.AdamW(net.parameters(), lr=1e-4) for n, net in networks.items()}
    training = best_times(
        {n: (lambda n=n: [step(networks[n], optimizers[n], b, label) for b in inputs[n]]) for n in networks},
        repeats,
        clock,
    )
    inferring = {n: (lambda n=n: [infer(networks[n], b) for b in inputs[n]]) for n in layouts}
    inferring["ours"] = lambda: [predict(network, Batch(*b, ())) for b in batches]
    inference = best_times(inferring, repeats, clock)
    batch *= BATCHES
    print(
        f"{name}: {sizes[0]} and {sizes[1]} parameters, largest difference of a logit {difference.max():.1e}"
    )
    print(
        f"  ours: {batch / training['ours']:.0f} jets/s training, {batch / inference['ours']:.0f} inference"
    )
    for layout in layouts:
        print(
            f"  weaver, {layout:8s}: {batch / training[layout]:6.0f} jets/s training, {batch / inference[layout]:6.0f} "
            f"inference; ours is {training[layout] / training['ours']:.1f} and {inference[layout] / inference['ours']:.1f} times as fast"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = {"wall": time.perf_counter, "cpu": time.process_time}[arguments.clock]
    for name in arguments.networks:
        compare(name, arguments.batch, arguments.repeats, clock)


if __name__ == "__main__":
    main()
