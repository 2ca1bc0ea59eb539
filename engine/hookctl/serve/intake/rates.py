"""Limits how many events each token sends per second."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from hookctl.serve.problems import ProblemError

BURST_SECONDS = 1.0
"""The seconds of the rate that a token may use at once after a pause."""
MAX_KEPT = 10_000
"""The number of tokens above which those that have used nothing lately are forgotten."""


class Rates:
    """The rate is in events per second; None: there is no limit. ``clock`` returns seconds on a monotonic clock.

    A request is let in if its token has not used up its rate, and counts with all of its events afterwards. So a batch
    of any size is let in, and the next request waits for so much longer.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._free_at: dict[str, float] = {}
        """When each token will have its whole burst again."""

    def check(self, token: str) -> None:
        """Raise ProblemError with status 429 if the token has used up its rate."""
        wait = self.wait(token)
        if wait <= 0 or self._rate is None:
            return
        raise ProblemError(
            429,
            type="rate-limited",
            title="Too many events",
            detail=f"this token may send {self._rate:,.10g} events per second, and has used them up",
            hint=f"Send the request again in {ceil(wait)} s.",
            headers={"Retry-After": str(ceil(wait))},
        )

    def wait(self, token: str) -> float:
        """The seconds until the token may send again; 0 or less: it may now."""
        return self._free_at.get(token, 0.0) - self._clock() - BURST_SECONDS if self._rate else 0.0

    def count(self, token: str, events: int) -> None:
        """Count events that came with the token."""
        if not self._rate:
            return
        now = self._clock()
        if len(self._free_at) > MAX_KEPT:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[token] = max(now, self._free_at.get(token, now)) + events / self._rate
