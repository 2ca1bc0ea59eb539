"""Reading kept events out of the SQLite tables, and making deliveries of them later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence

from hookctl.errors import IntakeRefusedError
from hookctl.model import DeliveryStatus, Json
from hookctl.store.history import EventFilter, EventPage, StoredEvent
from hookctl.store.reasons import held_reason
from hookctl.store.records import MAX_TIME
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite import reading
from hookctl.store.sqlite.enqueuing import NewRow, add_deliveries, refuse_too_many
from hookctl.store.texts import STATUS, document_or_none

CHUNK = 500
"""Events that one statement reads: a filter that stops early should not have read many documents."""
LAST = (2 * MAX_TIME, 0)
"""A position after every event's."""
NONE: Mapping[DeliveryStatus, int] = {}

KEYS = """
    SELECT received_at, seq FROM events INDEXED BY events_received
    WHERE received_at >= ? AND received_at < ? AND (received_at, seq) < (?, ?) AND (? IS NULL OR event_type = ?)
    ORDER BY received_at DESC, seq DESC LIMIT ?
"""
"""Reads the index only, whose rows are small."""
KEY = """
    SELECT received_at, seq FROM events
    WHERE seq = ? AND received_at >= ? AND received_at < ? AND (received_at, seq) < (?, ?)
        AND (? IS NULL OR event_type = ?)
"""
ROWS = """
    SELECT e.received_at, e.seq, e.id, e.event_type, e.event_time, e.document
    FROM json_each(?) k JOIN events e ON e.seq = k.value
    WHERE {conditions}
    ORDER BY k.key
"""
HAS_DELIVERY = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.seq)"
HAS_DELIVERY_TO = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.seq AND d.webhook = ?)"
STATUSES = """
    SELECT event, status, count(*) FROM deliveries WHERE event IN (SELECT value FROM json_each(?))
    GROUP BY event, status
"""
NUMBERS = """
    SELECT k.value, e.seq FROM json_each(?) k
    JOIN known_ids i ON i.id = k.value JOIN events e ON e.seq = i.event AND e.id = k.value
    UNION ALL
    SELECT k.value, e.seq FROM json_each(?) k
    JOIN new_ids i ON i.id = k.value JOIN events e ON e.seq = i.event AND e.id = k.value
"""
"""The row numbers of events, by id."""
HAVE = """
    SELECT DISTINCT event FROM deliveries WHERE webhook = ? AND event IN (SELECT value FROM json_each(?))
"""
WEBHOOKS = """
    SELECT event, webhook FROM deliveries
    WHERE event IN (SELECT value FROM json_each(?)) AND typeof(webhook) = 'text' ORDER BY seq
"""


def events(
    connection: sqlite3.Connection,
    which: EventFilter,
    limit: int,
    before: tuple[float, int] | None,
    look_at: int | None,
) -> EventPage:
    """See :meth:`hookctl.store.events_interface.Events.events`."""
    found: list[StoredEvent] = []
    looked_at, position = 0, before or LAST
    while look_at is None or looked_at < look_at:
        keys = _keys(connection, which, position)
        if not keys:
            return EventPage(found, looked_at, None)
        for one in _read(connection, [seq for _, seq in keys], which):
            if len(found) == limit:
                return EventPage(found, looked_at, found[-1].position, found[-1].id)
            found.append(one)
        looked_at += len(keys)
        position = keys[-1]
    row = connection.execute("SELECT id FROM events WHERE seq = ?", (position[1],)).fetchone()
    return EventPage(found, looked_at, position, row and str(row[0]))


def event(connection: sqlite3.Connection, event_id: str) -> StoredEvent | None:
    """See :meth:`hookctl.store.events_interface.Events.event`."""
    numbers = _numbers(connection, [event_id])
    return next(_read(connection, list(numbers.values()), EventFilter()), None)


def with_delivery(connection: sqlite3.Connection, webhook: str, event_ids: Collection[str]) -> set[str]:
    """See :meth:`hookctl.store.events_interface.Events.events_with_delivery`."""
    numbers = _numbers(connection, event_ids)
    have = _have(connection, webhook, numbers.values())
    return {name for name, seq in numbers.items() if seq in have}


def documents(connection: sqlite3.Connection, event_ids: Collection[str]) -> dict[str, Mapping[str, Json]]:
    """The documents of the events with these ids, by id. Those that are not stored, or damaged, are missing."""
    numbers = _numbers(connection, event_ids)
    return {one.id: one.document for one in _read(connection, list(numbers.values()), EventFilter())}


