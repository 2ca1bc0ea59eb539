"""How much of one webhook's backlog may be on its way at once, so that no target is trampled and none starves the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hookctl.delivery.runner.circuit import MAX_OPEN_SECONDS, Breaker
from hookctl.model import DeliveryPlan, Status
from hookctl.store.interface import Circuit

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
SHARED_EACH = 2
"""So many of the attempts that webhooks share are there for each of them, where :data:`SHARED` is less than that."""
SLOW_SHARE = 0.5
"""The share of all attempts that webhooks may have together whose last attempt failed slowly."""
SLOW_SECONDS = 1.0
"""A failure that takes longer is slow: it held its place while nothing came of it."""
PAUSE_SECONDS = 1.0
"""How long a webhook waits when this machine lacks something for an attempt; doubled each time until one can be made."""
MAX_PAUSE_SECONDS = 60.0
LOCAL = "local"
"""The state of a webhook that waits for this machine, where others have that of their circuit."""


@dataclass(frozen=True, slots=True)
class Health:
    """What an attempt says of its target."""

    is_well: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and until when a webhook waits for this machine. Times are of the clock that nobody sets."""

    reason: str
    since: float
    until: float
    wait: float = PAUSE_SECONDS


class Limits:
    """Counts what is on its way, how fast each webhook was used, and how its target does. ``monotonic`` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._monotonic = monotonic
        self._max_in_flight = max_in_flight
        self._in_flight: Counter[str] = Counter()
        self._total = 0
        self._max_total = min(SHARED, max_in_flight)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._breakers: dict[str, Breaker] = {}
        """Of webhooks whose target has failed since it was last well for sure."""
        self._pauses: dict[str, Pause] = {}
        """Of webhooks for which this machine lacked something, and for which no attempt was made since."""
        self._slow: set[str] = set()
        """Webhooks whose last attempt failed slowly."""
        self._slow_total = 0
        """How many of theirs are on their way."""
        self._reported: dict[str, tuple[str, float]] = {}
        self._turn = 0
        self._active = 1
        self._even_share = self._max_total
        self._ended_since: Counter[str] = Counter()
        self._pace_measured_at = monotonic()
        self._pace: dict[str, int] = {}
        """How many of each webhook end in :data:`AHEAD_SECONDS`, as last measured."""

    def wanted(self, plans: Mapping[str, DeliveryPlan], waiting: Mapping[str, int]) -> dict[str, int]:
        """How many more of each active webhook may be claimed now, beside those that are ``waiting`` in hand already.

        They are those that may be started, and those that its target will have taken :data:`AHEAD_SECONDS` from now. Another webhook comes first each time.
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
        """How many are claimed before they may be started: none where a limit says how many may come at a time."""
        breaker = self._breakers.get(plan.name)
        is_limited = (
            plan.rate_limit is not None
            or plan.name in self._pauses
            or (breaker is not None and breaker.limit is not None)
        )
        return 0 if is_limited else self._pace.get(plan.name, 0)

    def is_worth_a_commit(self, plan: DeliveryPlan, wanted: int) -> bool:
        """Whether as many as are ``wanted`` of one webhook are worth a commit: half of what is claimed of it at best."""
        return wanted >= (min(_full_share(plan), self._even_share) + self._ahead(plan)) / 2

    @property
    def is_busy(self) -> bool:
        """Whether targets take so much that there is not much time for anything else."""
        return sum(self._pace.values()) >= BUSY * AHEAD_SECONDS

    @property
    def total_capacity(self) -> int:
        """How many more may be started now, over all webhooks."""
        return self._max_total - self._total

    def capacity(self, plan: DeliveryPlan) -> int:
        """How many more of one webhook may be started now; none or less: nothing may."""
        share, under_way = self._share(plan), self._in_flight[plan.name]
        room = self.total_capacity
        if plan.name in self._slow:
            room = min(room, max(1, int(self._max_total * SLOW_SHARE)) - self._slow_total)
        beyond = -(
            -(self.total_capacity - int(self._max_total * RESERVED)) // self._active
        )  # so that all of them together leave what is reserved
        return min(
            max(min(share, self._even_share) - under_way, min(share - under_way, beyond)), room, self._tokens(plan)
        )

    def _measure_pace(self) -> None:
        now = self._monotonic()
        if now - self._pace_measured_at >= PACE_SECONDS:
            part = AHEAD_SECONDS / (now - self._pace_measured_at)
            self._pace = {name: int(count * part) for name, count in self._ended_since.items()}
            self._ended_since, self._pace_measured_at = Counter(), now

    def started(self, plan: DeliveryPlan) -> None:
        """One more is on its way."""
        self._in_flight[plan.name] += 1
        self._total += 1
        self._slow_total += plan.name in self._slow
        if plan.rate_limit is not None:
            tokens, at = self._buckets.get(plan.name, (1.0, self._monotonic()))
            self._buckets[plan.name] = (tokens - 1, at)

    def ended(self, plan: DeliveryPlan, health: Health | None, *, is_slow: bool = False) -> None:
        """One less is on its way; ``health`` is None where nothing was learned about the target. ``is_slow``: it failed slowly."""
        self._leave(plan)
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
                return  # nothing has failed, so there is nothing to count against
            breaker = self._breakers[plan.name] = Breaker()
        if health.is_well:
            breaker.success(self._monotonic(), _full_share(plan))
        else:
            breaker.failure(self._monotonic(), health.reason)

    def local_failure(self, plan: DeliveryPlan, reason: str) -> None:
        """One less is on its way: this machine lacked something for it, so its webhook waits for a while."""
        self._leave(plan)
        now, last = self._monotonic(), self._pauses.get(plan.name)
        if last is None:
            self._pauses[plan.name] = Pause(reason, now, now + PAUSE_SECONDS)
        elif now >= last.until:  # else it began before the pause
            wait = min(2 * last.wait, MAX_PAUSE_SECONDS)
            self._pauses[plan.name] = Pause(reason, last.since, now + wait, wait)

    def _leave(self, plan: DeliveryPlan) -> None:
        self._in_flight[plan.name] -= 1
        self._total -= 1
        self._slow_total -= plan.name in self._slow

    # -- circuits

    def probe_in(self, webhook: str) -> float:
        """Seconds until a webhook is probed whose circuit is open, or that waits for this machine; 0 for every other one."""
        breaker, pause = self._breakers.get(webhook), self._pauses.get(webhook)
        if breaker is None and pause is None:
            return 0.0
        until = max(pause.until if pause else 0.0, breaker.until if breaker and breaker.limit == 0 else 0.0)
        return max(0.0, until - self._monotonic())

    def circuits(self, now: float) -> dict[str, Circuit | None]:
        """The circuits that changed since the last call; None: closed again. ``now`` is in epoch seconds, as the times of the circuits are.

        A webhook that waits for this machine has the state :data:`LOCAL`.
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
        """Begin with what a runner before this one said of targets, as it stands at ``now`` (epoch seconds)."""
        ahead = now - self._monotonic()
        for name, circuit in circuits.items():
            if circuit.state == LOCAL:  # it was that process that lacked something
                self._reported[name] = (LOCAL, 0.0)
                continue
            breaker = self._breakers[name] = Breaker()
            breaker.reopen(circuit.reason, circuit.since - ahead, min(circuit.until, now + MAX_OPEN_SECONDS) - ahead)

    def _share(self, plan: DeliveryPlan) -> int:
        """How many of a webhook may be on their way: fewer while its target fails, none or one while this machine lacks something."""
        breaker, pause = self._breakers.get(plan.name), self._pauses.get(plan.name)
        limit = breaker.look(self._monotonic()) if breaker else None
        share = _full_share(plan) if limit is None else min(limit, _full_share(plan))
        return share if pause is None else min(share, int(self._monotonic() >= pause.until))

    def _tokens(self, plan: DeliveryPlan) -> int:
        """A bucket that holds one second's worth, and at least one; it fills evenly."""
        if plan.rate_limit is None:
            return self._max_in_flight
        now = self._monotonic()
        tokens, at = self._buckets.get(plan.name, (1.0, now))
        tokens = min(max(1.0, plan.rate_limit), tokens + (now - at) * plan.rate_limit)
        self._buckets[plan.name] = (tokens, now)
        return int(tokens)


def _full_share(plan: DeliveryPlan) -> int:
    return plan.max_in_flight or MAX_IN_FLIGHT_EACH
