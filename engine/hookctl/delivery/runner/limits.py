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
"""The maximum number of attempts in flight, over all webhooks."""
SHARED = 256
"""The part of these attempts that webhooks without their own ``max_in_flight`` share. Each attempt in flight needs a
connection, and a handshake costs more than a request, so a fast target is served faster through few kept connections.
"""
MAX_IN_FLIGHT_EACH = 64
"""The maximum number of attempts in flight of a webhook without its own ``max_in_flight``."""
PACE_SECONDS = 0.05
"""Seconds between two measurements of how fast each target accepts deliveries."""
AHEAD_SECONDS = 0.1
"""Seconds of deliveries to claim ahead for a healthy target, at least. Each claim is a commit, and one commit for many
is cheap.
"""
AHEAD_COMMITS = 3
"""How many commits' time of deliveries to claim ahead, if that is more: nothing new comes while a commit is in flight.
"""
MAX_AHEAD_SECONDS = 1.0
"""The most seconds of deliveries to claim ahead, however long commits take. Other workers could make them meanwhile."""
BUSY = 500
"""Deliveries per second. A slower runner has time to take in events that cannot be delivered yet."""
RESERVED = 0.25
"""The share of all attempts that is reserved for webhooks below an even share, so targets that hang cannot take it."""
SHARED_EACH = 2
"""The minimum number of shared attempts for each webhook, if :data:`SHARED` would give fewer."""
SLOW_SHARE = 0.5
"""The maximum share of all attempts for webhooks whose last attempt failed slowly, together."""
SLOW_SECONDS = 1.0
"""Seconds after which a failure counts as slow: it occupied capacity without a result."""
PAUSE_SECONDS = 1.0
"""Seconds that a webhook pauses when this machine lacks a resource for an attempt. Doubles until an attempt can be
made.
"""
MAX_PAUSE_SECONDS = 60.0
FOLLOW_SECONDS = 0.5
"""Seconds after which a worker looks again whether another one has closed a circuit."""
LOCAL = "local"
"""The circuit state of a webhook that pauses because of this machine."""


