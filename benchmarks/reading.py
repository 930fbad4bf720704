"""Reading the top-tagging reference layout here against pandas.read_hdf and a reshape.

    python -m benchmarks.reading [--jets 100000] [--repeats 3]

The file is written by pandas (PyTables, key `table`, blosc as the published one, 200 slots per jet, zero-padded). Both readers start
from a fresh process, so that neither profits from the other's imports; only the reading is timed, best of the repeats, in turns.
Peak memory is what the reading adds to the process at its highest, beside the size of what it returns.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import awkward as ak
import numpy as np
import pandas as pd

import workbench as wb

SLOTS = 200


def write(path, n, seed):
    """Writes `n` jets of about 50 massless particles each in the layout of the reference set."""
    generator = np.random.default_rng(seed)
    columns = [f"{c}_{i}" for i in range(SLOTS) for c in ("E", "PX", "PY", "PZ")]
    truth = ["truthE", "truthPX", "truthPY", "truthPZ"]
    for start in range(0, n, 20_000):
        rows = min(20_000, n - start)
        counts = np.clip(generator.gamma(7.7, 6.5, rows).round(), 1, SLOTS).astype(int)
        p = generator.normal(0, 10, (rows, SLOTS, 3)) * (np.arange(SLOTS) < counts[:, None])[..., None]
        p4 = np.concatenate([np.sqrt((p**2).sum(-1, keepdims=True)), p], -1).astype(np.float32)
        order = np.argsort(-np.hypot(p4[..., 1], p4[..., 2]), axis=1)
        p4 = np.take_along_axis(p4, order[..., None], axis=1)
        frame = pd.DataFrame(p4.reshape(rows, -1), columns=columns)
        flags = pd.DataFrame(
            {
                **{name: np.float32(0) for name in truth},
                "ttv": 0,
                "is_signal_new": generator.integers(0, 2, rows),
            },
            index=frame.index,
        )
        pd.concat([frame, flags], axis=1).to_hdf(
            path, key="table", mode="a", append=True, format="table", complib="blosc", complevel=5
        )


def with_pandas(path):
    """Returns momenta (jets, slots, 4) and labels, as the examples of the field read them."""
    frame = pd.read_hdf(path, key="table")
    momenta = frame.iloc[:, : 4 * SLOTS].to_numpy().reshape(-1, SLOTS, 4)
    return momenta, frame["is_signal_new"].to_numpy()


def peak_memory():
    """Returns the most memory this process has held so far, in MiB (Linux: VmHWM, which a parent's size does not touch)."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def child(reader, path, repeats):
    """Prints seconds and MiB of one reader as JSON, in a process of its own."""
    wb.Jets, ak.Array([1.0])
    before = peak_memory()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = with_pandas(path) if reader == "pandas" else wb.load(path)
        seconds.append(time.perf_counter() - start)
        if len(seconds) == 1:
            peak = peak_memory() - before
            kept = result[0].nbytes + result[1].nbytes if reader == "pandas" else result.constituents.nbytes
    print(json.dumps({"seconds": min(seconds), "peak": peak, "kept": kept / 2**20}))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jets", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child, options.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.h5"
        write(path, options.jets, seed=1)
        print(f"{options.jets} jets, {path.stat().st_size / 2**20:.0f} MiB on disk")
        found = {}
        for reader in ("pandas", "workbench"):
            command = [
                sys.executable,
                "-m",
                "benchmarks.reading",
                "--repeats",
                str(options.repeats),
                "--child",
                reader,
                str(path),
            ]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[reader] = json.loads(output.strip().splitlines()[-1])
    for reader, row in found.items():
        print(
            f"{reader:10s} {row['seconds']:6.2f} s, {options.jets / row['seconds']:9.0f} jets/s, "
            f"peak {row['peak']:6.0f} MiB for {row['kept']:5.0f} MiB returned ({row['peak'] / row['kept']:.1f} times)"
        )
    print(f"workbench is {found['pandas']['seconds'] / found['workbench']['seconds']:.1f} times as fast")


if __name__ == "__main__":
    main()
