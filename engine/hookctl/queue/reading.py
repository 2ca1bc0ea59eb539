"""Reading deliveries and attempts out of the SQLite tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from hookctl.errors import StoreError
from hookctl.model import Attempt, Delivery, DeliveryPlan, DeliveryStatus, Json
from hookctl.queue.interface import Counts, Filter
from hookctl.queue.records import attempt_from_text
from hookctl.queue.tables import COUNT_RANGES, DELIVERY


def delivery(columns: Sequence[Any]) -> Delivery:
    """The delivery whose columns are those of ``tables.DELIVERY``."""
    name, event_id, webhook, status, attempts, due_at, reason, created_at = columns
    return Delivery(name, event_id, webhook, DeliveryStatus(status), attempts, due_at, reason, created_at)


def plan(text: str) -> DeliveryPlan:
    """A delivery plan that is kept. Raises StoreError when this hookctl cannot read it."""
    try:
        return DeliveryPlan.from_json(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"a delivery plan that was kept cannot be read: {error}", hint="It was written by another version of hookctl.") from error


def deliveries(connection: sqlite3.Connection, which: Filter, limit: int | None) -> list[Delivery]:
    """See :meth:`hookctl.queue.interface.Queue.deliveries`."""
    conditions: list[str] = []
    values: list[Any] = []

    def only(condition: str, value: object) -> None:
        conditions.append(condition)
        values.append(value)

    if which.status is not None:
        only("d.status = ?", which.status)
    if which.webhook is not None:
        only("d.webhook = ?", which.webhook)
    if which.since is not None:
        only("d.created_at >= ?", which.since)
    if which.ids is not None:
        only("d.id IN (SELECT value FROM json_each(?))", json.dumps(list(which.ids)))
    if which.undelivered:
        only("d.status <> ?", DeliveryStatus.DELIVERED)
    if which.id_part:
        only("instr(d.id, ?) > 0", which.id_part)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT {DELIVERY} FROM deliveries d JOIN events e ON e.seq = d.event {where} ORDER BY d.seq DESC LIMIT ?"  # noqa: S608 - fixed texts; values are bound
    rows = connection.execute(query, [*values, -1 if limit is None else limit])
    return [delivery(row) for row in rows]


def document(connection: sqlite3.Connection, delivery_id: str) -> Mapping[str, Json] | None:
    """See :meth:`hookctl.queue.interface.Queue.document`."""
    row = connection.execute("SELECT e.document FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.id = ?", (delivery_id,)).fetchone()
    found: Mapping[str, Json] | None = json.loads(row[0]) if row else None
    return found


def attempts(connection: sqlite3.Connection, delivery_id: str) -> list[Attempt]:
    """See :meth:`hookctl.queue.interface.Queue.attempts`."""
    query = "SELECT a.record FROM attempts a JOIN deliveries d ON d.seq = a.delivery WHERE d.id = ? ORDER BY a.seq"
    try:
        return [attempt_from_text(record) for (record,) in connection.execute(query, (delivery_id,))]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the attempts on {delivery_id} cannot be read: {error!r}", hint="They were written by another version of hookctl.") from error


def counts(connection: sqlite3.Connection, made: Sequence[range] | None) -> Counts:
    """How many deliveries there are, of all numbers or of those that are ``made``."""
    found: dict[str, dict[DeliveryStatus, int]] = {}
    if made is None:
        rows = connection.execute("SELECT webhook, status, count(*) FROM deliveries GROUP BY webhook, status")
    else:
        rows = connection.execute(COUNT_RANGES, (json.dumps([[part.start, part.stop] for part in made]),))
    for webhook, status, count in rows:
        found.setdefault(webhook, {})[DeliveryStatus(status)] = count
    return found
