"""Waiting for what goes on beside a test, and stopping it."""

import time


class After:
    """A stop that is set once it has been looked at `looks` times."""

    def __init__(self, looks):
        self.looks = looks

    def is_set(self):
        self.looks -= 1
        return self.looks < 0


def settle(errands, beat=None):
    """Takes up what errands have done until none is left, by a beat of the page if given; a minute is ample."""
    ends = time.monotonic() + 60
    while errands.waiting and time.monotonic() < ends:
        (beat or errands.collect)()
        time.sleep(0.002)
    assert not errands.waiting
