"""The deliveries in the queue that are not claimed: when they are due, and whether to take in more events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from hookctl.delivery.runner.limits import Limits
from hookctl.model import DeliveryPlan, Status
from hookctl.store.interface import Queue
from hookctl.store.records import Batch, Claimed

IDLE_INTAKE = 2048
"""The number of events that are taken in at once while deliveries leave enough time for it."""


class Backlog:
    """The backlog of one queue. ``clock`` returns epoch seconds."""

    def __init__(self, queue: Queue, limits: Limits, clock: Callable[[], float]) -> None:
        self._queue, self._limits, self._clock = queue, limits, clock
        self._backlogged: set[str] = set()
        """The webhooks with more due deliveries in the queue than could be claimed."""
        self.is_likely = False
        """Whether the last claim got all that it wanted, at least of some webhook: more is probably due."""

    def may_be_due(self, webhooks: Mapping[str, int]) -> bool:
        """Whether a claim for these webhooks may find anything. Looks only if the last claim did not tell."""
        if self.is_likely:
            return True
        due_at = self._queue.next_due(webhooks)
        if due_at is not None and due_at <= self._clock():
            return True
        self._backlogged.difference_update(webhooks)
        return False

    def note(self, batch: Batch, claims: Sequence[Claimed]) -> None:
        """Learn from a commit which webhooks have more due deliveries than were claimed."""
        if batch.limit:
            counts = Counter(claimed.delivery.webhook for claimed in claims)
            is_full = len(claims) >= batch.limit
            self.is_likely = is_full or any(counts[name] >= count for name, count in batch.wanted.items())
            self._backlogged.difference_update([name for name, count in batch.wanted.items() if counts[name] < count])
        elif len(claims) < sum(len(routed.deliveries) for routed in batch.events):
            claimed = {one.delivery.id for one in claims}
            made = (delivery for routed in batch.events for delivery in routed.deliveries)
            self._backlogged.update(delivery.webhook for delivery in made if delivery.id not in claimed)

    def intake_capacity(self, plans: Mapping[str, DeliveryPlan], claimed: Mapping[str, int]) -> int:
        """How many more events to take in: targets have capacity for them, or there is little other work. 0 for none.

        ``claimed`` has the number of claimed deliveries of each webhook that are not in flight yet.
        """
        worthwhile = [
            count
            for name, count in self._limits.wanted(plans, claimed).items()
            if name not in self._backlogged and self._limits.is_worth_a_commit(plans[name], count)
        ]
        return max(worthwhile, default=0 if self._limits.is_busy else IDLE_INTAKE)

    def next_due(self, plans: Mapping[str, DeliveryPlan]) -> float | None:
        """When the next delivery can be claimed, in epoch seconds; None if nothing waits.

        Deliveries to a failing target are due when the target is probed.
        """
        active = [name for name, plan in plans.items() if plan.status is Status.ACTIVE]
        probes = {name: seconds for name in active if (seconds := self._limits.probe_in(name))}
        due = [self._queue.next_due([name for name in active if name not in probes])]
        for name, seconds in probes.items():
            at = self._queue.next_due([name])
            due.append(None if at is None else max(at, self._clock() + seconds))
        return min((at for at in due if at is not None), default=None)
