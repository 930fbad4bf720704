"""Pythia to jets, detector included: how many a second, with and without multiple interactions.

    python -m benchmarks.simulate [--jets 4000] [--cores 2]

"jets" are what `simulate.jets` returns: at most one per event, the leading one, in the window of the default definition. "events" are
all that were generated, measured and clustered for them. The peer is Pythia alone on the same cores: the same events through
`nextBatch`, nothing measured, clustered or matched; "of Pythia" is the ratio, 1 would be a detector and a jet algorithm for free.
"""

import argparse
import time
from multiprocessing import get_context
from multiprocessing.pool import Pool

from workbench import simulate
from workbench.simulate.chunk import Setup
from workbench.simulate.generator import Generator
from workbench.simulate.processes import PROCESSES

ROWS = {
    "default": {},
    "default, no detector": {"detector": None},
    "leading jets above 500 GeV": {"pt": (500.0, 5_000.0), "margin": 0.0},
    "multiple interactions": {"multiple_interactions": True},
    "multiple interactions, no detector": {"multiple_interactions": True, "detector": None},
}


def bare(setup: Setup, process: str, events: int) -> None:
    """Generates events and nothing else."""
    generator = Generator(setup.pythia(PROCESSES[process]), 1)
    for _ in range(0, events, 400):
        generator.pythia.nextBatch(400)


def pythia_alone(setup: Setup, events: int, pool: Pool) -> float:
    """Returns the events a second of bare Pythia, half QCD and half top, shared by the processes of a pool."""
    pool.starmap(bare, [(setup, "QCD", 0)] * 2)
    share = -(-events // 800) * 400
    begin = time.perf_counter()
    pool.starmap(bare, [(setup, process, share) for process in ("QCD", "top")], chunksize=1)
    return 2 * share / (time.perf_counter() - begin)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jets", type=int, default=4_000)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.cores} cores, {asked.jets} jets of QCD and top, seconds include starting the processes\n")
    print("| settings | jets/s | events/s | accepted | Pythia alone, events/s | of Pythia |")
    print("|---|---|---|---|---|---|")
    pool = get_context("spawn").Pool(asked.cores)
    for name, settings in ROWS.items():
        number = asked.jets // 4 if "multiple" in name else asked.jets
        begin = time.perf_counter()
        jets = simulate.jets(["QCD", "top"], number, seed=1, cores=asked.cores, **settings)
        seconds = time.perf_counter() - begin
        processes = jets.origin.settings["processes"].values()
        events = sum(process["events"] for process in processes)
        accepted = sum(process["passed"] for process in processes) / events
        alone = pythia_alone(simulate.JetSimulation(**settings).setup(), events // 4, pool)
        rates = f"{len(jets) / seconds:.0f} | {events / seconds:.0f} | {accepted:.0%} | {alone:.0f} | {events / seconds / alone:.2f}"
        print(f"| {name} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
