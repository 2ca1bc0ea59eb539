"""Limits: how many attempts of each webhook may be in flight, so no target is overloaded and none starves others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from hookctl.delivery.runner.circuit import MAX_OPEN_SECONDS, Breaker
from hookctl.model import DeliveryPlan, Status
from hookctl.store.records import Circuit

MAX_IN_FLIGHT = 4096
"""Attempts in flight at the same time, over all webhooks."""
SHARED = 256
"""Of these, the attempts that are shared by the webhooks without a ``max_in_flight`` of their own.

Each attempt in flight needs a connection, and a handshake costs more than a request: a fast target is served faster
through few connections that are kept.
"""
MAX_IN_FLIGHT_EACH = 64
"""Attempts in flight of one webhook without a ``max_in_flight`` of its own."""
PACE_SECONDS = 0.05
"""Between two measurements of how fast each target takes its deliveries."""
AHEAD_SECONDS = 0.1
"""A healthy target has what it takes in so many seconds claimed ahead.

Each claim is a commit, and one commit for many is cheap.
"""
BUSY = 500
"""Deliveries a second. A runner that makes fewer has time to take in events that cannot be delivered yet."""
RESERVED = 0.25
"""The share of all attempts that only webhooks below an even share may use, so targets that hang cannot take it."""
SHARED_EACH = 2
"""At least so many attempts are shared for each webhook, where :data:`SHARED` would be fewer."""
SLOW_SHARE = 0.5
"""The share of all attempts that webhooks whose last attempt failed slowly may use together."""
SLOW_SECONDS = 1.0
"""A failure that takes longer is slow: it used capacity for nothing."""
PAUSE_SECONDS = 1.0
"""How long a webhook pauses when this machine lacks something for an attempt; doubled until an attempt can be made."""
MAX_PAUSE_SECONDS = 60.0
LOCAL = "local"
"""The circuit state of a webhook that pauses because of this machine."""


@dataclass(frozen=True, slots=True)
class Health:
    """What an attempt shows about its target."""

    is_well: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and until when a webhook pauses because of this machine. Times are those of the monotonic clock."""

    reason: str
    since: float
    until: float
    wait: float = PAUSE_SECONDS


