"""The circuit breaker: a failing target gets nothing for a while, then one probe, then more and more requests."""

from __future__ import annotations

WINDOW_SECONDS = 20.0
"""Seconds for which results count; they count for at most twice as long."""
MINIMUM = 20
"""With fewer results than this, the circuit stays closed."""
FAILURE_SHARE = 0.5
OPEN_SECONDS = 10.0
"""The wait before the first probe, in seconds. Each failed probe doubles it."""
MAX_OPEN_SECONDS = 300.0


class Breaker:
    """The circuit breaker of one webhook. Times are seconds on a monotonic clock.

    ``limit`` is the maximum number of requests in flight: None for no extra limit, 0 while the circuit is open, 1 for
    the probe. From there each success adds one, so the load doubles with each round trip, and each failure halves it.
    This does not overload a target that recovers while there is a backlog, and a target that fails again gets nothing
    again.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.reason = ""
        """The failure that last opened the circuit."""
        self.since = 0.0
        """When the circuit last changed from closed to open."""
        self.until = 0.0
        """When the target may be probed."""
        self._wait = OPEN_SECONDS
        self._counted_since = float("-inf")
        self._now = self._before = (0, 0)
        """The numbers of successes and failures in this window and in the one before."""

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return "closed" if self.limit is None else "half-open" if self.limit else "open"

    def look(self, now: float) -> int | None:
        """The limit at ``now``. A circuit that has been open for long enough becomes half-open."""
        if self.limit == 0 and now >= self.until:
            self.limit = 1
        return self.limit

    def reopen(self, reason: str, since: float, until: float) -> None:
        """Continue with an open circuit of an earlier runner."""
        self.limit, self.reason, self.since, self.until = 0, reason, since, until

    def success(self, now: float, full: int) -> None:
        """A request succeeded. The circuit closes when its limit reaches ``full``."""
        if self.limit is None:
            self._count(now, 1, 0)
        elif self.limit > 0:  # otherwise the request began before the circuit opened
            self.limit += 1
            if self.limit >= full:
                self.limit, self._wait = None, OPEN_SECONDS
                self._now = self._before = (0, 0)

    def failure(self, now: float, reason: str) -> None:
        """A request failed because of the target."""
        if self.limit is None:
            good, bad = self._count(now, 0, 1)
            if good + bad >= MINIMUM and bad >= FAILURE_SHARE * (good + bad):
                self.since = now
                self._open(now, reason)
        elif self.limit > 0:
            self.limit //= 2
            if not self.limit:
                self._open(now, reason)

    def _open(self, now: float, reason: str) -> None:
        self.limit, self.reason, self.until = 0, reason, now + self._wait
        self._wait = min(2 * self._wait, MAX_OPEN_SECONDS)

    def _count(self, now: float, good: int, bad: int) -> tuple[int, int]:
        if now - self._counted_since >= WINDOW_SECONDS:
            self._before = self._now if now - self._counted_since < 2 * WINDOW_SECONDS else (0, 0)
            self._now, self._counted_since = (0, 0), now
        self._now = (self._now[0] + good, self._now[1] + bad)
        return self._now[0] + self._before[0], self._now[1] + self._before[1]
