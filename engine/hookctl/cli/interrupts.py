"""Stops cleanly: the first Ctrl-C or SIGTERM asks the command to stop, the second ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether a signal has asked the command to stop."""

    def __init__(self) -> None:
        self.requested = False

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Note the first signal; raise KeyboardInterrupt for every later one."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def handle_once(self, _signal: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt for the first signal; ignore later ones, which would stop the clean-up."""
        if not self.requested:
            self.requested = True
            raise KeyboardInterrupt


@contextmanager
def catching_interrupts() -> Iterator[Interrupts]:
    """Inside the block, SIGINT and SIGTERM are noted instead of ending the process. Only for the main thread."""
    interrupts = Interrupts()
    with _handling(interrupts.handle, signal.SIGINT, signal.SIGTERM):
        yield interrupts


@contextmanager
def raising_interrupts() -> Iterator[Interrupts]:
    """Inside the block, the first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt. Only for the main thread."""
    interrupts = Interrupts()
    # Under nohup, SIGHUP is ignored, and stays so.
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
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
