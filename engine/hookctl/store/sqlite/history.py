"""The methods of the SQLite queue that read events and deliveries, and that repeat, cancel or make deliveries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.store.healing import Repairable
from hookctl.store.history import EVERY_EVENT, AuditEntry, EventFilter, EventPage, StoredEvent
from hookctl.store.records import EVERYTHING, UNENDED, Filter
from hookctl.store.sqlite import audit as audit_log
from hookctl.store.sqlite import events, filters, healing, reading
from hookctl.store.sqlite import queue_tables as tables


class SqliteHistory:
    """A part of :class:`hookctl.store.sqlite.queue.SqliteQueue`, which has the connection."""

    _monotonic: Callable[[], float]

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """See :meth:`hookctl.store.interface.Queue.deliveries`."""
        with self._reading() as connection:
            return filters.deliveries(connection, which, limit)

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """See :meth:`hookctl.store.interface.Queue.document`."""
        with self._reading() as connection:
            return reading.document(connection, delivery_id)

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """See :meth:`hookctl.store.interface.Queue.attempts`."""
        with self._reading() as connection:
            return reading.attempts(connection, delivery_id)

    def replay(
        self,
        ids: Sequence[str],
        now: float,
        *,
        as_planned: bool = False,
        statuses: Collection[DeliveryStatus] | None = None,
        audit: AuditEntry | None = None,
    ) -> list[str]:
        """See :meth:`hookctl.store.interface.Queue.replay`."""
        with self._writing() as connection:
            plans = {
                name: (connection.execute(tables.LAST_PLAN, (name,)).fetchone() or (None,))[0] if as_planned else None
                for name in ids
            }
            values = {
                "now": now,
                "monotonic": self._monotonic(),
                "statuses": json.dumps([*(DeliveryStatus if statuses is None else statuses)]),
            }
            chosen = [name for name in plans if plans[name] or not as_planned]
            replayed = [
                name
                for name in chosen
                if connection.execute(tables.REPLAY, values | {"id": name, "planned": plans[name]}).rowcount
            ]
            audit_log.record(connection, audit, len(replayed))
            return replayed

    def repairable(self, webhook: str, status: DeliveryStatus, limit: int) -> list[Repairable]:
        """See :meth:`hookctl.store.healing.Healing.repairable`."""
        with self._reading() as connection:
            return healing.repairable(connection, webhook, status, limit)

    def cancel(
        self,
        ids: Sequence[str],
        now: float,
        reason: str,
        audit: AuditEntry | None = None,
        *,
        statuses: Collection[DeliveryStatus] = UNENDED,
    ) -> list[str]:
        """See :meth:`hookctl.store.interface.Queue.cancel`."""
        values = {"now": now, "reason": reason, "statuses": json.dumps([*statuses])}
        with self._writing() as connection:
            cancelled = [name for name in ids if connection.execute(tables.CANCEL, values | {"id": name}).rowcount]
            audit_log.record(connection, audit, len(cancelled))
            return cancelled

    def events(
        self,
        which: EventFilter = EVERY_EVENT,
        limit: int = 100,
        *,
        before: tuple[float, int] | None = None,
        look_at: int | None = None,
    ) -> EventPage:
        """See :meth:`hookctl.store.events_interface.Events.events`."""
        with self._reading() as connection:
            return events.events(connection, which, limit, before, look_at)

    def event(self, event_id: str) -> StoredEvent | None:
        """See :meth:`hookctl.store.events_interface.Events.event`."""
        with self._reading() as connection:
            return events.event(connection, event_id)

    def events_with_delivery(self, webhook: str, event_ids: Collection[str]) -> set[str]:
        """See :meth:`hookctl.store.events_interface.Events.events_with_delivery`."""
        with self._reading() as connection:
            return events.with_delivery(connection, webhook, event_ids)

    def webhooks_of(self, event_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """See :meth:`hookctl.store.events_interface.Events.webhooks_of`."""
        with self._reading() as connection:
            return events.webhooks(connection, event_ids)

    def backfill(
        self,
        webhook: str,
        missed: Sequence[tuple[str, str]],
        now: float,
        *,
        max_waiting: float = float("inf"),
        audit: AuditEntry | None = None,
    ) -> int:
        """See :meth:`hookctl.store.events_interface.Events.backfill`."""
        with self._writing() as connection:
            made = events.backfill(connection, webhook, missed, now, max_waiting)
            audit_log.record(connection, audit, made)
            return made
