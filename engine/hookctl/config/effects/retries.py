"""How long and how often a webhook is tried when its target is down."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from hookctl.model import DeliveryPlan

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Retries:
    """The worst case of a delivery plan's schedule."""

    attempts: int
    """Of one delivery, the first included."""
    last_after: float
    """Seconds from the first attempt to the last, by the schedule."""
    last_after_at_most: float
    """The same with all the jitter and each attempt running into its timeout. A target's ``Retry-After`` can add to it."""
    per_event_in_an_hour: int
    """Requests that one event makes within one hour at most."""
    per_hour: float | None
    """Requests that the rate limit lets through in an hour, after a burst of at most one second's worth; None: as many as events call for."""


def retries_of(plan: DeliveryPlan, jitter: float) -> Retries:
    """The worst case; ``jitter`` is the share by which a retry may come later than scheduled."""
    return _retries(plan.retry_schedule, plan.timeout_seconds, plan.rate_limit, jitter)


@lru_cache(maxsize=256)  # a directory has few schedules
def _retries(schedule: tuple[float, ...], timeout: float, rate: float | None, jitter: float) -> Retries:
    times = [0.0, *accumulate(schedule)]
    most = max(sum(start <= time < start + HOUR for time in times) for start in times)
    waits = sum(delay * (1 + jitter) + timeout for delay in schedule)
    return Retries(len(times), times[-1], waits, most, None if rate is None else rate * HOUR)
