"""How long and how often hookctl tries a webhook whose target is down."""

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
    """Attempts for one delivery, including the first."""
    last_after: float
    """Seconds from the first attempt to the last, as scheduled."""
    last_after_at_most: float
    """The same with full jitter and with every attempt timing out. A target's ``Retry-After`` can add to it."""
    per_event_in_an_hour: int
    """The maximum number of requests that one event causes within an hour."""
    per_hour: float | None
    """The requests per hour that the rate limit allows, after a burst of at most one second; None: no limit."""


def retries_of(plan: DeliveryPlan, jitter: float) -> Retries:
    """The worst case. ``jitter`` is the share of the delay by which a retry may come later than scheduled."""
    return _retries(plan.retry_schedule, plan.timeout_seconds, plan.rate_limit, jitter)


@lru_cache(maxsize=256)  # a directory has only a few different schedules
def _retries(schedule: tuple[float, ...], timeout: float, rate: float | None, jitter: float) -> Retries:
    times = [0.0, *accumulate(schedule)]
    most = max(sum(start <= time < start + HOUR for time in times) for start in times)
    waits = sum(delay * (1 + jitter) + timeout for delay in schedule)
    return Retries(len(times), times[-1], waits, most, None if rate is None else rate * HOUR)
