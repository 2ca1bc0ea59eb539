"""Stopping in good order: the first Ctrl-C or SIGTERM asks, the second ends at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
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

    def handle_once(self, _signal: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt for the first signal; ignore those that come while what it ended is put in order."""
        if not self.requested:
            self.requested = True
            raise KeyboardInterrupt


@contextmanager
def catching_interrupts() -> Iterator[Interrupts]:
    """Inside the block, SIGINT and SIGTERM are noted instead of ending the process. For the main thread alone."""
    interrupts = Interrupts()
    with _handling(interrupts.handle, signal.SIGINT, signal.SIGTERM):
        yield interrupts


@contextmanager
def raising_interrupts() -> Iterator[Interrupts]:
    """Inside the block, the first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt. For the main thread alone."""
    interrupts = Interrupts()
    hangup = (
        [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []
    )  # under nohup it stays ignored
    with _handling(interrupts.handle_once, signal.SIGINT, signal.SIGTERM, *hangup):
        yield interrupts


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None], *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
