"""A histogram: how many values are within each of a few bounds, and their sum."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),  # those of OpenTelemetry
    *(15.0, 30.0, 60.0, 120.0, 300.0),  # a webhook's timeout_seconds may be 300
)
"""The bounds for the duration of a request."""
LATENCY_SECONDS = (*SECONDS, 900.0, 3600.0, 21_600.0, 86_400.0)
"""The bounds for the time from an event to its delivery, which may take retries over hours."""
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, *SECONDS[:12], 10.0, 30.0)
"""The bounds for a commit, which mostly waits for the disk."""


class Histogram:
    """Counts values. A bound includes the values that are equal to it."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """The number of values above the bound before and up to this one; the last is for those above every bound."""
        self.total = 0.0
        """The sum of all values."""

    def observe(self, value: float) -> None:
        """Count a value. Time that seems to have run backwards, because a clock was set, counts as none."""
        value = max(value, 0.0)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> Histogram:
        """Another one with the same counts."""
        made = Histogram(self.bounds)
        made.counts, made.total = self.counts.copy(), self.total
        return made
