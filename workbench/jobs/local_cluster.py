"""The process that holds the scheduler and the workers: `python -m workbench.jobs.local_cluster`.

It is a process of its own, started from this module, so that work can be asked for in a script without
`if __name__ == "__main__"` and in a notebook. It reads one line of JSON, answers with the scheduler's address, takes
further lines as the number of workers wanted from now on, and ends when its standard input ends: when the asking process
closes it, or dies. A worker that dies is replaced by its nanny; the others do not notice.
"""

import json
import logging
import os
import shutil
import sys

import dask
from distributed import LocalCluster, Security

CONFIGURATION = {
    "distributed.worker.daemon": False,
    "distributed.scheduler.allowed-failures": 0,
    "distributed.admin.low-level-log-length": 100,
    "distributed.comm.timeouts.connect": "10s",
    # Dask's own, but for MKL_NUM_THREADS: that one cannot be raised again by who asks for a fit on several cores.
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": 65536,
        "OMP_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
    },
}
PRELOAD = ["workbench.jobs.preload"]


def main() -> None:
    """Serves until standard input ends."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ask = json.loads(sys.stdin.readline())
    with (
        dask.config.set(CONFIGURATION),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            security=Security(**ask["security"]),
            protocol="tls://",
            preload=PRELOAD,
            memory_limit=0,
            local_directory=ask["folder"],
            silence_logs=logging.ERROR,
        ) as cluster,
    ):
        answer.write(cluster.scheduler_address + "\n")
        answer.close()
        for line in sys.stdin:
            cluster.scale(int(line))
    shutil.rmtree(ask["folder"], ignore_errors=True)


if __name__ == "__main__":
    main()
