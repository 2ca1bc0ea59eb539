"""Reading what a runner needs to know out of the PostgreSQL tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Circuit, Counts, Followed, Hold
from hookctl.store.texts import STATUS, attempt_from_text, document_or_none

DELIVERY = "d.id, e.id, d.webhook, d.status, d.attempts, d.due_at, d.reason, d.created_at"
"""The columns of a ``Delivery``, of deliveries ``d`` joined with events ``e``."""
READY = """
    WITH RECURSIVE waiting (webhook, ready_at) AS (
        (SELECT webhook, ready_at FROM live WHERE ready_at IS NOT NULL ORDER BY webhook, ready_at LIMIT 1)
        UNION ALL
        SELECT n.webhook, n.ready_at FROM waiting w CROSS JOIN LATERAL (
            SELECT webhook, ready_at FROM live
            WHERE webhook > w.webhook AND ready_at IS NOT NULL ORDER BY webhook, ready_at LIMIT 1
        ) n
    )
    SELECT webhook, ready_at FROM waiting
"""
"""When the next delivery of each webhook can be claimed; takes one step in an index for each webhook that has any."""
FOLLOW = """
    SELECT d.webhook, d.status, count(*), sum(d.attempts), count(d.owner),
        min(CASE WHEN d.ready_at IS NOT NULL THEN d.due_at END)
    FROM unnest(%s::bigint[], %s::bigint[]) AS part (start, stop)
    JOIN deliveries d ON d.seq >= part.start AND d.seq < part.stop
    GROUP BY d.webhook, d.status
"""
COUNTS = "SELECT webhook, status, count(*) FROM deliveries GROUP BY webhook, status"


def delivery(columns: Sequence[Any]) -> Delivery:
    """The delivery whose columns are those of :data:`DELIVERY`."""
    name, event_id, webhook, status, attempts, due_at, reason, created_at = columns
    return Delivery(name, event_id, webhook, DeliveryStatus(status), attempts, due_at, reason, created_at)


def document(connection: Connection, delivery_id: str) -> Mapping[str, Json] | None:
    """See :meth:`hookctl.store.interface.History.document`."""
    query = "SELECT e.document FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.id = %s ORDER BY d.seq DESC"
    row = connection.execute(query, (delivery_id,)).fetchone()
    return document_or_none(row[0]) if row else None


def attempts(connection: Connection, delivery_id: str) -> list[Attempt]:
    """See :meth:`hookctl.store.interface.History.attempts`. Damaged records are passed over."""
    query = "SELECT a.record FROM deliveries d JOIN attempts a ON a.delivery = d.seq WHERE d.id = %s ORDER BY a.seq"
    found = []
    for (record,) in connection.execute(query, (delivery_id,)):
        with suppress(KeyError, TypeError, ValueError, RecursionError, AttributeError):
            found.append(attempt_from_text(record))
    return found


def circuits(connection: Connection) -> Mapping[str, Circuit]:
    """See :meth:`hookctl.store.interface.Standing.circuits`."""
    rows = connection.execute("SELECT webhook, state, reason, since, until FROM circuits").fetchall()
    return {name: Circuit(*values) for name, *values in rows}


def last_results(
    connection: Connection, only: Collection[str] | None = None
) -> Mapping[str, tuple[DeliveryStatus, float]]:
    """See :meth:`hookctl.store.interface.Standing.last_results`; of some webhooks, or of all."""
    query = "SELECT webhook, status, at FROM last_results"
    if only is None:
        rows = connection.execute(query).fetchall()
    else:
        rows = connection.execute(f"{query} WHERE webhook = ANY(%s)", ([*only],)).fetchall()
    return {webhook: (STATUS[status], at) for webhook, status, at in rows if status in STATUS}


def holds(connection: Connection) -> dict[str, Hold]:
    """See :meth:`hookctl.store.interface.Standing.holds`."""
    rows = connection.execute("SELECT webhook, reason, since, plan, secrets FROM holds").fetchall()
    return {webhook: Hold(*values) for webhook, *values in rows}


def ready(connection: Connection) -> dict[str, float]:
    """When the next delivery of each webhook that has any waiting can be claimed, in epoch seconds."""
    return dict(connection.execute(READY).fetchall())


def counts(connection: Connection, made: Sequence[range] | None) -> Counts:
    """How many deliveries there are, of all numbers or of those that are ``made``."""
    found: dict[str, dict[DeliveryStatus, int]] = {}
    rows = connection.execute(COUNTS) if made is None else connection.execute(FOLLOW, _bounds(made))
    for webhook, status, count, *_ in rows:
        found.setdefault(webhook, {})[STATUS[status]] = count
    return found


def followed(connection: Connection, made: Sequence[range]) -> Followed:
    """How far the deliveries with these numbers are; see :meth:`hookctl.store.interface.Runners.followed`."""
    found: dict[str, dict[DeliveryStatus, int]] = {}
    due: dict[str, float] = {}
    tried = claimed = 0
    for webhook, status, count, attempts, owned, due_at in connection.execute(FOLLOW, _bounds(made)):
        found.setdefault(webhook, {})[STATUS[status]] = count
        tried += int(attempts)
        claimed += owned
        if due_at is not None:
            due[webhook] = min(due_at, due.get(webhook, due_at))
    return Followed(found, due, tried, claimed)


def _bounds(made: Sequence[range]) -> tuple[list[int], list[int]]:
    return [part.start for part in made], [part.stop for part in made]
