"""Stopping in good order: the first Ctrl-C or SIGTERM asks, the second ends at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether someone has asked to stop."""

    def __init__(self) -> None:
        self.requested = False

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Take note of a signal; raises KeyboardInterrupt from the second on."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def catching_interrupts() -> Iterator[Interrupts]:
    """Inside the block, SIGINT and SIGTERM are noted instead of ending the process. For the main thread alone."""
    interrupts = Interrupts()
    before = {number: signal.signal(number, interrupts.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
