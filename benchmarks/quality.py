"""How well each classifier does, with errors: the tables of the README.

    python -m benchmarks.quality equal      every network on the same 10,000 jets, three seeds
    python -m benchmarks.quality large      120,000 training jets, and the Particle Flow Network as a learning curve
    python -m benchmarks.quality bundle     train the tagger that travels with the package

Samples are made by `wb.simulate.jets` with the default settings and kept in benchmarks/cache. Training and test jets come from
different seeds; the test sample (40,000 jets; 15,000 of them for the first table) is never used to choose anything.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np

import workbench as wb
from workbench.data import parquet
from workbench.data.bundled import FILES, FOLDER

HERE = Path(__file__).parent
CACHE, RESULTS = HERE / "cache", HERE / "results"
NETWORKS = ("trees", "mlp", "pfn", "particlenet-lite", "particlenet")
TEST, TEST_SEED = 40_000, 20_001
TRAIN, TRAIN_SEED = 120_000, 20_002
EPOCHS = {"equal": 8, "large": 12}
SEEDS = (1, 2, 3)


def sample(n, seed):
    """Returns `n` simulated jets, QCD and top, made once and kept."""
    path = CACHE / f"jets-{n}-{seed}.parquet"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        parquet.write(wb.simulate.jets(["QCD", "top"], n=n, seed=seed), path)
    return wb.load(path)


def fitted(network, train, *, epochs, seed):
    """Returns a tagger trained once and kept, and the minutes that took."""
    path = CACHE / f"{network}-{len(train)}-{epochs}-{seed}.safetensors"
    clock = path.with_suffix(".minutes")
    if not clock.exists():
        began = time.perf_counter()
        tagger = wb.Tagger(network=network, epochs=epochs, patience=epochs).fit(train, seed=seed)
        tagger.save(path, resumable=False)
        clock.write_text(f"{(time.perf_counter() - began) / 60:.2f}")
    return wb.open(path), float(clock.read_text())


def measure(network, train, test, *, epochs, seed):
    """Returns one row of figures of a network trained once."""
    tagger, minutes = fitted(network, train, epochs=epochs, seed=seed)
    roc = wb.roc(test.label, tagger.score(test), signal="top", background="QCD")
    return {
        "auc": roc.auc,
        "auc_error": roc.auc_error,
        "accuracy": roc.accuracy,
        "r50": roc.rejection(0.5),
        "r30": roc.rejection(0.3),
        "parameters": tagger.parameters,
        "minutes": minutes,
    }


def line(name, jets, rows):
    """Returns a Markdown row: mean over seeds, with the spread between seeds and the error of the test sample."""

    def spread(values, digits):
        return f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""

    auc = [row["auc"] for row in rows]
    cells = [
        name,
        f"{jets:,}",
        f"{rows[0]['parameters']:,}",
        f"{np.mean([row['accuracy'] for row in rows]):.4f}",
    ]
    cells.append(f"{np.mean(auc):.4f}{spread(auc, 4)} ± {np.mean([row['auc_error'] for row in rows]):.4f}")
    for point in ("r50", "r30"):
        values = [row[point].value for row in rows]
        error = np.mean([row[point].error for row in rows])
        cells.append(f"{np.mean(values):.0f}{spread(values, 0)} ± {error:.0f}")
    cells.append(f"{np.median([row['minutes'] for row in rows]):.1f}")
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| network | training jets | parameters | accuracy | AUC | 1/ε_B (ε_S = 0.5) | 1/ε_B (ε_S = 0.3) | minutes |\n"
    "|---|---|---|---|---|---|---|---|"
)


def table(name, plan, *, epochs, seeds, note, scored=TEST):
    """Trains every (network, jets) of `plan` and writes the table."""
    RESULTS.mkdir(exist_ok=True)
    train, test = sample(TRAIN, TRAIN_SEED), sample(TEST, TEST_SEED)[:scored]
    order = np.random.default_rng(0).permutation(len(train))
    lines = []
    for network, jets in plan:
        part = train[order[:jets]]
        lines.append(
            line(network, jets, [measure(network, part, test, epochs=epochs, seed=s) for s in seeds])
        )
    text = (
        f"Command: `python -m benchmarks.quality {name}`. {note} Test sample: {scored:,} jets. Last error: statistics "
        f"of the test sample; the one before, where there is one: spread between seeds. Training jets include the tenth held "
        f"out to choose the best epoch. Machine: {os.cpu_count()} cores, {platform.machine()}, one thread per fit, other work "
        f"beside it.\n\n"
    )
    (RESULTS / f"{name}.md").write_text(text + "\n".join([HEAD, *lines]) + "\n")


def main():
    """Runs one of the three plans."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", choices=("equal", "large", "bundle"))
    parser.add_argument(
        "--only", choices=NETWORKS, help="train this network of the equal table and keep it; no table"
    )
    asked = parser.parse_args()
    if asked.only:
        train = sample(TRAIN, TRAIN_SEED)
        part = train[np.random.default_rng(0).permutation(len(train))[:10_000]]
        for seed in SEEDS:
            fitted(asked.only, part, epochs=EPOCHS["equal"], seed=seed)
    elif asked.plan == "equal":
        note = f"Same jets, {EPOCHS['equal']} epochs (trees: up to 200 iterations), three seeds."
        table(
            "equal",
            [(n, 10_000) for n in NETWORKS],
            epochs=EPOCHS["equal"],
            seeds=SEEDS,
            note=note,
            scored=15_000,
        )
    elif asked.plan == "large":
        sizes = [("trees", 120_000), ("mlp", 120_000), ("pfn", 12_000), ("pfn", 40_000), ("pfn", 120_000)]
        note = f"{EPOCHS['large']} epochs (trees: up to 200 iterations)."
        table("large", [*sizes, ("particlenet-lite", 120_000)], epochs=EPOCHS["large"], seeds=(1,), note=note)
    else:
        train = sample(TRAIN, TRAIN_SEED)
        part = train[np.random.default_rng(0).permutation(len(train))]
        tagger, _ = fitted("particlenet-lite", part, epochs=EPOCHS["large"], seed=1)
        tagger.save(FOLDER / FILES["tagger"], resumable=False)


if __name__ == "__main__":
    main()
