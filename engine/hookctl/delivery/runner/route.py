"""Routing: which webhooks receive an event."""

from __future__ import annotations

from hashlib import sha256

from hookctl.errors import HookctlError
from hookctl.model import AppliedState, DeliveryPlan, Event, Status
from hookctl.store.records import NewDelivery, Routed
from hookctl.when.condition import When, compile_when


class Router:
    """Routes events by one applied state, whose conditions it compiles once."""

    def __init__(self, applied: AppliedState) -> None:
        self._targets: dict[str, list[tuple[str, When | str | None]]] = {}
        for plan in applied.plans.values():
            if plan.status is Status.ACTIVE:
                target = plan.name, _condition(plan)
                for event_type in plan.events:
                    self._targets.setdefault(event_type, []).append(target)

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook receives events of this type."""
        return event_type in self._targets

    def route(self, event: Event) -> Routed:
        """The event and its deliveries: one for each active webhook of its type whose ``when`` matches or fails."""
        found = [_deliver(event, webhook, when) for webhook, when in self._targets.get(event.event_type, ())]
        return Routed(event, tuple([delivery for delivery in found if delivery is not None]))


def delivery_id(event_id: str, event_time: float, webhook: str) -> str:
    """The delivery's id: the same for the same event and webhook, even in another store, so a receiver notices repeats.

    It begins with the event's time (epoch seconds) in milliseconds, so the ids of events that come at the same time
    are neighbors in an index.
    """
    milliseconds = int(event_time * 1000) & 0xFFFF_FFFF_FFFF
    digest = sha256(f"{event_id}\0{webhook}".encode()).hexdigest()
    return f"msg_{milliseconds:012x}{digest[:20]}"


def another_id(delivery: str) -> str:
    """The id of a delivery whose own id is taken: of the same form, and always the same for the same id."""
    return f"{delivery[:16]}{sha256(delivery.encode()).hexdigest()[:20]}"


def _condition(plan: DeliveryPlan) -> When | str | None:
    """The compiled ``when``; None if there is none; the error's message if it cannot be compiled.

    Such a condition was applied by another version of hookctl.
    """
    if plan.when is None:
        return None
    try:
        return compile_when(plan.when)
    except HookctlError as error:
        return error.message


def _deliver(event: Event, webhook: str, when: When | str | None) -> NewDelivery | None:
    name = delivery_id(event.id, event.event_time, webhook)
    if isinstance(when, str):
        return NewDelivery(name, webhook, f"its when cannot be evaluated: {when}")
    try:
        return NewDelivery(name, webhook) if when is None or when.matches(event.document) else None
    except HookctlError as error:
        return NewDelivery(name, webhook, f"its when cannot be evaluated: {error.message}")
