"""All figures of the README in one run, one after the other: `make bench`.

Prints what each benchmark prints and keeps it in benchmarks/results/benchmarks.md with the machine it ran on.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

MODULES = ("particlenet", "images", "simulate", "reading", "relevance", "explanations", "toys", "start")
RESULT = Path(__file__).parent / "results" / "benchmarks.md"


def processor():
    """Returns the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    names = (
        [
            line.split(":")[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        if info.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def main():
    """Runs every benchmark; one that fails is named and the others still run."""
    RESULT.parent.mkdir(exist_ok=True)
    parts = [f"`make bench` on {os.cpu_count()} cores ({processor()}), Python {platform.python_version()}.\n"]
    failed = []
    for module in MODULES:
        finished = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{module}"],
            cwd=RESULT.parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"## {module}\n\n{finished.stdout}{finished.stderr if finished.returncode else ''}", flush=True)
        if finished.returncode:
            failed.append(module)
        parts.append(f"## {module}\n\n```\n{finished.stdout.strip()}\n```\n")
        RESULT.write_text("\n".join(parts))
    sys.exit(f"failed: {', '.join(failed)}" if failed else None)


if __name__ == "__main__":
    main()
