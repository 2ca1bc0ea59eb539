"""Notices that the wall clock was set, so that due times stay as far ahead as they were."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hookctl.store.interface import Queue

CLOCK_SECONDS = 60.0
"""Seconds of drift between the wall clock and the monotonic clock from which the wall clock counts as changed."""

log = logging.getLogger(__name__)


class ClockWatch:
    """Compares the wall clock with the monotonic one. ``clock`` and ``monotonic`` return seconds."""

    def __init__(self, queue: Queue, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._queue, self._clock, self._monotonic = queue, clock, monotonic
        self._ahead = clock() - monotonic()
        """Seconds by which the wall clock is ahead of the monotonic clock."""
        queue.clock_set(clock(), clock())

    def check(self) -> None:
        """Tell the store if the wall clock was set since the last call."""
        now, monotonic = self._clock(), self._monotonic()
        if abs(now - monotonic - self._ahead) > CLOCK_SECONDS:
            log.warning("the system clock was changed by %+.0f seconds", now - monotonic - self._ahead)
            self._queue.clock_set(self._ahead + monotonic, now)
        self._ahead = now - monotonic
