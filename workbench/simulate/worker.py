"""A process of its own that makes chunks: `python -m workbench.simulate.worker`.

Tasks come in and parts go out as pickles on the pipes to the parent, which started this process; nothing else is read.
Started as a module, so that it works from an unguarded script and from a notebook: `__main__` is never imported again.
"""

import os
import pickle
import signal
import sys
from typing import BinaryIO

from ..errors import SimulationError
from .chunk import made


def serve(tasks: BinaryIO, parts: BinaryIO) -> None:
    """Makes each task that comes until there are no more; an error is handed back in place of a tally."""
    while True:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        try:
            for part in made(task):
                pickle.dump(part, parts, protocol=pickle.HIGHEST_PROTOCOL)
                parts.flush()
        except SimulationError as error:
            pickle.dump(error, parts)
            parts.flush()


if __name__ == "__main__":
    # Ctrl-C reaches every process of a terminal; the parent is the one that ends this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pythia and FastJet print banners to the standard output; the pipe to the parent must stay clean.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin.buffer, pipe)
