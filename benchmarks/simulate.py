"""Pythia to jets, detector included: how many a second, with and without multiple interactions.

    python -m benchmarks.simulate [--jets 4000] [--cores 2]

Half QCD, half top. "leading jets/s": events a second that went the whole way, Pythia, detector, anti-kT, leading jet and its truth;
wanted are 750 without and 200 with multiple interactions on two cores. "jets/s": those of them in the window of the settings, which
is what `simulate.jets` returns; the narrow pT window of the default, on a steeply falling spectrum, takes about every third.
"a CPU second" counts the leading jets by the processor time of the workers, which other work on the machine hardly changes. The peer
is Pythia alone on the same cores: the same events through `nextBatch`, nothing measured, clustered or matched; "of Pythia" is the
ratio, 1 would be a detector and a jet algorithm for free.
"""

import argparse
import resource
import time
from multiprocessing import get_context
from multiprocessing.pool import Pool

from workbench import simulate
from workbench.simulate.chunk import BATCH, Setup
from workbench.simulate.generator import Generator
from workbench.simulate.processes import PROCESSES

CLASSES = ("QCD", "top")
ROWS = {
    "default": {},
    "multiple interactions": {"multiple_interactions": True},
    "no detector": {"detector": None},
    "multiple interactions, no detector": {"multiple_interactions": True, "detector": None},
}
WANTED = {"default": 750, "multiple interactions": 200}
"""Leading jets a second on two cores."""


def bare(setup: Setup, process: str, events: int) -> None:
    """Generates events and nothing else."""
    generator = Generator(setup.pythia(PROCESSES[process]), 1)
    for _ in range(0, events, BATCH):
        generator.pythia.nextBatch(BATCH)


def pythia_alone(setup: Setup, events: int, pool: Pool) -> float:
    """Returns the events a second of bare Pythia on two processes of a pool that are at work already, one for QCD and one for top."""
    pool.starmap(bare, [(setup, process, 0) for process in CLASSES], chunksize=1)
    share = -(-events // (2 * BATCH)) * BATCH
    begin = time.perf_counter()
    pool.starmap(bare, [(setup, process, share) for process in CLASSES], chunksize=1)
    return 2 * share / (time.perf_counter() - begin)


def processor_time() -> float:
    """Returns the seconds that ended worker processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jets", type=int, default=4_000)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.cores} cores, {asked.jets} jets of QCD and top (a quarter with multiple interactions);")
    print("seconds include starting the processes\n")
    print(
        "| settings | leading jets/s | wanted | a CPU second | jets/s | accepted | Pythia alone, events/s | of Pythia |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with get_context("spawn").Pool(asked.cores) as pool:
        for name, settings in ROWS.items():
            number = asked.jets // 4 if "multiple" in name else asked.jets
            begin, used = time.perf_counter(), processor_time()
            jets = simulate.jets(CLASSES, number, seed=1, cores=asked.cores, **settings)
            seconds, used = time.perf_counter() - begin, processor_time() - used
            made = jets.origin.settings["processes"].values()
            events = sum(process["events"] for process in made)
            accepted = sum(process["passed"] for process in made) / events
            alone = pythia_alone(simulate.JetSimulation(**settings).setup(), events // 4, pool)
            leading = f"{events / seconds:.0f} | {WANTED.get(name, '')} | {events / used:.0f}"
            rates = f"{leading} | {len(jets) / seconds:.0f} | {accepted:.0%}"
            print(f"| {name} | {rates} | {alone:.0f} | {events / seconds / alone:.2f} |", flush=True)


if __name__ == "__main__":
    main()
