"""The methods of the PostgreSQL store that read events and deliveries, and that repeat, cancel or make deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.store.healing import Repairable
from hookctl.store.history import EVERY_EVENT, AuditEntry, EventFilter, EventPage, StoredEvent
from hookctl.store.postgres import audit as audit_log
from hookctl.store.postgres import events, filters, healing, reading
from hookctl.store.postgres.claiming import CLOCK
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.queue import PostgresQueue
from hookctl.store.records import EVERYTHING, UNENDED, Filter

REPLAY = f"""
    UPDATE deliveries d SET
        status = 'waiting', reason = '', attempts = 0, due_at = %(now)s, ready_at = %(now)s, set_at = %(now)s,
        replayed_at = %(now)s, planned = g.planned, lease = d.lease + 1, owner = NULL, lease_until = NULL, ended = false
    FROM unnest(%(ids)s::text[], %(plans)s::text[]) AS g (id, planned)
    WHERE d.id = g.id AND (d.owner IS NULL OR (d.lease_until <= %(now)s AND d.lease_ends <= {CLOCK}))
        AND d.status = ANY(%(statuses)s) AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.id = d.id AND n.seq > d.seq)
    RETURNING d.id
"""  # noqa: S608 - constants
"""Only the newest of several with the same id, whose events came at different times; see `Ids that come again`."""
LAST_PLANS = """
    SELECT i.id, (
        SELECT p.digest FROM deliveries d JOIN attempts a ON a.delivery = d.seq
        LEFT JOIN plans p ON p.digest = substring(a.record FROM '"plan_digest": ?"([0-9a-f]*)"')
        WHERE d.id = i.id ORDER BY a.seq DESC LIMIT 1
    )
    FROM unnest(%s::text[]) AS i (id)
"""
"""The plan of each delivery's last attempt, if it is kept. It is the first thing in the record of an attempt."""
CANCEL = """
    UPDATE deliveries SET
        status = 'cancelled', reason = %(reason)s, ready_at = NULL, set_at = %(now)s, ended = owner IS NULL
    WHERE NOT ended AND id = ANY(%(ids)s) AND status IN ('waiting', 'retrying', 'held') AND status = ANY(%(statuses)s)
    RETURNING id
"""


class PostgresHistory(PostgresQueue):
    """A part of :class:`hookctl.store.postgres.store.PostgresStore`."""

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """See :meth:`hookctl.store.interface.History.deliveries`."""
        return self._read(filters.deliveries, which, limit)

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """See :meth:`hookctl.store.interface.History.document`."""
        return self._read(reading.document, delivery_id)

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """See :meth:`hookctl.store.interface.History.attempts`."""
        return self._read(reading.attempts, delivery_id)

    def replay(
        self,
        ids: Sequence[str],
        now: float,
        *,
        as_planned: bool = False,
        statuses: Collection[DeliveryStatus] | None = None,
        audit: AuditEntry | None = None,
    ) -> list[str]:
        """See :meth:`hookctl.store.interface.History.replay`."""
        self._writer.wait()
        at = now + self._behind()

        def work(connection: Connection) -> list[str]:
            plans: dict[str, str | None] = dict.fromkeys(ids)
            if as_planned:
                found: dict[str, str | None] = dict(connection.execute(LAST_PLANS, ([*plans],)).fetchall())
                plans = {name: found[name] for name in plans if found[name]}
            values = {
                "now": at,
                "clock": self._clock() if self._clock else None,
                "ids": [*plans],
                "plans": [*plans.values()],
                "statuses": [one.value for one in (DeliveryStatus if statuses is None else statuses)],
            }
            replayed = {name for (name,) in connection.execute(REPLAY, values).fetchall()}
            audit_log.record(connection, audit, len(replayed))
            return [name for name in plans if name in replayed]

        return self._write(work)

    def repairable(self, webhook: str, status: DeliveryStatus, limit: int) -> list[Repairable]:
        """See :meth:`hookctl.store.healing.Healing.repairable`."""
        return self._read(healing.repairable, webhook, status, limit)

    def cancel(
        self,
        ids: Sequence[str],
        now: float,
        reason: str,
        audit: AuditEntry | None = None,
        *,
        statuses: Collection[DeliveryStatus] = UNENDED,
    ) -> list[str]:
        """See :meth:`hookctl.store.interface.History.cancel`."""
        values = {"now": now, "reason": reason, "ids": [*ids], "statuses": [one.value for one in statuses]}

        def work(connection: Connection) -> list[str]:
            cancelled = {name for (name,) in connection.execute(CANCEL, values).fetchall()}
            audit_log.record(connection, audit, len(cancelled))
            return [name for name in dict.fromkeys(ids) if name in cancelled]

        return self._write(work)

    def events(
        self,
        which: EventFilter = EVERY_EVENT,
        limit: int = 100,
        *,
        before: tuple[float, int] | None = None,
        look_at: int | None = None,
    ) -> EventPage:
        """See :meth:`hookctl.store.events_interface.Events.events`."""
        return self._read(events.events, which, limit, before, look_at)

    def event(self, event_id: str) -> StoredEvent | None:
        """See :meth:`hookctl.store.events_interface.Events.event`."""
        return self._read(events.event, event_id)

    def events_with_delivery(self, webhook: str, event_ids: Collection[str]) -> set[str]:
        """See :meth:`hookctl.store.events_interface.Events.events_with_delivery`."""
        return self._read(events.with_delivery, webhook, event_ids)

    def webhooks_of(self, event_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """See :meth:`hookctl.store.events_interface.Events.webhooks_of`."""
        return self._read(events.webhooks, event_ids)

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
        self._writer.wait()
        at = now + self._behind()

        def work(connection: Connection) -> int:
            made = events.backfill(connection, webhook, missed, at, max_waiting=max_waiting, room=self._room)
            audit_log.record(connection, audit, made)
            return made

        return self._write(work)