def webhooks(connection: sqlite3.Connection, event_ids: Collection[str]) -> dict[str, list[str]]:
    """See :meth:`hookctl.store.events_interface.Events.webhooks_of`."""
    ids = {seq: name for name, seq in _numbers(connection, event_ids).items()}
    found: dict[str, list[str]] = {}
    for seq, webhook in connection.execute(WEBHOOKS, (json.dumps(list(ids)),)):
        found.setdefault(ids[seq], []).append(webhook)
    return found


def backfill(
    connection: sqlite3.Connection, webhook: str, missed: Sequence[tuple[str, str]], now: float, max_waiting: float
) -> int:
    """See :meth:`hookctl.store.events_interface.Events.backfill`; inside the caller's transaction."""
    numbers = _numbers(connection, [event_id for event_id, _ in missed])
    have = _have(connection, webhook, numbers.values())
    wanted = {seq: name for event_id, name in missed if (seq := numbers.get(event_id)) and seq not in have}
    holds = reading.holds(connection)
    is_held = webhook in holds
    try:
        refuse_too_many(connection, [0 if is_held else 1] * len(wanted), max_waiting)
    except IntakeRefusedError as error:
        raise IntakeRefusedError(error.message, hint=error.hint) from None  # of no events that a caller passed
    (key,) = connection.execute(tables.LAST_DELIVERY).fetchone()
    rows = [
        NewRow(number, name, seq, webhook, created_at=now, due_at=now, set_at=now, ready_at=now)
        for number, (seq, name) in enumerate(wanted.items(), key + 1)
    ]
    if is_held:
        rows = [row._replace(status="held", reason=held_reason(holds[webhook].reason), ready_at=None) for row in rows]
    return add_deliveries(connection, rows)


def _keys(connection: sqlite3.Connection, which: EventFilter, before: tuple[float, int]) -> list[tuple[float, int]]:
    if which.id is not None:
        seq = _numbers(connection, [which.id]).get(which.id)
        alone = (seq, *_range(which), *before, which.event_type, which.event_type)
        return connection.execute(KEY, alone).fetchall()
    values = (*_range(which), *before, which.event_type, which.event_type, CHUNK)
    return connection.execute(KEYS, values).fetchall()


def _range(which: EventFilter) -> tuple[float, float]:
    since = -MAX_TIME if which.since is None else which.since
    until = MAX_TIME if which.until is None else which.until
    return since, until


def _read(connection: sqlite3.Connection, seqs: Sequence[int], which: EventFilter) -> Iterator[StoredEvent]:
    """The events with these row numbers that pass the filter, in this order. Damaged rows are skipped."""
    conditions, values = ["true"], [json.dumps(seqs)]
    if which.matched is not None:
        conditions.append(HAS_DELIVERY if which.matched else f"NOT {HAS_DELIVERY}")
    if which.unmade_for is not None:
        conditions.append(f"NOT {HAS_DELIVERY_TO}")
        values.append(which.unmade_for)
    rows = connection.execute(ROWS.format(conditions=" AND ".join(conditions)), values).fetchall()
    statuses = _statuses(connection, [row[1] for row in rows])
    for received_at, seq, event_id, event_type, event_time, text in rows:
        document = document_or_none(text)
        columns = (event_id, event_type, event_time, received_at)
        if document is None or not reading.fits(columns, str, str, float, float):
            continue
        if which.where is None or which.where(document):
            position = (received_at, seq)
            made = statuses.get(seq, NONE)
            yield StoredEvent(event_id, event_type, event_time, received_at, document, made, position)


def _statuses(connection: sqlite3.Connection, seqs: Sequence[int]) -> Mapping[int, Mapping[DeliveryStatus, int]]:
    found: dict[int, dict[DeliveryStatus, int]] = {}
    for seq, status, count in connection.execute(STATUSES, (json.dumps(seqs),)):
        if status in STATUS:
            found.setdefault(seq, {})[STATUS[status]] = count
    return found


def _numbers(connection: sqlite3.Connection, event_ids: Collection[str]) -> dict[str, int]:
    ids = json.dumps(list(event_ids))
    return dict(connection.execute(NUMBERS, (ids, ids)).fetchall())


def _have(connection: sqlite3.Connection, webhook: str, seqs: Collection[int]) -> set[int]:
    """Those of the events that have a delivery to the webhook."""
    return {seq for (seq,) in connection.execute(HAVE, (webhook, json.dumps(list(seqs))))}
