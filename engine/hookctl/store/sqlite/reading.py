"""Reading deliveries and attempts out of the SQLite tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.store.records import MAX_TIME, Circuit, Counts, Hold
from hookctl.store.sqlite.queue_tables import COUNT_RANGES, READY
from hookctl.store.texts import STATUS, attempt_from_text, document_or_none

AMONG = "WHERE webhook IN (SELECT value FROM json_each(?))"
UNREADABLE_REASON = "why cannot be read"


def delivery(columns: Sequence[Any]) -> Delivery:
    """The delivery whose columns are those of ``tables.DELIVERY``."""
    name, event_id, webhook, status, attempts, due_at, reason, created_at = columns
    return Delivery(name, event_id, webhook, DeliveryStatus(status), attempts, due_at, reason, created_at)


def document(connection: sqlite3.Connection, delivery_id: str) -> Mapping[str, Json] | None:
    """See :meth:`hookctl.store.interface.Queue.document`."""
    row = connection.execute(
        "SELECT e.document FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.id = ?", (delivery_id,)
    ).fetchone()
    return document_or_none(row[0]) if row else None


def attempts(connection: sqlite3.Connection, delivery_id: str) -> list[Attempt]:
    """See :meth:`hookctl.store.interface.Queue.attempts`. Damaged records are passed over."""
    query = "SELECT a.record FROM attempts a JOIN deliveries d ON d.seq = a.delivery WHERE d.id = ? ORDER BY a.seq"
    found = []
    for (record,) in connection.execute(query, (delivery_id,)):
        with suppress(KeyError, TypeError, ValueError, RecursionError, AttributeError):
            found.append(attempt_from_text(record))
    return found


def circuits(connection: sqlite3.Connection) -> Mapping[str, Circuit]:
    """See :meth:`hookctl.store.interface.Queue.circuits`.

    Damaged rows are skipped: the circuit of a target that still fails is written again.
    """
    rows = connection.execute("SELECT webhook, state, reason, since, until FROM circuits").fetchall()
    return {
        row[0]: Circuit(*row[1:])
        for row in rows
        if fits(row, str, str, str, float, float) and row[1] in {"open", "half-open", "local"}
    }


def last_results(
    connection: sqlite3.Connection, only: Collection[str] | None = None
) -> Mapping[str, tuple[DeliveryStatus, float]]:
    """See :meth:`hookctl.store.interface.Queue.last_results`; of some webhooks, or of all. Damaged rows are skipped."""
    which, values = ("", []) if only is None else (AMONG, [json.dumps(list(only))])
    rows = connection.execute(f"SELECT webhook, status, at FROM last_results {which}", values).fetchall()  # noqa: S608
    return {row[0]: (STATUS[row[1]], row[2]) for row in rows if fits(row, str, str, float) and row[1] in STATUS}


def holds(connection: sqlite3.Connection) -> dict[str, Hold]:
    """See :meth:`hookctl.store.interface.Standing.holds`. A row that is damaged still holds its webhook."""
    rows = connection.execute("SELECT webhook, reason, since, plan, secrets FROM holds").fetchall()
    return {
        webhook: Hold(
            reason if isinstance(reason, str) else UNREADABLE_REASON,
            since if _is_time(since) else 0.0,
            plan if isinstance(plan, str) else "",
            secrets if isinstance(secrets, str) else "",
        )
        for webhook, reason, since, plan, secrets in rows
        if isinstance(webhook, str)
    }


def ready(connection: sqlite3.Connection) -> dict[str, float]:
    """When the next delivery of each webhook that has any waiting can be claimed, in epoch seconds.

    A damaged time before any possible one counts as long past: it is the first of its webhook, and leaving it out
    would leave the webhook out, with all of its other deliveries.
    """
    rows = connection.execute(READY).fetchall()
    return {
        webhook: max(at, -MAX_TIME)
        for webhook, at in rows
        if isinstance(webhook, str) and isinstance(at, int | float) and at <= MAX_TIME
    }


def fits(values: Sequence[object], *kinds: type) -> bool:
    """Whether values out of the store are of these kinds. A float is a time, and may come as a whole number."""
    return all(
        _is_time(value) if kind is float else type(value) is kind for value, kind in zip(values, kinds, strict=True)
    )


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= MAX_TIME


def counts(connection: sqlite3.Connection, made: Sequence[range] | None) -> Counts:
    """How many deliveries there are, of all numbers or of those that are ``made``."""
    found: dict[str, dict[DeliveryStatus, int]] = {}
    if made is None:
        rows = connection.execute("SELECT webhook, status, count(*) FROM deliveries GROUP BY webhook, status")
    else:
        rows = connection.execute(COUNT_RANGES, (json.dumps([[part.start, part.stop] for part in made]),))
    for webhook, status, count in rows:
        if isinstance(webhook, str) and status in STATUS:
            found.setdefault(webhook, {})[STATUS[status]] = count
    return found
