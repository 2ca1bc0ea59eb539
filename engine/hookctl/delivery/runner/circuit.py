"""The circuit breaker: a target that fails is left alone for a while, then probed, then given its load little by little."""

from __future__ import annotations

WINDOW_SECONDS = 20.0
"""Results count for this long, and at most for twice as long."""
MINIMUM = 20
"""Fewer results than this say nothing."""
FAILURE_SHARE = 0.5
OPEN_SECONDS = 10.0
"""The first wait before a probe; each probe that fails doubles it."""
MAX_OPEN_SECONDS = 300.0


class Breaker:
    """One webhook's. Times are seconds on any clock that nobody sets.

    ``limit`` is how many requests may be under way: None for as many as otherwise; 0 while the circuit is open; 1 for the probe. From there
    each success adds one, so that the load doubles with each round, and each failure halves it: the host that comes back with a backlog is
    not trampled, and one that falls again is left alone again.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.reason = ""
        """The failure that opened it last."""
        self.since = 0.0
        """When it opened after it had been closed."""
        self.until = 0.0
        """When it may be probed."""
        self._wait = OPEN_SECONDS
        self._counted_since = float("-inf")
        self._now = self._before = (0, 0)
        """Successes and failures, of this window and the one before."""

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return "closed" if self.limit is None else "half-open" if self.limit else "open"

    def look(self, now: float) -> int | None:
        """The limit now: a circuit that was open for long enough is half open."""
        if self.limit == 0 and now >= self.until:
            self.limit = 1
        return self.limit

    def reopen(self, reason: str, since: float, until: float) -> None:
        """Go on where a runner before this one had to leave off."""
        self.limit, self.reason, self.since, self.until = 0, reason, since, until

    def success(self, now: float, full: int) -> None:
        """A request went well. ``full`` is the limit at which there need be none."""
        if self.limit is None:
            self._count(now, 1, 0)
        elif self.limit > 0:  # else it began before the circuit opened
            self.limit += 1
            if self.limit >= full:
                self.limit, self._wait = None, OPEN_SECONDS
                self._now = self._before = (0, 0)

    def failure(self, now: float, reason: str) -> None:
        """A request failed by the target's fault."""
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
