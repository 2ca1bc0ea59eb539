"""How much of one webhook's backlog may be on its way at once, so that no target is trampled and none starves the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hookctl.model import DeliveryPlan, Status
from hookctl.queue.interface import Circuit
from hookctl.run.circuit import MAX_OPEN_SECONDS, Breaker

MAX_IN_FLIGHT = 4096
"""Attempts under way at once, over all webhooks."""
SHARED = 256
"""Of them, those that webhooks share which do not say how many they want. Each is a connection, and a handshake costs more than a request: a fast target is
served faster by few that are kept."""
MAX_IN_FLIGHT_EACH = 64
"""Of one webhook that does not say otherwise."""
PACE_SECONDS = 0.05
"""Between two looks how fast each target takes its deliveries."""
AHEAD_SECONDS = 0.1
"""For so long a target that is well is kept busy by what is claimed ahead: each claim is a commit, and cheap only for many at once."""
BUSY = 500
"""Deliveries a second: a runner that makes fewer has time to take in events that cannot be delivered yet."""
RESERVED = 0.25
"""The share of all attempts that is for webhooks with less than an even share: targets that hang cannot take it from the others."""


@dataclass(frozen=True, slots=True)
class Health:
    """What an attempt says of its target."""

    is_well: bool
    reason: str = ""


class Manners:
    """Counts what is on its way, how fast each webhook was used, and how its target does. ``monotonic`` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._monotonic = monotonic
        self._max_in_flight = max_in_flight
        self._in_flight: Counter[str] = Counter()
        self._total = 0
        self._most = min(SHARED, max_in_flight)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._breakers: dict[str, Breaker] = {}
        """Of webhooks whose target has failed since it was last well for sure."""
        self._told: dict[str, tuple[str, float]] = {}
        self._turn = 0
        self._active = 1
        self._even = self._most
        self._went: Counter[str] = Counter()
        self._paced_at = monotonic()
        self._pace: dict[str, int] = {}
        """How many of each webhook end in :data:`AHEAD_SECONDS`, as last measured."""

    def wanted(self, plans: Mapping[str, DeliveryPlan], waiting: Mapping[str, int]) -> dict[str, int]:
        """How many more of each active webhook may be claimed now, beside those that are ``waiting`` in hand already.

        They are those that may be started, and those that its target will have taken :data:`AHEAD_SECONDS` from now. Another webhook comes first each time.
        """
        names = [name for name, plan in plans.items() if plan.status is Status.ACTIVE]
        self._turn = (self._turn + 1) % max(1, len(names))
        self._most = min(self._max_in_flight, SHARED + sum(plans[name].max_in_flight or 0 for name in names))
        self._even = max(1, self._most // max(1, len(names)))
        self._active = max(1, len(names))
        self._measure_pace()
        wanted = {}
        for name in names[self._turn :] + names[: self._turn]:
            count = self.may_start(plans[name]) + self._ahead(plans[name]) - waiting.get(name, 0)
            if count > 0:
                wanted[name] = count
        return wanted

    def _ahead(self, plan: DeliveryPlan) -> int:
        """How many are claimed before they may be started: none where a limit says how many may come at a time."""
        breaker = self._breakers.get(plan.name)
        is_limited = plan.rate_limit is not None or (breaker is not None and breaker.limit is not None)
        return 0 if is_limited else self._pace.get(plan.name, 0)

    def hungers(self, plan: DeliveryPlan, wanted: int) -> bool:
        """Whether as many as are ``wanted`` of one webhook are worth a commit: half of what is claimed of it at best."""
        return wanted >= (min(_full(plan), self._even) + self._ahead(plan)) / 2

    @property
    def is_busy(self) -> bool:
        """Whether targets take so much that there is not much time for anything else."""
        return sum(self._pace.values()) >= BUSY * AHEAD_SECONDS

    @property
    def room(self) -> int:
        """How many more may be started now, over all webhooks."""
        return self._most - self._total

    def may_start(self, plan: DeliveryPlan) -> int:
        """How many more of one webhook may be started now; none or less: nothing may."""
        share, under_way = self._share(plan), self._in_flight[plan.name]
        beyond = -(-(self.room - int(self._most * RESERVED)) // self._active)  # so that all of them together leave what is reserved
        return min(max(min(share, self._even) - under_way, min(share - under_way, beyond)), self.room, self._tokens(plan))

    def _measure_pace(self) -> None:
        now = self._monotonic()
        if now - self._paced_at >= PACE_SECONDS:
            part = AHEAD_SECONDS / (now - self._paced_at)
            self._pace = {name: int(count * part) for name, count in self._went.items()}
            self._went, self._paced_at = Counter(), now

    def started(self, plan: DeliveryPlan) -> None:
        """One more is on its way."""
        self._in_flight[plan.name] += 1
        self._total += 1
        if plan.rate_limit is not None:
            tokens, at = self._buckets.get(plan.name, (1.0, self._monotonic()))
            self._buckets[plan.name] = (tokens - 1, at)

    def ended(self, plan: DeliveryPlan, health: Health | None) -> None:
        """One less is on its way; ``health`` is None where nothing was learned about the target."""
        self._in_flight[plan.name] -= 1
        self._total -= 1
        self._went[plan.name] += 1
        if health is None:
            return
        breaker = self._breakers.get(plan.name)
        if breaker is None:
            if health.is_well:
                return  # nothing has failed, so there is nothing to count against
            breaker = self._breakers[plan.name] = Breaker()
        if health.is_well:
            breaker.success(self._monotonic(), _full(plan))
        else:
            breaker.failure(self._monotonic(), health.reason)

    # -- circuits

    def probe_in(self, webhook: str) -> float:
        """Seconds until a webhook whose circuit is open is probed; 0 for every other one."""
        breaker = self._breakers.get(webhook)
        return max(0.0, breaker.until - self._monotonic()) if breaker and breaker.limit == 0 else 0.0

    def circuits(self, now: float) -> dict[str, Circuit | None]:
        """The circuits that changed since the last call; None: closed again. ``now`` is in epoch seconds, as the times of the circuits are."""
        ahead = now - self._monotonic()
        changed: dict[str, Circuit | None] = {}
        for name, breaker in self._breakers.items():
            breaker.look(self._monotonic())
            stands = (breaker.state, breaker.until if breaker.limit == 0 else 0.0)
            if stands != self._told.get(name, ("closed", 0.0)):
                self._told[name] = stands
                closed = breaker.limit is None
                changed[name] = None if closed else Circuit(breaker.state, breaker.reason, breaker.since + ahead, breaker.until + ahead)
        return changed

    def take_over(self, circuits: Mapping[str, Circuit], now: float) -> None:
        """Begin with what a runner before this one said of targets, as it stands at ``now`` (epoch seconds)."""
        ahead = now - self._monotonic()
        for name, circuit in circuits.items():
            breaker = self._breakers[name] = Breaker()
            breaker.reopen(circuit.reason, circuit.since - ahead, min(circuit.until, now + MAX_OPEN_SECONDS) - ahead)

    def _share(self, plan: DeliveryPlan) -> int:
        breaker = self._breakers.get(plan.name)
        limit = breaker.look(self._monotonic()) if breaker else None
        return _full(plan) if limit is None else min(limit, _full(plan))

    def _tokens(self, plan: DeliveryPlan) -> int:
        """A bucket that holds one second's worth, and at least one; it fills evenly."""
        if plan.rate_limit is None:
            return self._max_in_flight
        now = self._monotonic()
        tokens, at = self._buckets.get(plan.name, (1.0, now))
        tokens = min(max(1.0, plan.rate_limit), tokens + (now - at) * plan.rate_limit)
        self._buckets[plan.name] = (tokens, now)
        return int(tokens)


def _full(plan: DeliveryPlan) -> int:
    return plan.max_in_flight or MAX_IN_FLIGHT_EACH
