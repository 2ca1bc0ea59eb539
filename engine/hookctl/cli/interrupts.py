"""Stops cleanly: the first Ctrl-C or SIGTERM asks the command to stop, the second ends it at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

REPEAT_SECONDS = 1.0
"""A SIGTERM this soon after the first signal is the same request: ``timeout``, for example, sends it to the process and
then to its group."""


class Interrupts:
    """Whether a signal has asked the command to stop."""

    def __init__(self) -> None:
        self.requested = False
        self._requested_at = 0.0

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Note the first signal. Raises KeyboardInterrupt for every later one that is another request."""
        if not self.requested:
            self.requested, self._requested_at = True, time.monotonic()
        elif number != signal.SIGTERM or time.monotonic() - self._requested_at >= REPEAT_SECONDS:
            raise KeyboardInterrupt

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