class Limits:
    """Knows what is in flight, how fast each target takes deliveries, and whether it is healthy.

    ``monotonic`` gives seconds.
    """

    def __init__(self, monotonic: Callable[[], float], max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._monotonic = monotonic
        self._max_in_flight = max_in_flight
        self._in_flight: Counter[str] = Counter()
        self._total = 0
        self._max_total = min(SHARED, max_in_flight)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._breakers: dict[str, Breaker] = {}
        """Of webhooks whose target has failed since its circuit was last closed for good."""
        self._pauses: dict[str, Pause] = {}
        """Of webhooks for which this machine lacked something, until an attempt can be made."""
        self._slow: set[str] = set()
        """Webhooks whose last attempt failed slowly."""
        self._slow_total = 0
        """How many of their attempts are in flight."""
        self._reported: dict[str, tuple[str, float]] = {}
        self._turn = 0
        self._active = 1
        self._even_share = self._max_total
        self._ended_since: Counter[str] = Counter()
        self._pace_measured_at = monotonic()
        self._pace: dict[str, int] = {}
        """How many of each webhook end in :data:`AHEAD_SECONDS`, as last measured."""

    def wanted(self, plans: Mapping[str, DeliveryPlan], waiting: Mapping[str, int]) -> dict[str, int]:
        """How many more deliveries of each active webhook to claim now, beside the claimed ones that are ``waiting``.

        That is what may start now, and what the target takes within :data:`AHEAD_SECONDS`. Each call puts another
        webhook first.
        """
        names = [name for name, plan in plans.items() if plan.status is Status.ACTIVE]
        self._turn = (self._turn + 1) % max(1, len(names))
        shared = max(SHARED, SHARED_EACH * len(names))
        self._max_total = min(self._max_in_flight, shared + sum(plans[name].max_in_flight or 0 for name in names))
        self._even_share = max(1, self._max_total // max(1, len(names)))
        self._active = max(1, len(names))
        self._measure_pace()
        wanted = {}
        for name in names[self._turn :] + names[: self._turn]:
            count = self.capacity(plans[name]) + self._ahead(plans[name]) - waiting.get(name, 0)
            if count > 0:
                wanted[name] = count
        return wanted

    def _ahead(self, plan: DeliveryPlan) -> int:
        """How many deliveries to claim before they may start: none for a webhook whose rate or target limits it."""
        breaker = self._breakers.get(plan.name)
        is_limited = (
            plan.rate_limit is not None
            or plan.name in self._pauses
            or (breaker is not None and breaker.limit is not None)
        )
        return 0 if is_limited else self._pace.get(plan.name, 0)

    def is_worth_a_commit(self, plan: DeliveryPlan, wanted: int) -> bool:
        """Whether ``wanted`` deliveries of a webhook are at least half of what one commit can claim of it."""
        return wanted >= (min(_full_limit(plan), self._even_share) + self._ahead(plan)) / 2

    @property
    def is_busy(self) -> bool:
        """Whether targets take so many deliveries that little time is left for anything else."""
        return sum(self._pace.values()) >= BUSY * AHEAD_SECONDS

    @property
    def total_capacity(self) -> int:
        """How many more attempts may start now, over all webhooks."""
        return self._max_total - self._total

    def capacity(self, plan: DeliveryPlan) -> int:
        """How many more attempts of one webhook may start now; 0 or less when none may.

        Up to an even share of all attempts is a webhook's own. Beyond that it may use what is free and not reserved,
        divided among the active webhooks. All of it is bounded by the webhook's own limit, by its rate, and by what
        slow webhooks may use together.
        """
        limit, in_flight = self._limit(plan), self._in_flight[plan.name]
        free = self.total_capacity
        own = min(limit, self._even_share) - in_flight
        unreserved = ceil((free - int(self._max_total * RESERVED)) / self._active)
        beyond = min(limit - in_flight, unreserved)
        if plan.name in self._slow:
            free = min(free, max(1, int(self._max_total * SLOW_SHARE)) - self._slow_total)
        return min(max(own, beyond), free, self._tokens(plan))

    def _measure_pace(self) -> None:
        now = self._monotonic()
        if now - self._pace_measured_at >= PACE_SECONDS:
            part = AHEAD_SECONDS / (now - self._pace_measured_at)
            self._pace = {name: int(count * part) for name, count in self._ended_since.items()}
            self._ended_since, self._pace_measured_at = Counter(), now

    def started(self, plan: DeliveryPlan) -> None:
        """An attempt has started."""
        self._in_flight[plan.name] += 1
        self._total += 1
        self._slow_total += plan.name in self._slow
        if plan.rate_limit is not None:
            tokens, at = self._buckets.get(plan.name, (1.0, self._monotonic()))
            self._buckets[plan.name] = (tokens - 1, at)

    def ended(self, plan: DeliveryPlan, health: Health | None, *, is_slow: bool = False) -> None:
        """An attempt has ended.

        Args:
            plan: the webhook that it was made for.
            health: what it shows about the target; None when it shows nothing.
            is_slow: it failed, and took longer than :data:`SLOW_SECONDS`.
        """
        self._count_ended(plan)
        self._ended_since[plan.name] += 1
        if is_slow != (plan.name in self._slow):
            self._slow ^= {plan.name}
            self._slow_total += self._in_flight[plan.name] * (1 if is_slow else -1)
        if self._pauses:
            self._pauses.pop(plan.name, None)
        if health is None:
            return
        breaker = self._breakers.get(plan.name)
        if breaker is None:
            if health.is_well:
                return  # without a failure there is nothing to weigh a success against
            breaker = self._breakers[plan.name] = Breaker()
        if health.is_well:
            breaker.success(self._monotonic(), _full_limit(plan))
        else:
            breaker.failure(self._monotonic(), health.reason)

    def local_failure(self, plan: DeliveryPlan, reason: str) -> None:
        """An attempt could not be made because this machine lacked something, so the webhook pauses."""
        self._count_ended(plan)
        now, last = self._monotonic(), self._pauses.get(plan.name)
        if last is None:
            self._pauses[plan.name] = Pause(reason, now, now + PAUSE_SECONDS)
        elif now >= last.until:  # otherwise the attempt began before the pause
            wait = min(2 * last.wait, MAX_PAUSE_SECONDS)
            self._pauses[plan.name] = Pause(reason, last.since, now + wait, wait)

    def _count_ended(self, plan: DeliveryPlan) -> None:
        self._in_flight[plan.name] -= 1
        self._total -= 1
        self._slow_total -= plan.name in self._slow

    # -- circuits

    def probe_in(self, webhook: str) -> float:
        """Seconds until a webhook with an open circuit is probed, or until a pause ends; 0 for every other webhook."""
        breaker, pause = self._breakers.get(webhook), self._pauses.get(webhook)
        if breaker is None and pause is None:
            return 0.0
        until = max(pause.until if pause else 0.0, breaker.until if breaker and breaker.limit == 0 else 0.0)
        return max(0.0, until - self._monotonic())

    def circuits(self, now: float) -> dict[str, Circuit | None]:
        """The circuits that changed since the last call; None: closed again.

        ``now`` is in epoch seconds, as are the times of the circuits. A webhook that pauses has the state
        :data:`LOCAL`.
        """
        ahead = now - self._monotonic()
        changed: dict[str, Circuit | None] = {}
        for name in {**self._breakers, **self._pauses, **self._reported}:
            circuit = self._circuit(name, ahead)
            stands = (
                (circuit.state, circuit.until - ahead if circuit.state in {"open", LOCAL} else 0.0)
                if circuit
                else ("closed", 0.0)
            )
            if stands != self._reported.get(name, ("closed", 0.0)):
                changed[name] = circuit
                self._reported[name] = stands
                if circuit is None:
                    del self._reported[name]
        return changed

    def _circuit(self, name: str, ahead: float) -> Circuit | None:
        pause, breaker = self._pauses.get(name), self._breakers.get(name)
        if pause is not None:
            return Circuit(LOCAL, pause.reason, pause.since + ahead, pause.until + ahead)
        if breaker is None or breaker.look(self._monotonic()) is None:
            return None
        return Circuit(breaker.state, breaker.reason, breaker.since + ahead, breaker.until + ahead)

    def take_over(self, circuits: Mapping[str, Circuit], now: float) -> None:
        """Begin with the circuits that an earlier runner stored; ``now`` is in epoch seconds."""
        ahead = now - self._monotonic()
        for name, circuit in circuits.items():
            if circuit.state == LOCAL:  # another process lacked something, which need not hold for this one
                self._reported[name] = (LOCAL, 0.0)
                continue
            breaker = self._breakers[name] = Breaker()
            breaker.reopen(circuit.reason, circuit.since - ahead, min(circuit.until, now + MAX_OPEN_SECONDS) - ahead)

    def _limit(self, plan: DeliveryPlan) -> int:
        """How many attempts of a webhook may be in flight: fewer while its target fails, at most one after a pause."""
        breaker, pause = self._breakers.get(plan.name), self._pauses.get(plan.name)
        reduced = breaker.look(self._monotonic()) if breaker else None
        limit = _full_limit(plan) if reduced is None else min(reduced, _full_limit(plan))
        return limit if pause is None else min(limit, int(self._monotonic() >= pause.until))

    def _tokens(self, plan: DeliveryPlan) -> int:
        """How many attempts the rate limit allows: a bucket of one second's worth, at least 1, that fills evenly."""
        if plan.rate_limit is None:
            return self._max_in_flight
        now = self._monotonic()
        tokens, at = self._buckets.get(plan.name, (1.0, now))
        tokens = min(max(1.0, plan.rate_limit), tokens + (now - at) * plan.rate_limit)
        self._buckets[plan.name] = (tokens, now)
        return int(tokens)


def _full_limit(plan: DeliveryPlan) -> int:
    """How many attempts of a webhook may be in flight while its target is healthy."""
    return plan.max_in_flight or MAX_IN_FLIGHT_EACH
