"""Makes the deliveries to a webhook that were never made, of events that are still stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hookctl.delivery.past.batches import batches
from hookctl.delivery.past.where import where_of
from hookctl.delivery.runner.route import another_id, delivery_id
from hookctl.errors import StalePlanError
from hookctl.model import AppliedState, DeliveryPlan
from hookctl.store.events_interface import Events
from hookctl.store.history import AuditEntry, EventFilter, StoredEvent, Where
from hookctl.store.interface import Store
from hookctl.store.records import Filter

LOOK_AT = 5000
"""Events that are read between two reports of progress."""


@dataclass(slots=True)
class Missed:
    """Events that a webhook would receive, and never did."""

    ids: list[tuple[str, str]] = field(default_factory=list)
    """Of each event, its id and that of the delivery, newest first."""
    newest: list[StoredEvent] = field(default_factory=list)
    """The first few of them."""
    looked_at: int = 0
    has_more: bool = False
    """True: there are more than were asked for, all of them older."""


def find_missed(
    store: Events,
    webhook: DeliveryPlan,
    *,
    since: float,
    until: float | None,
    where: Where | None,
    limit: int,
    sample: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Missed:
    """The stored events that an applied webhook matches and has no delivery of, of whatever status.

    Args:
        store: reads the events.
        webhook: the delivery plan that is applied.
        since: epoch seconds; only events that were received then or later.
        until: epoch seconds; only events that were received before. None: up to now.
        where: what else must hold for an event.
        limit: the most events to find.
        sample: how many of them to keep whole.
        progress: called with the number of events that were looked at.

    An event for which ``when`` cannot be evaluated is left out. Raises HookctlError for a ``when`` that this version
    cannot compile.
    """
    which = EventFilter(
        event_type=webhook.events[0] if len(webhook.events) == 1 else None,
        since=since,
        until=until,
        unmade_for=webhook.name,
        where=_both(_of_types(webhook), _both(where_of(webhook.when) if webhook.when is not None else None, where)),
    )
    missed, position = Missed(), None
    while True:
        page = store.events(which, limit + 1 - len(missed.ids), before=position, look_at=LOOK_AT)
        missed.ids += [(one.id, delivery_id(one.id, one.event_time, webhook.name)) for one in page.events]
        missed.newest += page.events[: sample - len(missed.newest)]
        missed.looked_at += page.looked_at
        progress(missed.looked_at)
        position = page.next
        if len(missed.ids) > limit:
            missed.has_more = True
            del missed.ids[limit:]
            return missed
        if position is None:
            return missed


def make(
    store: Store,
    webhook: DeliveryPlan,
    missed: Missed,
    *,
    clock: Callable[[], float],
    max_waiting: float,
    audit: AuditEntry,
) -> Iterator[int]:
    """Make the deliveries, those of the oldest events first; gives after each commit how many were made in it.

    Those that another process has made in the meantime are not counted. After an error, the same backfill again makes
    the rest.

    Raises:
        IntakeRefusedError: too many deliveries would wait.
        StalePlanError: an apply has changed the webhook since its delivery plan was read.
    """
    serial = -1
    for batch in batches(missed.ids[::-1]):
        if store.serial() != serial:
            serial = _refuse_changed(store.read_state(), webhook)
        free = _with_free_ids(store, webhook.name, batch)
        made = store.backfill(webhook.name, free, clock(), max_waiting=max_waiting, audit=audit)
        if store.serial() != serial:  # an apply was committed at this moment
            store.reconcile(store.read_state())
        yield made


def _refuse_changed(applied: AppliedState, webhook: DeliveryPlan) -> int:
    """The serial of what is applied now. Raises StalePlanError if the webhook is not as it was."""
    plan = applied.plans.get(webhook.name)
    if plan is None or plan.digest != webhook.digest:
        raise StalePlanError(
            f"an apply has changed, renamed or removed {webhook.name} in the meantime",
            hint="Run the backfill again: it chooses events by what is applied now.",
        )
    return applied.serial


def _with_free_ids(store: Store, webhook: str, pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The pairs of event and delivery, with another id for each delivery whose id another webhook's delivery has.

    That is a webhook that had this name when the event came, and took its deliveries along when it was renamed.
    """
    while True:
        found = store.deliveries(Filter(ids=[name for _, name in pairs]))
        taken = {one.id for one in found if one.webhook != webhook}
        if not taken:
            return pairs
        pairs = [(event, another_id(name) if name in taken else name) for event, name in pairs]


def _of_types(webhook: DeliveryPlan) -> Where | None:
    """The condition that an event is of one of several types; None for one type, which the store looks up."""
    events = frozenset(webhook.events)
    return None if len(events) == 1 else lambda document: document.get("event_type") in events


def _both(first: Where | None, second: Where | None) -> Where | None:
    if first is None or second is None:
        return first or second
    return lambda document: first(document) and second(document)
