"""How far behind the deliveries of the applied webhooks are: for ``doctor``, its ``--fail-on``, and monitoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.model import AppliedState, Status

if TYPE_CHECKING:
    from hookctl.store.interface import Store
    from hookctl.store.records import Backlog, Circuit, Stopped


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of deliveries at one time. Nothing in it is about a webhook that was removed."""

    now: float
    """Epoch seconds."""
    backlogs: Mapping[str, Backlog]
    """By webhook; webhooks for which everything is delivered are missing."""
    active: frozenset[str]
    """The webhooks to which events are delivered, if nothing holds them."""
    circuits: Mapping[str, Circuit]
    """The circuits of active webhooks that are not closed."""
    held: Sequence[Stopped]
    """The webhooks that are held."""
    workers: int
    """How many live processes have claimed deliveries; 1 if a runner is alive that has claimed none yet."""

    @property
    def due(self) -> Mapping[str, float]:
        """By active webhook: when the longest due delivery became due, in epoch seconds. Not what is due later."""
        return {
            name: backlog.due_at
            for name, backlog in self.backlogs.items()
            if name in self.active and backlog.due_at is not None and backlog.due_at <= self.now
        }

    @property
    def lag(self) -> float:
        """For how many seconds the longest due delivery has been due; 0 if none is."""
        return max((self.now - at for at in self.due.values()), default=0.0)

    @property
    def oldest(self) -> float:
        """The age in seconds of the oldest delivery of an active webhook that is waiting, retrying or held; or 0."""
        made = [
            backlog.oldest_at
            for name, backlog in self.backlogs.items()
            if name in self.active and backlog.oldest_at is not None
        ]
        return max(self.now - min(made), 0.0) if made else 0.0


def active_of(applied: AppliedState) -> frozenset[str]:
    """The names of the active webhooks."""
    return frozenset(name for name, plan in applied.plans.items() if plan.status is Status.ACTIVE)


def read_situation(store: Store, applied: AppliedState, now: float, active: frozenset[str] | None = None) -> Situation:
    """The state of the deliveries in a store, for what is applied now. Raises StoreError.

    ``active`` is :func:`active_of` what is applied, for a caller that asks again and again.
    """
    active = active_of(applied) if active is None else active
    known = applied.plans.keys() | applied.unreadable.keys()
    return Situation(
        now=now,
        backlogs={name: backlog for name, backlog in store.backlogs().items() if name in known},
        active=active,
        circuits={name: circuit for name, circuit in store.circuits().items() if name in active},
        held=[one for one in store.stopped(applied) if one.hold],
        workers=store.live_workers() or int(store.has_runner()),
    )
