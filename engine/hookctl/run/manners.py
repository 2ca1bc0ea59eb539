"""How much of one webhook's backlog may be on its way at once, so that no target is trampled and none starves the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from hookctl.model import DeliveryPlan, Status

MAX_IN_FLIGHT = 256
"""Attempts under way at once, over all webhooks."""
MAX_IN_FLIGHT_EACH = 64
"""Of one webhook: a target that hangs leaves room for the others."""


class Manners:
    """Counts what is on its way, and how fast each webhook was used. ``monotonic`` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._in_flight: Counter[str] = Counter()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._turn = 0

    def wanted(self, plans: Mapping[str, DeliveryPlan]) -> dict[str, int]:
        """How many more of each active webhook may be started now. Another webhook comes first each time."""
        names = [name for name, plan in plans.items() if plan.status is Status.ACTIVE]
        self._turn = (self._turn + 1) % max(1, len(names))
        turned = names[self._turn :] + names[: self._turn]
        room = {name: min(MAX_IN_FLIGHT_EACH - self._in_flight[name], self._tokens(plans[name])) for name in turned}
        return {name: count for name, count in room.items() if count > 0}

    @property
    def room(self) -> int:
        """How many more may be started now, over all webhooks."""
        return MAX_IN_FLIGHT - self._in_flight.total()

    def started(self, plan: DeliveryPlan) -> None:
        """One more is on its way."""
        self._in_flight[plan.name] += 1
        if plan.rate_limit is not None:
            tokens, at = self._buckets[plan.name]
            self._buckets[plan.name] = (tokens - 1, at)

    def ended(self, webhook: str) -> None:
        """One less is on its way."""
        self._in_flight[webhook] -= 1

    def _tokens(self, plan: DeliveryPlan) -> int:
        """A bucket that holds one second's worth, and at least one; it fills evenly."""
        if plan.rate_limit is None:
            return MAX_IN_FLIGHT_EACH
        now = self._monotonic()
        tokens, at = self._buckets.get(plan.name, (1.0, now))
        tokens = min(max(1.0, plan.rate_limit), tokens + (now - at) * plan.rate_limit)
        self._buckets[plan.name] = (tokens, now)
        return int(tokens)
