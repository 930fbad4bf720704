"""Which process asked for a run, and whether it still lives."""

import os
import socket
from contextlib import suppress

import psutil


def this_server() -> str:
    """Returns host, process and its start time: "host:1234:1700000000.5"."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time()}"


def host_of(server: str) -> str:
    """Returns the host of a server."""
    return server.rsplit(":", 2)[0]


def is_here(server: str) -> bool:
    """Returns True if the server runs, or ran, on this host."""
    return host_of(server) == socket.gethostname()


def lives(server: str) -> bool:
    """Returns True if that very process of this host still runs; a process of the same number that began later is another."""
    with suppress(ValueError, psutil.Error):
        _, process, began = server.rsplit(":", 2)
        return abs(psutil.Process(int(process)).create_time() - float(began)) < 1
    return False
