"""The clock that nobody sets."""

from __future__ import annotations

import time


def since_boot() -> float:
    """Seconds on a clock that goes on while the machine sleeps, and that is one for all processes on it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