@dataclass(frozen=True, slots=True)
class Health:
    """The information that an attempt gives about its target."""

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
    """Tracks what is in flight, how fast each target accepts deliveries, and whether it is healthy.

    ``monotonic`` returns seconds. ``share`` returns how much of a webhook's limit this worker may use: see
    :class:`hookctl.delivery.runner.shares.Shares`. The worker with the share of a limit of 1 probes a failing target.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        max_in_flight: int = MAX_IN_FLIGHT,
        share: Callable[[str, int], int] = lambda _, limit: limit,
    ) -> None:
        self._monotonic, self._share = monotonic, share
        self._max_in_flight = max_in_flight
        self._in_flight: Counter[str] = Counter()
        self._total = 0
        self._max_total = min(SHARED, max_in_flight)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._breakers: dict[str, Breaker] = {}
        """The circuits of webhooks whose target has failed since its circuit last closed completely."""
        self._pauses: dict[str, Pause] = {}
        """The pauses of webhooks for which this machine lacked a resource, until an attempt can be made."""
        self._slow: set[str] = set()
        """The webhooks whose last attempt failed slowly."""
        self._slow_total = 0
        """The number of their attempts in flight."""
        self._reported: dict[str, tuple[str, float]] = {}
        self._turn = 0
        self._active = 1
        self._even_share = self._max_total
        self._ended_since: Counter[str] = Counter()
        self._pace_measured_at = monotonic()
        self._pace: dict[str, int] = {}
        """The number of deliveries of each webhook that end in :data:`AHEAD_SECONDS`, as last measured."""
        self._ahead_factor = 1.0
        """How many times :data:`AHEAD_SECONDS` to claim ahead."""

    def wanted(self, plans: Mapping[str, DeliveryPlan], waiting: Mapping[str, int]) -> dict[str, int]:
        """How many more deliveries of each active webhook to claim now, besides the claimed ones that are ``waiting``.

        That is the number that may start now, plus the number that the target accepts within :data:`AHEAD_SECONDS` or
        :data:`AHEAD_COMMITS`.
        Each call puts another webhook first.
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
        """How many deliveries to claim before they may start; none for a webhook that its rate or its target limits."""
        breaker = self._breakers.get(plan.name)
        is_limited = (
            plan.rate_limit is not None
            or plan.name in self._pauses
            or (breaker is not None and breaker.limit is not None)
        )
        return 0 if is_limited else int(self._pace.get(plan.name, 0) * self._ahead_factor)

    def commit_took(self, seconds: float) -> None:
        """Note how long the last commit took."""
        self._ahead_factor = max(1.0, min(AHEAD_COMMITS * seconds, MAX_AHEAD_SECONDS) / AHEAD_SECONDS)

    def is_worth_a_commit(self, plan: DeliveryPlan, wanted: int) -> bool:
        """Whether ``wanted`` deliveries of a webhook are at least half of what one commit can claim of it."""
        return wanted >= (min(self._full_limit(plan), self._even_share) + self._ahead(plan)) / 2

    @property
    def is_busy(self) -> bool:
        """Whether targets accept so many deliveries that little time remains for other work."""
        return sum(self._pace.values()) >= BUSY * AHEAD_SECONDS

    @property
    def total_capacity(self) -> int:
        """How many more attempts may start now, over all webhooks."""
        return self._max_total - self._total

    def capacity(self, plan: DeliveryPlan) -> int:
        """How many more attempts of one webhook may start now; 0 or less for none.

        A webhook may always use an even share of all attempts. Beyond that it may use free attempts that are not
        reserved, divided among the active webhooks. The webhook's own limit, its rate, and the common limit of slow
        webhooks apply to the total.
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
            plan: The webhook of the attempt.
            health: The information about the target; None if there is none.
            is_slow: Whether the attempt failed and took longer than :data:`SLOW_SECONDS`.
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
                return  # without failures there is no circuit in which successes count
            breaker = self._breakers[plan.name] = Breaker()
        if health.is_well:
            breaker.success(self._monotonic(), self._full_limit(plan))
        else:
            breaker.failure(self._monotonic(), health.reason)

    def local_failure(self, plan: DeliveryPlan, reason: str) -> None:
        """An attempt failed because this machine lacked a resource, so the webhook pauses."""
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
        """Seconds until a webhook with an open circuit is probed, or until a pause ends; 0 for any other webhook."""
        breaker, pause = self._breakers.get(webhook), self._pauses.get(webhook)
        if breaker is None and pause is None:
            return 0.0
        now = self._monotonic()
        until = max(pause.until if pause else 0.0, breaker.until if breaker and breaker.limit == 0 else 0.0)
        if breaker and breaker.limit is not None and not self._probes(webhook):
            until = max(until, now + FOLLOW_SECONDS)
        return max(0.0, until - now)

    def _probes(self, webhook: str) -> bool:
        """Whether this worker is the one that sends to a failing target: one probe, and then more and more."""
        return self._share(webhook, 1) > 0

    def circuits(self, now: float) -> dict[str, Circuit | None]:
        """The circuits that changed since the last call; None means closed.

        ``now`` and the times of the circuits are in epoch seconds. A webhook that pauses has the state :data:`LOCAL`.
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
        if breaker is not None and self._probes(name):
            breaker.look(self._monotonic())
        if breaker is None or breaker.limit is None:
            return None if pause is None else Circuit(LOCAL, pause.reason, pause.since + ahead, pause.until + ahead)
        return Circuit(breaker.state, breaker.reason, breaker.since + ahead, breaker.until + ahead)

    def take_over(self, circuits: Mapping[str, Circuit], now: float) -> None:
        """Start with the circuits that an earlier runner stored. ``now`` is in epoch seconds."""
        ahead = now - self._monotonic()
        for name, circuit in circuits.items():
            if circuit.state == LOCAL:  # a resource that another process lacked may be available to this one
                self._reported[name] = (LOCAL, 0.0)
                continue
            breaker = self._breakers[name] = Breaker()
            breaker.reopen(circuit.reason, circuit.since - ahead, min(circuit.until, now + MAX_OPEN_SECONDS) - ahead)

    def follow(self, circuits: Mapping[str, Circuit], now: float) -> None:
        """Follow the circuits in the store, which other workers may have opened or closed. ``now`` is in epoch seconds.

        Call it only with circuits that contain what :meth:`circuits` returned before.
        """
        ahead = now - self._monotonic()
        for name, circuit in circuits.items():
            breaker = self._breakers.get(name)
            if circuit.state == LOCAL or (breaker and breaker.limit is not None and self._probes(name)):
                continue  # this worker is the one to change it
            if breaker is None or breaker.limit is None:
                breaker = self._breakers[name] = Breaker()
            until = min(circuit.until, now + MAX_OPEN_SECONDS) - ahead
            breaker.reopen(circuit.reason, circuit.since - ahead, until)
            self._reported[name] = breaker.state, until
        for name in [name for name, one in self._breakers.items() if one.limit is not None and name not in circuits]:
            del self._breakers[name]
            self._reported.pop(name, None)

    def over(self, plans: Mapping[str, DeliveryPlan]) -> list[str]:
        """The webhooks of which more is in flight than this worker's share of their own limit."""
        return [
            name
            for name, count in self._in_flight.items()
            if count > 0 and (plan := plans.get(name)) and plan.max_in_flight and count > self._full_limit(plan)
        ]

    def bound_tokens(self, tokens: Mapping[str, float], waiting: Mapping[str, int]) -> None:
        """Start no more of webhooks with a rate limit than the store has ``tokens`` left, besides what is claimed."""
        now = self._monotonic()
        for name, left in tokens.items():
            have, _ = self._buckets.get(name, (1.0, now))
            self._buckets[name] = min(have, left + waiting.get(name, 0)), now

    def _limit(self, plan: DeliveryPlan) -> int:
        """How many attempts of a webhook may be in flight: fewer while its target fails, at most one after a pause."""
        breaker, pause = self._breakers.get(plan.name), self._pauses.get(plan.name)
        limit = self._share(plan.name, plan.max_in_flight) if plan.max_in_flight else MAX_IN_FLIGHT_EACH
        if breaker is not None and breaker.limit is not None:
            limit = min(limit, breaker.look(self._monotonic()) or 0) if self._probes(plan.name) else 0
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

    def _full_limit(self, plan: DeliveryPlan) -> int:
        """How many attempts of a webhook may be in flight here while its target is healthy; 0 without a share."""
        return self._share(plan.name, plan.max_in_flight) if plan.max_in_flight else MAX_IN_FLIGHT_EACH

    def may_start(self, plan: DeliveryPlan) -> bool:
        """Whether this worker may start attempts of a webhook now or soon, as far as others and its target go."""
        return self._full_limit(plan) > 0 and not self.probe_in(plan.name)
